package web

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"steward/internal/platform/i18n"
	"steward/internal/platform/obs"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
	"steward/views/layout"
	"steward/views/ui"
)

// show answers with a whole page.
func (s *site) show(w http.ResponseWriter, r *http.Request, status int, p layout.Page, content templ.Component) error {
	s.takeFlash(w, r, &p)
	s.render(w, r, status, layout.Show(p, content))
	return nil
}

// part answers with a fragment.
func (s *site) part(w http.ResponseWriter, r *http.Request, status int, content templ.Component) error {
	s.render(w, r, status, content)
	return nil
}

// render draws into a buffer first, so that a fault half-way is still a proper answer.
func (s *site) render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		if s.Log != nil {
			s.Log.ErrorContext(r.Context(), "page not drawn", "error", err)
		}
		http.Error(w, i18n.T(i18n.From(r.Context()), "error.internal"), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

// leave sends the browser to another page of the site after a write: as a redirect,
// or as htmx wants to be told.
func leave(w http.ResponseWriter, r *http.Request, to string) error {
	if fragment(r) {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// frame fills in what surrounds the content for the person who asks.
func (s *site) frame(r *http.Request, title string, crumbs ...layout.Crumb) layout.Page {
	ctx := r.Context()
	lang, v := i18n.From(ctx), viewer.From(ctx)
	path := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		path = back(r)
	}
	p := layout.Page{Title: title, Lang: lang, Path: path, Crumbs: crumbs, Theme: cookie(r, "theme"), Density: cookie(r, "density"), RequestID: obs.RequestID(ctx)}
	if s.Banner != "" {
		p.Banners = append(p.Banners, ui.Notice{Tone: ui.Warn, Title: i18n.T(lang, s.Banner)})
	}
	if v == nil {
		return p
	}
	section := ""
	for _, n := range access.Nav(v) {
		if n.Section != section && n.Section != "" {
			p.Nav = append(p.Nav, layout.NavItem{Label: i18n.T(lang, "nav.section."+n.Section)})
		}
		section = n.Section
		p.Nav = append(p.Nav, layout.NavItem{Label: i18n.T(lang, n.Label()), Href: n.Path, Icon: n.Icon, Current: under(r.URL.Path, n.Path)})
	}
	p.User = layout.User{ID: v.ID.String(), Name: v.Name, Role: roleOf(lang, v), Items: []ui.MenuItem{{Label: i18n.T(lang, "web.me"), Icon: "user", Href: "/me", Current: r.URL.Path == "/me"}}}
	return p
}

// under reports whether a path is the page of a navigation item or below it.
func under(path, item string) bool {
	return path == item || item != "/" && strings.HasPrefix(path, item+"/")
}

// roleOf names the first of a person's roles.
func roleOf(lang string, v *viewer.Viewer) string {
	for _, r := range v.Roles {
		if _, ok := access.ParseRole(r); ok {
			return i18n.T(lang, "role."+r)
		}
	}
	return i18n.T(lang, "web.no_role")
}

// nothingHere answers addresses without a page.
func (s *site) nothingHere(http.ResponseWriter, *http.Request) error { return errs.NotFound() }
