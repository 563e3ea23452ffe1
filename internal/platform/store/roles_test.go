package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

// AU-4: the role of the servers adds to the record of changes and cannot alter it; the
// worker's seals it and deletes its oldest rows; neither can do the other's.
func TestRolesOfTheDatabase(t *testing.T) {
	if err := store.GrantRoles(t.Context(), testkit.SQLiteURL(t), "a", "b"); err == nil {
		t.Error("SQLite knows roles")
	}
	if testkit.OnlySQLite() {
		return
	}
	server := testkit.StartPostgres(t) // roles belong to a server, and take its administrator to make
	address, err := server.CreateDB("roles", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Migrate(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "a b", "a;drop table x", `a"b`, "Ä"} {
		if err := store.GrantRoles(t.Context(), address, bad, "b"); err == nil {
			t.Errorf("the role %q is taken", bad)
		}
	}
	owner, err := store.Open(t.Context(), address, store.Options{Pool: 2})
	if err != nil {
		t.Fatal(err)
	}
	exec := func(q string) {
		t.Helper()
		if _, err := owner.DB.Exec(q); err != nil {
			t.Fatal(q, err)
		}
	}
	suffix := strings.ToLower(string(ident.New("x")))[2:]
	roles := map[string]string{"app": "app_" + suffix, "worker": "worker_" + suffix}
	for _, role := range roles {
		exec("CREATE ROLE " + role + " LOGIN PASSWORD 'only-in-this-test'")
	}
	t.Cleanup(func() {
		for _, role := range roles {
			exec("DROP OWNED BY " + role)
			exec("DROP ROLE " + role)
		}
		_ = owner.Close()
	})
	for range 2 { // the second time changes nothing
		if err := store.GrantRoles(t.Context(), address, roles["app"], roles["worker"]); err != nil {
			t.Fatal(err)
		}
	}
	as := func(role string) *store.Store {
		t.Helper()
		i, j := strings.Index(address, "://")+3, strings.Index(address, "@")
		s, err := store.Open(t.Context(), address[:i]+role+":only-in-this-test"+address[j:], store.Options{Pool: 2})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	app, worker := as(roles["app"]), as(roles["worker"])
	// an ordinary write by a server, sealed by the worker
	if err := app.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error { return c.Vendor.Create().SetName("V").Exec(ctx) }); err != nil {
		t.Fatal(err)
	}
	if _, err := app.Seal(t.Context()); err == nil {
		t.Error("a server seals")
	}
	if n, err := worker.Seal(t.Context()); err != nil || n != 1 {
		t.Errorf("the worker seals %d rows: %v", n, err)
	}
	for _, s := range []*store.Store{app, worker} {
		if r, err := s.VerifyAudit(t.Context(), ""); err != nil || r.Broken != "" || r.Sealed != 1 {
			t.Errorf("%+v %v", r, err)
		}
	}
	if err := app.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		_, err := app.Redact(ctx, store.Words{{From: "Steward", To: "x"}}, nil)
		return err
	}); errs.CodeOf(err) != errs.State || errs.As(err).Key != "people.erase_role" {
		t.Errorf("a server redacts: %v", err)
	}
	refused := func(s *store.Store, q string) {
		t.Helper()
		if _, err := s.DB.Exec(q); err == nil || !strings.Contains(err.Error(), "permission denied") && !strings.Contains(err.Error(), "must be owner") {
			t.Errorf("%s: %v", q, err)
		}
	}
	for _, q := range []string{"UPDATE change_events SET reason = 'x'", "TRUNCATE change_events", "DROP TABLE change_events", "ALTER TABLE change_events DISABLE TRIGGER ALL",
		"UPDATE audit_seals SET hash = hash", "TRUNCATE audit_seals", "DELETE FROM audit_heads", "UPDATE goose_db_version SET is_applied = false"} {
		refused(app, q)
		refused(worker, q)
	}
	for _, q := range []string{"DELETE FROM change_events", "DELETE FROM audit_seals", "INSERT INTO audit_seals (id, change_id, hash, sealed_at) VALUES (9, 'x', 'x', now())",
		"UPDATE audit_heads SET hash = hash"} {
		refused(app, q)
	}
	if err := worker.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		_, _, err := worker.PurgeAudit(ctx, time.Now().Add(-time.Hour), 10)
		return err
	}); err != nil {
		t.Errorf("the worker purges: %v", err)
	}
}
