package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	entsql "entgo.io/ent/dialect/sql"
	lru "github.com/hashicorp/golang-lru/v2"

	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// callersKept is how many callers' shares are remembered. One that is forgotten
// starts afresh; that takes as many other callers meanwhile.
const callersKept = 10_000

// errBusy is the answer to a statement that got no connection in time.
var errBusy = errs.New(errs.Unavailable, "error.unavailable").Wrap(errors.New("store: no connection became free in time"))

// gate stands before the connections of a pool. database/sql lets a statement
// wait for one as long as its context does; behind the gate nobody waits longer
// than wait. And no caller has more than half of the connections, so that one
// whose statements are slow does not stop everybody else.
type gate struct {
	wait    time.Duration // 0: whoever comes may pass
	places  chan struct{} // holds a value for each connection in use
	share   int           // of one caller
	callers *lru.Cache[string, chan struct{}]

	waited, refused, waitedFor atomic.Int64 // see Waits
}

// Waits says how the callers of a store fare that come when all connections are taken.
type Waits struct {
	Waited, Refused int64 // how often
	For             time.Duration
}

// Waits returns what has been counted since the store was opened.
func (s *Store) Waits() Waits {
	return Waits{s.gate.waited.Load(), s.gate.refused.Load(), time.Duration(s.gate.waitedFor.Load())}
}

func newGate(connections int, wait time.Duration) *gate {
	c, _ := lru.New[string, chan struct{}](callersKept) // fails for a size below one only
	return &gate{wait: wait, places: make(chan struct{}, connections), share: max(1, connections/2), callers: c}
}

// enter waits until a connection is free. leave gives it back; a second call of
// it does nothing.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	if g.wait == 0 {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, g.wait, errBusy)
	defer cancel()
	own := g.own(viewer.From(ctx))
	if err := g.take(ctx, own); err != nil {
		return nil, err
	}
	if err := g.take(ctx, g.places); err != nil {
		<-own
		return nil, err
	}
	return sync.OnceFunc(func() { <-g.places; <-own }), nil
}

// own returns the places of one caller: each token has its own, a person's
// sessions share theirs. The system, which also looks callers up, has no bound.
func (g *gate) own(v *viewer.Viewer) chan struct{} {
	if v == nil || v.IsSystem() {
		return make(chan struct{}, 1)
	}
	key := string(v.Kind) + " " + string(v.ID) + " " + string(v.TokenID)
	if places, ok := g.callers.Get(key); ok {
		return places
	}
	places := make(chan struct{}, g.share)
	if have, found, _ := g.callers.PeekOrAdd(key, places); found {
		return have
	}
	return places
}

func (g *gate) take(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	default:
	}
	begun := time.Now()
	g.waited.Add(1)
	defer func() { g.waitedFor.Add(int64(time.Since(begun))) }()
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		g.refused.Add(1)
		return context.Cause(ctx)
	}
}

// leaving are rows that give their connection back when they are closed.
type leaving struct {
	entsql.ColumnScanner
	leave func()
}

func (r leaving) Close() error {
	defer r.leave()
	return r.ColumnScanner.Close()
}
