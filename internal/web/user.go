package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/internal/area/people"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/views/desk"
	view "steward/views/entity"
	"steward/views/layout"
	"steward/views/ui"
)

// userPage is what one person holds, with the forms to give and take.
func (s *site) userPage(w http.ResponseWriter, r *http.Request) error {
	return s.showUser(w, r, ident.ID(r.PathValue("id")), http.StatusOK)
}

func (s *site) showUser(w http.ResponseWriter, r *http.Request, id ident.ID, status int, banners ...ui.Notice) error {
	ctx := r.Context()
	if err := offered(ctx, "Membership", access.Read); err != nil {
		return err
	}
	rights, err := people.RightsOf(ctx, s.store, id)
	if err != nil {
		return err
	}
	v, lang := viewer.From(ctx), i18n.From(ctx)
	p := rights.Person
	page := desk.User{ID: p.ID.String(), Name: p.Name, Email: p.Email, Active: p.Active, Version: p.Version, Banners: banners}
	for _, role := range rights.Provider {
		if _, ok := access.ParseRole(role); ok {
			page.Provider = append(page.Provider, i18n.T(lang, "role."+role))
		}
	}
	mayRoles := access.May(v, "RoleGrant", access.Write) && v.ID != id
	mayMembers := access.May(v, "Membership", access.Write) && v.ID != id
	for _, g := range rights.Grants {
		row := desk.Grant{ID: g.ID.String(), Text: i18n.T(lang, "role."+g.Role), Sub: g.Reason, Waits: people.Pending(g)}
		if mayRoles {
			row.Revoke = "/admin/roles/" + g.ID.String() + "/revoke"
			if row.Waits && g.CreatedBy != v.ID.String() {
				row.Confirm = "/admin/roles/" + g.ID.String() + "/confirm"
			}
		}
		page.Roles = append(page.Roles, row)
	}
	places, names, err := s.places(ctx, rights.Memberships)
	if err != nil {
		return err
	}
	for _, m := range rights.Memberships {
		where := names[m.ScopeID]
		if m.Scope == "ALL" {
			where = i18n.T(lang, "desk.all_portfolios")
		}
		row := desk.Grant{ID: m.ID.String(), Text: where, Sub: i18n.T(lang, "level."+m.Level.String())}
		if m.GrantedBy == "IDP" {
			row.Sub += " · " + i18n.T(lang, "desk.from_provider")
		} else if mayMembers {
			row.Revoke = "/admin/members/" + m.ID.String() + "/remove"
		}
		page.Memberships = append(page.Memberships, row)
	}
	base := "/admin/users/" + id.String()
	if mayRoles {
		page.RoleAction = base + "/roles"
		role := ui.Field{Name: "role", ID: "role", Label: i18n.T(lang, "desk.role"), Required: true}
		for _, x := range access.Roles {
			role.Options = append(role.Options, ui.Option{Value: string(x), Label: i18n.T(lang, "role."+string(x))})
		}
		page.RoleFields = desk.RoleFields{Role: role,
			Until:  ui.Field{Name: "until", ID: "role-until", Label: i18n.T(lang, "desk.until")},
			Limit:  ui.Field{Name: "limit", ID: "role-limit", Label: i18n.T(lang, "desk.limit"), Unit: "CAD", Hint: i18n.T(lang, "desk.limit_text")},
			Reason: ui.Field{Name: "reason", ID: "role-reason", Label: i18n.T(lang, "entity.reason"), Required: true, Max: 500}}
	}
	if mayMembers {
		page.MemberAction = base + "/members"
		level := ui.Field{Name: "level", ID: "member-level", Label: i18n.T(lang, "desk.level"), Required: true}
		for _, l := range []viewer.Level{viewer.LevelViewer, viewer.LevelContributor, viewer.LevelOwner, viewer.LevelManager, viewer.LevelPartner} {
			level.Options = append(level.Options, ui.Option{Value: string(l), Label: i18n.T(lang, "level."+string(l))})
		}
		page.MemberFields = desk.MemberFields{Level: level,
			Where:  ui.Field{Name: "where", ID: "member-where", Label: i18n.T(lang, "desk.where"), Required: true, Options: places},
			Reason: ui.Field{Name: "reason", ID: "member-reason", Label: i18n.T(lang, "entity.reason"), Required: true, Max: 500}}
	}
	if mayRoles && access.May(v, "Person", access.Write) {
		page.ActiveAction = base + "/active"
	}
	if people.MayTakeOut(v, id) {
		page.Data = base + "/data.json"
	}
	if access.May(v, "Person", access.Manage) && v.ID != id {
		page.EraseAction = base + "/erase"
	}
	members := i18n.T(lang, "nav.members")
	return s.show(w, r, status, s.frame(r, p.Name, layout.Crumb{Label: members, Href: "/admin/users"}, layout.Crumb{Label: p.Name}), desk.UserPage(page))
}

// places are what a membership can be of, and the names of those somebody has.
func (s *site) places(ctx context.Context, have []*ent.Membership) ([]ui.Option, map[ident.ID]string, error) {
	v, lang := viewer.From(ctx), i18n.From(ctx)
	names := map[ident.ID]string{}
	var out []ui.Option
	if access.For(v, "Membership", access.Write).All {
		out = append(out, ui.Option{Value: string(viewer.ScopeAll) + ":", Label: i18n.T(lang, "desk.all_portfolios")})
	}
	for _, x := range []struct {
		name string
		of   viewer.Scope
	}{{"Portfolio", viewer.ScopePortfolio}, {"Product", viewer.ScopeProduct}, {"Team", viewer.ScopeTeam}, {"Vendor", viewer.ScopeVendor}} {
		e := entity.ByName(x.name)
		if !access.May(v, x.name, access.Read) {
			continue
		}
		var ids []any
		for _, m := range have {
			if m.Scope.String() == string(x.of) {
				ids = append(ids, m.ScopeID)
			}
		}
		sort, _ := e.Field(e.Sort)
		found, err := e.List(ctx, s.store.ClientOf(ctx), func(sel *sql.Selector) {
			sel.Where(sql.Or(sql.IsNull(sel.C("archived_at")), sql.In(sel.C("id"), append(ids, "")...)))
		}, orderBy(sort), 300, 0)
		if err != nil {
			return nil, nil, err
		}
		for _, row := range found {
			name, _ := e.Value(row, "name").(string)
			names[row.ID] = view.Name(lang, e, 1) + " " + name
			out = append(out, ui.Option{Value: string(x.of) + ":" + row.ID.String(), Label: name, Group: view.Name(lang, e, 2)})
		}
	}
	return out, names, nil
}

// userStep runs a verb about a person's rights and shows the person again.
func (s *site) userStep(w http.ResponseWriter, r *http.Request, id ident.ID, do func(context.Context) error) error {
	err := do(r.Context())
	switch code := errs.CodeOf(store.Known(err)); {
	case err == nil:
		s.flash(w, "entity.done", "")
		return leave(w, r, "/admin/users/"+id.String())
	case code == errs.Validation || code == errs.State || code == errs.Conflict:
		known := errs.As(store.Known(err))
		text := i18n.ErrorC(r.Context(), known)
		if list := i18n.Fields(i18n.From(r.Context()), known); len(list) > 0 {
			text = list[0].Text
		}
		return s.showUser(w, r, id, statuses[code], ui.Notice{Tone: ui.Bad, Title: i18n.C(r.Context(), "entity.not_done"), Text: text, Alert: true})
	}
	return err
}

// grantRole gives a person a role.
func (s *site) grantRole(w http.ResponseWriter, r *http.Request) error {
	id := ident.ID(r.PathValue("id"))
	return s.userStep(w, r, id, func(ctx context.Context) error {
		in := people.RoleInput{Person: id, Role: r.PostFormValue("role"), Reason: r.PostFormValue("reason")}
		until, err := day(ctx, r.PostFormValue("until"), 1)
		if err != nil {
			return err
		}
		in.Until = until
		if text := strings.TrimSpace(r.PostFormValue("limit")); text != "" {
			amount, err := money.ParseInput(text, i18n.From(ctx))
			if err != nil {
				return errs.Invalid("limit", "error.not_amount", "value", text)
			}
			in.Limit, in.Currency = &amount, "CAD"
		}
		_, err = people.Grant(ctx, s.store, in)
		return err
	})
}

// confirmRole is the second administrator's word on a role.
func (s *site) confirmRole(w http.ResponseWriter, r *http.Request) error {
	return s.grantStep(w, r, func(ctx context.Context, id ident.ID) error {
		_, err := people.Confirm(ctx, s.store, id)
		return err
	})
}

// revokeRole takes a role away.
func (s *site) revokeRole(w http.ResponseWriter, r *http.Request) error {
	return s.grantStep(w, r, func(ctx context.Context, id ident.ID) error {
		return people.Revoke(ctx, s.store, id, r.PostFormValue("reason"))
	})
}

func (s *site) grantStep(w http.ResponseWriter, r *http.Request, do func(context.Context, ident.ID) error) error {
	ctx := r.Context()
	g, err := s.store.ClientOf(ctx).RoleGrant.Get(ctx, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return s.userStep(w, r, g.PersonID, func(ctx context.Context) error { return do(ctx, g.ID) })
}

// addMember makes a person a member of something.
func (s *site) addMember(w http.ResponseWriter, r *http.Request) error {
	id := ident.ID(r.PathValue("id"))
	return s.userStep(w, r, id, func(ctx context.Context) error {
		of, place, ok := strings.Cut(r.PostFormValue("where"), ":")
		if !ok {
			return errs.Invalid("where", "error.required")
		}
		level := viewer.Level(r.PostFormValue("level"))
		if !slices.Contains(people.Levels(viewer.Scope(of)), level) {
			return errs.Invalid("level", "web.level")
		}
		_, err := people.AddMember(ctx, s.store, people.MemberInput{Person: id, Scope: viewer.Scope(of), ScopeID: ident.ID(place), Level: level, Reason: r.PostFormValue("reason")})
		return err
	})
}

// removeMember ends a membership.
func (s *site) removeMember(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	m, err := s.store.ClientOf(ctx).Membership.Get(ctx, ident.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return s.userStep(w, r, m.PersonID, func(ctx context.Context) error {
		return people.RemoveMember(ctx, s.store, m.ID, r.PostFormValue("reason"))
	})
}

// setActive shuts a person out, or lets them in again.
func (s *site) setActive(w http.ResponseWriter, r *http.Request) error {
	id := ident.ID(r.PathValue("id"))
	return s.userStep(w, r, id, func(ctx context.Context) error {
		do := people.Deactivate
		if r.PostFormValue("active") == "true" {
			do = people.Reactivate
		}
		return do(ctx, s.store, id, formVersion(r), r.PostFormValue("reason"))
	})
}

// personData sends everything that is kept about a person.
func (s *site) personData(w http.ResponseWriter, r *http.Request) error {
	return s.sendData(w, r, ident.ID(r.PathValue("id")))
}

// ownData sends everything that is kept about the reader.
func (s *site) ownData(w http.ResponseWriter, r *http.Request) error {
	return s.sendData(w, r, viewer.From(r.Context()).ID)
}

func (s *site) sendData(w http.ResponseWriter, r *http.Request, id ident.ID) error {
	data, err := people.Data(r.Context(), s.store, id)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="`+id.String()+`.json"`)
	out := json.NewEncoder(w)
	out.SetIndent("", " ")
	_ = out.Encode(data) // the reader may have gone
	return nil
}

// erase takes a person out of Steward for good.
func (s *site) erase(w http.ResponseWriter, r *http.Request) error {
	id := ident.ID(r.PathValue("id"))
	return s.userStep(w, r, id, func(ctx context.Context) error {
		_, err := people.Erase(ctx, s.store, id, r.PostFormValue("reason"))
		return err
	})
}
