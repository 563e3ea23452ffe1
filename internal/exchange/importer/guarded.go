package importer

import (
	"errors"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// guarded writes items one by one as the forms do: through validation, the rules
// of the areas, scope and audit. What these refuse becomes a fault of the row. A
// statement that the database itself refuses ends the attempt, because PostgreSQL
// then refuses all that follow.
func (c *comparison) guarded(client *ent.Client, items []*item, o Options) error {
	for n, it := range items {
		if n%100 == 0 {
			o.tell("write", int64(n), int64(len(items)))
		}
		err := c.one(client, it)
		if err == nil {
			continue
		}
		if err = store.Known(err); !c.verdict(it, err) {
			return err
		}
		var e *errs.Error
		if errors.As(err, &e) && (e.Code == errs.Conflict || e.Code == errs.Validation && len(e.Fields) == 0) {
			return errFaults
		}
	}
	return nil
}

// one writes an item, unless nothing but its tags differs, and then those.
func (c *comparison) one(client *ent.Client, it *item) error {
	id := it.id
	if it.old == nil || len(it.changedColumns()) > 0 {
		w, err := it.write(client)
		if err != nil {
			return err
		}
		if id, err = w.Save(c.ctx); err != nil {
			return err
		}
	}
	return c.mark(c.ctx, it, id)
}

// write prepares the create or update of an item.
func (it *item) write(client *ent.Client) (entity.Write, error) {
	e := it.table.Entity
	set := func(w entity.Write, column string, v any) error {
		if ref, ok := v.(Ref); ok && ref.ID != "" {
			v = ident.ID(it.row[it.table.index(column)].(string))
		}
		if column == "id" {
			return nil
		}
		if p, ok := v.(Patch); ok { // the rules merge it
			v = map[string]any(p)
		}
		if v == nil {
			f, ok := e.Field(column)
			if it.old == nil || !ok {
				return nil
			}
			if f.Nullable || f.Kind == "strings" {
				return w.Mutation.ClearField(column)
			}
			zero, err := f.FromJSON(nil)
			if err != nil {
				return err
			}
			v = zero
		}
		return w.Mutation.SetField(column, v)
	}
	if it.old == nil {
		w := e.New(client)
		for _, from := range []Values{it.record.Kind.OnCreate, it.record.Values} {
			for column, v := range from {
				if f, ok := e.Field(column); ok && f.Enum != nil {
					if s, plain := v.(string); plain {
						v, _ = f.Enum(s)
					}
				}
				if err := set(w, column, v); err != nil {
					return w, err
				}
			}
		}
		if e.Sourced {
			origin, _ := e.Field("origin")
			imported, err := origin.Enum("IMPORTED")
			if err != nil {
				return w, err
			}
			for column, v := range map[string]any{"origin": imported, "source": it.row[it.table.index("source")], "external_id": it.record.ID} {
				if err := w.Mutation.SetField(column, v); err != nil {
					return w, err
				}
			}
		}
		return w, nil
	}
	w := e.Edit(client, it.id, 0)
	for column, v := range it.record.Values {
		if i := it.table.index(column); it.row[i] != it.old[i] {
			if err := set(w, column, v); err != nil {
				return w, err
			}
		}
	}
	if it.table.has("archived_at") && it.old[it.table.index("archived_at")] != nil {
		return w, w.Mutation.ClearField("archived_at")
	}
	return w, nil
}

// verdict turns what the rules say about a row into faults; it reports false for
// an error that is no verdict on the row.
func (c *comparison) verdict(it *item, err error) bool {
	var e *errs.Error
	if !errors.As(err, &e) {
		return false
	}
	fault := func(column string, reason Message) {
		f := Fault{File: c.report.Files[it.record.File], Line: it.record.Line, Column: column, Reason: reason}
		if label := it.record.labels[column]; label != "" {
			f.Column = label
		}
		c.report.Faults = append(c.report.Faults, f)
	}
	switch e.Code {
	case errs.Validation, errs.State, errs.Conflict, errs.Limit:
		if len(e.Fields) == 0 {
			fault("", Say(e.Key, e.Args...))
		}
		for _, f := range e.Fields {
			fault(f.Path, Say(f.Key, f.Args...))
		}
	case errs.CodeNotFound:
		fault("", Say("import.fault.unknown"))
	case errs.CodeForbidden:
		fault("", Say("import.fault.forbidden"))
	default:
		return false
	}
	counted := c.report.Created
	if it.old != nil {
		counted = c.report.Updated
	}
	if counted[it.table.Name]--; counted[it.table.Name] == 0 {
		delete(counted, it.table.Name)
	}
	return true
}
