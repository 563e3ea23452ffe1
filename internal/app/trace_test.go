package app_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"steward/ent"
	"steward/ent/job"
	"steward/internal/app"
	"steward/internal/area/webhook"
	"steward/internal/platform/auth"
	"steward/internal/platform/config"
	"steward/internal/platform/obs"
	"steward/internal/platform/outbound"
	"steward/internal/testkit"
)

// otlp is a collector of traces: a real receiver of OTLP over HTTP.
type otlp struct {
	*httptest.Server
	mu    sync.Mutex
	calls int
	spans []*v1.Span
	raw   strings.Builder // everything that came, as text
}

func newOTLP(t *testing.T) *otlp {
	t.Helper()
	c := &otlp{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			in = z
		}
		b, err := io.ReadAll(in)
		var got collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(b, &got) != nil {
			t.Errorf("%s: no traces, %v", r.URL.Path, err)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.calls++
		c.raw.WriteString(protojson.Format(&got))
		for _, x := range got.ResourceSpans {
			for _, y := range x.ScopeSpans {
				c.spans = append(c.spans, y.Spans...)
			}
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// all returns the spans that have come. Stop the server first: it sends the rest.
func (c *otlp) all() []*v1.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.spans)
}

// find returns a span of a name within a trace, nil for none; an empty trace is any.
func (c *otlp) find(trace, name string) *v1.Span {
	for _, s := range c.all() {
		if s.Name == name && (trace == "" || fmt.Sprintf("%x", s.TraceId) == trace) {
			return s
		}
	}
	return nil
}

func attr(s *v1.Span, name string) string {
	for _, x := range s.GetAttributes() {
		if x.Key == name {
			if n, ok := x.Value.Value.(interface{ GetIntValue() int64 }); ok && n.GetIntValue() != 0 {
				return fmt.Sprint(n.GetIntValue())
			}
			if v := x.Value.GetStringValue(); v != "" {
				return v
			}
			return fmt.Sprint(x.Value.GetIntValue())
		}
	}
	return ""
}

// watched is start with a log that can be read.
func watched(t *testing.T, database string, more ...string) (*app.App, *lines) {
	t.Helper()
	cmd, err := config.Parse(flags(t, database, more...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	log := &lines{}
	a, err := app.Start(t.Context(), app.Config{Serve: cmd.Serve, Log: obs.NewLogger(log, slog.LevelDebug)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Stop(context.Background()) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := a.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return a, log
}

// keyFile makes a key of stored secrets.
func keyFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("h"), 32))+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// hook makes a webhook of a service that sees everything.
func hook(t *testing.T, a *app.App, keys, address string) {
	t.Helper()
	ring, err := auth.ReadKeyring(keys)
	if err != nil {
		t.Fatal(err)
	}
	var service *ent.Integration
	if err := a.Store().Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		service = c.Integration.Create().SetName("warehouse").SetRoles([]string{"viewer"}).SetPortfolios([]string{auth.AllPortfolios}).SaveX(ctx)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	hooks := &webhook.Service{Store: a.Store(), Keys: ring, Source: a.URL(), Out: outbound.New(outbound.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})}
	if _, _, err := hooks.Create(testkit.System(), webhook.Input{Name: "x", URL: address, Integration: service.ID}); err != nil {
		t.Fatal(err)
	}
}

const (
	theirTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	theirSpan  = "00f067aa0ba902b7"
)

// OP-8: what a request does is told step by step under the caller's trace, to the webhook that hears of it.
func TestTraces(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		c := newOTLP(t)
		heard := make(chan http.Header, 10)
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.Header }))
		t.Cleanup(receiver.Close)
		keys := keyFile(t)
		a, log := watched(t, database, "--demo", "--otlp-endpoint", c.URL, "--trace-ratio", "1", "--webhook-allow", "127.0.0.0/8", "--key-file", keys)
		hook(t, a, keys, receiver.URL)

		pia, _ := enter(t, a, "pia.portfolio")
		r, _ := http.NewRequest(http.MethodGet, a.URL()+"/vendors?q=whatever", nil)
		r.Header.Set("Traceparent", "00-"+theirTrace+"-"+theirSpan+"-00") // not sampled there, which does not count here
		r.Header.Set("Tracestate", "vendor=their-own-text")
		answer, err := pia.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		id := answer.Header.Get("X-Request-Id")

		key := token(t, database, "portfolio-manager")
		const second = "0af7651916cd43dd8448eb211c80319c"
		post := func(body map[string]any) string {
			t.Helper()
			b, _ := json.Marshal(body)
			r, _ := http.NewRequest(http.MethodPost, a.URL()+"/graphql", strings.NewReader(string(b)))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+key)
			r.Header.Set("Traceparent", "00-"+second+"-"+theirSpan+"-01")
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			said, _ := io.ReadAll(answer.Body)
			return string(said)
		}
		said := post(map[string]any{"query": `mutation Theirs { storeDocument(name: "all vendors", text: "query Q { vendors { totalCount } }") { documentId } }`})
		_, stored, _ := strings.Cut(said, `"documentId":"`)
		stored, _, _ = strings.Cut(stored, `"`)
		if said := post(map[string]any{"documentId": stored}); !strings.Contains(said, "totalCount") {
			t.Fatal(said)
		}
		if said := post(map[string]any{"query": madeVendor, "variables": map[string]any{"n": "Traced"}}); !strings.Contains(said, "vnd_") {
			t.Fatal(said)
		}
		var got http.Header
		for got == nil || !strings.Contains(got.Get("Traceparent"), second) {
			select {
			case got = <-heard:
			case <-time.After(time.Minute):
				t.Fatalf("the webhook heard of no such trace, last: %v", got)
			}
		}
		log.wait(t, `"trace_id":"`+theirTrace+`"`)
		waitFor(t, "the job that called has ended", func() bool {
			return a.Store().Client.Job.Query().Where(job.Kind(webhook.Kind), job.StatusIn(job.StatusREADY, job.StatusRUNNING)).CountX(testkit.System()) == 0
		})
		if err := a.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}

		page := c.find(theirTrace, "GET /vendors")
		if page == nil {
			t.Fatalf("no span of the page among %v", c.names())
		}
		if page.Kind != v1.Span_SPAN_KIND_SERVER || fmt.Sprintf("%x", page.ParentSpanId) != theirSpan || page.TraceState != "" {
			t.Errorf("%v", page)
		}
		for name, want := range map[string]string{"http.route": "GET /vendors", "http.request.method": "GET", "http.response.status_code": "200", "steward.request_id": id} {
			if got := attr(page, name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if line := lineWith(log.String(), id); !strings.Contains(line, `"trace_id":"`+theirTrace+`"`) {
			t.Errorf("the log says %s", line)
		}
		statements := 0
		for _, s := range c.all() {
			if fmt.Sprintf("%x", s.TraceId) == theirTrace && attr(s, "db.query.text") != "" {
				statements++
				if string(s.ParentSpanId) != string(page.SpanId) || s.Kind != v1.Span_SPAN_KIND_CLIENT || !strings.HasPrefix(attr(s, "db.query.text"), s.Name) {
					t.Errorf("%v", s)
				}
				if system := attr(s, "db.system.name"); !strings.HasPrefix(database, map[string]string{"sqlite": "sqlite:", "postgresql": "postgres"}[system]) || system == "" {
					t.Errorf("%s says its system is %q", s.Name, system)
				}
			}
		}
		if statements < 3 || attr(page, "steward.statements") != fmt.Sprint(statements) {
			t.Errorf("%d statements are told, the page says %s", statements, attr(page, "steward.statements"))
		}
		api := c.find(second, "/graphql")
		for _, name := range []string{"graphql query all vendors", "graphql mutation"} {
			s := c.find(second, name)
			if api == nil || s == nil {
				t.Fatalf("no %s in %v", name, c.names())
			}
			if attr(s, "graphql.operation.type") != strings.Fields(name)[1] {
				t.Errorf("%v", s)
			}
		}
		if attr(c.find(second, "graphql query all vendors"), "graphql.operation.name") != "all vendors" {
			t.Error("the stored document's name is not told")
		}
		if c.find(second, "COMMIT") == nil || c.find(second, "BEGIN") == nil {
			t.Errorf("no transaction in %v", c.names())
		}
		call := c.find(second, "webhook")
		if call == nil || call.Kind != v1.Span_SPAN_KIND_CLIENT || attr(call, "http.response.status_code") != "200" || len(call.Links) != 1 {
			t.Fatalf("the call of the webhook: %v", call)
		}
		if want := fmt.Sprintf("00-%s-%x-01", second, call.SpanId); got.Get("Traceparent") != want || got.Get("Tracestate") != "" {
			t.Errorf("the webhook heard %v, want %s", got, want)
		}
		turn := c.find(fmt.Sprintf("%x", call.Links[0].TraceId), "job webhook")
		if turn == nil || attr(turn, "steward.job.result") != "done" || attr(turn, "steward.job.kind") != "webhook" {
			t.Errorf("the job: %v", turn)
		}
		if raw := c.raw.String(); !strings.Contains(raw, `"service.name"`) || strings.Contains(raw, "their-own-text") || strings.Contains(raw, "Theirs") {
			t.Errorf("%.500s", raw)
		}
	})
}

func (c *otlp) names() (out []string) {
	for _, s := range c.all() {
		if attr(s, "db.query.text") == "" {
			out = append(out, s.Name)
		}
	}
	return out
}

// lineWith returns the line of a log that has a text.
func lineWith(log, text string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, text) {
			return line
		}
	}
	return ""
}

// Without a collector nothing is sent and nothing is said; with one and no chance, traces are passed on and none
// is told; a collector that is away costs one line of the log.
func TestTracesOff(t *testing.T) {
	c := newOTLP(t)
	work := func(a *app.App) {
		r, _ := http.NewRequest(http.MethodGet, a.URL()+"/sign-in", nil)
		r.Header.Set("Traceparent", "00-"+theirTrace+"-"+theirSpan+"-01")
		for range 20 {
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
		}
		if err := a.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	database := func() string { return "sqlite:" + t.TempDir() + "/a.db" }
	off, log := watched(t, database(), "--trace-ratio", "1")
	work(off)
	if c.calls > 0 || strings.Contains(log.String(), "trace_id") {
		t.Errorf("%d calls without a collector\n%s", c.calls, log)
	}
	never, log := watched(t, database(), "--otlp-endpoint", c.URL, "--trace-ratio", "0")
	work(never)
	if c.calls > 0 || !strings.Contains(log.String(), `"trace_id":"`+theirTrace+`"`) {
		t.Errorf("%d calls without a chance\n%s", c.calls, log)
	}
	away := httptest.NewServer(http.NotFoundHandler())
	defer away.Close()
	gone, log := watched(t, database(), "--otlp-endpoint", away.URL, "--trace-ratio", "1")
	work(gone)
	if n := strings.Count(log.String(), "traces cannot be sent"); n != 1 {
		t.Errorf("%d lines about a collector that is away\n%s", n, log)
	}
	always, _ := watched(t, database(), "--otlp-endpoint", c.URL, "--trace-ratio", "1")
	work(always)
	if c.find(theirTrace, "GET /sign-in") == nil {
		t.Errorf("nothing is told at all: %v", c.names())
	}
}

// waitFor waits until something is so.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come to pass that %s", what)
		}
	}
}
