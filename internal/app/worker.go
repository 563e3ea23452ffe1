package app

import (
	"context"
	"time"

	"steward/internal/platform/config"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
)

// worker does background jobs until it is told to stop.
func (c *command) worker(ctx context.Context) error {
	level, err := obs.Level(c.LogLevel)
	if err != nil {
		return usage{err}
	}
	w := c.Command.Worker
	// no drain wait: nobody sends a worker requests that would have to go elsewhere first
	a, err := newApp(ctx, Config{Log: obs.NewLogger(c.out, level), Out: c.err,
		Serve: config.Serve{Storage: w.Storage, Tracing: w.Tracing, OpsListen: w.OpsListen, Production: w.Production, Scanner: w.Scanner, WebhookAllow: w.WebhookAllow, DrainWait: new(time.Duration)}})
	if err != nil {
		return err
	}
	if err := a.listenOps(ctx); err != nil {
		a.cancel()
		return err
	}
	a.begin(func(ctx context.Context) error { return a.openWorker(ctx, w.Parallel) })
	return a.Wait(ctx)
}

// openWorker makes a worker ready. It never migrates: that is for a server or for whoever upgrades.
func (a *App) openWorker(ctx context.Context, parallel int) error {
	if err := a.prepare(ctx, false); err != nil {
		return err
	}
	if err := a.openJobs(ctx, parallel); err != nil {
		return err
	}
	a.runJobs(ctx, parallel)
	a.state.say("ready")
	close(a.ready)
	a.cfg.Log.Info("working", "worker", workerName(), "parallel", parallel)
	return nil
}

// openJobs opens the connections of the jobs, which wait for nothing and for which nobody waits: there are few
// of them, without a statement limit. The rules of the areas hold for what jobs write.
func (a *App) openJobs(ctx context.Context, parallel int) (err error) {
	if a.jobs, err = connect(ctx, a.cfg.Database, store.Options{Pool: jobConnections(parallel)}); err != nil {
		return err
	}
	a.metrics.Pool("jobs", a.jobs.DB)
	a.watchDatabase()
	return nil
}
