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
	entjob "steward/ent/job"
	"steward/internal/platform/config"
	"steward/internal/platform/job"
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

// TestLoopGoesOn: a loop that panics and fails is logged, counted and run again.
func TestLoopGoesOn(t *testing.T) {
	var log bytes.Buffer
	a := &App{cfg: Config{Log: obs.NewLogger(&log, slog.LevelInfo)}}
	runs := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "runs", Help: "."}, []string{"job", "result"})
	rows := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rows", Help: "."}, []string{"job"})
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int32
	a.repeat(ctx, loop{"test", time.Millisecond, func(context.Context) (int, error) {
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
		out := attempt(t, s, job.Kind{Name: "clean", Do: func(ctx context.Context, x *job.Run) error { return clean(ctx, x, now) }})
		if out["sessions"] != 1.0 || out["idempotencyKeys"] != 1.0 || out["rightsToUndo"] != 2.0 {
			t.Errorf("removed: %v", out)
		}
		c := s.Client
		if a, b, d := c.Session.Query().CountX(ctx), c.IdempotencyKey.Query().CountX(ctx), c.UndoEntry.Query().CountX(ctx); a != 2 || b != 2 || d != 1 {
			t.Errorf("left: %d sessions, %d keys, %d rights to undo", a, b, d)
		}
	})
}

// attempt does one job of the kind and returns what it left.
func attempt(t *testing.T, s *store.Store, kind job.Kind) map[string]any {
	t.Helper()
	id, err := job.Enqueue(testkit.System(), s, kind.Name, nil, job.Options{})
	if err == nil {
		_, err = job.New(s, job.Config{Kinds: []job.Kind{kind}}).Once(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	x := s.Client.Job.GetX(testkit.System(), id)
	if x.Status != entjob.StatusDONE {
		t.Fatalf("%s: %s", x.Status, x.Error)
	}
	return x.Output
}

// TestPurge deletes files that nobody waits for any more, with their parts, and nothing else.
func TestPurge(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		now := time.Now().UTC()
		waits, err := job.Enqueue(ctx, s, "import", nil, job.Options{})
		if err != nil {
			t.Fatal(err)
		}
		keep := map[ident.ID]bool{}
		err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			content := func(hours int, complete bool) ident.ID {
				b := c.Blob.Create().SetComplete(complete).SetCreatedAt(now.Add(time.Duration(-hours) * time.Hour)).SaveX(ctx)
				for seq := range 2 {
					c.BlobChunk.Create().SetBlobID(b.ID).SetSeq(seq).SetData([]byte("x")).ExecX(ctx)
				}
				return b.ID
			}
			file := func(hours int, job *ident.ID) ident.ID {
				id := content(hours, true)
				c.Upload.Create().SetBlobID(id).SetName("x.csv").SetPersonID("per_1").SetNillableJobID(job).SetCreatedAt(now.Add(time.Duration(-hours) * time.Hour)).ExecX(ctx)
				return id
			}
			ended := ident.ID("job_gone")
			for range part + 5 {
				file(25, nil)
				content(25, false)
			}
			file(25, &ended)
			keep[file(25, &waits)], keep[file(23, nil)] = true, true
			keep[content(23, false)], keep[content(1000, true)] = true, true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		out := attempt(t, s, job.Kind{Name: "purge", Do: func(ctx context.Context, x *job.Run) error { return purge(ctx, x, s, now) }})
		if out["uploads"] != float64(part+6) || out["blobs"] != float64(part+5) || out["jobs"] != 0.0 {
			t.Errorf("purged: %v", out)
		}
		if n := s.Client.Upload.Query().CountX(ctx); n != 2 {
			t.Errorf("%d uploads are left", n)
		}
		if n := s.Client.BlobChunk.Query().CountX(ctx); n != 2*len(keep) {
			t.Errorf("%d parts are left", n)
		}
		left := s.Client.Blob.Query().IDsX(ctx)
		for _, id := range left {
			if !keep[id] {
				t.Errorf("%s is left", id)
			}
		}
		if len(left) != len(keep) {
			t.Errorf("%d of %d are left", len(left), len(keep))
		}
	})
}
