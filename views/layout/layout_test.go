package layout_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"steward/views/layout"
	"steward/views/ui"
)

func render(t *testing.T, c templ.Component) (*html.Node, string) {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	n, err := html.Parse(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return n, b.String()
}

func all(n *html.Node, selector string) []*html.Node {
	return cascadia.QueryAll(n, cascadia.MustCompile(selector))
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func page(lang string) layout.Page {
	return layout.Page{
		Title: "Budget", Lang: lang, Path: "/budget?fy=2026", Theme: "dark", Density: "cosy",
		Nav: []layout.NavItem{
			{Label: "My work", Href: "/", Icon: "layout-dashboard", Count: 3, CountLabel: "items", Hot: true},
			{Label: "Empty heading"}, {Label: "Money"}, {Label: "Budget", Href: "/budget", Icon: "table-properties", Current: true},
		},
		Crumbs:  []layout.Crumb{{Label: "Start", Href: "/"}, {Label: "Budget"}},
		User:    layout.User{ID: "per_1", Name: "Noor Haddad", Role: "Portfolio manager"},
		Banners: []ui.Notice{{Tone: ui.Warn, Title: "Demonstration"}},
		Flash:   []ui.ToastProps{{Text: "Archived", Undo: "/undo/1"}},
	}
}

func TestFrame(t *testing.T) {
	doc, raw := render(t, layout.Show(page("fr"), ui.PageHead(ui.Heading{Title: "Budget"})))
	root := all(doc, "html")[0]
	if attr(root, "lang") != "fr-CA" || attr(root, "data-theme") != "dark" || attr(root, "data-density") != "cosy" {
		t.Errorf("html: %v", root.Attr)
	}
	if !strings.HasPrefix(raw, "<!doctype html>") && !strings.HasPrefix(raw, "<!DOCTYPE html>") {
		t.Errorf("starts with %q", raw[:20])
	}
	for selector, want := range map[string]int{
		"h1": 1, "main#main": 1, ".skip[href='#main']": 1, "#toasts[role=status] .toast": 1, ".toast form[action='/undo/1']": 1,
		"#sidebar [aria-current=page]": 1, "#nav-drawer [aria-current=page]": 1, "#sidebar h2": 1, ".crumbs [aria-current=page]": 1, ".crumbs a": 1,
		"form[action='/me/language'] input[name=lang][value=en]": 2, "form[action='/me/language'] [lang=en]": 2, "form[action='/me/theme']": 3, "form[action='/me/density']": 2,
		"form[action='/auth/logout']": 1, "#pop-modes [aria-current=true]": 2, "input[name=return][value='/budget?fy=2026']": 7,
		"main > .banner": 1, "meta[name=htmx-config]": 1, "script:not([src])": 0, "style": 0, "[style]": 0, "link[rel=stylesheet]": 1, "script": 2,
	} {
		if got := len(all(doc, selector)); got != want {
			t.Errorf("%s: %d, want %d", selector, got, want)
		}
	}
	for _, n := range all(doc, "script, link[href]") {
		if u := attr(n, "src") + attr(n, "href"); !strings.HasPrefix(u, "/static/") || len(strings.Split(u, ".")) < 3 {
			t.Errorf("%s is not a hashed file of ours", u)
		}
	}
	var config struct {
		NoSwap     []any `json:"noSwap"`
		Mode       string
		Extensions string
	}
	if err := json.Unmarshal([]byte(attr(all(doc, "meta[name=htmx-config]")[0], "content")), &config); err != nil || config.Mode != "same-origin" || len(config.NoSwap) != 4 {
		t.Errorf("htmx-config: %+v, %v", config, err)
	}
	if !strings.Contains(raw, "Passer au contenu principal") || strings.Contains(raw, "Skip to") {
		t.Error("the frame is not in the page's language")
	}
}

func TestDefaults(t *testing.T) {
	doc, _ := render(t, layout.Show(layout.Page{Title: "x", Theme: `"><script>`, Density: "huge"}, ui.Text("")))
	root := all(doc, "html")[0]
	if attr(root, "lang") != "en-CA" || attr(root, "data-theme") != "auto" || attr(root, "data-density") != "compact" {
		t.Errorf("html: %v", root.Attr)
	}
	if len(all(doc, ".userbtn, #pop-user, form[action='/auth/logout']")) != 0 {
		t.Error("nobody is signed in, and there is a way to sign out")
	}
}

func TestErrorPages(t *testing.T) {
	titles := map[string]bool{}
	for _, status := range []int{400, 403, 404, 500, 503} {
		doc, raw := render(t, layout.Bare(page("en"), layout.ErrorPage(layout.Failure{Status: status, RequestID: "req_42"})))
		if len(all(doc, "h1")) != 1 || !strings.Contains(raw, "req_42") || len(all(doc, "a[href='/']")) == 0 {
			t.Errorf("%d: heading, request number or way back is missing", status)
		}
		titles[all(doc, "h1")[0].FirstChild.Data] = true
	}
	if len(titles) != 5 {
		t.Errorf("the pages say only %d different things", len(titles))
	}
}

func TestSignIn(t *testing.T) {
	doc, _ := render(t, layout.Bare(page("en"), layout.SignIn(layout.SignInProps{Return: "/budget"})))
	if len(all(doc, "form[action='/auth/login'] button.primary")) != 1 || len(all(doc, "form[action='/auth/login'] input[name=return][value='/budget']")) != 1 || len(all(doc, "#sidebar")) != 0 {
		t.Error("no button to sign in, the way back is lost, or there is navigation")
	}
	doc, raw := render(t, layout.Bare(page("en"), layout.SignIn(layout.SignInProps{NoIssuer: true})))
	if len(all(doc, "form[action='/auth/login']")) != 0 || !strings.Contains(raw, "--oidc-issuer") {
		t.Error("a sign-in that cannot work is offered, or the page does not say what to do")
	}
	doc, _ = render(t, layout.Show(page("en"), layout.NoRole("Noor Haddad")))
	if len(all(doc, "h1")) != 1 {
		t.Error("no heading")
	}
}
