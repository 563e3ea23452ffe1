package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/platform/auth"
	"steward/internal/platform/devidp"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// world is a provider, two servers of Steward over one database, and browsers.
type world struct {
	*testing.T
	store  *store.Store
	idp    *devidp.Provider
	faults *devidp.Switches
	idpURL string
	site   *httptest.Server // the first server, where browsers go
	other  *httptest.Server // the second
	auth   *auth.Auth
	clock  atomic.Int64
	apart  atomic.Int64 // by which the clock of the other server is ahead
	logs   *logs
	slow   chan struct{} // each receive lets one request to /slow end
	inSlow chan struct{}
}

const webSecret = "the-secret-of-steward-web"

// logs collects what is logged and fails the test if a token is among it.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *logs) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// onBoth runs a test in a fresh world on each database.
func onBoth(t *testing.T, f func(t *testing.T, w *world)) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) { f(t, newWorld(t, s)) })
}

func newWorld(t *testing.T, s *store.Store) *world {
	w := &world{T: t, store: s, logs: &logs{}, slow: make(chan struct{}), inSlow: make(chan struct{}, 9)}
	w.clock.Store(time.Now().UnixNano())
	handlers := [3]http.Handler{}
	for i := range handlers {
		h := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handlers[i].ServeHTTP(rw, r) })
		srv := httptest.NewUnstartedServer(h)
		srv.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(w.logs, nil), slog.LevelError)
		switch i {
		case 0:
			srv.Start()
			w.idpURL = srv.URL
		case 1:
			srv.StartTLS()
			w.site = srv
		case 2:
			srv.StartTLS()
			w.other = srv
		}
		t.Cleanup(srv.Close)
	}
	clients := append(devidp.Clients(w.site.URL, w.site.URL, webSecret),
		devidp.Client{ID: "int-rogue", Secret: "r", Audience: "steward-api", ServiceAccount: &devidp.Person{Username: "service-account-int-rogue", Roles: []string{"contributor"}}},
		devidp.Client{ID: "int-elsewhere", Secret: "e", Audience: "other-api", ServiceAccount: &devidp.Person{Username: "service-account-int-elsewhere"}})
	var err error
	w.idp, err = devidp.New(devidp.Config{BaseURL: w.idpURL, People: devidp.People(), Clients: clients, Now: w.now, HTTP: w.site.Client()})
	w.must(err)
	w.faults = w.idp.Switches(t)
	handlers[0] = w.idp
	for i := range 2 {
		a := w.newAuth(w.site.URL, func(c *auth.Config) {
			if i == 1 {
				c.Now = func() time.Time { return w.now().Add(time.Duration(w.apart.Load())) }
			}
		})
		if i == 0 {
			w.auth = a
		}
		handlers[i+1] = w.app(a)
	}
	t.Cleanup(func() { // AN-18: no test of this package may leave a token in the log
		if t.Failed() {
			t.Log(w.logs)
		}
		for _, secret := range []string{"eyJ", auth.TokenPrefix, webSecret, "int-demo-dev-secret"} {
			if strings.Contains(w.logs.String(), secret) {
				t.Errorf("the log holds %q:\n%s", secret, w.logs)
			}
		}
	})
	return w
}

func (w *world) newAuth(base string, change func(*auth.Config)) *auth.Auth {
	keys, err := auth.NewKeyring(bytes.Repeat([]byte{7}, 32))
	w.must(err)
	cfg := auth.Config{BaseURL: base, Issuer: w.idp.Issuer(), StoredIssuer: devidp.StoredIssuer, ClientID: "steward-web", ClientSecret: webSecret,
		Audience: "steward-api", RolesClaim: "realm_access.roles", GroupsClaim: "groups", Keys: keys, Now: w.now, Log: slog.New(slog.NewTextHandler(w.logs, nil)),
		Fail: func(rw http.ResponseWriter, _ *http.Request, status int, err *errs.Error) {
			http.Error(rw, err.Key, status)
		}}
	if change != nil {
		change(&cfg)
	}
	a, err := auth.New(cfg, w.store)
	w.must(err)
	return a
}

// app is a site with the routes of sign-in and a few pages behind it.
func (w *world) app(a *auth.Auth) http.Handler {
	inside, outside := http.NewServeMux(), http.NewServeMux()
	for _, r := range a.Routes() {
		if r.Signed {
			outside.HandleFunc(r.Pattern, r.Handler)
		} else {
			inside.HandleFunc(r.Pattern, r.Handler)
		}
	}
	page := func(pattern string, f func(rw http.ResponseWriter, ctx context.Context, v *viewer.Viewer)) {
		inside.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Cache-Control", "no-store")
			v, err := a.Authenticate(r)
			switch errs.CodeOf(err) {
			case "":
				f(rw, viewer.With(r.Context(), v), v)
			case errs.Unauthenticated:
				if r.Header.Get("Authorization") != "" || r.Method != "GET" || r.URL.RawQuery != "" {
					http.Error(rw, "sign in", http.StatusUnauthorized)
					return
				}
				http.Redirect(rw, r, auth.LoginURL(r.URL.Path), http.StatusSeeOther)
			case errs.Unavailable:
				http.Error(rw, err.Error(), http.StatusServiceUnavailable)
			default:
				w.Errorf("authenticate: %v", err)
				http.Error(rw, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	page("GET /me", func(rw http.ResponseWriter, _ context.Context, v *viewer.Viewer) { _ = json.NewEncoder(rw).Encode(v) })
	page("GET /slow", func(rw http.ResponseWriter, _ context.Context, v *viewer.Viewer) { w.inSlow <- struct{}{}; <-w.slow })
	page("POST /approve", func(rw http.ResponseWriter, ctx context.Context, v *viewer.Viewer) {
		switch err := a.Confirmed(ctx); errs.CodeOf(err) {
		case "":
			rw.WriteHeader(http.StatusNoContent)
		case errs.Unavailable:
			rw.WriteHeader(http.StatusServiceUnavailable)
		default:
			rw.WriteHeader(http.StatusForbidden)
		}
	})
	inside.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	outside.Handle("/", http.NewCrossOriginProtection().Handler(inside))
	return outside
}

func (w *world) now() time.Time          { return time.Unix(0, w.clock.Load()) }
func (w *world) advance(d time.Duration) { w.clock.Add(int64(d)) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// sys is a context of the system, for looking into the database.
func (w *world) sys() context.Context {
	return viewer.With(context.Background(), viewer.NewSystem(viewer.ViaCLI, "test"))
}

// tx writes as the system.
func (w *world) tx(f func(ctx context.Context, c *ent.Client) error) {
	w.Helper()
	w.must(w.store.Tx(w.sys(), f))
}

// browser keeps its own cookies and does not follow to where it is sent unless asked.
type browser struct {
	*http.Client
	w *world
}

func (w *world) browser() *browser {
	jar, _ := cookiejar.New(nil)
	c := *w.site.Client()
	c.Jar = jar
	return &browser{&c, w}
}

// stay makes the browser not follow redirects.
func (b *browser) stay() *browser {
	b.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

func (b *browser) follow() *browser { b.CheckRedirect = nil; return b }

type answer struct {
	*http.Response
	body string
}

func (b *browser) do(r *http.Request) answer {
	b.w.Helper()
	resp, err := b.Client.Do(r)
	if err != nil {
		b.w.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return answer{resp, string(body)}
}

// get opens a path of the site or a whole address.
func (b *browser) get(at string) answer {
	b.w.Helper()
	if strings.HasPrefix(at, "/") {
		at = b.w.site.URL + at
	}
	r, err := http.NewRequest("GET", at, nil)
	b.w.must(err)
	return b.do(r)
}

func (b *browser) post(path string, form url.Values) answer {
	b.w.Helper()
	if strings.HasPrefix(path, "/") {
		path = b.w.site.URL + path
	}
	r, err := http.NewRequest("POST", path, strings.NewReader(form.Encode()))
	b.w.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

var field = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// signIn walks the real pages: site, sign-in page, a press of the button, site.
func (b *browser) signIn(person string) answer {
	b.w.Helper()
	page := b.follow().get("/auth/login?to=/me")
	if page.StatusCode != 200 {
		return page
	}
	form := url.Values{"login": {person}}
	for _, m := range field.FindAllStringSubmatch(page.body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return b.post(page.Request.URL.String(), form)
}

// enter signs in and expects it to work.
func (b *browser) enter(person string) *viewer.Viewer {
	b.w.Helper()
	a := b.signIn(person)
	return b.viewerOf(a)
}

func (b *browser) viewerOf(a answer) *viewer.Viewer {
	b.w.Helper()
	v := &viewer.Viewer{}
	if a.StatusCode != 200 || json.Unmarshal([]byte(a.body), v) != nil {
		b.w.Fatalf("not signed in: %d %s %s", a.StatusCode, a.Request.URL, a.body)
	}
	return v
}

// me returns the viewer of the browser, or nil when it is sent to sign in.
func (b *browser) me() *viewer.Viewer {
	b.w.Helper()
	a := b.stay().get("/me")
	if a.StatusCode == http.StatusSeeOther && strings.HasPrefix(a.Header.Get("Location"), "/auth/login") {
		return nil
	}
	return b.viewerOf(a)
}

// cookie returns the session cookie's value.
func (b *browser) cookie() string {
	u, _ := url.Parse(b.w.site.URL)
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == "__Host-steward" {
			return c.Value
		}
	}
	return ""
}

// with returns another browser that holds the same session cookie.
func (w *world) with(cookie string) *browser {
	b := w.browser()
	u, _ := url.Parse(w.site.URL)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-steward", Value: cookie, Path: "/", Secure: true}})
	return b
}

// session returns the stored session of a viewer.
func (w *world) session(v *viewer.Viewer) *ent.Session {
	w.Helper()
	s, err := w.store.Client.Session.Get(w.sys(), v.SessionID)
	w.must(err)
	return s
}

// bearer asks for /me with a token.
func (w *world) bearer(token string) answer {
	w.Helper()
	r, err := http.NewRequest("GET", w.site.URL+"/me", nil)
	w.must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	return w.browser().stay().do(r)
}

// clientToken gets an access token with client credentials.
func (w *world) clientToken(id, secret string) string {
	w.Helper()
	resp, err := http.PostForm(w.idp.Issuer()+"/protocol/openid-connect/token",
		url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}})
	w.must(err)
	defer resp.Body.Close()
	var out struct {
		Token string `json:"access_token"`
	}
	w.must(json.NewDecoder(resp.Body).Decode(&out))
	return out.Token
}

// sign forges a token with the provider's own key.
func (w *world) sign(claims map[string]any, typ string) string {
	w.Helper()
	s, err := w.faults.Sign(claims, typ)
	w.must(err)
	return s
}

// with returns claims in which some are changed; nil removes one.
func with(base, change map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range base {
		out[k] = v
	}
	for k, v := range change {
		if out[k] = v; v == nil {
			delete(out, k)
		}
	}
	return out
}

// logged reports whether a line of the log holds all the texts.
func (w *world) logged(texts ...string) bool {
lines:
	for _, line := range strings.Split(w.logs.String(), "\n") {
		for _, x := range texts {
			if !strings.Contains(line, x) {
				continue lines
			}
		}
		return true
	}
	return false
}

func text(format string, args ...any) string { return fmt.Sprintf(format, args...) }

func idents(ids ...ident.ID) []ident.ID { return ids }
