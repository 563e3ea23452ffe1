package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"steward/ent"
	"steward/internal/area/comment"
	"steward/internal/area/tag"
	"steward/internal/platform/entity"
	"steward/internal/platform/event"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
	"steward/views/layout"
	"steward/views/ui"
)

// historyRows is how many changes a page of the history has.
const historyRows = 50

// history shows what happened to a record, latest first.
func (s *site) history(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	ctx := r.Context()
	row, err := s.find(ctx, e, r.PathValue("id"))
	if err != nil {
		return err
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	page = min(max(page, 1), 10_000)
	events, err := s.store.History(ctx, row.ID, historyRows+1, (page-1)*historyRows)
	if err != nil {
		return err
	}
	p := view.Past{Entity: e, Row: row, Href: view.Href(e, row)}
	if len(events) > historyRows {
		events = events[:historyRows]
		p.Older = p.Href + "/history?page=" + strconv.Itoa(page+1)
	}
	if page > 1 {
		p.Newer = p.Href + "/history?page=" + strconv.Itoa(page-1)
	}
	need := wanted{}
	need.row(e, row, nil)
	for _, ev := range events {
		wantedByDiff(need, e, ev.Diff)
	}
	if p.Show, err = s.shower(ctx, need); err != nil {
		return err
	}
	if p.Show.Own, err = ownOf(ctx, e); err != nil {
		return err
	}
	currency := p.Show.Currency(e, row)
	for _, ev := range events {
		p.Changes = append(p.Changes, changeOf(ctx, p.Show, e, ev, currency))
	}
	title := p.Show.Title(e, row)
	list := view.Name(p.Show.Lang, e, 2)
	f := s.frame(r, title, layout.Crumb{Label: list, Href: "/" + e.Path}, layout.Crumb{Label: title, Href: p.Href}, layout.Crumb{Label: i18n.C(ctx, "entity.history")})
	return s.show(w, r, http.StatusOK, f, view.HistoryPage(p))
}

// wantedByDiff adds the records that the values of a change point at.
func wantedByDiff(need wanted, e *entity.Entity, diff map[string][2]any) {
	for name, d := range diff {
		f, ok := e.Field(strings.TrimLeft(name, "+-"))
		if ok && f.Kind != "ref" {
			continue
		}
		for _, v := range d {
			for _, id := range idsIn(v) {
				need.add(id)
			}
		}
	}
}

// idsIn returns the ids in a value of the audit: one, or a list for links.
func idsIn(v any) []ident.ID {
	switch x := v.(type) {
	case string:
		return []ident.ID{ident.ID(x)}
	case []any:
		var out []ident.ID
		for _, one := range x {
			out = append(out, ident.ID(fmt.Sprint(one)))
		}
		return out
	}
	return nil
}

// changeOf writes one change in the reader's words. Fields the reader may not see
// are left out, as everywhere.
func changeOf(ctx context.Context, show view.Show, e *entity.Entity, ev *ent.ChangeEvent, currency string) ui.Change {
	v := viewer.From(ctx)
	c := ui.Change{ID: ev.ID.String(), WhoID: ev.ActorID, Who: ev.ActorName, What: i18n.C(ctx, "change."+ev.Op.String()), When: i18n.Time(show.Lang, ev.At, show.Zone), At: ev.At, Reason: ev.Reason}
	if ev.ActorKind == "SYSTEM" {
		c.Who = ""
	}
	if ev.Via != "PAGE" {
		c.Via = i18n.C(ctx, "via."+ev.Via.String())
	}
	if name := event.Of(ev); name != "" {
		c.What = i18n.C(ctx, "event."+string(name))
	}
	if ev.Undoes != "" {
		c.What = i18n.C(ctx, "change.undo")
	}
	for i := range e.Fields {
		f := &e.Fields[i]
		d, ok := ev.Diff[f.Name]
		if !ok || !shown(f) || access.FieldHidden(v, e.Name, f.Name) {
			continue
		}
		if !e.Registry && (f.Kind == "enum" && f.Enum == nil || !i18n.Has(show.Lang, "field."+f.Name)) {
			continue // what has no page of its own has no words for all of its fields
		}
		c.Fields = append(c.Fields, ui.FieldChange{Field: view.Label(show.Lang, e, f), Before: audited(show, e, f, d[0], currency), After: audited(show, e, f, d[1], currency)})
	}
	for _, name := range slices.Sorted(maps.Keys(ev.Diff)) {
		f := &entity.Field{Name: name}
		if d := ev.Diff[name]; view.IsOwn(f) && e.Registry {
			c.Fields = append(c.Fields, ui.FieldChange{Field: show.Label(e, f), Before: show.Text(e, f, show.Own.Typed(name, d[0]), ""), After: show.Text(e, f, show.Own.Typed(name, d[1]), "")})
		}
	}
	for _, x := range e.Edges {
		added, a := ev.Diff["+"+x.Name]
		removed, b := ev.Diff["-"+x.Name]
		if a || b {
			c.Fields = append(c.Fields, ui.FieldChange{Field: view.EdgeLabel(show.Lang, e, x), Before: titles(show, removed[0]), After: titles(show, added[1])})
		}
	}
	if added, removed := ev.Diff["+"+tag.Edge], ev.Diff["-"+tag.Edge]; added[1] != nil || removed[0] != nil {
		c.Fields = append(c.Fields, ui.FieldChange{Field: i18n.T(show.Lang, "tag.many"), Before: titles(show, removed[0]), After: titles(show, added[1])})
	}
	return c
}

// audited writes a value as the audit keeps it.
func audited(show view.Show, e *entity.Entity, f *entity.Field, v any, currency string) string {
	value, err := f.FromJSON(v)
	if err != nil || v == nil {
		if v == nil {
			return ""
		}
		return fmt.Sprint(v)
	}
	return show.Text(e, f, plain(f, value), currency)
}

func titles(show view.Show, v any) string {
	var out []string
	for _, id := range idsIn(v) {
		if t := show.Refs[id].Title; t != "" {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// talk is the comments of a record with the field for a new one.
func (s *site) talk(ctx context.Context, on ident.ID, href string) (ui.Talk, error) {
	out := ui.Talk{ID: "talk", Post: href + "/comments"}
	list, err := comment.List(ctx, s.store, on, 200, 0)
	if err != nil {
		return out, err
	}
	v := viewer.From(ctx)
	for _, c := range list {
		remark := ui.Remark{ID: c.ID.String(), WhoID: c.AuthorID.String(), Who: c.AuthorName, Text: c.Body, When: ago(ctx, c.CreatedAt), At: c.CreatedAt, Edited: c.Version > 1}
		if comment.Editable(v, c) {
			remark.Edit = "/comments/" + c.ID.String()
		}
		out.Remarks = append(out.Remarks, remark)
	}
	return out, nil
}

// addComment puts a comment on a record.
func (s *site) addComment(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	ctx := r.Context()
	row, err := s.find(ctx, e, r.PathValue("id"))
	if err != nil {
		return err
	}
	body := r.PostFormValue("body")
	_, err = comment.Add(ctx, s.store, row.ID, body)
	wrong := errs.As(err)
	if err != nil && wrong.Code != errs.Validation {
		return err
	}
	if !fragment(r) {
		if err != nil {
			return err
		}
		return leave(w, r, view.Href(e, row))
	}
	talk, terr := s.talk(ctx, row.ID, view.Href(e, row))
	if terr != nil {
		return terr
	}
	status := http.StatusOK
	if err != nil {
		status = http.StatusUnprocessableEntity
		talk.Field = ui.Field{Value: body, Err: i18n.FieldTexts(i18n.From(ctx), wrong)["body"]}
	}
	return s.part(w, r, status, ui.Comments(talk))
}

// ownComment returns a comment the viewer may see, and the address of its record.
func (s *site) ownComment(r *http.Request) (*ent.Comment, string, error) {
	ctx := r.Context()
	c, err := s.store.ClientOf(ctx).Comment.Get(ctx, ident.ID(r.PathValue("id")))
	if err != nil {
		return nil, "", err
	}
	e := entity.ByName(c.SubjectType)
	if e == nil || !e.Registry {
		return nil, "", errs.NotFound()
	}
	row, err := s.find(ctx, e, c.SubjectID.String())
	return c, view.Href(e, row), err
}

// commentForm answers the editor of a comment of one's own.
func (s *site) commentForm(w http.ResponseWriter, r *http.Request) error {
	c, _, err := s.ownComment(r)
	if err != nil {
		return err
	}
	if !comment.Editable(viewer.From(r.Context()), c) {
		return errs.Forbidden()
	}
	f := ui.Field{Name: "body", ID: "edit-" + c.ID.String(), Label: i18n.C(r.Context(), "ui.comments.edit"), Value: c.Body, Required: true, Focus: true, Wide: true}
	return s.part(w, r, http.StatusOK, view.RemarkForm("/comments/"+c.ID.String(), f, c.Version))
}

// editComment changes a comment of one's own.
func (s *site) editComment(w http.ResponseWriter, r *http.Request) error {
	c, href, err := s.ownComment(r)
	if err != nil {
		return err
	}
	if _, err := comment.Edit(r.Context(), s.store, c.ID, formVersion(r), r.PostFormValue("body")); err != nil {
		return err
	}
	return leave(w, r, href)
}
