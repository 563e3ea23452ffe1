package budget

import (
	"context"
	"slices"

	"steward/ent"
	"steward/ent/budgetcell"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// takeBack returns the inverse of changes of cells: each amount that a change touched goes
// back to what it was, if the cell is still as the change left it, the viewer may still write
// it and its plan and period still permit it. A cell that the change made stays, empty: its
// versions go on. Totals follow as with any write.
func takeBack(s *store.Store) store.Inverse {
	return func(ctx context.Context, c *ent.Client, changes []*ent.ChangeEvent) error {
		cells := map[ident.ID]*ent.BudgetCell{}
		for batch := range slices.Chunk(changes, 500) {
			var ids []ident.ID
			for _, x := range batch {
				ids = append(ids, x.EntityID)
			}
			list, err := c.BudgetCell.Query().Where(budgetcell.IDIn(ids...)).All(ctx)
			if err != nil {
				return err
			}
			for _, cell := range list {
				cells[cell.ID] = cell
			}
		}
		targets := map[ident.ID]*target{}
		var list []*target
		for _, x := range changes { // newest first: the oldest change of a cell decides its amount, the newest its version
			cell := cells[x.EntityID]
			if cell == nil {
				return errs.NotFound()
			}
			t := targets[cell.ID]
			if t == nil {
				t = &target{where: where{cell.LineID, cell.Period}, path: string(cell.ID), version: x.EntityVersion}
				targets[cell.ID] = t
				list = append(list, t)
			}
			for kind, name := range column {
				if d, ok := x.Diff[name]; ok {
					t.set[kind], t.amounts[kind], t.paths[kind] = true, amountOf(d[0]), t.path
				}
			}
		}
		for batch := range slices.Chunk(list, MaxCells) {
			if err := (&job{store: s, targets: batch}).run(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}
