package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"steward/ent/vendor"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

// The faults of this file are those of PostgreSQL and of several servers: with SQLite there is one process,
// which kill_test.go kills.

// migratedOn returns the URL of a migrated database on a server of the test's own.
func migratedOn(t *testing.T, p *testkit.PostgresServer) string {
	t.Helper()
	u, err := p.CreateDB("steward", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Migrate(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	return u
}

const makeVendor = `mutation($name: String!, $key: String) { createVendor(input: {name: $name}, idempotencyKey: $key) { id } }`

// writers make vendors through a server until they are told to stop, and remember what they were told.
type writers struct {
	stop chan struct{}
	all  sync.WaitGroup

	mu      sync.Mutex
	made    []string      // names of vendors that were acknowledged
	refused map[int]int   // answers that were none, by status; 0: no answer at all
	odd     []string      // answers that should never be given
	last    time.Time     // of the last acknowledged write
	longest time.Duration // without one
	slowest time.Duration // answer
}

// write starts n writers. at says where to, each time anew.
func write(n int, secret string, at func() string) *writers {
	w := &writers{stop: make(chan struct{}), refused: map[int]int{}, last: time.Now()}
	for writer := range n {
		w.all.Go(func() {
			client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for n := 0; ; n++ {
				select {
				case <-w.stop:
					return
				default:
				}
				w.one(client, at(), secret, fmt.Sprintf("Vendor %d-%d", writer, n))
			}
		})
	}
	return w
}

func (w *writers) one(client *http.Client, address, secret, name string) {
	began := time.Now()
	status, data, err := ask(client, address, secret, makeVendor, map[string]any{"name": name})
	took := time.Since(began)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slowest = max(w.slowest, took)
	switch {
	case err != nil:
		w.refused[0]++
	case status == http.StatusOK && strings.Contains(data, `"createVendor":{"id"`):
		w.made = append(w.made, name)
		w.longest, w.last = max(w.longest, time.Since(w.last)), time.Now()
	case status == http.StatusServiceUnavailable || strings.Contains(data, `"UNAVAILABLE"`):
		w.refused[http.StatusServiceUnavailable]++
		time.Sleep(5 * time.Millisecond) // as Retry-After says, only sooner
	default:
		w.odd = append(w.odd, fmt.Sprintf("%d %.200s", status, data))
	}
}

// count returns how many writes were acknowledged so far.
func (w *writers) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.made)
}

// until waits until n more writes were acknowledged.
func (w *writers) until(t *testing.T, n int) {
	t.Helper()
	have := w.count()
	for deadline := time.Now().Add(60 * time.Second); w.count() < have+n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.mu.Lock()
			defer w.mu.Unlock()
			t.Fatalf("%d writes within a minute; refused %v, odd %v", len(w.made)-have, w.refused, w.odd)
		}
	}
}

func (w *writers) end() {
	close(w.stop)
	w.all.Wait()
}

// lost counts the acknowledged vendors that a database has not.
func (w *writers) lost(t *testing.T, database string) (n int) {
	t.Helper()
	s := testkit.OpenURL(t, database)
	there := map[string]bool{}
	for _, v := range s.Client.Vendor.Query().Select(vendor.FieldName).AllX(testkit.System()) {
		there[v.Name] = true
	}
	for _, name := range w.made {
		if !there[name] {
			n++
		}
	}
	return n
}

// databaseKills is how often the database server is killed.
var databaseKills = testkit.Soak(3)

// TestKilledDatabaseLosesNothing (SEC-R2, R3) kills the database under writers, again and again. Each request
// ends, with an answer or with 503 and never with a wrong one; Steward goes on by itself when the database is
// back; and what was acknowledged is there. Without synchronous_commit it is not: that is the control.
func TestKilledDatabaseLosesNothing(t *testing.T) {
	if testkit.OnlySQLite() {
		return
	}
	kill := func(t *testing.T, rounds int, settings ...string) (*writers, int) {
		p := testkit.StartPostgres(t, settings...)
		database := migratedOn(t, p)
		secret := token(t, database, "portfolio-manager")
		a := start(t, database, "--no-jobs")
		w := write(4, secret, a.Addr)
		for range rounds {
			w.until(t, 20)
			time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond)
			p.Kill()
			p.Again(t)
		}
		w.until(t, 20)
		w.end()
		if len(w.odd) > 0 {
			t.Errorf("%d answers that nobody should get: %v", len(w.odd), w.odd[0])
		}
		if w.slowest > 20*time.Second {
			t.Errorf("an answer took %s", w.slowest)
		}
		return w, w.lost(t, database)
	}
	t.Run("synchronous", func(t *testing.T) {
		w, lost := kill(t, databaseKills, "synchronous_commit=on")
		if lost > 0 {
			t.Errorf("%d of %d acknowledged writes are lost", lost, len(w.made))
		}
		t.Logf("%d kills, %d acknowledged writes, refused %v, slowest answer %s, longest gap %s", databaseKills, len(w.made), w.refused, w.slowest, w.longest)
	})
	t.Run("control", func(t *testing.T) {
		w, lost := kill(t, 2, "synchronous_commit=off", "wal_writer_delay=10000ms", "wal_writer_flush_after=1GB")
		if lost == 0 {
			t.Errorf("none of %d writes is lost without synchronous_commit: the test cannot fail", len(w.made))
		}
	})
}

// TestFailover (SEC-R4) kills the primary of two servers under writers and promotes the other, which commits
// together with it. Steward finds the new primary by itself and no acknowledged write is lost.
func TestFailover(t *testing.T) {
	if testkit.OnlySQLite() {
		return
	}
	primary := testkit.StartPostgres(t, "synchronous_commit=on")
	database := migratedOn(t, primary)
	secret := token(t, database, "portfolio-manager")
	standby := testkit.StartStandby(t, primary, "synchronous_commit=on", "cluster_name=second")
	primary.Set(t, "synchronous_standby_names", "second")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if primary.Ask(t, "SELECT count(*)::text FROM pg_stat_replication WHERE sync_state = 'sync'") == "1" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the standby does not follow")
		}
	}
	both := "postgres://postgres@/steward?" + url.Values{"host": {primary.Folder() + "," + standby.Folder()}, "port": {"5432,5432"},
		"sslmode": {"disable"}, "target_session_attrs": {"read-write"}}.Encode()
	a := start(t, both, "--no-jobs")
	w := write(4, secret, a.Addr)
	w.until(t, 50)
	primary.Kill()
	before := w.count()
	standby.Ask(t, "SELECT pg_promote()::text")
	w.until(t, 50)
	w.end()
	if len(w.odd) > 0 {
		t.Errorf("%d answers that nobody should get: %v", len(w.odd), w.odd[0])
	}
	if lost := w.lost(t, standby.URL("steward")); lost > 0 {
		t.Errorf("%d of %d acknowledged writes are lost", lost, len(w.made))
	}
	t.Logf("%d writes before, %d after, refused %v, longest gap %s", before, len(w.made)-before, w.refused, w.longest)
}

// TestNothingTwice (SEC-R5) cuts connections before a request has arrived and before its answer has; whoever
// asks repeats the request until it is told. With an idempotency key each thing is made once; without one some
// are made twice, which is the control.
func TestNothingTwice(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database, "--no-jobs")
		secret := token(t, database, "portfolio-manager")
		cutting := cutter(t, a.Addr())
		things := testkit.Soak(40)
		client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		tell := func(prefix string, keyed bool) {
			var all sync.WaitGroup
			for part := range 4 {
				all.Go(func() {
					for n := part; n < things; n += 4 {
						vars := map[string]any{"name": fmt.Sprintf("%s %d", prefix, n)}
						if keyed {
							vars["key"] = fmt.Sprintf("%s-%d", prefix, n)
						}
						for try := 0; ; try++ {
							status, data, err := ask(client, cutting, secret, makeVendor, vars)
							if err == nil && status == http.StatusOK && strings.Contains(data, `"id"`) {
								break
							}
							if err == nil && !strings.Contains(data, `"UNAVAILABLE"`) {
								t.Errorf("%v: %d %s", vars, status, data)
								break
							}
							if try == 200 {
								t.Errorf("%v: no answer in %d tries", vars, try)
								break
							}
						}
					}
				})
			}
			all.Wait()
		}
		tell("once", true)
		tell("again", false)
		count := func(prefix string) int {
			return a.Store().Client.Vendor.Query().Where(vendor.NameHasPrefix(prefix + " ")).CountX(testkit.System())
		}
		if n := count("once"); n != things {
			t.Errorf("%d things were made of %d with a key", n, things)
		}
		if n := count("again"); n <= things {
			t.Errorf("%d things were made of %d without a key: no cut came between a write and its answer", n, things)
		}
	})
}

// cutter is a proxy that cuts every third connection before the request and every third before the answer.
func cutter(t *testing.T, to string) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var n atomic.Int64
	serve := func(c net.Conn, fate int64) {
		defer c.Close()
		if fate == 0 {
			return
		}
		up, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer up.Close()
		go io.Copy(up, c)
		if fate == 1 { // the server has answered, nobody hears it
			_, _ = up.Read(make([]byte, 1))
			return
		}
		_, _ = io.Copy(c, up)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c, n.Add(1)%3)
		}
	}()
	return l.Addr().String()
}

// restarts is how often both servers are replaced.
var restarts = testkit.Soak(2)

// TestRollingRestart (SEC-R9) replaces two servers one after the other under load, as a new version is rolled
// out. A balancer asks them whether they are ready and sends requests to those that are. No request fails. A
// server that ends without draining makes some fail: the control.
func TestRollingRestart(t *testing.T) {
	if testkit.OnlySQLite() {
		return // SQLite is for one server
	}
	roll := func(t *testing.T, rounds int, end syscall.Signal) (failed, answered int64, what string) {
		database := testkit.PostgresURL(t)
		secret := token(t, database, "portfolio-manager")
		line := flags(t, database, "--drain-wait", "400ms")
		b := balance(t)
		begin := func() *replica {
			out := &lines{}
			c := program(t, out, line...)
			r := &replica{address: servingAt.FindStringSubmatch(out.wait(t, `"msg":"serving"`))[1]}
			r.end = func() {
				_ = c.Process.Signal(end)
				_ = c.Wait()
			}
			b.add(r)
			return r
		}
		two := []*replica{begin(), begin()}
		var wrong sync.Map
		stop := make(chan struct{})
		var all sync.WaitGroup
		for writer := range 6 {
			all.Go(func() {
				client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}}
				defer client.CloseIdleConnections()
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					query, vars := `{ vendors(first: 5) { edges { node { name } } } }`, map[string]any{}
					if n%3 == 0 {
						query, vars = makeVendor, map[string]any{"name": fmt.Sprintf("V %d-%d", writer, n)}
					}
					status, data, err := ask(client, b.address, secret, query, vars)
					atomic.AddInt64(&answered, 1)
					if err != nil || status != http.StatusOK || strings.Contains(data, `"code"`) {
						atomic.AddInt64(&failed, 1)
						wrong.Store("what", fmt.Sprintf("%d %.200s %v", status, data, err))
					}
				}
			})
		}
		for range rounds {
			for i := range two {
				old := two[i]
				two[i] = begin() // the new one first, as deployments do
				b.wait(t, two[i])
				old.end()
				b.remove(old)
			}
		}
		close(stop)
		all.Wait()
		if x, ok := wrong.Load("what"); ok {
			what = x.(string)
		}
		return failed, answered, what
	}
	t.Run("drained", func(t *testing.T) {
		failed, answered, what := roll(t, restarts, syscall.SIGTERM)
		if failed > 0 {
			t.Errorf("%d of %d requests failed: %s", failed, answered, what)
		}
		t.Logf("%d restarts of two servers, %d requests", restarts, answered)
	})
	t.Run("control", func(t *testing.T) {
		if failed, answered, _ := roll(t, 2, syscall.SIGKILL); failed == 0 {
			t.Errorf("none of %d requests failed although servers were killed: the test cannot fail", answered)
		}
	})
}

// replica is a server behind the balancer.
type replica struct {
	address string
	ready   atomic.Bool
	end     func()
}

// balancer sends requests in turns to the servers that say they are ready.
type balancer struct {
	address string
	mu      sync.Mutex
	list    []*replica
	next    int
}

func balance(t *testing.T) *balancer {
	b := &balancer{}
	proxy := &httputil.ReverseProxy{
		Director: func(r *http.Request) { r.URL = b.pick(r.URL) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, err.Error(), http.StatusBadGateway)
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 20},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.address = l.Addr().String()
	server := &http.Server{Handler: proxy}
	go server.Serve(l)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop); server.Close() })
	go func() {
		client := &http.Client{Timeout: time.Second}
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			for _, r := range b.all() {
				answer, err := client.Get("http://" + r.address + "/readyz")
				if err == nil {
					answer.Body.Close()
				}
				r.ready.Store(err == nil && answer.StatusCode == http.StatusOK)
			}
		}
	}()
	return b
}

func (b *balancer) all() []*replica {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]*replica(nil), b.list...)
}

func (b *balancer) pick(u *url.URL) *url.URL {
	b.mu.Lock()
	defer b.mu.Unlock()
	to := *u
	to.Scheme = "http"
	for range b.list {
		b.next++
		if r := b.list[b.next%len(b.list)]; r.ready.Load() {
			to.Host = r.address
			break
		}
	}
	return &to
}

func (b *balancer) add(r *replica) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, r)
}

func (b *balancer) remove(gone *replica) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, r := range b.list {
		if r == gone {
			b.list = append(b.list[:i], b.list[i+1:]...)
			return
		}
	}
}

// wait waits until the balancer sends requests to a server.
func (b *balancer) wait(t *testing.T, r *replica) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !r.ready.Load(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s does not become ready", r.address)
		}
	}
}

// TestTwoReplicasSeeOneAnother: what is written through one server is there for a reader of the other with the
// next request.
func TestTwoReplicasSeeOneAnother(t *testing.T) {
	if testkit.OnlySQLite() {
		return
	}
	database := testkit.PostgresURL(t)
	secret := token(t, database, "portfolio-manager")
	one, two := start(t, database), start(t, database)
	client := &http.Client{Timeout: 30 * time.Second}
	for n := range 10 {
		name := fmt.Sprintf("Seen %d", n)
		if status, data, err := ask(client, one.Addr(), secret, makeVendor, map[string]any{"name": name}); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s %v", status, data, err)
		}
		_, data, err := ask(client, two.Addr(), secret, `query($name: String) { vendors(where: {name: $name}) { totalCount } }`, map[string]any{"name": name})
		var got struct{ Vendors struct{ TotalCount int } }
		if err != nil || json.Unmarshal([]byte(data), &got) != nil || got.Vendors.TotalCount != 1 {
			t.Errorf("%s through the other server: %s %v", name, data, err)
		}
	}
}
