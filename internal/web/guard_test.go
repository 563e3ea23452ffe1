package web_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"steward/ent"
	"steward/internal/platform/assets"
	"steward/internal/platform/entity"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestHeaders(t *testing.T) {
	each(t, func(w *world) {
		h := w.get(w.pia, "/vendors").want(200).Header
		csp := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; " +
			"form-action 'self' https://id.example.org; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; report-to csp; report-uri /csp-reports"
		for name, want := range map[string]string{
			"Content-Security-Policy": csp, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store", "Reporting-Endpoints": `csp="/csp-reports"`,
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
		if h.Get("X-Request-Id") == "" {
			t.Error("no request id")
		}
		if a := w.get(nil, assets.URL("css/app.css")); a.Header.Get("Cache-Control") == "no-store" || a.StatusCode != 200 {
			t.Errorf("static: %d %q", a.StatusCode, a.Header.Get("Cache-Control"))
		}
		for _, path := range []string{"/contracts/" + w.contract.Key, "/contracts.csv", "/contracts.json", "/me", "/nothing", "/sign-in"} {
			if got := w.get(w.pia, path).Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: %q", path, got)
			}
		}
		w.post(nil, "/csp-reports", url.Values{"x": {"y"}}).want(204)
	})
}

func TestNobodyIsSentToSignIn(t *testing.T) {
	each(t, func(w *world) {
		a := w.get(nil, "/contracts?f.status=DRAFT").want(303)
		if to := a.Header.Get("Location"); to != "/sign-in?return=%2Fcontracts%3Ff.status%3DDRAFT" {
			t.Error(to)
		}
		a = w.get(nil, "/contracts", "HX-Request", "true", "HX-Current-URL", "http://example.com/vendors", "Cookie", "steward=gone").want(401)
		if to := a.Header.Get("HX-Redirect"); to != "/sign-in?expired=1&return=%2Fvendors" || a.body != "" {
			t.Errorf("%q %q", to, a.body)
		}
		p := w.get(nil, "/sign-in?return=%2Fvendors&expired=1").want(200).page()
		p.WantHouseRules()
		p.Want("h1", "Sign in")
		if got := w.get(nil, "/auth/login?return=%2Fvendors").want(200).body; got != "to=%2Fvendors" {
			t.Errorf("the sign-in was given %q", got)
		}
		if got := w.get(nil, "/auth/login?return="+url.QueryEscape("//evil.example")).body; got != "to=%2F" {
			t.Errorf("the sign-in was given %q", got)
		}
		w.get(w.pia, "/sign-in?return=/vendors").want(303)
		// A form about to be sent asks whether its person is still there, and learns where to sign in (SE-3).
		w.get(w.pia, "/me/session", "HX-Request", "true").want(204)
		a = w.get(nil, "/me/session", "HX-Request", "true", "Referer", "http://example.com/vendors/new?name=x", "Cookie", "steward=gone").want(401)
		if to := a.Header.Get("HX-Redirect"); to != "/sign-in?expired=1&return=%2Fvendors%2Fnew%3Fname%3Dx" {
			t.Error(to)
		}
		w.post(nil, "/vendors/"+w.vendor.Key+"/archive", sum("version", "1")).want(303)
	})
}

func TestOtherSitesAreRefused(t *testing.T) {
	each(t, func(w *world) {
		before := w.changes()
		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
		} {
			w.post(w.pia, "/vendors/"+w.vendor.Key+"/archive", sum("version", "1"), headers...).want(403).page().WantHouseRules()
		}
		if w.changes() != before {
			t.Error("a request of another site has written")
		}
		w.post(w.pia, "/vendors/"+w.vendor.Key+"/archive", sum("version", "1"), "Sec-Fetch-Site", "same-origin").want(303)
	})
}

// A record of somebody else's portfolio and one that never was are answered alike,
// byte for byte, at every address.
func TestForeignIsAbsent(t *testing.T) {
	number := regexp.MustCompile(`req_[0-9A-Z]+`)
	each(t, func(w *world) {
		for _, x := range []struct{ path, foreign, random string }{
			{"contracts", w.theirContract.ID.String(), string(ident.New("ctr"))},
			{"contracts", w.theirContract.Key, "CT-999999"},
			{"products", w.theirProduct.ID.String(), string(ident.New("prd"))},
			{"portfolios", "zqx", "zqy"},
		} {
			for _, ask := range []struct {
				method, rest string
				form         url.Values
			}{
				{"GET", "", nil}, {"GET", "/edit", nil}, {"GET", "/history", nil}, {"GET", "/cells/name?edit=1", nil},
				{"POST", "", sum("version", "1", "name", "x")}, {"POST", "/archive", sum("version", "1")}, {"POST", "/restore", sum("version", "1")},
				{"POST", "/comments", sum("body", "x")}, {"POST", "/cells/name", sum("version", "1", "name", "x")}, {"POST", "/moves/CANCELLED", sum("version", "1", "note", "x")},
				{"POST", "/links/products", sum("add", w.product.ID.String())},
			} {
				a := w.ask(w.pia, ask.method, "/"+x.path+"/"+x.foreign+ask.rest, ask.form)
				b := w.ask(w.pia, ask.method, "/"+x.path+"/"+x.random+ask.rest, ask.form)
				plain := func(s, id string) string { return strings.ReplaceAll(number.ReplaceAllString(s, ""), id, "") }
				if a.StatusCode != 404 || b.StatusCode != 404 || plain(a.body, x.foreign) != plain(b.body, x.random) {
					t.Errorf("%s /%s/…%s: %d and %d", ask.method, x.path, ask.rest, a.StatusCode, b.StatusCode)
				}
			}
		}
		for _, path := range []string{"/contracts", "/products", "/portfolios", "/contracts.csv", "/contracts.json", "/vendors/" + w.vendor.Key, "/admin/audit", "/", "/portfolios/options?q="} {
			if strings.Contains(w.get(w.pia, path).body, "Hidden") {
				t.Errorf("%s shows what is hidden", path)
			}
		}
	})
}

// hostile are texts that break out of markup, scripts, templates and terminals
// where something forgets to escape.
var hostile = `"><img src=x onerror=alert(1)>'<script>alert(2)</script>{{constructor}}${7*7}` + "\u202e\U0001F980&lt;"

// Text of people is text on every page, whatever it holds.
func TestHostileText(t *testing.T) {
	each(t, func(w *world) {
		w.do(func(ctx context.Context, c *ent.Client) error {
			for _, e := range entity.Registry() {
				rows, err := e.List(ctx, c, anywhere, anywhere, 0, 0)
				if err != nil {
					return err
				}
				for _, row := range rows {
					change := e.Edit(c, row.ID, 0)
					for _, f := range e.Fields {
						if f.Updatable && (f.Kind == "line" || f.Kind == "text") {
							text := hostile
							if f.Size > 0 && f.Size < len(text) {
								text = `"><i x=`
							}
							if err := change.Mutation.SetField(f.Name, text); err != nil {
								return err
							}
						}
					}
					if _, err := change.Save(ctx); err != nil {
						return err
					}
				}
			}
			return nil
		})
		w.post(w.pia, "/contracts/"+w.contract.Key+"/comments", sum("body", hostile)).want(303)
		w.post(w.pia, "/vendors/"+w.vendor.Key, sum("version", "2", "website", "https://x.example/\"onmouseover=alert(1)")).want(303)
		paths := []string{"/", "/me", "/admin/audit", "/portfolios/cc", "/products/forms", "/vendors?q=" + url.QueryEscape(hostile)}
		for _, e := range entity.Registry() {
			paths = append(paths, "/"+e.Path, "/"+e.Path+"/options?q=", "/"+e.Path+"?edit=1")
			rows, err := e.List(testkit.System(), w.s.Client, anywhere, anywhere, 5, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				base := "/" + e.Path + "/" + row.ID.String()
				paths = append(paths, base, base+"/edit", base+"/history", base+"/cells/name?edit=1")
			}
		}
		for _, path := range paths {
			for _, lang := range []string{"en", "fr"} {
				w.lang = lang
				a := w.get(w.pia, path)
				if a.StatusCode >= 500 {
					t.Errorf("%s: %d", path, a.StatusCode)
				}
				p := a.page()
				p.WantNone("img")
				p.WantNone("i[x]")
				p.WantNone("script:not([src])")
				for _, n := range p.All("*") {
					for _, at := range n.Attr {
						if strings.HasPrefix(at.Key, "on") || slices.Contains([]string{"src", "href", "action", "hx-get", "hx-post"}, at.Key) && strings.HasPrefix(strings.ToLower(at.Val), "javascript") {
							t.Errorf("%s: %s=%q", path, at.Key, at.Val)
						}
					}
				}
			}
		}
	})
}

func TestFrench(t *testing.T) {
	each(t, func(w *world) {
		w.lang = "fr"
		p := w.get(w.pia, "/contracts").want(200).page()
		p.WantAttr("html", "lang", "fr-CA")
		p.Want("h1", "Contrats")
		p.Want("td", "1\u00a0284\u00a0500,00\u00a0$")
		w.get(w.pia, "/products/forms").want(200).page().Want("h1", "Formulaires")
		w.get(w.pia, "/nothing").want(404).page().Want("h1", "Il n’y a rien ici")
		a := w.post(w.pia, "/me/language", sum("lang", "en", "return", "/vendors")).want(303)
		if a.Header.Get("Location") != "/vendors" || a.Cookies()[0].Value != "en" {
			t.Error(a.Header)
		}
		if a = w.post(w.pia, "/me/theme", sum("theme", "dark", "return", "https://evil.example/")).want(303); a.Header.Get("Location") != "/" {
			t.Error(a.Header)
		}
		w.get(w.pia, "/vendors", "Cookie", "theme=dark").page().WantAttr("html", "data-theme", "dark")
	})
}

func TestErrorPages(t *testing.T) {
	each(t, func(w *world) {
		p := w.get(w.pia, "/nothing/at/all").want(404).page()
		p.WantHouseRules()
		p.Want("code", "req_")
		w.ask(w.pia, "DELETE", "/vendors", nil).want(404)
		f := w.get(w.pia, "/vendors/VN-999999", "HX-Request", "true").want(404).page()
		f.Want("dialog[data-show]")
		f.WantNone("main")
		// somebody without a role sees why there is nothing
		w.get(&viewer.Viewer{Kind: viewer.Person, ID: w.pia.ID, Name: "Nora", Via: viewer.ViaPage}, "/").want(200).page().Want("h1", "no role yet")
		// programs use the other door
		w.get(&viewer.Viewer{Kind: viewer.Integration, ID: ident.New("int"), Via: viewer.ViaAPI}, "/").want(http.StatusForbidden)
	})
}
