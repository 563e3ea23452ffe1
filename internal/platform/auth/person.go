package auth

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"steward/ent"
	"steward/ent/membership"
	"steward/ent/person"
	"steward/ent/personidentity"
	"steward/ent/portfolio"
	"steward/ent/product"
	"steward/ent/team"
	"steward/ent/vendor"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
)

// errInactive says that the person has been deactivated or archived here.
var errInactive = errors.New("the person is not active")

// enter returns the person of a checked ID token, making one at the first
// sign-in, and brings name, e-mail, roles and memberships up to date. The
// identity is the issuer and the subject; an e-mail that somebody else has
// already makes no difference. The error is errInactive for somebody who may not enter.
func (a *Auth) enter(ctx context.Context, c *ent.Client, id *idToken) (*ent.Person, error) {
	identity, err := c.PersonIdentity.Query().
		Where(personidentity.Issuer(a.cfg.StoredIssuer), personidentity.Subject(id.Subject)).WithPerson().Only(ctx)
	switch {
	case ent.IsNotFound(err):
		p, err := c.Person.Create().SetName(cmp.Or(first(id.displayName(), 300), id.Subject)).SetEmail(first(id.Email, 320)).
			Save(ctx)
		if err != nil {
			return nil, err
		}
		identity, err = c.PersonIdentity.Create().SetPersonID(p.ID).SetIssuer(a.cfg.StoredIssuer).SetSubject(id.Subject).Save(ctx)
		if err != nil {
			return nil, err
		}
		identity.Edges.Person = p
	case err != nil:
		return nil, err
	}
	p := identity.Edges.Person
	if !p.Active || p.ArchivedAt != nil {
		return nil, errInactive
	}
	if name, email := cmp.Or(first(id.displayName(), 300), p.Name), cmp.Or(first(id.Email, 320), p.Email); name != p.Name || email != p.Email {
		if p, err = c.Person.UpdateOne(p).SetName(name).SetEmail(email).Save(ctx); err != nil {
			return nil, err
		}
	}
	return p, a.sync(ctx, c, identity, &id.claims)
}

// sync makes the stored roles and memberships what the claims say. Memberships
// granted in Steward stay. Groups that name nothing here are kept as a list for
// administrators; what is written does not change when nothing has changed.
func (a *Auth) sync(ctx context.Context, c *ent.Client, identity *ent.PersonIdentity, t *claims) error {
	roles := a.roles(ctx, t)
	unmatched := identity.UnmatchedGroups
	if a.cfg.GroupsClaim != "" {
		groups, err := t.list(a.cfg.GroupsClaim)
		if err != nil {
			a.log.WarnContext(ctx, "groups ignored", "reason", err.Error())
		}
		var wanted []place
		if wanted, unmatched, err = places(ctx, c, groups); err != nil {
			return err
		}
		if err := a.replace(ctx, c, identity.PersonID, wanted); err != nil {
			return err
		}
		if err := adopt(ctx, c, identity.PersonID, wanted); err != nil {
			return err
		}
	}
	if slices.Equal(roles, identity.Roles) && slices.Equal(unmatched, identity.UnmatchedGroups) {
		return nil
	}
	return c.PersonIdentity.UpdateOne(identity).SetRoles(roles).SetUnmatchedGroups(unmatched).Exec(ctx)
}

// roles returns the roles of the configured claim that Steward knows, sorted.
// Others are ignored and each is logged once; without the claim there is none.
func (a *Auth) roles(ctx context.Context, t *claims) []string {
	names, err := t.list(a.cfg.RolesClaim)
	if err != nil {
		a.log.WarnContext(ctx, "roles ignored", "reason", err.Error())
	}
	known, ignored := []string{}, 0
	for _, name := range names {
		if _, ok := access.ParseRole(name); ok {
			known = append(known, name)
			continue
		}
		if ignored++; ignored > 50 { // a shared realm may send thousands: not all need remembering
			continue
		}
		if _, seen := a.unknown.LoadOrStore(name, true); !seen {
			a.log.InfoContext(ctx, "role ignored", "role", first(name, 60))
		}
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// place is one membership that the provider's groups ask for.
type place struct {
	scope membership.Scope
	id    ident.ID
	level membership.Level
}

var groupPath = regexp.MustCompile(`^/(portfolios|products|vendors|teams)/([a-z0-9-]{1,64})/(viewer|contributor|owner|manager|partner)$`)

// groupsMax bounds how many groups of one person are looked at.
const groupsMax = 1000

// places turns group paths into memberships. The middle part is the slug of a
// key: "chefs" is PRD-CHEFS. Paths of another form are not meant for Steward;
// those of the right form that name nothing are returned as unmatched.
func places(ctx context.Context, c *ent.Client, groups []string) (found []place, unmatched []string, err error) {
	slices.Sort(groups)
	groups = slices.Compact(groups)
	slugs := map[string][]string{}
	var parts [][]string
	for _, g := range groups[:min(len(groups), groupsMax)] {
		if m := groupPath.FindStringSubmatch(g); m != nil {
			parts = append(parts, m)
			slugs[m[1]] = append(slugs[m[1]], m[2])
		}
	}
	ids := map[string]ident.ID{} // by "kind/slug"
	for kind, list := range slugs {
		keys := make([]string, len(list))
		for i, s := range list {
			keys[i] = keyPrefix[kind] + strings.ToUpper(s)
		}
		rows, err := byKey(ctx, c, kind, keys)
		if err != nil {
			return nil, nil, err
		}
		for _, row := range rows {
			ids[kind+"/"+strings.ToLower(strings.TrimPrefix(row.Key, keyPrefix[kind]))] = row.ID
		}
	}
	for _, m := range parts {
		id, ok := ids[m[1]+"/"+m[2]]
		if !ok {
			unmatched = append(unmatched, m[0])
			continue
		}
		found = append(found, place{groupScope[m[1]], id, membership.Level(strings.ToUpper(m[3]))})
	}
	return found, unmatched, nil
}

var (
	keyPrefix  = map[string]string{"portfolios": "PF-", "products": "PRD-", "vendors": "VN-", "teams": "TM-"}
	groupScope = map[string]membership.Scope{"portfolios": membership.ScopePORTFOLIO, "products": membership.ScopePRODUCT,
		"vendors": membership.ScopeVENDOR, "teams": membership.ScopeTEAM}
)

type keyed struct {
	ID  ident.ID
	Key string
}

func byKey(ctx context.Context, c *ent.Client, kind string, keys []string) (rows []keyed, err error) {
	switch kind {
	case "portfolios":
		err = c.Portfolio.Query().Where(portfolio.KeyIn(keys...)).Select(portfolio.FieldID, portfolio.FieldKey).Scan(ctx, &rows)
	case "products":
		err = c.Product.Query().Where(product.KeyIn(keys...)).Select(product.FieldID, product.FieldKey).Scan(ctx, &rows)
	case "vendors":
		err = c.Vendor.Query().Where(vendor.KeyIn(keys...)).Select(vendor.FieldID, vendor.FieldKey).Scan(ctx, &rows)
	case "teams":
		err = c.Team.Query().Where(team.KeyIn(keys...)).Select(team.FieldID, team.FieldKey).Scan(ctx, &rows)
	}
	return rows, err
}

// replace makes the person's memberships of source IDP the wanted ones. What
// is no longer wanted is archived, so that the past stays readable.
func (a *Auth) replace(ctx context.Context, c *ent.Client, personID ident.ID, wanted []place) error {
	have, err := c.Membership.Query().Where(membership.PersonID(personID), membership.GrantedByEQ(membership.GrantedByIDP),
		membership.ArchivedAtIsNil()).All(ctx)
	if err != nil {
		return err
	}
	missing := slices.Clone(wanted)
	for _, m := range have {
		if i := slices.Index(missing, place{m.Scope, m.ScopeID, m.Level}); i >= 0 {
			missing = slices.Delete(missing, i, i+1)
			continue
		}
		if err := c.Membership.UpdateOne(m).SetArchivedAt(a.now()).Exec(ctx); err != nil {
			return err
		}
	}
	for _, p := range missing {
		err := c.Membership.Create().SetPersonID(personID).SetScope(p.scope).SetScopeID(p.id).SetLevel(p.level).
			SetGrantedBy(membership.GrantedByIDP).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// adopt records the vendor of somebody who signs in as that vendor's partner
// and of whom Steward does not know yet whom they work for.
func adopt(ctx context.Context, c *ent.Client, personID ident.ID, wanted []place) error {
	i := slices.IndexFunc(wanted, func(p place) bool { return p.scope == membership.ScopeVENDOR && p.level == membership.LevelPARTNER })
	if i < 0 {
		return nil
	}
	p, err := c.Person.Get(ctx, personID)
	if err != nil || p.VendorID != nil {
		return err
	}
	return c.Person.UpdateOne(p).SetVendorID(wanted[i].id).SetEmployment(person.EmploymentVENDOR).Exec(ctx)
}
