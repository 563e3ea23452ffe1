package app_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"steward/internal/app"
	"steward/internal/platform/config"
	"steward/internal/testkit"
)

// asProgram makes this test program behave as steward itself, so that a test can start and kill one.
const asProgram = "STEWARD_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(app.Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	for _, e := range os.Environ() { // the settings of the machine that runs the tests are not theirs
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, "STEWARD_") && !strings.HasPrefix(name, "STEWARD_TEST_") && name != "STEWARD_SHARED_DATA" || strings.HasPrefix(name, "OTEL_") {
			_ = os.Unsetenv(name)
		}
	}
	os.Exit(testkit.Alone(m)) // what is sealed in the order of commit waits for every transaction that began before
}

// both runs the test on a fresh migrated database of each kind.
func both(t *testing.T, test func(t *testing.T, database string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, testkit.SQLiteURL(t)) })
	if !testkit.OnlySQLite() {
		t.Run("postgres", func(t *testing.T) { test(t, testkit.PostgresURL(t)) })
	}
}

// flags are those of a server in a test: any free port, no second listener, no limits.
func flags(t *testing.T, database string, more ...string) []string {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))), 0o600); err != nil {
		t.Fatal(err)
	}
	return append([]string{"serve", "--listen", "127.0.0.1:0", "--ops-listen=", "--database", database, "--key-file", key,
		"--rate-writes=0", "--rate-reads=0", "--rate-points=0"}, more...)
}

// begin starts a server in this process and stops it when the test ends. It may not be ready yet.
func begin(t *testing.T, database string, more ...string) (*app.App, *lines) {
	t.Helper()
	cmd, err := config.Parse(flags(t, database, more...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	out := &lines{}
	a, err := app.Start(t.Context(), app.Config{Serve: cmd.Serve, Out: out})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Stop(context.Background()) })
	return a, out
}

// start is begin and waits until the server is ready.
func start(t *testing.T, database string, more ...string) *app.App {
	t.Helper()
	a, _ := begin(t, database, more...)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	if err := a.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return a
}

// run carries out a command line in this process.
func run(t *testing.T, line ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = app.Run(t.Context(), line, &out, &errs)
	return code, out.String(), errs.String()
}

// must is run of a command that works; it returns what it printed on stdout.
func must(t *testing.T, line ...string) string {
	t.Helper()
	code, out, errs := run(t, line...)
	if code != 0 {
		t.Fatalf("steward %s: exit %d\n%s%s", strings.Join(line, " "), code, out, errs)
	}
	return out
}

// token makes an API token of a service.
func token(t *testing.T, database, role string) string {
	t.Helper()
	return strings.TrimSpace(must(t, "token", "create", "--service", "probe", "--role", role, "--portfolio", "*", "--database", database))
}

// get asks for a path and returns the status and the body; 0 when there was no answer.
func get(t *testing.T, a *app.App, path string) (int, string) {
	t.Helper()
	c := http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := c.Get("http://" + a.Addr() + path)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(b)
}

// ask posts a GraphQL document and returns the status and its data; errors are shown in data's place.
func ask(client *http.Client, address, token, query string, vars any) (int, string, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": vars})
	if err != nil {
		return 0, "", err
	}
	r, err := http.NewRequest(http.MethodPost, "http://"+address+"/graphql", bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	var parsed struct{ Data, Errors json.RawMessage }
	b, err := io.ReadAll(answer.Body)
	if err == nil {
		err = json.Unmarshal(b, &parsed)
	}
	if len(parsed.Errors) > 0 {
		return answer.StatusCode, string(parsed.Errors), err
	}
	return answer.StatusCode, string(parsed.Data), err
}

// program starts steward as a process of its own, with its output in out.
func program(t *testing.T, out io.Writer, line ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, line...)
	c.Env = append(os.Environ(), asProgram+"=1")
	c.Dir = t.TempDir()
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c
}
