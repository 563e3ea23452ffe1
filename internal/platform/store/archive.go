package store

import (
	"context"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Archive takes a record out of lists and totals; it stays readable by its key
// and in history. A stale version is a conflict.
func (s *Store) Archive(ctx context.Context, name string, id ident.ID, version int) error {
	return s.retire(ctx, name, id, version, true)
}

// Restore brings an archived record back.
func (s *Store) Restore(ctx context.Context, name string, id ident.ID, version int) error {
	return s.retire(ctx, name, id, version, false)
}

func (s *Store) retire(ctx context.Context, name string, id ident.ID, version int, archive bool) error {
	e := entity.ByName(name)
	if e == nil || !e.Archivable || e.Edit == nil {
		return errs.NotFound()
	}
	return s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		w := e.Edit(c, id, version)
		if archive {
			if err := w.Mutation.SetField("archived_at", now()); err != nil {
				return err
			}
		} else if err := w.Mutation.ClearField("archived_at"); err != nil {
			return err
		}
		_, err := w.Save(ctx)
		return s.Stale(ctx, name, id, err)
	})
}

// HiddenField reports whether the viewer of ctx may not see the field of an entity.
func HiddenField(ctx context.Context, name, field string) bool {
	v := viewer.From(ctx)
	return !v.IsSystem() && access.FieldHidden(v, name, field)
}
