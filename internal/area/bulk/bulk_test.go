package bulk_test

import (
	"context"
	"fmt"
	"testing"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/vendor"
	"steward/internal/area/bulk"
	"steward/internal/area/contract"
	"steward/internal/area/tag"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

type world struct {
	*testing.T
	s               *store.Store
	home, away      *ent.Portfolio
	mine, theirs    *ent.Product
	vendor          *ent.Vendor
	manager, reader context.Context
}

func as(name, role string, ms ...viewer.Membership) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name, Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, Lang: "en"})
}

func each(t *testing.T, test func(*world)) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		tag.Install(s)
		contract.Install(s)
		w := &world{T: t, s: s}
		w.do(func(ctx context.Context, c *ent.Client) {
			w.home, w.away = c.Portfolio.Create().SetName("Home").SaveX(ctx), c.Portfolio.Create().SetName("Away").SaveX(ctx)
			w.mine = c.Product.Create().SetName("Mine").SetPortfolio(w.home).SaveX(ctx)
			w.theirs = c.Product.Create().SetName("Theirs").SetPortfolio(w.away).SaveX(ctx)
			w.vendor = c.Vendor.Create().SetName("OptIT").SaveX(ctx)
		})
		at := viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.home.ID, Level: viewer.LevelManager}
		w.manager, w.reader = as("Pia", "portfolio-manager", at), as("Vic", "viewer", at)
		test(w)
	})
}

func (w *world) do(f func(context.Context, *ent.Client)) {
	w.Helper()
	if err := w.s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error { f(ctx, c); return nil }); err != nil {
		w.Fatal(err)
	}
}

func (w *world) apply(ctx context.Context, x bulk.Change) bulk.Result {
	w.Helper()
	r, err := bulk.Apply(ctx, w.s, x)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) events(op string) int {
	return w.s.Client.ChangeEvent.Query().Where(changeevent.OpEQ(changeevent.Op(op))).CountX(testkit.System())
}

// products makes n products of the portfolio and returns them as rows of a change.
func (w *world) products(n int) map[ident.ID]int {
	out := map[ident.ID]int{}
	w.do(func(ctx context.Context, c *ent.Client) {
		for i := range n {
			out[c.Product.Create().SetName(fmt.Sprint("P", i)).SetPortfolio(w.home).SaveX(ctx).ID] = 1
		}
	})
	return out
}

func field(e *entity.Entity, name string) *entity.Field { f, _ := e.Field(name); return f }

var product, contracts = func() *entity.Entity { return entity.ByName("Product") }, func() *entity.Entity { return entity.ByName("Contract") }

// Many records take one value in one change set, with a line in the history of each and
// one undo, in as many statements as thirty records do: a few leave their history with the
// end of the transaction, in one less.
func TestSet(t *testing.T) {
	each(t, func(w *world) {
		e := product()
		f := field(e, "summary")
		set := func(rows map[ident.ID]int, value any) (bulk.Result, int64) {
			t.Helper()
			w.s.Statements.Reset()
			r := w.apply(w.manager, bulk.Change{Entity: e, Kind: bulk.Set, Rows: rows, Field: f, Value: value})
			return r, int64(w.s.Statements.N())
		}
		two, many := w.products(30), w.products(300)
		_, few := set(two, "short")
		before := w.events("UPDATE")
		r, n := set(many, "short")
		if r.Done != 300 || r.Token == "" || len(r.Refused) != 0 {
			t.Fatalf("%+v", r)
		}
		if n != few {
			t.Errorf("%d statements for thirty records, %d for 300", few, n)
		}
		if got := w.events("UPDATE") - before; got != 300 {
			t.Errorf("%d changes in the history", got)
		}
		for id := range many {
			p := w.s.Client.Product.GetX(w.manager, id)
			past, err := w.s.History(w.manager, id, 5, 0)
			if p.Summary != "short" || p.Version != 2 || p.UpdatedBy != "per_Pia" || err != nil || len(past) != 2 || past[0].EntityVersion != 2 ||
				fmt.Sprint(past[0].Diff["summary"]) != "[ short]" || past[0].PortfolioID == nil {
				t.Fatalf("%+v %+v %v", p, past, err)
			}
		}
	})
}

func TestUndo(t *testing.T) {
	each(t, func(w *world) {
		e := product()
		rows := w.products(3)
		r := w.apply(w.manager, bulk.Change{Entity: e, Kind: bulk.Set, Rows: rows, Field: field(e, "summary"), Value: "new"})
		if _, err := w.s.Undo(w.manager, r.Token); err != nil {
			t.Fatal(err)
		}
		for id := range rows {
			if p := w.s.Client.Product.GetX(w.manager, id); p.Summary != "" {
				t.Errorf("%+v", p)
			}
			rows[id] = 0
		}
		r = w.apply(w.manager, bulk.Change{Entity: e, Kind: bulk.Archive, Rows: rows})
		if n := w.s.Client.Product.Query().CountX(w.manager); r.Done != 3 || n != 4 || w.events("ARCHIVE") != 3 {
			t.Errorf("%+v, %d, %d", r, n, w.events("ARCHIVE"))
		}
		if _, err := w.s.Undo(w.manager, r.Token); err != nil {
			t.Fatal(err)
		}
		for id := range rows {
			if p := w.s.Client.Product.GetX(w.manager, id); p.ArchivedAt != nil {
				t.Error("still archived")
			}
		}
	})
}

// All or nothing, unless the rest is asked for: a record of another portfolio, one that
// changed and one that is not there are named.
func TestRefused(t *testing.T) {
	each(t, func(w *world) {
		e := product()
		rows := w.products(3)
		for id := range rows {
			rows[id] = 7
			break
		}
		rows["prd_gone"] = 1
		rows[w.theirs.ID] = 1
		x := bulk.Change{Entity: e, Kind: bulk.Set, Rows: rows, Field: field(e, "summary"), Value: "new"}
		r := w.apply(w.manager, x)
		if r.Done != 0 || r.Token != "" || len(r.Refused) != 3 {
			t.Fatalf("%+v", r)
		}
		codes := map[errs.Code]int{}
		for _, x := range r.Refused {
			codes[x.Err.Code]++
		}
		if codes[errs.Conflict] != 1 || codes[errs.CodeNotFound] != 2 {
			t.Errorf("%v", codes)
		}
		if w.events("UPDATE") != 0 {
			t.Error("something was written")
		}
		x.Skip = true
		if r = w.apply(w.manager, x); r.Done != 2 || r.Token == "" || len(r.Refused) != 3 || w.events("UPDATE") != 2 {
			t.Errorf("%+v, %d", r, w.events("UPDATE"))
		}
		r = w.apply(w.reader, x) // what they do not see is absent for them, the rest forbidden
		codes = map[errs.Code]int{}
		for _, no := range r.Refused {
			codes[no.Err.Code]++
		}
		if r.Done != 0 || r.Token != "" || codes[errs.CodeForbidden] != len(rows)-2 || codes[errs.CodeNotFound] != 2 {
			t.Errorf("a reader: %+v", r)
		}
		for _, c := range []struct {
			ctx  context.Context
			x    bulk.Change
			want errs.Code
		}{
			{w.manager, bulk.Change{Entity: e, Kind: bulk.Set, Rows: rows, Field: field(e, "name"), Value: "same"}, errs.CodeNotFound},
			{w.manager, bulk.Change{Entity: e, Kind: bulk.Set, Rows: rows, Field: field(e, "portfolio_id"), Value: w.away.ID}, errs.CodeNotFound},
			{w.manager, bulk.Change{Entity: e, Kind: bulk.Archive}, errs.Validation},
			{w.manager, bulk.Change{Entity: e, Kind: bulk.Archive, Rows: crowd()}, errs.Limit},
		} {
			if _, err := bulk.Apply(c.ctx, w.s, c.x); errs.CodeOf(err) != c.want {
				t.Errorf("%v: %v, want %s", c.x.Kind, err, c.want)
			}
		}
	})
}

// Each row is asked for its own right: one that is read and not written stays as it is,
// also behind one that may be changed.
func TestOneRightForEachRow(t *testing.T) {
	each(t, func(w *world) {
		e, rows := product(), w.products(2)
		rows[w.mine.ID] = 1
		both := as("Otto", "product-owner",
			viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.home.ID, Level: viewer.LevelViewer},
			viewer.Membership{Scope: viewer.ScopeProduct, ID: w.mine.ID, Level: viewer.LevelOwner, PortfolioID: w.home.ID})
		viewer.From(both).Roles = append(viewer.From(both).Roles, "viewer")
		x := bulk.Change{Entity: e, Kind: bulk.Set, Rows: rows, Field: field(e, "summary"), Value: "new"}
		r := w.apply(both, x)
		if r.Done != 0 || len(r.Refused) != 2 || r.Refused[0].Err.Code != errs.CodeForbidden {
			t.Fatalf("%+v", r)
		}
		x.Skip = true
		if r = w.apply(both, x); r.Done != 1 || w.events("UPDATE") != 1 || w.s.Client.Product.GetX(both, w.mine.ID).Summary != "new" {
			t.Errorf("%+v", r)
		}
	})
}

func crowd() map[ident.ID]int {
	out := map[ident.ID]int{}
	for i := range bulk.Most + 1 {
		out[ident.ID(fmt.Sprint("prd_", i))] = 1
	}
	return out
}

// The rules of an area hold for each record: the value of an approved contract stays.
func TestRulesOfAnArea(t *testing.T) {
	each(t, func(w *world) {
		e, rows := contracts(), map[ident.ID]int{}
		var approved *ent.Contract
		w.do(func(ctx context.Context, c *ent.Client) {
			draft := c.Contract.Create().SetName("D").SetPortfolio(w.home).SetVendor(w.vendor).SaveX(ctx)
			approved = c.Contract.Create().SetName("A").SetPortfolio(w.home).SetVendor(w.vendor).SetStatus("APPROVED").SetValue(money.Amount(50000)).SaveX(store.Moving(ctx))
			rows[draft.ID], rows[approved.ID] = 1, 1
		})
		x := bulk.Change{Entity: e, Kind: bulk.Set, Rows: rows, Field: field(e, "value"), Value: money.Amount(10000)}
		r := w.apply(w.manager, x)
		if r.Done != 0 || len(r.Refused) != 1 || r.Refused[0].ID != approved.ID || r.Refused[0].Err.Code != errs.State {
			t.Fatalf("%+v", r)
		}
		x.Skip = true
		if r = w.apply(w.manager, x); r.Done != 1 {
			t.Errorf("%+v", r)
		}
		x = bulk.Change{Entity: e, Kind: bulk.Set, Rows: map[ident.ID]int{approved.ID: 0}, Field: field(e, "notice_months"), Value: 3}
		if r = w.apply(w.manager, x); r.Done != 0 || len(r.Refused) != 1 {
			t.Errorf("a fixed column: %+v", r)
		}
	})
}

// What a column does not take is refused before anything is written, and tags go on and
// off many records at once.
func TestValuesAndTags(t *testing.T) {
	each(t, func(w *world) {
		e := entity.ByName("Vendor")
		rows := map[ident.ID]int{}
		var urgent *ent.Tag
		w.do(func(ctx context.Context, c *ent.Client) {
			for i := range 3 {
				rows[c.Vendor.Create().SetName(fmt.Sprint("V", i)).SetRisk(vendor.RiskLOW).SaveX(ctx).ID] = 1
			}
			urgent = c.Tag.Create().SetName("Urgent").SaveX(ctx)
		})
		risk := bulk.Change{Entity: e, Kind: bulk.Set, Rows: rows, Field: field(e, "risk"), Value: vendor.Risk("WRONG")}
		if r, err := bulk.Apply(w.manager, w.s, risk); err == nil && len(r.Refused) == 0 {
			t.Error("a word that is no risk was written")
		}
		risk.Value = vendor.RiskHIGH
		if r := w.apply(w.manager, risk); r.Done != 3 {
			t.Errorf("%+v", r)
		}
		if n := w.s.Client.Vendor.Query().Where(vendor.RiskEQ(vendor.RiskHIGH)).CountX(w.manager); n != 3 {
			t.Errorf("%d", n)
		}
		for id := range rows {
			rows[id] = 2
		}
		if r := w.apply(w.manager, risk); r.Done != 0 || r.Token != "" || len(r.Refused) != 0 {
			t.Errorf("nothing to do: %+v", r)
		}
		gone := bulk.Change{Entity: e, Kind: bulk.Archive, Rows: rows}
		back := w.apply(w.manager, gone)
		if n := w.s.Client.Vendor.Query().Where(vendor.ArchivedAtNotNil()).CountX(w.manager); back.Done != 3 || n != 3 {
			t.Errorf("%+v, %d archived", back, n)
		}
		if _, err := w.s.Undo(w.manager, back.Token); err != nil {
			t.Fatal(err)
		}
		for id := range rows {
			rows[id] = 4
		}
		mark := bulk.Change{Entity: e, Kind: bulk.Tag, Rows: rows, Tag: urgent.ID}
		r := w.apply(w.manager, mark)
		if n := w.s.Client.TagLink.Query().CountX(testkit.System()); r.Done != 3 || n != 3 {
			t.Errorf("%+v, %d", r, n)
		}
		if _, err := w.s.Undo(w.manager, r.Token); err != nil {
			t.Fatal(err)
		}
		if n := w.s.Client.TagLink.Query().CountX(testkit.System()); n != 0 {
			t.Errorf("%d marks are left", n)
		}
	})
}
