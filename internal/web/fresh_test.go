package web_test

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// AN-17: who hands out rights has proved recently who they are. An older session
// goes to the provider and comes back to the page with the form.
func TestHandingOutRightsWantsARecentSignIn(t *testing.T) {
	each(t, func(w *world) {
		old := func(v *viewer.Viewer) *viewer.Viewer {
			x := *v
			x.AuthTime = time.Now().Add(-11 * time.Minute)
			return &x
		}
		var waiting ident.ID
		w.do(func(ctx context.Context, c *ent.Client) error {
			g, err := c.RoleGrant.Create().SetPersonID(w.vic.ID).SetRole("finance-officer").SetReason("x").SetArchivedAt(time.Now()).
				SetCustom(map[string]any{"requestedBy": "per_other"}).Save(ctx)
			if err == nil {
				waiting = g.ID
			}
			return err
		})
		user := "/admin/users/" + w.vic.ID.String()
		token := sum("name", "Nightly", "days", "30", "roles", "portfolio-manager", "portfolios", w.ours.ID.String())
		service := sum("service", "Ledger", "name", "Nightly", "days", "30", "roles", "viewer", "portfolios", "*")
		rows := func() [3]int {
			ctx, c := testkit.System(), w.s.Client
			return [3]int{c.RoleGrant.Query().CountX(ctx), c.ApiToken.Query().CountX(ctx), c.Integration.Query().CountX(ctx)}
		}
		for _, x := range []struct {
			v        *viewer.Viewer
			to, from string
			form     url.Values
			done     int
		}{
			{w.pia, "/me/tokens", "/me", token, 200},
			{w.ada, user + "/roles", user, sum("role", "viewer", "reason", "Helps out"), 303},
			{w.ada, "/admin/roles/" + waiting.String() + "/confirm", user, sum(), 303},
			{w.ada, "/admin/integrations/tokens", "/admin/integrations", service, 200},
		} {
			before := rows()
			proof := "/auth/login?fresh=1&to=" + url.QueryEscape(x.from)
			referer := []string{"Referer", "http://example.com" + x.from}
			if to := w.post(old(x.v), x.to, x.form, referer...).want(303).Header.Get("Location"); to != proof {
				t.Errorf("%s leads to %s", x.to, to)
			}
			htmx := append(referer, "HX-Request", "true")
			if to := w.post(old(x.v), x.to, x.form, htmx...).want(401).Header.Get("HX-Redirect"); to != proof {
				t.Errorf("%s leads a fragment to %s", x.to, to)
			}
			ask := "/me/session?for=" + url.QueryEscape(x.to)
			if to := w.get(old(x.v), ask, htmx...).want(401).Header.Get("HX-Redirect"); to != proof {
				t.Errorf("asked about %s: %s", x.to, to)
			}
			w.get(x.v, ask, htmx...).want(204)
			if after := rows(); after != before {
				t.Errorf("%s wrote something: %v, then %v", x.to, before, after)
			}
			w.post(x.v, x.to, x.form, referer...).want(x.done)
		}
		// other forms do not ask, and who may not is told so instead of being sent to sign in
		w.get(old(w.pia), "/me/session?for=/vendors", "HX-Request", "true").want(204)
		w.get(old(w.pia), "/me/session", "HX-Request", "true").want(204)
		w.post(old(w.vic), user+"/roles", sum("role", "viewer", "reason", "me")).want(404)
		if a := w.post(old(w.pia), "/me/tokens", token, "Referer", "http://elsewhere.example/x").want(303); !strings.HasSuffix(a.Header.Get("Location"), "to=%2F") {
			t.Errorf("another site is come back to: %s", a.Header.Get("Location"))
		}
	})
}

// AN-17: a large approval wants it too; a small one, and any other step, does not. Who
// comes back finds the page with the step.
func TestLargeApprovalsWantARecentSignIn(t *testing.T) {
	each(t, func(w *world) {
		recommend := func(estimate money.Amount) string {
			w.t.Helper()
			if err := w.s.Tx(store.Moving(testkit.System()), func(ctx context.Context, c *ent.Client) error {
				return c.Procurement.UpdateOneID(w.procurement.ID).SetStatus("RECOMMENDED").SetEstimate(estimate).Exec(ctx)
			}); err != nil {
				t.Fatal(err)
			}
			return strconv.Itoa(w.s.Client.Procurement.GetX(testkit.System(), w.procurement.ID).Version)
		}
		old := *w.eva
		old.AuthTime = time.Now().Add(-11 * time.Minute)
		page := "/procurements/" + w.procurement.ID.String()
		sign := page + "/moves/SIGNED_OFF"
		referer := []string{"Referer", "http://example.com" + page}
		htmx := append(referer, "HX-Request", "true")
		proof := "/auth/login?fresh=1&to=" + url.QueryEscape(page)
		version := recommend(100_000_0001)
		if to := w.post(&old, sign, sum("version", version), referer...).want(303).Header.Get("Location"); to != proof {
			t.Errorf("leads to %s", to)
		}
		for name, a := range map[string]answer{"a fragment": w.post(&old, sign, sum("version", version), htmx...), "the question before": w.get(&old, "/me/session?for="+sign, htmx...)} {
			if to := a.want(401).Header.Get("HX-Redirect"); to != proof {
				t.Errorf("%s leads to %s", name, to)
			}
		}
		if now := w.s.Client.Procurement.GetX(testkit.System(), w.procurement.ID); now.Status != "RECOMMENDED" {
			t.Errorf("it is %s", now.Status)
		}
		for _, path := range []string{page + "/moves/CANCELLED", page + "/moves/NOTHING", "/procurements/prc_1/moves/SIGNED_OFF", "/vendors/x/moves/y", "/nothing/x/moves/y"} {
			w.get(&old, "/me/session?for="+path, htmx...).want(204)
		}
		w.get(w.eva, "/me/session?for="+sign, htmx...).want(204)
		w.post(w.eva, sign, sum("version", version), referer...).want(303)
		version = recommend(100_000_0000)
		w.get(&old, "/me/session?for="+sign, htmx...).want(204)
		if to := w.post(&old, sign, sum("version", version), referer...).want(303).Header.Get("Location"); !strings.HasPrefix(to, "/procurements/") {
			t.Errorf("at the threshold it leads to %s", to)
		}
	})
}
