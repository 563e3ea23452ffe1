package app_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"steward/internal/app"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

// TestBusyDatabaseIsToldAtOnce is the end of OP-3: while slow transactions hold
// every connection, a page and the API answer 503 within two seconds and say when
// to come back; the probe of the process stays well; afterwards all is as before.
func TestBusyDatabaseIsToldAtOnce(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		usual := store.RequestOptions
		store.RequestOptions.Pool = 2
		t.Cleanup(func() { store.RequestOptions = usual })
		a := start(t, database)
		secret := token(t, database, "portfolio-manager")
		send := func(method, path, body string) (*http.Response, string, time.Duration) {
			t.Helper()
			r, _ := http.NewRequest(method, "http://"+a.Addr()+path, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+secret)
			r.Header.Set("Content-Type", "application/json")
			began := time.Now()
			answer, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return &http.Response{}, "", 0
			}
			defer answer.Body.Close()
			b, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Error(err)
			}
			return answer, string(b), time.Since(began)
		}
		page := func() (*http.Response, string, time.Duration) { return send(http.MethodGet, "/products", "") }
		api := func() (*http.Response, string, time.Duration) {
			return send(http.MethodPost, "/graphql", `{"query":"{ vendors { totalCount } }"}`)
		}
		// A service has no pages: 403 shows that the database was asked who it is.
		if r, b, _ := page(); r.StatusCode != http.StatusForbidden {
			t.Fatalf("the page before: %d %s", r.StatusCode, b)
		}
		release := hold(t, a, 2)
		var both sync.WaitGroup
		for name, ask := range map[string]func() (*http.Response, string, time.Duration){"the page": page, "the API": api} {
			both.Go(func() {
				r, b, took := ask()
				if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
					t.Errorf("%s: %d, Retry-After %q", name, r.StatusCode, r.Header.Get("Retry-After"))
				}
				if !strings.Contains(b, i18n.T("en", "error.unavailable")) || name == "the API" && !strings.Contains(b, `"UNAVAILABLE"`) {
					t.Errorf("%s says %s", name, b)
				}
				// Without a bound of its own the wait would end with the transactions only. The
				// promise is two seconds; the third is for a machine that is busy with other tests.
				if took > 3*time.Second {
					t.Errorf("%s took %s", name, took)
				}
			})
		}
		both.Wait()
		if status, _ := get(t, a, "/livez"); status != http.StatusOK {
			t.Errorf("/livez is %d", status)
		}
		release()
		if r, b, _ := page(); r.StatusCode != http.StatusForbidden {
			t.Errorf("the page afterwards: %d %s", r.StatusCode, b)
		}
		if r, b, _ := api(); r.StatusCode != http.StatusOK || !strings.Contains(b, `"totalCount":0`) {
			t.Errorf("the API afterwards: %d %s", r.StatusCode, b)
		}
	})
}

// hold takes n connections of a running server for transactions, until the
// returned function is called. On SQLite the second transaction waits for the
// first one's lock, and holds its connection meanwhile.
func hold(t *testing.T, a *app.App, n int) (release func()) {
	t.Helper()
	end, ended := make(chan struct{}), make(chan struct{}, n)
	for range n {
		go func() {
			defer func() { ended <- struct{}{} }()
			_, b, err := a.Store().Begin(testkit.System())
			<-end
			if err == nil {
				b.Rollback()
			}
		}()
	}
	for deadline := time.Now().Add(10 * time.Second); a.Store().DB.Stats().InUse < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the connections cannot be taken")
		}
	}
	return func() {
		close(end)
		for range n {
			<-ended
		}
	}
}
