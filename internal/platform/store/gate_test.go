package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/testkit"
)

// narrow opens the database of s again with few connections and a short wait.
func narrow(t *testing.T, s *store.Store, pool int) *store.Store {
	t.Helper()
	n, err := store.Open(t.Context(), s.URL, store.Options{Pool: pool, Wait: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// hold takes one more connection for a transaction, until the returned function is
// called. On SQLite a second one waits for the first one's lock, and holds its
// connection meanwhile.
func hold(ctx context.Context, s *store.Store) (release func()) {
	before, end, ended := s.DB.Stats().InUse, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_, b, err := s.Begin(ctx)
		<-end
		if err == nil {
			b.Rollback()
		}
	}()
	for s.DB.Stats().InUse == before {
		time.Sleep(time.Millisecond)
	}
	return func() { close(end); <-ended }
}

// TestNobodyWaitsLongForAConnection is OP-3: while all connections are taken, every
// way to the database answers "unavailable" after the wait and not after a
// statement's bound; once one is free everything works, and nothing has kept one.
func TestNobodyWaitsLongForAConnection(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, wide *store.Store) {
		build(t, wide)
		s, ctx := narrow(t, wide, 2), testkit.System()
		one, two := hold(ctx, s), hold(ctx, s)
		for name, ask := range map[string]func(context.Context) error{
			"a query": func(ctx context.Context) error { _, err := s.Client.Vendor.Query().Count(ctx); return err },
			"a transaction": func(ctx context.Context) error {
				return s.Tx(ctx, func(context.Context, *ent.Client) error { return nil })
			},
			"a raw query": func(ctx context.Context) error {
				rows, err := s.Raw(ctx).QueryContext(ctx, "SELECT 1")
				if err == nil {
					_ = rows.Close()
				}
				return err
			},
			"a raw statement": func(ctx context.Context) error {
				_, err := s.Raw(ctx).ExecContext(ctx, "DELETE FROM vendors WHERE id = 'none'")
				return err
			},
		} {
			began := time.Now()
			err := ask(ctx)
			if took := time.Since(began); errs.CodeOf(store.Known(err)) != errs.Unavailable || took < 200*time.Millisecond || took > 2*time.Second {
				t.Errorf("%s: %v after %s", name, err, took)
			}
			gone, cancel := context.WithCancel(ctx)
			cancel()
			if err := ask(gone); !errors.Is(err, context.Canceled) {
				t.Errorf("%s that nobody waits for: %v", name, err)
			}
		}
		one()
		two()
		// Whatever ends a use gives its connection back: more of each than there are connections.
		ended, cancel := context.WithCancel(ctx)
		cancel()
		for range 5 {
			if _, err := s.Client.Vendor.Query().All(ctx); err != nil {
				t.Fatalf("a query: %v", err)
			}
			if _, err := s.Raw(ctx).ExecContext(ctx, "SELECT nonsense"); err == nil {
				t.Fatal("nonsense was carried out")
			}
			if err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error { return c.Vendor.Create().SetName("x").Exec(ctx) }); err != nil {
				t.Fatalf("a transaction: %v", err)
			}
			boom := errors.New("boom")
			if err := s.Tx(ctx, func(context.Context, *ent.Client) error { return boom }); !errors.Is(err, boom) {
				t.Fatalf("a transaction taken back: %v", err)
			}
			_ = s.Tx(ended, func(context.Context, *ent.Client) error { return nil })
			_, _ = s.Client.Vendor.Query().All(ended)
		}
		if n := s.DB.Stats().InUse; n != 0 {
			t.Errorf("%d connections are in use", n)
		}
	})
}

// TestOneCallerLeavesHalf: somebody whose statements are slow stops only themself.
func TestOneCallerLeavesHalf(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, wide *store.Store) {
		w := build(t, wide)
		s := narrow(t, wide, 4)
		one, two := hold(w.manager, s), hold(w.manager, s)
		defer one()
		defer two()
		if _, err := s.Client.Product.Query().Count(w.manager); errs.CodeOf(store.Known(err)) != errs.Unavailable {
			t.Errorf("a third connection for one caller: %v", err)
		}
		other := person("olaf", []string{"executive"})
		if n, err := s.Client.Product.Query().Count(other); err != nil || n != 2 {
			t.Errorf("somebody else: %d, %v", n, err)
		}
		if _, err := s.Client.Product.Query().Count(testkit.System()); err != nil {
			t.Errorf("the system: %v", err)
		}
	})
}
