package app

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"steward/ent"
	"steward/internal/platform/job"
	"steward/internal/rules/viewer"
)

// loop is something small that every server does again and again, beside the jobs of platform/job: sealing
// the audit each second and logging its head each minute. They stay loops because they are cheap when there is
// nothing to do, and a row for each second would cost more than the work. Several servers of one database may
// run them at once: sealing takes a lock in the database, the other one only reads.
type loop struct {
	name  string
	every time.Duration
	do    func(context.Context) (int, error) // how many rows it changed
	// eager loops do a part at a time and go on after a breath while there is more.
	eager bool
}

// breath is how long an eager loop leaves the database to others between two parts: longer than one of SQLite's
// waits for the writer's lock, so that somebody who waits gets it.
const breath = 150 * time.Millisecond

// parallelJobs is how many jobs a server does at a time beside its requests.
const parallelJobs = 2

// jobConnections is how many connections the jobs need: two for the loops and the schedules, for each job
// its own, its transaction's and that of the lease, and one for each webhook that has its turn.
func jobConnections(parallel int) int { return 2 + 3*parallel + hooksAtATime }

// runJobs does the loops and the jobs until ctx ends.
func (a *App) runJobs(ctx context.Context, parallel int) {
	runs := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_job_runs_total", Help: "Runs of background jobs by result."}, []string{"job", "result"})
	rows := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_job_rows_total", Help: "Rows that background loops have changed."}, []string{"job"})
	sealed := prometheus.NewGauge(prometheus.GaugeOpts{Name: "steward_audit_sealed_timestamp_seconds", Help: "When the sealing of the audit last went through."})
	a.metrics.Register(runs, rows, sealed)
	runner := job.New(a.jobs, job.Config{Kinds: a.kinds(), Worker: workerName(), Parallel: parallel, Log: a.cfg.Log, Runs: runs, Traces: a.traces})
	a.work.Go(func() { runner.Work(ctx) })
	a.runWebhooks(ctx, runs)
	system := viewer.With(ctx, viewer.NewSystem(viewer.ViaJob, ""))
	for _, l := range []loop{
		{"seal", time.Second, func(ctx context.Context) (int, error) {
			n, err := a.jobs.Seal(ctx)
			if err == nil {
				sealed.SetToCurrentTime()
			}
			return n, err
		}, true},
		{"audit-head", time.Minute, a.logHead(), false},
		{"webhooks", time.Second, a.webhooks(a.jobs).Sweep, false},
	} {
		a.work.Go(func() { a.repeat(system, l, runs, rows) })
	}
}

// workerName says which process works, for those who look at the jobs.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%.100s/%d", host, os.Getpid())
}

// repeat runs a loop until ctx ends. An error or a panic is logged and counted; the loop goes on. A run that
// takes long makes the pause longer, so that no loop takes more than a tenth of the database's time (half of it
// while an eager one catches up).
func (a *App) repeat(ctx context.Context, l loop, runs, rows *prometheus.CounterVec) {
	for {
		start := time.Now()
		n, err := guarded(ctx, l.do)
		took := time.Since(start)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			a.cfg.Log.ErrorContext(ctx, "job failed", "job", l.name, "error", err)
			runs.WithLabelValues(l.name, "failed").Inc()
		default:
			runs.WithLabelValues(l.name, "done").Inc()
			rows.WithLabelValues(l.name).Add(float64(n))
		}
		pause := max(l.every, 10*took)
		if l.eager && n > 0 {
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

// logHead returns the loop that writes the head of the audit's chain to the log when it has moved: whoever cuts
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
