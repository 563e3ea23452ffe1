package budget

import (
	"context"
	"testing"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

// TestCheckTotals: every kept total that is off is named, and only those.
func TestCheckTotals(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		line := w.lines[0]
		_, err := SetCells(w.manager, s, SetCellsInput{Cells: []CellEdit{edit(line, "2026-04", Planned, "100", 0), edit(w.lines[1], "2026-05", Forecast, "7.5", 0)}})
		must(t, err)
		must(t, s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.BudgetLine.UpdateOne(w.lines[2]).SetArchivedAt(clock()).Exec(ctx)
		}))
		check := func() []Difference {
			t.Helper()
			found, err := CheckTotals(context.Background(), s)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		if found := check(); len(found) != 0 {
			t.Fatalf("nothing is wrong, yet: %v", found)
		}
		for _, c := range []struct{ spoil, want string }{
			{"UPDATE budget_cells SET planned = planned + 10000 WHERE line_id = '" + line.ID.String() + "'",
				"BudgetLine " + line.ID.String() + " (Licences): planned_total is 100.00, what it sums up comes to 101.00"},
			{"UPDATE budget_plans SET line_count = 9 WHERE id = '" + w.plan.ID.String() + "'",
				"BudgetPlan " + w.plan.ID.String() + " (Portfolio 2026): line_count is 9, what it sums up comes to 2"},
			{"UPDATE budget_plans SET forecast_total = NULL WHERE id = '" + w.plan.ID.String() + "'",
				"BudgetPlan " + w.plan.ID.String() + " (Portfolio 2026): forecast_total is nothing, what it sums up comes to 7.50"},
			{"UPDATE budget_plans SET comparable_count = 5 WHERE id = '" + w.plan.ID.String() + "'",
				"BudgetPlan " + w.plan.ID.String() + " (Portfolio 2026): comparable_count is 5, what it sums up comes to 0"},
		} {
			if _, err := s.DB.Exec(c.spoil); err != nil {
				t.Fatal(err)
			}
			found := false
			for _, d := range check() {
				found = found || d.String() == c.want
			}
			if !found {
				t.Errorf("after %s: no %q in %v", c.spoil, c.want, check())
			}
		}
		if found := check(); len(found) != 4 {
			t.Errorf("four totals are off, found %v", found)
		}
	})
}
