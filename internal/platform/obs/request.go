package obs

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"steward/internal/rules/ident"
)

// Request is what the log line of one request will say. The outermost handler makes it, handlers
// further in add what they learn. All methods may be called on nil (outside a request they do
// nothing), and from several goroutines.
type Request struct {
	ID string // "req_01J…", also in the X-Request-Id header and in every error shown to a person

	mu                 sync.Mutex
	person, route, via string
	operation          string
}

// SetPerson notes who asks: the id of a person or an integration.
func (r *Request) SetPerson(id string) { r.set(func() { r.person = id }) }

// SetRoute notes the pattern that answered ("GET /portfolios/{slug}"), never the path, which may
// hold a secret or somebody's name. Routed does it for a mux.
func (r *Request) SetRoute(pattern string) { r.set(func() { r.route = pattern }) }

// Route returns the pattern given to SetRoute, or "".
func (r *Request) Route() (pattern string) {
	r.set(func() { pattern = r.route })
	return pattern
}

// SetVia notes the door it came in by: page, api or a token's kind.
func (r *Request) SetVia(via string) { r.set(func() { r.via = via }) }

// SetOperation notes a GraphQL operation's name. The caller chooses it, so it is logged (cleaned)
// and never becomes a metric's label.
func (r *Request) SetOperation(name string) { r.set(func() { r.operation = name }) }

// Person returns the id given to SetPerson, or "".
func (r *Request) Person() string {
	if r == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.person
}

func (r *Request) set(f func()) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

type requestKey struct{}

// RequestFrom returns the request that ctx belongs to, nil outside one.
func RequestFrom(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

// RequestID returns the id of the request that ctx belongs to, "" outside one.
func RequestID(ctx context.Context) string {
	if r := RequestFrom(ctx); r != nil {
		return r.ID
	}
	return ""
}

// Requests wraps the whole site: it gives every request an id of our own (an id sent by the client
// is ignored, so nobody can forge one), writes exactly one log line when it ends, and counts it.
// A panic further in is logged as status 500 and goes on upwards; put the handler that answers it
// inside this one, so that its page can show the id.
func Requests(log *slog.Logger, m *Metrics, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		start := time.Now()
		r := &Request{ID: ident.New("req").String()}
		ctx := context.WithValue(req.Context(), requestKey{}, r)
		w.Header().Set("X-Request-Id", r.ID)
		sw := &statusWriter{ResponseWriter: w}
		finished := false
		m.inFlight.Inc()
		defer func() {
			m.inFlight.Dec()
			took, status := time.Since(start), sw.status
			switch {
			case !finished && status == 0:
				status = http.StatusInternalServerError
			case status == 0:
				status = http.StatusOK
			}
			r.mu.Lock()
			route, via, operation := r.route, r.via, r.operation
			r.mu.Unlock()
			if route == "" {
				route = "unmatched"
			}
			m.observe(route, status, took)
			finish(ctx, r.ID, method(req.Method), route, status)
			attrs := []slog.Attr{
				slog.String("method", method(req.Method)), slog.String("route", route), slog.Int("status", status),
				slog.Float64("duration_ms", float64(took.Microseconds())/1000), slog.Int64("bytes", sw.bytes),
			}
			if via != "" {
				attrs = append(attrs, slog.String("via", via))
			}
			if operation != "" {
				attrs = append(attrs, slog.String("operation", operation))
			}
			level := slog.LevelInfo
			if status >= 500 {
				level = slog.LevelError
			}
			log.LogAttrs(ctx, level, "request", attrs...)
		}()
		next.ServeHTTP(sw, req.WithContext(ctx))
		finished = true
	})
}

// Routed serves mux and notes which pattern answered, for the log line and the metrics.
func Routed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, pattern := mux.Handler(req)
		RequestFrom(req.Context()).SetRoute(pattern)
		mux.ServeHTTP(w, req)
	})
}

// method returns one of the methods that HTTP knows; anything else is "OTHER".
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "OTHER"
}

// statusWriter remembers what was answered. http.ResponseController finds the writer below it
// through Unwrap, so flushing and deadlines work.
type statusWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush sends what was written so far, for streams whose code asks for an http.Flusher.
func (w *statusWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 { // 1xx answers are followed by the real one
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}
