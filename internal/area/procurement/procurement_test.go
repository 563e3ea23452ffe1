package procurement_test

import (
	"context"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/move"
	"steward/internal/area/procurement"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// The move to CONTRACTED may name the contract: one of the same portfolio that the
// mover can see. Every move keeps when it was made.
func TestEndsInAContract(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		var home *ent.Portfolio
		var file *ent.Procurement
		var ours, theirs *ent.Contract
		long := time.Now().UTC().Add(-240 * time.Hour).Truncate(time.Microsecond)
		if err := s.Tx(store.Moving(testkit.System()), func(ctx context.Context, c *ent.Client) error {
			home = c.Portfolio.Create().SetName("Home").SaveX(ctx)
			away := c.Portfolio.Create().SetName("Away").SaveX(ctx)
			ours = c.Contract.Create().SetName("Ours").SetPortfolioID(home.ID).SaveX(ctx)
			theirs = c.Contract.Create().SetName("Theirs").SetPortfolioID(away.ID).SaveX(ctx)
			file = c.Procurement.Create().SetName("File").SetPortfolioID(home.ID).SetStatus("SIGNED_OFF").SetStatusSince(long).SaveX(ctx)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		paul := viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: "per_paul", Name: "Paul", Roles: []string{"procurement-officer"}, Via: viewer.ViaPage, Lang: "en", SessionID: "ses_1", AuthTime: time.Now()})
		n, err := procurement.Move(paul, s, move.Input{ID: file.ID, To: "AWARDED", Version: 1})
		if err != nil || n.Status != "AWARDED" || time.Since(n.StatusSince) > time.Minute {
			t.Fatal(n, err)
		}
		for _, id := range []ident.ID{theirs.ID, "ctr_X"} {
			_, err := procurement.Move(paul, s, move.Input{ID: file.ID, To: "CONTRACTED", Version: 2, Contract: id})
			if e := errs.As(err); e == nil || e.Code != errs.Validation || e.Fields[0].Key != "procurement.no_such_contract" {
				t.Errorf("contract %s: %v", id, err)
			}
		}
		n, err = procurement.Move(paul, s, move.Input{ID: file.ID, To: "CONTRACTED", Version: 2, Contract: ours.ID})
		if err != nil || n.ContractID == nil || *n.ContractID != ours.ID || n.Version != 3 {
			t.Errorf("contracted: %v, %v", n, err)
		}
		if c, err := n.QueryContract().Only(paul); err != nil || c.ID != ours.ID {
			t.Errorf("what a verb returns can be followed afterwards: %v, %v", c, err)
		}
	})
}
