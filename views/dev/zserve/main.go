package main

import (
	"net/http"
	"os"
	"time"

	"github.com/a-h/templ"
	"steward/internal/platform/assets"
	"steward/internal/platform/i18n"
	"steward/views/dev"
	"steward/views/layout"
	"steward/views/ui"
)

func main() {
	if len(os.Args) > 2 {
		assets.Use(assets.Folder(os.DirFS(os.Args[2])))
	}
	csp := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
	page := func(r *http.Request) layout.Page {
		q := r.URL.Query()
		l := q.Get("lang")
		if l == "" {
			l = "en"
		}
		return layout.Page{Title: "Components", Lang: l, Path: r.URL.String(), Theme: q.Get("theme"), Density: q.Get("density"), Wide: q.Has("wide"),
			Crumbs: []layout.Crumb{{"Developer", "/dev"}, {"Components", ""}},
			User:   layout.User{ID: "per_1", Name: "Noor Haddad", Role: "Portfolio manager"},
			Nav: []layout.NavItem{{Label: "My work", Href: "/", Icon: "inbox", Count: 6, CountLabel: "items need you", Hot: true}, {Label: "Portfolio"}, {Label: "Overview", Href: "/o", Icon: "layout-dashboard", Current: true}, {Label: "Products", Href: "/p", Icon: "package", Count: 7},
				{Label: "Money"}, {Label: "Budget and forecast", Href: "/b", Icon: "table-properties"}, {Label: "Procurements", Href: "/pr", Icon: "gavel"}, {Label: "Contracts", Href: "/c", Icon: "file-pen-line"}},
			Flash: []ui.ToastProps{{Text: "Contract CT-002031 archived", Undo: "/undo"}}, RequestID: "req_01",
			Scripts: q["script"]}
	}
	show := func(c func(*http.Request) templ.Component, bare bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", csp)
			p := page(r)
			if bare {
				_ = layout.Bare(p, c(r)).Render(r.Context(), w)
			} else {
				_ = layout.Show(p, c(r)).Render(r.Context(), w)
			}
		}
	}
	t := time.Now()
	assets.URL("css/app.css")
	println("assets", time.Since(t).String())
	t = time.Now()
	i18n.T("en", "ui.save")
	println("i18n", time.Since(t).String())
	http.Handle("/static/", assets.Handler())
	http.HandleFunc("/dev/components", show(func(*http.Request) templ.Component { return dev.Components() }, false))
	http.HandleFunc("/dev/components/vendors", func(w http.ResponseWriter, r *http.Request) {
		_ = ui.ComboOptions(dev.Vendors(r.FormValue("q"))).Render(r.Context(), w)
	})
	http.HandleFunc("/e", show(func(*http.Request) templ.Component { return layout.ErrorPage(layout.Failure{Status: 404, RequestID: "req_01J9"}) }, false))
	http.HandleFunc("/s", show(func(r *http.Request) templ.Component { return layout.SignIn(layout.SignInProps{NoIssuer: r.URL.Query().Has("no"), Return: "/x"}) }, true))
	panic(http.ListenAndServe(os.Args[1], nil))
}
