package job

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/job"
	"steward/ent/jobschedule"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// May reports whether somebody may look at jobs and decide about those that have failed: an
// administrator of the application, or the system. For others there are no jobs.
func May(v *viewer.Viewer) bool {
	return v.IsSystem() || v != nil && v.Kind == viewer.Person && access.May(v, "Job", access.Write)
}

// allowed returns a context in which the rows of jobs can be reached, where May says so.
func allowed(ctx context.Context) (context.Context, error) {
	if !May(viewer.From(ctx)) {
		return nil, errs.NotFound()
	}
	return scope.Elevate(ctx), nil
}

// States are the states of a job, in the order in which they need somebody.
var States = []job.Status{job.StatusDEAD, job.StatusRUNNING, job.StatusREADY, job.StatusDONE}

// Counts returns how many jobs there are in each state.
func Counts(ctx context.Context, s *store.Store) (map[job.Status]int, error) {
	ctx, err := allowed(ctx)
	if err != nil {
		return nil, err
	}
	out := map[job.Status]int{}
	for _, state := range States {
		if out[state], err = s.ClientOf(ctx).Job.Query().Where(job.StatusEQ(state)).Count(ctx); err != nil {
			return nil, store.Known(err)
		}
	}
	return out, nil
}

// List returns jobs of a state, newest first, from the one after another on (empty: the first).
func List(ctx context.Context, s *store.Store, state job.Status, after ident.ID, limit int) ([]*ent.Job, error) {
	ctx, err := allowed(ctx)
	if err != nil {
		return nil, err
	}
	q := s.ClientOf(ctx).Job.Query().Where(job.StatusEQ(state))
	if after != "" {
		q.Where(job.IDLT(after))
	}
	list, err := q.Order(job.ByID(sql.OrderDesc())).Limit(limit).All(ctx)
	return list, store.Known(err)
}

// Schedules returns when the scheduled kinds are due next, soonest first.
func Schedules(ctx context.Context, s *store.Store) ([]*ent.JobSchedule, error) {
	ctx, err := allowed(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.ClientOf(ctx).JobSchedule.Query().Order(jobschedule.ByNextAt(), jobschedule.ByName()).All(ctx)
	return list, store.Known(err)
}

// Again has a job that failed for good tried anew, with all its attempts.
func Again(ctx context.Context, s *store.Store, id ident.ID) error {
	return decide(ctx, s, id, "READY", func(ctx context.Context, c *ent.Client) (int, error) {
		now, err := clock(ctx, s)
		if err != nil {
			return 0, err
		}
		return c.Job.Update().Where(job.ID(id), job.StatusEQ(job.StatusDEAD)).
			SetStatus(job.StatusREADY).SetAttempts(0).SetRunAt(now).SetWorker("").ClearEndedAt().Save(ctx)
	})
}

// GiveUp deletes a job that failed for good. That it was there stays in the record of changes.
func GiveUp(ctx context.Context, s *store.Store, id ident.ID) error {
	return decide(ctx, s, id, nil, func(ctx context.Context, c *ent.Client) (int, error) {
		return c.Job.Delete().Where(job.ID(id), job.StatusEQ(job.StatusDEAD)).Exec(ctx)
	})
}

// decide changes a job that failed for good, once, and says so in the record of changes: jobs come and
// go without a word, what administrators do with them does not.
func decide(ctx context.Context, s *store.Store, id ident.ID, to any, do func(context.Context, *ent.Client) (int, error)) error {
	ctx, err := allowed(ctx)
	if err != nil {
		return err
	}
	return s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		x, err := c.Job.Get(ctx, id)
		if err != nil {
			return err
		}
		n, err := do(ctx, c)
		if err != nil {
			return err
		}
		if n == 0 {
			return errs.New(errs.State, "job.not_dead")
		}
		change := store.Change{Op: store.OpEvent, Entity: "Job", ID: id, Version: x.Version,
			Diff: map[string][2]any{"kind": {x.Kind, x.Kind}, "status": {"DEAD", to}}}
		if x.PortfolioID != nil {
			change.Portfolio = *x.PortfolioID
		}
		return store.Note(ctx, change)
	})
}

// batch is how many jobs are deleted in one transaction.
const batch = 500

// Purge deletes jobs that were done, or failed for good, so many days before now, a part in each transaction of
// the job x, and returns how many.
func Purge(ctx context.Context, x *Run, now time.Time, doneDays, deadDays int) (total int, err error) {
	for state, days := range map[job.Status]int{job.StatusDONE: doneDays, job.StatusDEAD: deadDays} {
		for n := batch; n == batch; total += n {
			if err := x.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
				ids, err := c.Job.Query().Where(job.StatusEQ(state), job.EndedAtLT(now.AddDate(0, 0, -days))).Limit(batch).IDs(ctx)
				if err == nil {
					n, err = c.Job.Delete().Where(job.IDIn(ids...)).Exec(ctx)
				}
				return err
			}); err != nil {
				return total, err
			}
		}
	}
	return total, nil
}
