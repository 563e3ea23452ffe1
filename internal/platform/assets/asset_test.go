package assets

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"

	"steward/static"
)

func get(t *testing.T, h http.Handler, path, encoding string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestNamesHoldTheHash(t *testing.T) {
	u := URL("css/app.css")
	if !regexp.MustCompile(`^/static/css/app\.[0-9a-f]{10}\.css$`).MatchString(u) {
		t.Fatalf("URL = %s", u)
	}
	files := fstest.MapFS{"a.js": {Data: []byte("1")}}
	one, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	files["a.js"].Data = []byte("2")
	two, err := Load(files)
	if err != nil {
		t.Fatal(err)
	}
	if one.URL("a.js") == two.URL("a.js") {
		t.Error("another content has the same name")
	}
}

func TestSheetsReferToHashedNames(t *testing.T) {
	css := get(t, Handler(), URL("css/app.css"), "").Body.String()
	for _, m := range urlValue.FindAllStringSubmatch(css, -1) {
		if w := get(t, Handler(), m[1], ""); w.Code != http.StatusOK {
			t.Errorf("%s answers %d", m[1], w.Code)
		}
	}
	if strings.Contains(css, "@import") {
		t.Error("a sheet is imported by the browser instead of being put in place")
	}
	for _, files := range []fstest.MapFS{
		{"a.css": {Data: []byte(`x { background: url("gone.svg"); }`)}},
		{"a.css": {Data: []byte("@import url(\"gone.css\");\n")}},
	} {
		if _, err := Load(files); err == nil {
			t.Errorf("a dangling reference is accepted: %s", files["a.css"].Data)
		}
	}
}

func TestScriptsImportHashedNames(t *testing.T) {
	script := get(t, Handler(), URL("js/budget-grid.js"), "").Body.String()
	found := regexp.MustCompile(`from '([^']+)'`).FindAllStringSubmatch(script, -1)
	if len(found) == 0 {
		t.Fatal("the grid imports nothing")
	}
	for _, m := range found {
		if w := get(t, Handler(), m[1], ""); w.Code != http.StatusOK || !strings.HasPrefix(m[1], Prefix) {
			t.Errorf("%s answers %d", m[1], w.Code)
		}
	}
	for name, files := range map[string]fstest.MapFS{
		"a missing script": {"a.js": {Data: []byte("import { b } from './b.js';")}},
		"a circle":         {"a.js": {Data: []byte("import { b } from './b.js';")}, "b.js": {Data: []byte("import { a } from './a.js';")}},
	} {
		if _, err := Load(files); err == nil {
			t.Errorf("%s is not noticed", name)
		}
	}
}

func TestServing(t *testing.T) {
	u := URL("js/app.js")
	raw, err := static.Files.ReadFile("js/app.js")
	if err != nil {
		t.Fatal(err)
	}
	unzip := func(b io.Reader) io.Reader {
		r, err := gzip.NewReader(b)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, c := range []struct {
		accept, coding string
		open           func(io.Reader) io.Reader
	}{
		{"gzip, deflate, br", "br", func(b io.Reader) io.Reader { return brotli.NewReader(b) }},
		{"gzip", "gzip", unzip},
		{"br;q=0, gzip;q=0.5", "gzip", unzip},
		{"br; q=0.0, gzip; q=0", "", func(b io.Reader) io.Reader { return b }},
		{"", "", func(b io.Reader) io.Reader { return b }},
	} {
		w := get(t, Handler(), u, c.accept)
		h := w.Header()
		if w.Code != 200 || h.Get("Content-Encoding") != c.coding {
			t.Fatalf("%q: %d %q, want 200 %q", c.accept, w.Code, h.Get("Content-Encoding"), c.coding)
		}
		got, err := io.ReadAll(c.open(w.Body))
		if err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%q: content differs (%v)", c.accept, err)
		}
		for name, want := range map[string]string{
			"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding",
			"X-Content-Type-Options": "nosniff", "Content-Type": "text/javascript; charset=utf-8",
		} {
			if h.Get(name) != want {
				t.Errorf("%s = %q, want %q", name, h.Get(name), want)
			}
		}
	}
	for _, path := range []string{"/static/js/app.js", "/static/", "/static/../go.mod", "/static/js/app.0000000000.js", "/js/app.js"} {
		if w := get(t, Handler(), path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s answers %d", path, w.Code)
		} else if w.Header().Get("Cache-Control") != "" {
			t.Errorf("%s: a missing file may be kept", path)
		}
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, u, nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST answers %d", w.Code)
	}
}

func TestFolderServesWhatIsOnDisk(t *testing.T) {
	files := fstest.MapFS{"a.css": {Data: []byte("one")}}
	s := Folder(files)
	if s.URL("a.css") != "/static/a.css" || !s.exists("a.css") || s.exists("b.css") {
		t.Error("names differ from the folder")
	}
	files["a.css"].Data = []byte("two")
	w := get(t, s, "/static/a.css", "br")
	if w.Body.String() != "two" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%q, %v", w.Body, w.Header())
	}
	if get(t, s, "/static/%2e%2e/go.mod", "").Code != http.StatusNotFound {
		t.Error("the folder can be left")
	}
}

// The budget of the interface guide, in bytes of gzip; the page itself has 15 KB
// of the first visit.
func TestBudget(t *testing.T) {
	size := func(names ...string) (total int) {
		for _, n := range names {
			w := get(t, Handler(), URL(n), "gzip")
			total += w.Body.Len()
		}
		return total
	}
	for _, b := range []struct {
		what  string
		limit int
		got   int
	}{
		{"style sheet", 20_000, size("css/app.css")},
		{"scripts of every page", 30_000, size("vendor/htmx.js", "js/app.js")},
		{"icons", 6_000, size("icons.svg")},
		{"font", 50_000, size("font/inter.woff2")},
		{"first visit without the page", 115_000, size("css/app.css", "vendor/htmx.js", "js/app.js", "icons.svg", "font/inter.woff2", "favicon.svg")},
	} {
		t.Logf("%s: %d of %d bytes", b.what, b.got, b.limit)
		if b.got > b.limit {
			t.Errorf("%s: %d bytes, the budget is %d", b.what, b.got, b.limit)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Load(static.Files); err != nil {
			b.Fatal(err)
		}
	}
}
