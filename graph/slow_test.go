package graph_test

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"modernc.org/sqlite"

	"steward/graph"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func init() {
	// pg_sleep for SQLite: a statement that takes long and leaves the processor alone.
	sqlite.MustRegisterScalarFunction("nap", 1, func(_ *sqlite.FunctionContext, a []driver.Value) (driver.Value, error) {
		time.Sleep(10 * time.Millisecond)
		return a[0], nil
	})
}

// crowd is how many requests run into the slow database at once.
const crowd = 100

// hasty opens the database at the address again behind the world's door, with the
// limits that requests have, all of them a quarter of their length: the tests need
// not wait for the real ones.
func (w *world) hasty(address string) *store.Store {
	w.t.Helper()
	o, limit := store.RequestOptions, graph.DefaultLimits().Timeout
	if limit > 5*time.Second || o.Statement >= limit || o.Lock >= o.Statement || o.Wait >= o.Lock {
		w.t.Errorf("a request may take %s, a statement %s, a lock %s, a connection %s", limit, o.Statement, o.Lock, o.Wait)
	}
	o.Statement, o.Lock, o.Wait = o.Statement/4, o.Lock/4, o.Wait/4
	s, err := store.Open(w.t.Context(), address, o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = s.Close() })
	w.door = graph.New(graph.Config{Store: s, Log: w.logger(), Limits: graph.Limits{Timeout: limit / 4}})
	return s
}

// refused sends a document from many places at once and fails unless each is told
// to come back, the last within the time.
func (w *world) refused(v *viewer.Viewer, document string, within time.Duration) {
	w.t.Helper()
	began := time.Now()
	var all sync.WaitGroup
	replies := make([]*reply, crowd)
	for i := range replies {
		all.Go(func() { replies[i] = w.ask(v, document) })
	}
	all.Wait()
	if took := time.Since(began); took > within {
		w.t.Errorf("%s: the last answer came after %s", document, took)
	}
	for _, r := range replies {
		if r.code(w.t, "UNAVAILABLE"); r.Status != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
			w.t.Fatalf("%d %v", r.Status, r.Header)
		}
	}
}

// freed fails unless no connection of s is in use, soon.
func freed(t *testing.T, s *store.Store) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for s.DB.Stats().InUse > 0 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	if n := s.DB.Stats().InUse; n > 0 {
		t.Errorf("%d connections are still in use", n)
	}
}

// slowest95 asks again and again, at least forty times, until done is closed, and
// returns how long the slowest but five in a hundred took.
func (w *world) slowest95(v *viewer.Viewer, document string, done <-chan struct{}) time.Duration {
	w.t.Helper()
	var took []time.Duration
	for open := true; open || len(took) < 40; {
		select {
		case <-done:
			open = false
		case <-time.After(5 * time.Millisecond):
		}
		began := time.Now()
		w.ask(v, document).fine(w.t)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)*95/100]
}

// TestSlowDatabase is GQ-5: a hundred requests of one caller run into statements
// that take minutes, and into a lock that nobody gives back. Each is stopped within
// the limit and told so, its connection is free again and the database no longer
// works for it; meanwhile other people are served as before.
func TestSlowDatabase(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		h := w.hasty(s.URL)
		const others = `{portfolios{edges{node{name products{edges{node{name}}}}}}}`
		closed := make(chan struct{})
		close(closed)
		alone := w.slowest95(w.fia(), others, closed)
		during := func(what, document string) {
			t.Helper()
			done := make(chan struct{})
			go func() {
				defer close(done)
				// On SQLite a transaction waits five seconds for its turn whatever the context says.
				w.refused(w.pia(), document, 10*time.Second)
			}()
			// The promise is a factor of two. A few milliseconds doubled are nothing on a machine
			// that runs other tests too, so a quarter of a second is allowed besides: without a
			// connection of their own the others would wait for seconds, and most be refused.
			if p95 := w.slowest95(w.fia(), others, done); p95 > 2*alone+250*time.Millisecond {
				t.Errorf("%s: others wait %s, %s when alone", what, p95, alone)
			} else {
				t.Logf("%s: others wait %s, %s when alone", what, p95, alone)
			}
			freed(t, h)
		}

		lock, b, err := s.Begin(testkit.System())
		if err != nil {
			t.Fatal(err)
		}
		if s.Dialect == dialect.Postgres { // SQLite has one writer at a time anyway
			if _, err := s.Raw(lock).ExecContext(lock, "LOCK TABLE vendors IN EXCLUSIVE MODE"); err != nil {
				t.Fatal(err)
			}
		}
		during("a lock", `mutation{createVendor(input:{name:"Late"}){id}}`)
		b.Rollback()
		w.ask(w.pia(), `mutation{createVendor(input:{name:"In time"}){id}}`).fine(t)
		if n := s.Client.Vendor.Query().CountX(testkit.System()); n != 2 {
			t.Errorf("%d vendors: a write that was refused is there", n)
		}

		forEver := "pg_sleep(600) IS NOT NULL"
		if s.Dialect == dialect.SQLite {
			forEver = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT max(nap(i)) FROM n) > 0"
		}
		for _, q := range []string{"ALTER TABLE contracts RENAME TO all_contracts", "CREATE VIEW contracts AS SELECT * FROM all_contracts WHERE " + forEver} {
			if _, err := s.DB.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		// Sixteen times the same in one request: each would take a connection for itself.
		many := "{"
		for i := range 16 {
			many += fmt.Sprintf("c%d:contracts(first:2){edges{node{name vendor{name}}}} ", i)
		}
		during("slow statements", many+"}")
		if s.Dialect == dialect.Postgres {
			var n int
			err := s.DB.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()`).Scan(&n)
			if err != nil || n != 0 {
				t.Errorf("the database still works on %d statements, %v", n, err)
			}
		}
		w.ask(w.pia(), `{vendors{totalCount}}`).fine(t)
	})
}

// TestSilentDatabase is the other half of GQ-5: the database is well and its
// answers come late, or never. Only PostgreSQL can be far away.
func TestSilentDatabase(t *testing.T) {
	if testkit.OnlySQLite() {
		t.Log("SQLite is in the program: nothing lies between")
		return
	}
	address := testkit.PostgresURL(t)
	w := newWorld(t, testkit.OpenURL(t, address), graph.Limits{})
	far := &distance{}
	h := w.hasty(far.between(t, address))
	const deep = `{portfolios(first:5){edges{node{name products(first:5){edges{node{name contracts(first:5){edges{node{name vendor{name}}}}}}}}}}}`
	w.ask(w.pia(), deep).fine(t)

	// Four statements of half a second: no bound of a statement is reached, the request's is.
	far.delay.Store(int64(500 * time.Millisecond))
	began := time.Now()
	w.ask(w.pia(), deep).code(t, "UNAVAILABLE")
	if took := time.Since(began); took < time.Second || took > 4*time.Second {
		t.Errorf("a request with late answers took %s", took)
	}

	// No answer at all: the connection's own bound ends the wait.
	far.delay.Store(int64(time.Hour))
	w.refused(w.pia(), deep, 10*time.Second)
	freed(t, h)

	far.delay.Store(0)
	deadline := time.Now().Add(10 * time.Second)
	for w.ask(w.pia(), deep).Status != http.StatusOK && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
	w.ask(w.pia(), deep).fine(t)
}

// distance lies between the program and PostgreSQL: what the server says arrives
// later by the delay.
type distance struct{ delay atomic.Int64 }

// between returns the address of the database as seen from the far side.
func (d *distance) between(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	network, target := "tcp", u.Host
	q := u.Query()
	if folder := q.Get("host"); strings.HasPrefix(folder, "/") {
		network, target = "unix", filepath.Join(folder, ".s.PGSQL.5432")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, target)
			if err != nil {
				_ = near.Close()
				continue
			}
			go func() { _, _ = io.Copy(server, near); _ = server.Close() }()
			go func() { _, _ = io.Copy(&late{near, t.Context(), d}, server); _ = near.Close() }()
		}
	}()
	q.Del("host")
	u.Host, u.RawQuery = l.Addr().String(), q.Encode()
	return u.String()
}

// late writes what it is given after the delay, or never when the test ends first.
type late struct {
	net.Conn
	ctx context.Context
	d   *distance
}

func (l *late) Write(b []byte) (int, error) {
	select {
	case <-time.After(time.Duration(l.d.delay.Load())):
		return l.Conn.Write(b)
	case <-l.ctx.Done():
		return 0, l.ctx.Err()
	}
}
