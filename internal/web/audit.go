package web

import (
	"bufio"
	"context"
	"maps"
	"net/http"
	"net/url"
	"time"

	"steward/internal/area/audit"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/views/desk"
	view "steward/views/entity"
	"steward/views/ui"
)

// auditPage is everything that happened, as far as the reader may see it.
func (s *site) auditPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := offered(ctx, "ChangeEvent", access.Read); err != nil {
		return err
	}
	lang, q := i18n.From(ctx), r.URL.Query()
	f := audit.Filter{Entity: q.Get("entity"), ID: ident.ID(q.Get("id")), Actor: q.Get("actor"), Op: q.Get("op"), Via: q.Get("via"), ChangeSet: q.Get("set"), After: q.Get("after")}
	from, err := day(ctx, q.Get("from"), 0)
	if err != nil {
		return err
	}
	until, err := day(ctx, q.Get("until"), 1)
	if err != nil {
		return err
	}
	f.From, f.To = from, until
	page, err := audit.List(ctx, s.store, f)
	if err != nil {
		return err
	}
	need := wanted{}
	for _, x := range page.Entries {
		if e := entity.ByName(x.Event.EntityType); e != nil {
			wantedByDiff(need, e, diffOf(x))
		}
	}
	show, err := s.shower(ctx, need)
	if err != nil {
		return err
	}
	p := desk.Audit{
		Export: audit.MayExport(viewer.From(ctx)),
		From:   ui.Field{Name: "from", Label: i18n.T(lang, "desk.from"), Value: q.Get("from")},
		Until:  ui.Field{Name: "until", Label: i18n.T(lang, "desk.until"), Value: q.Get("until")},
	}
	kinds := ui.Field{Name: "entity", Label: i18n.T(lang, "desk.kind"), Value: f.Entity, Blank: i18n.T(lang, "desk.every")}
	for _, e := range entity.Registry() {
		kinds.Options = append(kinds.Options, ui.Option{Value: e.Name, Label: view.Name(lang, e, 2)})
	}
	ops := ui.Field{Name: "op", Label: i18n.T(lang, "desk.op"), Value: f.Op, Blank: i18n.T(lang, "desk.every")}
	for _, op := range []string{"CREATE", "UPDATE", "ARCHIVE", "RESTORE", "DELETE", "EVENT"} {
		ops.Options = append(ops.Options, ui.Option{Value: op, Label: i18n.T(lang, "change."+op)})
	}
	vias := ui.Field{Name: "via", Label: i18n.T(lang, "desk.via"), Value: f.Via, Blank: i18n.T(lang, "desk.every")}
	for _, via := range []string{"PAGE", "API", "IMPORT", "JOB", "CLI"} {
		vias.Options = append(vias.Options, ui.Option{Value: via, Label: i18n.T(lang, "via."+via)})
	}
	p.Filters = []ui.Field{kinds, ops, vias}
	for _, name := range []string{"id", "actor", "set"} {
		if q.Get(name) != "" {
			p.Hidden = append(p.Hidden, [2]string{name, q.Get(name)})
		}
	}
	for _, x := range page.Entries {
		kind, change := x.Event.EntityType, ui.Change{}
		ev := *x.Event
		ev.Diff = diffOf(x)
		if e := entity.ByName(kind); e != nil {
			if show.Own, err = ownOf(ctx, e); err != nil {
				return err
			}
			change = changeOf(ctx, show, e, &ev, "")
			if e.Registry {
				kind = view.Name(lang, e, 1)
			}
		}
		p.Events = append(p.Events, desk.Event{Change: change, Kind: kind, Title: x.Title, Href: x.Path})
	}
	if page.Next != "" {
		next := url.Values{}
		maps.Copy(next, q)
		next.Set("after", page.Next)
		p.Next = "/admin/audit?" + next.Encode()
	}
	return s.administer(w, r, i18n.T(lang, "nav.audit"), desk.AuditPage(p))
}

// exportAudit sends the whole record of changes as a file signed by its head.
func (s *site) exportAudit(w http.ResponseWriter, r *http.Request) error {
	if err := offered(r.Context(), "ChangeEvent", access.Read); err != nil {
		return err
	}
	if !audit.MayExport(viewer.From(r.Context())) {
		return errs.Forbidden()
	}
	_ = http.NewResponseController(w).SetWriteDeadline(s.Now().Add(10 * time.Minute))
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Content-Disposition", `attachment; filename="audit-`+s.Now().UTC().Format("2006-01-02")+`.jsonl"`)
	out := bufio.NewWriter(w)
	_, err := audit.Export(r.Context(), s.store, out)
	return s.finished(r, out, err)
}

// diffOf puts the visible values of an entry back into the form of a diff.
func diffOf(x audit.Entry) map[string][2]any {
	out := map[string][2]any{}
	for _, f := range x.Fields {
		if !f.Hidden {
			out[f.Name] = [2]any{f.Before, f.After}
		}
	}
	return out
}

// day reads a day of a filter as the instant it begins on the reader's clock, some
// days later; nil for none.
func day(ctx context.Context, text string, later int) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	d, err := civil.ParseDate(text)
	if err != nil {
		return nil, errs.Invalid("from", "error.not_date", "value", text)
	}
	t := time.Date(d.Year, d.Month, d.Day+later, 0, 0, 0, 0, i18n.Zone(ctx)).UTC()
	return &t, nil
}
