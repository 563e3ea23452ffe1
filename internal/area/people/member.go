package people

import (
	"context"
	"time"

	"steward/ent"
	"steward/ent/membership"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// MemberInput asks for a membership.
type MemberInput struct {
	Person  ident.ID
	Scope   viewer.Scope
	ScopeID ident.ID // empty for viewer.ScopeAll
	Level   viewer.Level
	Reason  string
	Until   *time.Time // nil: until it is taken back
}

// levels says which levels a membership of each kind may have. An owner owns a
// product or what a team is accountable for, a manager a portfolio, a partner
// works for a vendor.
var levels = map[viewer.Scope][]viewer.Level{
	viewer.ScopePortfolio: {viewer.LevelViewer, viewer.LevelContributor, viewer.LevelManager},
	viewer.ScopeProduct:   {viewer.LevelViewer, viewer.LevelContributor, viewer.LevelOwner},
	viewer.ScopeTeam:      {viewer.LevelViewer, viewer.LevelContributor, viewer.LevelOwner},
	viewer.ScopeVendor:    {viewer.LevelPartner},
	viewer.ScopeAll:       {viewer.LevelViewer, viewer.LevelContributor, viewer.LevelManager},
}

// Levels returns the levels a membership of that kind may have.
func Levels(of viewer.Scope) []viewer.Level { return levels[of] }

// AddMember makes a person a member of a portfolio, product, vendor or team, or of
// everything; it counts from the person's next request on. Administrators may do so
// anywhere, portfolio managers for their portfolios and the products in them. One
// person has one such membership given here: another replaces it. The errors are
// NotFound for a person or place the viewer cannot see, Forbidden for oneself or
// elsewhere, and Validation naming the input.
func AddMember(ctx context.Context, s *store.Store, in MemberInput) (*ent.Membership, error) {
	var out *ent.Membership
	err := s.Tx(store.Because(ctx, &in.Reason), func(ctx context.Context, c *ent.Client) error {
		at, err := place(ctx, c, in.Scope, in.ScopeID)
		if err != nil {
			return err
		}
		if err := may(ctx, "Membership", at); err != nil {
			return err
		}
		if err := in.check(); err != nil {
			return err
		}
		p, err := other(ctx, c, in.Person)
		if err != nil {
			return err
		}
		own := scope.Elevate(ctx)
		old, err := c.Membership.Query().Where(membership.PersonID(p.ID), membership.ScopeEQ(membership.Scope(in.Scope)), membership.ScopeID(in.ScopeID),
			membership.GrantedByEQ(membership.GrantedByAPP), membership.ArchivedAtIsNil()).Where(s.Lock()).All(own)
		if err != nil {
			return err
		}
		for _, m := range old {
			if err := c.Membership.UpdateOne(m).SetArchivedAt(time.Now().UTC().Truncate(time.Microsecond)).Exec(own); err != nil {
				return err
			}
		}
		out, err = c.Membership.Create().SetPersonID(p.ID).SetScope(membership.Scope(in.Scope)).SetScopeID(in.ScopeID).
			SetLevel(membership.Level(in.Level)).SetReason(in.Reason).SetNillableUntil(in.Until).Save(own)
		return err
	})
	if err != nil {
		return nil, store.Known(err)
	}
	out, err = s.ClientOf(ctx).Membership.Query().Where(membership.ID(out.ID)).WithPerson().Only(scope.Elevate(ctx))
	return out, store.Known(err)
}

// RemoveMember takes a membership given in Steward back. The errors are NotFound,
// Forbidden for oneself or elsewhere, Validation without a reason, and State for
// one that comes from the identity provider.
func RemoveMember(ctx context.Context, s *store.Store, id ident.ID, reason string) error {
	return store.Known(s.Tx(store.Because(ctx, &reason), func(ctx context.Context, c *ent.Client) error {
		if !access.May(viewer.From(ctx), "Membership", access.Read) {
			return errs.NotFound()
		}
		own := scope.Elevate(ctx)
		m, err := c.Membership.Query().Where(membership.ID(id), membership.ArchivedAtIsNil()).Where(s.Lock()).Only(own)
		if err != nil {
			return err
		}
		at, err := place(ctx, c, viewer.Scope(m.Scope), m.ScopeID)
		if err != nil {
			return err
		}
		if err := may(ctx, "Membership", at); err != nil {
			return err
		}
		if _, err := other(ctx, c, m.PersonID); err != nil {
			return err
		}
		if err := why("reason", reason); err != nil {
			return err
		}
		if m.GrantedBy == membership.GrantedByIDP {
			return errs.New(errs.State, "people.from_provider")
		}
		return c.Membership.UpdateOne(m).SetArchivedAt(time.Now().UTC().Truncate(time.Microsecond)).Exec(own)
	}))
}

// Members returns who is a member of one thing now, each with the person, by name.
// The errors are NotFound for a place the viewer cannot see and for viewers who do
// not look after its members.
func Members(ctx context.Context, s *store.Store, of viewer.Scope, id ident.ID) ([]*ent.Membership, error) {
	c := s.ClientOf(ctx)
	at, err := place(ctx, c, of, id)
	if err != nil {
		return nil, store.Known(err)
	}
	if !access.For(viewer.From(ctx), "Membership", access.Read).Includes(at) {
		return nil, errs.NotFound()
	}
	out, err := c.Membership.Query().Where(membership.ScopeEQ(membership.Scope(of)), membership.ScopeID(id), membership.ArchivedAtIsNil(),
		membership.Or(membership.UntilIsNil(), membership.UntilGT(time.Now().UTC()))).
		WithPerson().Order(membership.ByPersonField("name"), membership.ByID()).All(scope.Elevate(ctx))
	return out, store.Known(err)
}

func (in MemberInput) check() error {
	known := false
	for _, l := range levels[in.Scope] {
		known = known || l == in.Level
	}
	if !known {
		return errs.Invalid("level", "people.level_elsewhere")
	}
	if err := why("reason", in.Reason); err != nil {
		return err
	}
	return ahead(in.Until)
}

// place says what a membership of something is compared with: memberships of a
// portfolio and of a product lie in the portfolio, all others nowhere, so that only
// those who reach everything look after them. The thing is looked up as the viewer.
func place(ctx context.Context, c *ent.Client, of viewer.Scope, id ident.ID) (access.Row, error) {
	switch of {
	case viewer.ScopeAll:
		if id != "" {
			return access.Row{}, errs.Invalid("scope", "people.scope_all_is_all")
		}
		return access.Row{}, nil
	case viewer.ScopePortfolio:
		p, err := c.Portfolio.Get(ctx, id)
		if err != nil {
			return access.Row{}, err
		}
		return access.Row{Portfolio: p.ID}, nil
	case viewer.ScopeProduct:
		p, err := c.Product.Get(ctx, id)
		if err != nil {
			return access.Row{}, err
		}
		return access.Row{Portfolio: p.PortfolioID}, nil
	case viewer.ScopeVendor:
		_, err := c.Vendor.Get(ctx, id)
		return access.Row{}, err
	case viewer.ScopeTeam:
		_, err := c.Team.Get(ctx, id)
		return access.Row{}, err
	}
	return access.Row{}, errs.Invalid("scope", "error.required")
}
