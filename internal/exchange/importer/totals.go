package importer

import (
	"context"
	"maps"
	"slices"

	"entgo.io/ent/dialect"

	"steward/internal/area/budget"
	"steward/internal/platform/store"
	"steward/internal/rules/money"
)

// totals brings the sums that plans and lines hold in step with their cells.
func (c *comparison) totals(created, updated map[*Kind][]*item) error {
	lines, plans := c.touched(created, updated)
	return heldTotals(c.ctx, c.store, lines, plans)
}

// touched returns the lines and plans whose sums follow from what is written. New lines
// have theirs already, unless the rules had a say about their cells.
func (c *comparison) touched(created, updated map[*Kind][]*item) (lines, plans map[string]bool) {
	lines, plans = map[string]bool{}, map[string]bool{}
	made := map[string]bool{}
	for k, items := range created {
		for _, it := range items {
			if k.Entity == "BudgetLine" && !k.Guarded {
				made[string(it.id)] = true
			}
		}
	}
	for _, by := range []map[*Kind][]*item{created, updated} {
		for k, items := range by {
			for _, it := range items {
				switch k.Entity {
				case "BudgetCell":
					lines[it.row[it.table.index("line_id")].(string)] = true
				case "BudgetLine":
					lines[string(it.id)] = true
					plans[it.row[it.table.index("plan_id")].(string)] = true
				case "BudgetPlan":
					plans[string(it.id)] = true
				}
			}
		}
	}
	for k, items := range created {
		for _, it := range items {
			if k.Entity == "BudgetCell" && k.Guarded {
				delete(made, it.row[it.table.index("line_id")].(string))
			}
		}
	}
	maps.DeleteFunc(lines, func(id string, _ bool) bool { return made[id] })
	return lines, plans
}

// heldColumns are what a line holds of its cells.
var heldColumns = []string{"planned_total", "forecast_total", "actual_total"}

// heldOf adds up new cells by their lines: a sum of nothing is nothing, not zero.
func heldOf(created map[*Kind][]*item) (map[string]*[3]*money.Amount, error) {
	sums := map[string]*[3]*money.Amount{}
	for k, items := range created {
		if k.Entity != "BudgetCell" || k.Guarded {
			continue
		}
		for _, it := range items {
			line := it.row[it.table.index("line_id")].(string)
			held := sums[line]
			if held == nil {
				held = &[3]*money.Amount{}
				sums[line] = held
			}
			for n, column := range [...]string{"planned", "forecast", "actual"} {
				units, ok := it.row[it.table.index(column)].(int64)
				switch a := money.Amount(units); {
				case !ok:
				case held[n] == nil:
					held[n] = &a
				default:
					sum, err := money.Add(*held[n], a)
					if err != nil {
						return nil, err
					}
					held[n] = &sum
				}
			}
		}
	}
	return sums, nil
}

// heldTotals recomputes the totals of budget lines from their cells, and of plans
// from their unarchived lines: a sum of nothing is nothing, not zero.
func heldTotals(ctx context.Context, s *store.Store, lines, plans map[string]bool) error {
	if err := heldLines(ctx, s, lines, plans); err != nil {
		return err
	}
	return heldPlans(ctx, s, plans)
}

// heldPlans recomputes the totals of plans from their lines.
func heldPlans(ctx context.Context, s *store.Store, plans map[string]bool) error {
	if err := lockPlans(ctx, s, Sorted(plans)); err != nil {
		return err
	}
	return held(ctx, s, `UPDATE budget_plans SET `+budget.Sums+` WHERE id`, Sorted(plans))
}

// held runs an update for many ids.
func held(ctx context.Context, s *store.Store, q string, ids []string) error {
	for chunk := range slices.Chunk(ids, idChunk) {
		if _, err := s.Raw(ctx).ExecContext(ctx, spell(s.Dialect, q+` IN (`+marks(1, len(chunk))+`)`), args(chunk)...); err != nil {
			return store.Known(err)
		}
	}
	return nil
}

// heldLines recomputes the totals of lines, and adds their plans to plans.
func heldLines(ctx context.Context, s *store.Store, lines, plans map[string]bool) error {
	sum := func(column, of, where string) string {
		return `(SELECT CAST(SUM(` + column + `) AS bigint) FROM ` + of + ` WHERE ` + where + `)`
	}
	ofCells := `budget_cells.line_id = budget_lines.id`
	for chunk := range slices.Chunk(Sorted(lines), idChunk) {
		q := `SELECT DISTINCT plan_id FROM budget_lines WHERE id IN (` + marks(1, len(chunk)) + `)`
		err := query(ctx, s, q, args(chunk), func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			plans[id] = true
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := lockPlans(ctx, s, Sorted(plans)); err != nil {
		return err
	}
	return held(ctx, s, `UPDATE budget_lines SET planned_total = `+sum("planned", "budget_cells", ofCells)+
		`, forecast_total = `+sum("forecast", "budget_cells", ofCells)+
		`, actual_total = `+sum("actual", "budget_cells", ofCells)+` WHERE id`, Sorted(lines))
}

// lockPlans makes people who edit cells of these plans wait until the import has
// committed: they add to the sums that are computed afresh here. SQLite has one
// writer at a time.
func lockPlans(ctx context.Context, s *store.Store, plans []string) error {
	if s.Dialect != dialect.Postgres {
		return nil
	}
	for chunk := range slices.Chunk(plans, idChunk) {
		q := `SELECT id FROM budget_plans WHERE id IN (` + marks(1, len(chunk)) + `) ORDER BY id FOR NO KEY UPDATE`
		if err := query(ctx, s, q, args(chunk), func(func(...any) error) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}
