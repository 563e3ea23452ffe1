package app_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/apitoken"
	"steward/ent/changeevent"
	"steward/ent/membership"
	"steward/ent/person"
	"steward/ent/rolegrant"
	"steward/internal/area/people"
	"steward/internal/platform/event"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

// AU-2: whatever the catalogue lists is in the record of changes when it happens, done
// here through a running server by people, and told on the page of the audit.
func TestEventCatalogue(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database, "--demo")
		ctx, s := testkit.System(), a.Store()
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		send := func(c *http.Client, method, path string, form url.Values, want int) string {
			t.Helper()
			r, err := http.NewRequest(method, a.URL()+path, strings.NewReader(form.Encode()))
			check(err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			stay := *c
			stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			answer, err := stay.Do(r)
			check(err)
			defer answer.Body.Close()
			b, err := io.ReadAll(answer.Body)
			check(err)
			if answer.StatusCode != want {
				t.Fatalf("%s %s: %d, want %d\n%.500s", method, path, answer.StatusCode, want, b)
			}
			return string(b)
		}
		form := func(pairs ...string) url.Values {
			v := url.Values{}
			for i := 0; i+1 < len(pairs); i += 2 {
				v.Set(pairs[i], pairs[i+1])
			}
			return v
		}
		ada, _ := enter(t, a, "ada.admin")
		nora, _ := enter(t, a, "nora.norole")
		aud, _ := enter(t, a, "aud.auditor")
		pia, _ := enter(t, a, "pia.portfolio")
		vera, _ := enter(t, a, "vera.vendor")
		who := func(mail string) ident.ID {
			t.Helper()
			id, err := s.Client.Person.Query().Where(person.EmailHasPrefix(mail)).FirstID(ctx)
			check(err)
			return id
		}
		_, err := people.Grant(ctx, s, people.RoleInput{Person: who("nora.norole"), Role: "app-admin", Reason: "second administrator"})
		check(err)

		// roles, memberships, tokens, settings
		user := "/admin/users/" + who("vera.vendor").String()
		send(ada, "POST", user+"/roles", form("role", "finance-officer", "reason", "stands in"), 303)
		grant, err := s.Client.RoleGrant.Query().Where(rolegrant.Role("finance-officer"), rolegrant.PersonID(who("vera.vendor"))).FirstID(ctx)
		check(err)
		send(nora, "POST", "/admin/roles/"+grant.String()+"/confirm", form(), 303)
		send(nora, "POST", "/admin/roles/"+grant.String()+"/revoke", form("reason", "is back"), 303)
		send(ada, "POST", user+"/members", form("where", "ALL:", "level", "VIEWER", "reason", "looks in"), 303)
		member, err := s.Client.Membership.Query().Where(membership.PersonID(who("vera.vendor")), membership.ScopeEQ(membership.ScopeALL)).FirstID(ctx)
		check(err)
		send(ada, "POST", "/admin/members/"+member.String()+"/remove", form("reason", "is done"), 303)
		send(pia, "POST", "/me/tokens", form("name", "Nightly", "days", "3", "roles", "portfolio-manager", "portfolios", "*"), 200)
		token, err := s.Client.ApiToken.Query().Where(apitoken.Name("Nightly")).FirstID(ctx)
		check(err)
		send(pia, "POST", "/me/tokens/"+token.String()+"/revoke", form(), 303)
		send(ada, "POST", "/admin/settings", form("version", "1", "audit", "400", "sessions", "30", "notifications", "90", "jobs", "7", "failed-jobs", "90", "uploads", "1", "idempotency-keys", "30"), 303)

		// files that leave
		send(pia, "GET", "/vendors.csv", nil, 200)
		send(aud, "GET", "/admin/audit", nil, 200)
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) { // the server seals
			r, err := s.VerifyAudit(t.Context(), "")
			check(err)
			if r.Unsealed == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v", r)
			}
		}
		file := send(aud, "GET", "/admin/audit.jsonl", nil, 200)
		send(pia, "GET", "/admin/audit.jsonl", nil, 404)
		send(ada, "GET", "/admin/audit.jsonl", nil, 403) // reads that something happened, not all of what
		send(vera, "GET", "/me/data.json", nil, 200)

		// refused
		send(pia, "POST", user+"/roles", form("role", "app-admin", "reason", "please"), 404)
		send(http.DefaultClient, "GET", "/auth/callback?state=made-up&code=x", nil, 400)
		if status, _, err := ask(http.DefaultClient, a.Addr(), "stw_nonsense", "{ viewer { roles } }", nil); status != 401 || err != nil {
			t.Errorf("a token that is none: %d %v", status, err)
		}
		// a person is erased, a session ends, and what is old goes
		send(ada, "POST", user+"/erase", form("reason", "asked for it"), 303)
		send(pia, "POST", "/auth/logout", nil, 303)
		check(s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			_, about, err := s.PurgeAudit(ctx, time.Now().Add(time.Hour), 1)
			if err != nil {
				return err
			}
			return purged(ctx, about)
		}))

		rows, err := s.Client.ChangeEvent.Query().All(ctx)
		check(err)
		seen := map[event.Name]*ent.ChangeEvent{}
		for _, x := range rows {
			if name := event.Of(x); name != "" {
				seen[name] = x
			}
		}
		for _, e := range event.Catalogue {
			x := seen[e.Name]
			if x == nil {
				t.Errorf("%s happened and is not in the record of changes", e.Name)
			} else if e.Entity != "" && x.EntityType != e.Entity {
				t.Errorf("%s is about %s", e.Name, x.EntityType)
			}
			delete(seen, e.Name)
		}
		if len(seen) > 0 {
			t.Errorf("not in the catalogue: %v", slices.Collect(maps.Keys(seen)))
		}
		refused, err := s.Client.ChangeEvent.Query().Where(changeevent.OpEQ(changeevent.OpEVENT), changeevent.ActorName("Pia Portfolio")).All(ctx)
		check(err)
		if !slices.ContainsFunc(refused, func(x *ent.ChangeEvent) bool {
			return x.Diff["route"][1] == "POST /admin/users/{id}/roles" && x.Diff["record"][1] == strings.TrimPrefix(user, "/admin/users/")
		}) {
			t.Errorf("what Pia was refused: %v", refused)
		}
		if page := send(aud, "GET", "/admin/audit?op=EVENT", nil, 200); !strings.Contains(page, "was refused something") {
			t.Error("the page of the audit does not tell it")
		}

		// AU-5: the file verifies by command, altered it does not
		name := filepath.Join(t.TempDir(), "audit.jsonl")
		check(os.WriteFile(name, []byte(file), 0o600))
		if code, out, errs := run(t, "audit", "verify", "--file", name); code != 0 || !strings.Contains(out, "head") {
			t.Errorf("exit %d\n%s%s", code, out, errs)
		}
		check(os.WriteFile(name, []byte(strings.Replace(file, "stands in", "stands out", 1)), 0o600))
		if code, out, errs := run(t, "audit", "verify", "--file", name); code != 1 || !strings.Contains(errs, "altered") {
			t.Errorf("altered: exit %d\n%s%s", code, out, errs)
		}
		if code, _, errs := run(t, "audit", "export", "--database", database, filepath.Join(t.TempDir(), "all.jsonl")); code != 0 || !strings.Contains(errs, "head") {
			t.Errorf("audit export: %d %s", code, errs)
		}
		if out := must(t, "person", "export", "--database", database, "aud.auditor@steward.example"); !strings.Contains(out, `"persons"`) {
			t.Errorf("person export: %.300s", out)
		}
		must(t, "person", "erase", "--database", database, "--reason", "asked", "aud.auditor@steward.example")
		if found := testkit.Find(t, s, "aud.auditor@steward.example"); len(found) > 0 {
			t.Errorf("after person erase: %v", found)
		}
		if code, out, errs := run(t, "audit", "verify", "--database", database); code != 0 || !strings.Contains(out, "redacted") || !strings.Contains(out, "purged") {
			t.Errorf("after all that: exit %d\n%s%s", code, out, errs)
		}
	})
}

// purged notes a purge as the job does.
func purged(ctx context.Context, about map[string]any) error {
	return store.Note(ctx, event.Change(event.Purged, store.Change{Entity: "Setting"}, about))
}
