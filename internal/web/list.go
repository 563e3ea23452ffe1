package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"steward/ent"
	"steward/internal/area/custom"
	"steward/internal/area/tag"
	saved "steward/internal/area/view"
	"steward/internal/exchange/upload"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
	"steward/views/layout"
	"steward/views/ui"
)

// list shows the rows of an entity: two statements, one for the sums where there are
// amounts, and one for each type of record the rows point at.
func (s *site) list(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	return s.listBelow(w, r, e, nil)
}

// listBelow is list with something above it while it shows all there is.
func (s *site) listBelow(w http.ResponseWriter, r *http.Request, e *entity.Entity, above func(context.Context) (templ.Component, error)) error {
	ctx := r.Context()
	v := viewer.From(ctx)
	if err := mayRead(v, e); err != nil {
		return err
	}
	if q, blank := withoutBlanks(r.URL.Query()); blank && !fragment(r) { // as the filter panel sends it
		http.Redirect(w, r, ui.Query{Path: r.URL.Path, Values: q}.String(), http.StatusSeeOther)
		return nil
	}
	l, err := readListing(r, e)
	if err != nil {
		return err
	}
	part := targets(r, "list")
	var views []*ent.SavedView
	if !part {
		if views, err = saved.List(ctx, s.store, e.Name); err != nil {
			return err
		}
		if to := s.firstView(r, e, views); to != "" {
			http.Redirect(w, r, to, http.StatusSeeOther)
			return nil
		}
	}
	c := s.store.ClientOf(ctx)
	total, err := e.Count(ctx, c, l.where)
	if err != nil {
		return err
	}
	found, err := e.List(ctx, c, l.where, l.order, rows, (l.page-1)*rows)
	if err != nil {
		return err
	}
	derived(e, found, s.today(ctx))
	need := wanted{}
	for _, row := range found {
		need.row(e, row, l.columns)
	}
	for _, f := range l.filters {
		for _, value := range f.values {
			if id, ok := value.(ident.ID); ok {
				need.add(id)
			}
		}
	}
	for _, id := range l.tags {
		need.add(id)
	}
	show, err := s.shower(ctx, need)
	if err != nil {
		return err
	}
	show.Own = l.own
	page := s.listView(r, l, show, total, found)
	if !page.Editing { // sums of amounts that are being edited would be out of date
		if page.Sums, err = s.sums(ctx, l); err != nil {
			return err
		}
	}
	if page.Editing || page.Bulk != nil {
		writable, err := s.writable(ctx, e, access.Write, idsOf(found)...)
		if err != nil {
			return err
		}
		for i := range page.Lines {
			mine := writable[page.Lines[i].Row.ID]
			page.Lines[i].Editable, page.Lines[i].Pickable = mine && page.Editing, mine
		}
		if len(writable) == 0 {
			page.Bulk = nil
		}
	}
	tags, err := tag.Of(ctx, s.store, e, idsOf(found)...)
	if err != nil {
		return err
	}
	for i := range page.Lines {
		page.Lines[i].Tags = chipsOf(ctx, e, tags[page.Lines[i].Row.ID])
	}
	if part {
		return s.part(w, r, http.StatusOK, view.ListBody(page))
	}
	if err := s.showViews(r, l, &page, views); err != nil {
		return err
	}
	if above != nil && total > 0 && !l.narrowed() {
		if page.Above, err = above(ctx); err != nil {
			return err
		}
	}
	name := view.Name(show.Lang, e, 2)
	return s.show(w, r, http.StatusOK, s.frame(r, name, layout.Crumb{Label: name}), view.ListPage(page))
}

// withoutBlanks leaves out parameters without a value, and says whether there were any.
func withoutBlanks(q url.Values) (url.Values, bool) {
	out, blank := url.Values{}, false
	for name, list := range q {
		for _, v := range list {
			if v == "" {
				blank = true
				continue
			}
			out.Add(name, v)
		}
	}
	return out, blank
}

// mayRead answers a list of an entity whose rows are all out of reach as an
// address that does not exist.
func mayRead(v *viewer.Viewer, e *entity.Entity) error {
	if !access.May(v, e.Name, access.Read) {
		return errs.NotFound()
	}
	return nil
}

func idsOf(found []entity.Row) []ident.ID {
	out := make([]ident.ID, len(found))
	for i, row := range found {
		out[i] = row.ID
	}
	return out
}

// listView puts the page of a list together from what was read.
func (s *site) listView(r *http.Request, l *listing, show view.Show, total int, found []entity.Row) view.List {
	ctx, e := r.Context(), l.entity
	v := viewer.From(ctx)
	values := url.Values{}
	for k, list := range l.values {
		if k != "page" && k != "edit" && len(list) > 0 && list[0] != "" {
			values[k] = list
		}
	}
	if values.Get("sort") == "" {
		values.Set("sort", e.Sort)
	}
	q := ui.Query{Path: "/" + e.Path, Values: values}
	p := view.List{Entity: e, Show: show, Query: q, Words: l.words, Narrowed: l.narrowed()}
	for _, f := range l.columns {
		c := view.Column{Field: f, Label: show.Label(e, f)}
		if sortable(f) {
			c.Sort = f.Name
		}
		p.Columns = append(p.Columns, c)
	}
	for _, row := range found {
		p.Lines = append(p.Lines, view.Line{Row: row, Href: view.Href(e, row), Version: versionOf(e, row)})
	}
	for _, f := range append(seen(v, e), l.own.Columns(true)...) {
		p.Chooser = append(p.Chooser, view.Choice{Value: f.Name, Label: show.Label(e, f), On: columnOf(l.columns, f.Name) != nil})
		if filterable(f) && l.inPanel(f) {
			p.Filters = append(p.Filters, l.filter(show, f))
		}
	}
	p.Chips = append(l.chips(show, q), l.tagChips(show, q)...)
	p.Tag, p.Bulk = l.tagField(ctx, show), l.bulkBar(ctx, total)
	first := (l.page - 1) * rows
	p.Pages = ui.Pages{First: first + 1, Last: first + len(found), Total: total, Target: "list"}
	if l.page > 1 {
		p.Pages.Prev = paged(q, l.page-1)
	}
	if first+len(found) < total {
		p.Pages.Next = paged(q, l.page+1)
	}
	p.Views = []ui.Tab{{Label: i18n.T(show.Lang, "entity.active"), Href: q.Without("archived"), Current: !l.archived}}
	if !l.archived {
		p.Views[0].Count = &total
	}
	if e.Archivable {
		p.Views = append(p.Views, ui.Tab{Label: i18n.T(show.Lang, "entity.archived_view"), Href: q.With("archived", "1"), Current: l.archived, Icon: "archive"})
	}
	if mayCreate(ctx, e) {
		p.New = "/" + e.Path + "/new"
	}
	if custom.Offers(e) && access.May(v, "CustomField", access.Write) {
		p.Define = "/custom-fields?q=" + e.Name
	}
	if !access.ForExport(v, e.Name).Empty() {
		csv, json := ui.Query{Path: q.Path + ".csv", Values: values}, ui.Query{Path: q.Path + ".json", Values: values}
		xlsx := ui.Query{Path: q.Path + ".xlsx", Values: values}
		p.Exports = []ui.MenuItem{
			{Label: i18n.T(show.Lang, "files.export_xlsx"), Icon: "table-properties", Href: xlsx.String()},
			{Label: i18n.T(show.Lang, "entity.export_csv"), Icon: "file-text", Href: csv.With("bom", "1")},
			{Label: i18n.T(show.Lang, "entity.export_raw"), Icon: "table", Href: csv.With("format", "raw")},
			{Label: i18n.T(show.Lang, "entity.export_json"), Icon: "download", Href: json.String()},
		}
	}
	if importable(e.Name) != nil && upload.May(v) && access.May(v, e.Name, access.Write) {
		p.Import = "/imports/new?entity=" + e.Name
	}
	if !e.ReadOnly && !l.archived && access.May(v, e.Name, access.Write) {
		p.Editing = l.values.Get("edit") == "1"
		p.EditMode = q.With("edit", "1")
		if p.Editing {
			p.EditMode = q.String()
		}
	}
	return p
}

func paged(q ui.Query, page int) string {
	values := url.Values{}
	for k, list := range q.Values {
		values[k] = list
	}
	values.Set("page", strconv.Itoa(page))
	return ui.Query{Path: q.Path, Values: values}.String()
}

// inPanel reports whether the filter panel offers a field: one that the list shows,
// or usually shows, or is narrowed by. The address takes more.
func (l *listing) inPanel(f *entity.Field) bool {
	if view.IsOwn(f) {
		return true
	}
	switch f.Kind {
	case "enum", "ref", "bool", "date", "time", "money":
		return f.List > 0 || slices.Contains(l.columns, f) || slices.ContainsFunc(l.filters, func(c condition) bool { return c.field == f })
	}
	return false
}

// filter is a group of the panel with what the address says about it.
func (l *listing) filter(show view.Show, f *entity.Field) view.Filter {
	out := view.Filter{Field: f, Label: show.Label(l.entity, f)}
	chosen := func(op string) []string {
		for _, c := range l.filters {
			if c.field.Name == f.Name && c.op == op {
				return c.texts
			}
		}
		return nil
	}
	one := func(op string) string {
		if list := chosen(op); len(list) > 0 {
			return list[0]
		}
		return ""
	}
	switch f.Kind {
	case "enum":
		for _, o := range f.Options {
			out.Choices = append(out.Choices, view.Choice{Value: o, Label: view.Option(show.Lang, l.entity, f, o), On: slices.Contains(chosen(""), o)})
		}
	case "choice":
		for _, o := range f.Options {
			out.Choices = append(out.Choices, view.Choice{Value: o, Label: o, On: slices.Contains(chosen(""), o)})
		}
	case "words", "link":
		out.Value = one("contains")
	case "bool", "yesno":
		for _, o := range []string{"true", "false"} {
			out.Choices = append(out.Choices, view.Choice{Value: o, Label: show.Text(l.entity, f, o == "true", ""), On: slices.Contains(chosen(""), o)})
		}
	case "ref":
		out.Value, out.Search = one(""), "/"+entity.ByName(f.Ref).Path+"/options"
		out.Text = show.Refs[ident.ID(out.Value)].Title
	default:
		out.From, out.To = one("gte"), one("lte")
	}
	return out
}

// chips say in words what the list is narrowed by, each with the address without it.
func (l *listing) chips(show view.Show, q ui.Query) []ui.Chip {
	var out []ui.Chip
	if l.words != "" {
		out = append(out, ui.Chip{Label: "“" + l.words + "”", Remove: q.Without("q")})
	}
	for _, c := range l.filters {
		label := show.Label(l.entity, c.field)
		key := "f." + c.field.Name
		if c.op != "" {
			key += "." + c.op
		}
		text := ""
		for i, value := range c.values {
			if i > 0 {
				text += ", "
			}
			word := show.Text(l.entity, c.field, plain(c.field, value), "")
			if word == "" && c.op != "none" {
				word = c.texts[i]
			}
			text += word
		}
		switch c.op {
		case "gte":
			label += " ≥ " + text
		case "lte":
			label += " ≤ " + text
		case "contains":
			label = i18n.T(show.Lang, "custom.contains", "field", label) + " “" + text + "”"
		case "none":
			label += ": –"
		default:
			label += ": " + text
		}
		out = append(out, ui.Chip{Label: label, Remove: q.Without(key)})
	}
	return out
}

// plain turns the typed value of an enum back into text.
func plain(f *entity.Field, v any) any {
	if f.Kind == "enum" && v != nil {
		return fmt.Sprint(v)
	}
	return v
}
