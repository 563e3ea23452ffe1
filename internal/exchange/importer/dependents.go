package importer

import (
	"slices"

	"entgo.io/ent/dialect/sql/schema"

	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

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
