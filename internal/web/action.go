package web

import (
	"context"
	"net/http"
	"time"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	view "steward/views/entity"
	"steward/views/ui"
)

// retire archives a record or brings it back.
func (s *site) retire(w http.ResponseWriter, r *http.Request, e *entity.Entity, said string) error {
	row, err := s.editable(r.Context(), e, r.PathValue("id"))
	if err != nil {
		return err
	}
	do := s.store.Archive
	if said == "entity.restored_done" {
		do = s.store.Restore
	}
	token, err := s.store.Do(r.Context(), func(ctx context.Context, _ *ent.Client) error {
		version := formVersion(r)
		if version < 1 {
			return errs.Invalid("version", "error.required")
		}
		return do(ctx, e.Name, row.ID, version)
	})
	if err != nil {
		return s.stepRefused(w, r, e, row, err)
	}
	s.flash(w, said, token)
	return leave(w, r, view.Href(e, row))
}

// move takes a record to another state.
func (s *site) move(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	row, err := s.find(r.Context(), e, r.PathValue("id"))
	if err != nil {
		return err
	}
	if e.Machine == "" {
		return errs.NotFound()
	}
	if err := s.step(r.Context(), e, row.ID, r.PathValue("to"), formVersion(r), r.PostFormValue("note")); err != nil {
		return s.stepRefused(w, r, e, row, err)
	}
	s.flash(w, "entity.moved", "")
	return leave(w, r, view.Href(e, row))
}

// stepRefused shows the record again with the reason why a step was not taken.
// What the viewer may not even know of stays an error page.
func (s *site) stepRefused(w http.ResponseWriter, r *http.Request, e *entity.Entity, row entity.Row, err error) error {
	known := errs.As(store.Known(err))
	if known.Code == errs.CodeNotFound || known.Code == errs.Internal || known.Code == errs.Unavailable || known.Code == errs.Unauthenticated || fragment(r) {
		return err
	}
	now, ferr := s.find(r.Context(), e, row.ID.String())
	if ferr != nil {
		return err
	}
	lang := i18n.From(r.Context())
	text := i18n.ErrorC(r.Context(), known)
	if list := i18n.Fields(lang, known); len(list) > 0 {
		text = list[0].Text
	}
	return s.showRecord(w, r, e, now, statuses[known.Code], ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "entity.not_done"), Text: text, Alert: true})
}

// ago writes an instant as the time since.
func ago(ctx context.Context, v any) string {
	if t, ok := v.(time.Time); ok && !t.IsZero() {
		return i18n.Ago(i18n.From(ctx), t, time.Now().UTC())
	}
	return ""
}
