package web_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/rules/ident"
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
