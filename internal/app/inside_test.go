package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"steward/ent"
	"steward/internal/platform/config"
	"steward/internal/platform/obs"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

// TestPanicIsAnswered: a request that panics gets 500 with its number, a half-sent one is cut off, and both are
// logged (OP-12).
func TestPanicIsAnswered(t *testing.T) {
	var log bytes.Buffer
	a := &App{cfg: Config{Log: obs.NewLogger(&log, slog.LevelInfo)}, metrics: obs.NewMetrics()}
	var door http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			panic(http.ErrAbortHandler)
		}
		panic("the roof is on fire")
	})
	a.door.Store(&door)
	rec := httptest.NewRecorder()
	a.handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/x", nil))
	number := rec.Header().Get("X-Request-Id")
	if rec.Code != http.StatusInternalServerError || number == "" || !strings.Contains(rec.Body.String(), number) || strings.Contains(rec.Body.String(), "roof") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if s := log.String(); !strings.Contains(s, "roof") || !strings.Contains(s, number) || !strings.Contains(s, `"status":500`) {
		t.Errorf("the log says %s", s)
	}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("a half-sent answer panics with %v", p)
		}
	}()
	a.handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/half", nil))
}

// TestJobGoesOn: a job that panics and fails is logged, counted and run again.
func TestJobGoesOn(t *testing.T) {
	var log bytes.Buffer
	a := &App{cfg: Config{Log: obs.NewLogger(&log, slog.LevelInfo)}}
	runs := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "runs", Help: "."}, []string{"job", "result"})
	rows := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rows", Help: "."}, []string{"job"})
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int32
	a.repeat(ctx, job{"test", time.Millisecond, func(context.Context) (int, error) {
		switch n.Add(1) {
		case 1:
			panic("the roof is on fire")
		case 2:
			return 0, errors.New("no water")
		case 4:
			cancel()
		}
		return 7, nil
	}, false}, runs, rows)
	m, rec := obs.NewMetrics(), httptest.NewRecorder()
	m.Register(runs, rows)
	m.Ops(false).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{`runs{job="test",result="failed"} 2`, `rows{job="test"} 7`} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if s := log.String(); !strings.Contains(s, "roof") || !strings.Contains(s, "no water") {
		t.Errorf("the log says %s", s)
	}
}

// TestProxied: only a trusted proxy is believed, and only about what lies before it.
func TestProxied(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	for _, c := range []struct{ name, peer, header, want string }{
		{"a stranger", "203.0.113.7:99", "198.51.100.1", "203.0.113.7:99"},
		{"the proxy", "10.1.0.1:99", "198.51.100.1", "198.51.100.1:99"},
		{"two proxies", "10.1.0.1:99", "198.51.100.1, 10.1.0.2", "198.51.100.1:99"},
		{"an invented first entry", "10.1.0.1:99", "1.1.1.1, 198.51.100.1", "198.51.100.1:99"},
		{"nonsense in front", "10.1.0.1:99", "nonsense, 198.51.100.1", "198.51.100.1:99"},
		{"nonsense", "10.1.0.1:99", "nonsense", "10.1.0.1:99"},
		{"no header", "10.1.0.1:99", "", "10.1.0.1:99"},
		{"version 6", "[::ffff:10.1.0.1]:99", "2001:db8::1", "[2001:db8::1]:99"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		if c.header != "" {
			r.Header.Set("X-Forwarded-For", c.header)
		}
		got := ""
		proxied(trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })).ServeHTTP(nil, r)
		if got != c.want {
			t.Errorf("%s: %s, not %s", c.name, got, c.want)
		}
	}
}

func TestBanner(t *testing.T) {
	for want, s := range map[string]config.Serve{"": {}, "app.banner.demo": {Demo: true}, "app.banner.insecure": {AllowInsecure: true}} {
		if got := (&App{cfg: Config{Serve: s}}).banner(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// TestDevelopmentSignInStaysAtHome: a Config that did not come through the command line is refused as well (AN-16).
func TestDevelopmentSignInStaysAtHome(t *testing.T) {
	for name, s := range map[string]config.Serve{
		"without --demo": {Listen: "127.0.0.1:0"}, "in production": {Demo: true, Production: true, Listen: "127.0.0.1:0"},
		"beside an issuer": {Demo: true, OIDCIssuer: "https://id.example", Listen: "127.0.0.1:0"}, "for other machines": {Demo: true, Listen: "0.0.0.0:0"},
	} {
		if p, err := (&App{cfg: Config{Serve: s}}).provider("secret"); err == nil {
			t.Errorf("%s: %v", name, p)
		}
	}
}

// TestClean deletes what is past its time and nothing else.
func TestClean(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := scope.Elevate(testkit.System())
		now := time.Now().UTC()
		err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			p, err := c.Person.Create().SetName("Somebody").Save(ctx)
			if err != nil {
				return err
			}
			for _, days := range []int{-40, -20, 1} {
				end := now.AddDate(0, 0, days)
				if err := c.Session.Create().SetPersonID(p.ID).SetTokenHash(ident.New("x").String()).SetAuthTime(now).SetLastSeenAt(now).SetIdpCheckedAt(now).SetExpiresAt(end).Exec(ctx); err != nil {
					return err
				}
				if err := c.IdempotencyKey.Create().SetOwner("o").SetIdempotencyKey(ident.New("k").String()).SetRequestHash("h").SetCreatedAt(end).Exec(ctx); err != nil {
					return err
				}
				if err := c.UndoEntry.Create().SetTokenHash(strings.Repeat("0", 24) + end.Format("20060102") + strings.Repeat("0", 32)).SetChangeSet("c").SetExpiresAt(end).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := clean(ctx, s, now); err != nil || n != 4 {
			t.Errorf("%d rows removed, %v", n, err)
		}
		c := s.Client
		if a, b, d := c.Session.Query().CountX(ctx), c.IdempotencyKey.Query().CountX(ctx), c.UndoEntry.Query().CountX(ctx); a != 2 || b != 2 || d != 1 {
			t.Errorf("left: %d sessions, %d keys, %d rights to undo", a, b, d)
		}
	})
}
