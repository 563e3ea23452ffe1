package graph

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/internal/area/custom"
	"steward/internal/platform/entity"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// upsert brings the row that a source knows by an id to what the mutation says:
// it is created by create, or its fields that differ are changed. m is a create
// that has not run yet. It returns the row's id.
func (r *Resolver) upsert(ctx context.Context, m ent.Mutation, create func(context.Context) error, source, externalID string, version *int) (ident.ID, error) {
	e := entity.ByName(m.Type())
	for path, text := range map[string]string{"source": source, "externalId": externalID} {
		if text == "" {
			return "", errs.Invalid(path, "error.required")
		}
	}
	if err := r.Store.Alone(ctx, e.Name+"\n"+source+"\n"+externalID); err != nil {
		return "", err
	}
	rows, err := e.List(ctx, r.client(ctx), func(s *sql.Selector) {
		s.Where(sql.And(sql.EQ(s.C("source"), source), sql.EQ(s.C("external_id"), externalID)))
	}, func(*sql.Selector) {}, 1, 0)
	switch {
	case err != nil:
		return "", err
	case len(rows) > 0:
		return rows[0].ID, r.bring(ctx, e, rows[0], m, version)
	case version != nil:
		return "", errs.NotFound()
	}
	if err := sourced(e, m, source, externalID); err != nil {
		return "", err
	}
	if err := create(ctx); err != nil {
		return "", err
	}
	id, _ := m.(interface{ ID() (ident.ID, bool) }).ID()
	return id, nil
}

// sourced says in a new row where it comes from.
func sourced(e *entity.Entity, m ent.Mutation, source, externalID string) error {
	f, _ := e.Field("origin")
	imported, err := f.Enum("IMPORTED")
	if err != nil {
		return err
	}
	for name, v := range map[string]any{"origin": imported, "source": source, "external_id": externalID} {
		if err := m.SetField(name, v); err != nil {
			return err
		}
	}
	return nil
}

// bring changes what differs between the row and the mutation; nothing differs,
// nothing is written. The key and what else is fixed at the creation stays, and
// naming another value for it is an error, but for the key.
func (r *Resolver) bring(ctx context.Context, e *entity.Entity, row entity.Row, m ent.Mutation, version *int) error {
	now, _ := e.Value(row, "version").(int)
	if version != nil && *version != now {
		return r.stale(ctx, e.Name, row.ID, errs.NotFound())
	}
	w, differs := e.Edit(r.client(ctx), row.ID, now), false
	for _, name := range m.Fields() {
		f, known := e.Field(name)
		v, _ := m.Field(name)
		stored := e.Value(row, name)
		same := !known || name == "key" || alike(stored, v)
		if name == "custom" && !same {
			var err error
			if same, err = r.holds(ctx, e.Name, stored, v); err != nil {
				return err
			}
		}
		if same {
			continue
		}
		if !f.Updatable && name != "custom" {
			return errs.Invalid(name, "graph.fixed")
		}
		if err := w.Mutation.SetField(name, v); err != nil {
			return err
		}
		differs = true
	}
	for _, x := range e.Edges {
		given := m.AddedIDs(x.Name)
		if x.Kind != entity.Link || len(given) == 0 {
			continue
		}
		add, remove, err := r.relink(ctx, e, x, row.ID, given)
		if err != nil {
			return err
		}
		if len(add)+len(remove) > 0 {
			e.Link(w.Mutation, x.Name, add, remove)
			differs = true
		}
	}
	if !differs {
		return nil
	}
	_, err := w.Save(ctx)
	return r.stale(ctx, e.Name, row.ID, err)
}

// relink returns which links are missing and which are too many, as far as the
// caller can see what they lead to.
func (r *Resolver) relink(ctx context.Context, e *entity.Entity, x entity.Edge, id ident.ID, given []ent.Value) (add, remove []ident.ID, err error) {
	have, err := entity.ByName(x.To).List(ctx, r.client(ctx), func(s *sql.Selector) {
		t := sql.Dialect(s.Dialect()).Table(x.Table).As("link")
		s.Where(sql.In(s.C("id"), sql.Dialect(s.Dialect()).Select(t.C(x.Columns[1])).From(t).Where(sql.EQ(t.C(x.Columns[0]), id))))
	}, func(*sql.Selector) {}, 0, 0)
	if err != nil {
		return nil, nil, err
	}
	var want, has []ident.ID
	for _, v := range given {
		want = append(want, v.(ident.ID))
	}
	for _, row := range have {
		has = append(has, row.ID)
	}
	not := func(in []ident.ID) func(ident.ID) bool {
		return func(id ident.ID) bool { return slices.Contains(in, id) }
	}
	return slices.DeleteFunc(slices.Clone(want), not(has)), slices.DeleteFunc(has, not(want)), nil
}

// holds reports whether the stored values of custom fields are the given ones: what is
// not given stays, null takes away. A value that no field takes is left to the write to
// refuse.
func (r *Resolver) holds(ctx context.Context, name string, stored, given any) (bool, error) {
	have, _ := stored.(map[string]any)
	want, ok := given.(map[string]any)
	if !ok {
		return false, nil
	}
	fields, err := custom.Of(ctx, r.Store, name)
	for code, v := range want {
		if i := slices.IndexFunc(fields, func(f custom.Field) bool { return f.Code == code }); i >= 0 {
			if kept, err := fields[i].Value(v); err == nil {
				v = kept
			}
		}
		ok = ok && alike(have[code], v)
	}
	return ok, err
}

// alike compares a stored value with a given one as JSON shows them: an absent
// text is an empty one, instants have microseconds.
func alike(stored, given any) bool {
	if t, ok := given.(time.Time); ok {
		given = t.UTC().Truncate(time.Microsecond)
	}
	if t, ok := stored.(time.Time); ok {
		stored = t.UTC()
	}
	a, err1 := json.Marshal(stored)
	b, err2 := json.Marshal(given)
	return err1 == nil && err2 == nil && string(a) == string(b)
}
