package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	"github.com/prometheus/client_golang/prometheus"

	"steward/ent/job"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
)

// Kind is one sort of job and how it is done.
type Kind struct {
	// Name is that of Enqueue, and of the messages "job.kind.<name>".
	Name string
	// Do does the job on behalf of the system. An error is tried again later, a panic too; see Permanent.
	Do func(ctx context.Context, x *Run) error
	// Every makes such a job by itself, at each multiple of it since midnight UTC, At later; zero is
	// never.
	Every, At time.Duration
}

// Config is what a Runner is made of.
type Config struct {
	Kinds    []Kind
	Worker   string        // who works, for the page of administrators: machine and process
	Parallel int           // jobs at a time; zero is one
	Lease    time.Duration // how long a job waits for a worker that is gone; zero is a minute
	Poll     time.Duration // how often somebody without work looks for some; zero is a second
	Grace    time.Duration // how long a job may take to stop; zero is five seconds
	Log      *slog.Logger  // nil: nothing is logged
	// Runs counts attempts by kind ("job") and result: done, failed, dead, lost or handed-over; nil:
	// nobody counts.
	Runs *prometheus.CounterVec
	// Traces tells a sample of the attempts step by step; nil: nobody is told.
	Traces *obs.Traces
}

// Runner takes jobs and does them.
type Runner struct {
	Config
	store *store.Store
	kinds map[string]Kind
	names []any // of the kinds: a worker leaves alone what it does not know, such as jobs of a newer version
}

// New returns a runner on s, whose connections must be without the limits of requests.
func New(s *store.Store, c Config) *Runner {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Parallel = max(1, c.Parallel)
	for of, value := range map[*time.Duration]time.Duration{&c.Lease: time.Minute, &c.Poll: time.Second, &c.Grace: 5 * time.Second} {
		if *of == 0 {
			*of = value
		}
	}
	r := &Runner{Config: c, store: s, kinds: map[string]Kind{}}
	for _, k := range c.Kinds {
		if _, twice := r.kinds[k.Name]; twice {
			panic("job: two kinds are called " + k.Name)
		}
		r.kinds[k.Name] = k
		r.names = append(r.names, k.Name)
	}
	return r
}

// asSystem is the context that the work is done in.
func asSystem(ctx context.Context) context.Context {
	return viewer.With(ctx, viewer.NewSystem(viewer.ViaJob, ""))
}

// Work does jobs until ctx ends. Those under way are then told to stop and handed over, so that other
// workers need not wait for the leases to run out.
func (r *Runner) Work(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { r.keepTime(ctx) })
	for range r.Parallel {
		all.Go(func() { r.loop(ctx) })
	}
	all.Wait()
}

func (r *Runner) loop(ctx context.Context) {
	for ctx.Err() == nil {
		worked, err := r.Once(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			r.Log.WarnContext(ctx, "no job could be taken", "error", err)
			rest(ctx, 5*r.Poll)
		case !worked:
			rest(ctx, r.Poll)
		}
	}
}

// rest waits for about d, so that workers do not all look at the same moment.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d/2 + rand.N(d)):
	case <-ctx.Done():
	}
}

// Once takes the job that has been due longest and makes one attempt at it. It reports false when none
// is due.
func (r *Runner) Once(ctx context.Context) (bool, error) {
	x, err := r.take(asSystem(ctx))
	if x == nil || err != nil {
		return false, err
	}
	r.perform(ctx, x)
	return true, nil
}

// take claims the job that has been due longest. Nobody else gets it, as it is one statement that skips
// rows which another one is just taking.
func (r *Runner) take(ctx context.Context) (*Run, error) {
	if len(r.names) == 0 {
		return nil, nil
	}
	now := in(r.store, "$1")
	rows, err := r.store.Raw(ctx).QueryContext(ctx, `UPDATE jobs SET started_at = `+now+`, updated_at = `+now+`, status = 'RUNNING', fence = fence + 1, attempts = attempts + 1,
		lease_until = `+in(r.store, "$2")+`, worker = $3
		WHERE id = (SELECT id FROM jobs WHERE status = 'READY' AND run_at <= `+now+`
			AND kind IN (`+list(len(r.names), 4)+`) ORDER BY run_at, id LIMIT 1`+r.free()+`)
		RETURNING id, kind, fence, attempts, max_attempts, actor_id, actor_name, CAST(input AS text), COALESCE(CAST(progress AS text), '{}')`,
		append([]any{moments(0), moments(r.Lease), r.Worker}, r.names...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, rows.Err()
	}
	x := &Run{store: r.store, lease: r.Lease}
	var input, progress string
	if err := rows.Scan(&x.ID, &x.Kind, &x.fence, &x.Attempt, &x.most, &x.ActorID, &x.ActorName, &input, &progress); err != nil {
		return nil, err
	}
	x.input = []byte(input)
	return x, json.Unmarshal([]byte(progress), &x.Before)
}

// list writes n parameters from $first on.
func list(n, first int) string {
	var params []string
	for i := range n {
		params = append(params, "$"+strconv.Itoa(first+i))
	}
	return strings.Join(params, ", ")
}

// perform makes the attempt, with somebody renewing the lease beside it, and notes how it ended.
func (r *Runner) perform(ctx context.Context, x *Run) {
	v := viewer.NewSystem(viewer.ViaJob, x.ActorName)
	v.RequestID = x.ID.String() // leads from the audit to the job
	ctx, span := r.Traces.Begin(ctx, "job "+x.Kind, "steward.job.kind", x.Kind, "steward.job.id", x.ID.String())
	doing, stop := context.WithCancelCause(viewer.With(ctx, v))
	defer stop(nil)
	go x.beat(doing, stop)
	ended := make(chan error, 1)
	go func() { ended <- r.attempt(doing, x) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		select {
		case err = <-ended:
		case <-time.After(r.Grace): // it does not listen; the fence keeps what it may still write out
			err = errDrain
		}
	}
	stop(nil)
	span.Set("steward.job.result", r.settle(ctx, x, err))
	span.End(err)
}

// attempt calls the kind; a panic is an error like any other (OP-12).
func (r *Runner) attempt(ctx context.Context, x *Run) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.Log.ErrorContext(ctx, "panic in a job", "job", x.Kind, "id", x.ID.String(), "value", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return r.kinds[x.Kind].Do(ctx, x)
}

// settle writes how an attempt ended, and returns it in a word. When it cannot be written the lease runs
// out and the job is taken again.
func (r *Runner) settle(ctx context.Context, x *Run, err error) string {
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	result, noted := "done", error(nil)
	switch {
	case x.ended.Load():
	case errors.Is(err, ErrLost):
		result = "lost"
	case err == nil:
		noted = x.finish(end, nil)
	case ctx.Err() != nil:
		result, noted = "handed-over", x.handOver(end)
	case errors.As(err, new(permanent)) || x.Attempt >= x.most:
		result, noted = "dead", x.die(end, err)
	default:
		result, noted = "failed", x.fail(end, err, pause(x.Attempt))
	}
	if errors.Is(noted, ErrLost) {
		result, noted = "lost", nil
	}
	if r.Runs != nil {
		r.Runs.WithLabelValues(x.Kind, result).Inc()
	}
	said := []any{"job", x.Kind, "id", x.ID.String(), "attempt", x.Attempt}
	switch {
	case noted != nil:
		r.Log.ErrorContext(ctx, "the end of a job could not be noted", append(said, "result", result, "error", noted)...)
	case result == "dead":
		r.Log.ErrorContext(ctx, "job failed for good", append(said, "error", err)...)
	case result == "failed":
		r.Log.WarnContext(ctx, "job failed, it will be tried again", append(said, "error", err)...)
	case result != "done":
		r.Log.InfoContext(ctx, "job "+result, said...)
	}
	return result
}

// The pauses between attempts: twice as long each time.
const (
	firstPause   = 10 * time.Second
	longestPause = time.Hour
)

// pause returns how long to wait after the nth attempt has failed. Its second half is left to chance, so
// that jobs which failed together do not come back together.
func pause(n int) time.Duration {
	d := longestPause
	if n < 10 {
		d = min(d, firstPause<<(n-1))
	}
	return d/2 + rand.N(d/2)
}

// beat renews the lease until ctx ends, and stops the job when it is no longer this worker's or the
// database has not been reached for as long as a lease lasts.
func (x *Run) beat(ctx context.Context, stop context.CancelCauseFunc) {
	tick := time.NewTicker(x.lease / 3)
	defer tick.Stop()
	for held := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if x.writing.TryLock() { // else a Tx holds the row, and renews the lease itself
			err = x.renew(ctx)
			x.writing.Unlock()
		}
		switch {
		case err == nil:
			held = time.Now()
		case errors.Is(err, ErrLost) || time.Since(held) > x.lease:
			stop(ErrLost)
			return
		}
	}
}

// free makes a query pass over rows that somebody holds. SQLite has one writer, who holds everything.
func (r *Runner) free() string {
	if r.store.Dialect == dialect.Postgres {
		return " FOR UPDATE SKIP LOCKED"
	}
	return ""
}

// takeBack frees the jobs whose workers have let their leases run out: they wait for another worker, or
// have failed for good if that was the last attempt, as what kills its worker each time must not go on
// for ever. A row that a Tx holds is left alone: its worker lives.
func (r *Runner) takeBack(ctx context.Context) error {
	now := in(r.store, "$1")
	over := " WHERE id IN (SELECT id FROM jobs WHERE status = 'RUNNING' AND lease_until < " + now + " AND "
	dead, err := exec(ctx, r.store, "UPDATE jobs SET ended_at = "+now+", updated_at = "+now+`, status = 'DEAD', unique_key = NULL, lease_until = NULL,
		error = 'The worker stopped without a word in the last attempt. ' || error`+over+"attempts >= max_attempts"+r.free()+")", moments(0))
	if err != nil {
		return err
	}
	again, err := exec(ctx, r.store, "UPDATE jobs SET updated_at = "+now+", status = 'READY', lease_until = NULL, worker = ''"+over+"attempts < max_attempts"+r.free()+")", moments(0))
	if dead > 0 || again > 0 {
		r.Log.WarnContext(ctx, "the workers of some jobs were lost", "again", again, "dead", dead)
	}
	return err
}

// Gauges are the metrics of the queue: how long the job that is due longest has waited, for the jobs of
// the kind apart, which have workers of their own, and for all others; and how many have failed for good.
func Gauges(s *store.Store, apart string) prometheus.Collector {
	waited := func(queue string) prometheus.GaugeOpts {
		return prometheus.GaugeOpts{Name: "steward_job_queue_age_seconds", Help: "How long the job that is due longest has waited, by queue.",
			ConstLabels: prometheus.Labels{"queue": queue}}
	}
	return obs.Asked(func(ctx context.Context) ([]float64, error) {
		ctx = asSystem(ctx)
		others, err := age(ctx, s, job.KindNEQ(apart))
		if err != nil {
			return nil, err
		}
		own, err := age(ctx, s, job.Kind(apart))
		if err != nil {
			return nil, err
		}
		dead, err := s.Client.Job.Query().Where(job.StatusEQ(job.StatusDEAD)).Count(ctx)
		return []float64{others, own, float64(dead)}, err
	}, waited("jobs"), waited(apart), prometheus.GaugeOpts{Name: "steward_jobs_dead", Help: "Jobs that have failed for good."})
}
