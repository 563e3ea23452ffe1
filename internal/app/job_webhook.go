package app

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"steward/internal/area/webhook"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
)

// hooksAtATime is how many webhooks a server serves at once. They have a runner of their own, so that
// receivers that do not answer hold up other webhooks at most, and no other job.
const hooksAtATime = 6

// webhooks are the webhooks over one of the connection pools.
func (a *App) webhooks(s *store.Store) *webhook.Service {
	return &webhook.Service{Store: s, Keys: a.keys, Out: a.out, Source: a.base}
}

// runWebhooks gives webhooks their turn until ctx ends; the loop "webhooks" says which want one.
func (a *App) runWebhooks(ctx context.Context, runs *prometheus.CounterVec) {
	runner := job.New(a.jobs, job.Config{Kinds: []job.Kind{{Name: webhook.Kind, Do: a.webhooks(a.jobs).Turn}}, Worker: workerName(),
		Parallel: hooksAtATime, Log: a.cfg.Log, Runs: runs, Traces: a.traces})
	a.work.Go(func() { runner.Work(ctx) })
}

// purgeWebhooks deletes old messages of webhooks.
func (a *App) purgeWebhooks(ctx context.Context, x *job.Run) error {
	n, err := a.webhooks(a.jobs).Purge(ctx, x)
	if err != nil {
		return err
	}
	return x.Done(ctx, map[string]any{"messages": n}, nil)
}
