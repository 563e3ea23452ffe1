package graph

import (
	"errors"
	"regexp"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"steward/internal/platform/obs"
	"steward/internal/rules/errs"
)

// Metrics are what the door counts. Operations are told apart by the names of stored
// documents alone: whoever writes a document chooses its name, and could fill a
// memory with them.
type Metrics struct {
	operations *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	streams    prometheus.Gauge

	mu    sync.Mutex
	names map[string]bool // that have a label of their own
}

const (
	namesMost = 30      // stored documents with a label of their own
	others    = "other" // the label of the rest
)

// asLabel fits the names that may become labels.
var asLabel = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_ .-]{0,59}$`)

// NewMetrics returns the metrics of a door, which register is given.
func NewMetrics(register func(...prometheus.Collector)) *Metrics {
	m := &Metrics{names: map[string]bool{},
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "steward_graphql_operations_total",
			Help: "GraphQL operations by kind, name of the stored document, and outcome."}, []string{"kind", "operation", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "steward_graphql_duration_seconds",
			Help: "Time to answer a GraphQL operation, by kind and name of the stored document; streams are left out.", Buckets: obs.Buckets}, []string{"kind", "operation"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "steward_graphql_streams_open", Help: "Subscriptions that are open now."}),
	}
	register(m.operations, m.duration, m.streams)
	return m
}

// label returns what an operation is counted as: the name of its stored document, the
// first ones of them, and nothing for a text.
func (m *Metrics) label(name string) string {
	if name == "" {
		return ""
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.names[name] && (len(m.names) == namesMost || !asLabel.MatchString(name)) {
		return others
	}
	m.names[name] = true
	return name
}

// How an operation ended, the worse the larger.
const (
	wentWell int32 = iota
	wasRefused
	hasFailed
)

var outcomes = [...]string{wentWell: "ok", wasRefused: "refused", hasFailed: "failed"}

// fault notes an error of the answer. Fields are executed side by side.
func (c *call) fault(code errs.Code) {
	how := wasRefused
	if code == errs.Internal || code == errs.Unavailable {
		how = hasFailed
	}
	for was := c.outcome.Load(); was < how && !c.outcome.CompareAndSwap(was, how); was = c.outcome.Load() {
	}
}

// errFailed is how a trace hears that an operation failed.
var errFailed = errors.New("failed")

// count counts an operation that has ended, and says to its trace what it was.
func (m *Metrics) count(c *call, took time.Duration, span *obs.Span) {
	kind, name, how := c.kind, m.label(c.document), c.outcome.Load()
	if kind == "" {
		kind = "invalid"
	}
	m.operations.WithLabelValues(kind, name, outcomes[how]).Inc()
	if c.stream == nil || !c.stream.open {
		m.duration.WithLabelValues(kind, name).Observe(took.Seconds())
	}
	title := "graphql " + kind
	span.Set("graphql.operation.type", kind)
	if name != "" {
		title += " " + name
		span.Set("graphql.operation.name", name)
	}
	span.Name(title)
	if how == hasFailed {
		span.End(errFailed)
		return
	}
	span.End(nil)
}
