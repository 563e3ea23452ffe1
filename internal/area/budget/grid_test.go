package budget

import (
	"context"
	"fmt"
	"testing"

	"steward/ent"
	"steward/ent/budgetline"
	"steward/ent/budgetplan"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

func grid(t testing.TB, ctx context.Context, s *store.Store) *GridView {
	t.Helper()
	g, err := Grid(ctx, s, GridInput{Portfolio: "ours", FiscalYear: 2026})
	must(t, err)
	return g
}

func TestGrid(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		// 1 July in UTC, still June in Vancouver.
		at(t, "2026-07-01T05:00:00Z")
		months := must1(OpenYear(w.finance, s, "ours", 2026))
		must1(ClosePeriod(w.finance, s, months[0].ID, 1))
		set(t, w.manager, s, edit(w.lines[0], "2026-04", Planned, "100", 0), edit(w.lines[0], "2026-05", Planned, "100", 0), edit(w.lines[1], "2026-05", Planned, "10", 0),
			edit(w.lines[1], "2026-05", Forecast, "12", 0), edit(w.prodLine, "2026-05", Planned, "1", 0))
		must1(PostActual(w.finance, s, PostActualInput{Postings: []Posting{{w.lines[0].ID, "2026-05", amount("130")}, {w.lines[1].ID, "2026-06", amount("9")}}}))
		g := grid(t, w.manager, s)
		if g.Portfolio.Slug != "ours" || g.Label("en") != "2026–27" || g.Length != "MONTH" || len(g.Columns) != 12 || g.Show != ViewAll || fmt.Sprint(g.FiscalYears) != "[2026]" {
			t.Errorf("the grid is %+v", g)
		}
		for i, c := range g.Columns {
			if c.Closed != (i == 0) || c.Current != (c.Period == "2026-06") || c.PeriodID == nil || c.Months != 1 {
				t.Errorf("column %d is %+v", i, c)
			}
		}
		if len(g.Plans) != 2 || g.Plans[0].ID != w.plan.ID || g.Plans[1].ProductName != "CHEFS" || g.Plans[1].ProductKey != "PRD-CHEFS" ||
			!g.Plans[0].MayPlan || len(g.Plans[0].Actions) != 1 || g.Plans[0].Lines != 3 {
			t.Fatalf("the plans are %+v", g.Plans)
		}
		if len(g.Groups) != 2 || len(g.Groups[0].Lines) != 3 || g.Groups[0].Lines[0].Name != "Licences" {
			t.Fatalf("the groups are %+v", g.Groups)
		}
		l := g.Groups[0].Lines[0]
		if len(l.Cells) != 12 || l.Cells[0].MayForecast || !l.Cells[0].MayPlan || !l.Cells[0].Closed || !l.Cells[1].MayForecast || l.Cells[1].Version != 2 || l.Cells[2].Version != 0 {
			t.Errorf("the cells are %+v", l.Cells)
		}
		// Variance compares cell by cell: April has no actual yet and does not count.
		if text(l.Total.Planned) != "200.00" || text(l.Total.Actual) != "130.00" || text(l.Total.Variance) != "30.00" || text(l.Cells[1].Variance) != "30.00" || l.Cells[0].Variance != nil {
			t.Errorf("the line's total is %+v", l.Total)
		}
		may, june := g.Groups[0].Periods[1], g.Groups[0].Periods[2]
		if text(may.Planned) != "110.00" || text(may.Forecast) != "12.00" || text(may.Actual) != "130.00" || text(may.Variance) != "30.00" || june.Variance != nil || text(june.Actual) != "9.00" {
			t.Errorf("May makes %+v and June %+v", may, june)
		}
		if len(g.Totals) != 1 || text(g.Totals[0].Total.Planned) != "211.00" || text(g.Totals[0].Periods[1].Planned) != "111.00" ||
			g.Totals[0].Lines != 4 || g.Totals[0].Comparable != 2 || g.Totals[0].MissingActual != 2 || g.Totals[0].MissingPlan != 1 || text(g.Totals[0].Variance) != "-71.00" {
			t.Errorf("the totals are %+v", g.Totals[0])
		}
		tt := must1(Totals(w.manager, s, ptr("ours"), nil))
		if len(tt) != 1 || fmt.Sprint(tt[0].Lines, text(tt[0].Planned), text(tt[0].Forecast), text(tt[0].Actual), tt[0].Comparable, tt[0].MissingPlan, tt[0].MissingActual, text(tt[0].Variance)) !=
			fmt.Sprint(g.Totals[0].Lines, text(g.Totals[0].Planned), text(g.Totals[0].Forecast), text(g.Totals[0].Actual), g.Totals[0].Comparable, g.Totals[0].MissingPlan, g.Totals[0].MissingActual, text(g.Totals[0].Variance)) {
			t.Errorf("the grid says %+v, the totals %+v", g.Totals[0].YearTotals, tt)
		}
		// The owner sees their product's plan, an executive everything and edits nothing.
		if g := grid(t, w.owner, s); len(g.Plans) != 1 || len(g.Groups) != 1 || !g.Plans[0].MayPlan {
			t.Errorf("the owner's grid is %+v", g.Plans)
		}
		if g := grid(t, w.exec, s); len(g.Plans) != 2 || g.Plans[0].MayPlan || g.Plans[0].MayForecast || g.Groups[0].Lines[0].Cells[5].MayForecast || len(g.Plans[0].Actions) != 0 {
			t.Errorf("the executive's grid is %+v", g.Plans)
		}
		w.status(t, w.plan, "APPROVED")
		if g := grid(t, w.manager, s); g.Plans[0].MayPlan || !g.Plans[0].MayForecast || g.Groups[0].Lines[0].Cells[5].MayPlan || !g.Groups[0].Lines[0].Cells[5].MayForecast || !g.Groups[1].Lines[0].Cells[5].MayPlan {
			t.Errorf("an approved plan is offered as %+v", g.Plans[0])
		}
		one, err := Grid(w.owner, s, GridInput{Plan: &w.prodPlan.ID, Show: ViewPlan})
		if err != nil || len(one.Plans) != 1 || one.Portfolio.Key != "PF-OURS" || one.FiscalYear != 2026 || one.Plans[0].ProductName != "CHEFS" || one.Show != ViewPlan {
			t.Errorf("the plan's grid is %+v: %v", one, err)
		}
		for _, c := range []struct {
			who  context.Context
			in   GridInput
			code errs.Code
		}{
			{w.stranger, GridInput{Portfolio: "ours"}, errs.CodeNotFound}, {w.stranger, GridInput{Plan: &w.plan.ID}, errs.CodeNotFound},
			{w.owner, GridInput{Plan: &w.plan.ID}, errs.CodeNotFound}, {w.manager, GridInput{Portfolio: "nope"}, errs.CodeNotFound},
			{w.manager, GridInput{}, errs.Validation}, {person("Vic", []string{"viewer"}), GridInput{Portfolio: "ours"}, errs.CodeNotFound},
		} {
			if _, err := Grid(c.who, s, c.in); errs.CodeOf(err) != c.code {
				t.Errorf("%+v answers %v", c.in, err)
			}
		}
		if g, err := Grid(w.manager, s, GridInput{Portfolio: "PF-OURS"}); err != nil || g.FiscalYear != 2026 || len(g.Groups) != 2 {
			t.Errorf("this year's grid: %v", err)
		}
		if g, err := Grid(w.manager, s, GridInput{Portfolio: "ours", FiscalYear: 2031}); err != nil || len(g.Columns) != 12 || len(g.Groups) != 0 {
			t.Errorf("a year without plans: %v", err)
		}
	})
}

func TestGridOfSeveralLengthsAndCurrencies(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		var quarter, year *ent.BudgetLine
		must(t, s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			plan := func(name string, l budgetplan.PeriodLength, currency string) ident.ID {
				return c.BudgetPlan.Create().SetName(name).SetPortfolioID(w.ours.ID).SetFiscalYear(2026).SetPeriodLength(l).SetCurrency(currency).SaveX(ctx).ID
			}
			quarter = c.BudgetLine.Create().SetName("Quarterly").SetGroupName("Support").SetPlanID(plan("Quarters", "QUARTER", "CAD")).SaveX(ctx)
			year = c.BudgetLine.Create().SetName("Yearly").SetCategory(budgetline.CategoryCLOUD).SetPlanID(plan("Years", "YEAR", "USD")).SaveX(ctx)
			return nil
		}))
		set(t, w.manager, s, edit(quarter, "2026-04", Planned, "300", 0), edit(quarter, "2026-07", Planned, "300", 0), edit(year, "2026-04", Planned, "1000", 0), edit(w.lines[0], "2026-04", Planned, "5", 0))
		_, err := SetCells(w.manager, s, SetCellsInput{Cells: []CellEdit{edit(quarter, "2026-05", Planned, "1", 0)}})
		refused(t, err, errs.Validation, "cells.0.period")
		g := grid(t, w.manager, s)
		if len(g.Columns) != 12 || len(g.Totals) != 2 || g.Totals[0].Currency != "CAD" || g.Totals[1].Currency != "USD" {
			t.Fatalf("the totals are %+v", g.Totals)
		}
		by := map[string]Group{}
		for _, x := range g.Groups {
			by[x.Name+"/"+x.Category+x.Lines[0].Name] = x
		}
		q, y := by["Support/Quarterly"], by["/CLOUDYearly"]
		if len(q.Lines) != 1 || len(q.Lines[0].Cells) != 4 || q.Lines[0].Cells[1].Span != 3 || text(q.Lines[0].Cells[1].Planned) != "300.00" || q.Lines[0].Cells[1].Period != "2026-07" {
			t.Errorf("the quarters are %+v", q)
		}
		if len(y.Lines) != 1 || len(y.Lines[0].Cells) != 1 || y.Lines[0].Cells[0].Span != 12 || y.Currency != "USD" {
			t.Errorf("the year is %+v", y)
		}
		// A coarser amount counts in the year only.
		if text(g.Totals[0].Total.Planned) != "605.00" || text(g.Totals[0].Periods[0].Planned) != "5.00" || g.Totals[0].Periods[3].Planned != nil || text(g.Totals[1].Total.Planned) != "1000.00" {
			t.Errorf("the totals are %+v", g.Totals)
		}
		tt := must1(Totals(w.manager, s, nil, ptr(2026)))
		if len(tt) != 2 || tt[0].Currency != "CAD" || text(tt[0].Planned) != "605.00" || tt[1].Currency != "USD" || text(tt[1].Planned) != "1000.00" {
			t.Errorf("the totals are %+v", tt)
		}
		// Books closed for two of a quarter's months leave it open; for all three they close it.
		at(t, "2026-08-01T12:00:00Z")
		months := must1(OpenYear(w.finance, s, "ours", 2026))
		for i, m := range months[:3] {
			must1(ClosePeriod(w.finance, s, m.ID, 1))
			_, err := SetCells(w.manager, s, SetCellsInput{Cells: []CellEdit{edit(quarter, "2026-04", Forecast, fmt.Sprint(i), i+1)}})
			if (err == nil) != (i < 2) {
				t.Errorf("with %d months closed: %v", i+1, err)
			}
		}
	})
}

// The number of statements does not depend on the size, and is small.
func TestStatementsOfReading(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		statements := func(f func()) int {
			s.Statements.Reset()
			f()
			return s.Statements.N()
		}
		measure := func() (int, int, int, int) {
			return statements(func() { grid(t, w.manager, s) }),
				statements(func() { must1(Grid(w.manager, s, GridInput{Plan: &w.prodPlan.ID})) }),
				statements(func() { must1(Totals(w.manager, s, ptr("ours"), ptr(2026))) }),
				statements(func() { must1(Totals(w.manager, s, nil, nil)) })
		}
		a1, b1, c1, d1 := measure()
		var lines []*ent.BudgetLine
		must(t, s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			for i := range 100 {
				lines = append(lines, c.BudgetLine.Create().SetName(fmt.Sprint(i)).SetPlanID([]ident.ID{w.plan.ID, w.prodPlan.ID}[i%2]).SetGroupName(fmt.Sprint(i%7)).SaveX(ctx))
			}
			return nil
		}))
		var edits []CellEdit
		for _, l := range lines {
			for _, p := range calendarOf(4).Periods(2026, "MONTH") {
				edits = append(edits, CellEdit{l.ID, p, Planned, amount("1.25"), 0})
			}
		}
		set(t, w.manager, s, edits...)
		a2, b2, c2, d2 := measure()
		if a1 > 6 || b1 > 6 || c1 > 2 || d1 > 1 || a1 != a2 || b1 != b2 || c1 != c2 || d1 != d2 {
			t.Errorf("statements: portfolio %d, %d; plan %d, %d; totals %d, %d; all totals %d, %d", a1, a2, b1, b2, c1, c2, d1, d2)
		}
		if g := grid(t, w.manager, s); text(g.Totals[0].Total.Planned) != "1500.00" || len(g.Groups) != 16 {
			t.Errorf("%d groups make %s", len(g.Groups), text(g.Totals[0].Total.Planned))
		}
		w.check(t)
	})
}

// Lines without a plan or without an actual stay out of the variance, and are counted.
func TestVarianceCountsOnlyLinesWithBoth(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		var lines []*ent.BudgetLine
		must(t, s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			p := c.BudgetPlan.Create().SetName("2022-23").SetPortfolioID(w.theirs.ID).SetFiscalYear(2022).SetPeriodLength("YEAR").SaveX(ctx)
			for i := range 6 {
				lines = append(lines, c.BudgetLine.Create().SetName(fmt.Sprint(i)).SetPlanID(p.ID).SaveX(ctx))
			}
			return nil
		}))
		y := civil.Period("2022-04")
		set(t, w.stranger, s, CellEdit{lines[0].ID, y, Planned, amount("100"), 0}, CellEdit{lines[1].ID, y, Planned, amount("50.5"), 0}, CellEdit{lines[2].ID, y, Planned, amount("7"), 0}, CellEdit{lines[3].ID, y, Planned, amount("8"), 0})
		must1(PostActual(w.finance, s, PostActualInput{Postings: []Posting{{lines[0].ID, y, amount("90")}, {lines[1].ID, y, amount("50.7501")}, {lines[4].ID, y, amount("1000")}}}))
		tt := must1(Totals(w.stranger, s, ptr("theirs"), ptr(2022)))
		if len(tt) != 1 {
			t.Fatal(tt)
		}
		x := tt[0]
		if x.Lines != 6 || text(x.Planned) != "165.50" || text(x.Actual) != "1140.7501" || x.Forecast != nil || x.Comparable != 2 || x.MissingActual != 3 || x.MissingPlan != 2 || text(x.Variance) != "-9.7499" {
			t.Errorf("the totals are %+v", x)
		}
		if tt := must1(Totals(w.manager, s, nil, ptr(2022))); len(tt) != 0 {
			t.Errorf("another portfolio's manager sees %+v", tt)
		}
		if _, err := Totals(w.manager, s, ptr("theirs"), nil); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("a foreign portfolio answers %v", err)
		}
		if all := must1(Totals(w.exec, s, nil, nil)); len(all) != 2 || all[0].FiscalYear != 2022 || all[1].FiscalYear != 2026 {
			t.Errorf("an executive sees %+v", all)
		}
		if none := must1(Totals(person("Vic", []string{"viewer"}), s, nil, nil)); len(none) != 0 {
			t.Errorf("who reads no budgets sees %+v", none)
		}
		must(t, s.Archive(w.finance, "BudgetPlan", s.Client.BudgetPlan.Query().Where(budgetplan.FiscalYear(2022)).OnlyIDX(testkit.System()), 1))
		if tt := must1(Totals(w.exec, s, ptr("theirs"), ptr(2022))); len(tt) != 0 {
			t.Errorf("an archived plan counts: %+v", tt)
		}
	})
}
