package comment_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/comment"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func as(name, role string, ms ...viewer.Membership) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name, Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, Lang: "en"})
}

type world struct {
	*testing.T
	s                                    *store.Store
	home, away                           *ent.Portfolio
	product                              *ent.Product
	vendor                               *ent.Vendor
	contract                             *ent.Contract
	plan                                 *ent.BudgetPlan
	manager, owner, reader, partner, far context.Context
}

func each(t *testing.T, test func(w *world)) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := &world{T: t, s: s}
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			w.home, w.away = c.Portfolio.Create().SetName("Home").SaveX(ctx), c.Portfolio.Create().SetName("Away").SaveX(ctx)
			w.product = c.Product.Create().SetName("P").SetPortfolioID(w.home.ID).SaveX(ctx)
			w.vendor = c.Vendor.Create().SetName("OptIT").SaveX(ctx)
			w.contract = c.Contract.Create().SetName("C").SetPortfolioID(w.home.ID).SetVendorID(w.vendor.ID).AddProductIDs(w.product.ID).SaveX(ctx)
			w.plan = c.BudgetPlan.Create().SetName("B").SetPortfolioID(w.home.ID).SetFiscalYear(2026).SaveX(ctx)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		at := func(p *ent.Portfolio, l viewer.Level) viewer.Membership {
			return viewer.Membership{Scope: viewer.ScopePortfolio, ID: p.ID, Level: l}
		}
		w.manager = as("Pia", "portfolio-manager", at(w.home, viewer.LevelManager))
		w.owner = as("Otto", "product-owner", viewer.Membership{Scope: viewer.ScopeProduct, ID: w.product.ID, Level: viewer.LevelOwner, PortfolioID: w.home.ID})
		w.reader = as("Vic", "viewer", at(w.home, viewer.LevelViewer))
		w.partner = as("Pat", "partner", viewer.Membership{Scope: viewer.ScopeVendor, ID: w.vendor.ID, Level: viewer.LevelPartner})
		w.far = as("Far", "portfolio-manager", at(w.away, viewer.LevelManager))
		test(w)
	})
}

// Whoever reads the record reads its comments and may add one; for all others
// there are none.
func TestSeenAsTheRecordIs(t *testing.T) {
	each(t, func(w *world) {
		all := map[string]context.Context{"manager": w.manager, "owner": w.owner, "reader": w.reader, "partner": w.partner, "far": w.far}
		for _, c := range []struct {
			subject ident.ID
			sees    string
		}{
			{w.product.ID, "manager owner reader"}, {w.contract.ID, "manager owner partner"}, {w.plan.ID, "manager"},
			{w.home.ID, "manager owner reader"}, {w.vendor.ID, "manager owner reader partner far"}, {"prd_X", ""}, {"rgr_X", ""}, {"nonsense", ""},
		} {
			n := 0
			for name, ctx := range all {
				sees := contains(c.sees, name)
				_, err := comment.Add(ctx, w.s, c.subject, " Hello from "+name+" ")
				_, lerr := comment.List(ctx, w.s, c.subject, 0, 0)
				if sees && (err != nil || lerr != nil) || !sees && (errs.CodeOf(err) != errs.CodeNotFound || errs.CodeOf(lerr) != errs.CodeNotFound) {
					t.Errorf("%s on %s: add %v, list %v", name, c.subject, err, lerr)
				}
				if sees {
					n++
				}
			}
			if n > 0 {
				for name, ctx := range all {
					if list, _ := comment.List(ctx, w.s, c.subject, 0, 0); contains(c.sees, name) && len(list) != n {
						t.Errorf("%s reads %d of %d comments on %s", name, len(list), n, c.subject)
					}
				}
			}
		}
		list, err := comment.List(w.manager, w.s, w.contract.ID, 2, 1)
		if err != nil || len(list) != 2 || list[0].CreatedAt.After(list[1].CreatedAt) {
			t.Errorf("a page: %v, %v", list, err)
		}
		if x := list[0]; x.SubjectType != "Contract" || *x.PortfolioID != w.home.ID || *x.VendorID != w.vendor.ID || x.AuthorID == "" || !strings.HasPrefix(x.Body, "Hello from ") {
			t.Errorf("kept as %+v", x)
		}
		// The interceptor agrees where it is asked for comments across records.
		if n := w.s.Client.Comment.Query().CountX(w.far); n != 5 {
			t.Errorf("the other manager counts %d comments in all, not the 5 on the vendor", n)
		}
	})
}

func TestItsAuthorChangesItForFifteenMinutes(t *testing.T) {
	each(t, func(w *world) {
		x, err := comment.Add(w.manager, w.s, w.product.ID, "First")
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{"", " \n", string(make([]rune, 20001)) + "x"} {
			if _, err := comment.Edit(w.manager, w.s, x.ID, 1, body); errs.CodeOf(err) != errs.Validation {
				t.Errorf("%d characters: %v", len(body), err)
			}
		}
		if _, err := comment.Edit(w.owner, w.s, x.ID, 1, "Mine"); errs.CodeOf(err) != errs.CodeForbidden {
			t.Errorf("another's: %v", err)
		}
		if _, err := comment.Edit(w.far, w.s, x.ID, 1, "Mine"); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("an invisible one: %v", err)
		}
		if x, err = comment.Edit(w.manager, w.s, x.ID, 1, " Second "); err != nil || x.Body != "Second" || x.Version != 2 {
			t.Fatal(x, err)
		}
		if _, err := comment.Edit(w.manager, w.s, x.ID, 1, "Third"); errs.CodeOf(err) != errs.Conflict {
			t.Errorf("stale: %v", err)
		}
		// created_at never changes, so the clock is set back past the guards.
		old := time.Now().UTC().Add(-comment.EditableFor)
		if _, err := w.s.DB.Exec("UPDATE comments SET created_at = $1", old); err != nil {
			t.Fatal(err)
		}
		if _, err := comment.Edit(w.manager, w.s, x.ID, 2, "Late"); errs.As(err) == nil || errs.As(err).Key != "comment.too_late" {
			t.Errorf("after the time: %v", err)
		}
		list, _ := comment.List(w.manager, w.s, w.product.ID, 0, 0)
		if len(list) != 1 || list[0].Body != "Second" || comment.Editable(viewer.From(w.manager), list[0]) {
			t.Errorf("it is %+v", list)
		}
	})
}

func contains(list, name string) bool { return slices.Contains(strings.Fields(list), name) }
