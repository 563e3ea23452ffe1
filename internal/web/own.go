package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"steward/ent"
	"steward/internal/area/custom"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	rules "steward/internal/rules/custom"
	"steward/internal/rules/errs"
	"steward/internal/rules/money"
	view "steward/views/entity"
	"steward/views/ui"
)

type storeKey struct{}

// withStore lets what reads an address look the custom fields up that it names.
func withStore(ctx context.Context, s *store.Store) context.Context {
	return context.WithValue(ctx, storeKey{}, s)
}

// ownOf returns the custom fields of an entity as far as the viewer may know of them.
func ownOf(ctx context.Context, e *entity.Entity) (view.Own, error) {
	if known, ok := ctx.Value(ownKey{}).(ownKnown); ok && known.entity == e {
		return known.own, nil
	}
	s, _ := ctx.Value(storeKey{}).(*store.Store)
	if s == nil || !custom.Offers(e) {
		return nil, nil
	}
	return custom.Seen(ctx, s, e.Name)
}

// columnOf returns the column of a name: one of the entity's own fields or of those that
// were added to it.
func columnOf(fields []*entity.Field, name string) *entity.Field {
	if i := slices.IndexFunc(fields, func(f *entity.Field) bool { return f.Name == name }); i >= 0 {
		return fields[i]
	}
	return nil
}

// filterName takes the key of a filter apart: "custom.size.gte" compares the column
// custom.size.
func filterName(key string) (name, op string) {
	rest, own := strings.CutPrefix(key, rules.Prefix)
	name, op, _ = strings.Cut(rest, ".")
	if own {
		name = rules.Prefix + name
	}
	return name, op
}

// ownCondition reads a filter by a custom field. Ranges and choices are as typed in the
// panel, or as the links of the program write them.
func ownCondition(ctx context.Context, f *entity.Field, field custom.Field, op string, texts []string) (condition, error) {
	c := condition{field: f, op: op}
	rule := field.Rule(i18n.From(ctx))
	var kept []any
	for _, text := range texts {
		if strings.TrimSpace(text) == "" {
			continue
		}
		value := any(text)
		if op != "none" && op != "contains" {
			lang := i18n.From(ctx)
			if _, err := money.Parse(strings.TrimSpace(text)); err == nil {
				lang = ""
			}
			if rule.Kind == rules.Choice {
				value = strings.TrimSpace(text)
			} else if v, err := rule.Parse(text, lang); err != nil {
				return c, err
			} else {
				value = v
			}
		}
		kept = append(kept, value)
		c.texts, c.values = append(c.texts, text), append(c.values, rule.Typed(value))
	}
	if len(kept) == 0 {
		return c, nil
	}
	compare := custom.Op(op)
	if op == "" {
		compare = custom.Is
	} else {
		kept = kept[:1]
	}
	var err error
	c.where, err = field.Where(compare, kept...)
	return c, err
}

// readOwn adds the custom fields of a form to what was typed; all that is wrong comes
// back with what was wrong before.
func readOwn(r *http.Request, own view.Own, t typed, wrong error) error {
	lang := i18n.From(r.Context())
	for _, f := range own {
		list, sent := r.PostForm[f.Path()]
		if !sent || f.Archived {
			continue
		}
		t.text[f.Path()] = list[len(list)-1]
		value, err := f.Rule(lang).Parse(t.text[f.Path()], lang)
		if err == nil {
			t.values[f.Path()] = value
			continue
		}
		if wrong == nil {
			wrong = err
			continue
		}
		for _, x := range errs.As(err).Fields {
			wrong = errs.As(wrong).With(x)
		}
	}
	return wrong
}

// setOwn puts the values of custom fields into a mutation; nothing takes a value away.
func (t typed) setOwn(m ent.Mutation) error {
	values := map[string]any{}
	for name, v := range t.values {
		if code, ok := strings.CutPrefix(name, rules.Prefix); ok {
			values[code] = v
		}
	}
	if len(values) == 0 {
		return nil
	}
	return m.SetField("custom", values)
}

// entities are what a custom field can be made for, to choose from.
func entities(lang string) []ui.Option {
	var out []ui.Option
	for _, e := range entity.Registry() {
		if custom.Offers(e) {
			out = append(out, ui.Option{Value: e.Name, Label: view.Name(lang, e, 2)})
		}
	}
	slices.SortFunc(out, func(a, b ui.Option) int { return strings.Compare(a.Label, b.Label) })
	return out
}
