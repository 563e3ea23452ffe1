package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

// vendors makes some vendors and seals what that writes to the audit.
func vendors(t *testing.T, s *store.Store, name string, n int) {
	t.Helper()
	for i := range n {
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.Create().SetName(fmt.Sprintf("%s %d", name, i)).Exec(ctx)
		}); err != nil {
			t.Error(err)
			return
		}
		if _, err := s.Seal(t.Context()); err != nil {
			t.Error(err)
			return
		}
	}
}

// TestVerifyAuditTail looks at the last seals only, and at all of those.
func TestVerifyAuditTail(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		tail := func(n int64, sealed int, broken bool) {
			t.Helper()
			r, err := s.VerifyAuditTail(t.Context(), n)
			if err != nil || (r.Broken != "") != broken || !broken && r.Sealed != sealed {
				t.Errorf("the last %d: %+v %v", n, r, err)
			}
		}
		tail(3, 0, false)
		vendors(t, s, "Vendor", 6)
		tail(3, 3, false)
		tail(6, 6, false)
		tail(100, 6, false)
		exec := func(q string) {
			t.Helper()
			if _, err := s.DB.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		exec("UPDATE change_events SET actor_name = 'x' WHERE id = (SELECT change_id FROM audit_seals WHERE id = 2)")
		tail(4, 4, false)
		tail(5, 0, true)
		exec("UPDATE change_events SET actor_name = 'x' WHERE id = (SELECT change_id FROM audit_seals WHERE id = 5)")
		tail(2, 0, true)
		exec("DELETE FROM audit_seals WHERE id = 3")
		tail(3, 0, true)
	})
}

// TestVerifyWhileSealing: rows that are sealed while the chain is read are no cut.
func TestVerifyWhileSealing(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		var done atomic.Bool
		go func() { defer done.Store(true); vendors(t, s, "Vendor", 150) }()
		for !done.Load() {
			if r, err := s.VerifyAudit(t.Context(), ""); err != nil || r.Broken != "" {
				t.Errorf("%+v %v", r, err)
			}
		}
		if r, err := s.VerifyAudit(t.Context(), ""); err != nil || r.Sealed != 150 {
			t.Errorf("%+v %v", r, err)
		}
	})
}
