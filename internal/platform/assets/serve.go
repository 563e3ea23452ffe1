package assets

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
)

// file is one file with its compressed forms. They are made when first asked for:
// compressing everything at start would cost more than the start may take.
type file struct {
	name     string
	raw      []byte
	br, gzip variant
}

type variant struct {
	once sync.Once
	data []byte
}

// Levels: brotli 6 is 5 % larger than 11 here and thirty times faster.
const (
	brotliLevel = 6
	gzipLevel   = gzip.BestCompression
)

func (f *file) brotlied() []byte {
	f.br.once.Do(func() {
		var b bytes.Buffer
		w := brotli.NewWriterLevel(&b, brotliLevel)
		_, _ = w.Write(f.raw) // a Buffer does not fail
		_ = w.Close()
		f.br.data = b.Bytes()
	})
	return f.br.data
}

func (f *file) gzipped() []byte {
	f.gzip.once.Do(func() {
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, gzipLevel)
		if err != nil {
			panic(err) // a constant level
		}
		_, _ = w.Write(f.raw)
		_ = w.Close()
		f.gzip.data = b.Bytes()
	})
	return f.gzip.data
}

// Handler serves the files in use under Prefix: GET and HEAD, compressed as the
// browser accepts, to be kept for a year. Unhashed and unknown names are 404.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { current().ServeHTTP(w, r) })
}

// ServeHTTP serves the files of the set; see Handler.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, Prefix)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if s.disk != nil {
		s.serveDisk(w, r, name)
		return
	}
	f, found := s.files[name]
	if !ok || !found {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := f.raw
	if compresses(name) {
		switch accepted := r.Header.Get("Accept-Encoding"); {
		case accepts(accepted, "br"):
			h.Set("Content-Encoding", "br")
			body = f.brotlied()
		case accepts(accepted, "gzip"):
			h.Set("Content-Encoding", "gzip")
			body = f.gzipped()
		}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func (s *Set) serveDisk(w http.ResponseWriter, r *http.Request, name string) {
	data, err := fs.ReadFile(s.disk, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".woff2":
		return "font/woff2"
	case ".js":
		return "text/javascript; charset=utf-8"
	default:
		return mime.TypeByExtension(ext)
	}
}

func compresses(name string) bool { return path.Ext(name) != ".woff2" }

// accepts reports whether an Accept-Encoding header allows a coding: it is listed
// and its q is not zero.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == coding {
			q = strings.ReplaceAll(q, " ", "")
			return strings.Trim(strings.TrimPrefix(q, "q="), "0.") != "" || q == ""
		}
	}
	return false
}
