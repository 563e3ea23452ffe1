package auth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"steward/ent"
	"steward/ent/integration"
	"steward/internal/platform/scope"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// TokenDays is the longest life of an API token, and the one it has unless less is asked for.
const TokenDays = 90

// TokenInput says what a new API token may do. Exactly one owner is set.
type TokenInput struct {
	Name                string
	Person, Integration ident.ID
	Roles               []string
	Portfolios          []ident.ID
	AllPortfolios       bool // every portfolio, also those made later
	Days                int  // 0: TokenDays
}

// IssueToken makes an API token in the caller's transaction and returns its
// secret, which can never be had again. People make their own, administrators
// anybody's and those of services; the error is Forbidden for others, ErrNotFresh
// without a recent proof of who it is, and Validation, naming the input, for an
// unknown role, no portfolio or more than ninety days.
func IssueToken(ctx context.Context, c *ent.Client, in TokenInput) (secret string, t *ent.ApiToken, err error) {
	if in.Days == 0 {
		in.Days = TokenDays
	}
	switch {
	case (in.Person == "") == (in.Integration == ""):
		return "", nil, errs.Invalid("owner", "auth.token.owner")
	case in.Days < 1 || in.Days > TokenDays:
		return "", nil, errs.Invalid("days", "auth.token.days", "max", TokenDays)
	case len(in.Roles) == 0:
		return "", nil, errs.Invalid("roles", "auth.token.no_role")
	case len(in.Portfolios) == 0 && !in.AllPortfolios:
		return "", nil, errs.Invalid("portfolios", "auth.token.no_portfolio")
	}
	for _, r := range in.Roles {
		if _, ok := access.ParseRole(r); !ok {
			return "", nil, errs.Invalid("roles", "auth.token.unknown_role", "role", first(r, 60))
		}
	}
	owner := "ApiToken"
	if in.Integration != "" {
		owner = "Integration"
	}
	if err := allowed(ctx, owner, access.Write, in.Person); err != nil {
		return "", nil, err
	}
	if err := Fresh(ctx); err != nil {
		return "", nil, err
	}
	portfolios := make([]string, len(in.Portfolios))
	for i, p := range in.Portfolios {
		portfolios[i] = p.String()
	}
	slices.Sort(in.Roles)
	secret = newAPIToken()
	q := c.ApiToken.Create().SetName(first(in.Name, 120)).SetTokenHash(hashOf(secret)).SetHint(secret[:len(TokenPrefix)+6]).
		SetRoles(slices.Compact(in.Roles)).SetPortfolios(portfolios).SetAllPortfolios(in.AllPortfolios).
		SetExpiresAt(stamp().AddDate(0, 0, in.Days))
	if in.Person != "" {
		q.SetPersonID(in.Person)
	} else {
		q.SetIntegrationID(in.Integration)
	}
	t, err = q.Save(scope.Elevate(ctx))
	return secret, t, err
}

// RevokeToken ends an API token in the caller's transaction; a token that has
// ended stays as it is. The error is NotFound for an id that names none of the
// viewer's tokens; administrators revoke anybody's.
func RevokeToken(ctx context.Context, c *ent.Client, id ident.ID) error {
	t, err := c.ApiToken.Get(scope.Elevate(ctx), id)
	if ent.IsNotFound(err) {
		return errs.NotFound()
	}
	if err != nil {
		return err
	}
	var owner ident.ID
	if t.PersonID != nil {
		owner = *t.PersonID
	}
	if allowed(ctx, "ApiToken", access.Write, owner) != nil {
		return errs.NotFound()
	}
	if t.RevokedAt != nil {
		return nil
	}
	return c.ApiToken.UpdateOne(t).SetRevokedAt(stamp()).Exec(scope.Elevate(ctx))
}

// Service returns the integration of that name, making it in the caller's
// transaction where there is none. Roles and portfolios sit on its tokens.
// Only administrators and the command line may; the error is Forbidden for
// others and Validation for a service that has ended.
func Service(ctx context.Context, c *ent.Client, name string) (*ent.Integration, error) {
	if name = strings.TrimSpace(name); name == "" {
		return nil, errs.Invalid("service", "auth.token.no_service")
	}
	if err := allowed(ctx, "Integration", access.Write, ""); err != nil {
		return nil, err
	}
	ctx = scope.Elevate(ctx)
	i, err := c.Integration.Query().Where(integration.Name(name)).Only(ctx)
	if ent.IsNotFound(err) {
		return c.Integration.Create().SetName(name).Save(ctx)
	}
	if err == nil && (!i.Active || i.ArchivedAt != nil) {
		return nil, errs.Invalid("service", "auth.token.service_ended")
	}
	return i, err
}

// byAPIToken returns whom an API token acts for: the token's roles and
// portfolios, and never more than its owner has at this moment.
func (a *Auth) byAPIToken(ctx context.Context, secret string) (*viewer.Viewer, error) {
	if !wellFormed(secret) {
		return nil, refusal(errors.New("an API token with a wrong checksum"))
	}
	t, err := tokenOf(ctx, a.store, hashOf(secret))
	switch {
	case err != nil:
		return nil, err
	case t == nil:
		return nil, refusal(errors.New("an unknown API token"))
	case t.RevokedAt != nil:
		return nil, refusal(errors.New("a revoked API token"))
	case !a.now().Before(t.ExpiresAt) || t.ExpiresAt.Sub(t.CreatedAt) > (TokenDays+1)*24*time.Hour:
		return nil, refusal(errors.New("an API token past its end"))
	}
	var v *viewer.Viewer
	if i := t.Edges.Integration; i != nil {
		if !a.working(i) {
			return nil, refusal(errors.New("the integration is not active"))
		}
		v = serviceToken(t, i)
	} else {
		if t.PersonID == nil {
			return nil, errNobody
		}
		if v, err = a.person(ctx, *t.PersonID); err != nil {
			return nil, err
		}
		v.Roles = both(v.Roles, t.Roles)
		bound(v, portfolioIDs(t.Portfolios), t.AllPortfolios)
	}
	v.Via, v.TokenID = viewer.ViaAPI, t.ID
	return v, a.used(ctx, t.LastUsedAt, func(ctx context.Context, c *ent.Client) error {
		return c.ApiToken.UpdateOneID(t.ID).SetLastUsedAt(a.now()).Exec(ctx)
	})
}

// serviceToken is the viewer of an integration's own token: what the token has,
// within what the integration allows. An integration that states no roles or no
// portfolios leaves them to its tokens, as the command line makes them.
func serviceToken(t *ent.ApiToken, i *ent.Integration) *viewer.Viewer {
	roles := t.Roles
	if len(i.Roles) > 0 {
		roles = both(roles, i.Roles)
	}
	switch limited := len(i.Portfolios) > 0 && !slices.Contains(i.Portfolios, AllPortfolios); {
	case t.AllPortfolios && limited:
		return service(i, roles, portfolioIDs(i.Portfolios), false)
	case limited:
		return service(i, roles, portfolioIDs(both(t.Portfolios, i.Portfolios)), false)
	default:
		return service(i, roles, portfolioIDs(t.Portfolios), t.AllPortfolios)
	}
}

// bound keeps of a person's memberships what lies in the token's portfolios,
// and adds to each portfolio the mark by which rules/access knows that roles
// which reach everything reach only this far.
func bound(v *viewer.Viewer, portfolios []ident.ID, all bool) {
	if all {
		v.Memberships = append(v.Memberships, viewer.Membership{Scope: viewer.ScopeAll, Level: access.LevelBound})
		return
	}
	var kept []viewer.Membership
	for _, m := range v.Memberships {
		switch m.Scope {
		case viewer.ScopePortfolio:
			if slices.Contains(portfolios, m.ID) {
				kept = append(kept, m)
			}
		case viewer.ScopeProduct:
			if slices.Contains(portfolios, m.PortfolioID) {
				kept = append(kept, m)
			}
		case viewer.ScopeAll: // everything, seen through the token, is the token's portfolios
			for _, id := range portfolios {
				kept = append(kept, viewer.Membership{Scope: viewer.ScopePortfolio, ID: id, Level: m.Level})
			}
		}
	}
	for _, id := range portfolios {
		kept = append(kept, viewer.Membership{Scope: viewer.ScopePortfolio, ID: id, Level: access.LevelBound})
	}
	v.Memberships = kept
}
