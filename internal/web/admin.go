package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/importbatch"
	"steward/ent/integration"
	"steward/internal/area/audit"
	"steward/internal/area/people"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/views/desk"
	view "steward/views/entity"
	"steward/views/layout"
	"steward/views/ui"
)

// administer draws a page of the administration.
func (s *site) administer(w http.ResponseWriter, r *http.Request, title string, content ui.Component) error {
	return s.show(w, r, http.StatusOK, s.frame(r, title, layout.Crumb{Label: i18n.C(r.Context(), "nav.section.admin")}, layout.Crumb{Label: title}), content)
}

// offered hides a page of the administration from those whose navigation lacks it.
func offered(ctx context.Context, name string, l access.Letter) error {
	if !access.May(viewer.From(ctx), name, l) {
		return errs.NotFound()
	}
	return nil
}

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
		From:  ui.Field{Name: "from", Label: i18n.T(lang, "desk.from"), Value: q.Get("from")},
		Until: ui.Field{Name: "until", Label: i18n.T(lang, "desk.until"), Value: q.Get("until")},
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

// usersPage lists the people who can sign in, with the rights asked for next.
func (s *site) usersPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := offered(ctx, "Membership", access.Read); err != nil {
		return err
	}
	lang := i18n.From(ctx)
	e := entity.ByName("Person")
	sort, _ := e.Field("name")
	words := strings.TrimSpace(r.URL.Query().Get("q"))
	found, err := e.List(ctx, s.store.ClientOf(ctx), func(sel *sql.Selector) {
		unarchived(sel)
		if p := matching(sel, e, words); p != nil {
			sel.Where(p)
		}
	}, orderBy(sort), 200, 0)
	if err != nil {
		return err
	}
	show := view.Show{Lang: lang, Zone: i18n.Zone(ctx)}
	t := desk.Table{Label: view.Name(lang, e, 2), Blank: ui.Blank{Icon: "users", Title: i18n.T(lang, "entity.none_found")}}
	fields := []string{"name", "email", "employment", "active"}
	for _, name := range fields {
		f, _ := e.Field(name)
		t.Heads = append(t.Heads, view.Label(lang, e, f))
	}
	for _, row := range found {
		name, _ := e.Value(row, "name").(string)
		cells := []ui.Component{desk.Link("/admin/users/"+row.ID.String(), name)}
		for _, other := range fields[1:] {
			f, _ := e.Field(other)
			cells = append(cells, show.Cell(e, f, row))
		}
		t.Rows = append(t.Rows, cells)
	}
	tables := []desk.Table{t}
	if access.May(viewer.From(ctx), "RoleGrant", access.Write) {
		waiting, err := people.Waiting(ctx, s.store)
		if err != nil {
			return err
		}
		if w := s.waitingTable(lang, waiting); len(w.Rows) > 0 {
			tables = []desk.Table{w, t}
		}
	}
	title := i18n.T(lang, "nav.members")
	return s.administer(w, r, title, desk.TablePage(title, "user-check", tables))
}

// waitingTable are the roles that a second administrator has to confirm.
func (s *site) waitingTable(lang string, list []*ent.RoleGrant) desk.Table {
	t := desk.Table{Label: i18n.T(lang, "desk.waiting"), Heads: []string{i18n.T(lang, "desk.who"), i18n.T(lang, "desk.role"), i18n.T(lang, "entity.reason")}}
	for _, g := range list {
		name := g.PersonID.String()
		if p := g.Edges.Person; p != nil {
			name = p.Name
		}
		t.Rows = append(t.Rows, []ui.Component{desk.Link("/admin/users/"+g.PersonID.String(), name), ui.Text(i18n.T(lang, "role."+g.Role)), ui.Text(g.Reason)})
	}
	return t
}

// integrationsPage lists services and tokens.
func (s *site) integrationsPage(w http.ResponseWriter, r *http.Request) error {
	return s.showIntegrations(w, r, http.StatusOK, me{}, "")
}

func (s *site) showIntegrations(w http.ResponseWriter, r *http.Request, status int, m me, service string) error {
	ctx := r.Context()
	if err := offered(ctx, "Integration", access.Read); err != nil {
		return err
	}
	lang := i18n.From(ctx)
	list, err := s.store.ClientOf(ctx).Integration.Query().Order(integration.ByName()).All(ctx)
	if err != nil {
		return err
	}
	page := desk.Integrations{Secret: m.secret, Services: desk.Table{Label: i18n.T(lang, "desk.services"), Blank: ui.Blank{Icon: "key-round", Title: i18n.T(lang, "desk.no_services")},
		Heads: []string{i18n.T(lang, "field.name"), i18n.T(lang, "desk.purpose"), i18n.T(lang, "desk.roles"), i18n.T(lang, "desk.token_used"), i18n.T(lang, "desk.state")}}}
	for _, i := range list {
		used, state := i18n.T(lang, "desk.never"), ui.Badge(ui.OK, i18n.T(lang, "enum.ACTIVE"), "")
		if i.LastUsedAt != nil {
			used = ago(ctx, *i.LastUsedAt)
		}
		if !i.Active || i.ArchivedAt != nil {
			state = ui.Badge(ui.Neutral, i18n.T(lang, "desk.ended"), "")
		}
		page.Services.Rows = append(page.Services.Rows, []ui.Component{ui.Text(i.Name), ui.Text(i.Purpose), ui.Text(strings.Join(i.Roles, ", ")), ui.Text(used), state})
	}
	portfolios, err := s.portfolios(ctx)
	if err != nil {
		return err
	}
	tokens, err := people.Tokens(ctx, s.store, "")
	if err != nil {
		return err
	}
	page.Tokens = s.tokenRows(ctx, tokens, portfolios)
	if access.May(viewer.From(ctx), "Integration", access.Write) {
		var roles []string
		for _, role := range access.Roles {
			roles = append(roles, string(role))
		}
		f := tokenForm(ctx, "/admin/integrations/tokens", roles, portfolios, m.input, m.wrong)
		f.Fields = append([]ui.Field{{Name: "service", Label: i18n.T(lang, "desk.service"), Value: service, Required: true, Max: 120, Err: i18n.FieldTexts(lang, m.wrong)["service"]}}, f.Fields...)
		page.New = &f
	}
	title := i18n.T(lang, "nav.integrations")
	return s.show(w, r, status, s.frame(r, title, layout.Crumb{Label: i18n.T(lang, "nav.section.admin")}, layout.Crumb{Label: title}), desk.IntegrationsPage(page))
}

// createServiceToken makes a token of a service; its secret is on this answer only.
func (s *site) createServiceToken(w http.ResponseWriter, r *http.Request) error {
	if err := offered(r.Context(), "Integration", access.Read); err != nil {
		return err
	}
	in, err := tokenInput(r)
	service := strings.TrimSpace(r.PostFormValue("service"))
	secret := ""
	if err == nil {
		secret, _, err = people.CreateServiceToken(r.Context(), s.store, service, in)
	}
	switch errs.CodeOf(err) {
	case "":
		return s.showIntegrations(w, r, http.StatusOK, me{secret: secret}, "")
	case errs.Validation:
		return s.showIntegrations(w, r, http.StatusUnprocessableEntity, me{input: in, wrong: err}, service)
	}
	return err
}

// revokeServiceToken ends any token the viewer may end.
func (s *site) revokeServiceToken(w http.ResponseWriter, r *http.Request) error {
	if err := people.RevokeToken(r.Context(), s.store, ident.ID(r.PathValue("id"))); err != nil {
		return err
	}
	s.flash(w, "entity.done", "")
	return leave(w, r, "/admin/integrations")
}
