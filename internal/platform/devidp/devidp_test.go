package devidp_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/html"

	"steward/internal/platform/devidp"
	"steward/internal/platform/i18n"
)

const verifier = "a-verifier-of-at-least-forty-three-characters-it-is"

// challenge is the base64url SHA-256 of verifier.
const challenge = "W_uz2hMbCFQDUn7DP7etADFcgmEIfImE7RMIFCwKPBM"

type world struct {
	t       *testing.T
	p       *devidp.Provider
	s       *devidp.Switches
	srv     *httptest.Server
	now     atomic.Int64
	logouts chan string
	http    *http.Client
}

func start(t *testing.T) *world {
	w := &world{t: t, logouts: make(chan string, 10)}
	w.now.Store(time.Now().UnixNano())
	var provider http.Handler
	mux := http.NewServeMux()
	mux.HandleFunc(devidp.Realm+"/", func(rw http.ResponseWriter, r *http.Request) { provider.ServeHTTP(rw, r) })
	mux.HandleFunc("POST /auth/backchannel-logout", func(_ http.ResponseWriter, r *http.Request) { w.logouts <- r.PostFormValue("logout_token") })
	w.srv = httptest.NewServer(mux)
	t.Cleanup(w.srv.Close)
	p, err := devidp.New(devidp.Config{BaseURL: w.srv.URL, People: devidp.People(), Clients: devidp.Clients(w.srv.URL, w.srv.URL, "s"),
		Style: "/static/css/app.css", Now: func() time.Time { return time.Unix(0, w.now.Load()) }})
	if err != nil {
		t.Fatal(err)
	}
	provider, w.p, w.s = p, p, p.Switches(t)
	w.http = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return w
}

func (w *world) url(endpoint string) string {
	return w.srv.URL + devidp.Realm + "/protocol/openid-connect/" + endpoint
}

func (w *world) request() url.Values {
	return url.Values{"client_id": {"steward-web"}, "redirect_uri": {w.srv.URL + "/auth/callback"}, "response_type": {"code"}, "scope": {"openid profile"},
		"state": {"st"}, "nonce": {"no"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}
}

func (w *world) get(u string) (*http.Response, string) {
	w.t.Helper()
	r, err := w.http.Get(u)
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return r, string(b)
}

// code presses a person's button and returns the code.
func (w *world) code(person string) string {
	w.t.Helper()
	q := w.request()
	q.Set("login", person)
	r, err := w.http.PostForm(w.url("auth"), q)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Body.Close()
	to, _ := url.Parse(r.Header.Get("Location"))
	if r.StatusCode != 303 || to.Query().Get("iss") != w.p.Issuer() || to.Query().Get("state") != "st" {
		w.t.Fatalf("%s: %d %s", person, r.StatusCode, to)
	}
	return to.Query().Get("code")
}

func (w *world) token(v url.Values) (int, map[string]any) {
	w.t.Helper()
	if v.Get("client_id") == "" {
		v.Set("client_id", "steward-web")
		v.Set("client_secret", "s")
	}
	r, err := w.http.PostForm(w.url("token"), v)
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Body.Close()
	m := map[string]any{}
	_ = json.NewDecoder(r.Body).Decode(&m)
	return r.StatusCode, m
}

func (w *world) redeem(code string) (int, map[string]any) {
	return w.token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {w.srv.URL + "/auth/callback"}})
}

func (w *world) renew(token any) (int, map[string]any) {
	s, _ := token.(string)
	return w.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {s}})
}

func claims(t *testing.T, token any) map[string]any {
	t.Helper()
	s, _ := token.(string)
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		t.Fatalf("not a token: %v", token)
	}
	b, _ := base64.RawURLEncoding.DecodeString(parts[1])
	m := map[string]any{}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSignInPageListsEverybodyInBothLanguages(t *testing.T) {
	w := start(t)
	for lang, q := range map[string]string{"en": "", "fr": "&ui_locales=fr"} {
		r, body := w.get(w.url("auth") + "?" + w.request().Encode() + q)
		if r.StatusCode != 200 || !strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self'") {
			t.Fatalf("%s: %d %s", lang, r.StatusCode, r.Header.Get("Content-Security-Policy"))
		}
		doc, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		count, buttons := map[string]int{}, map[string]string{}
		var text func(n *html.Node) string
		text = func(n *html.Node) string {
			if n.Type == html.TextNode {
				return n.Data
			}
			var s string
			for c := range n.ChildNodes() {
				s += text(c)
			}
			return s
		}
		for n := range doc.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			count[n.Data]++
			at := map[string]string{}
			for _, a := range n.Attr {
				at[a.Key] = a.Val
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: inline %s on <%s>", lang, a.Key, n.Data)
				}
			}
			switch n.Data {
			case "html":
				if at["lang"] != i18n.Locale(lang) {
					t.Errorf("lang=%q, want %s", at["lang"], lang)
				}
			case "button":
				buttons[at["value"]] = text(n)
			}
		}
		if count["h1"] != 1 || count["main"] != 1 || count["title"] != 1 || count["script"]+count["style"] != 0 || count["link"] != 1 || len(buttons) != 15 {
			t.Errorf("%s: %v, %d buttons", lang, count, len(buttons))
		}
		for _, p := range devidp.People() {
			if !strings.Contains(buttons[p.Username], p.Name()) || !strings.Contains(body, html.EscapeString(i18n.T(lang, p.Note()))) {
				t.Errorf("%s: %s is missing or has no line", lang, p.Name())
			}
		}
	}
	req, _ := http.NewRequest("GET", w.url("auth")+"?"+w.request().Encode(), nil)
	req.Header.Set("Accept-Language", "fr-CA,fr;q=0.9")
	if r, err := w.http.Do(req); err != nil || r.Header.Get("Content-Language") != "fr" {
		t.Errorf("Accept-Language is not followed: %v %v", r.Header.Get("Content-Language"), err)
	}
}

func TestStrictAboutRequests(t *testing.T) {
	w := start(t)
	for name, change := range map[string]func(url.Values){
		"no PKCE": func(q url.Values) { q.Del("code_challenge") }, "plain PKCE": func(q url.Values) { q.Set("code_challenge_method", "plain") },
		"other redirect": func(q url.Values) { q.Set("redirect_uri", w.srv.URL+"/auth/callback/../x") }, "implicit": func(q url.Values) { q.Set("response_type", "token") },
		"unknown client": func(q url.Values) { q.Set("client_id", "other") }, "no openid": func(q url.Values) { q.Set("scope", "profile") }} {
		q := w.request()
		change(q)
		if r, _ := w.get(w.url("auth") + "?" + q.Encode()); r.StatusCode != 400 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
		q.Set("login", "pia.portfolio")
		if r, _ := w.http.PostForm(w.url("auth"), q); r.StatusCode != 400 {
			t.Errorf("%s, pressed: %d", name, r.StatusCode)
		}
	}
	q := w.request()
	q.Set("prompt", "none")
	r, _ := w.get(w.url("auth") + "?" + q.Encode())
	if to, _ := url.Parse(r.Header.Get("Location")); to.Query().Get("error") != "login_required" {
		t.Errorf("prompt=none: %s", to)
	}
}

func TestCodesAreGoodOnceAndShortly(t *testing.T) {
	w := start(t)
	code := w.code("pia.portfolio")
	status, first := w.redeem(code)
	id := claims(t, first["id_token"])
	if status != 200 || id["typ"] != "ID" || id["nonce"] != "no" || id["aud"] != "steward-web" || id["sub"] != "pia.portfolio" || id["at_hash"] == nil || id["sid"] == nil {
		t.Fatalf("%d %v", status, id)
	}
	if access := claims(t, first["access_token"]); access["typ"] != "Bearer" || access["aud"] != nil {
		t.Errorf("access token %v", access)
	}
	if status, _ := w.redeem(code); status != 400 {
		t.Errorf("replayed code: %d", status)
	}
	if status, _ := w.renew(first["refresh_token"]); status != 400 {
		t.Errorf("refresh after a replayed code: %d", status)
	}
	wrong := w.code("pia.portfolio")
	if status, _ := w.token(url.Values{"grant_type": {"authorization_code"}, "code": {wrong}, "code_verifier": {verifier + "x"}, "redirect_uri": {w.srv.URL + "/auth/callback"}}); status != 400 {
		t.Errorf("wrong verifier: %d", status)
	}
	if status, _ := w.redeem(wrong); status != 400 {
		t.Errorf("a wrong verifier does not burn the code: %d", status)
	}
	late := w.code("pia.portfolio")
	w.now.Add(int64(61 * time.Second))
	if status, _ := w.redeem(late); status != 400 {
		t.Errorf("code after 61 s: %d", status)
	}
	if _, m := w.redeem(w.code("nora.norole")); claims(t, m["id_token"])["realm_access"] != nil || claims(t, m["id_token"])["groups"] != nil {
		t.Error("Nora has claims that Keycloak would leave out")
	}
}

func TestRefreshRotatesAndReuseKills(t *testing.T) {
	w := start(t)
	_, m := w.redeem(w.code("pia.portfolio"))
	if !w.p.Change("pia.portfolio", func(p *devidp.Person) { p.Roles = append(p.Roles, "executive") }) {
		t.Fatal("no Pia")
	}
	status, second := w.renew(m["refresh_token"])
	id := claims(t, second["id_token"])
	if status != 200 || id["nonce"] != nil || len(id["realm_access"].(map[string]any)["roles"].([]any)) != 2 {
		t.Fatalf("%d %v", status, id)
	}
	if status, _ := w.renew(m["refresh_token"]); status != 400 {
		t.Errorf("old refresh token: %d", status)
	}
	if status, _ := w.renew(second["refresh_token"]); status != 400 {
		t.Errorf("new refresh token after reuse of the old: %d", status)
	}
	_, m = w.redeem(w.code("otto.owner"))
	w.p.Change("otto.owner", func(p *devidp.Person) { p.Disabled = true })
	if status, e := w.renew(m["refresh_token"]); status != 400 || e["error_description"] != "User disabled" {
		t.Errorf("disabled: %d %v", status, e)
	}
	w.p.Change("otto.owner", func(p *devidp.Person) { p.Disabled = false })
	if status, _ := w.renew(m["refresh_token"]); status != 200 {
		t.Errorf("enabled again: %d", status)
	}
}

func TestClientCredentials(t *testing.T) {
	w := start(t)
	ask := func(id, secret string) (int, map[string]any) {
		return w.token(url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}})
	}
	status, m := ask("int-demo", "int-demo-dev-secret")
	c := claims(t, m["access_token"])
	if status != 200 || c["aud"] != "steward-api" || c["azp"] != "int-demo" || m["refresh_token"] != nil || m["id_token"] != nil {
		t.Errorf("%d %v %v", status, c, m)
	}
	if status, _ := ask("int-demo", "wrong"); status != 401 {
		t.Errorf("wrong secret: %d", status)
	}
	if status, _ := ask("steward-web", "s"); status != 401 {
		t.Errorf("client without a service account: %d", status)
	}
}

func TestLogoutReturnsAndTellsTheClient(t *testing.T) {
	w := start(t)
	_, m := w.redeem(w.code("fia.finance"))
	hint := m["id_token"].(string)
	if r, _ := w.get(w.url("logout") + "?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"http://evil.example/"}}.Encode()); r.StatusCode != 400 {
		t.Errorf("foreign return address: %d", r.StatusCode)
	}
	if r, _ := w.get(w.url("logout")); r.StatusCode != 400 {
		t.Errorf("no hint: %d", r.StatusCode)
	}
	r, _ := w.get(w.url("logout") + "?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {w.srv.URL + "/"}, "state": {"bye"}}.Encode())
	if r.StatusCode != 303 || r.Header.Get("Location") != w.srv.URL+"/?state=bye" {
		t.Errorf("%d %s", r.StatusCode, r.Header.Get("Location"))
	}
	told := claims(t, <-w.logouts)
	if told["sid"] != claims(t, hint)["sid"] || told["typ"] != "Logout" || told["events"] == nil {
		t.Errorf("logout token %v", told)
	}
	if status, _ := w.renew(m["refresh_token"]); status != 400 {
		t.Errorf("refresh after logout: %d", status)
	}
}

func TestRotatedKeysBothPublished(t *testing.T) {
	w := start(t)
	if err := w.p.RotateKeys(); err != nil {
		t.Fatal(err)
	}
	_, body := w.get(w.url("certs"))
	if strings.Count(body, `"kid"`) != 2 || strings.Contains(body, `"d":`) {
		t.Error(body)
	}
}

func TestSwitches(t *testing.T) {
	w := start(t)
	w.s.Set(devidp.Fault{TokenError: 503})
	if status, _ := w.redeem("x"); status != 503 || w.s.Hits("token") != 1 {
		t.Errorf("%d, %d hits", status, w.s.Hits("token"))
	}
	w.s.Set(devidp.Fault{Down: true})
	if _, err := w.http.Get(w.url("certs")); err == nil {
		t.Error("answers while down")
	}
	w.s.Set(devidp.Fault{Tamper: func(kind string, c map[string]any) { delete(c, "nonce") }})
	if _, m := w.redeem(w.code("pia.portfolio")); claims(t, m["id_token"])["nonce"] != nil {
		t.Error("not tampered")
	}
}

func TestRunsOnLoopbackOnly(t *testing.T) {
	for _, u := range []string{"https://steward.example", "http://10.0.0.1:8080", "http://127.0.0.1.evil.example"} {
		if _, err := devidp.New(devidp.Config{BaseURL: u}); err == nil {
			t.Errorf("started on %s", u)
		}
	}
}

func TestEndSessionReportsWhoWasNotTold(t *testing.T) {
	w := start(t)
	w.srv.Config.Handler = http.NotFoundHandler()
	if err := w.p.EndSession(context.Background(), "pia.portfolio", "x"); err == nil || !strings.Contains(err.Error(), "steward-web") {
		t.Errorf("got %v", err)
	}
}
