package job

import (
	"context"
	"testing"
	"time"

	"steward/internal/platform/store"
	"steward/internal/testkit"
)

// A worker that has seen that a job is due, and comes to make it when another has made it and it is done
// already, makes no second one.
func TestLateWorkerMakesNoSecondJob(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		k := Kind{Name: "hourly", Every: time.Hour, Do: func(context.Context, *Run) error { return nil }}
		r := New(s, Config{Kinds: []Kind{k}})
		if err := r.Plan(ctx); err != nil {
			t.Fatal(err)
		}
		tick := time.Now().UTC().Add(2 * time.Hour).Truncate(time.Microsecond)
		for n := range 2 {
			if err := r.make(ctx, k, tick); err != nil {
				t.Fatal(err)
			}
			if worked, err := r.Once(ctx); worked != (n == 0) || err != nil {
				t.Errorf("time %d: a job: %v, %v", n, worked, err)
			}
		}
	})
}

func TestNext(t *testing.T) {
	at := func(text string) time.Time {
		when, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct {
		every, at time.Duration
		now, want string
	}{
		{time.Hour, 0, "2026-04-01 10:30", "2026-04-01 11:00"},
		{time.Hour, 0, "2026-04-01 11:00", "2026-04-01 12:00"},
		{24 * time.Hour, 3 * time.Hour, "2026-04-01 02:59", "2026-04-01 03:00"},
		{24 * time.Hour, 3 * time.Hour, "2026-04-01 03:00", "2026-04-02 03:00"},
		{time.Hour, 90 * time.Minute, "2026-04-01 10:20", "2026-04-01 10:30"},
	} {
		if got := (Kind{Every: c.every, At: c.at}).next(at(c.now)); !got.Equal(at(c.want)) {
			t.Errorf("every %s at %s after %s: %s", c.every, c.at, c.now, got)
		}
	}
}
