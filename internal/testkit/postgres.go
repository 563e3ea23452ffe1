package testkit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lib/pq"
)

// PostgresServer is a PostgreSQL that belongs to the tests and holds nothing anybody would miss.
type PostgresServer struct {
	admin   string // URL of a database from which others are made
	dir     string // its folder; "" when somebody else started it
	process *os.Process
	stopped chan struct{}
	// of a server that this process starts
	settings []string
	as       *syscall.Credential // whom it runs as, nil for ourselves

	mu    sync.Mutex
	db    *sql.DB
	ready map[string]bool // templates known to be complete
}

var shared struct {
	sync.Once
	server *PostgresServer
	err    error
}

// Alone makes this process start a server of its own whatever STEWARD_TEST_PG names, for packages that
// wait until a change has settled: an open transaction of another test, in whatever database of the same
// server, would hold that up. Call it in TestMain, once.
func Alone(m *testing.M) int {
	_ = os.Unsetenv("STEWARD_TEST_PG")
	return m.Run()
}

// Postgres returns the server of this test run: the one that STEWARD_TEST_PG names (`make test`
// starts one for all packages), else one that this process starts at the first call and that dies
// with it. Without PostgreSQL the test fails: it never skips.
func Postgres(t testing.TB) *PostgresServer {
	t.Helper()
	shared.Do(func() {
		if given := os.Getenv("STEWARD_TEST_PG"); given != "" {
			shared.server, shared.err = attach(given)
			return
		}
		shared.server, shared.err = launch()
	})
	if shared.err != nil {
		t.Fatalf("this test needs PostgreSQL: %v", shared.err)
	}
	return shared.server
}

// StartPostgres starts a server of the test's own, for tests that stop, freeze or kill it. It ends
// with the test. Settings are PostgreSQL's, as "name=value".
func StartPostgres(t testing.TB, settings ...string) *PostgresServer {
	t.Helper()
	s, err := launch(settings...)
	if err != nil {
		t.Fatalf("this test needs PostgreSQL: %v", err)
	}
	t.Cleanup(s.Stop)
	return s
}

// StartStandby starts a server that follows another, which must allow it (wal_level is by itself what is
// needed), under a name by which the other can wait for it. It ends with the test.
func StartStandby(t testing.TB, primary *PostgresServer, settings ...string) *PostgresServer {
	t.Helper()
	s, err := follow(primary, settings...)
	if err != nil {
		t.Fatalf("this test needs a second PostgreSQL: %v", err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Folder is where the server's socket is.
func (s *PostgresServer) Folder() string { return s.dir }

// Kill ends the server and all its processes at once, as a machine that loses power does but for what the
// kernel has not written.
func (s *PostgresServer) Kill() {
	_ = s.process.Signal(syscall.SIGSTOP) // it must not start others
	for _, child := range children(s.process.Pid) {
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
	_ = s.process.Kill()
	<-s.stopped
	_ = s.db.Close()
}

// Again starts a server that was killed.
func (s *PostgresServer) Again(t testing.TB) {
	t.Helper()
	if err := s.run(); err != nil {
		t.Fatalf("the server does not start again: %v", err)
	}
}

// Set changes a setting while the server runs.
func (s *PostgresServer) Set(t testing.TB, name, value string) {
	t.Helper()
	if _, err := s.db.Exec("ALTER SYSTEM SET " + name + " = " + pq.QuoteLiteral(value)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec("SELECT pg_reload_conf()"); err != nil {
		t.Fatal(err)
	}
}

// Ask returns the one text that a query on the server gives.
func (s *PostgresServer) Ask(t testing.TB, query string) (answer string) {
	t.Helper()
	if err := s.db.QueryRow(query).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// OnlySQLite reports whether this run leaves PostgreSQL out: `make check`, the quick loop, sets
// STEWARD_TEST_DATABASES=sqlite. `make test` runs both.
func OnlySQLite() bool { return os.Getenv("STEWARD_TEST_DATABASES") == "sqlite" }

// URL returns the address of a database on the server, as --database takes it.
func (s *PostgresServer) URL(database string) string {
	u, err := url.Parse(s.admin)
	if err != nil {
		panic(err) // attach and launch have read it before
	}
	u.Path = "/" + database
	return u.String()
}

// Process returns the server's main process, nil for a server of STEWARD_TEST_PG.
func (s *PostgresServer) Process() *os.Process { return s.process }

// CreateDB makes a database, a copy of template where one is named, and returns its URL. Names are
// lower-case letters, digits and underscores. Nobody may be connected to the template.
func (s *PostgresServer) CreateDB(name, template string) (string, error) {
	q := "CREATE DATABASE " + pq.QuoteIdentifier(name)
	if template != "" {
		q += " TEMPLATE " + pq.QuoteIdentifier(template)
	}
	if _, err := s.db.Exec(q); err != nil {
		return "", fmt.Errorf("testkit: create database %s from %q: %w", name, template, err)
	}
	return s.URL(name), nil
}

// DropDB removes a database and throws out whoever is connected to it; one that is not there is fine.
func (s *PostgresServer) DropDB(name string) error {
	_, err := s.db.Exec("DROP DATABASE IF EXISTS " + pq.QuoteIdentifier(name) + " WITH (FORCE)")
	return err
}

// Template returns the name of a database that fill prepared, made once for the whole server and
// each content key (the hash of the migrations, say), however many test processes ask for it at once.
// fill must close its connections. Clone it with FreshDB.
func (s *PostgresServer) Template(t testing.TB, key string, fill func(url string) error) string {
	t.Helper()
	name := fmt.Sprintf("tmpl_%x", sha256.Sum256([]byte(key)))[:29]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready[name] {
		return name
	}
	if err := s.template(t.Context(), name, fill); err != nil {
		t.Fatalf("testkit: template database for %q: %v", key, err)
	}
	s.ready[name] = true
	return name
}

// template fills a database under another name and renames it, so that a name that exists is complete.
func (s *PostgresServer) template(ctx context.Context, name string, fill func(url string) error) error {
	conn, err := s.db.Conn(ctx) // the advisory lock belongs to one connection
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(hashtext($1))", name); err != nil {
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(hashtext($1))", name)
	var exists bool
	if err := conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil || exists {
		return err
	}
	half := name + "_new"
	if err := s.DropDB(half); err != nil {
		return err
	}
	u, err := s.CreateDB(half, "")
	if err != nil {
		return err
	}
	if err := fill(u); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "ALTER DATABASE "+pq.QuoteIdentifier(half)+" RENAME TO "+pq.QuoteIdentifier(name))
	return err
}

// FreshDB makes a database that no other test has, a copy of template where one is named, returns its
// URL and drops it after the test.
func (s *PostgresServer) FreshDB(t testing.TB, template string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text())[:16]
	u, err := s.CreateDB(name, template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.DropDB(name); err != nil {
			t.Logf("testkit: %v", err)
		}
	})
	return u
}

// Stop ends a server that this process started and removes its folder; it does nothing to others.
func (s *PostgresServer) Stop() {
	if s.process == nil {
		return
	}
	_ = s.db.Close()
	_ = s.process.Signal(syscall.SIGCONT) // a test may have frozen it
	_ = s.process.Signal(syscall.SIGQUIT)
	<-s.stopped
	_ = os.RemoveAll(s.dir)
}

func attach(given string) (*PostgresServer, error) {
	u, err := url.Parse(given)
	if err != nil || u.Scheme != "postgres" {
		return nil, fmt.Errorf("STEWARD_TEST_PG is not a postgres:// URL")
	}
	s := &PostgresServer{admin: given, ready: map[string]bool{}}
	return s, s.connect(func() error { return nil })
}

// connect waits until the server answers; alive says early that it never will.
func (s *PostgresServer) connect(alive func() error) error {
	db, err := sql.Open("postgres", s.admin)
	if err != nil {
		return err
	}
	s.db = db
	deadline := time.Now().Add(60 * time.Second)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		err := db.PingContext(ctx)
		cancel()
		if err == nil {
			return nil
		}
		if dead := alive(); dead != nil {
			return dead
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no answer within 60 s: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
