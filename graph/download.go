package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"strings"
	"time"

	"steward/internal/area/takeout"
	"steward/internal/platform/i18n"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// manifest says what an export holds and from where on changes may be missing in it.
type manifest struct {
	Files []*takeout.File `json:"files"`
	// ChangesAfter is for the argument after of changes.
	ChangesAfter string     `json:"changesAfter,omitempty"`
	ExpiresAt    *time.Time `json:"expiresAt"`
}

// Downloads returns the handler of GET /exports/{id}/{type}.jsonl and manifest.json. It
// expects the viewer in the request's context, as New does, and answers only who asked
// for the export and may still see all of it.
func Downloads(s *store.Store) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if viewer.From(r.Context()) == nil {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuseDownload(w, r, http.StatusUnauthorized, errs.New(errs.Unauthenticated, "error.unauthenticated"))
			return
		}
		if err := download(w, r, s); err != nil {
			status := http.StatusNotFound
			if errs.CodeOf(err) != errs.CodeNotFound {
				status = http.StatusServiceUnavailable
				w.Header().Set("Retry-After", "5")
			}
			refuseDownload(w, r, status, err)
		}
	})
}

func download(w http.ResponseWriter, r *http.Request, s *store.Store) error {
	x, err := takeout.Find(r.Context(), s, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	name := r.PathValue("file")
	if name == "manifest.json" {
		m := manifest{Files: x.Files, ExpiresAt: x.ExpiresAt}
		if x.Since != "" {
			var b strings.Builder
			cursorOf(x.Since).MarshalGQL(&b)
			m.ChangesAfter = strings.Trim(b.String(), `"`)
		}
		w.Header().Set("Content-Type", "application/json")
		return json.NewEncoder(w).Encode(m)
	}
	kind, ok := strings.CutSuffix(name, ".jsonl")
	if !ok {
		return errs.NotFound()
	}
	content, file, err := takeout.Open(r.Context(), s, x, kind)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Content-Disposition", `attachment; filename="`+path.Base(name)+`"`)
	w.Header().Set("ETag", `"`+file.Sha256+`"`)
	http.ServeContent(&patient{ResponseWriter: w}, r, "", time.Time{}, content)
	return nil
}

// patient gives each part of a long answer its own time.
type patient struct{ http.ResponseWriter }

func (p *patient) Write(b []byte) (int, error) {
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().UTC().Add(writeWait)) // a recorder of tests has none
	return p.ResponseWriter.Write(b)
}

// refuseDownload answers in the form of every GraphQL error.
func refuseDownload(w http.ResponseWriter, r *http.Request, status int, err error) {
	e := errs.New(errs.Unavailable, "error.unavailable")
	if found := (*errs.Error)(nil); errors.As(store.Known(err), &found) {
		e = found
	}
	lang := ""
	if v := viewer.From(r.Context()); v != nil {
		lang = v.Lang
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{ // the caller may have gone
		"message": i18n.Error(lang, e), "extensions": map[string]any{"code": e.Code, "requestId": obs.RequestID(r.Context())},
	}}})
}
