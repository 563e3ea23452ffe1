package testkit

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func query[T any](t *testing.T, url, q string) (v T) {
	t.Helper()
	db, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(q).Scan(&v); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return v
}

func exec1(url, q string) error {
	db, err := sql.Open("postgres", url)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(q)
	return err
}

func TestTemplateIsFilledOnceAndCopiesAreSeparate(t *testing.T) {
	s := StartPostgres(t)
	var fills atomic.Int32
	fill := func(url string) error {
		fills.Add(1)
		return exec1(url, "CREATE TABLE x AS SELECT 1 AS n")
	}
	// a second client of the same server, as another test process is
	other, err := attach(s.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.db.Close()
	var wg sync.WaitGroup
	names := make([]string, 6)
	for i := range names {
		wg.Go(func() { names[i] = []*PostgresServer{s, other}[i%2].Template(t, "content", fill) })
	}
	wg.Wait()
	if fills.Load() != 1 || names[0] != names[5] {
		t.Fatalf("%d fills, names %v", fills.Load(), names)
	}
	if s.Template(t, "other content", fill) == names[0] || fills.Load() != 2 {
		t.Error("another content is another template")
	}
	a, b := s.FreshDB(t, names[0]), s.FreshDB(t, names[0])
	if err := exec1(a, "UPDATE x SET n = 2"); err != nil {
		t.Fatal(err)
	}
	if query[int](t, a, "SELECT n FROM x") != 2 || query[int](t, b, "SELECT n FROM x") != 1 {
		t.Error("two copies share their rows")
	}
}

func TestHalfFilledTemplateIsNotUsed(t *testing.T) {
	s := StartPostgres(t)
	err := s.template(t.Context(), "tmpl_half", func(url string) error {
		_ = exec1(url, "CREATE TABLE half ()")
		return fmt.Errorf("broken")
	})
	if err == nil {
		t.Fatal("no error")
	}
	if err := s.template(t.Context(), "tmpl_half", func(url string) error { return exec1(url, "CREATE TABLE whole ()") }); err != nil {
		t.Fatal(err)
	}
	u, err := s.CreateDB("copy", "tmpl_half")
	if err != nil {
		t.Fatal(err)
	}
	if query[int](t, u, "SELECT count(*) FROM pg_class WHERE relname = 'half'") != 0 || query[int](t, u, "SELECT count(*) FROM pg_class WHERE relname = 'whole'") != 1 {
		t.Error("what the failed fill left is in the template")
	}
}

func TestFreshDBIsDropped(t *testing.T) {
	s := Postgres(t)
	count := func() int {
		return query[int](t, s.URL("postgres"), "SELECT count(*) FROM pg_database WHERE datname LIKE 'test_%'")
	}
	var name string
	t.Run("one test", func(t *testing.T) {
		u := s.FreshDB(t, "")
		name = query[string](t, u, "SELECT current_database()")
		db, err := sql.Open("postgres", u)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		_ = db.Ping() // still connected when the test ends
	})
	if query[int](t, s.URL("postgres"), "SELECT count(*) FROM pg_database WHERE datname = '"+name+"'") != 0 {
		t.Errorf("%s is still there (%d in all)", name, count())
	}
}

func TestFrozenServerCanBeStopped(t *testing.T) {
	s, err := launch()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Process().Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there", s.dir)
	}
}

func TestMissingPostgresIsSaid(t *testing.T) {
	t.Setenv("PG_BIN", t.TempDir())
	if s, err := launch(); err == nil {
		s.Stop()
		t.Fatal("started without programs")
	}
	t.Setenv("PG_BIN", "")
	t.Setenv("PATH", t.TempDir())
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) == 0 {
		if _, err := program("initdb"); err == nil || !strings.Contains(err.Error(), "scripts/setup-test.sh") {
			t.Errorf("got %v", err)
		}
	} else if path, err := program("initdb"); err != nil || !strings.HasPrefix(path, "/usr/lib/postgresql/") {
		t.Errorf("%s %v", path, err)
	}
	if _, err := attach("host=somewhere"); err == nil {
		t.Error("STEWARD_TEST_PG must be a URL")
	}
}

// TestServerDiesWithTheTestProcess kills a test process and looks for what it left behind.
func TestServerDiesWithTheTestProcess(t *testing.T) {
	if out := os.Getenv("TESTKIT_CHILD"); out != "" {
		s, err := launch()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(out, fmt.Appendf(nil, "%d %s", s.process.Pid, s.dir), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // until killed
	}
	out := filepath.Join(t.TempDir(), "child")
	child := exec.Command(os.Args[0], "-test.run=^TestServerDiesWithTheTestProcess$")
	child.Env = append(os.Environ(), "TESTKIT_CHILD="+out)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	var dir string
	for i := 0; pid == 0 && i < 600; i++ {
		time.Sleep(50 * time.Millisecond)
		if b, err := os.ReadFile(out); err == nil {
			_, _ = fmt.Sscanf(string(b), "%d %s", &pid, &dir)
		}
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if pid == 0 {
		t.Fatal("the child started no server")
	}
	for i := 0; syscall.Kill(pid, 0) == nil; i++ {
		if i > 200 {
			t.Fatalf("server %d outlived the test process", pid)
		}
		time.Sleep(50 * time.Millisecond)
	}
	sweep("/tmp")
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s was not swept", dir)
	}
}

// TestKilledServerStartsAgain: what was committed before the kill is there after it, and a standby has it too.
func TestKilledServerStartsAgain(t *testing.T) {
	s := StartPostgres(t, "synchronous_commit=on")
	u, err := s.CreateDB("kept", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := exec1(u, "CREATE TABLE kept AS SELECT 42 AS n"); err != nil {
		t.Fatal(err)
	}
	standby := StartStandby(t, s)
	s.Kill()
	if n := query[int](t, standby.URL("kept"), "SELECT n FROM kept"); n != 42 {
		t.Errorf("the standby has %d", n)
	}
	s.Again(t)
	if n := query[int](t, u, "SELECT n FROM kept"); n != 42 {
		t.Errorf("%d after the start", n)
	}
}
