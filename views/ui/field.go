package ui

import (
	"strings"

	"github.com/a-h/templ"
)

// Field describes one input of a form, whatever its kind. Parts that do not
// concern a kind are ignored by it.
type Field struct {
	Name, Label string
	Value       string // as the person reads and types it
	Hint        string
	Err         string // what is wrong with it; from i18n.FieldTexts
	ID          string // "f-" + Name when empty
	Type        string // Input: "text" when empty, "email", "number", "url", "password", "search"
	Placeholder string
	Autofill    string // autocomplete token; "off" when empty
	Max         int    // longest text, in characters
	Rows        int    // TextArea
	Unit        string // Money: the currency code; Input: a unit shown behind
	Text        string // Combo: what the chosen Value is called
	Search      string // Combo: path that answers ComboOptions for ?q=
	Options     []Option
	Blank       string // Select: label of the empty choice; none when ""
	Accept      string // File: accepted types, ".csv,.xlsx"
	Several     bool   // File: more than one at once
	Required    bool
	Disabled    bool
	ReadOnly    bool
	Checked     bool // Toggle
	Wide        bool // takes the whole row of a two-column form
	Focus       bool // gets the focus when the page or fragment appears
	HX          HX
}

// Option is a choice. Options with a Group stand together under its name.
type Option struct {
	Value, Label, Group string
	Disabled            bool
}

func (f Field) id() string {
	if f.ID != "" {
		return f.ID
	}
	return "f-" + strings.NewReplacer(".", "-", "[", "-", "]", "").Replace(f.Name)
}

// describedBy names the hint and the message for assistive technology.
func (f Field) describedBy() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.id()+"-hint")
	}
	if f.Err != "" {
		ids = append(ids, f.id()+"-err")
	}
	return strings.Join(ids, " ")
}

// attrs are the attributes every kind of input has.
func (f Field) attrs() templ.Attributes {
	a := f.HX.Attrs()
	a["id"], a["name"] = f.id(), f.Name
	if d := f.describedBy(); d != "" {
		a["aria-describedby"] = d
	}
	if f.Err != "" {
		a["aria-invalid"] = "true"
	}
	if f.Required {
		a["required"] = true
	}
	if f.Disabled {
		a["disabled"] = true
	}
	if f.ReadOnly {
		a["readonly"] = true
	}
	if f.Focus {
		a["autofocus"] = true
	}
	if f.Max > 0 {
		a["maxlength"] = itoa(f.Max)
	}
	if f.Placeholder != "" {
		a["placeholder"] = f.Placeholder
	}
	return a
}

// textAttrs adds what a line of text has.
func (f Field) textAttrs() templ.Attributes {
	a := f.attrs()
	a["type"], a["value"], a["autocomplete"] = "text", f.Value, "off"
	if f.Type != "" {
		a["type"] = f.Type
	}
	if f.Autofill != "" {
		a["autocomplete"] = f.Autofill
	}
	return a
}

// moneyAttrs: a text, because browsers' number inputs refuse "12 500,00".
func (f Field) moneyAttrs() templ.Attributes {
	a := f.textAttrs()
	a["inputmode"] = "decimal"
	return a
}

func (f Field) dateAttrs() templ.Attributes {
	a := f.textAttrs()
	a["type"] = "date"
	delete(a, "autocomplete")
	return a
}

// choiceAttrs: a select cannot be read-only, so it is disabled and its value is
// sent by a hidden input.
func (f Field) choiceAttrs() templ.Attributes {
	f.Disabled = f.Disabled || f.ReadOnly
	a := f.attrs()
	delete(a, "readonly")
	return a
}

func (f Field) groups() []string {
	var out []string
	seen := map[string]bool{}
	for _, o := range f.Options {
		if !seen[o.Group] {
			seen[o.Group] = true
			out = append(out, o.Group)
		}
	}
	return out
}

func (f Field) in(group string) []Option {
	var out []Option
	for _, o := range f.Options {
		if o.Group == group {
			out = append(out, o)
		}
	}
	return out
}

// comboText describes the visible input of a Combo: it carries the words, the
// hidden input beside it carries the value.
func (f Field) comboText() templ.Attributes {
	g := f
	g.HX = HX{}
	a := g.attrs()
	delete(a, "name")
	a["type"], a["value"], a["autocomplete"] = "text", f.Text, "off"
	a["role"], a["aria-autocomplete"], a["aria-expanded"] = "combobox", "list", "false"
	a["aria-controls"] = f.id() + "-list"
	return a
}

// Component is short for templ.Component in property lists.
type Component = templ.Component

func (p FormProps) attrs() templ.Attributes {
	a := p.hx().Attrs()
	if p.Upload {
		a["enctype"] = "multipart/form-data"
		if !p.Plain {
			a["hx-encoding"] = "multipart/form-data"
		}
	}
	return a
}
