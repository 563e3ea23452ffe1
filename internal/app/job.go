package app

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"steward/ent"
	"steward/ent/idempotencykey"
	"steward/ent/session"
	"steward/ent/undoentry"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
)

// How long what has ended is kept. Idempotency keys: security.md DA-4.
const (
	keyDays     = 30
	sessionDays = 30
)

// job is something that runs again and again while the server does. Each may run on several servers of one
// database at once: sealing takes a lock in the database, the others delete what is past its time.
type job struct {
	name  string
	every time.Duration
	do    func(context.Context) (int, error) // how many rows it changed
	// eager jobs do a part at a time and go on after a breath while there is more.
	eager bool
}

// breath is how long an eager job leaves the database to others between two parts: longer than one of SQLite's
// waits for the writer's lock, so that somebody who waits gets it.
const breath = 150 * time.Millisecond

func (a *App) runJobs(ctx context.Context) {
	runs := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_job_runs_total", Help: "Runs of background jobs by result."}, []string{"job", "result"})
	rows := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_job_rows_total", Help: "Rows that background jobs have changed."}, []string{"job"})
	sealed := prometheus.NewGauge(prometheus.GaugeOpts{Name: "steward_audit_sealed_timestamp_seconds", Help: "When the sealing of the audit last went through."})
	a.metrics.Register(runs, rows, sealed)
	ctx = viewer.With(ctx, viewer.NewSystem(viewer.ViaJob, ""))
	for _, j := range []job{
		{"seal", time.Second, func(ctx context.Context) (int, error) {
			n, err := a.jobs.Seal(ctx)
			if err == nil {
				sealed.SetToCurrentTime()
			}
			return n, err
		}, true},
		{"audit-head", time.Minute, a.logHead(), false},
		{"clean", time.Hour, func(ctx context.Context) (int, error) { return clean(ctx, a.jobs, time.Now().UTC()) }, false},
	} {
		a.work.Go(func() { a.repeat(ctx, j, runs, rows) })
	}
}

// repeat runs a job until ctx ends. An error or a panic is logged and counted; the job goes on. A run that
// takes long makes the pause longer, so that no job takes more than a tenth of the database's time (half of it
// while an eager one catches up).
func (a *App) repeat(ctx context.Context, j job, runs, rows *prometheus.CounterVec) {
	for {
		start := time.Now()
		n, err := guarded(ctx, j.do)
		took := time.Since(start)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			a.cfg.Log.ErrorContext(ctx, "job failed", "job", j.name, "error", err)
			runs.WithLabelValues(j.name, "failed").Inc()
		default:
			runs.WithLabelValues(j.name, "done").Inc()
			rows.WithLabelValues(j.name).Add(float64(n))
		}
		pause := max(j.every, 10*took)
		if j.eager && n > 0 {
			pause = max(breath, took)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

func guarded(ctx context.Context, do func(context.Context) (int, error)) (n int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do(ctx)
}

// logHead returns the job that writes the head of the audit's chain to the log when it has moved: whoever cuts
// the end of the audit off together with its head is found out by the log.
func (a *App) logHead() func(context.Context) (int, error) {
	last := ""
	return func(ctx context.Context) (int, error) {
		head, err := a.jobs.Client.AuditHead.Query().Only(ctx)
		if ent.IsNotFound(err) {
			return 0, nil
		}
		if err == nil && head.Hash != last {
			last = head.Hash
			a.cfg.Log.Info("audit head", "seal", head.SealID, "hash", head.Hash)
		}
		return 0, err
	}
}

// clean deletes what is past its time: sessions a month after their end, idempotency keys after thirty days,
// rights to undo that have run out. What was done with them stays in the audit.
func clean(ctx context.Context, s *store.Store, now time.Time) (total int, err error) {
	err = s.Tx(scope.Elevate(ctx), func(ctx context.Context, c *ent.Client) error {
		for _, remove := range []func() (int, error){
			func() (int, error) {
				return c.Session.Delete().Where(session.ExpiresAtLT(now.AddDate(0, 0, -sessionDays))).Exec(ctx)
			},
			func() (int, error) {
				return c.IdempotencyKey.Delete().Where(idempotencykey.CreatedAtLT(now.AddDate(0, 0, -keyDays))).Exec(ctx)
			},
			func() (int, error) { return c.UndoEntry.Delete().Where(undoentry.ExpiresAtLT(now)).Exec(ctx) },
		} {
			n, err := remove()
			if total += n; err != nil {
				return err
			}
		}
		return nil
	})
	return total, err
}
