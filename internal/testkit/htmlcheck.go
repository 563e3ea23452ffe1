package testkit

import (
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// HTML is a page or a fragment under test. Its checks ask what a reader would see (an element found by
// a CSS selector and the text in it), so a change of markup that means the same breaks no test.
type HTML struct {
	t    testing.TB
	root *html.Node
	at   string // the selectors of In, for messages
}

// ParseHTML reads a page or a fragment (a table row by itself too).
func ParseHTML(t testing.TB, body string) *HTML {
	t.Helper()
	return ReadHTML(t, strings.NewReader(body))
}

// ReadHTML reads a page or a fragment from r.
func ReadHTML(t testing.TB, r io.Reader) *HTML {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	lower := strings.ToLower(string(b))
	if strings.Contains(lower, "<html") || strings.Contains(lower, "<body") {
		doc, err := html.Parse(strings.NewReader(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		return &HTML{t: t, root: doc}
	}
	// inside a template element, rows and cells may stand without their table
	context := &html.Node{Type: html.ElementNode, DataAtom: atom.Template, Data: "template"}
	nodes, err := html.ParseFragment(strings.NewReader(string(b)), context)
	if err != nil {
		t.Fatal(err)
	}
	root := &html.Node{Type: html.DocumentNode}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	return &HTML{t: t, root: root}
}

// All returns the elements that match a selector, in document order. A selector that cannot be read
// fails the test.
func (h *HTML) All(selector string) []*html.Node {
	h.t.Helper()
	sel, err := cascadia.ParseGroup(selector)
	if err != nil {
		h.t.Fatalf("selector %q: %v", selector, err)
	}
	return cascadia.QueryAll(h.root, sel)
}

// In returns the first element that matches, as a page of its own; without one the test stops.
func (h *HTML) In(selector string) *HTML {
	h.t.Helper()
	found := h.All(selector)
	if len(found) == 0 {
		h.t.Fatalf("%sno %s in\n%s", h.at, selector, h.Source())
	}
	return &HTML{t: h.t, root: found[0], at: h.at + selector + ": "}
}

// Want says that some element matching selector contains all the texts (white space counts as one
// space). Without texts the element need only be there.
func (h *HTML) Want(selector string, texts ...string) {
	h.t.Helper()
	var seen []string
next:
	for _, n := range h.All(selector) {
		got := textOf(n)
		for _, want := range texts {
			if !strings.Contains(got, squeeze(want)) {
				seen = append(seen, got)
				continue next
			}
		}
		return
	}
	h.t.Errorf("%sno %s with %q; found %q", h.at, selector, texts, seen)
}

// WantNone says that nothing matches selector.
func (h *HTML) WantNone(selector string) {
	h.t.Helper()
	for _, n := range h.All(selector) {
		h.t.Errorf("%sunexpected %s: %s", h.at, selector, source(n))
	}
}

// WantCount says how many elements match selector.
func (h *HTML) WantCount(selector string, n int) {
	h.t.Helper()
	if got := len(h.All(selector)); got != n {
		h.t.Errorf("%s%d %s, want %d", h.at, got, selector, n)
	}
}

// WantAttr says that the first element matching selector has an attribute with exactly this value.
func (h *HTML) WantAttr(selector, name, value string) {
	h.t.Helper()
	if got, ok := h.attr(selector, name); !ok || got != value {
		h.t.Errorf("%s%s has %s=%q, want %q", h.at, selector, name, got, value)
	}
}

// WantNoText says that a text is nowhere on the page: not between tags, not in an attribute.
func (h *HTML) WantNoText(text string) {
	h.t.Helper()
	if strings.Contains(textOf(h.root), squeeze(text)) || strings.Contains(html.UnescapeString(h.Source()), text) {
		h.t.Errorf("%sthe page says %q", h.at, text)
	}
}

// Attr returns an attribute of the first element that matches, "" when either is missing.
func (h *HTML) Attr(selector, name string) string {
	h.t.Helper()
	v, _ := h.attr(selector, name)
	return v
}

func (h *HTML) attr(selector, name string) (string, bool) {
	h.t.Helper()
	found := h.All(selector)
	if len(found) == 0 {
		return "", false
	}
	for _, a := range found[0].Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// Text returns the text of the first element that matches, white space squeezed; "" without one.
func (h *HTML) Text(selector string) string {
	h.t.Helper()
	if found := h.All(selector); len(found) > 0 {
		return textOf(found[0])
	}
	return ""
}

// Texts returns the text of every element that matches.
func (h *HTML) Texts(selector string) []string {
	h.t.Helper()
	var out []string
	for _, n := range h.All(selector) {
		out = append(out, textOf(n))
	}
	return out
}

// Source returns the markup, for messages.
func (h *HTML) Source() string { return source(h.root) }

// WantHouseRules says what holds for every page: one h1 and a title, a language, one main, ids used
// once, labels for every field, words in every link and button, and nothing that the content security
// policy blocks (inline script, style or handler).
func (h *HTML) WantHouseRules() {
	h.t.Helper()
	h.WantCount("h1", 1)
	h.WantCount("main", 1)
	if h.Text("head title") == "" || h.Attr("html", "lang") == "" {
		h.t.Errorf("%sthe page has no title or no language", h.at)
	}
	h.wantNoInline()
	ids, labels := map[string]int{}, map[string]bool{}
	for _, n := range h.All("[id]") {
		ids[attrOf(n, "id")]++
	}
	for id, n := range ids {
		if n > 1 {
			h.t.Errorf("%sthe id %q is used %d times", h.at, id, n)
		}
	}
	for _, n := range h.All("label[for]") {
		labels[attrOf(n, "for")] = true
	}
	for _, n := range h.All("input:not([type=hidden]), select, textarea") {
		if !labels[attrOf(n, "id")] && attrOf(n, "aria-label") == "" && attrOf(n, "aria-labelledby") == "" && !within(n, "label") {
			h.t.Errorf("%sa field without a label: %s", h.at, source(n))
		}
	}
	for _, n := range h.All("a[href], button") {
		if textOf(n) == "" && attrOf(n, "aria-label") == "" && attrOf(n, "aria-labelledby") == "" && attrOf(n, "title") == "" {
			h.t.Errorf("%sa link or button without words: %s", h.at, source(n))
		}
	}
}

func (h *HTML) wantNoInline() {
	h.t.Helper()
	h.WantNone("script:not([src])")
	h.WantNone("style")
	for _, n := range h.All("*") {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") ||
				strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				h.t.Errorf("%sinline %s, which the content security policy blocks: %s", h.at, a.Key, source(n))
			}
		}
	}
}

func within(n *html.Node, tag string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Type == html.ElementNode && p.Data == tag {
			return true
		}
	}
	return false
}

func attrOf(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// textOf returns what a reader sees of an element: texts in order, images by their alternative.
func textOf(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(n.Data)
		case n.Type == html.ElementNode && (n.Data == "script" || n.Data == "style"):
			return
		case n.Type == html.ElementNode && n.Data == "img":
			b.WriteString(attrOf(n, "alt"))
		}
		if n.Type == html.ElementNode && breaks[n.Data] {
			defer b.WriteByte(' ')
			b.WriteByte(' ')
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return squeeze(b.String())
}

// breaks are elements that end a word.
var breaks = map[string]bool{"p": true, "div": true, "td": true, "th": true, "tr": true, "li": true, "br": true, "h1": true, "h2": true,
	"h3": true, "dt": true, "dd": true, "option": true, "section": true, "nav": true, "label": true, "button": true}

// squeeze turns every run of white space into one space. Unbreakable spaces stay: they are content.
func squeeze(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' }), " ")
}

func source(n *html.Node) string {
	var b strings.Builder
	if n.Type == html.DocumentNode && n.FirstChild == nil {
		return ""
	}
	_ = html.Render(&b, n)
	s := b.String()
	if len(s) > 4000 {
		s = s[:4000] + "…"
	}
	return s
}
