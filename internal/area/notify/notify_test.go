package notify_test

import (
	"context"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/notify"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func person(id ident.ID) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: id, Name: "P", Via: viewer.ViaPage})
}

// A message is told once, belongs to its person alone, and goes some time after it was read.
func TestMessages(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		pia, otto := person("per_1"), person("per_2")
		tell := func(to ident.ID, name, unique string) {
			t.Helper()
			args := map[string]any{"name": name, "before": 1, "after": 2}
			if err := notify.Tell(testkit.System(), s, to, "notify.view_changed", args, "/contracts", unique); err != nil {
				t.Fatal(err)
			}
		}
		tell("per_1", "a", "k")
		tell("per_1", "again", "k")
		tell("per_1", "b", "")
		tell("per_1", "b", "")
		tell("per_2", "c", "k")
		if err := notify.Tell(testkit.System(), s, "per_1", "no.such.message", nil, "", ""); err == nil {
			t.Error("a message that nobody can read was left")
		}
		unread := func(ctx context.Context, want int) {
			t.Helper()
			if n, err := notify.Unread(ctx, s); err != nil || n != want {
				t.Errorf("%d unread, want %d (%v)", n, want, err)
			}
		}
		unread(pia, 3)
		unread(otto, 1)
		unread(testkit.System(), 0)
		list, err := notify.List(pia, s, 10, 0)
		if err != nil || len(list) != 3 || list[2].Args["name"] != "a" {
			t.Fatalf("%v, %v", list, err)
		}
		if _, err := notify.Read(otto, s, list[0].ID); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("another's message: %v", err)
		}
		if _, err := notify.Read(pia, s, list[0].ID); err != nil {
			t.Fatal(err)
		}
		unread(pia, 2)
		if n, err := notify.ReadAll(pia, s); n != 2 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		unread(pia, 0)
		unread(otto, 1)

		purge := func(at time.Time) (n int) {
			t.Helper()
			if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) (err error) {
				n, err = notify.Purge(ctx, c, at.AddDate(0, 0, -90))
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := purge(time.Now().AddDate(0, 0, 89)); n != 0 {
			t.Errorf("%d messages went early", n)
		}
		if n := purge(time.Now().AddDate(0, 0, 91)); n != 3 {
			t.Errorf("%d messages went, want the 3 that were read", n)
		}
		err = s.Tx(pia, func(ctx context.Context, c *ent.Client) error {
			_, err := notify.Purge(ctx, c, time.Now())
			return err
		})
		if errs.CodeOf(err) != errs.CodeForbidden {
			t.Errorf("a person purges: %v", err)
		}
	})
}
