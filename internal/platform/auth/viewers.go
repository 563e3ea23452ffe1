package auth

import (
	"context"
	"slices"
	"sync"
	"time"

	"steward/ent"
	"steward/ent/membership"
	"steward/ent/personidentity"
	"steward/ent/product"
	"steward/ent/rolegrant"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Person returns the viewer of a person as they are now, as the command line,
// jobs and tests need it. The error has the code Unauthenticated for somebody
// who is not active.
func (a *Auth) Person(ctx context.Context, id ident.ID) (*viewer.Viewer, error) {
	ctx = system(ctx)
	p, err := a.store.Client.Person.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, errNobody
	}
	if err != nil {
		return nil, store.Known(err)
	}
	return a.person(ctx, p)
}

// person loads roles and memberships at every request, so that what is taken
// away is gone with the next one.
func (a *Auth) person(ctx context.Context, p *ent.Person) (*viewer.Viewer, error) {
	if p == nil || !p.Active || p.ArchivedAt != nil {
		return nil, errNobody
	}
	v := &viewer.Viewer{Kind: viewer.Person, ID: p.ID, Name: p.Name, Zone: zone(p.TimeZone)}
	if p.Language != nil {
		v.Lang = p.Language.String()
	}
	c, now := a.store.ClientOf(ctx), a.now()
	identities, err := c.PersonIdentity.Query().Where(personidentity.PersonID(p.ID), personidentity.Issuer(a.cfg.StoredIssuer)).All(ctx)
	if err != nil {
		return nil, store.Known(err)
	}
	for _, i := range identities {
		v.Roles = append(v.Roles, i.Roles...)
	}
	granted, err := grantedRoles(ctx, c, p.ID, now)
	if err != nil {
		return nil, err
	}
	v.Roles = append(v.Roles, granted...)
	slices.Sort(v.Roles)
	v.Roles = slices.Compact(v.Roles)
	v.Memberships, err = memberships(ctx, c, p.ID, now)
	return v, err
}

// Still returns somebody who asked for work in the background as they are when it is done: with the
// memberships they have now, and of the roles they had then those that are still theirs. The error has
// the code Unauthenticated for somebody who is no longer active.
//
// It needs no identity provider: which issuer's roles count was settled when they signed in.
func Still(ctx context.Context, s *store.Store, was *viewer.Viewer) (*viewer.Viewer, error) {
	ctx = system(ctx)
	c, now := s.ClientOf(ctx), time.Now()
	p, err := c.Person.Get(ctx, was.ID)
	if ent.IsNotFound(err) {
		return nil, errNobody
	}
	if err != nil {
		return nil, store.Known(err)
	}
	if !p.Active || p.ArchivedAt != nil {
		return nil, errNobody
	}
	identities, err := c.PersonIdentity.Query().Where(personidentity.PersonID(p.ID)).All(ctx)
	if err != nil {
		return nil, store.Known(err)
	}
	var have []string
	for _, i := range identities {
		have = append(have, i.Roles...)
	}
	granted, err := grantedRoles(ctx, c, p.ID, now)
	if err != nil {
		return nil, err
	}
	have = append(have, granted...)
	v := *was
	v.Name = p.Name
	v.Roles = slices.DeleteFunc(slices.Clone(was.Roles), func(r string) bool { return !slices.Contains(have, r) })
	v.Memberships, err = memberships(ctx, c, p.ID, now)
	return &v, err
}

// grantedRoles are the roles that Steward itself has given somebody.
func grantedRoles(ctx context.Context, c *ent.Client, id ident.ID, now time.Time) (roles []string, err error) {
	grants, err := c.RoleGrant.Query().Where(rolegrant.PersonID(id), rolegrant.ArchivedAtIsNil(),
		rolegrant.Or(rolegrant.UntilIsNil(), rolegrant.UntilGT(now))).All(ctx)
	for _, g := range grants {
		if _, ok := access.ParseRole(g.Role); ok {
			roles = append(roles, g.Role)
		}
	}
	return roles, store.Known(err)
}

// memberships are those that hold now.
func memberships(ctx context.Context, c *ent.Client, id ident.ID, now time.Time) ([]viewer.Membership, error) {
	rows, err := c.Membership.Query().Where(membership.PersonID(id), membership.ArchivedAtIsNil(),
		membership.Or(membership.UntilIsNil(), membership.UntilGT(now))).Order(membership.ByID()).All(ctx)
	if err != nil {
		return nil, store.Known(err)
	}
	return expand(ctx, c, rows)
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
