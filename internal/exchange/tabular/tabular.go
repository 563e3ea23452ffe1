// Package tabular reads any registry entity from a CSV file or an .xlsx workbook by
// its own export's headers (format csv): the names of columns, of GraphQL fields, or the labels of
// the pages in either language. Rows are written through the same rules as rows
// entered by hand.
//
// internal/app lists the format; the page door writes references as it reads them.
package tabular

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"steward/ent"
	"steward/internal/area/custom"
	"steward/internal/area/tag"
	"steward/internal/exchange/importer"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	rules "steward/internal/rules/custom"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/formula"
	"steward/internal/rules/money"
)

// Format of the CSV or workbook of any registry entity; For makes one that also knows
// the custom fields of a database.
type Format struct {
	own func(entity string) ([]custom.Field, error)
}

// Name of the format.
func (Format) Name() string { return "csv" }

// Open starts a run. Settings: entity (required, its type or page name: Vendor or
// vendors) and source (csv), the system that the external ids belong to.
func (f Format) Open(o importer.Options) (importer.Parser, error) {
	if err := o.Allow("entity", "source"); err != nil {
		return nil, err
	}
	e := find(o.Setting("entity", ""))
	if e == nil {
		return nil, fmt.Errorf("importer: entity is one of %s", strings.Join(Entities(), ", "))
	}
	p := &parser{entity: e, source: o.Setting("source", "csv"), portfolio: o.Portfolio,
		lookups: map[string]*importer.Kind{}, words: map[string]map[string]string{}}
	var err error
	if p.own, err = f.added(e.Name); err != nil {
		return nil, err
	}
	p.known = &importer.Kind{Entity: e.Name, Match: []string{"id"}, Guarded: true, Known: true}
	p.kind = &importer.Kind{Entity: e.Name, Guarded: true, OnCreate: importer.Values{}}
	if tag.Fits(e) {
		p.tags = &importer.Kind{Entity: "Tag", Lookup: true, Match: TitleColumns(entity.ByName("Tag"))}
	}
	if e.Name == "Product" {
		p.kind.OnCreate["stage"] = "UNKNOWN"
	}
	for i := range e.Fields {
		f := &e.Fields[i]
		if !f.Creatable && !f.Updatable || f.Kind == "json" || f.Kind == "hidden" || f.Name == "key" {
			continue
		}
		p.fields = append(p.fields, f)
		if f.Ref != "" {
			to := entity.ByName(f.Ref)
			p.lookups[f.Name] = &importer.Kind{Entity: f.Ref, Lookup: true, Match: TitleColumns(to)}
		}
		if f.Kind == "enum" {
			p.words[f.Name] = words(e, f)
		}
		if !e.Sourced && f.Kind != "strings" && (f.Required || f.Ref != "" || f.Kind == "line") {
			p.kind.Match = append(p.kind.Match, f.Name)
		}
	}
	return p, nil
}

// Entities lists the types that can be imported.
func Entities() (names []string) {
	for _, e := range entity.Registry() {
		if !e.ReadOnly && e.New != nil {
			names = append(names, e.Name)
		}
	}
	return names
}

func find(name string) *entity.Entity {
	for _, n := range Entities() {
		e := entity.ByName(n)
		if strings.EqualFold(name, n) || name == e.Path || name == e.Plural {
			return e
		}
	}
	return nil
}

// words maps what people call an enum's values, in both languages, to the values.
func words(e *entity.Entity, f *entity.Field) map[string]string {
	out := map[string]string{}
	for _, v := range f.Options {
		keys := []string{"enum." + e.Name + "." + f.Name + "." + v, "enum." + v}
		if m, ok := flow.Named(e.Machine); ok {
			keys = append(keys, m.StateKey(v))
		}
		for _, key := range keys {
			for _, lang := range i18n.Languages() {
				if i18n.Has(lang, key) {
					out[strings.ToLower(i18n.T(lang, key))] = v
				}
			}
		}
	}
	return out
}

type parser struct {
	entity            *entity.Entity
	source, portfolio string
	fields            []*entity.Field
	own               []custom.Field
	kind, known       *importer.Kind
	lookups           map[string]*importer.Kind    // by column
	words             map[string]map[string]string // by column, of enums
	tags              *importer.Kind               // nil for a type that takes none
}

func (p *parser) Source() string          { return p.source }
func (p *parser) Kinds() []*importer.Kind { return []*importer.Kind{p.known, p.kind} }

// Columns are the fields people may set, and beside them those that an export
// also holds and that belong to the system.
func (p *parser) Columns() []importer.Column {
	external := importer.Col("external_id", "external_id", "externalID", "External id", "Identifiant externe")
	if f, ok := p.entity.Field("external_id"); ok {
		external.Headers = append(external.Headers, headers(p.entity, f)...)
	}
	out := []importer.Column{importer.Col("id", "id"), external}
	for i := range p.entity.Fields {
		f := &p.entity.Fields[i]
		c := importer.Column{Name: f.Name, Headers: headers(p.entity, f)}
		switch {
		case f.Name == "external_id":
			continue
		case !slices.Contains(p.fields, f):
			c.Name, c.Unused = "unused."+f.Name, true
		case f.Name == "portfolio_id" && p.portfolio != "":
		default:
			c.Unless = "id" // records that exist need only name what changes
			c.Required = f.Required && !f.Nullable && f.Default == ""
		}
		out = append(out, c)
	}
	if p.tags != nil {
		c := importer.Col(tag.Edge, tag.Edge)
		for _, lang := range i18n.Languages() {
			c.Headers = append(c.Headers, i18n.T(lang, "tag.many"))
		}
		out = append(out, c)
	}
	return append(out, p.ownColumns()...)
}

// headers are all spellings of a field.
func headers(e *entity.Entity, f *entity.Field) []string {
	out := []string{f.Name, f.GQL}
	if f.Edge != "" {
		out = append(out, f.Edge)
	}
	for _, key := range []string{"field." + e.Name + "." + f.Name, "field." + f.Name} {
		for _, lang := range i18n.Languages() {
			if i18n.Has(lang, key) {
				out = append(out, i18n.T(lang, key))
			}
		}
	}
	return out
}

// Row makes a record. A row with Steward's own id changes that record; one with
// an external id, or else its content, is found again by it.
func (p *parser) Row(r *importer.Row) {
	id := r.Line1("id")
	raw := r.Has("id") || r.Plain() // a raw export or a workbook: text stands as it is
	v := importer.Values{}
	labels := map[string]string{}
	var names []string
	for _, f := range p.fields {
		if f.Name == "portfolio_id" && p.portfolio != "" {
			v[f.Name] = importer.Chosen(p.portfolio)
			continue
		}
		if !r.Has(f.Name) || id != "" && !f.Updatable {
			continue
		}
		names = append(names, f.Name)
		labels[f.Name] = r.Label(f.Name)
		if value, ok := p.value(r, f, raw); ok {
			v[f.Name] = value
		}
	}
	if own := p.ownValues(r, raw); own != nil {
		v["custom"] = own
		for code := range own {
			labels[rules.Prefix+code] = r.Label(rules.Prefix + code)
		}
	}
	if r.Faulty() {
		return
	}
	var rec *importer.Record
	switch external := r.Line1("external_id"); {
	case id != "":
		v["id"] = id
		rec = r.Put(p.known, id, v)
	case external != "" && p.entity.Sourced:
		rec = r.Put(p.kind, external, v)
	default:
		rec = r.Put(p.kind, r.ContentID(names...), v)
	}
	for column, label := range labels {
		rec.Cell(column, label)
	}
	if p.tags != nil && r.Has(tag.Edge) {
		rec.Tags = p.tagsOf(r, raw)
		rec.Cell(tag.Edge, r.Label(tag.Edge))
	}
}

// TagSeparator stands between the tags of a record in one cell.
const TagSeparator = ";"

// tagsOf reads the tags of a row, by their names in either language or their ids.
func (p *parser) tagsOf(r *importer.Row, raw bool) []importer.Ref {
	text := r.Text(tag.Edge)
	if !raw {
		text = formula.Unguard(text)
	}
	out := []importer.Ref{}
	for name := range strings.SplitSeq(text, TagSeparator) {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, importer.Ref{Kind: p.tags, ID: name})
		}
	}
	return out
}

// TagsCell writes tags into one cell, a name that would come back as several by its id.
func TagsCell(tags []*ent.Tag) string {
	var out []string
	for _, t := range tags {
		name := t.Name
		if strings.Contains(name, TagSeparator) || name != strings.TrimSpace(name) {
			name = t.ID.String()
		}
		out = append(out, name)
	}
	return strings.Join(out, TagSeparator)
}

// value reads one cell; ok is false when nothing is to be said about the field,
// because the cell is empty and the field has a default.
func (p *parser) value(r *importer.Row, f *entity.Field, raw bool) (value any, ok bool) {
	text := r.Text(f.Name)
	if !raw {
		text = formula.Unguard(text)
	}
	if text == "" {
		if f.Required && !f.Nullable {
			r.Fault(f.Name, importer.Say("import.fault.missing"), importer.Message{})
		}
		return nil, f.Nullable || f.Default == "" && f.Kind != "enum"
	}
	switch f.Kind {
	case "ref":
		text, _ = referred(entity.ByName(f.Ref), text)
		return importer.Ref{Kind: p.lookups[f.Name], ID: text}, true
	case "bp":
		text = points(text)
	case "money", "decimal":
		return r.Money(f.Name, 1), true
	case "date":
		return r.Date(f.Name), true
	case "enum":
		if v, known := p.words[f.Name][strings.ToLower(text)]; known {
			text = v
		}
	}
	v, err := f.Parse(text, "")
	if err != nil {
		r.Fault(f.Name, said(err), importer.Message{})
		return nil, false
	}
	return v, true
}

// points turns a percentage, as a workbook shows it, into its hundredths: 85.5% is
// 8550. What is none stays for the field to refuse.
func points(text string) string {
	share, ok := strings.CutSuffix(text, "%")
	if !ok {
		return text
	}
	a, err := money.ParseFile(share, 1)
	if err != nil || a%100 != 0 {
		return text
	}
	return strconv.FormatInt(int64(a/100), 10)
}

// said is the message of a rule's error about one value.
func said(err error) importer.Message {
	var e *errs.Error
	if errors.As(err, &e) && len(e.Fields) > 0 {
		return importer.Say(e.Fields[0].Key, e.Fields[0].Args...)
	}
	return importer.Say(errs.As(err).Key, errs.As(err).Args...)
}
