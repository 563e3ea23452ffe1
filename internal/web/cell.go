package web

import (
	"net/http"
	"net/url"
	"strings"

	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	view "steward/views/entity"
	"steward/views/ui"
)

// cellOf finds the row and the field of a cell that the viewer may edit.
func (s *site) cellOf(r *http.Request, e *entity.Entity) (entity.Row, *entity.Field, error) {
	row, err := s.editable(r.Context(), e, r.PathValue("id"))
	if err != nil {
		return row, nil, err
	}
	f, ok := e.Field(r.PathValue("field"))
	if !ok {
		return row, nil, errs.NotFound()
	}
	return row, f, s.mayEditField(r.Context(), e, row, f)
}

// cell answers the value of a cell, or its editor for ?edit=1.
func (s *site) cell(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	row, f, err := s.cellOf(r, e)
	if err != nil {
		return err
	}
	show, err := s.cellShow(r, e, row, f)
	if err != nil {
		return err
	}
	p := view.CellOf(show, e, row, f)
	if r.URL.Query().Get("edit") != "1" {
		return s.part(w, r, http.StatusOK, view.CellValue(p))
	}
	in := cellInput(show, e, row, f)
	version, _ := e.Value(row, "version").(int)
	return s.part(w, r, http.StatusOK, view.CellForm(p, in, version))
}

func (s *site) cellShow(r *http.Request, e *entity.Entity, row entity.Row, f *entity.Field) (view.Show, error) {
	need := wanted{}
	need.row(e, row, []*entity.Field{f})
	return s.shower(r.Context(), need)
}

func cellInput(show view.Show, e *entity.Entity, row entity.Row, f *entity.Field) view.Input {
	v := e.Value(row, f.Name)
	in := view.Input{Entity: e, Field: f, Value: show.Input(f, v), Focus: true, ID: "e-" + row.ID.String() + "-" + f.Name}
	if id, ok := v.(ident.ID); ok {
		in.Text = show.Refs[id].Title
	}
	if f.Kind == "money" {
		in.Unit = show.Currency(e, row)
	}
	return in
}

// saveCell stores one value. It is answered with the cell, or with the editor: with
// what was typed and what is wrong with it, or with what somebody else has made of
// it meanwhile, which the next try is then based on.
func (s *site) saveCell(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	ctx := r.Context()
	row, f, err := s.cellOf(r, e)
	if err != nil {
		return err
	}
	version := formVersion(r)
	t, err := readForm(r, []*entity.Field{f})
	token := ""
	if err == nil {
		if _, sent := t.values[f.Name]; !sent {
			err = errs.Invalid(f.Name, "error.required")
		} else {
			token, err = s.save(ctx, e, row.ID, version, t)
		}
	}
	known := errs.As(store.Known(err))
	switch {
	case err == nil:
	case known.Code == errs.Validation, known.Code == errs.Conflict, known.Code == errs.State:
		return s.cellRefused(w, r, e, row, f, t, known)
	default:
		return err
	}
	if row, err = s.find(ctx, e, row.ID.String()); err != nil {
		return err
	}
	if !fragment(r) {
		s.flash(w, "entity.saved", token)
		return leave(w, r, view.Href(e, row))
	}
	show, err := s.cellShow(r, e, row, f)
	if err != nil {
		return err
	}
	return s.part(w, r, http.StatusOK, ui.Group(view.CellValue(view.CellOf(show, e, row, f)),
		ui.ToastPartial(ui.ToastProps{Text: i18n.C(ctx, "entity.saved"), Tone: ui.OK, Undo: undoPath(token)})))
}

func (s *site) cellRefused(w http.ResponseWriter, r *http.Request, e *entity.Entity, row entity.Row, f *entity.Field, t typed, wrong *errs.Error) error {
	ctx := r.Context()
	status, version := http.StatusUnprocessableEntity, formVersion(r)
	now, err := s.find(ctx, e, row.ID.String())
	if err != nil {
		return err
	}
	show, err := s.cellShow(r, e, now, f)
	if err != nil {
		return err
	}
	in := cellInput(show, e, now, f)
	in.Value = t.text[f.Name]
	if id := ident.ID(in.Value); f.Kind == "ref" && id != "" {
		more := wanted{}
		more.add(id)
		mine, err := s.shower(ctx, more)
		if err != nil {
			return err
		}
		in.Text = mine.Refs[id].Title
	}
	if in.Err = i18n.FieldTexts(show.Lang, wrong)[f.Name]; in.Err == "" {
		in.Err = i18n.Error(show.Lang, wrong)
	}
	if wrong.Code == errs.Conflict && wrong.Current != nil {
		status = http.StatusConflict
		version, _ = e.Value(now, "version").(int)
		who, _ := conflictArgs(ctx, wrong)
		in.Err = i18n.C(ctx, "entity.cell_conflict", "who", who, "value", show.Text(e, f, e.Value(now, f.Name), show.Currency(e, now)))
	}
	if fragment(r) {
		return s.part(w, r, status, view.CellForm(view.CellOf(show, e, now, f), in, version))
	}
	if status == http.StatusConflict {
		return s.conflict(w, r, e, row, t, wrong)
	}
	return s.showForm(w, r, e, &row, t, wrong, status)
}

// archive takes a record out of the lists; the message offers to take that back.
func (s *site) archive(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	return s.retire(w, r, e, "entity.archived_done")
}

// restore brings an archived record back.
func (s *site) restore(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	return s.retire(w, r, e, "entity.restored_done")
}

// undo takes a change back by the token its message carried.
func (s *site) undo(w http.ResponseWriter, r *http.Request) error {
	done, err := s.store.Undo(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	s.flash(w, "entity.undone", done.Token)
	to := back(r)
	if u, err := url.Parse(to); err == nil && strings.HasSuffix(u.Path, "/edit") {
		to = strings.TrimSuffix(u.Path, "/edit")
	}
	return leave(w, r, to)
}
