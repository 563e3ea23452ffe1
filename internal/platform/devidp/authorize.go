package devidp

import (
	"crypto/rand"
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"steward/internal/platform/i18n"
)

//go:embed people.html
var peopleHTML string

var peoplePage = template.Must(template.New("people").Funcs(template.FuncMap{"t": i18n.T}).Parse(peopleHTML))

// The policy of every page of Steward; a form may go nowhere else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"

// checkRequest returns the client and an empty text, or what is wrong with an
// authorization request. Such a request is answered here and never by a
// redirect, because its return address cannot be trusted.
func (p *Provider) checkRequest(q url.Values) (*Client, string) {
	c := p.client(q.Get("client_id"))
	switch {
	case c == nil:
		return nil, "Client not found."
	case !slices.Contains(c.RedirectURIs, q.Get("redirect_uri")):
		return nil, "Invalid parameter: redirect_uri (it is compared exactly)"
	case q.Get("response_type") != "code":
		return nil, "Invalid parameter: response_type (only code)"
	case q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) < 43:
		return nil, "Missing parameter: code_challenge_method (PKCE with S256 is required)"
	case !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		return nil, "Invalid scope: openid is missing"
	}
	return c, ""
}

// showPeople is the sign-in page: one button per demo person.
func (p *Provider) showPeople(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if _, wrong := p.checkRequest(q); wrong != "" {
		http.Error(w, wrong, http.StatusBadRequest)
		return
	}
	if q.Get("prompt") == "none" { // nobody stays signed in here
		p.answer(w, r, q, url.Values{"error": {"login_required"}})
		return
	}
	lang := pageLanguage(r)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	other := maps.Clone(q)
	other.Set("ui_locales", i18n.Other(lang))
	fields := map[string]string{}
	for _, k := range []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method"} {
		fields[k] = q.Get(k)
	}
	p.mu.Lock()
	people := slices.Clone(p.people)
	p.mu.Unlock()
	_ = peoplePage.Execute(w, map[string]any{"Lang": lang, "Locale": i18n.Locale(lang), "Style": p.cfg.Style, "People": people, "Fields": fields,
		"Action": openid + "auth", "Other": i18n.Other(lang), "OtherURL": openid + "auth?" + other.Encode()})
}

// Note returns the message id of the line that says why one would pick this person.
func (p Person) Note() string { return "auth.demo." + strings.ToLower(p.GivenName) }

// pickPerson is the press of one of the buttons: it makes a code and returns to the application.
func (p *Provider) pickPerson(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "unreadable form", http.StatusBadRequest)
		return
	}
	q := r.PostForm
	c, wrong := p.checkRequest(q)
	if wrong != "" {
		http.Error(w, wrong, http.StatusBadRequest)
		return
	}
	now := p.cfg.Now()
	code := rand.Text()
	p.mu.Lock()
	person := p.person(q.Get("login"))
	known, disabled := person != nil, person != nil && person.Disabled
	if known && !disabled {
		p.prune()
		p.codes[code] = &grant{client: c.ID, redirect: q.Get("redirect_uri"), nonce: q.Get("nonce"), challenge: q.Get("code_challenge"),
			scope: q.Get("scope"), username: person.Username, sid: rand.Text(), authTime: now, expires: now.Add(codeLife)}
	}
	p.mu.Unlock()
	switch {
	case !known:
		http.Error(w, "Invalid username or password.", http.StatusBadRequest)
	case disabled:
		http.Error(w, "Account is disabled, contact your administrator.", http.StatusOK)
	default:
		p.answer(w, r, q, url.Values{"code": {code}})
	}
}

// answer returns to the application with v, its state and the issuer (RFC 9207).
func (p *Provider) answer(w http.ResponseWriter, r *http.Request, q, v url.Values) {
	v.Set("state", q.Get("state"))
	v.Set("iss", p.issuer)
	p.tamperAnswer(v)
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+v.Encode(), http.StatusSeeOther)
}

// pageLanguage follows ui_locales, which the application or the page's own link sets, then the browser.
func pageLanguage(r *http.Request) string {
	wanted, _, _ := strings.Cut(r.URL.Query().Get("ui_locales"), " ")
	wanted, _, _ = strings.Cut(wanted, "-")
	return i18n.Match(r.Header.Get("Accept-Language"), "", wanted)
}
