package obs

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// scope is what the steps are said to come from.
const scope = "steward"

// stepsMost is how many statements of one request or job are told. An import sends a million of them.
const stepsMost = 500

// TraceConfig says where traces go.
type TraceConfig struct {
	Endpoint string  // of the operator's collector, which takes OTLP over HTTP; empty: there are no traces
	Ratio    float64 // of requests and jobs that are told, 0 to 1
	Headers  Secret  // sent to the collector, "name=value,name=value" with values escaped as in a URL
	Log      *slog.Logger
}

// Traces tells the operator's collector what a sample of the requests and jobs did, step by step: the
// route's pattern, the kind of GraphQL operation, statements with their placeholders. What somebody
// typed or stored is in none of it. Nil, which NewTraces returns where no collector is configured, does
// nothing, and then Step and Statement do nothing either.
//
// Spans are our own and not those of otelhttp, which tells the path, the caller's address and program,
// and the whole address of what is called.
type Traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// NewTraces returns what sends traces to the collector. It asks the collector nothing: one that is away
// costs traces and a line of the log.
func NewTraces(ctx context.Context, c TraceConfig) (*Traces, error) {
	if c.Endpoint == "" {
		return nil, nil
	}
	to, err := url.JoinPath(c.Endpoint, "v1/traces")
	if err != nil {
		return nil, fmt.Errorf("the collector of traces: %w", err)
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(to), otlptracehttp.WithHeaders(headers(c.Headers)))
	if err != nil {
		return nil, fmt.Errorf("the collector of traces: %w", err)
	}
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithFromEnv(), // the operator's name for it counts
		resource.WithAttributes(attribute.String("service.version", Build().Version)))
	if err != nil {
		return nil, fmt.Errorf("what traces say of this process: %w", err)
	}
	if named, err := resource.Merge(resource.NewSchemaless(attribute.String("service.name", scope)), about); err == nil {
		about = named
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(&teller{SpanExporter: exporter, log: c.Log}), sdk.WithSampler(sampler(c.Ratio)),
		sdk.WithResource(about), sdk.WithoutPanicRecording()) // what a panic says may be anybody's text
	return &Traces{provider: provider, tracer: provider.Tracer(scope)}, nil
}

// chance decides which traces are told, whatever a caller says about theirs and whatever number it has:
// else strangers could make servers tell everything.
type chance float64

func (c chance) ShouldSample(sdk.SamplingParameters) sdk.SamplingResult {
	if rand.Float64() < float64(c) {
		return sdk.SamplingResult{Decision: sdk.RecordAndSample}
	}
	return sdk.SamplingResult{Decision: sdk.Drop}
}

func (c chance) Description() string { return fmt.Sprintf("chance{%g}", float64(c)) }

// sampler has what lies within a trace of ours follow its beginning.
func sampler(ratio float64) sdk.Sampler {
	c := chance(ratio)
	return sdk.ParentBased(c, sdk.WithRemoteParentSampled(c), sdk.WithRemoteParentNotSampled(c))
}

// headers reads the list of OTEL_EXPORTER_OTLP_HEADERS.
func headers(list Secret) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(list.Reveal(), ",") {
		name, value, ok := strings.Cut(pair, "=")
		if plain, err := url.PathUnescape(strings.TrimSpace(value)); ok && err == nil {
			out[strings.TrimSpace(name)] = plain
		}
	}
	return out
}

// teller says in the log when traces cannot be sent, once, and when they are again.
type teller struct {
	sdk.SpanExporter
	log     *slog.Logger
	failing atomic.Bool
}

func (e *teller) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	switch was := e.failing.Swap(err != nil); {
	case err != nil && !was:
		e.log.WarnContext(ctx, "traces cannot be sent", "error", err)
	case err == nil && was:
		e.log.InfoContext(ctx, "traces are sent again")
	}
	return nil // said; the library would print it
}

// Stop sends what has not been sent yet, within five seconds.
func (t *Traces) Stop(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // the log has why
}

// Requests begins a trace for each request, or goes on with the caller's (W3C traceparent): its number
// alone is taken over. It goes around Requests, which says what the request was.
func (t *Traces) Requests(next http.Handler) http.Handler {
	if t == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		from := propagation.TraceContext{}.Extract(req.Context(), propagation.HeaderCarrier(req.Header))
		at := trace.SpanContextFromContext(from).WithTraceState(trace.TraceState{}) // that is the caller's own text
		ctx, span := t.begin(trace.ContextWithRemoteSpanContext(req.Context(), at), "request", trace.SpanKindServer)
		defer span.End(nil)
		next.ServeHTTP(w, req.WithContext(ctx))
	})
}

// Begin begins a trace of its own, for a job. About are names and values in turns.
func (t *Traces) Begin(ctx context.Context, name string, about ...string) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	return t.begin(ctx, name, trace.SpanKindInternal, about...)
}

func (t *Traces) begin(ctx context.Context, name string, kind trace.SpanKind, about ...string) (context.Context, *Span) {
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(pairs(about)...))
	asked := &atomic.Int64{}
	return context.WithValue(ctx, askedKey{}, asked), &Span{span, asked}
}

// askedKey carries how many statements a trace has had.
type askedKey struct{}

// Span is a step under way. Nil is none.
type Span struct {
	span  trace.Span
	asked *atomic.Int64 // nil within a trace
}

// Set says something about the step. Values are from sets that the program knows: never text of a caller
// or of a record.
func (s *Span) Set(name, value string) {
	if s != nil {
		s.span.SetAttributes(attribute.String(name, value))
	}
}

// Answered says with which status another system answered; 0 is not at all.
func (s *Span) Answered(status int) {
	if s != nil && status != 0 {
		s.span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
}

// Name names the step anew, once it is known what it is.
func (s *Span) Name(name string) {
	if s != nil {
		s.span.SetName(name)
	}
}

// End ends the step. Of an error it keeps only that there was one: its text may hold anything.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if s.asked != nil {
		s.span.SetAttributes(attribute.Int64("steward.statements", s.asked.Load()))
	}
	if err != nil {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}

// Step begins a step of the trace that ctx belongs to, if any.
func Step(ctx context.Context, name string, about ...string) (context.Context, *Span) {
	return step(ctx, name, trace.SpanKindInternal, about)
}

func step(ctx context.Context, name string, kind trace.SpanKind, about []string) (context.Context, *Span) {
	at := trace.SpanFromContext(ctx)
	if !at.IsRecording() {
		return ctx, nil
	}
	ctx, span := at.TracerProvider().Tracer(scope).Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(pairs(about)...))
	return ctx, &Span{span: span}
}

// quoted is text that stands in a statement itself.
var quoted = regexp.MustCompile(`'(?:[^']|'')*'`)

// Statement begins the step of asking the database, and returns what ends it. The statement is told with
// its placeholders and without the text that stands in it, never with its values.
func Statement(ctx context.Context, system, text string) func(error) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return untold
	}
	if asked, ok := ctx.Value(askedKey{}).(*atomic.Int64); ok && asked.Add(1) > stepsMost {
		return untold
	}
	text = strings.Join(strings.Fields(quoted.ReplaceAllString(text, "'…'")), " ")
	verb, _, _ := strings.Cut(text, " ")
	_, span := step(ctx, verb, trace.SpanKindClient, []string{"db.system.name", system, "db.query.text", Clean(text)})
	return span.End
}

func untold(error) {}

// Calling begins the step of calling another system, and writes into its header where it belongs (W3C
// traceparent). Since is what Traceparent returned when what is told now was done: the call is a step of that
// trace then, and linked to the one that ctx belongs to.
func Calling(ctx context.Context, name, since string, header http.Header) (context.Context, *Span) {
	var span *Span
	at := trace.SpanFromContext(ctx)
	was := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": since}))
	if was.IsValid() && at.SpanContext().IsValid() {
		link := trace.WithLinks(trace.Link{SpanContext: at.SpanContext()})
		var s trace.Span
		ctx, s = at.TracerProvider().Tracer(scope).Start(trace.ContextWithSpanContext(ctx, was.WithRemote(false)), name, trace.WithSpanKind(trace.SpanKindClient), link)
		span = &Span{span: s}
	} else {
		ctx, span = step(ctx, name, trace.SpanKindClient, nil)
	}
	propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
	return ctx, span
}

// Traceparent returns the trace that ctx belongs to as W3C writes it, "" for none.
func Traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	m := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, m)
	return m.Get("traceparent")
}

// finish says what the request of ctx was, once it is known.
func finish(ctx context.Context, id, method, route string, status int) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetName(route)
	span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status), attribute.String("steward.request_id", id))
	if status >= 500 {
		span.SetStatus(codes.Error, "")
	}
}

// pairs are the attributes of names and values in turns.
func pairs(list []string) (out []attribute.KeyValue) {
	for i := 0; i+1 < len(list); i += 2 {
		out = append(out, attribute.String(list[i], list[i+1]))
	}
	return out
}
