package importer

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql/schema"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/importbatch"
	"steward/internal/platform/entity"
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
	if viewer.From(ctx) == nil {
		return out, store.ErrNoViewer
	}
	reason := "undo of " + changeSet
	err := s.Tx(store.Because(asImport(ctx), &reason), func(ctx context.Context, c *ent.Client) error {
		own := scope.Elevate(ctx)
		batch, err := c.ImportBatch.Query().Where(importbatch.ChangeSet(changeSet)).Where(s.Lock()).Only(own)
		if err != nil {
			return err
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
		for _, e := range changed {
			if e.Op == changeevent.OpCREATE {
				u.out.Removed[e.EntityType]++
			} else {
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

// check finds the rows that have changed, that the viewer may not write, and on
// which other rows have come to depend.
func (u *undoing) check(k *undoKind) error {
	version := k.table.index("version")
	for _, id := range Sorted(k.changes) {
		row := k.rows[id]
		if row == nil || row[version] != int64(k.changes[id].EntityVersion) {
			u.inTheWay(id)
			continue
		}
		it := &item{table: k.table, id: id, row: row}
		if !scope.Unrestricted(u.ctx) && !access.For(u.viewer, k.table.Name, access.Write).Includes(it.place()) {
			return errs.Forbidden()
		}
	}
	var made []ident.ID
	for _, id := range Sorted(k.changes) {
		if u.set[id] {
			made = append(made, id)
		}
	}
	for _, name := range Sorted(schemas()) {
		for _, fk := range schemas()[name].ForeignKeys {
			if fk.RefTable != nil && fk.RefTable.Name == k.table.Table {
				if err := u.dependents(k.table, schemas()[name], fk.Columns[0].Name, made); err != nil {
					return err
				}
			}
		}
	}
	return u.hangers(made)
}

// dependents finds rows of another table that point at rows to be removed and
// are not removed themselves. Rows of a join table go with the record they link.
func (u *undoing) dependents(t *table, child *schema.Table, column string, made []ident.ID) error {
	owner := "id"
	if child.Columns[0].Name != "id" { // a join table
		other := child.Columns[0].Name
		if other == column {
			if slices.ContainsFunc(t.Edges, ownsTable(child.Name)) {
				return nil
			}
			other = child.Columns[1].Name
		}
		owner = other
	}
	for chunk := range slices.Chunk(made, idChunk) {
		q := `SELECT "` + owner + `", "` + column + `" FROM ` + child.Name + ` WHERE "` + column + `" IN (` + marks(1, len(chunk)) + `)`
		err := query(u.ctx, u.store, q, args(chunk), func(scan func(...any) error) error {
			var from, to ident.ID
			if err := scan(&from, &to); err != nil {
				return err
			}
			if !u.set[from] {
				u.inTheWay(to)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// hangers finds comments on rows to be removed, and memberships of them.
func (u *undoing) hangers(made []ident.ID) error {
	for _, on := range [][2]string{{"comments", "subject_id"}, {"memberships", "scope_id"}} {
		for chunk := range slices.Chunk(made, idChunk) {
			q := `SELECT DISTINCT ` + on[1] + ` FROM ` + on[0] + ` WHERE ` + on[1] + ` IN (` + marks(1, len(chunk)) + `)`
			err := query(u.ctx, u.store, q, args(chunk), func(scan func(...any) error) error {
				var id ident.ID
				err := scan(&id)
				u.inTheWay(id)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (u *undoing) inTheWay(id ident.ID) {
	for _, f := range u.conflict.Fields {
		if f.Path == string(id) {
			return
		}
	}
	u.conflict = u.conflict.With(errs.Field{Path: string(id), Key: "import.error.changed_row"})
}

// takeBack removes and restores, children before what they hang on.
func (u *undoing) takeBack() error {
	if n := len(u.conflict.Fields); n > 0 {
		c := *u.conflict
		c.Args = []any{"n", n}
		return &c
	}
	for _, k := range u.kinds {
		if err := u.restore(k); err != nil {
			return fmt.Errorf("%s: %w", k.table.Name, err)
		}
		if err := u.remove(k); err != nil {
			return fmt.Errorf("%s: %w", k.table.Name, err)
		}
	}
	for id := range u.lines {
		if u.set[ident.ID(id)] {
			delete(u.lines, id)
		}
	}
	for id := range u.plans {
		if u.set[ident.ID(id)] {
			delete(u.plans, id)
		}
	}
	return heldTotals(u.ctx, u.store, u.lines, u.plans)
}

func (u *undoing) exec(q string, args []any) error {
	_, err := u.store.Raw(u.ctx).ExecContext(u.ctx, spell(u.store.Dialect, q), args...)
	return store.Known(err)
}

// remove deletes the rows that the import created, with their links.
func (u *undoing) remove(k *undoKind) error {
	var ids []ident.ID
	var changes []store.Change
	for _, id := range Sorted(k.changes) {
		if !u.set[id] {
			continue
		}
		ids = append(ids, id)
		it := &item{table: k.table, id: id, row: k.rows[id], record: &Record{}}
		u.touch(it)
		ch := it.change(store.OpDelete, k.changes[id].EntityVersion)
		for name, d := range ch.Diff {
			ch.Diff[name] = [2]any{d[1], nil}
		}
		changes = append(changes, ch)
	}
	if len(ids) == 0 {
		return nil
	}
	u.out.Removed[k.table.Name] = len(ids)
	for chunk := range slices.Chunk(ids, idChunk) {
		in := ` IN (` + marks(1, len(chunk)) + `)`
		for _, x := range k.table.Edges {
			if ownsTable(x.Table)(x) {
				if err := u.exec(`DELETE FROM `+x.Table+` WHERE "`+x.Columns[0]+`"`+in, args(chunk)); err != nil {
					return err
				}
			}
		}
		for _, fk := range schemas()[k.table.Table].ForeignKeys {
			if fk.RefTable.Name == k.table.Table && fk.Columns[0].Nullable { // rows that point at one another
				if err := u.exec(`UPDATE `+k.table.Table+` SET "`+fk.Columns[0].Name+`" = NULL WHERE id`+in, args(chunk)); err != nil {
					return err
				}
			}
		}
	}
	for chunk := range slices.Chunk(ids, idChunk) {
		if err := u.exec(`DELETE FROM `+k.table.Table+` WHERE id IN (`+marks(1, len(chunk))+`)`, args(chunk)); err != nil {
			return err
		}
	}
	return store.Note(u.ctx, changes...)
}

// restore sets the rows that the import changed back to what they were.
func (u *undoing) restore(k *undoKind) error {
	seen := map[int]bool{}
	var items []*item
	for _, id := range Sorted(k.changes) {
		e := k.changes[id]
		if u.set[id] || e.Op != changeevent.OpUPDATE {
			continue
		}
		it := &item{table: k.table, id: id, old: k.rows[id], row: slices.Clone(k.rows[id]), record: &Record{}}
		for name, d := range e.Diff {
			i, ok := k.table.at[name]
			if !ok { // "+edge": the links this import added
				if err := u.unlink(it, name, d[1]); err != nil {
					return err
				}
				continue
			}
			v, err := k.table.fromAudit(i, d[0])
			if err != nil {
				return err
			}
			it.row[i], seen[i] = v, true
		}
		u.touch(it)
		items = append(items, it)
	}
	if len(items) == 0 {
		return nil
	}
	u.out.Restored[k.table.Name] = len(items)
	var columns []string
	rows := make([][]any, len(items))
	for n, it := range items {
		rows[n] = []any{it.row[0]}
	}
	for i, col := range k.table.columns {
		if seen[i] {
			columns = append(columns, col.Name)
			for n, it := range items {
				rows[n] = append(rows[n], it.row[i])
			}
		}
	}
	if err := k.table.updateSQL(u.store.Dialect, columns, rows, stampOf(u.viewer.ID), u.exec); err != nil {
		return err
	}
	changes := make([]store.Change, len(items))
	for n, it := range items {
		changes[n] = it.change(store.OpUpdate, k.changes[it.id].EntityVersion+1)
	}
	return store.Note(u.ctx, changes...)
}

// unlink removes links that the import added to a row that was there before.
func (u *undoing) unlink(it *item, name string, added any) error {
	x, ok := it.table.Edge(name[1:])
	list, _ := added.([]any)
	if !ok || len(list) == 0 {
		return nil
	}
	ids := []any{string(it.id)}
	for _, v := range list {
		ids = append(ids, fmt.Sprint(v))
	}
	return u.exec(`DELETE FROM `+x.Table+` WHERE "`+x.Columns[0]+`" = $1 AND "`+x.Columns[1]+`" IN (`+marks(2, len(ids)-1)+`)`, ids)
}

// touch notes the line and plan whose totals a row is part of.
func (u *undoing) touch(it *item) {
	switch it.table.Name {
	case "BudgetCell":
		u.lines[it.row[it.table.index("line_id")].(string)] = true
	case "BudgetLine":
		u.plans[it.row[it.table.index("plan_id")].(string)] = true
	}
}

// childrenFirst orders entities so that each comes before those it points at.
func childrenFirst(kinds []*undoKind) []*undoKind {
	var out []*undoKind
	done := map[string]bool{}
	var visit func(k *undoKind)
	visit = func(k *undoKind) {
		if done[k.table.Table] {
			return
		}
		done[k.table.Table] = true
		for _, other := range kinds { // whoever points here goes first
			for _, fk := range schemas()[other.table.Table].ForeignKeys {
				if fk.RefTable.Name == k.table.Table {
					visit(other)
				}
			}
			for _, x := range other.table.Edges {
				if ownsTable(x.Table)(x) && x.To == k.table.Name {
					visit(other)
				}
			}
		}
		out = append(out, k)
	}
	for _, k := range kinds {
		visit(k)
	}
	return out
}

// ownsTable tells whether an edge is the owning side of a join table.
func ownsTable(name string) func(entity.Edge) bool {
	return func(x entity.Edge) bool { return x.Kind == entity.Link && x.Table == name && name != "" }
}
