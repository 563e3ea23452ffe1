package approval_test

import (
	"context"
	"errors"
	"testing"
	"time"

	_ "steward/ent/registry"
	"steward/internal/area/approval"
	"steward/internal/platform/auth"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func as(role string, ago time.Duration) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + role), Name: role, Roles: []string{role},
		SessionID: "ses_1", AuthTime: time.Now().Add(-ago), Via: viewer.ViaPage})
}

// The threshold is changed by administrators with a recent sign-in, from what they saw,
// and the record of changes says from what to what.
func TestThreshold(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ada := as("app-admin", time.Minute)
		amount, version, err := approval.Get(ada, s)
		if err != nil || amount != approval.Usual || version != 1 {
			t.Fatalf("at first: %s, %d, %v", amount, version, err)
		}
		fifty := money.Amount(50_000_0000)
		for _, x := range []struct {
			ctx     context.Context
			version int
			amount  money.Amount
			want    errs.Code
		}{
			{as("auditor", 0), 1, fifty, errs.CodeNotFound}, {as("portfolio-manager", 0), 1, fifty, errs.CodeNotFound},
			{ada, 1, -1, errs.Validation}, {ada, 1, approval.Most + 1, errs.Validation}, {ada, 2, fifty, errs.Conflict},
		} {
			if err := approval.Save(x.ctx, s, x.version, x.amount); errs.CodeOf(err) != x.want {
				t.Errorf("%s from version %d by %s: %v", x.amount, x.version, viewer.From(x.ctx).Name, err)
			}
		}
		if err := approval.Save(as("app-admin", time.Hour), s, 1, fifty); !errors.Is(err, auth.ErrNotFresh) {
			t.Errorf("an hour after signing in: %v", err)
		}
		if _, _, err := approval.Get(as("auditor", 0), s); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("an auditor reads it: %v", err)
		}
		for _, to := range []money.Amount{fifty, 0, 0} {
			_, version, _ := approval.Get(ada, s)
			if err := approval.Save(ada, s, version, to); err != nil {
				t.Fatal(err)
			}
			if now, _, _ := approval.Get(ada, s); now != to {
				t.Errorf("saved %s, kept %s", to, now)
			}
		}
		if n := s.Client.ChangeEvent.Query().AllX(testkit.System()); len(n) != 4 { // two settings, each told with its amounts
			t.Errorf("%d rows in the record of changes: %v", len(n), n)
		}
		// nothing is asked of nothing; the least amount is above zero
		for amount, want := range map[money.Amount]bool{0: false, 1: true} {
			if above, err := approval.Above(ada, s, &amount); err != nil || above != want {
				t.Errorf("%s: %v, %v", amount, above, err)
			}
		}
		// a setting that makes no sense protects as the usual one does
		if _, err := s.Raw(testkit.System()).ExecContext(t.Context(), `UPDATE settings SET value = '{"amount":"all"}'`); err != nil {
			t.Fatal(err)
		}
		if now, _, _ := approval.Get(ada, s); now != approval.Usual {
			t.Errorf("nonsense counts as %s", now)
		}
	})
}
