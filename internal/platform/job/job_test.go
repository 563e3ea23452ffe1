package job_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/changeevent"
	entjob "steward/ent/job"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// A job exists exactly when the change that asked for it does.
func TestEnqueueJoinsTheTransaction(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx, no := testkit.System(), errors.New("no")
		err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			if err := write("x")(ctx, c); err != nil {
				return err
			}
			if _, err := job.Enqueue(ctx, s, "test", nil, job.Options{}); err != nil {
				return err
			}
			return no
		})
		if n := s.Client.Job.Query().CountX(ctx); !errors.Is(err, no) || n != 0 || vendors(s, "x") != 0 {
			t.Errorf("%d jobs and %d vendors after a rollback, %v", n, vendors(s, "x"), err)
		}
		var id ident.ID
		err = s.Tx(viewer.With(ctx, &viewer.Viewer{Kind: viewer.Person, ID: "per_1", Name: "Pia", Roles: []string{string(access.RoleViewer)}}), func(ctx context.Context, _ *ent.Client) (err error) {
			id, err = job.Enqueue(ctx, s, "test", struct{ N int }{3}, job.Options{Portfolio: "pfo_1"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		x := get(s, id)
		if x.ActorID != "per_1" || x.ActorName != "Pia" || x.Input["N"] != 3.0 || x.PortfolioID.String() != "pfo_1" || x.MaxAttempts != 5 || time.Since(x.RunAt).Abs() > time.Minute {
			t.Errorf("%+v", x)
		}
		if _, err := job.Enqueue(context.Background(), s, "test", nil, job.Options{}); !errors.Is(err, store.ErrNoViewer) {
			t.Errorf("a job on nobody's behalf: %v", err)
		}
		for _, input := range []any{make(chan int)} {
			if _, err := job.Enqueue(ctx, s, "test", input, job.Options{}); err == nil {
				t.Error("an input that is no JSON is taken")
			}
		}
	})
}

// Jobs of one key are one until it has ended, also when several ask at once.
func TestUniqueKey(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		var ids sync.Map
		for range 8 {
			wg.Go(func() {
				id, err := job.Enqueue(testkit.System(), s, "test", nil, job.Options{Unique: "k"})
				if err != nil {
					t.Error(err)
				}
				ids.Store(id, true)
			})
		}
		wg.Wait()
		if n := s.Client.Job.Query().CountX(testkit.System()); n != 1 {
			t.Fatalf("%d jobs", n)
		}
		first := s.Client.Job.Query().OnlyX(testkit.System()).ID
		ids.Range(func(id, _ any) bool {
			if id != first {
				t.Errorf("somebody was told %s, not %s", id, first)
			}
			return true
		})
		once(t, runner(s, job.Kind{Name: "test", Do: func(context.Context, *job.Run) error { return nil }}))
		if second := enqueue(t, s, "test", job.Options{Unique: "k"}); second == first {
			t.Error("a job that has ended keeps its key")
		}
	})
}

// A job sees its input and what an earlier attempt kept; a failure waits, the last one is for good, a
// panic is a failure, and what no attempt can mend is not tried again (OP-12).
func TestAttempts(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		r := runner(s,
			job.Kind{Name: "fails", Do: func(ctx context.Context, x *job.Run) error {
				var in struct{ N int }
				if err := x.Input(&in); err != nil || in.N != 7 || x.Before.Done != x.Attempt-1 {
					t.Errorf("attempt %d: %+v %+v %v", x.Attempt, in, x.Before, err)
				}
				if err := x.Report(ctx, job.Progress{Done: x.Attempt, Total: 9, Mark: "m"}); err != nil {
					t.Error(err)
				}
				if x.Attempt == 1 {
					panic("the roof is on fire")
				}
				return fmt.Errorf("no water, %d", x.Attempt)
			}},
			job.Kind{Name: "hopeless", Do: func(context.Context, *job.Run) error { return job.Permanent(errors.New("never")) }},
			job.Kind{Name: "unreadable", Do: func(_ context.Context, x *job.Run) error { var in []int; return x.Input(&in) }})
		id := enqueue(t, s, "fails", job.Options{Attempts: 3, Unique: "u"})
		once(t, r)
		x := get(s, id)
		if x.Status != entjob.StatusREADY || x.Attempts != 1 || !has(x.Error, "roof") || x.LeaseUntil != nil || time.Until(x.RunAt) < 4*time.Second || time.Until(x.RunAt) > 11*time.Second {
			t.Errorf("after a panic: %+v", x)
		}
		if worked, err := r.Once(t.Context()); worked || err != nil {
			t.Errorf("it is tried again at once, %v", err)
		}
		due(t, s, id)
		once(t, r)
		if wait := time.Until(get(s, id).RunAt); wait < 9*time.Second || wait > 21*time.Second {
			t.Errorf("the second pause is %s", wait)
		}
		due(t, s, id)
		once(t, r)
		x = get(s, id)
		if x.Status != entjob.StatusDEAD || x.Attempts != 3 || x.Fence != 3 || x.Error != "no water, 3" || x.EndedAt == nil || x.UniqueKey != nil || x.Progress["done"] != 3.0 || x.Progress["mark"] != "m" {
			t.Errorf("after the last attempt: %+v", x)
		}
		for _, kind := range []string{"hopeless", "unreadable"} {
			id := enqueue(t, s, kind, job.Options{})
			once(t, r)
			if x := get(s, id); x.Status != entjob.StatusDEAD || x.Attempts != 1 {
				t.Errorf("%s: %+v", kind, x)
			}
		}
	})
}

// A job of another version's kind, and one whose time has not come, are left alone.
func TestNotDue(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		enqueue(t, s, "unknown", job.Options{})
		enqueue(t, s, "test", job.Options{RunAt: time.Now().Add(time.Hour)})
		late := enqueue(t, s, "test", job.Options{RunAt: time.Now().Add(-time.Hour)})
		r := runner(s, job.Kind{Name: "test", Do: func(context.Context, *job.Run) error { return nil }})
		once(t, r)
		if worked, err := r.Once(t.Context()); worked || err != nil {
			t.Errorf("another job was taken, %v", err)
		}
		if x := get(s, late); x.Status != entjob.StatusDONE || x.EndedAt == nil {
			t.Errorf("%+v", x)
		}
	})
}

// What Done writes and the end of the job are one: neither without the other.
func TestDone(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		no := errors.New("no")
		r := runner(s, job.Kind{Name: "test", Do: func(ctx context.Context, x *job.Run) error {
			return x.Done(ctx, map[string]any{"rows": 1}, func(ctx context.Context, c *ent.Client) error {
				if err := x.Tx(ctx, write("inner")); err != nil { // joins
					return err
				}
				if x.Attempt == 1 {
					return no
				}
				return nil
			})
		}})
		id := enqueue(t, s, "test", job.Options{})
		once(t, r)
		if n := vendors(s, "inner"); n != 0 || get(s, id).Status != entjob.StatusREADY {
			t.Errorf("%d vendors of a job that failed", n)
		}
		due(t, s, id)
		once(t, r)
		if x := get(s, id); x.Status != entjob.StatusDONE || x.Output["rows"] != 1.0 || x.Error != "" || vendors(s, "inner") != 1 {
			t.Errorf("%+v, %d vendors", x, vendors(s, "inner"))
		}
		by := s.Client.ChangeEvent.Query().Where(changeevent.EntityType("Vendor")).OnlyX(testkit.System())
		if by.RequestID != id.String() || by.Via != changeevent.ViaJOB {
			t.Errorf("the audit does not name the job: %+v", by)
		}
	})
}

// A worker that is killed is replaced once, and what it had kept is there (OP-10).
func TestKilledWorkerIsReplaced(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		id := enqueue(t, s, "halfway", job.Options{})
		c := startChild(t, s)
		c.hears(t, "began")
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		var taken atomic.Int32
		kind := job.Kind{Name: "halfway", Do: func(ctx context.Context, x *job.Run) error {
			taken.Add(1)
			if x.Attempt != 2 || x.Before.Done != 1 {
				t.Errorf("attempt %d after %+v", x.Attempt, x.Before)
			}
			return x.Done(ctx, nil, write("second half"))
		}}
		for range 3 {
			begin(t, runner(s, kind))
		}
		x := until(t, s, id, entjob.StatusDONE)
		if taken.Load() != 1 || x.Fence != 2 || vendors(s, "first half") != 1 || vendors(s, "second half") != 1 {
			t.Errorf("taken %d times, %+v", taken.Load(), x)
		}
	})
}

// A worker that is stopped past its lease, and wakes up when another has its job, is refused (OP-10). The
// same write without the fence is made twice: that is what the fence is for.
func TestPausedWorkerIsFenced(t *testing.T) {
	for kind, want := range map[string]struct {
		heard   string
		vendors int
	}{"fenced": {"wrote false true", 1}, "unfenced": {"wrote true false", 2}} {
		t.Run(kind, func(t *testing.T) {
			testkit.Databases(t, func(t *testing.T, s *store.Store) {
				id := enqueue(t, s, kind, job.Options{})
				c := startChild(t, s)
				c.hears(t, "began")
				if err := c.Process.Signal(syscall.SIGSTOP); err != nil {
					t.Fatal(err)
				}
				taken, spoken := make(chan bool), make(chan bool)
				begin(t, runner(s, job.Kind{Name: kind, Do: func(ctx context.Context, x *job.Run) error {
					taken <- true
					<-spoken // it has the job, and has not written yet, when the other one wakes up
					return x.Done(ctx, nil, write(kind))
				}}))
				<-taken
				if err := c.Process.Signal(syscall.SIGCONT); err != nil {
					t.Fatal(err)
				}
				c.tell(t)
				c.hears(t, want.heard)
				close(spoken)
				if x := until(t, s, id, entjob.StatusDONE); vendors(s, kind) != want.vendors || x.Worker != "here" || x.Fence != 2 {
					t.Errorf("%d vendors, not %d; %+v", vendors(s, kind), want.vendors, x)
				}
			})
		})
	}
}

// A worker that works keeps its lease, in a transaction and outside.
func TestLeaseIsKept(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		const lease = time.Second // a busy machine forgets a worker for half of one
		var attempts atomic.Int32
		kind := job.Kind{Name: "long", Do: func(ctx context.Context, x *job.Run) error {
			attempts.Add(1)
			time.Sleep(lease + lease/2)
			if err := x.Tx(ctx, func(context.Context, *ent.Client) error { time.Sleep(lease + lease/2); return nil }); err != nil {
				return err
			}
			time.Sleep(lease + lease/2)
			return ctx.Err()
		}}
		id := enqueue(t, s, "long", job.Options{})
		for range 2 {
			begin(t, job.New(s, job.Config{Kinds: []job.Kind{kind}, Lease: lease, Poll: 10 * time.Millisecond}))
		}
		if x := until(t, s, id, entjob.StatusDONE); x.Fence != 1 || attempts.Load() != 1 {
			t.Errorf("%d attempts, fence %d", attempts.Load(), x.Fence)
		}
	})
}

// What kills its worker each time is given up in the end, and the worker that wakes up is refused.
func TestLostOnceTooOften(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		kind := job.Kind{Name: "deadly", Do: func(ctx context.Context, x *job.Run) error {
			err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error { // its lease has run out
				return c.Job.UpdateOneID(x.ID).SetLeaseUntil(time.Now().UTC().Add(-time.Hour)).Exec(ctx)
			})
			if err == nil && x.Attempt == 2 {
				err = runner(s).Tick(ctx)
			}
			if err != nil {
				t.Error(err)
			}
			if err := x.Tx(ctx, write("deadly")); x.Attempt == 2 && !errors.Is(err, job.ErrLost) {
				t.Errorf("a write after the end: %v", err)
			}
			return errors.New("oh")
		}}
		id := enqueue(t, s, "deadly", job.Options{Attempts: 2})
		r := runner(s, kind)
		once(t, r)
		due(t, s, id)
		once(t, r)
		if x := get(s, id); x.Status != entjob.StatusDEAD || !has(x.Error, "without a word") || vendors(s, "deadly") != 1 {
			t.Errorf("%+v", x)
		}
	})
}

func TestEachJobIsDoneOnce(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		const jobs, workers = 200, 8
		for range jobs {
			enqueue(t, s, "test", job.Options{})
		}
		var by [workers]atomic.Int32
		for i := range workers {
			begin(t, runner(s, job.Kind{Name: "test", Do: func(ctx context.Context, x *job.Run) error {
				by[i].Add(1)
				return x.Done(ctx, nil, write("done "+x.ID.String()))
			}}))
		}
		for deadline := time.Now().Add(60 * time.Second); s.Client.Job.Query().Where(entjob.StatusNEQ(entjob.StatusDONE)).CountX(testkit.System()) > 0; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("they are not done")
			}
		}
		busy, total := 0, 0
		for i := range by {
			n := int(by[i].Load())
			total += n
			if n > 0 {
				busy++
			}
		}
		again := s.Client.Job.Query().Where(entjob.Or(entjob.AttemptsNEQ(1), entjob.FenceNEQ(1))).CountX(testkit.System())
		names := map[string]bool{}
		for _, v := range s.Client.Vendor.Query().AllX(testkit.System()) {
			names[v.Name] = true
		}
		if total != jobs || again != 0 || len(names) != jobs || vendors(s, "done ") != jobs || busy < 2 {
			t.Errorf("%d attempts by %d workers, %d jobs were taken again, %d vendors", total, busy, again, len(names))
		}
	})
}

// A worker that is told to stop hands its jobs over: nobody waits for the lease, no attempt is lost, and
// one that does not listen writes no more.
func TestDrain(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ids := map[string]ident.ID{"listens": enqueue(t, s, "listens", job.Options{Attempts: 1, Unique: "l"}), "deaf": enqueue(t, s, "deaf", job.Options{Attempts: 1})}
		began, wake, late := make(chan bool, 2), make(chan bool), make(chan error, 1)
		r := job.New(s, job.Config{Worker: "old", Parallel: 2, Lease: time.Hour, Poll: 10 * time.Millisecond, Grace: 50 * time.Millisecond, Kinds: []job.Kind{
			{Name: "listens", Do: func(ctx context.Context, x *job.Run) error {
				err := x.Report(ctx, job.Progress{Done: 4, Total: 8})
				began <- true
				<-ctx.Done()
				return errors.Join(err, ctx.Err())
			}},
			{Name: "deaf", Do: func(ctx context.Context, x *job.Run) error {
				began <- true
				<-wake
				late <- x.Tx(context.WithoutCancel(ctx), write("late"))
				return nil
			}}}})
		stop := begin(t, r)
		<-began
		<-began
		stop()
		for name, id := range ids {
			if x := get(s, id); x.Status != entjob.StatusREADY || x.Attempts != 0 || x.LeaseUntil != nil || x.Worker != "" {
				t.Errorf("%s was not handed over: %+v", name, x)
			}
		}
		if x := get(s, ids["listens"]); x.UniqueKey == nil {
			t.Error("a job that was handed over has lost its key")
		}
		close(wake)
		if err := <-late; !errors.Is(err, job.ErrLost) {
			t.Errorf("a job that was handed over could write: %v", err)
		}
		ok := func(ctx context.Context, x *job.Run) error {
			if x.Kind == "listens" && x.Before.Done != 4 {
				t.Errorf("the progress is lost: %+v", x.Before)
			}
			return x.Done(ctx, nil, nil)
		}
		next := runner(s, job.Kind{Name: "listens", Do: ok}, job.Kind{Name: "deaf", Do: ok})
		once(t, next)
		once(t, next)
		if n := vendors(s, "late"); n != 0 {
			t.Errorf("%d late vendors", n)
		}
	})
}

// Three workers make one job of each tick, and one after any downtime.
func TestScheduleMakesOneJob(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		kind := job.Kind{Name: "hourly", Every: time.Hour, Do: func(context.Context, *job.Run) error { return nil }}
		runners := []*job.Runner{runner(s, kind), runner(s, kind), runner(s, kind)}
		for _, r := range runners {
			if err := r.Plan(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if err := runners[0].Tick(ctx); err != nil || s.Client.Job.Query().CountX(ctx) != 0 {
			t.Fatalf("a job before its time, %v", err)
		}
		row := s.Client.JobSchedule.Query().OnlyX(ctx)
		if !row.NextAt.After(time.Now()) || row.NextAt.Minute() != 0 {
			t.Errorf("it is due at %s", row.NextAt)
		}
		const ticks = 5
		for range ticks {
			late(t, s, 40*time.Hour) // forty ticks were missed
			var wg sync.WaitGroup
			for _, r := range runners {
				wg.Go(func() {
					if err := r.Tick(ctx); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			once(t, runners[0])
		}
		if n := s.Client.Job.Query().CountX(ctx); n != ticks {
			t.Errorf("%d jobs in %d ticks", n, ticks)
		}
		row = s.Client.JobSchedule.Query().OnlyX(ctx)
		if !row.NextAt.After(time.Now()) || row.LastAt == nil {
			t.Errorf("%+v", row)
		}
		for range 2 { // nobody does them: one waits, not two
			late(t, s, time.Minute)
			if err := runners[0].Tick(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.Client.Job.Query().Where(entjob.StatusEQ(entjob.StatusREADY)).CountX(ctx); n != 1 {
			t.Errorf("%d jobs wait", n)
		}
		kind.Every = 10 * time.Minute // a new version
		if err := runner(s, kind).Plan(ctx); err != nil {
			t.Fatal(err)
		}
		if next := s.Client.JobSchedule.Query().OnlyX(ctx).NextAt; time.Until(next) > 10*time.Minute {
			t.Errorf("the shorter schedule begins at %s only", next)
		}
	})
}

// late makes the schedule overdue by d.
func late(t *testing.T, s *store.Store, d time.Duration) {
	t.Helper()
	err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		return c.JobSchedule.Update().SetNextAt(time.Now().UTC().Add(-d)).Exec(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Administrators decide about jobs that have failed, once, and it is kept who did; for others there are
// no jobs.
func TestDeadLetters(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		fails := true
		r := runner(s, job.Kind{Name: "test", Do: func(context.Context, *job.Run) error {
			if fails {
				return job.Permanent(errors.New("no"))
			}
			return nil
		}})
		a, b := enqueue(t, s, "test", job.Options{}), enqueue(t, s, "test", job.Options{})
		a, b = min(a, b), max(a, b) // those of one millisecond are in no order
		once(t, r)
		once(t, r)
		person := func(role access.Role) context.Context {
			return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: "per_1", Name: string(role), Roles: []string{string(role)}, Via: viewer.ViaPage})
		}
		for _, role := range access.Roles {
			if role == access.RoleAppAdmin {
				continue
			}
			ctx := person(role)
			_, err1 := job.List(ctx, s, entjob.StatusDEAD, "", 9)
			_, err2 := job.Counts(ctx, s)
			_, err3 := job.Schedules(ctx, s)
			for _, err := range []error{err1, err2, err3, job.Again(ctx, s, a), job.GiveUp(ctx, s, a)} {
				if errs.CodeOf(err) != errs.CodeNotFound {
					t.Errorf("%s: %v", role, err)
				}
			}
		}
		ada := person(access.RoleAppAdmin)
		if list, err := job.List(ada, s, entjob.StatusDEAD, "", 9); err != nil || len(list) != 2 || list[0].ID != b {
			t.Errorf("%v %v", list, err)
		}
		if list, err := job.List(ada, s, entjob.StatusDEAD, b, 9); err != nil || len(list) != 1 || list[0].ID != a {
			t.Errorf("the next page: %v %v", list, err)
		}
		if n, err := job.Counts(ada, s); err != nil || n[entjob.StatusDEAD] != 2 || n[entjob.StatusREADY] != 0 {
			t.Errorf("%v %v", n, err)
		}
		if err := job.Again(ada, s, a); err != nil {
			t.Fatal(err)
		}
		if err := job.GiveUp(ada, s, b); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{job.Again(ada, s, a), job.GiveUp(ada, s, a)} {
			if errs.CodeOf(err) != errs.State {
				t.Errorf("a job that waits is decided about: %v", err)
			}
		}
		if err := job.Again(ada, s, b); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("a job that was given up: %v", err)
		}
		fails = false
		once(t, r)
		if x := get(s, a); x.Status != entjob.StatusDONE || x.Attempts != 1 || x.Error != "" {
			t.Errorf("%+v", x)
		}
		if n := s.Client.ChangeEvent.Query().Where(changeevent.EntityType("Job"), changeevent.ActorName(string(access.RoleAppAdmin))).CountX(testkit.System()); n != 2 {
			t.Errorf("%d decisions in the audit", n)
		}
	})
}

// Jobs that ended long ago are deleted, others not.
func TestPurge(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		now := time.Now().UTC()
		err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			var rows []*ent.JobCreate
			for range 600 { // more than one part
				rows = append(rows, c.Job.Create().SetKind("old").SetStatus(entjob.StatusDONE).SetEndedAt(now.AddDate(0, 0, -8)))
			}
			for state, days := range map[entjob.Status]int{entjob.StatusDONE: 6, entjob.StatusDEAD: 89, entjob.StatusREADY: 400} {
				rows = append(rows, c.Job.Create().SetKind("kept").SetStatus(state).SetRunAt(now.AddDate(1, 0, 0)).SetEndedAt(now.AddDate(0, 0, -days)))
			}
			rows = append(rows, c.Job.Create().SetKind("old").SetStatus(entjob.StatusDEAD).SetEndedAt(now.AddDate(0, 0, -91)))
			return c.Job.CreateBulk(rows...).Exec(ctx)
		})
		if err != nil {
			t.Fatal(err)
		}
		id := enqueue(t, s, "purge", job.Options{})
		once(t, runner(s, job.Kind{Name: "purge", Do: func(ctx context.Context, x *job.Run) error {
			n, err := job.Purge(ctx, x, now, 7, 90)
			if n != 601 {
				t.Errorf("%d jobs deleted", n)
			}
			return err
		}}))
		if x := get(s, id); x.Status != entjob.StatusDONE {
			t.Error(x.Error)
		}
		if n := s.Client.Job.Query().Where(entjob.Kind("kept")).CountX(testkit.System()); n != 3 {
			t.Errorf("%d are left", n)
		}
		if n := s.Client.Job.Query().CountX(testkit.System()); n != 4 {
			t.Errorf("%d are left", n)
		}
	})
}
