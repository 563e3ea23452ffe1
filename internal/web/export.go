package web

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/internal/area/tag"
	"steward/internal/area/takeout"
	"steward/internal/exchange/sheet"
	"steward/internal/exchange/tabular"
	"steward/internal/platform/entity"
	"steward/internal/platform/event"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	rules "steward/internal/rules/custom"
	"steward/internal/rules/errs"
	"steward/internal/rules/formula"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
	"steward/views/ui"
)

// exportRows is the most rows one export takes; exportBatch is how many are read
// at once, which bounds the memory whatever the size of the answer.
const (
	exportRows  = 200_000
	exportBatch = 2_000
)

// export is a list on its way out as a file.
type export struct {
	*listing
	site *site
	ctx  context.Context
	show view.Show
	// names are the records that the rows of a workbook point at.
	names map[ident.ID]string
	// tags are those of the rows at hand, where the file has a column of them.
	tags   map[ident.ID][]*ent.Tag
	tagged bool
	kind   string
	raw    bool
	n      int
}

// startExport reads the address as the list does, narrows the viewer to the roles
// that take data out, and writes to the audit what leaves before it does.
func (s *site) startExport(r *http.Request, e *entity.Entity, kind string) (*export, error) {
	v := viewer.From(r.Context())
	if err := mayRead(v, e); err != nil {
		return nil, err
	}
	if access.ForExport(v, e.Name).Empty() {
		return nil, errs.Forbidden()
	}
	r = r.WithContext(viewer.With(r.Context(), takeout.Taking(v)))
	l, err := readListing(r, e)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	n, err := e.Count(ctx, s.store.ClientOf(ctx), l.where)
	if err != nil {
		return nil, err
	}
	if n > exportRows {
		return nil, errs.New(errs.Limit, "web.export_too_large", "n", n, "max", exportRows)
	}
	err = s.store.Tx(viewer.With(ctx, v), func(ctx context.Context, _ *ent.Client) error {
		about := map[string]any{"rows": n, "format": kind}
		if q := l.values.Encode(); q != "" {
			about["query"] = q
		}
		return store.Note(ctx, event.Change(event.Exported, store.Change{Entity: e.Name, Reason: i18n.T(i18n.English, "web.exported", "n", n)}, about))
	})
	if len(l.values["cols"]) == 0 { // whoever chooses no columns takes the added ones along
		l.columns = append(l.columns, l.own.Columns(true)...)
	}
	if err != nil {
		return nil, err
	}
	show := view.Show{Lang: i18n.From(ctx), Zone: i18n.Zone(ctx), Own: l.own}
	x := &export{listing: l, site: s, ctx: ctx, show: show, n: n, kind: kind, raw: kind == "json" || kind == "csv" && l.values.Get("format") == "raw"}
	return x, x.lookForTags()
}

// each calls f for every row, batch by batch.
func (x *export) each(f func(entity.Row) error) error {
	c := x.site.store.ClientOf(x.ctx)
	for done := 0; done < x.n; done += exportBatch {
		found, err := x.entity.List(x.ctx, c, x.where, x.order, min(exportBatch, x.n-done), done)
		if err != nil {
			return err
		}
		if x.tagged {
			if x.tags, err = tag.Of(x.ctx, x.site.store, x.entity, idsOf(found)...); err != nil {
				return err
			}
		}
		if !x.raw {
			need := wanted{}
			for _, row := range found {
				need.row(x.entity, row, x.columns)
			}
			if x.show, err = x.site.shower(x.ctx, need); err != nil {
				return err
			}
			x.show.Own = x.own
			if x.kind == "xlsx" {
				if err := x.named(need); err != nil {
					return err
				}
			}
		}
		for _, row := range found {
			if err := f(row); err != nil {
				return err
			}
		}
		if len(found) < exportBatch {
			return nil
		}
	}
	return nil
}

// exportCSV sends the list as a file for spreadsheets; format=raw keeps names, ids
// and text as they are, for programs.
func (s *site) exportCSV(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	x, err := s.startExport(r, e, "csv")
	if err != nil {
		return err
	}
	download(w, e, "csv", "text/csv; charset=utf-8")
	out := bufio.NewWriter(w)
	if r.URL.Query().Get("bom") == "1" {
		_, _ = out.WriteString("\uFEFF")
	}
	cw := csv.NewWriter(out)
	cw.UseCRLF = true
	line := make([]string, 0, len(x.columns)+1)
	if x.raw {
		line = append(line, "id")
	}
	for _, f := range x.columns {
		if x.raw {
			line = append(line, f.Name)
		} else {
			line = append(line, x.title(f))
		}
	}
	if x.tagged {
		line = append(line, x.tagTitle())
	}
	_ = cw.Write(line)
	err = x.each(func(row entity.Row) error {
		line = line[:0]
		if x.raw {
			line = append(line, row.ID.String())
		}
		for _, f := range x.columns {
			line = append(line, x.cell(f, row))
		}
		if x.tagged {
			line = append(line, formula.Guard(tabular.TagsCell(x.tags[row.ID])))
		}
		return cw.Write(line)
	})
	cw.Flush()
	return s.finished(r, out, err)
}

// title heads a column. Two columns that are called alike would not come back, so a
// custom field that shares its name has its code beside it.
func (x *export) title(f *entity.Field) string {
	own, ok := x.own.Of(f.Name)
	if !ok {
		return view.Label(x.show.Lang, x.entity, f)
	}
	return tabular.OwnTitle(x.entity, x.own, own, x.show.Lang)
}

// cell is one value of a CSV file.
func (x *export) cell(f *entity.Field, row entity.Row) string {
	v := x.show.Value(x.entity, f, row)
	text := entity.Text(v)
	if x.raw {
		return text
	}
	switch f.Kind {
	case "money", "decimal", "int", "bp", "date", "period", "time", "bool", "yesno":
		return text
	case "ref":
		id, _ := v.(ident.ID)
		text = x.show.Refs[id].Title
	case "enum":
		text = x.show.Text(x.entity, f, v, "")
	}
	return formula.Guard(text)
}

// exportJSON sends the list as JSON with GraphQL's field names; amounts are texts,
// so that no digit is lost.
func (s *site) exportJSON(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	x, err := s.startExport(r, e, "json")
	if err != nil {
		return err
	}
	download(w, e, "json", "application/json")
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(`{"total":` + strconv.Itoa(x.n) + `,"rows":[`)
	first := true
	err = x.each(func(row entity.Row) error {
		if !first {
			_ = out.WriteByte(',')
		}
		first = false
		object := map[string]any{"id": row.ID}
		values := map[string]any{}
		for _, f := range x.columns {
			if view.IsOwn(f) {
				values[strings.TrimPrefix(f.Name, rules.Prefix)] = x.show.Kept(e, f, row)
				continue
			}
			object[f.GQL] = e.Value(row, f.Name)
		}
		if len(values) > 0 {
			object["custom"] = values
		}
		if x.tagged {
			object["tags"] = x.tagsOf(row)
		}
		b, err := json.Marshal(object)
		if err == nil {
			_, err = out.Write(b)
		}
		return err
	})
	if err == nil {
		_, _ = out.WriteString("]}\n")
	}
	return s.finished(r, out, err)
}

// exportXLSX sends the list as a workbook: values as what they are, a hidden column of
// ids by which an edited file finds its records again, and a page that says what it is.
func (s *site) exportXLSX(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	x, err := s.startExport(r, e, "xlsx")
	if err != nil {
		return err
	}
	lang := i18n.From(x.ctx)
	columns := []sheet.Column{{Title: "id", Hidden: true}}
	for _, f := range x.columns {
		columns = append(columns, sheet.Column{Title: x.title(f), Width: columnWidth(f)})
	}
	if x.tagged {
		columns = append(columns, sheet.Column{Title: x.tagTitle(), Width: 28})
	}
	book := sheet.NewBook()
	defer book.Close()
	page, err := book.Page(view.Name(lang, e, 2), columns, sheet.Options{Filter: true})
	if err != nil {
		return err
	}
	line := make([]sheet.Cell, 0, len(columns))
	err = x.each(func(row entity.Row) error {
		line = append(line[:0], sheet.Text(row.ID.String()))
		for _, f := range x.columns {
			line = append(line, x.typed(f, row))
		}
		if x.tagged {
			line = append(line, sheet.Text(tabular.TagsCell(x.tags[row.ID])))
		}
		return page.Row(line...)
	})
	if err != nil {
		return err
	}
	if err := x.about(book, r); err != nil {
		return err
	}
	download(w, e, "xlsx", sheet.Media)
	out := bufio.NewWriter(w)
	return s.finished(r, out, book.Send(out))
}

// columnWidth is how wide a column of words is; the others are as wide as their title.
func columnWidth(f *entity.Field) float64 {
	switch f.Kind {
	case "line", "ref", "url", "email", "words", "choice", "link":
		return 28
	case "text", "strings":
		return 50
	case "money", "date", "time":
		return 20
	}
	return 0
}

// typed is one value of a workbook.
func (x *export) typed(f *entity.Field, row entity.Row) sheet.Cell {
	switch v := x.show.Value(x.entity, f, row).(type) {
	case nil:
		return sheet.Cell{}
	case money.Amount:
		if f.Kind == "money" {
			return sheet.Amount(v, x.show.Currency(x.entity, row), x.show.Lang)
		}
		return sheet.Number(v)
	case civil.Date:
		return sheet.Date(v)
	case time.Time:
		return sheet.Time(v, x.show.Zone)
	case bool:
		return sheet.Bool(v)
	case int:
		if f.Kind == "bp" {
			return sheet.Percent(v)
		}
		return sheet.Int(v)
	case ident.ID:
		if f.Kind == "ref" {
			return sheet.Text(x.names[v])
		}
		return sheet.Text(v.String())
	case string:
		if f.Kind != "enum" {
			return sheet.Text(v)
		}
	}
	v := x.entity.Value(row, f.Name)
	if f.Kind == "enum" {
		return sheet.Text(x.show.Text(x.entity, f, v, ""))
	}
	return sheet.Text(entity.Text(v))
}

// named writes the records that rows point at so that an import finds each again: by
// its title where nothing else in reach is called so, else with its key or id. What the
// reader may not see is its id.
func (x *export) named(need wanted) error {
	x.names = map[ident.ID]string{}
	for name, ids := range need {
		e := entity.ByName(name)
		words := map[string]ident.ID{} // what is found by a word; "" by several
		var titles []any
		for _, id := range ids {
			titles = append(titles, x.show.Refs[id].Title)
		}
		columns := tabular.TitleColumns(e)
		found, err := e.List(x.ctx, x.site.store.ClientOf(x.ctx), func(sel *sql.Selector) {
			var any []*sql.Predicate
			for _, c := range columns {
				any = append(any, sql.In(sel.C(c), titles...))
			}
			sel.Where(sql.Or(any...))
		}, anyOrder, 0, 0)
		if err != nil {
			return err
		}
		for _, row := range found {
			for _, c := range columns {
				word := entity.Text(e.Value(row, c))
				if have, ok := words[word]; ok && have != row.ID {
					words[word] = ""
					continue
				}
				words[word] = row.ID
			}
		}
		for _, id := range ids {
			ref, known := x.show.Refs[id]
			by := ref.Sub
			if by == "" || !known {
				by = id.String()
			}
			if !known {
				x.names[id] = by
				continue
			}
			x.names[id] = tabular.Reference(e, ref.Title, by, words[ref.Title] == id)
		}
	}
	return nil
}

// about adds the page that says what the workbook holds, when it was made and by whom.
func (x *export) about(book *sheet.Book, r *http.Request) error {
	lang := i18n.From(x.ctx)
	say := func(key string, args ...any) string { return i18n.T(lang, key, args...) }
	need := wanted{}
	for _, f := range x.filters {
		for _, value := range f.values {
			if id, ok := value.(ident.ID); ok {
				need.add(id)
			}
		}
	}
	show, err := x.site.shower(x.ctx, need)
	if err != nil {
		return err
	}
	show.Own = x.own
	page, err := book.Page(say("files.about"), []sheet.Column{{Title: say("files.about"), Width: 24}, {Title: view.Name(lang, x.entity, 2), Width: 80}}, sheet.Options{})
	if err != nil {
		return err
	}
	lines := [][2]sheet.Cell{{sheet.Text(say("files.rows")), sheet.Int(x.n)}}
	for _, c := range x.chips(show, ui.Query{Path: r.URL.Path, Values: x.values}) {
		lines = append(lines, [2]sheet.Cell{sheet.Text(say("files.filter")), sheet.Text(c.Label)})
	}
	if x.archived {
		lines = append(lines, [2]sheet.Cell{sheet.Text(say("files.filter")), sheet.Text(say("entity.archived_view"))})
	}
	lines = append(lines,
		[2]sheet.Cell{sheet.Text(say("files.at")), sheet.Time(time.Now().UTC(), i18n.Zone(x.ctx))},
		[2]sheet.Cell{sheet.Text(say("files.zone")), sheet.Text(i18n.Zone(x.ctx).String())},
		[2]sheet.Cell{sheet.Text(say("files.by")), sheet.Text(viewer.From(x.ctx).Name)},
		[2]sheet.Cell{sheet.Text(say("files.amounts")), sheet.Text(say("files.amounts_note"))},
		[2]sheet.Cell{sheet.Text(say("files.back")), sheet.Text(say("files.back_note"))})
	for _, l := range lines {
		if err := page.Row(l[0], l[1]); err != nil {
			return err
		}
	}
	return nil
}

// finished ends an answer of which part may be on its way: after a fault the
// connection is cut, so that half a file is never taken for a whole one.
func (s *site) finished(r *http.Request, out *bufio.Writer, err error) error {
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		s.Log.ErrorContext(r.Context(), "export cut short", "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func download(w http.ResponseWriter, e *entity.Entity, ext, media string) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", `attachment; filename="`+e.Path+"."+ext+`"`)
}
