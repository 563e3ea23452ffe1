package importer

import (
	"fmt"
	"slices"

	"steward/ent/changeevent"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
)

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
		changes = append(changes, it.change(store.OpDelete, k.changes[id].EntityVersion))
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
