package auth

import (
	"context"
	"slices"
	"sync"
	"time"

	"steward/ent"
	"steward/ent/membership"
	"steward/ent/product"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Person returns the viewer of a person as they are now, as the command line,
// jobs and tests need it. The error has the code Unauthenticated for somebody
// who is not active.
func (a *Auth) Person(ctx context.Context, id ident.ID) (*viewer.Viewer, error) {
	return a.person(system(ctx), id)
}

// person loads roles and memberships at every request, so that what is taken
// away is gone with the next one.
func (a *Auth) person(ctx context.Context, id ident.ID) (*viewer.Viewer, error) {
	p, err := standingOf(ctx, a.store, id, a.cfg.StoredIssuer, a.now())
	if err != nil {
		return nil, err
	}
	v := &viewer.Viewer{Kind: viewer.Person, ID: id, Name: p.name, Zone: zone(p.zone), Lang: p.lang, Roles: append(p.provided, p.granted...)}
	slices.Sort(v.Roles)
	v.Roles = slices.Compact(v.Roles)
	v.Memberships, err = expand(ctx, a.store.ClientOf(ctx), p.memberships)
	return v, err
}

// Still returns somebody who asked for work in the background as they are when it is done: with the
// memberships they have now, and of the roles they had then those that are still theirs. The error has
// the code Unauthenticated for somebody who is no longer active.
//
// It needs no identity provider: which issuer's roles count was settled when they signed in.
func Still(ctx context.Context, s *store.Store, was *viewer.Viewer) (*viewer.Viewer, error) {
	ctx = system(ctx)
	p, err := standingOf(ctx, s, was.ID, "", time.Now().UTC())
	if err != nil {
		return nil, err
	}
	have := append(p.provided, p.granted...)
	v := *was
	v.Name = p.name
	v.Roles = slices.DeleteFunc(slices.Clone(was.Roles), func(r string) bool { return !slices.Contains(have, r) })
	v.Memberships, err = expand(ctx, s.ClientOf(ctx), p.memberships)
	return &v, err
}

// expand turns rows into the viewer's memberships: a team's becomes one of each
// product the team is accountable for, with the same level, and those of
// products also say in which portfolio the product lives.
func expand(ctx context.Context, c *ent.Client, rows []*ent.Membership) ([]viewer.Membership, error) {
	var teams, products []ident.ID
	for _, m := range rows {
		switch m.Scope {
		case membership.ScopeTEAM:
			teams = append(teams, m.ScopeID)
		case membership.ScopePRODUCT:
			products = append(products, m.ScopeID)
		}
	}
	var found []*ent.Product
	if len(teams)+len(products) > 0 {
		var err error
		found, err = c.Product.Query().Where(product.Or(product.IDIn(products...), product.TeamIDIn(teams...))).
			Select(product.FieldID, product.FieldPortfolioID, product.FieldTeamID).Order(product.ByID()).All(ctx)
		if err != nil {
			return nil, store.Known(err)
		}
	}
	var out []viewer.Membership
	for _, m := range rows {
		level := viewer.Level(m.Level)
		switch m.Scope {
		case membership.ScopeTEAM, membership.ScopePRODUCT:
			for _, p := range found {
				if p.ID == m.ScopeID || m.Scope == membership.ScopeTEAM && p.TeamID != nil && *p.TeamID == m.ScopeID {
					out = append(out, viewer.Membership{Scope: viewer.ScopeProduct, ID: p.ID, Level: level, PortfolioID: p.PortfolioID})
				}
			}
			if m.Scope == membership.ScopeTEAM {
				out = append(out, viewer.Membership{Scope: viewer.ScopeTeam, ID: m.ScopeID, Level: level})
			}
		default:
			out = append(out, viewer.Membership{Scope: viewer.Scope(m.Scope), ID: m.ScopeID, Level: level})
		}
	}
	return out, nil
}

var zones sync.Map // name → *time.Location; loading one reads a file

// zone returns the time zone of that name, UTC for one that does not exist.
func zone(name string) *time.Location {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location)
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	zones.Store(name, z)
	return z
}
