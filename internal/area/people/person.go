package people

import (
	"context"
	"slices"
	"time"

	"steward/ent"
	"steward/ent/membership"
	"steward/ent/personidentity"
	"steward/ent/rolegrant"
	"steward/internal/platform/auth"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Rights is what a person holds.
type Rights struct {
	Person *ent.Person
	// Provider are the roles the identity provider named at the last sign-in.
	Provider []string
	// Grants are those of Steward that count or wait (see Pending), newest first.
	Grants []*ent.RoleGrant
	// Memberships that count, those of the provider included.
	Memberships []*ent.Membership
}

// RightsOf returns what a person holds: to themselves, to administrators and to
// auditors. A portfolio manager is shown only the memberships of the portfolio and
// its products. To everybody else the person's rights do not exist.
func RightsOf(ctx context.Context, s *store.Store, id ident.ID) (Rights, error) {
	c, v := s.ClientOf(ctx), viewer.From(ctx)
	p, err := c.Person.Get(ctx, id)
	if err != nil {
		return Rights{}, store.Known(err)
	}
	out, own := Rights{Person: p}, scope.Elevate(ctx)
	reach := access.For(v, "Membership", access.Read)
	self := v.ID == id && !access.Bounded(v)
	if !self && reach.Empty() {
		return Rights{}, errs.NotFound()
	}
	rows, err := c.Membership.Query().Where(membership.PersonID(id), membership.ArchivedAtIsNil(),
		membership.Or(membership.UntilIsNil(), membership.UntilGT(time.Now().UTC()))).Order(membership.ByScope(), membership.ByID()).All(own)
	if err != nil {
		return Rights{}, store.Known(err)
	}
	for _, m := range rows {
		at := access.Row{}
		if !self && !reach.All {
			if at, err = place(ctx, c, viewer.Scope(m.Scope), m.ScopeID); err != nil {
				continue // of something the viewer cannot see
			}
		}
		if self || reach.Includes(at) {
			out.Memberships = append(out.Memberships, m)
		}
	}
	if !self && !access.For(v, "RoleGrant", access.Read).All {
		return out, nil
	}
	identities, err := c.PersonIdentity.Query().Where(personidentity.PersonID(id)).All(own)
	if err != nil {
		return Rights{}, store.Known(err)
	}
	for _, i := range identities {
		out.Provider = append(out.Provider, i.Roles...)
	}
	slices.Sort(out.Provider)
	out.Provider = slices.Compact(out.Provider)
	grants, err := c.RoleGrant.Query().Where(rolegrant.PersonID(id), rolegrant.Or(rolegrant.UntilIsNil(), rolegrant.UntilGT(time.Now().UTC()))).All(own)
	if err != nil {
		return Rights{}, store.Known(err)
	}
	for _, g := range slices.Backward(grants) {
		if g.ArchivedAt == nil || Pending(g) {
			out.Grants = append(out.Grants, g)
		}
	}
	return out, nil
}

// Waiting returns the grants that wait for a second administrator, each with its
// person. To those who do not read grants there are none.
func Waiting(ctx context.Context, s *store.Store) ([]*ent.RoleGrant, error) {
	if !access.For(viewer.From(ctx), "RoleGrant", access.Read).All {
		return nil, nil
	}
	found, err := s.ClientOf(ctx).RoleGrant.Query().Where(rolegrant.ArchivedAtNotNil()).WithPerson().
		Order(rolegrant.ByCreatedAt(), rolegrant.ByID()).All(scope.Elevate(ctx))
	return slices.DeleteFunc(found, func(g *ent.RoleGrant) bool { return !Pending(g) }), store.Known(err)
}

// Deactivate shuts a person out at once: in one transaction they become inactive,
// their sessions end and their API tokens are revoked. Only administrators may. The
// errors are NotFound, Forbidden (oneself included), Validation naming "reason" or
// "version", and Conflict for a stale version.
func Deactivate(ctx context.Context, s *store.Store, id ident.ID, version int, reason string) error {
	return admit(ctx, s, id, version, reason, func(ctx context.Context, c *ent.Client, p *ent.Person) error {
		if !p.Active {
			return errs.New(errs.State, "people.already_inactive")
		}
		return auth.Deactivate(ctx, c, p.ID)
	})
}

// Reactivate lets a person sign in again. What was ended stays ended: they get new
// sessions and tokens. Who may and the errors are those of Deactivate.
func Reactivate(ctx context.Context, s *store.Store, id ident.ID, version int, reason string) error {
	return admit(ctx, s, id, version, reason, func(ctx context.Context, c *ent.Client, p *ent.Person) error {
		if p.Active {
			return errs.New(errs.State, "people.already_active")
		}
		return c.Person.UpdateOne(p).SetActive(true).Exec(ctx)
	})
}

// admit checks who asks about whom before it changes who may come in.
func admit(ctx context.Context, s *store.Store, id ident.ID, version int, reason string, do func(context.Context, *ent.Client, *ent.Person) error) error {
	return store.Known(s.Tx(store.Because(ctx, &reason), func(ctx context.Context, c *ent.Client) error {
		p, err := c.Person.Get(ctx, id)
		if err != nil {
			return err
		}
		if !access.May(viewer.From(ctx), "Person", access.Manage) {
			return errs.Forbidden()
		}
		if _, err := other(ctx, c, id); err != nil {
			return err
		}
		if err := why("reason", reason); err != nil {
			return err
		}
		if version < 1 {
			return errs.Invalid("version", "error.required")
		}
		if version != p.Version {
			return s.Stale(ctx, "Person", id, errs.NotFound())
		}
		return do(ctx, c, p)
	}))
}
