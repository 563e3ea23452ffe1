package product_test

import (
	"context"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/comment"
	"steward/internal/area/product"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"

	"entgo.io/ent/dialect/sql"
)

type world struct {
	*testing.T
	s                  *store.Store
	from, to, other    *ent.Portfolio
	product, neighbour *ent.Product
	contract           *ent.Contract
	manager, ours      context.Context
}

func member(p *ent.Portfolio, level viewer.Level) viewer.Membership {
	return viewer.Membership{Scope: viewer.ScopePortfolio, ID: p.ID, Level: level}
}

func as(name, role string, ms ...viewer.Membership) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name, Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, Lang: "en"})
}

// each builds a product with one of everything that can hang on it, and a
// neighbour with the same.
func each(t *testing.T, test func(w *world)) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := &world{T: t, s: s}
		today := civil.DateOf(time.Now().UTC())
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			w.from = c.Portfolio.Create().SetName("From").SaveX(ctx)
			w.to = c.Portfolio.Create().SetName("To").SaveX(ctx)
			w.other = c.Portfolio.Create().SetName("Other").SaveX(ctx)
			y := c.Cycle.Create().SetName("Y").SetStartOn(today).SetEndOn(today.AddDays(9)).SaveX(ctx)
			w.contract = c.Contract.Create().SetName("Both").SetPortfolioID(w.from.ID).SaveX(ctx)
			for _, p := range []**ent.Product{&w.product, &w.neighbour} {
				*p = c.Product.Create().SetName("P").SetPortfolioID(w.from.ID).SaveX(ctx)
				id := (*p).ID
				c.Contract.UpdateOne(w.contract).AddProductIDs(id).ExecX(ctx)
				c.Initiative.Create().SetName("I").SetPortfolioID(w.from.ID).SetProductID(id).ExecX(ctx)
				c.Environment.Create().SetName("E").SetPortfolioID(w.from.ID).SetProductID(id).ExecX(ctx)
				c.Procurement.Create().SetName("R").SetPortfolioID(w.from.ID).SetProductID(id).ExecX(ctx)
				plan := c.BudgetPlan.Create().SetName("B").SetPortfolioID(w.from.ID).SetProductID(id).SetFiscalYear(2026).SaveX(ctx)
				line := c.BudgetLine.Create().SetPlanID(plan.ID).SetName("L").SaveX(ctx)
				c.BudgetCell.Create().SetLineID(line.ID).SetPeriod("2026-04").ExecX(ctx)
				o := c.Objective.Create().SetName("O").SetPortfolioID(w.from.ID).SetProductID(id).SetCycleID(y.ID).SaveX(ctx)
				k := c.KeyResult.Create().SetName("K").SetObjectiveID(o.ID).SetTarget(9).SaveX(ctx)
				c.CheckIn.Create().SetKeyResultID(k.ID).SetOn(today).SetValue(1).SetConfidenceBp(1).ExecX(ctx)
				c.Attachment.Create().SetSubjectType("Product").SetSubjectID(id).SetPortfolioID(w.from.ID).SetProductID(id).
					SetBlobID(ident.New("blb")).SetName("plan.pdf").SetMediaType("application/pdf").SetSize(1).ExecX(ctx)
				c.TagLink.Create().SetSubjectType("Product").SetSubjectID(id).SetPortfolioID(w.from.ID).SetProductID(id).SetTagID(ident.New("tag")).ExecX(ctx)
				if _, err := comment.Add(ctx, s, id, "Hello"); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		w.manager = as("Pia", "portfolio-manager", member(w.from, viewer.LevelManager), member(w.to, viewer.LevelManager), member(w.other, viewer.LevelViewer))
		w.ours = as("Half", "portfolio-manager", member(w.from, viewer.LevelManager))
		test(w)
	})
}

// owned is where the rows of a product lie, by type.
func (w *world) owned(p *ent.Product) map[string]map[ident.ID]int {
	out := map[string]map[ident.ID]int{}
	for _, e := range entity.All() {
		_, has := e.Field("product_id")
		_, placed := e.Field("portfolio_id")
		if !has || !placed || e.Name == "ChangeEvent" {
			continue
		}
		out[e.Name] = map[ident.ID]int{}
		rows, err := w.s.Raw(testkit.System()).QueryContext(context.Background(), "SELECT portfolio_id, count(*) FROM "+e.Table+" WHERE product_id = $1 GROUP BY 1", string(p.ID))
		if err != nil {
			w.Fatal(err)
		}
		for rows.Next() {
			var id ident.ID
			var n int
			if err := rows.Scan(&id, &n); err != nil {
				w.Fatal(err)
			}
			out[e.Name][id] = n
		}
		rows.Close()
	}
	return out
}

func TestEverythingGoesAlong(t *testing.T) {
	each(t, func(w *world) {
		before := w.owned(w.neighbour)
		for name, at := range w.owned(w.product) {
			if at[w.from.ID] != 1 {
				t.Fatalf("the test has no %s: %v", name, at)
			}
		}
		p, err := product.MoveToPortfolio(w.manager, w.s, product.MoveInput{ID: w.product.ID, Portfolio: w.to.ID, Version: 1, Reason: "reorganised"})
		if err != nil || p.PortfolioID != w.to.ID || p.Version != 2 || p.UpdatedBy != "per_Pia" {
			t.Fatal(p, err)
		}
		rows := 1
		for name, at := range w.owned(w.product) {
			rows++
			if at[w.to.ID] != 1 || len(at) != 1 {
				t.Errorf("%s lies in %v", name, at)
			}
		}
		for name, at := range w.owned(w.neighbour) {
			if at[w.from.ID] != before[name][w.from.ID] || len(at) != 1 {
				t.Errorf("the neighbour's %s lies in %v", name, at)
			}
		}
		if c := w.s.Client.Contract.GetX(testkit.System(), w.contract.ID); c.PortfolioID != w.from.ID {
			t.Error("the contract of both went along")
		}
		last := w.s.LastChange(testkit.System(), p.ID)
		if last.Reason != "reorganised" || last.EntityVersion != 2 || last.Diff["portfolio_id"][0] != string(w.from.ID) {
			t.Errorf("the audit says %+v", last)
		}
		all, _ := w.s.Client.ChangeEvent.Query().Where(func(s *sql.Selector) { s.Where(sql.EQ(s.C("change_set"), last.ChangeSet)) }).All(testkit.System())
		if len(all) != rows {
			t.Errorf("%d audit rows for %d changed ones", len(all), rows)
		}
		// Who only looks after the old portfolio has lost sight of it.
		if n := w.s.Client.Initiative.Query().CountX(w.ours); n != 1 {
			t.Errorf("the old manager counts %d initiatives", n)
		}
	})
}

func TestBothEndsAreChecked(t *testing.T) {
	each(t, func(w *world) {
		good := product.MoveInput{ID: w.product.ID, Portfolio: w.to.ID, Version: 1, Reason: "x"}
		try := func(what string, ctx context.Context, change func(*product.MoveInput), code errs.Code) {
			t.Helper()
			in := good
			change(&in)
			n := w.s.Client.ChangeEvent.Query().CountX(testkit.System())
			if _, err := product.MoveToPortfolio(ctx, w.s, in); errs.CodeOf(err) != code {
				t.Errorf("%s: %v", what, err)
			}
			if w.s.Client.Product.GetX(testkit.System(), w.product.ID).PortfolioID != w.from.ID || w.s.Client.ChangeEvent.Query().CountX(testkit.System()) != n {
				t.Fatalf("%s moved it", what)
			}
		}
		none := func(*product.MoveInput) {}
		try("the target is invisible", w.ours, none, errs.CodeNotFound)
		try("the target is only read", w.manager, func(in *product.MoveInput) { in.Portfolio = w.other.ID }, errs.CodeForbidden)
		try("the source is only read", as("To", "portfolio-manager", member(w.to, viewer.LevelManager), member(w.from, viewer.LevelViewer)), none, errs.CodeForbidden)
		try("the source is invisible", as("To", "portfolio-manager", member(w.to, viewer.LevelManager)), none, errs.CodeNotFound)
		try("an owner", as("Otto", "product-owner", viewer.Membership{Scope: viewer.ScopeProduct, ID: w.product.ID, Level: viewer.LevelOwner, PortfolioID: w.from.ID}, member(w.to, viewer.LevelManager)), none, errs.CodeNotFound)
		try("no reason", w.manager, func(in *product.MoveInput) { in.Reason = " " }, errs.Validation)
		try("no version", w.manager, func(in *product.MoveInput) { in.Version = 0 }, errs.Validation)
		try("stale", w.manager, func(in *product.MoveInput) { in.Version = 7 }, errs.Conflict)
		try("where it is", w.manager, func(in *product.MoveInput) { in.Portfolio = w.from.ID }, errs.Validation)
		if err := w.s.Archive(testkit.System(), "Portfolio", w.to.ID, 1); err != nil {
			t.Fatal(err)
		}
		try("into an archive", w.manager, none, errs.State)
	})
}
