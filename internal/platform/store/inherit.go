package store

import (
	"fmt"
	"strings"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// inherit copies the scope columns of a new row from the record it hangs on. The
// parent is looked up as the viewer: a hidden one does not exist.
func (w *writing) inherit() error {
	if w.entity.Parent == "" {
		return nil
	}
	parent := entity.ByName(w.entity.Parent)
	raw, ok := w.m.Field(w.entity.ParentColumn)
	id, _ := raw.(ident.ID)
	if !ok || id == "" {
		return errs.Invalid(w.entity.ParentColumn, "error.required")
	}
	rows, err := parent.List(w.ctx, w.m.Client(), byID(id), unordered, 1, 0)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return errs.NotFound()
	}
	for _, column := range w.entity.Inherit {
		if value := parent.Value(rows[0], column); value != nil && value != ident.ID("") {
			if err := w.m.SetField(column, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// propagate keeps the scope columns of rows below this one in step when they
// change here.
func (w *writing) propagate(c Change) error {
	if !w.m.Op().Is(ent.OpUpdateOne) {
		return nil
	}
	var columns []string
	for _, column := range []string{"product_id", "vendor_id"} {
		if _, ok := c.Diff[column]; ok {
			columns = append(columns, column)
		}
	}
	if len(columns) == 0 {
		return nil
	}
	return w.store.inheritBelow(w, w.entity.Name, []ident.ID{c.ID}, columns)
}

func (s *Store) inheritBelow(w *writing, name string, ids []ident.ID, columns []string) error {
	for _, child := range entity.All() {
		if child.Parent != name {
			continue
		}
		var sets []string
		for _, column := range columns {
			for _, inherited := range child.Inherit {
				if inherited == column {
					//lint:sql every name comes from the generated descriptors
					sets = append(sets, fmt.Sprintf("%[1]s = (SELECT p.%[1]s FROM %[2]s p WHERE p.id = %[3]s.%[4]s)",
						column, tableOf(name), child.Table, child.ParentColumn))
				}
			}
		}
		if len(sets) == 0 {
			continue
		}
		in, args := placeholders(ids)
		q := "UPDATE " + child.Table + " SET " + strings.Join(sets, ", ") + " WHERE " + child.ParentColumn + " IN (" + in + ") RETURNING id"
		below, err := s.ids(w, q, args)
		if err != nil {
			return err
		}
		if len(below) > 0 {
			if err := s.inheritBelow(w, child.Name, below, columns); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) ids(w *writing, q string, args []any) ([]ident.ID, error) {
	rows, err := s.Raw(w.ctx).QueryContext(w.ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []ident.ID
	for rows.Next() {
		var id ident.ID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

// placeholders returns "$1, $2, …" and the ids as arguments.
func placeholders(ids []ident.ID) (string, []any) {
	marks, args := make([]string, len(ids)), make([]any, len(ids))
	for i, id := range ids {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), string(id)
	}
	return strings.Join(marks, ", "), args
}
