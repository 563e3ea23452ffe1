package app

import (
	"context"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/vendor"
	"steward/internal/area/notify"
	"steward/internal/area/view"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// TestWatchViews: the owner of a view with an alert is told once when its number is another than at the last
// look, counted with the rights they have now.
func TestWatchViews(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		var pia *ent.Person
		var grant *ent.RoleGrant
		more := func(name string) {
			t.Helper()
			if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
				return c.Vendor.Create().SetName(name).SetRisk(vendor.RiskHIGH).Exec(ctx)
			}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			pia = c.Person.Create().SetName("Pia").SaveX(ctx)
			grant = c.RoleGrant.Create().SetPersonID(pia.ID).SetRole(string(access.RoleFinanceOfficer)).SaveX(ctx)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		me := viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: pia.ID, Name: "Pia", Roles: []string{string(access.RoleFinanceOfficer)}, Via: viewer.ViaPage})
		id, err := view.Save(me, s, "Vendor", "f.risk=HIGH", view.Draft{Name: "Risky", Alert: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := view.Alerts(me, s); err == nil {
			t.Error("a person reads everybody's alerts")
		}
		look := func(wantTold int) {
			t.Helper()
			out := attempt(t, s, job.Kind{Name: "watch-views", Do: func(ctx context.Context, x *job.Run) error { return watchViews(ctx, x, s) }})
			if out["views"] != 1.0 || out["told"] != float64(wantTold) {
				t.Errorf("%v, want %d told", out, wantTold)
			}
		}
		more("A")
		look(0) // the first look only notes the number
		look(0)
		more("B")
		more("C")
		look(1)
		look(0)
		list, err := notify.List(me, s, 10, 0)
		if err != nil || len(list) != 1 || list[0].Args["before"] != 1.0 || list[0].Args["after"] != 3.0 || list[0].Href != "/vendors?f.risk=HIGH&view="+id.String() {
			t.Fatalf("%+v, %v", list, err)
		}
		// without the role there is nothing to count, and nothing is told
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.RoleGrant.UpdateOneID(ident.ID(grant.ID)).SetArchivedAt(time.Now()).Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		more("D")
		look(0)
		if n, err := notify.Unread(me, s); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
	})
}
