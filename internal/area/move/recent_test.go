package move_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/approval"
	"steward/internal/area/move"
	"steward/internal/platform/auth"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// AN-17: an approval above the second threshold, and of what is not known, wants a recent
// proof of who gives it; the threshold is a setting. At it, or below, nothing is asked.
func TestLargeApprovalsWantARecentSignIn(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		const threshold = 100_000_0000
		over, at := money.Amount(threshold+1), money.Amount(threshold)
		for _, x := range []struct{ name, from, to, role, column string }{
			{"Contract", "UNDER_REVIEW", "APPROVED", "expense-authority", "ceiling"},
			{"Procurement", "RECOMMENDED", "SIGNED_OFF", "expense-authority", "estimate"},
			{"Procurement", "SIGNED_OFF", "AWARDED", "procurement-officer", "estimate"},
			{"Initiative", "SCHEDULED", "APPROVED", "executive", "lifecycle_cost"},
		} {
			made := func(amount *money.Amount) ident.ID {
				id := w.make(x.name, x.from, w.ours, w.product)
				w.tx(func(ctx context.Context, c *ent.Client) {
					u := entity.ByName(x.name).Edit(c, id, 0)
					if amount == nil {
						if x.name == "Contract" {
							x.column = "value"
						}
						_ = u.Mutation.ClearField(x.column)
					} else if err := u.Mutation.SetField(x.column, *amount); err != nil {
						t.Fatal(err)
					}
					if _, err := u.Save(ctx); err != nil {
						t.Fatal(err)
					}
				})
				return id
			}
			decider := func(ago time.Duration) context.Context {
				v := who("decider", []string{x.role}, w.everywhere()...)
				v.AuthTime = time.Now().Add(-ago)
				return as(v)
			}
			old := decider(11 * time.Minute)
			do := func(ctx context.Context, id ident.ID) error {
				return move.Do(ctx, s, move.Input{Entity: x.name, ID: id, To: x.to, Version: 2, Note: "because"})
			}
			wants := func(ctx context.Context, id ident.ID) bool {
				asked, err := move.WantsProof(ctx, s, x.name, id, x.to)
				if err != nil {
					t.Error(err)
				}
				return asked
			}
			large, small, unknown := made(&over), made(&at), made(nil)
			for _, id := range []ident.ID{large, unknown} {
				before, counted := w.row(x.name, id), w.events()
				if err := do(old, id); !errors.Is(err, auth.ErrNotFresh) || counted != w.events() || stateOf(x.name, w.row(x.name, id)) != stateOf(x.name, before) {
					t.Errorf("%s to %s: %v", x.name, x.to, err)
				}
				if !wants(old, id) {
					t.Errorf("%s to %s: the form is not told", x.name, x.to)
				}
			}
			if wants(old, small) {
				t.Errorf("%s to %s at the threshold: the form is asked", x.name, x.to)
			}
			if err := do(old, small); err != nil {
				t.Errorf("%s to %s at the threshold: %v", x.name, x.to, err)
			}
			// who may not is told so, and not sent to sign in
			none := who("other", []string{"viewer", "contributor", "auditor"}, w.everywhere()...)
			none.AuthTime = time.Time{}
			if err := do(as(none), large); errs.CodeOf(err) != errs.CodeForbidden || wants(as(none), large) {
				t.Errorf("%s to %s by somebody else: %v", x.name, x.to, err)
			}
			if err := do(auth.WithFresh(old, time.Hour), large); err != nil {
				t.Errorf("%s to %s where an hour is recent: %v", x.name, x.to, err)
			}
			want := errs.Code("")
			if x.name == "Contract" { // none is approved without a value
				want = errs.Validation
			}
			if err := do(decider(time.Minute), unknown); errs.CodeOf(err) != want {
				t.Errorf("%s to %s after a recent sign-in: %v", x.name, x.to, err)
			}
		}
		// a higher threshold asks for less
		admin := who("ada", []string{"app-admin"})
		if err := approval.Save(as(admin), s, 1, over); err != nil {
			t.Fatal(err)
		}
		id := w.make("Procurement", "SIGNED_OFF", w.ours, nil)
		w.tx(func(ctx context.Context, c *ent.Client) { c.Procurement.UpdateOneID(id).SetEstimate(over).ExecX(ctx) })
		v := who("late", []string{"procurement-officer"}, w.everywhere()...)
		v.AuthTime = time.Now().Add(-time.Hour)
		if err := move.Do(viewer.With(context.Background(), v), s, move.Input{Entity: "Procurement", ID: id, To: "AWARDED", Version: 2}); err != nil {
			t.Errorf("below a higher threshold: %v", err)
		}
	})
}
