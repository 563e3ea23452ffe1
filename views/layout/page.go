// Package layout puts a page's content into the frame every page has: skip link,
// top bar, navigation, banners, toasts, and the head with its hashed assets.
//
// The web layer fills a Page from the request and the viewer and calls Show.
// Fragments are rendered without it, with the language put into the context by
// i18n.With.
package layout

import (
	"context"
	"io"

	"github.com/a-h/templ"

	"steward/internal/platform/i18n"
	"steward/views/ui"
)

// Page is everything the frame needs. Texts are already translated.
type Page struct {
	Title     string // for the window; the page's own h1 is in its content
	Lang      string // "en" or "fr"
	Path      string // path and query of this page; the switches come back to it
	Nav       []NavItem
	Crumbs    []Crumb
	User      User
	Theme     string // "light", "dark" or "" to follow the system
	Density   string // "compact" or "cosy"
	Wide      bool   // grids and boards: the navigation folds to icons
	Banners   []ui.Notice
	Flash     []ui.ToastProps
	RequestID string   // to quote when something looks wrong
	Scripts   []string // further scripts of this page, by their name in static/
	Shortcuts []ui.Shortcut
}

// NavItem is a line of the navigation; a line without Href is the heading of the
// lines after it.
type NavItem struct {
	Label, Href, Icon string
	Current           bool
	Count             int    // shown when above 0
	CountLabel        string // "items need you"
	Hot               bool   // the count means the reader must act
}

// Crumb is a step of the way to this page; the last one is the page itself.
type Crumb struct{ Label, Href string }

// User is who is signed in; the zero User is nobody.
type User struct {
	ID, Name string
	Role     string        // in words
	Items    []ui.MenuItem // above "Sign out"
}

// Paths the frame posts to. The web layer serves them; each takes the form value
// named here and "return", the path to come back to.
const (
	PathLanguage = "/me/language" // value: lang
	PathTheme    = "/me/theme"    // value: theme = auto, light, dark
	PathDensity  = "/me/density"  // value: density = compact, cosy
	PathSignOut  = "/auth/logout"
	PathSignIn   = "/auth/login"
)

func (p Page) theme() string {
	if p.Theme == "light" || p.Theme == "dark" {
		return p.Theme
	}
	return "auto"
}

func (p Page) density() string {
	if p.Density == "cosy" {
		return "cosy"
	}
	return "compact"
}

// Show returns the whole page around content. It also sets the language of the
// context for all parts inside.
func Show(p Page, content templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return frame(p, content).Render(i18n.With(ctx, p.Lang), w)
	})
}

// Bare returns a page without navigation: sign-in, and errors before sign-in.
func Bare(p Page, content templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return bare(p, content).Render(i18n.With(ctx, p.Lang), w)
	})
}

// htmxConfig: indicator styles are in our style sheet; only our own origin is asked;
// answers without content change nothing, and neither do refusals, except those that
// an element expects with hx-status (ui.HX says so for 409 and 422); app.js announces
// the others. No extension is shipped, so none may register.
const htmxConfig = `{"transitions":false,"noSwap":[204,304,"4xx","5xx"],"mode":"same-origin","includeIndicatorCSS":false,"extensions":"none"}`

func (p Page) modes() []ui.MenuItem {
	item := func(path, name, value string, i ui.MenuItem) ui.MenuItem {
		i.Post, i.Fields = path, [][2]string{{name, value}, {"return", p.Path}}
		i.Current = value == map[string]string{"theme": p.theme(), "density": p.density()}[name]
		return i
	}
	return []ui.MenuItem{
		item(PathTheme, "theme", "auto", ui.MenuItem{Label: i18n.T(p.Lang, "layout.theme.auto"), Icon: "sun-moon"}),
		item(PathTheme, "theme", "light", ui.MenuItem{Label: i18n.T(p.Lang, "layout.theme.light"), Icon: "sun"}),
		item(PathTheme, "theme", "dark", ui.MenuItem{Label: i18n.T(p.Lang, "layout.theme.dark"), Icon: "moon"}),
		item(PathDensity, "density", "compact", ui.MenuItem{Label: i18n.T(p.Lang, "layout.density.compact"), Icon: "rows-4", Rule: true}),
		item(PathDensity, "density", "cosy", ui.MenuItem{Label: i18n.T(p.Lang, "layout.density.cosy"), Icon: "rows-2"}),
	}
}

func (p Page) account() []ui.MenuItem {
	other := i18n.Other(p.Lang)
	items := append([]ui.MenuItem{}, p.User.Items...)
	return append(items,
		ui.MenuItem{Label: i18n.Name(other), Icon: "languages", Lang: other, Post: PathLanguage, Fields: [][2]string{{"lang", other}, {"return", p.Path}}},
		ui.MenuItem{Label: i18n.T(p.Lang, "layout.sign_out"), Icon: "log-out", Post: PathSignOut, Rule: true},
	)
}

func (p Page) keys() []ui.Shortcut {
	return append([]ui.Shortcut{
		{Keys: []string{"/"}, Does: i18n.T(p.Lang, "layout.keys.search")},
		{Keys: []string{"?"}, Does: i18n.T(p.Lang, "layout.keys.help")},
	}, p.Shortcuts...)
}
