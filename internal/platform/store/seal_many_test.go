package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

// Sealing goes on where it stopped: in the middle of a large transaction, and after it. A row that a long
// transaction made is found too, when all rows are compared.
func TestSealingGoesOn(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		n := 0
		sealed := func(what string, want int) { // at least: how soon the rows of a long transaction come depends on the clock
			t.Helper()
			for deadline := time.Now().Add(time.Minute); n < want; time.Sleep(10 * time.Millisecond) { // an older transaction may still be under way
				m, err := s.Seal(t.Context())
				if err != nil || m > 1000 || time.Now().After(deadline) {
					t.Fatalf("%s: %d rows at once, %d of %d (%v)", what, m, n, want, err)
				}
				n += m
			}
		}
		many := func(n int) {
			t.Helper()
			if err := s.Tx(testkit.System(), func(ctx context.Context, _ *ent.Client) error {
				return s.NoteMany(ctx, func(yield func(store.Change) bool) {
					for i := range n {
						if !yield(store.Change{Op: store.OpEvent, Entity: "Vendor", ID: "vnd_1", Diff: map[string][2]any{"n": {nil, i}}}) {
							return
						}
					}
				})
			}); err != nil {
				t.Fatal(err)
			}
		}
		many(1)
		sealed("the first", 1)
		many(1)
		sealed("the next", 2)
		many(2500)
		many(3)
		sealed("a large transaction and one after it", 2505)
		long, err := s.DB.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = long.Rollback() }()
		if _, err := long.Exec(`INSERT INTO change_events (id, at, op, entity_type, entity_id, actor_kind, via, diff) SELECT 'chg_00000000000000000000000000', at, op, entity_type, entity_id, actor_kind, via, diff
			FROM change_events WHERE id = (SELECT MIN(id) FROM change_events)`); err != nil {
			t.Fatal(err)
		}
		if s.Dialect == dialect.Postgres { // SQLite has one writer
			many(2)
		}
		if err := long.Commit(); err != nil {
			t.Fatal(err)
		}
		if s.Dialect == dialect.Postgres {
			sealed("the short one", 2507)
		} else {
			many(2)
		}
		store.CompareSeals(s)
		sealed("the long one", 2508)
		many(2)
		sealed("after it", 2510)
		if r, err := s.VerifyAudit(testkit.System(), ""); err != nil || r.Broken != "" || r.Sealed != 2510 || r.Unsealed != 0 {
			t.Errorf("%+v %v", r, err)
		}
		if got := fmt.Sprint(s.Client.OutboxEvent.Query().CountX(testkit.System())); got != "6" {
			t.Errorf("%s events", got)
		}
	})
}
