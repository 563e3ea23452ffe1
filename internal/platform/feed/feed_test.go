package feed_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"steward/ent"
	"steward/ent/outboxevent"
	"steward/internal/platform/feed"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// vendor makes one and returns its id.
func vendor(t testing.TB, s *store.Store, name string) (id ident.ID) {
	t.Helper()
	if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		id = c.Vendor.Create().SetName(name).SaveX(ctx).ID
		return nil
	}); err != nil {
		t.Error(err)
	}
	return id
}

// follow reads from the place to the present end in pages.
func follow(t testing.TB, ctx context.Context, s *store.Store, from feed.Place, types []string, page int) ([]feed.Change, feed.Place) {
	t.Helper()
	end, err := feed.Now(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	var all []feed.Change
	for more := true; more; {
		var list []feed.Change
		var next feed.Place
		if list, next, more, err = feed.Read(ctx, s, from, end, types, page); err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
		text, ok := feed.Parse(next.String()) // as a client would come back
		if next != (feed.Place{}) && !ok {
			t.Fatalf("not a place: %s", next)
		}
		if from, err = feed.Find(ctx, s, text); err != nil {
			t.Fatal(err)
		}
	}
	return all, from
}

func ids(list []feed.Change) (out []ident.ID) {
	for _, x := range list {
		out = append(out, x.ID)
	}
	return out
}

func TestPages(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		if list, at := follow(t, ctx, s, feed.Place{}, nil, 10); len(list) != 0 || at != (feed.Place{}) {
			t.Fatalf("an empty database: %v %v", list, at)
		}
		var want []ident.ID
		for i := range 3 {
			want = append(want, vendor(t, s, fmt.Sprint(i)))
		}
		var set []ident.ID // one transaction with many changes
		if err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			for i := range 7 {
				set = append(set, c.Vendor.Create().SetName(fmt.Sprint("set ", i)).SaveX(ctx).ID)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			c.Product.Create().SetName("P").SetPortfolioID(c.Portfolio.Create().SetName("F").SaveX(ctx).ID).SaveX(ctx)
			return s.Archive(ctx, "Vendor", want[0], 1)
		}); err != nil {
			t.Fatal(err)
		}
		for _, page := range []int{1, 2, 3, 100} {
			all, at := follow(t, ctx, s, feed.Place{}, []string{"Vendor"}, page)
			got := ids(all)
			if len(got) != 11 || !slices.Equal(got[:3], want) || got[10] != want[0] || all[10].Op != "ARCHIVE" || all[10].Version != 2 {
				t.Errorf("pages of %d: %v", page, all)
			}
			for _, id := range set {
				if !slices.Contains(got[3:10], id) {
					t.Errorf("pages of %d: %s is not among the set", page, id)
				}
			}
			if again, _ := follow(t, ctx, s, at, nil, page); len(again) != 0 {
				t.Errorf("pages of %d: %v after the end", page, again)
			}
		}
		if all, _ := follow(t, ctx, s, feed.Place{}, nil, 4); len(all) != 13 {
			t.Errorf("%d changes of all types", len(all))
		}
		s.Statements.Reset()
		end, _ := feed.Now(ctx, s)
		if _, _, _, err := feed.Read(ctx, s, feed.Place{}, end, nil, 5); err != nil || s.Statements.N() != 2 {
			t.Errorf("%d statements for a page (%v)", s.Statements.N(), err)
		}
		if _, err := feed.Find(ctx, s, feed.Place{Event: "obx_gone"}); errs.CodeOf(err) != errs.Validation {
			t.Errorf("a place that is not there: %v", err)
		}
	})
}

// What somebody cannot see is not in their feed, and their place moves on over it.
func TestScope(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		var ours, theirs ident.ID
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			a, b := c.Portfolio.Create().SetName("Ours").SaveX(ctx), c.Portfolio.Create().SetName("Theirs").SaveX(ctx)
			ours = c.Product.Create().SetName("P").SetPortfolioID(a.ID).SaveX(ctx).ID
			theirs = c.Product.Create().SetName("Q").SetPortfolioID(b.ID).SaveX(ctx).ID
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		portfolio := s.Client.Product.GetX(testkit.System(), ours).PortfolioID
		pia := viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: "per_pia", Roles: []string{"portfolio-manager"},
			Memberships: []viewer.Membership{{Scope: viewer.ScopePortfolio, ID: portfolio, Level: viewer.LevelManager}}})
		all, _ := follow(t, pia, s, feed.Place{}, nil, 1)
		if got := ids(all); len(got) != 2 || !slices.Contains(got, ours) || slices.Contains(got, theirs) {
			t.Errorf("pia's feed: %v", all)
		}
		nora := viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: "per_nora"})
		all, at := follow(t, nora, s, feed.Place{}, nil, 1)
		if len(all) != 0 || at == (feed.Place{}) {
			t.Errorf("nora's feed: %v, then %v", all, at)
		}
	})
}

// A transaction that began earlier and commits later than others is not lost. Reading
// in the order of ids loses it, which shows that the test would see a loss.
func TestLateCommit(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		vendor(t, s, "before")
		_, at := follow(t, ctx, s, feed.Place{}, nil, 10)
		byID := func(after ident.ID) (out []ident.ID, last ident.ID) {
			last = after
			for _, x := range s.Client.OutboxEvent.Query().Where(outboxevent.IDGT(after)).Order(outboxevent.ByID()).AllX(ctx) {
				out, last = append(out, ident.ID(x.SubjectID)), x.ID
			}
			return out, last
		}
		_, mark := byID("")

		late, finish := lateVendor(t, s)
		prompt := vendor(t, s, "prompt")
		first, at := follow(t, ctx, s, at, nil, 10)
		naive, mark := byID(mark)
		finish()
		second, at := follow(t, ctx, s, at, nil, 10)
		missed, _ := byID(mark)

		got := append(ids(first), ids(second)...)
		if len(got) != 2 || !slices.Contains(got, late) || !slices.Contains(got, prompt) {
			t.Errorf("followed: %v, want %s and %s once each", got, late, prompt)
		}
		if rest, _ := follow(t, ctx, s, at, nil, 10); len(rest) != 0 {
			t.Errorf("then again: %v", rest)
		}
		if all := append(naive, missed...); slices.Contains(all, late) {
			t.Errorf("by id alone nothing was lost: %v", all)
		}
	})
}

// lateVendor makes a vendor whose transaction has written everything and commits in
// finish. On SQLite there is one writer; there its events have the ids of a process
// whose clock is behind, and it commits at once in finish.
func lateVendor(t *testing.T, s *store.Store) (ident.ID, func()) {
	t.Helper()
	ctx := testkit.System()
	tmp := vendor(t, s, "late") // copied below under ids that an earlier moment would have given, then taken away
	event := s.Client.OutboxEvent.Query().Where(outboxevent.SubjectID(tmp.String())).OnlyX(ctx)
	if _, err := s.DB.ExecContext(ctx, "DELETE FROM outbox_events WHERE id = $1", event.ID); err != nil {
		t.Fatal(err)
	}
	insert := "INSERT INTO outbox_events (id, created_at, updated_at, type, subject_type, subject_id, change_set, payload) VALUES ($1, $2, $2, $3, 'Vendor', $4, $5, '{}')"
	args := []any{event.ID, event.CreatedAt, store.Changes, tmp, event.ChangeSet}
	if s.Dialect == dialect.SQLite {
		return tmp, func() {
			if _, err := s.DB.ExecContext(ctx, insert, args...); err != nil {
				t.Fatal(err)
			}
		}
	}
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(ctx, insert, args...); err != nil {
		t.Fatal(err)
	}
	return tmp, func() {
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
}

// Writers write at the same time while somebody follows: each change is met once.
func TestConcurrentWriters(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		var writing sync.WaitGroup
		var running atomic.Int32
		made := make(chan ident.ID, 200)
		for w := range 4 {
			running.Add(1)
			writing.Go(func() {
				defer running.Add(-1)
				for i := range 20 {
					if err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
						x := c.Vendor.Create().SetName(fmt.Sprint(w, " ", i)).SaveX(ctx)
						time.Sleep(time.Duration((w+i)%3) * time.Millisecond) // so that they commit in another order than they began
						made <- x.ID
						return nil
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		seen, at := map[ident.ID]int{}, feed.Place{}
		for last := false; ; {
			var list []feed.Change
			list, at = follow(t, ctx, s, at, []string{"Vendor"}, 3)
			for _, x := range list {
				seen[x.ID]++
			}
			if last {
				break
			}
			last = running.Load() == 0
		}
		writing.Wait()
		close(made)
		n := 0
		for id := range made {
			if n++; seen[id] != 1 {
				t.Errorf("%s was met %d times", id, seen[id])
			}
		}
		if n != 80 || len(seen) != 80 {
			t.Errorf("%d made, %d met", n, len(seen))
		}
	})
}
