package budget_test

import (
	"path/filepath"
	"testing"

	"steward/ent/portfolio"
	"steward/internal/area/budget"
	"steward/internal/exchange/gcspending"
	"steward/internal/exchange/importer"
	"steward/internal/platform/store"
	"steward/internal/rules/money"
	"steward/internal/testkit"
)

// Scenario S4 with the published file: totals by fiscal year, and a variance of only those
// lines that have both a plan and an actual.
func TestPublishedSpending(t *testing.T) {
	file := filepath.Join(testkit.SharedData(t), "budgets", "gc-planned-actual-2025-03-01.csv")
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		if _, err := importer.Run(ctx, s, gcspending.Format{}, []importer.File{importer.Path(file)}, importer.Options{Apply: true}); err != nil {
			t.Fatal(err)
		}
		text := func(a *money.Amount) string {
			if a == nil {
				return "none"
			}
			return a.String()
		}
		years, err := budget.Totals(ctx, s, nil, nil)
		if err != nil || len(years) != 7 {
			t.Fatalf("%d years: %v", len(years), err)
		}
		lines := 0
		for i, want := range [][2]string{
			{"266612441088.39", "267606029281.49"}, {"283188252534.87", "293753596488.75"}, {"293814259884.13", "425678528965.04"},
			{"330436723937.53", "362311397284.31"}, {"385153152807.16", "376086546698.37"}, {"418049045469.26", "448247488963.42"},
			{"432941663051.32", "none"},
		} {
			y := years[i]
			lines += y.Lines
			if y.FiscalYear != 2018+i || y.Currency != "CAD" || text(y.Planned) != want[0] || text(y.Actual) != want[1] {
				t.Errorf("%d: planned %s, actual %s", y.FiscalYear, text(y.Planned), text(y.Actual))
			}
		}
		if y := years[4]; lines != 8508 || y.Comparable != 1204 || y.MissingActual != 17 || y.MissingPlan != 5 || text(y.Variance) != "-4997922959.46" {
			t.Errorf("%d lines; 2022-23: %+v", lines, y)
		}
		shared := s.Client.Portfolio.Query().Where(portfolio.NameHasPrefix("Shared Services Canada")).OnlyX(ctx)
		g, err := budget.Grid(ctx, s, budget.GridInput{Portfolio: shared.Key, FiscalYear: 2022})
		if err != nil || len(g.Columns) != 1 || len(g.Totals) != 1 {
			t.Fatalf("the grid: %v", err)
		}
		if x := g.Totals[0]; x.Lines != 17 || text(x.Planned) != "2618895615.00" || text(x.Actual) != "2538100893.18" || text(x.Periods[0].Planned) != "2618895615.00" {
			t.Errorf("Shared Services Canada: %+v", x)
		}
	})
}
