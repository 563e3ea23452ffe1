package store_test

import (
	"context"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

// OP-8: the lag of the sealing is the age of the oldest row without a seal, whatever was sealed out of order, and
// nothing once all have one.
func TestSealLag(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		lag := func() time.Duration {
			t.Helper()
			d, err := s.SealLag(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		vendor := func(name string) {
			t.Helper()
			if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error { return c.Vendor.Create().SetName(name).Exec(ctx) }); err != nil {
				t.Fatal(err)
			}
		}
		seal := func() {
			t.Helper()
			for deadline := time.Now().Add(time.Minute); lag() > 0; time.Sleep(10 * time.Millisecond) {
				if _, err := s.Seal(t.Context()); err != nil || time.Now().After(deadline) {
					t.Fatalf("still unsealed: %v", err)
				}
			}
		}
		if d := lag(); d != 0 {
			t.Errorf("an empty record: %s", d)
		}
		vendor("first")
		first := time.Now()
		time.Sleep(20 * time.Millisecond)
		vendor("second")
		if d := lag(); d < 20*time.Millisecond || d > time.Since(first)+time.Second {
			t.Errorf("the older of two: %s, %s after it", d, time.Since(first))
		}
		seal()
		vendor("third")
		if d := lag(); d <= 0 || d > time.Since(first) {
			t.Errorf("after a seal: %s", d)
		}
		seal()
		if d := lag(); d != 0 {
			t.Errorf("all sealed: %s", d)
		}
	})
}

// OP-8: who waits for a connection is counted, and who gets none.
func TestWaitsAreCounted(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, wide *store.Store) {
		s, ctx := narrow(t, wide, 1), testkit.System()
		count := func() error { _, err := s.Client.Vendor.Query().Count(ctx); return err }
		if err := count(); err != nil || s.Waits() != (store.Waits{}) {
			t.Errorf("%v, %+v although a connection was free", err, s.Waits())
		}
		release := hold(ctx, s)
		if err := count(); err == nil {
			t.Error("there was no connection")
		}
		if w := s.Waits(); w.Waited != 1 || w.Refused != 1 || w.For < 200*time.Millisecond {
			t.Errorf("%+v", w)
		}
		done := make(chan error, 1)
		go func() { done <- count() }()
		for s.Waits().Waited < 2 {
			time.Sleep(time.Millisecond)
		}
		release()
		if err := <-done; err != nil || s.Waits().Refused != 1 {
			t.Errorf("%v %+v", err, s.Waits())
		}
	})
}
