package access_test

import (
	"testing"

	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

const (
	ownPortfolio = ident.ID("pfl_own")
	ownProduct   = ident.ID("prd_own")
	ownVendor    = ident.ID("vnd_own")
	home         = ident.ID("pfl_home") // where ownProduct lives
	me           = ident.ID("per_me")
)

func person(roles []access.Role, ms ...viewer.Membership) *viewer.Viewer {
	v := &viewer.Viewer{Kind: viewer.Person, ID: me, Memberships: ms}
	for _, r := range roles {
		v.Roles = append(v.Roles, string(r))
	}
	return v
}

func as(role access.Role, ms ...viewer.Membership) *viewer.Viewer {
	return person([]access.Role{role}, ms...)
}

func portfolio(l viewer.Level) viewer.Membership {
	return viewer.Membership{Scope: viewer.ScopePortfolio, ID: ownPortfolio, Level: l}
}

func product(l viewer.Level) viewer.Membership {
	return viewer.Membership{Scope: viewer.ScopeProduct, ID: ownProduct, Level: l, PortfolioID: home}
}

func vendor(l viewer.Level) viewer.Membership {
	return viewer.Membership{Scope: viewer.ScopeVendor, ID: ownVendor, Level: l}
}

func all(l viewer.Level) viewer.Membership {
	return viewer.Membership{Scope: viewer.ScopeAll, Level: l}
}

func TestLevels(t *testing.T) {
	cases := []struct {
		name   string
		v      *viewer.Viewer
		entity string
		want   string // letters reached
	}{
		{"manager of the portfolio", as(access.RolePortfolioManager, portfolio(viewer.LevelManager)), "BudgetPlan", "rws"},
		{"contributor to the portfolio", as(access.RolePortfolioManager, portfolio(viewer.LevelContributor)), "BudgetPlan", "rw"},
		{"viewer of the portfolio", as(access.RolePortfolioManager, portfolio(viewer.LevelViewer)), "BudgetPlan", "r"},
		{"owner is no level of a portfolio", as(access.RolePortfolioManager, portfolio(viewer.LevelOwner)), "BudgetPlan", "rw"},
		{"partner is no level of a portfolio", as(access.RolePortfolioManager, portfolio(viewer.LevelPartner)), "BudgetPlan", ""},
		{"a bound gives nothing", as(access.RolePortfolioManager, portfolio(access.LevelBound)), "BudgetPlan", ""},
		{"owner of the product", as(access.RoleProductOwner, product(viewer.LevelOwner)), "BudgetPlan", "rws"},
		{"contributor to the product", as(access.RoleProductOwner, product(viewer.LevelContributor)), "BudgetPlan", "rw"},
		{"viewer of the product", as(access.RoleProductOwner, product(viewer.LevelViewer)), "BudgetPlan", "r"},
		{"a role within T has nothing from a portfolio", as(access.RoleProductOwner, portfolio(viewer.LevelManager)), "BudgetPlan", ""},
		{"role without membership", as(access.RolePortfolioManager), "BudgetPlan", ""},
		{"membership without role", person(nil, all(viewer.LevelManager)), "BudgetPlan", ""},
		{"membership of a team is expanded by the loader", as(access.RoleProductOwner, viewer.Membership{Scope: viewer.ScopeTeam, ID: "tem_x", Level: viewer.LevelOwner}), "BudgetPlan", ""},
		{"finance needs no membership", as(access.RoleFinanceOfficer), "BudgetPlan", "rwa"},
		{"admin manages portfolios", as(access.RoleAppAdmin), "Portfolio", "rm"},
		{"admin has no money", as(access.RoleAppAdmin, all(viewer.LevelManager)), "BudgetPlan", ""},
		{"expense authority decides as manager", as(access.RoleExpenseAuthority, portfolio(viewer.LevelManager)), "Procurement", "ra"},
		{"expense authority reads as viewer", as(access.RoleExpenseAuthority, portfolio(viewer.LevelViewer)), "Procurement", "r"},
		{"portfolio manager writes vendors", as(access.RolePortfolioManager, portfolio(viewer.LevelManager)), "Vendor", "rw"},
		{"portfolio manager without a portfolio does not", as(access.RolePortfolioManager), "Vendor", "r"},
		{"unknown level", as(access.RolePortfolioManager, portfolio("BOSS")), "BudgetPlan", ""},
		{"unknown role", person([]access.Role{"king"}, all(viewer.LevelManager)), "BudgetPlan", ""},
	}
	for _, c := range cases {
		got := ""
		for _, l := range access.Letters {
			if access.May(c.v, c.entity, l) {
				got += l.String()
			}
		}
		if got != c.want {
			t.Errorf("%s: %s has %q, want %q", c.name, c.entity, got, c.want)
		}
	}
}

func TestReach(t *testing.T) {
	owner := as(access.RoleProductOwner, product(viewer.LevelOwner))
	r := access.For(owner, "Portfolio", access.Read)
	if !r.Includes(access.Row{ID: home}) || r.Includes(access.Row{ID: ownPortfolio}) {
		t.Errorf("an owner reads the portfolio of the product: %+v", r)
	}
	if access.May(owner, "Portfolio", access.Write) {
		t.Error("an owner writes the portfolio")
	}
	if r := access.For(owner, "Initiative", access.Read); r.Includes(access.Row{Portfolio: home, Product: "prd_other"}) || !r.Includes(access.Row{Portfolio: home, Product: ownProduct}) {
		t.Errorf("an owner's initiatives: %+v", r)
	}
	if r := access.For(as(access.RolePortfolioManager, all(viewer.LevelManager)), "Portfolio", access.Write); !r.All {
		t.Errorf("a member of all: %+v", r)
	}
	if r := access.For(as(access.RolePortfolioManager, all(viewer.LevelManager)), "RoleGrant", access.Read); !r.Empty() {
		t.Errorf("only administrators see role grants: %+v", r)
	}
	if r := access.For(as(access.RoleContributor, product(viewer.LevelContributor)), "Dependency", access.Write); spell(r) != "T" {
		t.Errorf("dependencies of own products only: %+v", r)
	}
	if (access.Reach{Portfolios: []ident.ID{""}, Person: ""}).Includes(access.Row{}) {
		t.Error("an empty id matched an empty column")
	}
	if access.For(as(access.RolePortfolioManager, viewer.Membership{Scope: viewer.ScopePortfolio, Level: viewer.LevelManager}), "Product", access.Read).Includes(access.Row{}) {
		t.Error("a membership without an id reaches rows without one")
	}
	if r := access.For(person(nil), "Session", access.Write); r.Person != me || !r.Includes(access.Row{Person: me}) || r.Includes(access.Row{Person: "per_x"}) {
		t.Errorf("own sessions need no role: %+v", r)
	}
}

func TestSystemNobodyUnknown(t *testing.T) {
	sys := viewer.NewSystem(viewer.ViaCLI, "root")
	for _, name := range access.Names() {
		for _, l := range access.Letters {
			if !access.For(sys, name, l).All {
				t.Errorf("the system lacks %s on %s", l, name)
			}
			if access.May(nil, name, l) || access.May(&viewer.Viewer{Roles: []string{"auditor", "portfolio-manager"}, Memberships: []viewer.Membership{all(viewer.LevelManager)}}, name, l) {
				t.Errorf("a viewer of no kind has %s on %s", l, name)
			}
		}
		if !access.ForExport(sys, name).All || access.FieldHidden(sys, name, "value") {
			t.Errorf("the system exports and sees all of %s", name)
		}
	}
	for _, v := range []*viewer.Viewer{sys, full(access.RoleAuditor)} {
		if access.May(v, "Secret", access.Read) || access.May(v, "Vendor", 'q') || !access.ForRecord(v, "Comment", "Secret", access.Read).Empty() {
			t.Error("an unknown entity or letter reaches something")
		}
	}
	if access.Nav(nil) != nil || !access.FieldHidden(nil, "Contract", "value") || access.Bounded(nil) || access.Bounded(sys) {
		t.Error("nobody has something")
	}
}
