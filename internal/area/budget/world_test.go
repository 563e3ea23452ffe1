package budget

import (
	"context"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/budgetplan"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// world is a portfolio with its own plan and one of a product, and a second portfolio, with
// people around them.
type world struct {
	s                                                                        *store.Store
	ours, theirs                                                             *ent.Portfolio
	chefs                                                                    *ent.Product
	plan, prodPlan, farPlan                                                  *ent.BudgetPlan
	lines                                                                    []*ent.BudgetLine // of plan
	prodLine, farLine                                                        *ent.BudgetLine
	manager, manager2, owner, contributor, finance, finance2, stranger, exec context.Context
}

func person(name string, roles []string, ms ...viewer.Membership) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name,
		Roles: roles, Memberships: ms, Via: viewer.ViaPage, Lang: "en", SessionID: "ses_1", AuthTime: time.Now()})
}

func build(t testing.TB, s *store.Store) *world {
	t.Helper()
	Install(s)
	w := &world{s: s}
	must(t, s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		w.ours = c.Portfolio.Create().SetName("Ours").SetKey("ours").SaveX(ctx)
		w.theirs = c.Portfolio.Create().SetName("Theirs").SetKey("theirs").SaveX(ctx)
		w.chefs = c.Product.Create().SetName("CHEFS").SetKey("chefs").SetPortfolioID(w.ours.ID).SaveX(ctx)
		w.plan = c.BudgetPlan.Create().SetName("Portfolio 2026").SetPortfolioID(w.ours.ID).SetFiscalYear(2026).SaveX(ctx)
		w.prodPlan = c.BudgetPlan.Create().SetName("CHEFS 2026").SetPortfolioID(w.ours.ID).SetProductID(w.chefs.ID).SetFiscalYear(2026).SaveX(ctx)
		w.farPlan = c.BudgetPlan.Create().SetName("Far 2026").SetPortfolioID(w.theirs.ID).SetFiscalYear(2026).SaveX(ctx)
		for i, name := range []string{"Licences", "Staff", "Cloud"} {
			w.lines = append(w.lines, c.BudgetLine.Create().SetName(name).SetPlanID(w.plan.ID).SetPosition(i).SaveX(ctx))
		}
		w.prodLine = c.BudgetLine.Create().SetName("Hosting").SetPlanID(w.prodPlan.ID).SaveX(ctx)
		w.farLine = c.BudgetLine.Create().SetName("Secret").SetPlanID(w.farPlan.ID).SaveX(ctx)
		return nil
	}))
	in := func(level viewer.Level) viewer.Membership {
		return viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.ours.ID, Level: level}
	}
	of := func(level viewer.Level) viewer.Membership {
		return viewer.Membership{Scope: viewer.ScopeProduct, ID: w.chefs.ID, Level: level, PortfolioID: w.ours.ID}
	}
	w.manager = person("Pia", []string{"portfolio-manager"}, in(viewer.LevelManager))
	w.manager2 = person("Peter", []string{"portfolio-manager", "finance-officer"}, in(viewer.LevelManager))
	w.owner = person("Otto", []string{"product-owner"}, of(viewer.LevelOwner))
	w.contributor = person("Cora", []string{"contributor"}, of(viewer.LevelContributor))
	w.finance = person("Fia", []string{"finance-officer"})
	w.finance2 = person("Finn", []string{"finance-officer"})
	w.stranger = person("Sam", []string{"portfolio-manager"}, viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.theirs.ID, Level: viewer.LevelManager})
	w.exec = person("Max", []string{"executive"})
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func amount(s string) *money.Amount {
	if s == "" {
		return nil
	}
	a, err := money.Parse(s)
	if err != nil {
		panic(err)
	}
	return &a
}

func text(a *money.Amount) string {
	if a == nil {
		return ""
	}
	return a.String()
}

func edit(line *ent.BudgetLine, period string, f Field, value string, version int) CellEdit {
	return CellEdit{line.ID, civil.Period(period), f, amount(value), version}
}

func set(t testing.TB, ctx context.Context, s *store.Store, edits ...CellEdit) *SetCellsResult {
	t.Helper()
	r, err := SetCells(ctx, s, SetCellsInput{Cells: edits, Reason: "test"})
	must(t, err)
	return r
}

// status puts a plan into a state, past its moves.
func (w *world) status(t testing.TB, p *ent.BudgetPlan, to string) {
	t.Helper()
	must(t, w.s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		return c.BudgetPlan.UpdateOneID(p.ID).SetStatus(budgetplan.Status(to)).Exec(store.Moving(ctx))
	}))
}

// check compares every total of lines and plans with the live sum of the cells.
func (w *world) check(t testing.TB) {
	t.Helper()
	ctx := testkit.System()
	plans := map[ident.ID]*Sum{}
	counts := map[ident.ID]int{}
	var a adder
	for _, l := range w.s.Client.BudgetLine.Query().WithCells().AllX(ctx) {
		var live Sum
		for _, c := range l.Edges.Cells {
			a.sum(&live, Sum{Planned: c.Planned, Forecast: c.Forecast, Actual: c.Actual})
		}
		same(t, "line "+l.Name, live, Sum{Planned: l.PlannedTotal, Forecast: l.ForecastTotal, Actual: l.ActualTotal})
		if l.ArchivedAt != nil {
			continue
		}
		if plans[l.PlanID] == nil {
			plans[l.PlanID] = &Sum{}
		}
		a.sum(plans[l.PlanID], live)
		counts[l.PlanID]++
	}
	for _, p := range w.s.Client.BudgetPlan.Query().AllX(ctx) {
		live := plans[p.ID]
		if live == nil {
			live = &Sum{}
		}
		same(t, "plan "+p.Name, *live, Sum{Planned: p.PlannedTotal, Forecast: p.ForecastTotal, Actual: p.ActualTotal})
		if p.LineCount != counts[p.ID] {
			t.Errorf("plan %s counts %d lines, there are %d", p.Name, p.LineCount, counts[p.ID])
		}
	}
	must(t, a.err)
	found, err := CheckTotals(ctx, w.s) // the numbers of lines with an amount, and the variance
	must(t, err)
	for _, d := range found {
		t.Error(d)
	}
}

func same(t testing.TB, what string, live, kept Sum) {
	t.Helper()
	for _, x := range [][2]*money.Amount{{live.Planned, kept.Planned}, {live.Forecast, kept.Forecast}, {live.Actual, kept.Actual}} {
		if !equal(x[0], x[1]) {
			t.Errorf("%s keeps %q, its cells make %q", what, text(x[1]), text(x[0]))
		}
	}
}

// at sets the clock of the area for a test.
func at(t testing.TB, instant string) {
	t.Helper()
	now, err := time.Parse(time.RFC3339, instant)
	must(t, err)
	was := clock
	clock = func() time.Time { return now.UTC() }
	t.Cleanup(func() { clock = was })
}
