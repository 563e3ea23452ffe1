package app_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"steward/internal/app"
	"steward/internal/platform/entity"
)

var update = flag.Bool("update", false, "write the golden files")

// scrape reads the metrics of a server.
func scrape(t *testing.T, a *app.App) string {
	t.Helper()
	r, err := http.Get("http://" + a.OpsAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatal(r.Status, err)
	}
	return string(b)
}

var (
	typed   = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`)
	sample  = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{([^\n]*)\})? \S+$`)
	labels  = regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`)
	foreign = regexp.MustCompile(`^(go_(?:[^s]|s[^q])|process_)`) // of the runtime: the next version of Go has others
)

// named lists our metrics as "name{labels} type".
func named(t *testing.T, text string) []string {
	t.Helper()
	of := map[string]map[string]bool{}
	for _, m := range sample.FindAllStringSubmatch(text, -1) {
		name := m[1]
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			if whole := strings.TrimSuffix(name, part); strings.Contains(text, "# TYPE "+whole+" histogram") {
				name = whole
			}
		}
		if of[name] == nil {
			of[name] = map[string]bool{}
		}
		for _, l := range labels.FindAllStringSubmatch(m[2], -1) {
			if l[1] != "le" {
				of[name][l[1]] = true
			}
		}
	}
	var out []string
	for _, m := range typed.FindAllStringSubmatch(text, -1) {
		if foreign.MatchString(m[1]) {
			continue
		}
		line := m[1]
		if len(of[m[1]]) > 0 {
			line += "{" + strings.Join(slices.Sorted(maps.Keys(of[m[1]])), ",") + "}"
		}
		out = append(out, line+" "+m[2])
		if !strings.Contains(text, "# HELP "+m[1]+" ") {
			t.Errorf("%s says nothing about itself", m[1])
		}
	}
	slices.Sort(out)
	return out
}

// OP-8: the names of the metrics are those of the golden file, which dashboards and alerts rely on, and the
// handbook has a row for each.
func TestMetricNames(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database, "--demo", "--ops-listen", "127.0.0.1:0")
		enter(t, a, "pia.portfolio")
		get(t, a, "/vendors")
		key := token(t, database, "portfolio-manager")
		if status, data, err := ask(http.DefaultClient, a.Addr(), key, "{ viewer { roles } }", nil); status != 200 {
			t.Fatal(status, data, err)
		}
		text := ""
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) { // the loops take their first turn
			if text = scrape(t, a); strings.Contains(text, "steward_job_runs_total{") && strings.Contains(text, "steward_job_rows_total{") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("no loop has run")
			}
		}
		got := strings.Join(named(t, text), "\n") + "\n"
		golden := filepath.Join("testdata", "metrics.txt")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("the metrics are other ones than in %s. Renaming one breaks somebody's alerts; where that is meant, run the test with -update\ngot:\n%s", golden, got)
		}
		page, err := os.ReadFile("../../docs/operate/metrics.md")
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]bool{}
		for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+(?:\\{[a-z_,]+\\})?)` \\| (counter|gauge|histogram) \\| [^|]+ \\|(?: [^|]+)? \\|$").FindAllStringSubmatch(string(page), -1) {
			told[m[1]+" "+m[2]] = true
		}
		for line := range strings.Lines(string(want)) {
			if line = strings.TrimSpace(line); !told[line] {
				t.Errorf("docs/operate/metrics.md has no row for %s", line)
			}
			delete(told, line)
		}
		for line := range told {
			t.Errorf("docs/operate/metrics.md tells of %s, which is not there", line)
		}
		for _, m := range regexp.MustCompile(`steward_[a-z_]+|go_sql_[a-z_]+`).FindAllString(string(page), -1) {
			whole := regexp.MustCompile(`_(?:bucket|sum|count)$`).ReplaceAllString(m, "")
			if !strings.Contains(string(want), m+"{") && !strings.Contains(string(want), m+" ") && !strings.Contains(string(want), whole+"{") {
				t.Errorf("docs/operate/metrics.md names %s, which is not there", m)
			}
		}
	})
}

var (
	anyPattern = regexp.MustCompile(`"((?:GET|POST|PATCH|PUT|DELETE) (/[^" ]*))"\s*[:,}]`)
	wildcard   = regexp.MustCompile(`\{[^}]*\}`)
)

// everyRoute lists the patterns of the page door and of the sign-in, read from their sources: those of every
// type once for each.
func everyRoute(t *testing.T) (out []string) {
	t.Helper()
	files, err := filepath.Glob("../web/*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../platform/auth/auth.go")
	own := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if filepath.Base(file) == "router.go" {
			_, generic, _ := strings.Cut(text, ") entityPages() map[string]generic {")
			generic, _, _ = strings.Cut(generic, "\n}")
			found := regexp.MustCompile(`"(GET|POST|PATCH) ([^" ]*)":`).FindAllStringSubmatch(generic, -1)
			if len(found) < 20 {
				t.Fatalf("only %d routes of every type found", len(found))
			}
			for _, m := range found {
				for _, e := range entity.Registry() {
					own[m[1]+" /"+e.Path+m[2]] = true
				}
			}
			text = strings.Replace(text, generic, "", 1)
		}
		for _, m := range anyPattern.FindAllStringSubmatch(text, -1) {
			own[m[1]] = true
		}
	}
	if len(own) < 500 {
		t.Fatalf("only %d routes found", len(own))
	}
	return slices.Sorted(maps.Keys(own))
}

// OP-8: however many routes are asked for, whatever strangers call their paths, methods and operations, there are
// fewer than 2,000 series, and none is named by a stranger.
func TestSeriesStayFew(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		a := start(t, database, "--demo", "--ops-listen", "127.0.0.1:0", "--max-pages=0")
		routes := everyRoute(t)
		nobody := &http.Client{Timeout: time.Minute}
		ada, _ := enter(t, a, "ada.admin")
		vera, _ := enter(t, a, "vera.vendor")
		send := func(c *http.Client, method, path, body, mime string) {
			t.Helper()
			r, err := http.NewRequest(method, a.URL()+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", mime)
			stay := *c
			stay.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			answer, err := stay.Do(r)
			if err != nil {
				t.Fatal(method, path, err)
			}
			_, _ = io.Copy(io.Discard, bufio.NewReader(answer.Body))
			answer.Body.Close()
		}
		last := []string{}
		for _, route := range routes {
			method, path, _ := strings.Cut(route, " ")
			path = wildcard.ReplaceAllString(strings.ReplaceAll(path, "{$}", ""), "hostile-canary-1")
			if strings.HasPrefix(path, "/auth/") { // they end the session
				last = append(last, method+" "+path)
				continue
			}
			send(nobody, method, path, "", "application/x-www-form-urlencoded")
			send(ada, method, path, "version=x", "application/x-www-form-urlencoded")
			send(ada, method, path+"?q=hostile-canary-2", "{", "application/json")
			send(vera, method, path, "", "application/x-www-form-urlencoded")
		}
		for i := range 200 { // paths and methods that nobody serves
			send(nobody, "GET", fmt.Sprintf("/hostile-canary-%d", i), "", "text/plain")
			send(nobody, "GET", fmt.Sprintf("/vendors.hostile-canary-%d", i), "", "text/plain")
			send(nobody, fmt.Sprintf("HOSTILECANARY%d", i), "/vendors", "", "text/plain")
			send(ada, "GET", fmt.Sprintf("/vendors/hostile-canary-%d/history", i), "", "text/plain")
		}
		key := token(t, database, "portfolio-manager")
		post := func(body map[string]any) string {
			b, _ := json.Marshal(body)
			r, _ := http.NewRequest(http.MethodPost, a.URL()+"/graphql", strings.NewReader(string(b)))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+key)
			answer, err := nobody.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			said, _ := io.ReadAll(answer.Body)
			return string(said)
		}
		for i := range 200 {
			for _, kind := range []string{"query", "mutation", "subscription"} {
				field := map[string]string{"query": "viewer { roles }", "mutation": `createVendor(input: {name: ""}) { id }`, "subscription": "changes { op }"}[kind]
				post(map[string]any{"query": fmt.Sprintf("%s hostile_canary_%d { %s }", kind, i, field), "operationName": fmt.Sprintf("hostile_canary_%d", i)})
			}
			post(map[string]any{"query": fmt.Sprintf("{ hostile_canary_%d }", i)})
		}
		kept := regexp.MustCompile(`sha256:[0-9a-f]{64}`)
		for i := range 100 { // those have names of their own, the first of them
			said := post(map[string]any{"query": fmt.Sprintf(`mutation { storeDocument(name: "Stored%d", text: "query Q%d { viewer { roles } }") { documentId } }`, i, i)})
			id := kept.FindString(said)
			if id == "" {
				t.Fatal(said)
			}
			if said := post(map[string]any{"documentId": id}); !strings.Contains(said, "portfolio-manager") {
				t.Fatal(said)
			}
		}
		said := post(map[string]any{"query": `mutation { storeDocument(name: "hostile-canary@example.org", text: "query A { viewer { roles } }") { documentId } }`})
		post(map[string]any{"documentId": kept.FindString(said)})
		for _, route := range last {
			method, path, _ := strings.Cut(route, " ")
			send(nobody, method, path, "", "application/x-www-form-urlencoded")
			send(ada, method, path, "", "application/x-www-form-urlencoded")
		}

		text := scrape(t, a)
		all := sample.FindAllStringSubmatch(text, -1)
		of := map[string]int{}
		for _, m := range all {
			of[m[1]]++
			if strings.Contains(strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(m[2])), "hostilecanary") {
				t.Errorf("a stranger named a series: %s", m[0])
			}
		}
		t.Logf("%d routes, %d series: %v", len(routes), len(all), of)
		if len(all) >= 2000 {
			t.Errorf("%d series", len(all))
		}
		for _, want := range []string{
			`steward_http_requests_total{route="GET /{type}/{id}/history",status="404"}`, `steward_http_requests_total{route="/",status="303"}`,
			`steward_graphql_operations_total{kind="query",operation="",outcome="ok"}`, `steward_graphql_operations_total{kind="mutation",operation="",outcome="refused"}`,
			`steward_graphql_operations_total{kind="invalid",operation="",outcome="refused"}`, `steward_graphql_operations_total{kind="query",operation="Stored0",outcome="ok"} 1`,
			`steward_graphql_operations_total{kind="query",operation="other",outcome="ok"} 71`, `steward_graphql_duration_seconds_count{kind="query",operation=""}`,
		} {
			if !strings.Contains(text, want) {
				t.Errorf("no %s in\n%s", want, regexp.MustCompile(`(?m)^steward_graphql_operations.*$`).FindAllString(text, -1))
			}
		}
	})
}
