// Package ui holds the parts every page is built of: buttons, badges, tables,
// fields, dialogs. Parts are pure: they get values and never read data.
//
// Language: every text a caller passes in is already translated, and amounts and
// days are already formatted with internal/platform/i18n unless the property has
// their type. The few words a part brings itself ("Close", "Next page") are
// looked up in the language of the context, which the web layer sets with
// i18n.With and layout.Show sets for a whole page.
//
// Addresses are paths built by this program. Addresses typed by people go through
// SafeLink and nowhere else. Attrs and HX take constants and own paths only,
// never text from a person. Nothing here uses hx-on, trigger filters, inline
// style or inline script: the content security policy forbids all of them.
//
// Views import this package; it imports rules, i18n and assets.
package ui

import (
	"context"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"steward/internal/platform/i18n"
)

// Tone says what a state means; it chooses the colour, never alone: there is
// always a word, and mostly an icon, beside it.
type Tone string

// The tones.
const (
	Neutral Tone = ""
	OK      Tone = "ok"
	Warn    Tone = "warn"
	Bad     Tone = "bad"
	Info    Tone = "info"
	Violet  Tone = "vio" // capital, commitments
)

// Kind is the weight of a button. A page has one Primary button.
type Kind string

// The kinds.
const (
	Plain   Kind = ""
	Primary Kind = "primary"
	Ghost   Kind = "ghost"
	Good    Kind = "good"   // approve
	Danger  Kind = "danger" // archive, return, cancel
)

// HX describes what htmx does with an element. It exists so that the names of
// htmx attributes stand in one place. Exactly one of the verbs is set.
type HX struct {
	Get, Post, Patch, Delete string // own path
	Target                   string // CSS selector or "this"; default: the element
	Swap                     string // "outerHTML", "innerHTML", "outerMorph", "innerMorph", "beforeend", "none" …
	Trigger                  string // event names and modifiers only, never a [filter]
	Include                  string // CSS selector of inputs sent along
	Errors                   string // CSS selector that takes a 422 answer; default: Target
	Conflict                 string // CSS selector that takes a 409 answer; default "#dialogs"
	PushURL                  bool   // put the address in the browser's bar
	Indicator                string // CSS selector that gets .htmx-request
}

// Attrs returns the attributes that say h.
func (h HX) Attrs() templ.Attributes {
	a := templ.Attributes{}
	set := func(name, v string) {
		if v != "" {
			a[name] = v
		}
	}
	set("hx-get", h.Get)
	set("hx-post", h.Post)
	set("hx-patch", h.Patch)
	set("hx-delete", h.Delete)
	set("hx-target", h.Target)
	set("hx-swap", h.Swap)
	set("hx-trigger", h.Trigger)
	set("hx-include", h.Include)
	set("hx-indicator", h.Indicator)
	if h.Post != "" || h.Patch != "" || h.Delete != "" {
		// Without a rule of its own a refusal changes nothing on the page.
		a["hx-status:422"] = "target:" + or(h.Errors, h.Target, "this")
		a["hx-status:409"] = "target:" + or(h.Conflict, "#dialogs") + " swap:innerHTML"
	}
	if h.PushURL {
		a["hx-push-url"] = "true"
	}
	return a
}

// Query is the address of a list: a path and its filters, sort and page. Its
// methods return addresses that change one thing and keep the rest.
type Query struct {
	Path   string
	Values url.Values
}

// String returns the address as it is.
func (q Query) String() string {
	if s := q.Values.Encode(); s != "" {
		return q.Path + "?" + s
	}
	return q.Path
}

// With returns the address with key set to value, from the first page on.
func (q Query) With(key, value string) string { return q.change(key, value).String() }

// Without returns the address with key removed, from the first page on.
func (q Query) Without(key string) string { return q.change(key, "").String() }

func (q Query) change(key, value string) Query {
	v := url.Values{}
	for k, list := range q.Values {
		if k != key && k != "after" && k != "before" && k != "page" {
			v[k] = list
		}
	}
	if value != "" {
		v.Set(key, value)
	}
	return Query{q.Path, v}
}

// Sort returns the state of a column ("ascending", "descending" or "") and the
// address that sorts by it: ascending first, then descending. The order stands in
// the parameter "sort", as "name" or "-name".
func (q Query) Sort(key string) (state, href string) {
	switch q.Values.Get("sort") {
	case key:
		return "ascending", q.With("sort", "-"+key)
	case "-" + key:
		return "descending", q.With("sort", key)
	}
	return "", q.With("sort", key)
}

// t is the word of key in the language of ctx.
func t(ctx context.Context, key string, args ...any) string { return i18n.C(ctx, key, args...) }

// Text returns a component that writes s, for properties that take a component.
func Text(s string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, templ.EscapeString(s))
		return err
	})
}

// Group returns a component that writes all parts in turn; nil parts are left out.
func Group(parts ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, p := range parts {
			if p == nil {
				continue
			}
			if err := p.Render(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
}

func classes(names ...string) string {
	var out []string
	for _, n := range names {
		if n != "" {
			out = append(out, n)
		}
	}
	return strings.Join(out, " ")
}

// or returns the first text that is not empty.
func or(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

func pick(cond bool, yes string) string {
	if cond {
		return yes
	}
	return ""
}

func itoa(n int) string { return strconv.Itoa(n) }

// share returns done of total as a number between 0 and 100 with one decimal, for
// the geometry of a bar; 0 when total is not positive.
func share(done, total float64) string {
	if total <= 0 {
		return "0"
	}
	return strconv.FormatFloat(min(100, max(0, done/total*100)), 'f', 1, 64)
}
