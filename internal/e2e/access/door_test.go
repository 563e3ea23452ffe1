package access_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"

	"steward/internal/rules/viewer"
)

// page asks the page door; form is nil for a GET.
func (w *world) page(v *viewer.Viewer, method, path string, form url.Values) (int, string) {
	w.t.Helper()
	kind := ""
	if form != nil {
		kind = "application/x-www-form-urlencoded"
	}
	return w.send(v, method, path, kind, form.Encode())
}

// send asks the page door with a body of a kind.
func (w *world) send(v *viewer.Viewer, method, path, kind, body string) (int, string) {
	w.t.Helper()
	w.as = v
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	rec := httptest.NewRecorder()
	w.pages.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

func (w *world) get(v *viewer.Viewer, path string) (int, string) {
	w.t.Helper()
	return w.page(v, "GET", path, nil)
}

// reply is an answer of the API.
type reply struct {
	status int
	body   string
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct{ Code string }
	}
}

// ask sends a document to the API; variables are name, value pairs.
func (w *world) ask(v *viewer.Viewer, document string, vars ...any) *reply {
	w.t.Helper()
	m := map[string]any{}
	for i := 0; i+1 < len(vars); i += 2 {
		m[vars[i].(string)] = vars[i+1]
	}
	b, err := json.Marshal(map[string]any{"query": document, "variables": m})
	if err != nil {
		w.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(b))
	r.Header.Set("Content-Type", "application/json")
	if v != nil {
		r = r.WithContext(viewer.With(r.Context(), v))
	}
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	body, _ := io.ReadAll(rec.Body)
	out := &reply{status: rec.Code, body: string(body)}
	if err := json.Unmarshal(body, out); err != nil {
		w.t.Fatalf("not JSON: %v: %s", err, body)
	}
	return out
}

// code is the first error of the member of an answer, "OK" without one.
func (r *reply) code(member string) string {
	for _, e := range r.Errors {
		if len(e.Path) == 0 || e.Path[0] == member {
			return e.Extensions.Code
		}
	}
	return "OK"
}

var request = regexp.MustCompile(`req_[0-9A-Z]+`)

// plain takes out of an answer what differs from one request to the next.
func plain(body string, ids ...string) string {
	body = request.ReplaceAllString(body, "")
	for _, id := range ids {
		if id != "" {
			body = strings.ReplaceAll(body, id, "…")
			body = strings.ReplaceAll(body, url.QueryEscape(id), "…")
		}
	}
	return body
}
