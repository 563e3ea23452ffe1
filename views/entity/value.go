package entity

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/civil"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/views/ui"

	"github.com/a-h/templ"
)

// Ref is a record that another one points at, as much of it as a link shows.
type Ref struct{ Title, Sub, Href, Currency string }

// Refs are the records that the rows of a page point at and the reader may see.
type Refs map[ident.ID]Ref

// Show writes values for one reader.
type Show struct {
	Lang string
	Zone *time.Location
	Refs Refs
	Own  Own // the custom fields of the entity whose rows are shown
}

// Numeric reports whether a field's values are figures, which stand to the right.
func Numeric(f *entity.Field) bool {
	switch f.Kind {
	case "money", "decimal", "int", "bp":
		return f.Name != "fiscal_year"
	}
	return false
}

// Currency returns the code of the row's amounts: its own, or that of the record
// it belongs to; empty when neither says.
func (s Show) Currency(e *entity.Entity, row entity.Row) string {
	for _, name := range []string{"currency", "default_currency"} {
		if c, _ := e.Value(row, name).(string); c != "" {
			return c
		}
	}
	if id, ok := e.Value(row, e.ParentColumn).(ident.ID); ok && e.ParentColumn != "" {
		return s.Refs[id].Currency
	}
	return ""
}

// word returns the value of an enum as text; descriptors hold it under its own
// type where the column may be empty.
func word(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// Text returns a value as the reader reads it; empty for no value.
func (s Show) Text(e *entity.Entity, f *entity.Field, v any, currency string) string {
	if w := word(v); f.Kind == "enum" && w != "" {
		return Option(s.Lang, e, f, w)
	}
	switch x := v.(type) {
	case nil:
		return ""
	case bool:
		if x {
			return i18n.T(s.Lang, "entity.yes")
		}
		return i18n.T(s.Lang, "entity.no")
	case money.Amount:
		if f.Kind != "money" {
			currency = ""
		}
		return s.amount(x, currency)
	case civil.Date:
		return i18n.Date(s.Lang, x)
	case civil.Period:
		return i18n.Period(s.Lang, x)
	case time.Time:
		return i18n.Time(s.Lang, x, s.Zone)
	case ident.ID:
		return s.Refs[x].Title
	case []string:
		return strings.Join(x, ", ")
	case int:
		switch {
		case f.Kind == "bp":
			return i18n.Percent(s.Lang, float64(x)/10000, 0)
		case strings.HasSuffix(f.Name, "_year"):
			return i18n.Year(x)
		}
		return i18n.Int(s.Lang, x)
	case string:
		return x
	}
	return fmt.Sprint(v)
}

// amount writes an exact number: with its currency, or without one and then
// with only the decimals it has.
func (s Show) amount(a money.Amount, currency string) string {
	text := i18n.Money(s.Lang, a, currency)
	if currency == "" {
		text = strings.TrimSuffix(strings.TrimSuffix(text, ".00"), ",00")
	}
	return text
}

// Cell returns a value with its link, badge or dash.
func (s Show) Cell(e *entity.Entity, f *entity.Field, row entity.Row) templ.Component {
	v := s.Value(e, f, row)
	text := s.Text(e, f, v, s.Currency(e, row))
	switch {
	case text == "":
		return ui.None()
	case f.Kind == "link":
		return ownLink(text)
	case f.Kind == "ref":
		id, _ := v.(ident.ID)
		return link(s.Refs[id].Href, text)
	case f.Kind == "url":
		return ui.SafeLink(text, text)
	case f.Kind == "email":
		return ui.Text(text)
	case f.Kind == "enum":
		if isState(f) {
			return ui.Badge(ToneOf(word(v)), text, "")
		}
		if tone := ToneOf(word(v)); tone != ui.Neutral {
			return ui.Dotted(tone, text)
		}
	case f.Kind == "text":
		return paragraphs(text)
	}
	return ui.Text(text)
}

// Input returns a value as it stands in a field of a form, so that the same text
// typed back means the same value.
func (s Show) Input(f *entity.Field, v any) string {
	switch x := v.(type) {
	case money.Amount:
		return strings.TrimSuffix(strings.TrimSuffix(i18n.Money(s.Lang, x, ""), ".00"), ",00")
	case []string:
		return strings.Join(x, "\n")
	case int:
		if f.Kind == "bp" {
			return strconv.Itoa(x)
		}
	}
	return entity.Text(v)
}

// Title returns the words a row is known by.
func (s Show) Title(e *entity.Entity, row entity.Row) string {
	v := e.Value(row, e.Title)
	if s.Lang == i18n.French && e.Title == "name" {
		if fr, _ := e.Value(row, "name_fr").(string); fr != "" {
			return fr
		}
	}
	f, _ := e.Field(e.Title)
	if f == nil {
		return row.ID.String()
	}
	if text := s.Text(e, f, v, ""); text != "" {
		return text
	}
	return row.ID.String()
}

// Href returns the address of a row's page.
func Href(e *entity.Entity, row entity.Row) string { return "/" + e.Path + "/" + Segment(e, row) }

// Segment returns the last part of a row's address: the short name of portfolios
// and products, the key of other keyed records, the id of the rest.
func Segment(e *entity.Entity, row entity.Row) string {
	key, _ := e.Value(row, "key").(string)
	switch {
	case key == "" || e.KeyPrefix == "":
		return row.ID.String()
	case Slugged(e):
		_, short, _ := strings.Cut(key, "-")
		return strings.ToLower(short)
	}
	return key
}

// Slugged reports whether the pages of the entity's rows are addressed by the
// short name: /products/chefs.
func Slugged(e *entity.Entity) bool { return e.Name == "Portfolio" || e.Name == "Product" }

// RefOf returns a row as what others show of it.
func (s Show) RefOf(e *entity.Entity, row entity.Row) Ref {
	key, _ := e.Value(row, "key").(string)
	return Ref{Title: s.Title(e, row), Sub: key, Href: Href(e, row), Currency: s.Currency(e, row)}
}
