package store_test

import (
	"context"
	"testing"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// world is two portfolios with a product each and a manager of the first.
type world struct {
	ours, theirs       *ent.Portfolio
	ourProd, theirProd *ent.Product
	manager            context.Context
}

func person(name string, roles []string, ms ...viewer.Membership) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name, Roles: roles, Memberships: ms, Via: viewer.ViaPage, Lang: "en"})
}

func build(t *testing.T, s *store.Store) world {
	t.Helper()
	var w world
	err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		w.ours = c.Portfolio.Create().SetName("Ours").SetKey("ours").SaveX(ctx)
		w.theirs = c.Portfolio.Create().SetName("Theirs").SaveX(ctx)
		w.ourProd = c.Product.Create().SetName("CHEFS").SetKey("chefs").SetPortfolioID(w.ours.ID).SaveX(ctx)
		w.theirProd = c.Product.Create().SetName("Secret").SetPortfolioID(w.theirs.ID).SaveX(ctx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.manager = person("pia", []string{"portfolio-manager"}, viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.ours.ID, Level: viewer.LevelManager})
	return w
}

func TestRowsOutsideTheReachAreAbsent(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		if w.ours.Key != "PF-OURS" || w.theirs.Key != "PF-000001" || w.ourProd.Key != "PRD-CHEFS" {
			t.Errorf("keys are %s, %s and %s", w.ours.Key, w.theirs.Key, w.ourProd.Key)
		}
		if n := s.Client.Product.Query().CountX(w.manager); n != 1 {
			t.Errorf("the manager counts %d products, not 1", n)
		}
		if _, err := s.Client.Product.Get(w.manager, w.theirProd.ID); !ent.IsNotFound(err) {
			t.Errorf("a foreign product answers %v", err)
		}
	})
}
