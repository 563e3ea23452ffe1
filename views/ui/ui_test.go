package ui_test

import (
	"context"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"steward/internal/platform/i18n"
	"steward/internal/rules/money"
	"steward/views/dev"
	"steward/views/layout"
	"steward/views/ui"
)

func render(t *testing.T, lang string, c templ.Component) *html.Node {
	t.Helper()
	var b strings.Builder
	if err := c.Render(i18n.With(context.Background(), lang), &b); err != nil {
		t.Fatal(err)
	}
	n, err := html.Parse(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return n
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

func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(text(c))
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Every part, in both languages, keeps the rules that can be read off the markup.
// The page of all parts stands for them.
func TestMarkup(t *testing.T) {
	for _, lang := range i18n.Languages() {
		doc := render(t, lang, layout.Show(layout.Page{Title: "x", Lang: lang, User: layout.User{ID: "per_1", Name: "Noor Haddad"}}, dev.Components()))
		if n := len(all(doc, "h1")); n != 1 {
			t.Errorf("%d first-level headings", n)
		}
		ids := map[string]bool{}
		for _, n := range all(doc, "[id]") {
			if id := attr(n, "id"); ids[id] || id == "" {
				t.Errorf("the id %q is there twice or empty", id)
			} else {
				ids[id] = true
			}
		}
		for _, n := range all(doc, "*") {
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") || strings.Contains(strings.ToLower(a.Val), "javascript:") {
					t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
				}
			}
			for _, name := range []string{"aria-labelledby", "aria-describedby", "aria-controls", "popovertarget", "data-open", "for", "form"} {
				for ref := range strings.FieldsSeq(attr(n, name)) {
					if !ids[ref] {
						t.Errorf("<%s %s=%q> names nothing", n.Data, name, ref)
					}
				}
			}
		}
		if n := len(all(doc, "style")) + len(all(doc, "script:not([src])")); n != 0 {
			t.Errorf("%d inline styles or scripts", n)
		}
		for _, n := range all(doc, "main input:not([type=hidden]), main select, main textarea, dialog textarea") {
			id := attr(n, "id")
			if attr(n, "aria-label") == "" && (id == "" || len(all(doc, `label[for="`+id+`"]`)) == 0) && !inside(n, "label") {
				t.Errorf("<%s name=%q id=%q> has no label", n.Data, attr(n, "name"), id)
			}
		}
		for _, n := range all(doc, "button") {
			if attr(n, "type") == "" {
				t.Errorf("the button %q has no type", text(n))
			}
			if text(n) == "" && attr(n, "aria-label") == "" {
				t.Errorf("a button has no name")
			}
		}
		for _, n := range all(doc, "[role=group], [role=region]") {
			if attr(n, "aria-label") == "" {
				t.Errorf("a %s has no name", attr(n, "role"))
			}
		}
		for _, n := range all(doc, "svg") {
			if attr(n, "aria-hidden") != "true" && (attr(n, "role") != "img" || attr(n, "aria-label") == "") {
				t.Errorf("a picture has no words: %v", n.Attr)
			}
		}
	}
}

func inside(n *html.Node, tag string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == tag {
			return true
		}
	}
	return false
}

// Only https addresses with a host become links (PG-5).
func TestSafeLink(t *testing.T) {
	for address, link := range map[string]bool{
		"https://example.org": true, "https://example.org/": true, "https://example.org/a?b=c#d": true, "https://EXAMPLE.org:8443/x": true,
		"HTTPS://example.org": true, "https://例え.jp/道": true, "https://192.0.2.1/": true, "https://[2001:db8::1]/": true,
		"": false, "example.org": false, "//example.org": false, "/contracts": false, "http://example.org": false,
		"javascript:alert(1)": false, "JavaScript:alert(1)": false, " javascript:alert(1)": false, "java\tscript:alert(1)": false, "java\nscript:alert(1)": false,
		"\x01javascript:alert(1)": false, "javascript://example.org/%0aalert(1)": false, "data:text/html,<script>": false, "data:text/html;base64,x": false,
		"vbscript:x": false, "file:///etc/passwd": false, "ftp://example.org": false, "mailto:a@example.org": false, "blob:https://example.org/x": false,
		"https:": false, "https://": false, "https:///path": false, "https:example.org": false, "https://:443/": false,
		"https://user@example.org": false, "https://user:pw@example.org": false, "https://example.org\\@evil.test": false, "https://exam ple.org": false,
		"https://example.org/\u202egpj.exe": false, "https://example.org/\x00": false, "https://exa\u200bmple.org": false, "https://%zz": false,
		"&#106;avascript:alert(1)": false, "https://example.org/ javascript:": false,
	} {
		doc := render(t, "en", ui.SafeLink(address, "words"))
		links := all(doc, "a")
		if (len(links) == 1) != link {
			t.Errorf("%q: %d links, want one: %v", address, len(links), link)
		}
		for _, a := range links {
			u, err := url.Parse(attr(a, "href"))
			if err != nil || u.Scheme != "https" || attr(a, "rel") != "noopener noreferrer" || !strings.Contains(text(a), u.Host) {
				t.Errorf("%q: %v %q", address, a.Attr, text(a))
			}
		}
	}
}

// Text of people stays text, wherever a part writes it (PG-6).
func TestTextStaysText(t *testing.T) {
	const canary = `"><img src=x onerror=alert(1)><script>alert(1)</script>{{.}}`
	f := ui.Field{Name: "n", Label: canary, Value: canary, Hint: canary, Err: canary, Placeholder: canary, Unit: canary, Text: canary, Search: "/s", Options: []ui.Option{{Value: canary, Label: canary, Group: canary}}}
	parts := []templ.Component{
		ui.Btn(ui.Button{Label: canary, Why: canary, Value: canary}), ui.Badge(ui.OK, canary, ""), ui.Avatar(canary, canary, ""), ui.PageHead(ui.Heading{Title: canary, Sub: canary}),
		ui.Input(f), ui.Money(f), ui.Select(f), ui.Combo(f), ui.TextArea(f), ui.Toggle(f), ui.Radios(f), ui.Hidden("n", canary), ui.ComboOptions([]ui.ComboOption{{Value: canary, Label: canary, Sub: canary}}),
		ui.RowHead("/x", canary, canary, ""), ui.NumCell(canary, canary), ui.FilterChips([]ui.Chip{{Label: canary, Remove: "/x"}}, ""), ui.SearchBox("/x", canary, canary, [][2]string{{"k", canary}}),
		ui.Empty(ui.Blank{Icon: "info", Title: canary, Text: canary}), ui.Banner(ui.Notice{Title: canary, Text: canary}), ui.Toast(ui.ToastProps{Text: canary}),
		ui.Conflict(ui.ConflictProps{ID: "c", By: canary, At: canary, Rows: []ui.ConflictRow{{Field: canary, Before: canary, Theirs: canary, Mine: canary}}, Mine: [][2]string{{"n", canary}}}),
		ui.History([]ui.Change{{ID: "1", Who: canary, What: canary, Reason: canary, Via: canary, Fields: []ui.FieldChange{{Field: canary, Before: canary, After: canary}}}}),
		ui.Comments(ui.Talk{ID: "t", Remarks: []ui.Remark{{ID: "1", Who: canary, Text: canary}}}), ui.FileList(ui.Files{ID: "f", List: []ui.FileRow{{ID: "1", Name: canary, About: canary, Who: canary, State: canary}}, Hint: canary, Refused: []string{canary}}), ui.SafeLink(canary, canary), ui.SafeLink("https://example.org/"+canary, canary), ui.Text(canary),
		ui.Facts([]ui.Fact{{Label: canary, Value: canary}}), ui.KPI(ui.Figure{Label: canary, Value: canary}), ui.InlineEdit(ui.Inline{ID: "i", Label: canary, Value: canary, URL: "/x"}),
	}
	for i, p := range parts {
		doc := render(t, "en", p)
		if n := len(all(doc, "img, script, [onerror]")); n != 0 {
			t.Errorf("part %d: %d elements came out of a text", i, n)
		}
	}
}

func TestQuery(t *testing.T) {
	q := ui.Query{Path: "/products", Values: url.Values{"stage": {"PILOT"}, "sort": {"name"}, "after": {"x"}}}
	for _, c := range []struct{ got, want string }{
		{q.With("stage", "LIVE"), "/products?sort=name&stage=LIVE"}, {q.Without("stage"), "/products?sort=name"},
		{ui.Query{Path: "/x"}.String(), "/x"}, {q.String(), "/products?after=x&sort=name&stage=PILOT"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	state, href := q.Sort("name")
	if state != "ascending" || href != "/products?sort=-name&stage=PILOT" {
		t.Errorf("name: %s %s", state, href)
	}
	if state, href = (ui.Query{Path: "/p", Values: url.Values{"sort": {"-name"}}}).Sort("name"); state != "descending" || href != "/p?sort=name" {
		t.Errorf("-name: %s %s", state, href)
	}
	if state, _ = q.Sort("stage"); state != "" {
		t.Errorf("stage: %s", state)
	}
}

func TestVar(t *testing.T) {
	for _, c := range []struct {
		v          ui.Variance
		lang, want string
		tone       string
	}{
		{ui.Variance{Amount: 36500 * money.One, Currency: "CAD", Percent: "15.6 %"}, "en", "+$36.5K (+15.6 %)", "over"},
		{ui.Variance{Amount: -5200 * money.One, Currency: "CAD"}, "fr", "−5,2\u00a0k$", "under"},
		{ui.Variance{Amount: 120 * money.One, Currency: "CAD", Flat: 500 * money.One}, "en", "+$120.00", "flat"},
		{ui.Variance{Currency: "CAD"}, "en", "$0.00", "flat"},
	} {
		doc := render(t, c.lang, ui.Var(c.v))
		got := all(doc, ".var."+c.tone)
		if len(got) != 1 || strings.Join(strings.Fields(text(got[0])), " ") != strings.Join(strings.Fields(c.want), " ") {
			t.Errorf("%+v: %q, want %q %s", c.v, text(doc), c.want, c.tone)
		}
	}
}

// A refused form says so once at its head and once at each field, and both are linked.
func TestRefusedForm(t *testing.T) {
	errors := []i18n.FieldError{{Path: "lines.2.amount", Text: "Too large"}}
	body := ui.Money(ui.Field{Name: "lines.2.amount", Label: "Amount", Err: "Too large", Unit: "CAD"})
	form := ui.Form(ui.FormProps{ID: "f", Action: "/x", Version: 4, Errors: errors})
	doc := render(t, "en", templ.ComponentFunc(func(ctx context.Context, w io.Writer) error { return form.Render(templ.WithChildren(ctx, body), w) }))
	link := all(doc, "[role=alert] a")
	if len(link) != 1 || len(all(doc, attr(link[0], "href"))) != 1 {
		t.Fatalf("the summary does not lead to the field")
	}
	input := all(doc, attr(link[0], "href"))[0]
	if attr(input, "aria-invalid") != "true" || text(all(doc, "#"+attr(input, "aria-describedby"))[0]) != "Too large" {
		t.Error("the field does not say what is wrong")
	}
	if n := all(doc, `input[name=version][value="4"]`); len(n) != 1 {
		t.Error("the version is not sent")
	}
	f := all(doc, "form")[0]
	if attr(f, "hx-status:422") != "target:#f" || attr(f, "hx-status:409") != "target:#dialogs swap:innerHTML" || attr(f, "method") != "post" {
		t.Errorf("form attributes: %v", f.Attr)
	}
}
