package web

import (
	"context"
	"net/http"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/integration"
	"steward/internal/area/people"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
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
