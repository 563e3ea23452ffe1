package obs

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// told makes traces to a real receiver. What is returned stops them and gives what came.
func told(t *testing.T, ratio float64) (*Traces, func() ([]*v1.Span, http.Header)) {
	t.Helper()
	var (
		mu     sync.Mutex
		spans  []*v1.Span
		header http.Header
	)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var got collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(b, &got); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		header = r.Header
		for _, x := range got.ResourceSpans {
			for _, y := range x.ScopeSpans {
				spans = append(spans, y.Spans...)
			}
		}
	}))
	t.Cleanup(s.Close)
	traces, err := NewTraces(t.Context(), TraceConfig{Endpoint: s.URL, Ratio: ratio, Headers: "authorization=Basic%20abc, x-scope = all", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return traces, func() ([]*v1.Span, http.Header) {
		traces.Stop(t.Context())
		mu.Lock()
		defer mu.Unlock()
		return spans, header
	}
}

func TestSteps(t *testing.T) {
	traces, stop := told(t, 1)
	ctx, root := traces.Begin(t.Context(), "job clean", "steward.job.kind", "clean")
	for _, text := range []string{"SELECT \"a\"\n\t FROM b WHERE c = $1 AND d = 'it''s Pia' AND e IN ('x', '')", "INSERT INTO x VALUES ($1)"} {
		Statement(ctx, "sqlite", text)(errors.New(`duplicate key (name)=(Pia)`))
	}
	for range stepsMost {
		Statement(ctx, "sqlite", "SELECT 1")(nil)
	}
	root.End(errors.New("Pia again"))
	spans, header := stop()
	if header.Get("Authorization") != "Basic abc" || header.Get("X-Scope") != "all" {
		t.Errorf("the collector is sent %v", header)
	}
	if len(spans) != stepsMost+1 {
		t.Errorf("%d spans of %d statements", len(spans), stepsMost+2)
	}
	all := ""
	for _, s := range spans {
		all += s.String()
	}
	if strings.Contains(all, "Pia") || strings.Contains(all, "duplicate") {
		t.Error("a value or an error is told")
	}
	if want := `SELECT "a" FROM b WHERE c = $1 AND d = '…' AND e IN ('…', '…')`; spans[0].Attributes[1].Value.GetStringValue() != want || spans[0].Name != "SELECT" {
		t.Errorf("%v", spans[0])
	}
	if s := spans[0]; s.Status.Code != v1.Status_STATUS_CODE_ERROR || s.Status.Message != "" || len(s.Events) > 0 {
		t.Errorf("%v", s)
	}
	last := spans[len(spans)-1]
	for _, a := range last.Attributes {
		if a.Key == "steward.statements" && a.Value.GetIntValue() != stepsMost+2 {
			t.Errorf("%v", a)
		}
	}
}

// Nothing is told outside a trace, and what strangers say about theirs decides nothing.
func TestChance(t *testing.T) {
	if ctx, span := Step(t.Context(), "x"); ctx != t.Context() || span != nil {
		t.Error("a step outside a trace")
	}
	var off *Traces
	if ctx, span := off.Begin(t.Context(), "x"); ctx != t.Context() || span != nil {
		t.Error("traces that are off begin one")
	}
	if h := http.NotFoundHandler(); off.Requests(h) == nil || Traceparent(t.Context()) != "" {
		t.Error("traces that are off")
	}
	for ratio, most := range map[float64]int{0: 0, 0.5: 150, 1: 200} {
		traces, stop := told(t, ratio)
		h := traces.Requests(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if at := Traceparent(r.Context()); !strings.HasPrefix(at, "00-00000000000000000000000000000001-") {
				t.Errorf("the trace goes on as %s", at)
			}
		}))
		for range 200 { // a number that would be told by any ratio of its own, and a flag that says so
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Traceparent", "00-00000000000000000000000000000001-00f067aa0ba902b7-01")
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
		if spans, _ := stop(); len(spans) > most || ratio == 1 && len(spans) != most || ratio == 0.5 && len(spans) < 50 {
			t.Errorf("%d of 200 are told at %g", len(spans), ratio)
		}
	}
}
