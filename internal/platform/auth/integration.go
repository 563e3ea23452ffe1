package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"steward/ent"
	"steward/ent/integration"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// AllPortfolios, in the list of an integration's portfolios, means every
// portfolio, also those made later.
const AllPortfolios = "*"

// byAccessToken returns the integration that an access token of the identity
// provider was issued to (client credentials). Its rights are the roles of the
// token that the Integration row allows, in that row's portfolios.
func (a *Auth) byAccessToken(ctx context.Context, raw string) (*viewer.Viewer, error) {
	d, err := a.discover(ctx)
	if err != nil {
		return nil, err
	}
	if _, _, err := d.keys.find(ctx, raw); err != nil {
		if errors.Is(err, errIdP) {
			return nil, err
		}
		return nil, refusal(err)
	}
	t, err := a.verifier(d, a.cfg.Audience, skew).Verify(ctx, raw)
	if err != nil {
		return nil, refusal(err)
	}
	switch k, err := kindOf(raw); {
	case err != nil:
		return nil, refusal(err)
	case k != kindAccess:
		return nil, refusal(fmt.Errorf("the %s was sent as an access token", k))
	case t.IssuedAt.After(a.cfg.Now().Add(skew)):
		return nil, refusal(errors.New("issued in the future"))
	}
	var c claims
	if err := t.Claims(&c); err != nil {
		return nil, refusal(err)
	}
	if c.Party == "" {
		return nil, refusal(errors.New("issued to no client"))
	}
	i, err := a.store.Client.Integration.Query().Where(integration.ClientID(c.Party)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, refusal(errors.New("issued to a client that is no integration"))
	case err != nil:
		return nil, store.Known(err)
	case !a.working(i):
		return nil, refusal(errors.New("the integration is not active"))
	}
	if err := a.used(ctx, i.LastUsedAt, func(ctx context.Context, c *ent.Client) error {
		return c.Integration.UpdateOneID(i.ID).SetLastUsedAt(a.now()).Exec(ctx)
	}); err != nil {
		return nil, err
	}
	all := slices.Contains(i.Portfolios, AllPortfolios)
	return service(i, both(a.roles(ctx, &c), i.Roles), portfolioIDs(i.Portfolios), all), nil
}

func (a *Auth) working(i *ent.Integration) bool {
	return i.Active && i.ArchivedAt == nil && (i.ExpiresAt == nil || a.now().Before(*i.ExpiresAt))
}

// service is the viewer of an integration with these roles in these portfolios.
// Its level lets every letter through that rules/access gives tokens at all.
func service(i *ent.Integration, roles []string, portfolios []ident.ID, all bool) *viewer.Viewer {
	v := &viewer.Viewer{Kind: viewer.Integration, ID: i.ID, Name: i.Name, Roles: roles, Via: viewer.ViaAPI, Lang: "en", Zone: time.UTC}
	if all {
		v.Memberships = []viewer.Membership{{Scope: viewer.ScopeAll, Level: viewer.LevelManager}}
		return v
	}
	for _, id := range portfolios {
		v.Memberships = append(v.Memberships, viewer.Membership{Scope: viewer.ScopePortfolio, ID: id, Level: viewer.LevelManager})
	}
	return v
}

// portfolioIDs returns the portfolio ids of a stored list.
func portfolioIDs(list []string) []ident.ID {
	var out []ident.ID
	for _, s := range list {
		if s != AllPortfolios {
			out = append(out, ident.ID(s))
		}
	}
	return out
}

// both returns what is in a and in b.
func both(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return !slices.Contains(b, s) })
}

// used notes that something was used, at most once a minute.
func (a *Auth) used(ctx context.Context, last *time.Time, write func(context.Context, *ent.Client) error) error {
	if last != nil && a.now().Sub(*last) < seenEvery {
		return nil
	}
	return a.store.Tx(ctx, write)
}
