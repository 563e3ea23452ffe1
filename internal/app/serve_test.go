package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"steward/internal/app"
	"steward/internal/platform/config"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

// wants fails unless a path is answered with the status within two seconds.
func wants(t *testing.T, a *app.App, path string, status int) string {
	t.Helper()
	begun := time.Now()
	got, body := get(t, a, path)
	if got != status {
		t.Errorf("%s is %d, not %d: %s", path, got, status, body)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("%s took %s", path, took)
	}
	return body
}

func TestProbesWhileTheDatabaseIsAway(t *testing.T) {
	if testkit.OnlySQLite() {
		t.Log("SQLite cannot be away: nothing to test in the quick loop")
		return
	}
	server := testkit.StartPostgres(t)
	database := server.FreshDB(t, "")
	a, _ := begin(t, database)
	for _, p := range []string{"/startupz", "/readyz", "/", "/graphql"} {
		wants(t, a, p, http.StatusServiceUnavailable)
	}
	wants(t, a, "/livez", http.StatusOK)
	time.Sleep(1500 * time.Millisecond) // it looks again every second
	if body := wants(t, a, "/readyz", http.StatusServiceUnavailable); !strings.Contains(body, "steward migrate") {
		t.Errorf("an unmigrated database is explained by %q", body)
	}
	must(t, "migrate", "--database", database)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := a.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	wants(t, a, "/startupz", http.StatusOK)
	wants(t, a, "/readyz", http.StatusOK)

	family(t, server.Process().Pid, syscall.SIGSTOP) // it holds its connections and says nothing
	wants(t, a, "/readyz", http.StatusServiceUnavailable)
	wants(t, a, "/livez", http.StatusOK)
	wants(t, a, "/startupz", http.StatusOK)
	family(t, server.Process().Pid, syscall.SIGCONT)
	back(t, a)

	server.Stop()
	wants(t, a, "/readyz", http.StatusServiceUnavailable)
	wants(t, a, "/livez", http.StatusOK)
}

// family sends a signal to a process and its children: PostgreSQL has one for each connection.
func family(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, child := range append(strings.Fields(string(children)), strconv.Itoa(pid)) {
		if n, err := strconv.Atoi(child); err != nil || syscall.Kill(n, sig) != nil {
			t.Logf("process %s is gone", child)
		}
	}
}

// back waits until the server is ready again.
func back(t *testing.T, a *app.App) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		status, body := get(t, a, "/readyz")
		if status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready again: %d %s", status, body)
		}
	}
}

// TestDrain stops a server while a request is under way: it says "not ready" at once, answers that request and
// takes no other.
func TestDrain(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database, "--drain-wait", "700ms")
		secret := token(t, database, "portfolio-manager")
		conn, err := net.Dial("tcp", a.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		body := `{"query":"{ viewer { roles } }"}`
		fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s",
			secret, len(body), body[:10])
		time.Sleep(100 * time.Millisecond)
		stopped := make(chan error, 1)
		go func() { stopped <- a.Stop(context.Background()) }()
		time.Sleep(200 * time.Millisecond)
		wants(t, a, "/readyz", http.StatusServiceUnavailable)
		wants(t, a, "/livez", http.StatusOK)
		time.Sleep(900 * time.Millisecond) // the listener is closed by now
		if status, _ := get(t, a, "/livez"); status != 0 {
			t.Errorf("a new connection is answered %d while the server stops", status)
		}
		fmt.Fprint(conn, body[10:])
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("the request under way got no answer: %v", err)
		}
		defer answer.Body.Close()
		if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK || !strings.Contains(string(text), "portfolio-manager") {
			t.Errorf("the request under way got %d %s", answer.StatusCode, text)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
}

// TestSignalEndsTheProgram checks exit code 0 on SIGTERM, and that nothing but JSON is on stdout.
func TestSignalEndsTheProgram(t *testing.T) {
	out := &lines{}
	c := program(t, out, flags(t, testkit.SQLiteURL(t))...)
	out.wait(t, `"msg":"serving"`)
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the program ended with %v:\n%s", err, out)
	}
	out.wait(t, `"msg":"stopped"`)
}

// TestDemo starts the demo on an empty database, without migrations even, and signs in as Pia.
func TestDemo(t *testing.T) {
	databases := map[string]string{"sqlite": "sqlite:" + t.TempDir() + "/new/steward.db"}
	if !testkit.OnlySQLite() {
		databases["postgres"] = testkit.Postgres(t).FreshDB(t, "")
	}
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			a, out := begin(t, database, "--demo")
			if status, _ := get(t, a, "/readyz"); status == http.StatusOK {
				t.Error("ready before the demo is there")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			if err := a.Ready(ctx); err != nil {
				t.Fatal(err)
			}
			t.Logf("ready after %s", time.Since(begun).Round(time.Millisecond))
			wants(t, a, "/readyz", http.StatusOK)
			if said := out.wait(t, "Pia Portfolio"); !strings.Contains(said, a.URL()) {
				t.Errorf("the terminal says %q", said)
			}
			page := signIn(t, a, "pia.portfolio")
			if !strings.Contains(page, "Pia Portfolio") || !strings.Contains(page, "Demonstration") {
				t.Errorf("Pia's first page:\n%.2000s", page)
			}
			if err := a.Stop(context.Background()); err != nil {
				t.Error(err)
			}
			again := start(t, database, "--demo") // nothing is seeded twice
			n, err := again.Store().Client.Portfolio.Query().Count(testkit.System())
			if err != nil || n != 3 {
				t.Errorf("%d portfolios after a second start, %v", n, err)
			}
		})
	}
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]+)"`)
	hidden     = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)
)

// signIn signs somebody in and returns the page that comes first.
func signIn(t *testing.T, a *app.App, username string) string {
	t.Helper()
	_, page := enter(t, a, username)
	return page
}

// enter goes through the development sign-in as a browser does. It returns that browser and the page
// it ends on.
func enter(t *testing.T, a *app.App, username string) (*http.Client, string) {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	c := &http.Client{Jar: jar, Timeout: 20 * time.Second}
	read := func(r *http.Response, err error) (string, *url.URL) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d\n%.1000s", r.Request.URL, r.StatusCode, b)
		}
		return string(b), r.Request.URL
	}
	page, at := read(c.Get(a.URL() + "/auth/login"))
	unescape := strings.NewReplacer("&amp;", "&", "&#43;", "+", "&#34;", `"`)
	action := formAction.FindStringSubmatch(page)
	if action == nil {
		t.Fatalf("no form on the sign-in page:\n%.1000s", page)
	}
	to, err := at.Parse(unescape.Replace(action[1]))
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"login": {username}}
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(unescape.Replace(m[1]), unescape.Replace(m[2]))
	}
	page, at = read(c.PostForm(to.String(), form))
	if at.Path != "/" {
		t.Fatalf("signing in ended on %s:\n%.1000s", at, page)
	}
	return c, page
}

// TestLimits: a header that is too large and one that never ends (OP-3).
func TestLimits(t *testing.T) {
	a := start(t, testkit.SQLiteURL(t))
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", a.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(9 * time.Second))
		return conn
	}
	large := dial()
	fmt.Fprintf(large, "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Much: %s\r\n\r\n", strings.Repeat("x", 40<<10))
	if r, err := http.ReadResponse(bufio.NewReader(large), nil); err != nil || r.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 40 KB: %v %v", r, err)
	}
	slow := dial()
	begun := time.Now()
	fmt.Fprint(slow, "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
	if _, err := io.ReadAll(slow); err != nil || time.Since(begun) < 4*time.Second {
		t.Errorf("a header that never ends was cut off after %s, %v", time.Since(begun), err)
	}
	if status, _ := get(t, a, "/livez"); status != http.StatusOK {
		t.Errorf("afterwards /livez is %d", status)
	}
}

func TestMetricsOnTheSecondListener(t *testing.T) {
	a := start(t, testkit.SQLiteURL(t), "--ops-listen", "127.0.0.1:0")
	if status, _ := get(t, a, "/metrics"); status == http.StatusOK {
		t.Error("the site shows the metrics")
	}
	r, err := http.Get("http://" + a.OpsAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	for _, want := range []string{"steward_build_info", `go_sql_open_connections{db_name="requests"}`, "steward_audit_sealed_timestamp_seconds", "steward_http_requests_total"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s among the metrics", want)
		}
	}
}

func TestStartIsRefused(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	bad := t.TempDir() + "/key"
	if err := os.WriteFile(bad, []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, line := range map[string][]string{
		"cannot listen":  {"serve", "--ops-listen=", "--listen", busy.Addr().String(), "--database", testkit.SQLiteURL(t)},
		"encryption key": {"serve", "--ops-listen=", "--listen", "127.0.0.1:0", "--key-file", bad, "--database", testkit.SQLiteURL(t)},
	} {
		cmd, err := config.Parse(line, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := app.Start(t.Context(), app.Config{Serve: cmd.Serve}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
			_ = a.Stop(context.Background())
		}
	}
}

// TestKeyBesideTheDatabase: the embedded database gets a key that only its owner can read, and keeps it.
func TestKeyBesideTheDatabase(t *testing.T) {
	dir := t.TempDir() + "/data"
	cmd, err := config.Parse([]string{"serve", "--listen", "127.0.0.1:0", "--ops-listen=", "--database", "sqlite:" + dir + "/steward.db"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var first []byte
	for range 2 {
		a, err := app.Start(t.Context(), app.Config{Serve: cmd.Serve})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := a.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(dir + "/steward.key")
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v %v", info, err)
		}
		key, _ := os.ReadFile(dir + "/steward.key")
		if first == nil {
			first = key
		}
		if len(key) == 0 || string(key) != string(first) {
			t.Error("the key has changed")
		}
	}
	if done, err := store.Migrated(t.Context(), "sqlite:"+dir+"/steward.db"); err != nil || !done {
		t.Errorf("not migrated: %v", err)
	}
}
