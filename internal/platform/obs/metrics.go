package obs

import (
	"context"
	"database/sql"
	"net/http"
	"net/http/pprof"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Buckets of how long an answer takes, in seconds: few, because each costs one series a route.
var Buckets = []float64{0.05, 0.15, 0.5, 2, 10}

// Metrics holds what this process counts. Make one with NewMetrics and hand it on; there is no
// global registry, so two servers in one test do not meet.
type Metrics struct {
	// Route names what a route's pattern is counted as; nil: as itself. It is set before the first
	// request and folds routes that are alike into one, as each costs nine series and more.
	Route func(pattern string) string

	reg      *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

// NewMetrics returns a registry with the metrics that every Steward has:
//
//	steward_build_info{version,commit,go}                 always 1
//	steward_http_requests_total{route,status}             answers by route pattern and status
//	steward_http_request_duration_seconds{route}          how long they took
//	steward_http_requests_in_flight                       being answered now
//	go_…, process_…                                       the runtime and the process
//
// Labels hold route patterns and status codes only, never text from a caller. docs/operate/metrics.md
// lists all metrics, a test of internal/app holds it to that.
func NewMetrics() *Metrics {
	m := &Metrics{
		reg: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "steward_http_requests_total", Help: "Answered requests by route pattern and status."}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "steward_http_request_duration_seconds", Help: "Time to answer by route pattern.", Buckets: Buckets}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "steward_http_requests_in_flight", Help: "Requests being answered now."}),
	}
	b := Build()
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "steward_build_info", Help: "Which program this is; always 1.",
		ConstLabels: prometheus.Labels{"version": b.Version, "commit": b.Commit, "go": b.Go}})
	info.Set(1)
	m.Register(m.requests, m.duration, m.inFlight, info, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Register adds collectors of other packages (job results, queue ages, outbox lag). Registering the
// same name twice is a programming error and panics at start-up.
func (m *Metrics) Register(c ...prometheus.Collector) { m.reg.MustRegister(c...) }

// Pool adds the figures of a connection pool (go_sql_open_connections and the rest) under the label
// db_name=name.
func (m *Metrics) Pool(name string, db *sql.DB) {
	m.Register(collectors.NewDBStatsCollector(db, name))
}

func (m *Metrics) observe(route string, status int, took time.Duration) {
	if m.Route != nil {
		route = m.Route(route)
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
}

// askedEvery is for how long the answer to a question of Asked is good.
const askedEvery = 10 * time.Second

// Asked returns gauges whose values cost a question, to the database most of the time. However often
// the metrics are read, it is asked at most every ten seconds and given two for its answer. Where
// there is none, each gauge is -1.
func Asked(ask func(context.Context) ([]float64, error), gauges ...prometheus.GaugeOpts) prometheus.Collector {
	a := &asked{ask: ask}
	for _, g := range gauges {
		a.gauges = append(a.gauges, prometheus.NewDesc(g.Name, g.Help+" -1: the database does not answer.", nil, g.ConstLabels))
	}
	return a
}

type asked struct {
	ask    func(context.Context) ([]float64, error)
	gauges []*prometheus.Desc

	mu     sync.Mutex
	at     time.Time
	values []float64
}

func (a *asked) Describe(to chan<- *prometheus.Desc) {
	for _, g := range a.gauges {
		to <- g
	}
}

func (a *asked) Collect(to chan<- prometheus.Metric) {
	a.mu.Lock() // whoever comes meanwhile waits for the same answer
	defer a.mu.Unlock()
	if time.Since(a.at) >= askedEvery {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		values, err := a.ask(ctx)
		cancel()
		if err != nil || len(values) != len(a.gauges) {
			values = slices.Repeat([]float64{-1}, len(a.gauges))
		}
		a.values, a.at = values, time.Now()
	}
	for i, g := range a.gauges {
		to <- prometheus.MustNewConstMetric(g, prometheus.GaugeValue, a.values[i])
	}
}

// Ops is the handler of the second listener: /metrics and, with profiles, /debug/pprof/. Profiles
// show memory and command line, so switch them on only where the listener is on loopback.
func (m *Metrics) Ops(profiles bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{}))
	if profiles {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}
