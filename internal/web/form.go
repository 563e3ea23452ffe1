package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"steward/ent"
	"steward/internal/area/custom"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
	"steward/views/layout"
)

// typed is what somebody put into a form: the text of each field, and the values
// the texts stand for.
type typed struct {
	text   map[string]string
	values map[string]any
}

// read takes the given fields of a form. Fields the form does not have are left
// alone. All that is wrong is reported at once, at the fields' names.
func readForm(r *http.Request, fields []*entity.Field) (typed, error) {
	t := typed{map[string]string{}, map[string]any{}}
	if err := r.ParseForm(); err != nil {
		return t, errs.New(errs.Validation, "error.validation").Wrap(err)
	}
	var wrong *errs.Error
	for _, f := range fields {
		list, sent := r.PostForm[f.Name]
		if !sent {
			continue
		}
		t.text[f.Name] = list[len(list)-1] // a box sends "false" and, when ticked, "true" after it
		value, err := f.Parse(t.text[f.Name], i18n.From(r.Context()))
		if err == nil && value == nil && f.Required {
			err = errs.Invalid(f.Name, "error.required")
		}
		if err != nil {
			e := errs.As(err)
			if wrong == nil {
				wrong = e
				continue
			}
			for _, field := range e.Fields {
				wrong = wrong.With(field)
			}
			continue
		}
		t.values[f.Name] = value
	}
	if wrong != nil {
		return t, wrong
	}
	return t, nil
}

// set puts the values into a mutation: what is empty is cleared where a column may
// be empty, and set to its zero otherwise.
func (t typed) set(e *entity.Entity, m ent.Mutation, creating bool) error {
	for i := range e.Fields {
		f := &e.Fields[i]
		value, sent := t.values[f.Name]
		switch {
		case !sent:
		case value != nil:
			if err := m.SetField(f.Name, value); err != nil {
				return err
			}
		case creating:
		case f.Nullable || f.Kind == "strings":
			if err := m.ClearField(f.Name); err != nil {
				return err
			}
		case f.Kind == "line" || f.Kind == "text" || f.Kind == "url" || f.Kind == "email":
			if err := m.SetField(f.Name, ""); err != nil {
				return err
			}
		default:
			return errs.Invalid(f.Name, "error.required")
		}
	}
	return t.setOwn(m)
}

// readWhole is readForm with the custom fields of the entity.
func (s *site) readWhole(r *http.Request, e *entity.Entity, fields []*entity.Field) (typed, error) {
	t, err := readForm(r, fields)
	own, oerr := ownOf(r.Context(), e)
	if oerr != nil {
		return t, oerr
	}
	return t, readOwn(r, own, t, err)
}

// formFields are the fields of the form of a new or an existing row.
func formFields(v *viewer.Viewer, e *entity.Entity, creating bool) []*entity.Field {
	var out []*entity.Field
	for _, f := range seen(v, e) {
		if creating && f.Creatable || !creating && f.Updatable {
			out = append(out, f)
		}
	}
	// what names the record comes first, notes last
	slices.SortStableFunc(out, func(a, b *entity.Field) int { return rank(e, a) - rank(e, b) })
	return out
}

func rank(e *entity.Entity, f *entity.Field) int {
	switch {
	case f.Name == e.Title:
		return 0
	case f.Name == "name_fr":
		return 1
	case f.Kind == "ref" && f.Required:
		return 2
	case f.Kind == "text":
		return 9
	case f.Name == "key":
		return 8
	}
	return 5
}

// newForm shows the form of a new row, filled in from the address where the page
// it was opened from knows something.
func (s *site) newForm(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	if err := mayWrite(r.Context(), e); err != nil {
		return err
	}
	text := map[string]string{}
	q := r.URL.Query()
	for _, f := range formFields(viewer.From(r.Context()), e, true) {
		if text[f.Name] = f.Default; q.Has(f.Name) {
			text[f.Name] = q.Get(f.Name)
		}
	}
	return s.showForm(w, r, e, nil, typed{text: text}, nil, http.StatusOK)
}

// mayWrite refuses the forms of entities that the viewer may not write.
func mayWrite(ctx context.Context, e *entity.Entity) error {
	if err := mayRead(viewer.From(ctx), e); err != nil {
		return err
	}
	if !mayCreate(ctx, e) {
		return errs.Forbidden()
	}
	return nil
}

// create stores a new row.
func (s *site) create(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	ctx := r.Context()
	if err := mayWrite(ctx, e); err != nil {
		return err
	}
	fields := formFields(viewer.From(ctx), e, true)
	t, err := s.readWhole(r, e, fields)
	for _, f := range fields {
		if _, sent := t.text[f.Name]; f.Required && !sent && err == nil {
			err = errs.Invalid(f.Name, "error.required")
		}
	}
	var row entity.Row
	var token string
	if err == nil {
		token, err = s.store.Do(ctx, func(ctx context.Context, c *ent.Client) error {
			made := e.New(c)
			if err := t.set(e, made.Mutation, true); err != nil {
				return err
			}
			id, err := made.Save(ctx)
			if err != nil {
				return err
			}
			row, err = s.find(ctx, e, id.String())
			return err
		})
	}
	if err != nil {
		return s.refused(w, r, e, nil, t, err)
	}
	s.flash(w, "entity.created", token)
	return leave(w, r, view.Href(e, row))
}

// editForm shows the form of an existing row.
func (s *site) editForm(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	row, err := s.editable(r.Context(), e, r.PathValue("id"))
	if err != nil {
		return err
	}
	t, err := s.stored(r, e, row)
	if err != nil {
		return err
	}
	return s.showForm(w, r, e, &row, t, nil, http.StatusOK)
}

// editable returns a row that the viewer may change: not found when they cannot
// see it, forbidden when they can only read it.
func (s *site) editable(ctx context.Context, e *entity.Entity, segment string) (entity.Row, error) {
	row, err := s.find(ctx, e, segment)
	if err != nil {
		return row, err
	}
	ok, err := s.mayChange(ctx, e, row.ID)
	if err == nil && !ok {
		err = errs.Forbidden()
	}
	return row, err
}

// stored is the form of a row as it is.
func (s *site) stored(r *http.Request, e *entity.Entity, row entity.Row) (typed, error) {
	own, err := ownOf(r.Context(), e)
	show := view.Show{Lang: i18n.From(r.Context()), Zone: i18n.Zone(r.Context()), Own: own}
	text := map[string]string{}
	for _, f := range own.Columns(true) {
		text[f.Name] = show.InputText(f, show.Kept(e, f, row))
	}
	for _, f := range formFields(viewer.From(r.Context()), e, false) {
		text[f.Name] = show.Input(f, e.Value(row, f.Name))
	}
	return typed{text: text}, err
}

// update stores what was changed in a form, if the row is still the one the form
// was made from.
func (s *site) update(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	ctx := r.Context()
	row, err := s.editable(ctx, e, r.PathValue("id"))
	if err != nil {
		return err
	}
	t, err := s.readWhole(r, e, formFields(viewer.From(ctx), e, false))
	token := ""
	if err == nil {
		token, err = s.save(ctx, e, row.ID, formVersion(r), t)
	}
	if err != nil {
		return s.refused(w, r, e, &row, t, err)
	}
	s.flash(w, "entity.saved", token)
	return leave(w, r, view.Href(e, row))
}

// save writes values to a row of a version; without one nothing is written, so
// that no form can forget it.
func (s *site) save(ctx context.Context, e *entity.Entity, id ident.ID, version int, t typed) (string, error) {
	if version < 1 {
		return "", errs.Invalid("version", "error.required")
	}
	return s.store.Do(ctx, func(ctx context.Context, c *ent.Client) error {
		change := e.Edit(c, id, version)
		if err := t.set(e, change.Mutation, false); err != nil {
			return err
		}
		_, err := change.Save(ctx)
		return s.store.Stale(ctx, e.Name, id, err)
	})
}

func formVersion(r *http.Request) int {
	n, _ := strconv.Atoi(r.PostFormValue("version"))
	return n
}

// refused shows a form again with what was typed and what is wrong with it, or the
// difference when somebody else was faster.
func (s *site) refused(w http.ResponseWriter, r *http.Request, e *entity.Entity, row *entity.Row, t typed, err error) error {
	known := errs.As(store.Known(err))
	switch {
	case row != nil && known.Code == errs.Conflict && known.Current != nil:
		return s.conflict(w, r, e, *row, t, known)
	case known.Code == errs.Validation, known.Code == errs.Conflict, known.Code == errs.State:
		return s.showForm(w, r, e, row, t, known, http.StatusUnprocessableEntity)
	}
	return err
}

// showForm draws the form of a new (row is nil) or an existing row.
func (s *site) showForm(w http.ResponseWriter, r *http.Request, e *entity.Entity, row *entity.Row, t typed, wrong *errs.Error, status int) error {
	ctx := r.Context()
	v, lang := viewer.From(ctx), i18n.From(ctx)
	f := view.Form{ID: "record-form", Action: "/" + e.Path, Cancel: "/" + e.Path, Icon: e.Icon, Title: i18n.T(lang, "entity.new."+e.Name)}
	fields := formFields(v, e, row == nil)
	need := wanted{}
	for _, field := range fields {
		if field.Kind == "ref" {
			need.add(ident.ID(t.text[field.Name]))
		}
	}
	if row != nil {
		need.row(e, *row, nil)
	}
	show, err := s.shower(ctx, need)
	if err != nil {
		return err
	}
	if show.Own, err = ownOf(ctx, e); err != nil {
		return err
	}
	currency := t.text["currency"]
	var locked []string
	if row != nil {
		f.Title = i18n.T(lang, "entity.edit_title", "name", show.Title(e, *row))
		f.Action = view.Href(e, *row)
		f.Cancel = f.Action
		if f.Version = formVersion(r); f.Version == 0 {
			f.Version, _ = e.Value(*row, "version").(int)
		}
		if currency == "" {
			currency = show.Currency(e, *row)
		}
		if locked, err = s.locked(ctx, e, *row); err != nil {
			return err
		}
	}
	texts := map[string]string{}
	if wrong != nil {
		texts = i18n.FieldTexts(lang, wrong)
		for _, x := range i18n.Fields(lang, wrong) {
			if field, ok := e.Field(x.Path); ok {
				x.Text = view.Label(lang, e, field) + ": " + x.Text
			}
			f.Errors = append(f.Errors, x)
		}
		if wrong.Code != errs.Validation || len(f.Errors) == 0 {
			f.Failure = i18n.Error(lang, wrong)
		}
	}
	for i, field := range fields {
		in := view.Input{Entity: e, Field: field, Value: t.text[field.Name], Err: texts[field.Name], Focus: i == 0 && wrong == nil, ReadOnly: slices.Contains(locked, field.Name)}
		if field.Kind == "ref" {
			in.Text = show.Refs[ident.ID(in.Value)].Title
		}
		if field.Kind == "money" {
			in.Unit = currency
		}
		if e.Name == "CustomField" && field.Name == "entity" {
			chosen := *field
			chosen.Kind = "choice"
			in.Field, in.Options = &chosen, entities(lang)
		}
		f.Inputs = append(f.Inputs, in)
	}
	had := map[string]any{}
	if row != nil {
		had = custom.Values(e, *row)
	}
	f.Inputs = append(f.Inputs, show.Inputs(e, t.text, texts, row == nil, had)...)
	if fragment(r) {
		return s.part(w, r, status, view.FormBody(f))
	}
	list := view.Name(lang, e, 2)
	crumbs := []layout.Crumb{{Label: list, Href: "/" + e.Path}, {Label: f.Title}}
	return s.show(w, r, status, s.frame(r, f.Title, crumbs...), view.FormPage(f))
}

// mayEditField reports whether a field of a row may be typed into now.
func (s *site) mayEditField(ctx context.Context, e *entity.Entity, row entity.Row, f *entity.Field) error {
	if !f.Updatable || !shown(f) || access.FieldHidden(viewer.From(ctx), e.Name, f.Name) {
		return errs.NotFound()
	}
	locked, err := s.locked(ctx, e, row)
	if err == nil && slices.Contains(locked, f.Name) {
		err = errs.New(errs.State, "web.field_locked")
	}
	return err
}
