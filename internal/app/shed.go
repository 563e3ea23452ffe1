package app

import (
	"net/http"
	"path"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"steward/internal/platform/i18n"
	"steward/internal/rules/errs"
	"steward/internal/web"
)

// class is a kind of request. Under overload people's pages go before programs, and both before files: each
// class has its own places, so that what fills one leaves the others alone (OP-4).
type class string

// The classes. Streams stay open for long and cost little meanwhile; the listener bounds them.
const (
	pages   class = "pages"
	api     class = "api"
	exports class = "exports"
	streams class = "streams"
)

// classOf tells what a request is by its address; static files, which come from memory, are no class.
func classOf(r *http.Request) class {
	switch p := r.URL.Path; {
	case strings.HasPrefix(p, "/static/"):
		return ""
	case strings.Contains(r.Header.Get("Accept"), "text/event-stream"):
		return streams
	case p == "/graphql":
		return api
	}
	switch path.Ext(r.URL.Path) {
	case ".csv", ".json", ".jsonl", ".xlsx", ".zip":
		return exports
	}
	return pages
}

// shedder answers what is more than a class may have in flight at once, without a wait and without work.
type shedder struct {
	places map[class]chan struct{} // a value for each request in flight; no channel is no limit
	flight *prometheus.GaugeVec
	shed   *prometheus.CounterVec
}

// newShedder makes places for the classes; 0 is no limit.
func newShedder(limits map[class]int, register func(...prometheus.Collector)) *shedder {
	s := &shedder{places: map[class]chan struct{}{},
		flight: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "steward_class_in_flight", Help: "Requests being answered now, by class."}, []string{"class"}),
		shed:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_requests_shed_total", Help: "Requests answered 503 because their class was full."}, []string{"class"})}
	for c, n := range limits {
		if n > 0 {
			s.places[c] = make(chan struct{}, n)
		}
		s.flight.WithLabelValues(string(c)).Set(0)
		s.shed.WithLabelValues(string(c)).Add(0)
	}
	register(s.flight, s.shed)
	return s
}

// wrap lets a request in when its class has a place, and asks it to come back otherwise.
func (s *shedder) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := classOf(r)
		if c == "" {
			next.ServeHTTP(w, r)
			return
		}
		if places := s.places[c]; places != nil {
			select {
			case places <- struct{}{}:
				defer func() { <-places }()
			default:
				s.shed.WithLabelValues(string(c)).Inc()
				refuseBusy(w, r, c)
				return
			}
		}
		s.flight.WithLabelValues(string(c)).Inc()
		defer s.flight.WithLabelValues(string(c)).Dec()
		next.ServeHTTP(w, r)
	})
}

// refuseBusy is the answer to what was too much.
func refuseBusy(w http.ResponseWriter, r *http.Request, c class) {
	if c == api {
		turnedAway(w, r, http.StatusServiceUnavailable, errs.Unavailable, "error.unavailable", "5")
		return
	}
	w.Header().Set("Retry-After", "2")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, i18n.T(web.Language(r), "error.unavailable"), http.StatusServiceUnavailable)
}
