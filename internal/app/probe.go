package app

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"steward/internal/platform/store"
)

// pingTime is how long the database may take to answer a probe.
const pingTime = time.Second

// state is what the probes know of the server.
type state struct {
	text     atomic.Value // why it is not ready, for people
	migrated atomic.Bool
	draining atomic.Bool

	mu   sync.Mutex
	ping chan struct{} // closed when the ping under way has ended, nil when there is none
	last error         // its outcome
}

func (s *state) say(text string) { s.text.Store(text) }

func (s *state) said() string { t, _ := s.text.Load().(string); return t }

// alive reports whether the database answers within pingTime. One ping at a time: a database that has frozen
// must not collect waiting goroutines.
func (s *state) alive(ctx context.Context, db *store.Store) bool {
	s.mu.Lock()
	if s.ping == nil {
		done := make(chan struct{})
		s.ping = done
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTime)
			defer cancel()
			err := db.Ping(ctx)
			s.mu.Lock()
			s.last, s.ping = err, nil
			s.mu.Unlock()
			close(done)
		}()
	}
	done := s.ping
	s.mu.Unlock()
	select {
	case <-done:
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.last == nil
	case <-time.After(pingTime):
		return false
	}
}

// probe answers the three probes (OP-2) and reports whether the request was one. They are neither logged nor
// counted: an orchestrator asks every few seconds.
//
//	/livez     200 while the process answers at all; never asks the database
//	/startupz  200 once the database has been seen with every migration
//	/readyz    200 while requests are welcome: set up, the database answers, not stopping
func (a *App) probe(w http.ResponseWriter, r *http.Request) bool {
	why := ""
	switch r.URL.Path {
	case "/livez":
	case "/startupz":
		if !a.state.migrated.Load() {
			why = a.state.said()
		}
	case "/readyz":
		why = a.unready(r.Context())
	default:
		return false
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return true
	}
	if why != "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(why + "\n"))
		return true
	}
	_, _ = w.Write([]byte("ok\n"))
	return true
}

// unready says why requests are not welcome, "" when they are.
func (a *App) unready(ctx context.Context) string {
	switch {
	case a.state.draining.Load():
		return "stopping"
	case a.door.Load() == nil:
		return a.state.said()
	case !a.state.alive(ctx, a.store):
		return "the database does not answer"
	}
	return ""
}
