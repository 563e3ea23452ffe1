package tabular

import (
	"context"

	"steward/internal/area/custom"
	"steward/internal/exchange/importer"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	rules "steward/internal/rules/custom"
	"steward/internal/rules/formula"
	"steward/internal/rules/viewer"
)

// For is the format of a database's own entities: with the custom fields they have.
func For(s *store.Store) Format {
	return Format{own: func(name string) ([]custom.Field, error) {
		return custom.Of(viewer.With(context.Background(), viewer.NewSystem(viewer.ViaImport, "")), s, name)
	}}
}

// added returns the custom fields in use of an entity.
func (f Format) added(name string) (used []custom.Field, err error) {
	if f.own == nil {
		return nil, nil
	}
	all, err := f.own(name)
	for _, x := range all {
		if !x.Archived {
			used = append(used, x)
		}
	}
	return used, err
}

// OwnTitle heads the column of a custom field: with its name, and with its code where
// another column of the entity is called so too.
func OwnTitle(e *entity.Entity, own []custom.Field, f custom.Field, lang string) string {
	title := f.In(lang)
	taken := importer.SameHeader(title, "id")
	for i := range e.Fields {
		for _, h := range headers(e, &e.Fields[i]) {
			taken = taken || importer.SameHeader(title, h)
		}
	}
	for _, other := range own {
		if other.Code != f.Code {
			taken = taken || importer.SameHeader(title, other.Name) || importer.SameHeader(title, other.NameFr)
		}
	}
	if taken {
		return title + " (" + f.Code + ")"
	}
	return title
}

// ownColumns are the columns of custom fields by all their spellings.
func (p *parser) ownColumns() []importer.Column {
	var out []importer.Column
	for _, f := range p.own {
		c := importer.Column{Name: f.Path(), Headers: []string{f.Path()}}
		for _, lang := range i18n.Languages() {
			c.Headers = append(c.Headers, OwnTitle(p.entity, p.own, f, lang), f.In(lang)+" ("+f.Code+")")
		}
		out = append(out, c)
	}
	return out
}

// ownValues reads the custom fields that the file has columns of.
func (p *parser) ownValues(r *importer.Row, raw bool) importer.Patch {
	var out importer.Patch
	for _, f := range p.own {
		if !r.Has(f.Path()) {
			continue
		}
		if out == nil {
			out = importer.Patch{}
		}
		out[f.Code] = ownValue(r, f, raw)
	}
	return out
}

// ownValue reads one cell; what is no value of the field is a fault.
func ownValue(r *importer.Row, f custom.Field, raw bool) any {
	switch f.Kind {
	case rules.Number:
		if a := r.Money(f.Path(), 1); a != nil {
			return a.String()
		}
		return nil
	case rules.Date:
		if d := r.Date(f.Path()); d != nil {
			return d.String()
		}
		return nil
	}
	text := r.Text(f.Path())
	if !raw {
		text = formula.Unguard(text)
	}
	rule := f.Field
	rule.Label = r.Label(f.Path())
	v, err := rule.Parse(text, "")
	if err != nil {
		r.Fault(f.Path(), said(err), importer.Message{})
	}
	return v
}
