package custom

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/customfield"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Fresh is how old the definitions may be that a page shows, and by which a new record
// is looked through for what it lacks. What sets values reads them anew.
const Fresh = 2 * time.Second

// Install makes the rules of custom fields hold on every write: of their definitions,
// and of their values on any record. Definitions that others change are noticed when
// those kept are older than age. It is called once, when the store has been opened.
// Set-based imports write no custom values.
func Install(s *store.Store, age time.Duration) {
	kept(s).age = age
	s.Client.CustomField.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			d, ok := m.(*ent.CustomFieldMutation)
			if ok && m.Op().Is(ent.OpCreate|ent.OpUpdateOne) {
				if err := definition(ctx, s, d); err != nil {
					return nil, err
				}
			}
			out, err := next.Mutate(ctx, m)
			if t := inTx(ctx); t != nil {
				t.fields, t.changed = map[string]map[string]Field{}, true
				store.After(ctx, kept(s).forget)
			}
			return out, err
		})
	})
	s.Client.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			if e := entity.ByName(m.Type()); Offers(e) && m.Op().Is(ent.OpCreate|ent.OpUpdateOne) {
				if err := values(ctx, s, e, m); err != nil {
					return nil, err
				}
			}
			return next.Mutate(ctx, m)
		})
	})
}

// column is where the values of a row lie.
const column = "custom"

// values merges what a mutation says about custom fields into what the row has.
func values(ctx context.Context, s *store.Store, e *entity.Entity, m ent.Mutation) error {
	raw, _ := m.Field(column)
	given, _ := raw.(map[string]any)
	creating, cleared := m.Op().Is(ent.OpCreate), m.FieldCleared(column)
	switch {
	case len(given) > 0 || cleared:
	case !creating:
		return m.ResetField(column) // an empty object changes nothing
	default:
		if asks, err := asks(ctx, s, e); err != nil || !asks {
			return err
		}
	}
	fields, err := current(ctx, s, e.Name)
	if err != nil {
		return err
	}
	old := map[string]any{}
	if !creating {
		if old, err = stored(ctx, s, e, m); err != nil {
			return err
		}
	}
	now, err := merge(ctx, fields, old, given, creating, cleared)
	if err != nil {
		return err
	}
	if err := m.ResetField(column); err != nil {
		return err
	}
	switch {
	case len(now) > 0:
		return m.SetField(column, now)
	case !creating && len(old) > 0:
		return m.ClearField(column)
	}
	return nil
}

// asks reports whether a new record of the entity must have a value. One made while a
// field becomes required is one made before it was, so what is kept will do.
func asks(ctx context.Context, s *store.Store, e *entity.Entity) (bool, error) {
	required := func(f Field) bool { return f.Required && !f.Archived }
	if t := inTx(ctx); t != nil && t.changed {
		fields, err := current(ctx, s, e.Name)
		return slices.ContainsFunc(slices.Collect(maps.Values(fields)), required), err
	}
	all, err := Of(ctx, s, e.Name)
	return slices.ContainsFunc(all, required), err
}

// current reads the definitions of an entity, once a transaction. They stay as they are
// until it ends: whoever changes one waits, and then sees the values set under it.
func current(ctx context.Context, s *store.Store, name string) (map[string]Field, error) {
	t := inTx(ctx)
	if t == nil {
		return nil, store.ErrNoTransaction
	}
	if fields, ok := t.fields[name]; ok {
		return fields, nil
	}
	rows, err := s.ClientOf(ctx).CustomField.Query().Where(customfield.Entity(name), func(sel *sql.Selector) {
		if s.Dialect == dialect.Postgres {
			sel.ForShare()
		}
	}).All(scope.Elevate(ctx))
	if err != nil {
		return nil, err
	}
	fields := make(map[string]Field, len(rows))
	for _, row := range rows {
		fields[row.Code] = fieldOf(row)
	}
	t.fields[name] = fields
	return fields, nil
}

// stored reads the values a row has and makes other writers of it wait, as the new
// ones are made from them.
func stored(ctx context.Context, s *store.Store, e *entity.Entity, m ent.Mutation) (map[string]any, error) {
	id, _ := m.(interface{ ID() (ident.ID, bool) }).ID()
	rows, err := e.List(scope.Elevate(ctx), s.ClientOf(ctx), func(sel *sql.Selector) {
		sel.Where(sql.EQ(sel.C("id"), id))
		s.Lock()(sel)
	}, func(*sql.Selector) {}, 1, 0)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errs.NotFound()
	}
	return Values(e, rows[0]), nil
}

// Values returns the custom values of a row, nil for none. They are not to be changed.
func Values(e *entity.Entity, row entity.Row) map[string]any {
	v, _ := e.Value(row, column).(map[string]any)
	return v
}

// most is how many wrong values one answer names.
const most = 20

// merge returns the values a row will have. A key that is given what it has already
// changes nothing, whatever its definition says by now.
func merge(ctx context.Context, fields map[string]Field, old, given map[string]any, creating, cleared bool) (map[string]any, error) {
	now := map[string]any{}
	if !cleared {
		maps.Copy(now, old)
	}
	lang := ""
	if v := viewer.From(ctx); v != nil {
		lang = v.Lang
	}
	var wrong *errs.Error
	refuse := func(err error) {
		e := errs.As(err)
		switch {
		case wrong == nil:
			wrong = e
		case len(wrong.Fields) < most:
			wrong = wrong.With(e.Fields[0])
		}
	}
	for _, code := range slices.Sorted(maps.Keys(given)) {
		f, known := fields[code]
		switch v := given[code]; {
		case v == nil:
			delete(now, code)
		case old[code] != nil && reflect.DeepEqual(old[code], v):
			now[code] = v
		case !known:
			f.Code = named(code)
			refuse(f.Refuse("custom.unknown"))
		case f.Archived:
			refuse(f.Rule(lang).Refuse("custom.archived"))
		default:
			x, err := f.Rule(lang).Value(v)
			if err != nil {
				refuse(err)
				continue
			}
			if now[code] = x; x == nil {
				delete(now, code)
			}
		}
	}
	for _, code := range slices.Sorted(maps.Keys(fields)) {
		f := fields[code]
		if f.Required && !f.Archived && now[code] == nil && (creating || old[code] != nil) && !complained(wrong, f) {
			refuse(f.Rule(lang).Refuse("custom.required"))
		}
	}
	if wrong != nil {
		return nil, wrong
	}
	return now, nil
}

// complained reports whether something is said about the field already.
func complained(wrong *errs.Error, f Field) bool {
	return wrong != nil && slices.ContainsFunc(wrong.Fields, func(x errs.Field) bool { return x.Path == f.Path() })
}

// named is an unknown code as a message may show it.
func named(code string) string {
	code = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(code, ""))
	if r := []rune(code); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return code
}

// readable reports whether the viewer of ctx may read definitions.
func readable(ctx context.Context) bool {
	v := viewer.From(ctx)
	return v != nil && (v.IsSystem() || scope.Unrestricted(ctx) || access.May(v, "CustomField", access.Read))
}
