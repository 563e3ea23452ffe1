package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
	"steward/internal/web"
)

func TestMeKeepsLanguageAndTokens(t *testing.T) {
	each(t, func(w *world) {
		p := w.get(w.pia, "/me").want(200).page()
		version := p.Attr("#profile-form input[name=version]", "value")
		a := w.post(w.pia, "/me/profile", sum("version", version, "language", "fr", "time_zone", "Europe/Paris")).want(303)
		if c := a.Cookies()[0]; c.Name != "lang" || c.Value != "fr" {
			t.Error(c)
		}
		got, err := w.s.Client.Person.Get(testkit.System(), w.pia.ID)
		if err != nil || got.Language == nil || *got.Language != "fr" || got.TimeZone != "Europe/Paris" {
			t.Errorf("%v %v", got, err)
		}
		w.post(w.pia, "/me/profile", sum("version", version, "language", "fr", "time_zone", "UTC")).want(409)
		w.post(w.pia, "/me/profile", sum("version", "2", "language", "fr", "time_zone", "Nowhere/Land")).want(422)
		w.post(w.pia, "/me/profile", sum("version", "2", "language", "de", "time_zone", "UTC")).want(422)
		a = w.post(w.pia, "/me/profile", sum("version", "2", "language", "", "time_zone", "UTC")).want(303)
		if got, err = w.s.Client.Person.Get(testkit.System(), w.pia.ID); err != nil || got.Language != nil || a.Cookies()[0].MaxAge >= 0 {
			t.Errorf("no language chosen: %v %v", got, err)
		}

		p = w.post(w.pia, "/me/tokens", sum("name", "", "days", "30")).want(422).page()
		p.WantHouseRules()
		p.Want(".banner.bad")
		w.post(w.pia, "/me/tokens", sum("name", "All", "days", "30", "roles", "app-admin", "portfolios", "*")).want(422) // not a role of hers
		p = w.post(w.pia, "/me/tokens", sum("name", "Nightly", "days", "30", "roles", "portfolio-manager", "portfolios", w.ours.ID.String())).want(200).page()
		if secret := p.Text("#secret"); !strings.HasPrefix(secret, "stw_") {
			t.Errorf("the secret is %q", secret)
		}
		p = w.get(w.pia, "/me").want(200).page()
		p.WantNone("#secret")
		p.Want("#tokens tbody tr", "Nightly", "Portfolio manager", "Common Components")
		revoke := p.Attr("#tokens form", "action")
		w.post(w.paul, revoke, url.Values{}).want(404)
		w.post(w.pia, revoke, url.Values{}).want(303)
		w.get(w.pia, "/me").want(200).page().Want("#tokens tbody tr", "Revoked")
		w.post(w.pia, "/me/sessions/ses_01J00000000000000000000000/end", url.Values{}).want(404)
	})
}

func TestAdminGrantsAndRevokes(t *testing.T) {
	each(t, func(w *world) {
		for _, path := range []string{"/admin/users", "/admin/audit", "/admin/integrations", "/admin/imports"} {
			w.get(w.vic, path).want(404)
		}
		w.get(w.ada, "/admin/users?q=vic").want(200).page().Want("a", "Vic")
		user := "/admin/users/" + w.vic.ID.String()
		w.get(w.ada, user).want(200).page().WantHouseRules()
		w.post(w.ada, user+"/roles", sum("role", "viewer", "reason", "")).want(422).page().Want(".banner.bad")
		w.post(w.ada, user+"/roles", sum("role", "viewer", "reason", "Helps out")).want(303)
		p := w.get(w.ada, user).want(200).page()
		p.Want("#user-roles li", "Viewer", "Helps out")
		w.post(w.ada, user+"/members", sum("where", "PORTFOLIO:"+w.ours.ID.String(), "level", "OWNER", "reason", "x")).want(422)
		w.post(w.ada, user+"/members", sum("where", "PORTFOLIO:"+w.ours.ID.String(), "level", "VIEWER", "reason", "Helps out")).want(303)
		w.get(w.ada, user).want(200).page().Want("#user-members li", "Common Components", "Viewer")
		w.post(w.vic, user+"/roles", sum("role", "app-admin", "reason", "me")).want(404)
		w.post(w.ada, "/admin/users/"+w.ada.ID.String()+"/roles", sum("role", "viewer", "reason", "me")).want(403)
		p.Want("#user-roles form textarea[name=reason][required]") // the form asks for what the verb demands
		w.post(w.ada, p.Attr("#user-roles form", "action"), sum("reason", "")).want(422)
		w.post(w.ada, p.Attr("#user-roles form", "action"), sum("reason", "Done")).want(303)
		w.get(w.ada, user).want(200).page().WantNone("#user-roles form")
		w.post(w.ada, user+"/active", sum("version", "1", "active", "false", "reason", "Left")).want(303)
		w.get(w.ada, user).want(200).page().Want(".badge", "Inactive")
		p = w.post(w.ada, "/admin/integrations/tokens", sum("service", "Ledger", "name", "Nightly", "days", "30", "roles", "viewer", "portfolios", "*")).want(200).page()
		p.Want("#secret", "stw_")
		p.Want("#services tbody tr", "Ledger")
		w.post(w.vic, "/admin/integrations/tokens", sum("service", "Mine", "name", "x", "days", "1", "roles", "viewer", "portfolios", "*")).want(404)
	})
}

// My work shows what the person can really do, and nothing to those it is not for.
func TestHome(t *testing.T) {
	each(t, func(w *world) {
		if err := w.move(w.otto, "/budget-plans/"+w.plan.Key, "SUBMITTED"); err != 303 {
			t.Fatalf("submitting answers %d", err)
		}
		w.get(w.fia, "/").want(200).page().Want("#plans li", "Forms 2026", "Decide")
		w.get(w.otto, "/").want(200).page().WantNone("#plans")
		w.get(w.vic, "/").want(200).page().WantNone(".todo")
		w.get(w.vic, "/").want(200).page().Want(".empty", "Nothing waits for you")
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Initiative.Create().SetName("Not mine").SetPortfolio(w.ours).Exec(ctx)
		})
		w.post(w.pia, "/initiatives", sum("name", "Mine", "portfolio_id", w.ours.ID.String(), "kind", "MINOR", "currency", "CAD")).want(303)
		p := w.get(w.pia, "/").want(200).page()
		p.Want("#drafts li", "Mine")
		p.WantCount("#drafts li", 1)
	})
}

// move makes a move with the version the page offers.
func (w *world) move(v *viewer.Viewer, path, to string) int {
	w.t.Helper()
	plan, err := w.s.Client.BudgetPlan.Get(testkit.System(), w.plan.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.post(v, path+"/moves/"+to, sum("version", strconv.Itoa(plan.Version), "note", "x")).StatusCode
}

// A button that a person sees works, and one they do not see is refused when it is
// posted by hand.
func TestEveryButtonKeepsItsWord(t *testing.T) {
	each(t, func(w *world) {
		paths := []string{"/contracts/" + w.contract.Key, "/procurements/" + w.procurement.Key, "/vendors/" + w.vendor.Key, "/components/" + w.component.Key, "/budget-lines/" + w.line.ID.String()}
		for _, v := range []*viewer.Viewer{w.aud, w.vic, w.pat, w.otto, w.eva, w.paul, w.pia} {
			for _, path := range paths {
				a := w.get(v, path)
				if a.StatusCode == 404 {
					continue
				}
				p := a.page()
				e := entity.ByPath(strings.Split(path, "/")[1])
				shown := map[string]bool{}
				for _, n := range p.All("form") {
					shown[attr(n, "action")] = true
				}
				if edit := len(p.All(`a[href="`+path+`/edit"]`)) > 0; edit != (w.get(v, path+"/edit").StatusCode == 200) {
					t.Errorf("%s: the edit button of %s lies", v.Name, path)
				}
				for _, rest := range []string{"/archive", "/moves/IN_PREPARATION", "/moves/UNDER_REVIEW", "/moves/SUBMITTED"} {
					if rest == "/archive" && !e.Archivable {
						continue
					}
					status := w.post(v, path+rest, sum("version", "999", "note", "x")).StatusCode // refused, if only for its version
					if !shown[path+rest] && status != 403 && status != 404 && status != 409 || shown[path+rest] && status != 409 {
						t.Errorf("%s: POST %s%s answers %d, shown: %v", v.Name, path, rest, status, shown[path+rest])
					}
				}
			}
		}
	})
}

func TestLimitsHold(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		w.h = web.New(web.Config{Store: s, Auth: w, Limits: web.Limits{ReadsPerMinute: 40, WritesPerSecond: 1}})
		refused := 0
		for range 30 {
			if a := w.get(w.pia, "/vendors/options?q="); a.StatusCode == http.StatusTooManyRequests {
				refused++
				if a.Header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
			}
		}
		if refused < 10 {
			t.Errorf("%d of 30 refused", refused)
		}
		w.get(w.paul, "/vendors/options?q=").want(200) // somebody else's limit is their own
		w.get(nil, "/sign-in").want(200)
	})
}
