package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"steward/internal/platform/obs"
)

// TestShed: a full class is answered 503 at once, the other classes go on, and a place that was given back is
// used again (OP-4).
func TestShed(t *testing.T) {
	for path, want := range map[string]class{"/": pages, "/vendors": pages, "/graphql": api, "/vendors.csv": exports, "/portfolios/x/budget.xlsx": exports,
		"/admin/audit.jsonl": exports, "/static/css/app.css": "", "/static/x.json": "", "/auth/callback": pages} {
		if got := classOf(httptest.NewRequest("GET", path, nil)); got != want {
			t.Errorf("%s is of class %q, not %q", path, got, want)
		}
	}
	stream := httptest.NewRequest("GET", "/graphql", nil)
	stream.Header.Set("Accept", "text/event-stream")
	if classOf(stream) != streams {
		t.Error("a stream takes a place of the API")
	}
	for _, limited := range []bool{true, false} { // without limits everything is let in: the control
		m := obs.NewMetrics()
		limits := map[class]int{pages: 3, api: 2, exports: 1}
		if !limited {
			limits = map[class]int{pages: 0, api: 0, exports: 0}
		}
		in, out := make(chan struct{}, 100), make(chan struct{})
		h := newShedder(limits, m.Register).wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			in <- struct{}{}
			<-out
		}))
		var work sync.WaitGroup
		ask := func(path string) *httptest.ResponseRecorder {
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
			return rec
		}
		hold := func(path string, n int) {
			for range n {
				work.Go(func() { ask(path) })
				<-in
			}
		}
		hold("/vendors.csv", 1)
		hold("/graphql", 2)
		hold("/", 3)
		if !limited {
			hold("/vendors.csv", 10)
			hold("/graphql", 10)
			hold("/", 10)
			close(out)
			work.Wait()
			continue
		}
		for path, key := range map[string]string{"/vendors.csv": "exports", "/graphql": "api", "/": "pages"} {
			rec := ask(path) // it returns although nothing is let go: no wait
			if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") == "" || path == "/graphql" && !strings.Contains(rec.Body.String(), `"UNAVAILABLE"`) {
				t.Errorf("%s: %d %v %s", path, rec.Code, rec.Header(), rec.Body)
			}
			metrics := httptest.NewRecorder()
			m.Ops(false).ServeHTTP(metrics, httptest.NewRequest("GET", "/metrics", nil))
			if want := `steward_requests_shed_total{class="` + key + `"} 1`; !strings.Contains(metrics.Body.String(), want) {
				t.Errorf("the metrics lack %s", want)
			}
		}
		for range 6 { // all end: their places are free again
			out <- struct{}{}
		}
		work.Wait()
		hold("/vendors.csv", 1)
		close(out)
		work.Wait()
	}
}
