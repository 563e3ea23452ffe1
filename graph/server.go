package graph

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"steward/graph/generated"
	"steward/internal/area/view"
	"steward/internal/area/webhook"
	"steward/internal/platform/event"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
)

// Limits bound what one request and one caller may ask for. The zero value of a
// field stands for the one in DefaultLimits, except for RatePoints.
type Limits struct {
	Body       int64         // bytes of a request
	Document   Document      // size of the document, counted before it is validated
	Points     int           // price of one request, see plan.go
	RatePoints int           // points a minute for each caller; 0 is no limit
	Timeout    time.Duration // of one request
	Page       int           // rows of a connection that names no page size
	MaxPage    int           // largest page
	Cache      int           // parsed documents kept, and stored ones
	Streams    int           // open streams of one caller
}

// DefaultLimits are the ones promised in the documentation.
func DefaultLimits() Limits {
	return Limits{
		Body: 256 << 10,
		Document: Document{Tokens: 2000, Depth: 16, Fields: 1000, SetSize: 150, SameField: 20,
			Fragments: 30, Directives: 4, Operations: 5},
		Points: 5000, RatePoints: 50000, Timeout: 5 * time.Second, Page: 50, MaxPage: 100, Cache: 1000, Streams: 10,
	}
}

// or fills what l leaves open from d.
func (l Limits) or(d Limits) Limits {
	rate := l.RatePoints
	fill(&l.Body, d.Body)
	fill(&l.Document, d.Document)
	fill(&l.Points, d.Points)
	fill(&l.Timeout, d.Timeout)
	fill(&l.Page, d.Page)
	fill(&l.MaxPage, d.MaxPage)
	fill(&l.Cache, d.Cache)
	fill(&l.Streams, d.Streams)
	l.RatePoints = rate
	return l
}

func fill[T comparable](to *T, from T) {
	var zero T
	if *to == zero {
		*to = from
	}
}

// Config is what the GraphQL door needs.
type Config struct {
	Store  *store.Store
	Limits Limits
	Log    *slog.Logger    // nil: slog.Default()
	Events *event.Recorder // writes what is refused to the record of changes; nil: one of its own
	// Again returns who makes a request, as of now; streams ask it. Nil: who made it at
	// first may go on.
	Again func(*http.Request) (*viewer.Viewer, error)
	// Closing is closed when streams must end because the server stops; nil: never.
	Closing <-chan struct{}
	// StoredOnly lets tokens run stored documents alone.
	StoredOnly bool
	// Metrics counts operations and streams; nil: for nobody.
	Metrics *Metrics
	// Lists answers what saved views mean; nil where there are none to ask about.
	Lists view.Lists
	// Webhooks are those of the installation; nil: there are none.
	Webhooks *webhook.Service
}

// New returns the handler of POST /graphql. It expects the viewer in the
// request's context (package auth puts it there) and answers 401 without one
// before it reads a byte of the body. See entrance.go for the order of checks.
func New(c Config) http.Handler {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Events == nil {
		c.Events = event.NewRecorder(c.Store, c.Log, nil)
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(func(...prometheus.Collector) {})
	}
	l := c.Limits.or(DefaultLimits())
	r := &Resolver{Store: c.Store, hub: newHub(c.Store, c.Log, l.Streams, c.Metrics.streams), lists: c.Lists, webhooks: c.Webhooks}
	es := generated.NewExecutableSchema(generated.Config{Resolvers: r})
	r.stored = newStored(c.Store, es.Schema(), l)
	d := &door{store: c.Store, limits: l, log: c.Log, events: c.Events, schema: es.Schema(), meter: newMeter(l.RatePoints),
		metrics: c.Metrics, stored: r.stored, storedOnly: c.StoredOnly, again: c.Again, closing: c.Closing}
	d.documents = newDocuments(l)
	srv := handler.New(es)
	srv.AddTransport(sse{d})
	srv.AddTransport(transport.POST{ResponseHeaders: map[string][]string{
		"Content-Type": {"application/json; charset=utf-8"}, "Cache-Control": {"no-store"},
	}})
	srv.SetParserTokenLimit(l.Document.Tokens)
	srv.SetDisableSuggestion(true)
	srv.SetValidationRulesFn(unhelpful)
	srv.SetQueryCache(d.documents)
	srv.SetErrorPresenter(d.present)
	srv.SetRecoverFunc(d.recovered)
	srv.Use(d)
	d.next = srv
	return d
}

// unhelpful are the rules of validation without "did you mean": those who may not
// read the schema would learn it from there.
func unhelpful() *rules.Rules {
	r := rules.NewDefaultRules()
	for name, rule := range map[string]core.Rule{
		"FieldsOnCorrectType": rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
		"KnownArgumentNames":  rules.KnownArgumentNamesRuleWithoutSuggestions,
		"KnownTypeNames":      rules.KnownTypeNamesRuleWithoutSuggestions,
		"ScalarLeafs":         rules.ScalarLeafsRuleWithoutSuggestions,
		"ValuesOfCorrectType": rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		r.RemoveRule(name)
		r.AddRule(rule.Name, rule.RuleFunc)
	}
	return r
}

// door is the handler and its gqlgen extension: one value, so that the order of
// its checks can be read in one place.
type door struct {
	store     *store.Store
	limits    Limits
	log       *slog.Logger
	events    *event.Recorder
	schema    *ast.Schema
	documents *documents
	meter     *meter
	metrics   *Metrics
	stored    *stored
	next      http.Handler
	// of Config
	storedOnly bool
	again      func(*http.Request) (*viewer.Viewer, error)
	closing    <-chan struct{}
}

// head is the comment at the top of the published schema.
const head = `# The schema of Steward's GraphQL API, POST /graphql.
#
# It only grows. What is to go is marked with @deprecated and a reason that says what to use
# instead, stays for six months and at least one minor release after that, and every answer
# to a request goes on as before until then. The list of changes names each such mark.

`

var sdl = sync.OnceValue(func() string {
	var b strings.Builder
	b.WriteString(head)
	es := generated.NewExecutableSchema(generated.Config{})
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(es.Schema())
	return b.String()
})

// SDL returns the whole schema as text, types in the order of their names. The
// file graph/schema.graphql holds the same.
func SDL() string { return sdl() }
