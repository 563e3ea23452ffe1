package people_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/comment"
	"steward/internal/area/people"
	"steward/internal/platform/auth"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// lived makes somebody who has left traces in many places.
func lived(w *world) *ent.Person {
	w.Helper()
	var zoe *ent.Person
	err := w.s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		zoe = c.Person.Create().SetName(`Zoë "Zed" Canary`).SetEmail("Zoe.Canary@example.org").SetTitle("Canary keeper").SaveX(ctx)
		c.PersonIdentity.Create().SetPersonID(zoe.ID).SetIssuer("https://id.example.org").SetSubject("canary-subject").ExecX(ctx)
		c.Session.Create().SetPersonID(zoe.ID).SetTokenHash("h1").SetAuthTime(time.Now()).SetLastSeenAt(time.Now()).SetIdpCheckedAt(time.Now()).
			SetExpiresAt(time.Now().Add(time.Hour)).SetSubject("canary-subject").SetUserAgent("Canary browser").ExecX(ctx)
		c.CalendarFeed.Create().SetPersonID(zoe.ID).SetTokenHash("h2").SetName("Canary calendar").ExecX(ctx)
		c.ApiToken.Create().SetPersonID(zoe.ID).SetName("of zoe.canary@example.org").SetTokenHash("h3").SetExpiresAt(time.Now().Add(time.Hour)).ExecX(ctx)
		c.Vendor.Create().SetName("Friends of " + zoe.Name).SetNote("Ask " + zoe.Email).ExecX(ctx)
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	member := viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.ours.ID, Level: viewer.LevelManager}
	own := viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: zoe.ID, Name: zoe.Name, Roles: []string{"portfolio-manager"}, Memberships: []viewer.Membership{member}, Via: viewer.ViaPage, Lang: "en"})
	if _, err := comment.Add(own, w.s, w.ours.ID, "I wrote this"); err != nil {
		w.Fatal(err)
	}
	if _, err := w.s.Seal(w.Context()); err != nil {
		w.Fatal(err)
	}
	return zoe
}

// PV-3: everything about one person, to themselves and to those who look after people.
func TestDataOfOnePerson(t *testing.T) {
	each(t, func(w *world) {
		zoe := lived(w)
		for who, ctx := range map[string]context.Context{"themselves": as(zoe.ID, "viewer"), "a people lead": as("per_hana", "people-lead"), "an administrator": w.admin} {
			data, err := people.Data(ctx, w.s, zoe.ID)
			if err != nil {
				t.Fatalf("%s: %v", who, err)
			}
			for _, table := range []string{"persons", "person_identities", "sessions", "calendar_feeds", "api_tokens", "comments", "vendors", "change_events"} {
				if len(data[table]) == 0 {
					t.Errorf("%s: nothing of %s", who, table)
				}
			}
			b, err := json.Marshal(data)
			if err != nil || !strings.Contains(string(b), "canary-subject") || !strings.Contains(string(b), "Friends of") {
				t.Errorf("%s: %v %s", who, err, b)
			}
			for _, secret := range []string{`"h1"`, `"h2"`, `"h3"`} {
				if strings.Contains(string(b), secret) {
					t.Errorf("%s: a secret is taken out", who)
				}
			}
			if len(data["vendors"][0]) > 6 {
				t.Errorf("all of somebody else's row: %v", data["vendors"])
			}
		}
		token := *viewer.From(as(zoe.ID, "viewer"))
		token.TokenID = "tok_1"
		for who, ctx := range map[string]context.Context{"anybody": w.anyone, "a manager": w.manager, "an auditor": w.aud, "a token of theirs": viewer.With(context.Background(), &token)} {
			if _, err := people.Data(ctx, w.s, zoe.ID); err == nil {
				t.Errorf("%s gets it", who)
			}
		}
	})
}

// PV-3: after an erasure nothing in the database names the person, and the record of
// changes verifies.
func TestErase(t *testing.T) {
	each(t, func(w *world) {
		zoe := lived(w)
		if found := testkit.Find(t, w.s, "anary"); len(found) < 8 {
			t.Fatalf("the search finds only %v", found)
		}
		stale := *viewer.From(w.admin)
		stale.AuthTime = time.Now().Add(-time.Hour)
		before := w.rows()
		for who, x := range map[string]struct {
			ctx    context.Context
			id     ident.ID
			reason string
			code   errs.Code
		}{
			"a people lead": {as("per_hana", "people-lead"), zoe.ID, "asked", errs.CodeForbidden}, "an auditor": {w.aud, zoe.ID, "asked", errs.CodeForbidden},
			"oneself": {as(zoe.ID, "app-admin"), zoe.ID, "asked", errs.CodeForbidden}, "without a reason": {w.admin, zoe.ID, " ", errs.Validation},
			"nobody": {w.admin, "per_X", "asked", errs.CodeNotFound}, "an old session": {viewer.With(context.Background(), &stale), zoe.ID, "asked", errs.Unauthenticated},
		} {
			_, err := people.Erase(x.ctx, w.s, x.id, x.reason)
			if errs.CodeOf(err) != x.code {
				t.Errorf("%s: %v", who, err)
			}
			if who == "an old session" && !errors.Is(err, auth.ErrNotFresh) {
				t.Error(err)
			}
		}
		if after := w.rows(); after != before {
			t.Errorf("the refused left something: %s, then %s", before, after)
		}
		done, err := people.Erase(w.admin, w.s, zoe.ID, "Zoe.Canary@example.org asked for it")
		if err != nil || done.Rows < 4 || done.Values < 3 {
			t.Fatalf("%+v %v", done, err)
		}
		for _, canary := range []string{"anary", "Zo", "ANARY"} {
			if found := testkit.Find(t, w.s, canary); len(found) > 0 {
				t.Errorf("%q is in %v", canary, found)
			}
		}
		if found := testkit.Find(t, w.s, "I wrote this"); len(found) == 0 {
			t.Error("the comment is gone")
		}
		if found := testkit.Find(t, w.s, done.Pseudonym); len(found) < 3 {
			t.Errorf("the pseudonym stands in %v", found)
		}
		p, err := w.s.Client.Person.Get(testkit.System(), zoe.ID)
		if err != nil || p.Active || p.ArchivedAt == nil || p.Name != done.Pseudonym || p.Email != "" {
			t.Errorf("%+v %v", p, err)
		}
		for range 2 {
			r, err := w.s.VerifyAudit(t.Context(), "")
			if err != nil || r.Broken != "" || fmt.Sprint(r.Redacted) == "0" {
				t.Errorf("%+v %v", r, err)
			}
			if _, err := w.s.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		// a name of one word, and a subject, are replaced where they stand alone, not inside other words
		err = w.s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			c.Vendor.Create().SetName("Norander").SetNote("The portfolio of bridges").ExecX(ctx)
			c.PersonIdentity.Create().SetPersonID(w.nora.ID).SetIssuer("https://id.example.org").SetSubject("portfolio").ExecX(ctx)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := people.Erase(w.admin, w.s, w.nora.ID, "asked"); err != nil {
			t.Fatal(err)
		}
		if found := testkit.Find(t, w.s, "The portfolio of bridges"); len(found) == 0 {
			t.Error("a subject that is a word has changed the text of others")
		}
		if found := testkit.Find(t, w.s, "Nora"); len(found) == 0 || strings.Contains(strings.Join(found, " "), "Nora ") {
			t.Errorf("%v", found)
		}
	})
}
