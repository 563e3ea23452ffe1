package initiative_test

import (
	"context"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/initiative"
	"steward/internal/area/move"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// From the idea to the decision, each step by whom the table names.
func TestTheWayToADecision(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		var n *ent.Initiative
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			home := c.Portfolio.Create().SetName("Home").SaveX(ctx)
			p := c.Product.Create().SetName("P").SetPortfolioID(home.ID).SaveX(ctx)
			n = c.Initiative.Create().SetName("I").SetPortfolioID(home.ID).SetProductID(p.ID).SaveX(ctx)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		as := func(name, role string, ms ...viewer.Membership) context.Context {
			return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: "per_x", Name: name, Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, SessionID: "ses_1", AuthTime: time.Now()})
		}
		owner := as("Otto", "product-owner", viewer.Membership{Scope: viewer.ScopeProduct, ID: *n.ProductID, Level: viewer.LevelOwner, PortfolioID: n.PortfolioID})
		manager := as("Pia", "portfolio-manager", viewer.Membership{Scope: viewer.ScopePortfolio, ID: n.PortfolioID, Level: viewer.LevelManager})
		for _, step := range []struct {
			by context.Context
			to string
		}{{owner, "SUBMITTED"}, {manager, "SCREENED"}, {manager, "RANKED"}, {manager, "SCHEDULED"}, {manager, "PARKED"}, {manager, "RANKED"}} {
			var err error
			if n, err = initiative.Move(step.by, s, move.Input{ID: n.ID, To: step.to, Version: n.Version, Note: "next"}); err != nil || string(n.Status) != step.to {
				t.Fatal(step.to, err)
			}
		}
	})
}
