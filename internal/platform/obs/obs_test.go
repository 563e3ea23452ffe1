package obs

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite"
)

func TestSecretNeverPrints(t *testing.T) {
	const text = "correct horse"
	s := Secret(text)
	type holder struct {
		S Secret
		P *Secret
	}
	var log bytes.Buffer
	l := NewLogger(&log, slog.LevelDebug)
	l.Info("x", "a", s, "b", holder{S: s}, "c", []Secret{s}, "d", map[string]Secret{"k": s})
	js, err := json.Marshal(map[string]holder{"h": {S: s, P: &s}})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x %X %d", s, s, s, s, s, s, s, s),
		fmt.Sprintf("%v %+v %#v", holder{S: s}, holder{S: s}, holder{S: s}), fmt.Errorf("no: %w", errors.New(s.String())).Error(),
		string(js), log.String(),
	} {
		if strings.Contains(got, text) || strings.Contains(got, fmt.Sprintf("%x", text)) {
			t.Errorf("the secret shows in %s", got)
		}
		if !strings.Contains(got, "***") {
			t.Errorf("no *** in %s", got)
		}
	}
	if s.Reveal() != text || Secret("").String() != "" {
		t.Error("Reveal and the empty secret")
	}
}

func TestLogLinesCannotBeForged(t *testing.T) {
	for name, text := range map[string]string{
		"newline":   "a\n{\"level\":\"ERROR\",\"msg\":\"forged\"}",
		"ansi":      "a\x1b[2Jb",
		"c1":        "a\u009b2Jb",
		"delete":    "a\x7fb",
		"direction": "user\u202etxt.exe",
		"separator": "a\u2028b",
		"invalid":   "a\xff\xfeb",
		"long":      strings.Repeat("ä", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			l := NewLogger(&buf, slog.LevelInfo)
			l.Info(text, "s", text, "e", errors.New(text), "any", struct{ X string }{text}, slog.Group("g", "s", text))
			out := buf.String()
			if strings.Count(out, "\n") != 1 {
				t.Fatalf("%d lines: %q", strings.Count(out, "\n"), out)
			}
			for _, r := range strings.TrimSuffix(out, "\n") {
				if r < 0x20 || r >= 0x7f && r <= 0x9f || r == '\u202e' || r == '\u2028' || r == '\ufffd' {
					t.Errorf("%U in %q", r, out)
				}
			}
			if !json.Valid(buf.Bytes()) || len(out) > 11000 {
				t.Errorf("%d bytes, valid: %v", len(out), json.Valid(buf.Bytes()))
			}
		})
	}
}

// serve runs one request through Requests and returns its log lines.
func serve(t *testing.T, m *Metrics, req *http.Request, h http.Handler) (*httptest.ResponseRecorder, []map[string]any) {
	t.Helper()
	var buf bytes.Buffer
	rec := httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }()
		Requests(NewLogger(&buf, slog.LevelInfo), m, h).ServeHTTP(rec, req)
	}()
	var lines []map[string]any
	for line := range strings.Lines(buf.String()) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		lines = append(lines, o)
	}
	return rec, lines
}

func TestOneLineARequest(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /feeds/{token}", func(w http.ResponseWriter, req *http.Request) {
		r := RequestFrom(req.Context())
		r.SetPerson("psn_1")
		r.SetVia("page")
		r.SetOperation("Evil\n\x1b[31m")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, RequestID(req.Context()))
	})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	mux.HandleFunc("GET /silent", func(http.ResponseWriter, *http.Request) {})
	m := NewMetrics()

	req := httptest.NewRequest("GET", "/feeds/top-secret-token?name=Pia", nil)
	req.Header.Set("X-Request-Id", "req_forged")
	rec, lines := serve(t, m, req, Routed(mux))
	if len(lines) != 1 {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	line := lines[0]
	id := rec.Body.String()
	want := map[string]any{"msg": "request", "level": "INFO", "route": "GET /feeds/{token}", "method": "GET", "status": 201.0,
		"person_id": "psn_1", "via": "page", "request_id": id, "bytes": float64(len(id)), "operation": `Evil\n\u001b[31m`}
	for k, v := range want {
		if line[k] != v {
			t.Errorf("%s = %v, want %v", k, line[k], v)
		}
	}
	if _, ok := line["duration_ms"].(float64); !ok {
		t.Errorf("duration_ms = %v", line["duration_ms"])
	}
	for k := range line {
		if _, ok := want[k]; !ok && k != "time" && k != "duration_ms" {
			t.Errorf("unexpected key %s", k)
		}
	}
	if when, err := time.Parse(time.RFC3339Nano, line["time"].(string)); err != nil || when.Location() != time.UTC {
		t.Errorf("time %v %v", line["time"], err)
	}
	if all := fmt.Sprint(line); strings.Contains(all, "top-secret") || strings.Contains(all, "Pia") {
		t.Errorf("the path or the query is in the log: %s", all)
	}
	if !strings.HasPrefix(id, "req_") || rec.Header().Get("X-Request-Id") != id || id == "req_forged" {
		t.Errorf("id %q, header %q", id, rec.Header().Get("X-Request-Id"))
	}

	if _, lines = serve(t, m, httptest.NewRequest("GET", "/panic", nil), Routed(mux)); len(lines) != 1 || lines[0]["status"] != 500.0 || lines[0]["level"] != "ERROR" {
		t.Errorf("a panic logged %v", lines)
	}
	if _, lines = serve(t, m, httptest.NewRequest("GET", "/silent", nil), Routed(mux)); lines[0]["status"] != 200.0 {
		t.Errorf("an empty answer logged %v", lines)
	}
	if _, lines = serve(t, m, httptest.NewRequest("BREW", "/nowhere", nil), Routed(mux)); lines[0]["method"] != "OTHER" || lines[0]["route"] != "unmatched" {
		t.Errorf("an unknown request logged %v", lines)
	}
}

func TestRequestOutsideOne(t *testing.T) {
	RequestFrom(t.Context()).SetPerson("x")
	RequestFrom(t.Context()).SetRoute("x")
	if RequestID(t.Context()) != "" || RequestFrom(t.Context()).Person() != "" {
		t.Error("outside a request there is no id and no person")
	}
}

func TestFlushReachesTheWriter(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
	})
	old := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() })
	for _, h := range []http.Handler{h, old} {
		if rec, _ := serve(t, NewMetrics(), httptest.NewRequest("GET", "/", nil), h); !rec.Flushed {
			t.Error("not flushed")
		}
	}
}

func TestMetricsAndProfiles(t *testing.T) {
	m := NewMetrics()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	m.Pool("main", db)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /a/{x}", func(http.ResponseWriter, *http.Request) {})
	for i := range 300 { // hostile paths must not become series
		serve(t, m, httptest.NewRequest("GET", fmt.Sprintf("/a/%d", i), nil), Routed(mux))
		serve(t, m, httptest.NewRequest("GET", fmt.Sprintf("/none/%d", i), nil), Routed(mux))
	}
	get := func(h http.Handler, path string) (int, string) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
		return rec.Code, rec.Body.String()
	}
	_, body := get(m.Ops(false), "/metrics")
	for _, want := range []string{
		`steward_http_requests_total{route="GET /a/{x}",status="200"} 300`,
		`steward_http_requests_total{route="unmatched",status="404"} 300`,
		`steward_http_request_duration_seconds_count{route="GET /a/{x}"} 300`,
		"steward_http_requests_in_flight 0", "steward_build_info{", `go_sql_open_connections{db_name="main"}`, "go_goroutines", "process_cpu_seconds_total",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	series := 0
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "#") {
			series++
		}
	}
	if series > 200 {
		t.Errorf("%d series", series)
	}
	for profiles, want := range map[bool]int{true: 200, false: 404} {
		if code, _ := get(m.Ops(profiles), "/debug/pprof/cmdline"); code != want {
			t.Errorf("profiles %v: %d", profiles, code)
		}
	}
}

func TestLevelAndBuild(t *testing.T) {
	if l, err := Level("warn"); err != nil || l != slog.LevelWarn {
		t.Error(l, err)
	}
	if _, err := Level("loud"); err == nil {
		t.Error("an unknown level is an error")
	}
	if b := Build(); b.Version == "" || b.Commit == "" || b.Date == "" || !strings.HasPrefix(b.Go, "go1.") {
		t.Errorf("%+v", b)
	}
}

// However often the metrics are read, what costs a question is asked once in ten seconds; no answer is -1.
func TestAsked(t *testing.T) {
	m, asked := NewMetrics(), 0
	m.Register(Asked(func(context.Context) ([]float64, error) {
		asked++
		return []float64{3, 4}, nil
	}, prometheus.GaugeOpts{Name: "one", Help: "One."}, prometheus.GaugeOpts{Name: "two", Help: "Two.", ConstLabels: prometheus.Labels{"queue": "x"}}))
	m.Register(Asked(func(context.Context) ([]float64, error) { return nil, errors.New("away") }, prometheus.GaugeOpts{Name: "three", Help: "Three."}))
	for range 3 {
		rec := httptest.NewRecorder()
		m.Ops(false).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
		for _, want := range []string{"\none 3\n", "\ntwo{queue=\"x\"} 4\n", "\nthree -1\n"} {
			if !strings.Contains(rec.Body.String(), want) {
				t.Errorf("no %q", want)
			}
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
