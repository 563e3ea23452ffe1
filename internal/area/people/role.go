// Package people looks after who may do what: the roles and memberships granted in
// Steward, the people themselves, their sessions and their tokens. Nobody changes
// anything for themselves, every grant has a reason and may end, and a role that
// moves money takes two administrators (security.md, SD-11).
//
// Roles and memberships that come from the identity provider are shown here and
// changed there.
package people

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"steward/ent"
	"steward/ent/personidentity"
	"steward/ent/rolegrant"
	"steward/internal/area/move"
	"steward/internal/platform/auth"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
)

// reasonMax is the length of a reason in characters.
const reasonMax = 500

// RoleInput asks for a role in Steward.
type RoleInput struct {
	Person ident.ID
	Role   string
	Reason string
	Until  *time.Time // nil: until it is revoked
	// Limit is the most an expense authority may approve at once, in Currency; nil:
	// no limit is stated. With several grants the highest counts.
	Limit    *money.Amount
	Currency string
}

// moneyRoles are the roles that decide about money. They take a second
// administrator, and an administrator has none of them.
var moneyRoles = []access.Role{
	access.RoleFinanceOfficer, access.RoleProcurementOfficer, access.RoleExpenseAuthority, access.RoleExecutive,
}

// Grant gives a person a role. A money role is written down and waits for a second
// administrator (see Pending and Confirm); any other counts from the next request
// on. Only administrators and the command line may; the command line needs no
// second; anybody else must have proved recently who they are, or the error is
// auth.ErrNotFresh. The others are NotFound for a person who does not exist or, to those
// without any right here, for everybody; Forbidden for oneself; Validation naming
// the input; State for a money role to an administrator or the other way round.
func Grant(ctx context.Context, s *store.Store, in RoleInput) (*ent.RoleGrant, error) {
	var out *ent.RoleGrant
	err := s.Tx(store.Because(ctx, &in.Reason), func(ctx context.Context, c *ent.Client) error {
		if err := may(ctx, "RoleGrant", access.Row{}); err != nil {
			return err
		}
		role, err := in.check()
		if err != nil {
			return err
		}
		p, err := other(ctx, c, in.Person)
		if err != nil {
			return err
		}
		if err := apart(ctx, c, p.ID, role); err != nil {
			return err
		}
		if err := auth.Fresh(ctx); err != nil {
			return err
		}
		w := c.RoleGrant.Create().SetPersonID(p.ID).SetRole(in.Role).SetReason(in.Reason).SetNillableUntil(in.Until)
		custom := map[string]any{}
		if in.Limit != nil {
			custom[move.LimitKey], custom[move.CurrencyKey] = in.Limit.String(), in.Currency
		}
		if v := viewer.From(ctx); !v.IsSystem() && slices.Contains(moneyRoles, role) {
			// A grant that waits is archived, so that sign-in does not count it.
			custom[requestedBy] = string(v.ID)
			w.SetArchivedAt(time.Now().UTC().Truncate(time.Microsecond))
		}
		if len(custom) > 0 {
			w.SetCustom(custom)
		}
		out, err = w.Save(scope.Elevate(ctx))
		return err
	})
	return fresh(ctx, s, out, err)
}

// fresh returns the grant read anew with its person, so that it does not hang on a
// transaction that has ended.
func fresh(ctx context.Context, s *store.Store, g *ent.RoleGrant, err error) (*ent.RoleGrant, error) {
	if err != nil {
		return nil, store.Known(err)
	}
	g, err = s.ClientOf(ctx).RoleGrant.Query().Where(rolegrant.ID(g.ID)).WithPerson().Only(scope.Elevate(ctx))
	return g, store.Known(err)
}

// requestedBy is where a waiting grant keeps who asked for it.
const requestedBy = "requestedBy"

// Pending reports whether the grant waits for a second administrator.
func Pending(g *ent.RoleGrant) bool {
	by, _ := g.Custom[requestedBy].(string)
	return g.ArchivedAt != nil && by != ""
}

// Confirm makes a waiting grant count. A second administrator does it: neither who
// asked for it nor who gets it, and with a recent proof of who they are (else
// auth.ErrNotFresh). The errors are NotFound, Forbidden and State for a grant that
// does not wait.
func Confirm(ctx context.Context, s *store.Store, id ident.ID) (*ent.RoleGrant, error) {
	var out *ent.RoleGrant
	err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		g, err := grant(ctx, s, c, id)
		if err != nil {
			return err
		}
		if !Pending(g) {
			return errs.New(errs.State, "people.not_pending")
		}
		if v := viewer.From(ctx); g.Custom[requestedBy] == string(v.ID) {
			return errs.New(errs.CodeForbidden, "people.second_admin")
		}
		if err := apart(ctx, c, g.PersonID, access.Role(g.Role)); err != nil {
			return err
		}
		if err := auth.Fresh(ctx); err != nil {
			return err
		}
		custom := map[string]any{}
		for k, x := range g.Custom {
			if k != requestedBy {
				custom[k] = x
			}
		}
		out, err = c.RoleGrant.UpdateOne(g).ClearArchivedAt().SetCustom(custom).Save(scope.Elevate(ctx))
		return err
	})
	return fresh(ctx, s, out, err)
}

// Revoke takes a role granted in Steward back, or a waiting one off the list; it is
// gone with the person's next request. The errors are NotFound, Forbidden for
// oneself, Validation without a reason, and State when it has been taken back.
func Revoke(ctx context.Context, s *store.Store, id ident.ID, reason string) error {
	return store.Known(s.Tx(store.Because(ctx, &reason), func(ctx context.Context, c *ent.Client) error {
		g, err := grant(ctx, s, c, id)
		if err != nil {
			return err
		}
		if err := why("reason", reason); err != nil {
			return err
		}
		if g.ArchivedAt != nil && !Pending(g) {
			return errs.New(errs.State, "people.already_revoked")
		}
		return c.RoleGrant.UpdateOne(g).SetArchivedAt(time.Now().UTC().Truncate(time.Microsecond)).ClearCustom().Exec(scope.Elevate(ctx))
	}))
}

// grant returns a grant that the viewer may decide about.
func grant(ctx context.Context, s *store.Store, c *ent.Client, id ident.ID) (*ent.RoleGrant, error) {
	if err := may(ctx, "RoleGrant", access.Row{}); err != nil {
		return nil, err
	}
	g, err := c.RoleGrant.Query().Where(rolegrant.ID(id)).Where(s.Lock()).Only(scope.Elevate(ctx))
	if err != nil {
		return nil, err
	}
	_, err = other(ctx, c, g.PersonID)
	return g, err
}

// check returns the role asked for, or what is wrong with the input.
func (in RoleInput) check() (access.Role, error) {
	role, ok := access.ParseRole(in.Role)
	switch {
	case !ok:
		return "", errs.Invalid("role", "people.unknown_role")
	case in.Limit != nil && role != access.RoleExpenseAuthority:
		return "", errs.Invalid("limit", "people.limit_for_expense_authority")
	case in.Limit != nil && *in.Limit <= 0:
		return "", errs.Invalid("limit", "people.limit_positive")
	case in.Limit != nil && len(in.Currency) != 3:
		return "", errs.Invalid("currency", "error.required")
	}
	if err := why("reason", in.Reason); err != nil {
		return "", err
	}
	return role, ahead(in.Until)
}

// apart refuses to bring money and administration together in one person.
func apart(ctx context.Context, c *ent.Client, person ident.ID, role access.Role) error {
	var against []access.Role
	switch {
	case role == access.RoleAppAdmin:
		against = moneyRoles
	case slices.Contains(moneyRoles, role):
		against = []access.Role{access.RoleAppAdmin}
	default:
		return nil
	}
	held, err := roles(ctx, c, person)
	if err != nil {
		return err
	}
	for _, r := range against {
		if slices.Contains(held, string(r)) {
			return errs.New(errs.State, "people.admin_without_money")
		}
	}
	return nil
}

// roles returns what a person holds now, from the provider and from Steward.
func roles(ctx context.Context, c *ent.Client, person ident.ID) ([]string, error) {
	own := scope.Elevate(ctx)
	var out []string
	identities, err := c.PersonIdentity.Query().Where(personidentity.PersonID(person)).All(own)
	if err != nil {
		return nil, err
	}
	for _, i := range identities {
		out = append(out, i.Roles...)
	}
	grants, err := c.RoleGrant.Query().Where(rolegrant.PersonID(person), rolegrant.ArchivedAtIsNil(),
		rolegrant.Or(rolegrant.UntilIsNil(), rolegrant.UntilGT(time.Now().UTC()))).All(own)
	for _, g := range grants {
		out = append(out, g.Role)
	}
	return out, err
}

// may refuses a viewer without the right to write rows of the entity there. Those
// who cannot even read such rows are told that there are none.
func may(ctx context.Context, name string, at access.Row) error {
	v := viewer.From(ctx)
	switch {
	case v == nil:
		return store.ErrNoViewer
	case access.For(v, name, access.Write).Includes(at):
		return nil
	case access.May(v, name, access.Read):
		return errs.Forbidden()
	}
	return errs.NotFound()
}

// other returns the person, who must not be the viewer.
func other(ctx context.Context, c *ent.Client, id ident.ID) (*ent.Person, error) {
	p, err := c.Person.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if p.ID == viewer.From(ctx).ID {
		return nil, errs.New(errs.CodeForbidden, "people.not_oneself")
	}
	return p, nil
}

// why demands a reason.
func why(path, reason string) error {
	switch n := utf8.RuneCountInString(strings.TrimSpace(reason)); {
	case n == 0:
		return errs.Invalid(path, "error.reason_required")
	case n > reasonMax:
		return errs.Invalid(path, "error.too_long", "max", reasonMax)
	}
	return nil
}

// ahead demands that an end lies in the future.
func ahead(until *time.Time) error {
	if until != nil && !until.After(time.Now().UTC()) {
		return errs.Invalid("until", "people.until_past")
	}
	return nil
}
