package importer

import (
	"context"
	"slices"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/importbatch"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Undone says what taking an import back did, by GraphQL type name.
type Undone struct {
	ChangeSet string         `json:"changeSet"` // of the undo itself
	Undoes    string         `json:"undoes"`
	Removed   map[string]int `json:"removed"`
	Restored  map[string]int `json:"restored"`
}

// Undo takes a whole import back in one transaction, under the present rights of
// the viewer in ctx: rows it created are removed (those of a guarded format are
// archived, as people would do), rows it changed are set back.
// It does all or nothing. It fails with errs.CodeNotFound for a change set that
// is no import, errs.State for one already taken back, errs.CodeForbidden when a
// row may not be written, and errs.Conflict, with the rows in Fields, when rows
// have changed since or others have come to depend on them.
func Undo(ctx context.Context, s *store.Store, changeSet string) (Undone, error) {
	out := Undone{Undoes: changeSet, Removed: map[string]int{}, Restored: map[string]int{}}
	v, free := viewer.From(ctx), scope.Unrestricted(ctx)
	if v == nil {
		return out, store.ErrNoViewer
	}
	err := s.Tx(asImport(ctx), func(ctx context.Context, c *ent.Client) error {
		store.Undoes(ctx, changeSet)
		own := scope.Elevate(ctx)
		batch, err := c.ImportBatch.Query().Where(importbatch.ChangeSet(changeSet)).Where(s.Lock()).Only(own)
		if err != nil {
			return err
		}
		if home := batch.PortfolioID; home != nil && !free && !access.For(v, "ImportBatch", access.Write).Includes(access.Row{Portfolio: *home}) {
			return errs.Forbidden()
		}
		if batch.Status != importbatch.StatusAPPLIED {
			return errs.New(errs.State, "import.error.undone")
		}
		u := &undoing{ctx: ctx, store: s, viewer: viewer.From(ctx), set: map[ident.ID]bool{},
			conflict: errs.New(errs.Conflict, "import.error.changed"), out: &out,
			lines: map[string]bool{}, plans: map[string]bool{}}
		if err := u.all(c, batch); err != nil {
			return err
		}
		out.ChangeSet = store.ChangeSet(ctx)
		return u.close(batch)
	})
	return out, store.Known(err)
}

// all takes everything back: rows that were written through the rules go back
// through them, which archives what was created; published facts are removed.
func (u *undoing) all(c *ent.Client, b *ent.ImportBatch) error {
	if guarded, _ := b.Report["guarded"].(bool); guarded {
		changed, err := c.ChangeEvent.Query().Where(changeevent.ChangeSet(b.ChangeSet),
			changeevent.EntityTypeNEQ("ImportBatch")).All(scope.Elevate(u.ctx))
		if err != nil {
			return err
		}
		for _, e := range changed { // a record is counted once, whatever was done to it
			if e.Op == changeevent.OpCREATE {
				u.set[e.EntityID] = true
				u.out.Removed[e.EntityType]++
			}
		}
		for _, e := range changed {
			if !u.set[e.EntityID] {
				u.set[e.EntityID] = true
				u.out.Restored[e.EntityType]++
			}
		}
		_, err = u.store.UndoChangeSet(u.ctx, b.ChangeSet)
		return err
	}
	if err := u.load(c, b.ChangeSet); err != nil {
		return err
	}
	return u.takeBack()
}

// close marks the import as taken back.
func (u *undoing) close(b *ent.ImportBatch) error {
	t := tableOf("ImportBatch")
	row := [][]any{{string(b.ID), string(importbatch.StatusUNDONE)}}
	if err := t.updateSQL(u.store.Dialect, []string{"status"}, row, stampOf(u.viewer.ID), u.exec); err != nil {
		return err
	}
	ch := store.Change{Op: store.OpUpdate, Entity: t.Name, ID: b.ID, Version: b.Version + 1,
		Diff: map[string][2]any{"status": {b.Status, importbatch.StatusUNDONE}}}
	if b.PortfolioID != nil {
		ch.Portfolio = *b.PortfolioID
	}
	return store.Note(u.ctx, ch)
}

// undoing is an import being taken back.
type undoing struct {
	ctx      context.Context
	store    *store.Store
	viewer   *viewer.Viewer
	out      *Undone
	kinds    []*undoKind
	set      map[ident.ID]bool // the rows to remove
	conflict *errs.Error
	lines    map[string]bool // budget lines and plans whose totals follow
	plans    map[string]bool
}

// undoKind is what an import did to one entity.
type undoKind struct {
	table   *table
	changes map[ident.ID]*ent.ChangeEvent
	rows    map[ident.ID][]any // as they are now
}

// load reads the audit of the import and the rows as they are now.
func (u *undoing) load(c *ent.Client, changeSet string) error {
	events, err := c.ChangeEvent.Query().Where(changeevent.ChangeSet(changeSet),
		changeevent.EntityTypeNEQ("ImportBatch")).All(scope.Elevate(u.ctx))
	if err != nil {
		return err
	}
	by := map[string]*undoKind{}
	for _, e := range events {
		k := by[e.EntityType]
		if k == nil {
			k = &undoKind{table: tableOf(e.EntityType), changes: map[ident.ID]*ent.ChangeEvent{}, rows: map[ident.ID][]any{}}
			by[e.EntityType] = k
			u.kinds = append(u.kinds, k)
		}
		k.changes[e.EntityID] = e
		if e.Op == changeevent.OpCREATE {
			u.set[e.EntityID] = true
		}
	}
	u.kinds = childrenFirst(u.kinds)
	read := &comparison{ctx: u.ctx, store: u.store, lock: true}
	for _, k := range u.kinds {
		for chunk := range slices.Chunk(Sorted(k.changes), idChunk) {
			err := read.load(k.table, `id IN (`+marks(1, len(chunk))+`)`, args(chunk), func(row []any) {
				k.rows[ident.ID(row[0].(string))] = row
			})
			if err != nil {
				return err
			}
		}
		if err := u.check(k); err != nil {
			return err
		}
	}
	return nil
}
