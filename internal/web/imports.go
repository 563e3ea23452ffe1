package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/importbatch"
	"steward/internal/exchange/importer"
	"steward/internal/exchange/upload"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/views/desk"
	view "steward/views/entity"
	"steward/views/layout"
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
		rows, _ := b.Report["rows"].(float64) // JSON has made a float of it
		t.Rows = append(t.Rows, []ui.Component{desk.Link("/admin/imports/"+b.ID.String(), b.Format), ui.Text(strings.Join(b.Files, ", ")), count(lang, int(rows)),
			ui.Text(b.ActorName), ui.Text(i18n.Time(lang, b.CreatedAt, i18n.Zone(ctx))), batchState(lang, b)})
	}
	title := i18n.T(lang, "nav.imports")
	add := ""
	if upload.May(viewer.From(ctx)) {
		add, t.Blank.Actions = "/imports/new", desk.Link("/imports/new", i18n.T(lang, "upload.title"))
	}
	return s.administer(w, r, title, desk.ImportsPage(title, add, t))
}

func batchState(lang string, b *ent.ImportBatch) ui.Component {
	if b.Status == importbatch.StatusUNDONE {
		return ui.Badge(ui.Warn, i18n.T(lang, "desk.undone"), "")
	}
	return ui.Badge(ui.OK, i18n.T(lang, "desk.applied"), "")
}

// importPage is the report of one import.
func (s *site) importPage(w http.ResponseWriter, r *http.Request) error {
	b, err := s.store.ClientOf(r.Context()).ImportBatch.Get(r.Context(), ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return s.showImport(w, r, http.StatusOK, b)
}

// showImport draws the report of an import below the banners.
func (s *site) showImport(w http.ResponseWriter, r *http.Request, status int, b *ent.ImportBatch, banners ...ui.Notice) error {
	ctx := r.Context()
	lang := i18n.From(ctx)
	raw, err := json.Marshal(b.Report)
	if err != nil {
		return err
	}
	report, err := importer.Kept(raw)
	if err != nil {
		return err
	}
	p := desk.Batch{Title: b.Format, Sub: strings.Join(b.Files, ", "), Banners: banners}
	p.Facts = []ui.Fact{
		{Label: i18n.T(lang, "desk.who"), Value: b.ActorName}, {Label: i18n.T(lang, "desk.when"), Value: i18n.Time(lang, b.CreatedAt, i18n.Zone(ctx))},
		{Label: i18n.T(lang, "desk.state"), Content: batchState(lang, b)}, {Label: i18n.T(lang, "desk.rows"), Value: i18n.Int(lang, report.Rows)},
		{Label: i18n.T(lang, "nav.audit"), Content: desk.Link("/admin/audit?set="+url.QueryEscape(b.ChangeSet), i18n.T(lang, "desk.see_changes"))},
	}
	p.Counts = desk.Table{Label: i18n.T(lang, "desk.counts"), Blank: ui.Blank{Icon: "upload", Title: i18n.T(lang, "desk.none")},
		Heads: []string{i18n.T(lang, "desk.kind"), i18n.T(lang, "desk.created"), i18n.T(lang, "desk.updated"), i18n.T(lang, "desk.unchanged")}}
	kinds := map[string]bool{}
	for _, of := range []map[string]int{report.Created, report.Updated, report.Unchanged} {
		for name := range of {
			kinds[name] = true
		}
	}
	for _, name := range importer.Sorted(kinds) {
		label := name
		if e := entity.ByName(name); e != nil && e.Registry {
			label = view.Name(lang, e, 2)
		}
		p.Counts.Rows = append(p.Counts.Rows, []ui.Component{ui.Text(label), count(lang, report.Created[name]), count(lang, report.Updated[name]), count(lang, report.Unchanged[name])})
	}
	p.Warnings = desk.Table{Label: i18n.T(lang, "desk.warnings"), Blank: ui.Blank{Icon: "circle-check", Title: i18n.T(lang, "desk.no_warnings")},
		Heads: []string{i18n.T(lang, "desk.line"), i18n.T(lang, "desk.message")}}
	for _, f := range report.Faults[:min(len(report.Faults), findings)] {
		p.Warnings.Rows = append(p.Warnings.Rows, []ui.Component{ui.Text(i18n.Int(lang, f.Line)), ui.Text(finding(lang, f.Column, f.Value, f.Reason.In(lang)))})
	}
	for _, f := range report.Warnings[:min(len(report.Warnings), findings)] {
		p.Warnings.Rows = append(p.Warnings.Rows, []ui.Component{ui.Text(i18n.Int(lang, f.Line)), ui.Text(finding(lang, f.Column, f.Value, f.Reason.In(lang)))})
	}
	if b.Status == importbatch.StatusUNDONE {
		who, at, err := importer.TakenBack(ctx, s.store, b)
		if err != nil {
			return err
		}
		if who == "" {
			who = i18n.T(lang, "ui.history.system")
		}
		p.Banners = append(p.Banners, ui.Notice{Tone: ui.Warn, Title: i18n.T(lang, "desk.undone_by", "who", who, "when", i18n.Time(lang, at, i18n.Zone(ctx)))})
	} else if ahead, err := importer.Foresee(ctx, s.store, b); err != nil {
		return err
	} else if ahead.May {
		p.Undo, p.UndoText = "/admin/imports/"+b.ID.String()+"/undo", undoText(lang, ahead)
	}
	crumbs := []layout.Crumb{{Label: i18n.T(lang, "nav.section.admin")}, {Label: i18n.T(lang, "nav.imports"), Href: "/admin/imports"}, {Label: b.Format}}
	return s.show(w, r, status, s.frame(r, b.Format, crumbs...), desk.BatchPage(p))
}

// findings is how many faults, and how many warnings, the page lists.
const findings = 200

// finding is a fault or warning with the cell it is about.
func finding(lang, column, value, reason string) string {
	if column == "" {
		return reason
	}
	return i18n.T(lang, "desk.finding", "column", column, "value", value, "reason", reason)
}

// count writes a number, nothing for none.
func count(lang string, n int) ui.Component {
	if n == 0 {
		return ui.Text("")
	}
	return ui.Text(i18n.Int(lang, n))
}

// undoText says what will happen to how many records.
func undoText(lang string, p importer.Prospect) string {
	var parts []string
	switch {
	case p.Removed > 0 && p.Archives:
		parts = append(parts, i18n.T(lang, "desk.undo_archives", "n", p.Removed))
	case p.Removed > 0:
		parts = append(parts, i18n.T(lang, "desk.undo_removes", "n", p.Removed))
	}
	if p.Restored > 0 {
		parts = append(parts, i18n.T(lang, "desk.undo_restores", "n", p.Restored))
	}
	if len(parts) == 0 {
		parts = append(parts, i18n.T(lang, "desk.undo_nothing"))
	}
	return strings.Join(append(parts, i18n.T(lang, "desk.undo_all")), " ")
}

// undoImport takes an import back, all of it or nothing.
func (s *site) undoImport(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	b, err := s.store.ClientOf(ctx).ImportBatch.Get(ctx, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	if !access.May(viewer.From(ctx), "ImportBatch", access.Write) {
		return errs.Forbidden()
	}
	_, err = importer.Undo(ctx, s.store, b.ChangeSet)
	wrong := errs.As(store.Known(err))
	switch {
	case err == nil:
		s.flash(w, "entity.import_undone", "")
		return leave(w, r, "/admin/imports/"+b.ID.String())
	case wrong.Code != errs.Conflict && wrong.Code != errs.State:
		return err
	}
	names, err := s.inTheWay(ctx, wrong)
	if err == nil {
		b, err = s.store.ClientOf(ctx).ImportBatch.Get(ctx, b.ID) // somebody may have taken it back meanwhile
	}
	if err != nil {
		return err
	}
	lang := i18n.From(ctx)
	return s.showImport(w, r, http.StatusConflict, b, ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "entity.not_done"), Text: strings.TrimSpace(i18n.Error(lang, wrong) + " " + names), Alert: true})
}

// namedInTheWay is how many of the records in the way are named.
const namedInTheWay = 5

// inTheWay names the first of the records because of which an undo was refused.
// What the reader may not see is counted, not named.
func (s *site) inTheWay(ctx context.Context, wrong *errs.Error) (string, error) {
	need := wanted{}
	for _, f := range wrong.Fields[:min(len(wrong.Fields), namedInTheWay)] {
		need.add(ident.ID(f.Path))
	}
	refs, err := s.refs(ctx, need)
	if err != nil || len(wrong.Fields) == 0 {
		return "", err
	}
	var names []string
	for _, f := range wrong.Fields {
		ref, ok := refs[ident.ID(f.Path)]
		if !ok {
			continue
		}
		if e := entity.OfID(ident.ID(f.Path)); e != nil {
			names = append(names, i18n.C(ctx, "desk.undo_record", "kind", view.Name(i18n.From(ctx), e, 1), "name", ref.Title))
		}
	}
	if more := len(wrong.Fields) - len(names); more > 0 {
		names = append(names, i18n.C(ctx, "desk.undo_others", "n", more))
	}
	return i18n.C(ctx, "desk.undo_in_the_way", "names", strings.Join(names, ", ")), nil
}
