//go:build e2e

package keycloak

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"steward/ent"
	"steward/ent/session"
	"steward/internal/platform/auth"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

var (
	issuer   = os.Getenv("STEWARD_TEST_KEYCLOAK")
	baseURL  = cmp.Or(os.Getenv("STEWARD_BASE_URL"), "http://localhost:18081")
	secret   = cmp.Or(os.Getenv("STEWARD_OIDC_CLIENT_SECRET"), "steward-web-dev-secret")
	service  = cmp.Or(os.Getenv("STEWARD_INT_DEMO_SECRET"), "int-demo-dev-secret")
	password = cmp.Or(os.Getenv("STEWARD_DEMO_PASSWORD"), "Steward-Demo-2026")
	admin    = cmp.Or(os.Getenv("KC_BOOTSTRAP_ADMIN_USERNAME"), "admin")
	adminPw  = cmp.Or(os.Getenv("KC_BOOTSTRAP_ADMIN_PASSWORD"), "admin")
)

// site is Steward's sign-in on the address that the realm knows, over one database.
type site struct {
	*testing.T
	store *store.Store
	log   *lockedBuffer
}

type lockedBuffer struct {
	sync.Mutex
	b bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) { l.Lock(); defer l.Unlock(); return l.b.Write(p) }
func (l *lockedBuffer) String() string              { l.Lock(); defer l.Unlock(); return l.b.String() }

// onBoth runs a test against the running Keycloak on each database.
func onBoth(t *testing.T, f func(t *testing.T, s *site)) {
	if issuer == "" {
		t.Fatal("these tests need a running Keycloak: set STEWARD_TEST_KEYCLOAK to the issuer that scripts/keycloak.sh start prints")
	}
	testkit.Databases(t, func(t *testing.T, st *store.Store) {
		s := &site{t, st, &lockedBuffer{}}
		keys, err := auth.NewKeyring(bytes.Repeat([]byte{1}, 32))
		s.must(err)
		a, err := auth.New(auth.Config{BaseURL: baseURL, Issuer: issuer, ClientID: "steward-web", ClientSecret: obs.Secret(secret), Audience: "steward-api",
			RolesClaim: "realm_access.roles", GroupsClaim: "groups", Keys: keys, Log: slog.New(slog.NewTextHandler(s.log, nil)),
			Fail: func(w http.ResponseWriter, _ *http.Request, status int, err *errs.Error) {
				http.Error(w, err.Key, status)
			}}, st)
		s.must(err)
		mux := http.NewServeMux()
		for _, r := range a.Routes() {
			mux.HandleFunc(r.Pattern, r.Handler)
		}
		mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
		mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
			v, err := a.Authenticate(r)
			if err != nil {
				http.Error(w, string(errs.CodeOf(err)), http.StatusUnauthorized)
				return
			}
			_ = json.NewEncoder(w).Encode(v)
		})
		u, err := url.Parse(baseURL)
		s.must(err)
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", u.Port()))
		s.must(err)
		server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
		// each test has a server of its own on the one port: a connection that Keycloak kept
		// from the test before would lose its message
		server.SetKeepAlivesEnabled(false)
		go func() { _ = server.Serve(l) }()
		t.Cleanup(func() {
			_ = server.Close()
			if strings.Contains(s.log.String(), "eyJ") {
				t.Error("a token is in the log")
			}
			if t.Failed() {
				t.Log(s.log)
			}
		})
		f(t, s)
	})
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) sys() context.Context {
	return viewer.With(context.Background(), viewer.NewSystem(viewer.ViaCLI, "test"))
}

func (s *site) tx(f func(ctx context.Context, c *ent.Client) error) {
	s.Helper()
	s.must(s.store.Tx(s.sys(), f))
}

// due makes the recheck of a session due, as five minutes of waiting would.
func (s *site) due(v *viewer.Viewer) {
	s.tx(func(ctx context.Context, c *ent.Client) error {
		return c.Session.Update().Where(session.ID(v.SessionID)).SetIdpCheckedAt(time.Now().Add(-6 * time.Minute)).Exec(ctx)
	})
}

type browser struct {
	http.Client
	s *site
}

func (s *site) browser() *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{http.Client{Jar: jar, Timeout: 20 * time.Second}, s}
}

type answer struct {
	*http.Response
	body string
}

func (b *browser) do(r *http.Request) answer {
	b.s.Helper()
	resp, err := b.Do(r)
	b.s.must(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	b.s.must(err)
	return answer{resp, string(body)}
}

func (b *browser) get(at string) answer {
	b.s.Helper()
	if strings.HasPrefix(at, "/") {
		at = baseURL + at
	}
	r, err := http.NewRequest("GET", at, nil)
	b.s.must(err)
	return b.do(r)
}

func (b *browser) post(at string, form url.Values) answer {
	b.s.Helper()
	if strings.HasPrefix(at, "/") {
		at = baseURL + at
	}
	r, err := http.NewRequest("POST", at, strings.NewReader(form.Encode()))
	b.s.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// form returns the action and the hidden fields of a page's first form; the
// action is empty where there is none.
func form(page string) (action string, fields url.Values) {
	fields = url.Values{}
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "", fields
	}
	attr := func(n *html.Node, key string) string {
		for _, a := range n.Attr {
			if a.Key == key {
				return a.Val
			}
		}
		return ""
	}
	for n := range doc.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "form" && action == "":
			action = attr(n, "action")
		case n.Data == "input" && attr(n, "type") == "hidden":
			fields.Set(attr(n, "name"), attr(n, "value"))
		}
	}
	return action, fields
}

// login opens a sign-in address, fills in Keycloak's form and returns the page it ends on.
func (b *browser) login(at, person, pw string) answer {
	b.s.Helper()
	page := b.get(at)
	action, fields := form(page.body)
	if !strings.HasPrefix(page.Request.URL.String(), issuer) || action == "" {
		b.s.Fatalf("no sign-in form at %s (%d): %.300s", page.Request.URL, page.StatusCode, page.body)
	}
	fields.Set("username", person)
	fields.Set("password", pw)
	return b.post(action, fields)
}

// enter signs in and returns who that is.
func (b *browser) enter(person string) *viewer.Viewer {
	b.s.Helper()
	return b.viewerOf(b.login("/auth/login?to=/me", person, password))
}

func (b *browser) viewerOf(a answer) *viewer.Viewer {
	b.s.Helper()
	v := &viewer.Viewer{}
	if a.StatusCode != 200 || a.Request.URL.Path != "/me" || json.Unmarshal([]byte(a.body), v) != nil {
		b.s.Fatalf("not signed in: %d %s %.300s", a.StatusCode, a.Request.URL, a.body)
	}
	return v
}

// me returns the viewer, or nil for nobody.
func (b *browser) me() *viewer.Viewer {
	b.s.Helper()
	if a := b.get("/me"); a.StatusCode == 200 {
		return b.viewerOf(a)
	}
	return nil
}

// token asks Keycloak's token endpoint for client credentials.
func (s *site) token(id, secret string) (status int, token string) {
	s.Helper()
	resp, err := http.PostForm(issuer+"/protocol/openid-connect/token", url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}})
	s.must(err)
	defer resp.Body.Close()
	var out struct {
		Token string `json:"access_token"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&out)
	return resp.StatusCode, out.Token
}

// bearer asks for /me with an access token.
func (s *site) bearer(token string) answer {
	s.Helper()
	r, err := http.NewRequest("GET", baseURL+"/me", nil)
	s.must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	return s.browser().do(r)
}

// keycloak calls Keycloak's admin API for the realm; out may be nil.
func (s *site) keycloak(method, path string, in, out any) http.Header {
	s.Helper()
	root, realm, _ := strings.Cut(issuer, "/realms/")
	resp, err := http.PostForm(root+"/realms/master/protocol/openid-connect/token",
		url.Values{"grant_type": {"password"}, "client_id": {"admin-cli"}, "username": {admin}, "password": {adminPw}})
	s.must(err)
	var grant struct {
		Token string `json:"access_token"`
	}
	err = json.NewDecoder(resp.Body).Decode(&grant)
	resp.Body.Close()
	s.must(err)
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		s.must(err)
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, root+"/admin/realms/"+realm+path, body)
	s.must(err)
	r.Header.Set("Authorization", "Bearer "+grant.Token)
	r.Header.Set("Content-Type", "application/json")
	resp, err = http.DefaultClient.Do(r)
	s.must(err)
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		b, _ := io.ReadAll(resp.Body)
		s.Fatalf("%s %s: %s %s", method, path, resp.Status, b)
	}
	if out != nil {
		s.must(json.NewDecoder(resp.Body).Decode(out))
	}
	return resp.Header
}

// account returns a person's account in Keycloak.
func (s *site) account(username string) map[string]any {
	s.Helper()
	var found []map[string]any
	s.keycloak("GET", "/users?exact=true&username="+username, nil, &found)
	if len(found) != 1 {
		s.Fatalf("%d accounts %s", len(found), username)
	}
	return found[0]
}
