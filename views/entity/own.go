package entity

import (
	"strings"

	"github.com/a-h/templ"

	"steward/internal/area/custom"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	rules "steward/internal/rules/custom"
	"steward/internal/rules/money"
	"steward/views/ui"
)

// Own are the custom fields of an entity, those no longer in use among them.
type Own []custom.Field

// kinds of the columns of custom fields; those that a built-in column has too are
// shown and filtered like it.
var ownKinds = map[rules.Kind]string{rules.Text: "words", rules.Number: "decimal", rules.Date: "date", rules.YesNo: "yesno", rules.Choice: "choice", rules.Link: "link"}

// IsOwn reports whether a column is that of a custom field.
func IsOwn(f *entity.Field) bool { return strings.HasPrefix(f.Name, rules.Prefix) }

// Columns are descriptors of the fields, so that lists and forms treat them as they do
// the entity's own; used leaves out those no longer in use.
func (o Own) Columns(used bool) []*entity.Field {
	var out []*entity.Field
	for _, f := range o {
		if !used || !f.Archived {
			out = append(out, &entity.Field{Name: f.Path(), GQL: f.Path(), Kind: ownKinds[f.Kind], Options: f.Choices, Nullable: true})
		}
	}
	return out
}

// Of returns the field of a column.
func (o Own) Of(column string) (custom.Field, bool) {
	for _, f := range o {
		if f.Path() == column {
			return f, true
		}
	}
	return custom.Field{}, false
}

// Label returns what a column is called, custom fields as they were named.
func (s Show) Label(e *entity.Entity, f *entity.Field) string {
	if !IsOwn(f) {
		return Label(s.Lang, e, f)
	}
	own, ok := s.Own.Of(f.Name)
	switch {
	case !ok:
		return strings.TrimPrefix(f.Name, rules.Prefix)
	case own.Archived:
		return i18n.T(s.Lang, "custom.gone", "field", own.In(s.Lang))
	}
	return own.In(s.Lang)
}

// Value returns what a row has in a column.
func (s Show) Value(e *entity.Entity, f *entity.Field, row entity.Row) any {
	if !IsOwn(f) {
		return e.Value(row, f.Name)
	}
	return s.Own.Typed(f.Name, s.Kept(e, f, row))
}

// Kept returns what a row keeps in a custom field.
func (s Show) Kept(e *entity.Entity, f *entity.Field, row entity.Row) any {
	return custom.Values(e, row)[strings.TrimPrefix(f.Name, rules.Prefix)]
}

// Typed turns a kept value of a custom field into what pages show.
func (o Own) Typed(column string, v any) any {
	if f, ok := o.Of(column); ok {
		return f.Typed(v)
	}
	if v == nil {
		return nil
	}
	return rules.Plain(v)
}

// Facts are the values a row has in custom fields, those of fields no longer in use
// muted.
func (s Show) Facts(e *entity.Entity, row entity.Row) []ui.Fact {
	var out []ui.Fact
	for _, f := range s.Own.Columns(false) {
		text := s.Text(e, f, s.Value(e, f, row), "")
		if text == "" {
			continue
		}
		fact := ui.Fact{Label: s.Label(e, f), Content: s.Cell(e, f, row)}
		if own, _ := s.Own.Of(f.Name); own.Archived {
			fact.Content = muted(text)
		}
		out = append(out, fact)
	}
	return out
}

// Inputs are the fields of a form for the custom fields in use. Values are as typed,
// errors as messages say; one that has a value already cannot lose it when required.
func (s Show) Inputs(e *entity.Entity, text, wrong map[string]string, creating bool, had map[string]any) []Input {
	var out []Input
	for _, f := range s.Own.Columns(true) {
		own, _ := s.Own.Of(f.Name)
		f.Required = own.Required && (creating || had[own.Code] != nil)
		out = append(out, Input{Entity: e, Field: f, Label: own.In(s.Lang), Hint: own.Help, Value: text[f.Name], Err: wrong[f.Name]})
	}
	return out
}

// InputText is the kept value of a custom field as it stands in a form.
func (s Show) InputText(f *entity.Field, v any) string {
	x := s.Own.Typed(f.Name, v)
	if a, ok := x.(money.Amount); ok {
		return s.Input(f, a)
	}
	return entity.Text(x)
}

// ownLink shows a LINK: web addresses with their host, others as they are. What is no
// safe address is text.
func ownLink(address string) templ.Component {
	if strings.HasPrefix(address, "https://") || !rules.SafeLink(address) {
		return ui.SafeLink(address, address)
	}
	return plainLink(address, strings.HasPrefix(address, "mailto:"))
}
