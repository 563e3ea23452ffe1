package event

import (
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"steward/ent"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// How many refusals of one caller are written in a minute, and of all callers whom
// nobody knows. What goes beyond is counted and told in one row.
const (
	ofOne      = 10
	ofUnknown  = 60
	window     = time.Minute
	callersMax = 8192
)

// Recorder writes refusals to the record of changes.
type Recorder struct {
	store   *store.Store
	log     *slog.Logger
	now     func() time.Time
	mu      sync.Mutex
	callers *lru.Cache[string, *caller]
	unknown caller
}

// caller is how often somebody was refused in this minute.
type caller struct {
	until   time.Time
	written int
	missed  int // since the last row
}

// NewRecorder returns a recorder over a store. now is nil but in tests.
func NewRecorder(s *store.Store, log *slog.Logger, now func() time.Time) *Recorder {
	if now == nil {
		now = time.Now
	}
	if log == nil {
		log = slog.Default()
	}
	r := &Recorder{store: s, log: log, now: now}
	r.callers, _ = lru.NewWithEvict(callersMax, func(_ string, c *caller) { // fails for a size below one only
		if c.missed > 0 {
			r.log.Warn("refusals not in the record of changes", "count", c.missed)
		}
	})
	return r
}

// Refused notes that something was refused to the viewer of ctx, or to somebody at
// the address whom nobody knows. It writes a transaction of its own: call it when
// the one that was refused has ended. The request is answered whether or not the
// row could be written.
func (r *Recorder) Refused(ctx context.Context, name Name, address string, about map[string]any) {
	v := viewer.From(ctx)
	missed, ok := r.pass(v, address)
	if !ok {
		return
	}
	about = maps.Clone(about)
	if about == nil {
		about = map[string]any{}
	}
	if missed > 0 {
		about["before_uncounted"] = missed
	}
	if v == nil || v.IsSystem() {
		v = viewer.NewSystem(viewer.ViaPage, "")
	}
	who := *v
	who.RequestID = obs.RequestID(ctx)
	ctx = viewer.With(context.WithoutCancel(ctx), &who)
	err := r.store.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
		return store.Note(ctx, Change(name, store.Change{Entity: "Session", ID: credential(&who)}, about))
	})
	if err != nil {
		r.log.ErrorContext(ctx, "a refusal could not be written", "event", name, "error", err)
	}
}

// credential is what the caller came with: a session or a token.
func credential(v *viewer.Viewer) ident.ID {
	if v.TokenID != "" {
		return v.TokenID
	}
	return v.SessionID
}

// pass reports whether a row may be written now, and how many refusals before it
// were not.
func (r *Recorder) pass(v *viewer.Viewer, address string) (missed int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	who := "address " + address
	known := v != nil && !v.IsSystem()
	if known {
		who = string(v.Kind) + " " + string(v.ID)
	}
	own, found := r.callers.Get(who)
	if !found {
		own = &caller{}
		r.callers.Add(who, own)
	}
	now := r.now()
	own.turn(now)
	r.unknown.turn(now)
	if own.written >= ofOne || !known && r.unknown.written >= ofUnknown {
		own.missed++
		return 0, false
	}
	own.written++
	if !known {
		r.unknown.written++
	}
	missed, own.missed = own.missed, 0
	return missed, true
}

// turn begins a new minute when the last one is over.
func (c *caller) turn(now time.Time) {
	if !now.Before(c.until) {
		c.until, c.written = now.Add(window), 0
	}
}

// Work flushes every minute until ctx ends, and once more then.
func (r *Recorder) Work(ctx context.Context) {
	for done := false; !done; {
		select {
		case <-time.After(window):
		case <-ctx.Done():
			done = true
		}
		if _, err := r.Flush(context.WithoutCancel(ctx)); err != nil {
			r.log.ErrorContext(ctx, "refusals could not be written", "error", err)
		}
	}
}

// Flush tells in one row for each caller what was refused and not written, so that a
// burst nobody came back after is in the record too.
func (r *Recorder) Flush(ctx context.Context) (rows int, err error) {
	r.mu.Lock()
	total := 0
	for _, c := range r.callers.Values() {
		if c.missed > 0 && !r.now().Before(c.until) {
			total += c.missed
			rows++
			c.missed = 0
		}
	}
	r.mu.Unlock()
	if total == 0 {
		return 0, nil
	}
	ctx = viewer.With(ctx, viewer.NewSystem(viewer.ViaJob, ""))
	return rows, r.store.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
		return store.Note(ctx, Change(Refused, store.Change{Entity: "Session"}, map[string]any{"uncounted": total, "callers": rows}))
	})
}
