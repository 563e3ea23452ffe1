package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/importbatch"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/views/desk"
	view "steward/views/entity"
	"steward/views/ui"
)

// importsPage lists the imports whose portfolio the reader sees.
func (s *site) importsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := offered(ctx, "ImportBatch", access.Read); err != nil {
		return err
	}
	lang := i18n.From(ctx)
	list, err := s.store.ClientOf(ctx).ImportBatch.Query().Order(importbatch.ByCreatedAt(sql.OrderDesc()), importbatch.ByID()).Limit(200).All(ctx)
	if err != nil {
		return err
	}
	t := desk.Table{Label: i18n.T(lang, "nav.imports"), Blank: ui.Blank{Icon: "upload", Title: i18n.T(lang, "desk.no_imports")},
		Heads: []string{i18n.T(lang, "desk.import"), i18n.T(lang, "desk.files"), i18n.T(lang, "desk.rows"), i18n.T(lang, "desk.who"), i18n.T(lang, "desk.when"), i18n.T(lang, "desk.state")}}
	for _, b := range list {
		t.Rows = append(t.Rows, []ui.Component{desk.Link("/admin/imports/"+b.ID.String(), b.Format), ui.Text(strings.Join(b.Files, ", ")), ui.Text(number(lang, b.Report["rows"])),
			ui.Text(b.ActorName), ui.Text(i18n.Time(lang, b.CreatedAt, i18n.Zone(ctx))), batchState(lang, b)})
	}
	title := i18n.T(lang, "nav.imports")
	return s.administer(w, r, title, desk.TablePage(title, "upload", []desk.Table{t}))
}

func batchState(lang string, b *ent.ImportBatch) ui.Component {
	if b.Status == importbatch.StatusUNDONE {
		return ui.Badge(ui.Warn, i18n.T(lang, "desk.undone"), "")
	}
	return ui.Badge(ui.OK, i18n.T(lang, "desk.applied"), "")
}

// number writes a number of a report; JSON has made a float of it.
func number(lang string, v any) string {
	if n, ok := v.(float64); ok {
		return i18n.Int(lang, int(n))
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// importPage is the report of one import.
func (s *site) importPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	lang := i18n.From(ctx)
	b, err := s.store.ClientOf(ctx).ImportBatch.Get(ctx, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	p := desk.Batch{Title: b.Format, Sub: strings.Join(b.Files, ", ")}
	p.Facts = []ui.Fact{
		{Label: i18n.T(lang, "desk.who"), Value: b.ActorName}, {Label: i18n.T(lang, "desk.when"), Value: i18n.Time(lang, b.CreatedAt, i18n.Zone(ctx))},
		{Label: i18n.T(lang, "desk.state"), Content: batchState(lang, b)}, {Label: i18n.T(lang, "desk.rows"), Value: number(lang, b.Report["rows"])},
		{Label: i18n.T(lang, "nav.audit"), Content: desk.Link("/admin/audit?set="+url.QueryEscape(b.ChangeSet), i18n.T(lang, "desk.see_changes"))},
	}
	p.Counts = desk.Table{Label: i18n.T(lang, "desk.counts"), Blank: ui.Blank{Icon: "upload", Title: i18n.T(lang, "desk.none")},
		Heads: []string{i18n.T(lang, "desk.kind"), i18n.T(lang, "desk.created"), i18n.T(lang, "desk.updated"), i18n.T(lang, "desk.unchanged")}}
	counts := map[string][3]any{}
	for i, part := range []string{"created", "updated", "unchanged"} {
		of, _ := b.Report[part].(map[string]any)
		for name, n := range of {
			row := counts[name]
			row[i] = n
			counts[name] = row
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		label := name
		if e := entity.ByName(name); e != nil && e.Registry {
			label = view.Name(lang, e, 2)
		}
		row := []ui.Component{ui.Text(label)}
		for _, n := range counts[name] {
			row = append(row, ui.Text(number(lang, n)))
		}
		p.Counts.Rows = append(p.Counts.Rows, row)
	}
	p.Warnings = desk.Table{Label: i18n.T(lang, "desk.warnings"), Blank: ui.Blank{Icon: "circle-check", Title: i18n.T(lang, "desk.no_warnings")},
		Heads: []string{i18n.T(lang, "desk.line"), i18n.T(lang, "desk.message")}}
	for _, part := range []string{"faults", "warnings"} {
		list, _ := b.Report[part].([]any)
		for _, x := range list[:min(len(list), 200)] {
			o, _ := x.(map[string]any)
			p.Warnings.Rows = append(p.Warnings.Rows, []ui.Component{ui.Text(number(lang, o["row"])), ui.Text(number(lang, o["message"]))})
		}
	}
	return s.administer(w, r, b.Format, desk.BatchPage(p))
}
