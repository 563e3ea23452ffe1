package store_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

// exported is the sealed record of changes as a file.
func exported(t *testing.T, s *store.Store) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := s.ExportAudit(testkit.System(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// AU-5: an exported record is verified without the database, and every way of
// tampering with the file is named.
func TestExportedRecordVerifies(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		vendors(t, s, `Quoted "name" <b> é ☂`, 4)
		file := exported(t, s)
		lines := strings.Split(strings.TrimSpace(file), "\n")
		want, err := s.VerifyAudit(t.Context(), "")
		if err != nil || want.Sealed == 0 || len(lines) != want.Sealed+2 {
			t.Fatalf("%d lines of %+v, %v", len(lines), want, err)
		}
		check := func(what, file, known string, broken string) {
			t.Helper()
			r, err := store.VerifyAuditFile(strings.NewReader(file), known)
			if err != nil || r.Why != broken {
				t.Errorf("%s: %+v %v", what, r, err)
			}
			if broken == "" && (r.Head != want.Head || r.Sealed != want.Sealed) {
				t.Errorf("%s: %+v", what, r)
			}
		}
		join := func(l []string) string { return strings.Join(l, "\n") + "\n" }
		check("as it is", file, "", "")
		check("with the head that was logged", file, want.Head, "")
		check("with another head", file, strings.Repeat("0", 64), "cut off")
		check("altered", strings.Replace(file, "Quoted", "quoted", 1), "", "altered")
		check("a line left out", join(slices.Delete(slices.Clone(lines), 2, 3)), "", "missing")
		moved := slices.Clone(lines)
		moved[1], moved[2] = moved[2], moved[1]
		check("two lines moved", join(moved), "", "missing")
		check("the last row cut", join(slices.Delete(slices.Clone(lines), len(lines)-2, len(lines)-1)), "", "cut off")
		check("the end cut", join(lines[:len(lines)-1]), "", "cut off")
		check("the beginning cut", join(slices.Delete(slices.Clone(lines), 1, 2)), "", "missing")
		for what, file := range map[string]string{"nothing": "", "another file": `{"steward":"something else","format":1}`, "half a line": file[:len(file)/2]} {
			if r, err := store.VerifyAuditFile(strings.NewReader(file), ""); err == nil && r.Broken == "" {
				t.Errorf("%s is taken: %+v", what, r)
			}
		}
	})
}

// AU-6: no secret is in the record of changes, whatever it is called.
func TestSecretsAreMasked(t *testing.T) {
	const canary = "canary-3f9c1e"
	secret := func(name string) bool {
		return strings.HasSuffix(name, "secret") || strings.HasSuffix(name, "password") || strings.HasSuffix(name, "_hash") || strings.HasSuffix(name, "_token")
	}
	written := map[string]bool{ // by the test below; the rest are of entities that are not audited
		"ApiToken.token_hash": true, "CalendarFeed.token_hash": true, "Webhook.secret": true, "Webhook.previous_secret": true,
		"Session.token_hash": true, "Session.refresh_token": true, "Session.id_token": true, "UndoEntry.token_hash": true,
		"IdempotencyKey.request_hash": true, "Blob.content_hash": true,
	}
	for _, e := range entity.All() {
		for _, f := range e.Fields {
			if secret(f.Name) && !written[e.Name+"."+f.Name] {
				t.Errorf("%s.%s looks like a secret and is not looked after here", e.Name, f.Name)
			}
		}
	}
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			p := c.Person.Create().SetName("Nora").SaveX(ctx)
			i := c.Integration.Create().SetName("Ledger").SaveX(ctx)
			c.ApiToken.Create().SetName("t").SetPersonID(p.ID).SetTokenHash(canary + "1").SetExpiresAt(time.Now()).ExecX(ctx)
			c.CalendarFeed.Create().SetPersonID(p.ID).SetTokenHash(canary + "2").ExecX(ctx)
			w := c.Webhook.Create().SetName("w").SetURL("https://example.org").SetIntegrationID(i.ID).SetSecret([]byte(canary + "3")).SaveX(ctx)
			c.Webhook.UpdateOne(w).SetPreviousSecret([]byte(canary + "3")).SetSecret([]byte(canary + "4")).ExecX(ctx)
			c.Session.Create().SetPersonID(p.ID).SetTokenHash(canary + "5").SetAuthTime(time.Now()).SetLastSeenAt(time.Now()).SetIdpCheckedAt(time.Now()).SetExpiresAt(time.Now()).ExecX(ctx)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := s.Client.ChangeEvent.Query().All(testkit.System())
		if err != nil || len(rows) < 6 {
			t.Fatal(len(rows), err)
		}
		masked := 0
		for _, x := range rows {
			text := fmt.Sprint(x.Diff)
			if strings.Contains(text, canary) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(canary))[:12]) {
				t.Errorf("%s %s: %s", x.Op, x.EntityType, text)
			}
			masked += strings.Count(text, "•••")
		}
		if masked != 5 {
			t.Errorf("%d secrets are masked", masked)
		}
	})
}

// PV-3: what was erased is in no row, and the record still verifies; altering it in
// the same way without saying so does not.
func TestForgottenAndStillSealed(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		const name, mail = "Zoë O'Nymous \"Zed\"", "Zoe.Nymous@example.org"
		var p *ent.Person
		err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			p = c.Person.Create().SetName(name).SetEmail(mail).SetTitle("Keeper of secrets").SaveX(ctx)
			c.Vendor.Create().SetName("Talk to " + name).SetNote("or write to " + strings.ToLower(mail)).ExecX(ctx)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		vendors(t, s, "Sealed", 2)
		if found := testkit.Find(t, s, "Nymous"); len(found) < 4 {
			t.Errorf("the search finds only %v", found)
		}
		words := store.Words{{From: name, To: "Erased person 1"}, {From: mail, To: "erased-1@invalid"}}
		erase := func(say bool) {
			t.Helper()
			err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
				if _, err := s.Forget(ctx, words); err != nil {
					return err
				}
				rows, err := s.Redact(ctx, words, []ident.ID{p.ID})
				if err != nil || len(rows) != 2 {
					return fmt.Errorf("%d rows redacted, %v", len(rows), err)
				}
				for _, about := range store.Redaction(rows) {
					diff := map[string][2]any{}
					for k, v := range about {
						diff[k] = [2]any{nil, v}
					}
					if say {
						err = store.Note(ctx, store.Change{Op: store.OpEvent, Entity: "Person", ID: p.ID, Diff: diff})
					}
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		erase(true)
		for range 2 { // before the event is sealed and after
			r, err := s.VerifyAudit(t.Context(), "")
			if err != nil || r.Broken != "" || r.Redacted != 2 {
				t.Fatalf("%+v %v", r, err)
			}
			if _, err := s.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := store.VerifyAuditFile(strings.NewReader(exported(t, s)), ""); err != nil || r.Broken != "" || r.Redacted != 2 {
			t.Errorf("the file: %+v %v", r, err)
		}
		for _, canary := range []string{"Zo", "Nymous", "nymous"} {
			if found := testkit.Find(t, s, canary); len(found) > 0 {
				t.Errorf("%s is in %v", canary, found)
			}
		}
		if found := testkit.Find(t, s, "Keeper of secrets"); len(found) != 1 || !strings.HasPrefix(found[0], "persons.") {
			t.Errorf("the record of changes keeps what the person's row said: %v", found)
		}
		if _, err := s.DB.Exec("UPDATE change_events SET reason = 'x' WHERE entity_id = $1 AND op = 'CREATE'", string(p.ID)); err != nil {
			t.Fatal(err)
		}
		if r, err := s.VerifyAudit(t.Context(), ""); err != nil || r.Why != "altered" {
			t.Errorf("a redacted row was altered again: %+v %v", r, err)
		}
	})
}

// PV-4: old rows go, and the chain begins at a checkpoint that the record tells of.
func TestPurgedRecordVerifies(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		vendors(t, s, "Old", 6)
		var middle ent.ChangeEvent
		rows, err := s.Client.ChangeEvent.Query().All(testkit.System())
		if err != nil {
			t.Fatal(err)
		}
		middle = *rows[0]
		for _, x := range rows { // the fourth by time
			older := 0
			for _, y := range rows {
				if y.At.Before(x.At) {
					older++
				}
			}
			if older == 3 {
				middle = *x
			}
		}
		purge := func(before time.Time, say bool) (n int) {
			t.Helper()
			err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
				var about map[string]any
				var err error
				if n, about, err = s.PurgeAudit(ctx, before, 1000); err != nil || n == 0 || !say {
					return err
				}
				diff := map[string][2]any{}
				for k, v := range about {
					diff[k] = [2]any{nil, v}
				}
				return store.Note(ctx, store.Change{Op: store.OpEvent, Entity: "Setting", Diff: diff})
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := purge(middle.At, true); n != 3 {
			t.Fatalf("%d rows purged", n)
		}
		for range 2 {
			r, err := s.VerifyAudit(t.Context(), "")
			if err != nil || r.Broken != "" || r.Purged != 3 {
				t.Fatalf("%+v %v", r, err)
			}
			if r, err = s.VerifyAuditTail(t.Context(), 100); err != nil || r.Broken != "" {
				t.Errorf("the tail: %+v %v", r, err)
			}
			if _, err := s.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if r, err := store.VerifyAuditFile(strings.NewReader(exported(t, s)), ""); err != nil || r.Broken != "" || r.Purged != 3 {
			t.Errorf("the file: %+v %v", r, err)
		}
		if n := purge(time.Now().Add(time.Hour), false); n == 0 {
			t.Fatal("nothing more to purge")
		}
		if r, err := s.VerifyAudit(t.Context(), ""); err != nil || r.Why != "missing" {
			t.Errorf("rows are gone and nothing says so: %+v %v", r, err)
		}
	})
}
