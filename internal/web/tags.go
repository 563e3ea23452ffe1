package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/internal/area/tag"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	view "steward/views/entity"
	"steward/views/ui"
)

// tagFilter reads the tags a list is narrowed to; a row carries at least one of them.
func tagFilter(ctx context.Context, e *entity.Entity, values []string) ([]ident.ID, error) {
	var out []ident.ID
	for _, v := range values {
		if v == "" {
			continue
		}
		if id := ident.ID(v); id.Prefix() == "tag" && len(v) <= 40 && tag.Seen(ctx, e) && len(out) < tag.Most {
			out = append(out, id)
			continue
		}
		return nil, errs.Invalid("tag", "tag.unknown")
	}
	return out, nil
}

// tagField is the filter by tag in the panel of a list.
func (l *listing) tagField(ctx context.Context, show view.Show) *ui.Field {
	if !tag.Seen(ctx, l.entity) {
		return nil
	}
	f := ui.Field{Name: "tag", ID: "ff-tag", Label: i18n.T(show.Lang, "tag.one"), Search: "/tags/options"}
	if len(l.tags) > 0 {
		f.Value, f.Text = l.tags[0].String(), show.Refs[l.tags[0]].Title
	}
	return &f
}

// tagChips say which tags a list is narrowed to.
func (l *listing) tagChips(show view.Show, q ui.Query) []ui.Chip {
	var names []string
	for _, id := range l.tags {
		name := show.Refs[id].Title
		if name == "" {
			name = id.String()
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil
	}
	return []ui.Chip{{Label: i18n.T(show.Lang, "tag.one") + ": " + strings.Join(names, ", "), Remove: q.Without("tag")}}
}

// chipsOf are tags as chips that lead to the list of all that carry them.
func chipsOf(ctx context.Context, e *entity.Entity, list []*ent.Tag) []view.TagChip {
	var out []view.TagChip
	for _, t := range list {
		name := t.Name
		if i18n.From(ctx) == i18n.French && t.NameFr != "" {
			name = t.NameFr
		}
		out = append(out, view.TagChip{ID: t.ID.String(), Name: name, Tone: view.TagTone(t.Tone.String()), Href: "/" + e.Path + "?" + url.Values{"tag": {t.ID.String()}}.Encode()})
	}
	return out
}

// lookForTags gives the file a column of tags when a row of it carries one, unless the
// columns were chosen.
func (x *export) lookForTags() error {
	if len(x.values["cols"]) > 0 || !tag.Seen(x.ctx, x.entity) {
		return nil
	}
	n, err := x.entity.Count(x.ctx, x.site.store.ClientOf(x.ctx), func(sel *sql.Selector) {
		x.where(sel)
		tag.Any(x.entity)(sel)
	})
	x.tagged = n > 0
	return err
}

func (x *export) tagTitle() string {
	if x.raw {
		return "tags"
	}
	return i18n.T(i18n.From(x.ctx), "tag.many")
}

// tagsOf names the tags of a row as they are called in both languages.
func (x *export) tagsOf(row entity.Row) []string {
	out := []string{}
	for _, t := range x.tags[row.ID] {
		out = append(out, t.Name)
	}
	return out
}

// tagBox is the tags of a record with the field for one more.
func (s *site) tagBox(ctx context.Context, e *entity.Entity, row entity.Row, writable bool) (view.TagBox, error) {
	if !tag.Seen(ctx, e) {
		return view.TagBox{}, nil
	}
	of, err := tag.Of(ctx, s.store, e, row.ID)
	box := view.TagBox{List: chipsOf(ctx, e, of[row.ID]), Search: "/tags/options"}
	if writable {
		box.Post = view.Href(e, row) + "/tags"
	}
	return box, err
}

// mark puts a tag on a record and takes others off it.
func (s *site) mark(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	ctx := r.Context()
	row, err := s.editable(ctx, e, r.PathValue("id"))
	if err != nil {
		return err
	}
	add, remove := linkIDs(r, "add"), linkIDs(r, "remove")
	if len(add)+len(remove) == 0 {
		return leave(w, r, view.Href(e, row))
	}
	token, err := s.store.Do(ctx, func(ctx context.Context, _ *ent.Client) error {
		return tag.Mark(ctx, s.store, e, []ident.ID{row.ID}, add, remove)
	})
	if err != nil {
		return s.stepRefused(w, r, e, row, err)
	}
	said := "entity.tagged"
	if len(add) == 0 {
		said = "entity.untagged"
	}
	s.flash(w, said, token)
	return leave(w, r, view.Href(e, row))
}
