package job

import (
	"context"
	"time"

	"steward/ent"
	"steward/ent/job"
	"steward/ent/jobschedule"
	"steward/ent/predicate"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
)

// next returns the first time after now at which the kind is due.
func (k Kind) next(now time.Time) time.Time {
	at := now.UTC().Truncate(k.Every).Add(k.At)
	for !at.After(now) {
		at = at.Add(k.Every)
	}
	for earlier := at.Add(-k.Every); earlier.After(now); earlier = at.Add(-k.Every) {
		at = earlier
	}
	return at
}

// keepTime does what time asks for until ctx ends.
func (r *Runner) keepTime(ctx context.Context) {
	ctx = asSystem(ctx)
	planned := false
	for ctx.Err() == nil {
		var err error
		if !planned {
			err = r.Plan(ctx)
			planned = err == nil
		}
		if err == nil {
			err = r.Tick(ctx)
		}
		if err != nil && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "scheduled jobs could not be looked after", "error", err)
		}
		rest(ctx, r.Poll)
	}
}

// Plan sees to it that each kind with a schedule has its row. A schedule that has become shorter with a
// new version begins at once to be so.
func (r *Runner) Plan(ctx context.Context) error {
	now, err := clock(ctx, r.store)
	if err != nil {
		return err
	}
	for _, k := range r.Kinds {
		if k.Every == 0 {
			continue
		}
		if _, err := exec(ctx, r.store, `INSERT INTO job_schedules (id, created_at, updated_at, name, next_at) VALUES ($1, $2, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at WHERE job_schedules.next_at > excluded.next_at`,
			ident.New("jsc").String(), now, k.Name, k.next(now)); err != nil {
			return err
		}
	}
	return nil
}

// Tick takes back the jobs of workers that are gone, and makes the scheduled jobs that are due, each once
// however many workers ask. After a downtime there is one job, not one for each time missed; and
// none while the one before has not ended.
func (r *Runner) Tick(ctx context.Context) error {
	ctx = asSystem(ctx)
	now, err := clock(ctx, r.store)
	if err != nil {
		return err
	}
	due, err := r.store.Client.JobSchedule.Query().Where(jobschedule.NextAtLTE(now)).Select(jobschedule.FieldName).Strings(ctx)
	if err != nil {
		return err
	}
	for _, name := range due {
		k, known := r.kinds[name]
		if !known || k.Every == 0 {
			continue
		}
		if err := r.make(ctx, k, now); err != nil {
			return err
		}
	}
	return r.takeBack(ctx)
}

// make enqueues a scheduled job and moves its row on, both or neither. Whoever comes second waits for
// the row, and then finds it moved.
func (r *Runner) make(ctx context.Context, k Kind, now time.Time) error {
	return r.store.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
		n, err := exec(ctx, r.store, "UPDATE job_schedules SET last_at = $1, updated_at = $1, next_at = $2 WHERE name = $3 AND next_at <= $1", now, k.next(now), k.Name)
		if err != nil || n == 0 {
			return err
		}
		_, err = Enqueue(ctx, r.store, k.Name, nil, Options{Unique: "schedule " + k.Name})
		return err
	})
}

// age returns for how many seconds the job that is due longest, of those that which keeps, has been.
func age(ctx context.Context, s *store.Store, which predicate.Job) (float64, error) {
	now, err := clock(ctx, s)
	if err != nil {
		return 0, err
	}
	first, err := s.Client.Job.Query().Where(job.StatusEQ(job.StatusREADY), job.RunAtLTE(now), which).Order(job.ByRunAt()).First(ctx)
	if ent.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return now.Sub(first.RunAt).Seconds(), nil
}
