// Package app puts Steward together: it opens the database, gives it to the areas, builds the doors over
// them, serves, and runs the commands of the command line. It holds no rules and no pages of its own;
// everything is connected here by plain assignment, so that one can read what depends on what.
//
// cmd/steward calls Run. Tests start a whole server in their own process with Start.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"

	"steward/internal/platform/auth"
	"steward/internal/platform/config"
	"steward/internal/platform/event"
	"steward/internal/platform/obs"
	"steward/internal/platform/outbound"
	"steward/internal/platform/store"
)

// Limits of the listeners (OP-3). Handlers that stream set their own write deadline.
const (
	headerTime  = 5 * time.Second
	readTime    = 15 * time.Second
	writeTime   = 30 * time.Second
	idleTime    = 120 * time.Second
	headerBytes = 32 << 10
	connections = 10000
	// shutdownTime is how long requests may still take once the listener is closed.
	shutdownTime = 25 * time.Second
)

// Config is what a server is started with: the settings of `steward serve`, as config.Parse returns them,
// and where it writes.
type Config struct {
	config.Serve
	Log *slog.Logger     // nil: nothing is logged
	Out io.Writer        // hears the address and who to sign in as; nil: nobody does
	Now func() time.Time // the demo is seeded as of this time; nil: time.Now
}

// App is a running server.
type App struct {
	cfg     Config
	base    string // address that people type, without a trailing slash
	site    net.Listener
	ops     net.Listener // nil without one
	servers []*http.Server
	metrics *obs.Metrics
	traces  *obs.Traces // nil without a collector
	keys    *auth.Keyring
	out     *outbound.Client // the one way to addresses that somebody typed
	state   state
	store   *store.Store // set once the database is ready; read after ready is closed
	jobs    *store.Store
	events  *event.Recorder
	places  *shedder

	door   atomic.Pointer[http.Handler] // nil until everything is ready
	ready  chan struct{}                // closed then
	failed chan struct{}                // closed when the start has failed, with err set
	err    error

	closing    context.Context // ends when connections are to: streams end with it
	close      context.CancelFunc
	background context.Context // ends when the server stops
	cancel     context.CancelFunc
	work       sync.WaitGroup // what runs in it
	stop       sync.Once
}

// Start listens and begins to serve. It returns as soon as the probes answer; opening, migrating and seeding
// the database go on behind it, and until they are done everything else is answered 503 (see Ready). It
// fails for an address that cannot be listened on and for a missing or bad encryption key.
func Start(ctx context.Context, cfg Config) (*App, error) {
	a, err := newApp(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := a.listen(ctx); err != nil {
		a.cancel()
		return nil, err
	}
	a.begin(a.open)
	return a, nil
}

// newApp returns a server, or worker, that does nothing yet.
func newApp(ctx context.Context, cfg Config) (*App, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Out == nil {
		cfg.Out = io.Discard
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	keys, err := keyring(&cfg.Storage)
	if err != nil {
		return nil, err
	}
	a := &App{cfg: cfg, keys: keys, out: outbound.New(outbound.Config{Allow: cfg.WebhookAllow}), metrics: obs.NewMetrics(), ready: make(chan struct{}), failed: make(chan struct{})}
	a.metrics.Route = route
	if a.traces, err = obs.NewTraces(ctx, obs.TraceConfig{Endpoint: cfg.OTLPEndpoint, Ratio: cfg.TraceRatio, Headers: cfg.OTLPHeaders, Log: cfg.Log}); err != nil {
		return nil, err
	}
	a.closing, a.close = context.WithCancel(context.WithoutCancel(ctx))
	a.background, a.cancel = context.WithCancel(context.WithoutCancel(ctx))
	a.state.say("starting")
	return a, nil
}

// begin makes everything ready behind the listeners; open says how.
func (a *App) begin(open func(context.Context) error) {
	a.work.Go(func() {
		if err := open(a.background); err != nil && a.background.Err() == nil {
			a.cfg.Log.Error("the start failed", "error", err)
			a.state.say("the start failed")
			a.err = err
			close(a.failed)
		}
	})
}

// listen opens both listeners and begins to answer.
func (a *App) listen(ctx context.Context) (err error) {
	var lc net.ListenConfig
	if a.site, err = lc.Listen(ctx, "tcp", a.cfg.Listen); err != nil {
		return fmt.Errorf("cannot listen on %s: %w", a.cfg.Listen, err)
	}
	a.base = a.cfg.BaseURL
	if a.base == "" {
		a.base = fmt.Sprintf("http://localhost:%d", a.site.Addr().(*net.TCPAddr).Port)
	}
	a.serve(netutil.LimitListener(a.site, connections), a.handler(), writeTime)
	if err = a.listenOps(ctx); err != nil {
		_ = a.site.Close()
	}
	return err
}

// listenOps opens the second listener, where one is wanted.
func (a *App) listenOps(ctx context.Context) (err error) {
	if a.cfg.OpsListen == "" {
		return nil
	}
	var lc net.ListenConfig
	a.ops, err = lc.Listen(ctx, "tcp", a.cfg.OpsListen)
	switch {
	case err == nil:
		a.serve(a.ops, a.metrics.Ops(a.cfg.Profiles()), 2*time.Minute) // a profile takes its time
	case a.cfg.Production:
		return fmt.Errorf("cannot listen on %s for metrics: %w", a.cfg.OpsListen, err)
	default: // a trial goes on without: some other program has the port
		a.cfg.Log.Warn("no metrics: the second listener's address is taken", "address", a.cfg.OpsListen, "error", err)
	}
	return nil
}

func (a *App) serve(l net.Listener, h http.Handler, write time.Duration) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: write, IdleTimeout: idleTime,
		MaxHeaderBytes: headerBytes, ErrorLog: slog.NewLogLogger(a.cfg.Log.Handler(), slog.LevelWarn)}
	a.servers = append(a.servers, s)
	a.work.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.cfg.Log.Error("a listener ended", "error", err)
		}
	})
}

// Addr returns the address the site listens on, with the port that was chosen where none was given.
func (a *App) Addr() string { return a.site.Addr().String() }

// OpsAddr returns the address of the second listener, "" where there is none.
func (a *App) OpsAddr() string {
	if a.ops == nil {
		return ""
	}
	return a.ops.Addr().String()
}

// URL returns the address that people type, without a trailing slash.
func (a *App) URL() string { return a.base }

// Store returns the database of a server that is ready; tests look into it.
func (a *App) Store() *store.Store { return a.store }

// Ready waits until the database is migrated, seeded where that was asked for, and pages are served. It
// returns why that will not happen, or ctx's error.
func (a *App) Ready(ctx context.Context) error {
	select {
	case <-a.ready:
		return nil
	case <-a.failed:
		return a.err
	case <-ctx.Done():
		return fmt.Errorf("not ready, %s: %w", a.state.said(), ctx.Err())
	}
}

// Wait serves until ctx ends, then stops as Stop does. The error is why the start failed, or that requests
// had to be cut off.
func (a *App) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-a.failed:
		return errors.Join(a.err, a.Stop(context.WithoutCancel(ctx)))
	}
	return a.Stop(context.WithoutCancel(ctx))
}

// Stop says "not ready" for the drain wait, so that a balancer looks elsewhere, lets requests finish, ends the
// jobs and closes the database. The error says that requests were cut off after 25 seconds. A second
// call does nothing.
func (a *App) Stop(ctx context.Context) (err error) {
	a.stop.Do(func() {
		a.state.draining.Store(true)
		a.cfg.Log.Info("stopping", "drain", a.cfg.Drain().String())
		select {
		case <-time.After(a.cfg.Drain()):
		case <-ctx.Done():
		}
		a.close() // whoever listens to a stream comes back elsewhere: the balancer has looked away
		limit, cancel := context.WithTimeout(ctx, shutdownTime)
		defer cancel()
		for _, s := range a.servers {
			if e := s.Shutdown(limit); e != nil {
				err = errors.Join(err, fmt.Errorf("requests were cut off: %w", e))
				_ = s.Close()
			}
		}
		a.cancel()
		a.work.Wait()
		a.traces.Stop(ctx)
		for _, s := range []*store.Store{a.store, a.jobs} {
			if s != nil {
				err = errors.Join(err, s.Close())
			}
		}
		a.cfg.Log.Info("stopped")
	})
	return err
}
