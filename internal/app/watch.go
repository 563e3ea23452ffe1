package app

import (
	"context"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"steward/internal/area/webhook"
	"steward/internal/platform/auth"
	"steward/internal/platform/entity"
	"steward/internal/platform/job"
	"steward/internal/platform/obs"
	"steward/internal/rules/viewer"
)

// docs/operate/metrics.md says of each metric what it means and when to alert.

// route is what a route is counted as: those that every type of record has count together, under {type}. There
// are some twenty of them for each of some thirty types, and each would cost nine series and more.
func route(pattern string) string {
	method, path, _ := strings.Cut(pattern, " /")
	end := strings.IndexAny(path+"/", "/.")
	for _, e := range entity.Registry() {
		if path[:end] == e.Path {
			return method + " /{type}" + path[end:]
		}
	}
	return pattern
}

// watchDatabase has the metrics tell what waits in the database. Every process of one database tells the same.
func (a *App) watchDatabase() {
	seconds := func(name, help string) prometheus.GaugeOpts { return prometheus.GaugeOpts{Name: name, Help: help} }
	a.metrics.Register(
		job.Gauges(a.jobs, webhook.Kind),
		obs.Asked(func(ctx context.Context) ([]float64, error) {
			lag, err := a.jobs.SealLag(ctx)
			return []float64{lag.Seconds()}, err
		}, seconds("steward_audit_seal_lag_seconds", "How long the oldest audit row without a seal has waited for it.")),
		obs.Asked(func(ctx context.Context) ([]float64, error) {
			x, err := a.webhooks(a.jobs).Lag(viewer.With(ctx, viewer.NewSystem(viewer.ViaJob, "")))
			return []float64{x.Outbox.Seconds(), x.Delivery.Seconds(), x.Failing.Seconds(), float64(x.Stopped), float64(x.Dead)}, err
		},
			seconds("steward_outbox_lag_seconds", "How long the oldest event has waited for the slowest webhook to look at it."),
			seconds("steward_webhook_delivery_lag_seconds", "How long the webhook message that is due longest has waited to be sent."),
			seconds("steward_webhook_failing_seconds", "For how long nothing has got through to the webhook of which that is true longest."),
			prometheus.GaugeOpts{Name: "steward_webhooks_stopped", Help: "Webhooks that were stopped and wait for an administrator."},
			prometheus.GaugeOpts{Name: "steward_webhook_deliveries_dead", Help: "Webhook messages of the last month that were given up, up to 10,000."}),
	)
}

// watchWaits has the metrics tell how requests fare for which no connection is free.
func (a *App) watchWaits() {
	count := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read)
	}
	a.metrics.Register(
		count("steward_db_waits_total", "Statements of requests that had to wait for a connection.", func() float64 { return float64(a.store.Waits().Waited) }),
		count("steward_db_wait_seconds_total", "How long they waited.", func() float64 { return a.store.Waits().For.Seconds() }),
		count("steward_db_refused_total", "Statements of requests that got no connection in time.", func() float64 { return float64(a.store.Waits().Refused) }))
}

// watchProvider has the metrics tell whether the identity provider answers, as far as the sign-in has asked it.
func (a *App) watchProvider(signIn *auth.Auth) {
	gauge := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	a.metrics.Register(
		gauge("steward_idp_up", "Whether the identity provider answered when it was last asked: 1 or 0; -1: nobody has asked it.", func() float64 {
			switch asked, up, _ := signIn.Provider(); {
			case !asked:
				return -1
			case up:
				return 1
			}
			return 0
		}),
		gauge("steward_idp_last_contact_timestamp_seconds", "When the identity provider last answered; 0 for never.", func() float64 {
			if _, _, last := signIn.Provider(); !last.IsZero() {
				return float64(last.Unix())
			}
			return 0
		}))
}
