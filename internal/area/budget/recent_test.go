package budget

import (
	"context"
	"errors"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/platform/auth"
	"steward/internal/platform/store"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// AN-17: whoever approves a plan of more than the second threshold has signed in recently.
func TestALargePlanWantsARecentSignIn(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		submitted := func(planned *money.Amount) *ent.BudgetPlan {
			var p *ent.BudgetPlan
			err := s.Tx(store.Moving(testkit.System()), func(ctx context.Context, c *ent.Client) (err error) {
				p, err = c.BudgetPlan.Create().SetName("Plan").SetPortfolioID(w.plan.PortfolioID).SetFiscalYear(w.plan.FiscalYear).
					SetStatus("SUBMITTED").SetNillablePlannedTotal(planned).Save(ctx)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		fia := *viewer.From(w.finance)
		fia.AuthTime = time.Now().Add(-11 * time.Minute)
		old := viewer.With(context.Background(), &fia)
		at, over := money.Amount(100_000_0000), money.Amount(100_000_0001)
		large := submitted(&over)
		if _, err := Move(old, s, large.ID, "APPROVED", large.Version, ""); !errors.Is(err, auth.ErrNotFresh) {
			t.Errorf("above the threshold: %v", err)
		}
		if wants, err := WantsProof(old, s, large.ID, "APPROVED"); err != nil || !wants {
			t.Errorf("the form is told %v, %v", wants, err)
		}
		if wants, err := WantsProof(w.manager, s, large.ID, "APPROVED"); err != nil || wants {
			t.Errorf("who may not is told %v, %v", wants, err)
		}
		if _, err := Move(old, s, large.ID, "RETURNED", large.Version, "too much"); err != nil {
			t.Errorf("returning wants nothing: %v", err)
		}
		for name, p := range map[string]*ent.BudgetPlan{"at the threshold": submitted(&at), "without amounts": submitted(nil)} {
			if _, err := Move(old, s, p.ID, "APPROVED", p.Version, ""); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		again := submitted(&over)
		if _, err := Move(w.finance, s, again.ID, "APPROVED", again.Version, ""); err != nil {
			t.Errorf("after a recent sign-in: %v", err)
		}
	})
}
