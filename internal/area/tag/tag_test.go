package tag_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/internal/area/tag"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

type world struct {
	*testing.T
	s                                *store.Store
	home                             *ent.Portfolio
	product                          *ent.Product
	contract                         *ent.Contract
	vendor                           *ent.Vendor
	urgent, later, old               *ent.Tag
	manager, reader, partner, farOff context.Context
}

func as(name, role string, ms ...viewer.Membership) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name, Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, Lang: "en"})
}

func each(t *testing.T, test func(*world)) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		tag.Install(s)
		w := &world{T: t, s: s}
		var away *ent.Portfolio
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			w.home, away = c.Portfolio.Create().SetName("Home").SaveX(ctx), c.Portfolio.Create().SetName("Away").SaveX(ctx)
			w.product = c.Product.Create().SetName("P").SetPortfolio(w.home).SaveX(ctx)
			w.vendor = c.Vendor.Create().SetName("OptIT").SaveX(ctx)
			w.contract = c.Contract.Create().SetName("C").SetPortfolio(w.home).SetVendor(w.vendor).SaveX(ctx)
			w.urgent, w.later = c.Tag.Create().SetName("Urgent").SaveX(ctx), c.Tag.Create().SetName("Later").SaveX(ctx)
			w.old = c.Tag.Create().SetName("Old").SetArchivedAt(w.urgent.CreatedAt).SaveX(ctx)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		at := func(p *ent.Portfolio, l viewer.Level) viewer.Membership {
			return viewer.Membership{Scope: viewer.ScopePortfolio, ID: p.ID, Level: l}
		}
		w.manager, w.farOff = as("Pia", "portfolio-manager", at(w.home, viewer.LevelManager)), as("Far", "portfolio-manager", at(away, viewer.LevelManager))
		w.reader = as("Vic", "viewer", at(w.home, viewer.LevelViewer))
		w.partner = as("Pat", "partner", viewer.Membership{Scope: viewer.ScopeVendor, ID: w.vendor.ID, Level: viewer.LevelPartner})
		test(w)
	})
}

// on says what a record is marked with.
func (w *world) on(ctx context.Context, id ident.ID) string {
	w.Helper()
	of, err := tag.Of(ctx, w.s, entity.OfID(id), id)
	if err != nil {
		w.Fatal(err)
	}
	var names []string
	for _, t := range of[id] {
		names = append(names, t.Name)
	}
	return strings.Join(names, ",")
}

func (w *world) mark(ctx context.Context, on ident.ID, add, remove []ident.ID) (string, error) {
	return w.s.Do(ctx, func(ctx context.Context, _ *ent.Client) error {
		return tag.Mark(ctx, w.s, entity.OfID(on), []ident.ID{on}, add, remove)
	})
}

func ids(list ...*ent.Tag) []ident.ID {
	var out []ident.ID
	for _, t := range list {
		out = append(out, t.ID)
	}
	return out
}

// Whoever may change a record marks it; it keeps its version, its history says so, and
// the mark can be undone although the record has changed since.
func TestMark(t *testing.T) {
	each(t, func(w *world) {
		token, err := w.mark(w.manager, w.product.ID, ids(w.urgent, w.later), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.on(w.reader, w.product.ID); got != "Later,Urgent" {
			t.Errorf("marked with %q", got)
		}
		if got := w.on(w.partner, w.product.ID); got != "" {
			t.Errorf("a partner sees %q", got)
		}
		if _, err := w.mark(w.manager, w.product.ID, ids(w.urgent), nil); err != nil {
			t.Errorf("again: %v", err)
		}
		past, err := w.s.History(w.manager, w.product.ID, 10, 0)
		if err != nil || len(past) != 2 || fmt.Sprint(past[0].Diff["+tags"][1]) != fmt.Sprintf("[%s %s]", w.urgent.ID, w.later.ID) {
			t.Errorf("the history says %v, %v", past, err)
		}
		err = w.s.Tx(w.manager, func(ctx context.Context, c *ent.Client) error {
			p := c.Product.GetX(ctx, w.product.ID)
			if p.Version != 1 {
				t.Errorf("version %d", p.Version)
			}
			return c.Product.UpdateOneID(p.ID).SetName("Q").Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		undone, err := w.s.Undo(w.manager, token)
		if err != nil || w.on(w.manager, w.product.ID) != "" {
			t.Fatalf("undone: %v, still %q", err, w.on(w.manager, w.product.ID))
		}
		if _, err := w.s.Undo(w.manager, undone.Token); err != nil || w.on(w.manager, w.product.ID) != "Later,Urgent" {
			t.Errorf("undone twice: %v, %q", err, w.on(w.manager, w.product.ID))
		}
		if _, err := w.mark(w.manager, w.product.ID, nil, ids(w.urgent)); err != nil || w.on(w.manager, w.product.ID) != "Later" {
			t.Errorf("%v, %q", err, w.on(w.manager, w.product.ID))
		}
	})
}

func TestWhoMayMark(t *testing.T) {
	each(t, func(w *world) {
		refused := func(ctx context.Context, on ident.ID, add []ident.ID, want errs.Code) {
			t.Helper()
			if _, err := w.mark(ctx, on, add, nil); errs.CodeOf(err) != want {
				t.Errorf("%s: %v, want %s", on, err, want)
			}
		}
		refused(w.reader, w.product.ID, ids(w.urgent), errs.CodeForbidden)
		refused(w.farOff, w.product.ID, ids(w.urgent), errs.CodeNotFound)
		refused(w.partner, w.contract.ID, ids(w.urgent), errs.CodeNotFound)
		refused(w.manager, w.urgent.ID, ids(w.later), errs.CodeNotFound)
		refused(w.manager, w.product.ID, ids(w.old), errs.Validation)
		refused(w.manager, w.product.ID, []ident.ID{"tag_none"}, errs.Validation)
		var many []*ent.Tag
		if err := w.s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			for i := range tag.Most + 1 {
				many = append(many, c.Tag.Create().SetName(fmt.Sprint("t", i)).SaveX(ctx))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		refused(w.manager, w.product.ID, ids(many...), errs.Limit)
		if got := w.on(w.manager, w.product.ID); got != "" {
			t.Errorf("marked with %q all the same", got)
		}
	})
}

// Many records are marked, and found by their tag, in as few statements as thirty, whose
// audit rows are too many for one statement with all else.
func TestManyAtOnce(t *testing.T) {
	each(t, func(w *world) {
		e := entity.ByName("Vendor")
		var all []ident.ID
		if err := w.s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			for i := range 120 {
				all = append(all, c.Vendor.Create().SetName(fmt.Sprint("V", i)).SaveX(ctx).ID)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		statements := func(list []ident.ID) int64 {
			t.Helper()
			w.s.Statements.Reset()
			if err := tag.Mark(w.manager, w.s, e, list, ids(w.urgent), nil); err != nil {
				t.Fatal(err)
			}
			return int64(w.s.Statements.N())
		}
		if few, many := statements(all[:30]), statements(all[30:]); few != many {
			t.Errorf("%d statements for 30 records, %d for 90", few, many)
		}
		n, err := e.Count(w.manager, w.s.Client, func(sel *sql.Selector) { tag.With(w.urgent.ID)(sel) })
		if err != nil || n != 120 {
			t.Errorf("%d found, %v", n, err)
		}
	})
}
