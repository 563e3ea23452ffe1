package auth

import (
	"context"
	"slices"

	"steward/ent"
	"steward/ent/apitoken"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Rights returns whom an integration may act as at this moment, without a token at hand: with its own
// roles and portfolios or, where it leaves those to its tokens, as each of its living tokens may. It
// sees what any of them sees; an integration that is not active sees nothing.
func Rights(ctx context.Context, c *ent.Client, id ident.ID) ([]*viewer.Viewer, error) {
	ctx = scope.Elevate(ctx)
	i, err := c.Integration.Get(ctx, id)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, store.Known(err)
	}
	now := stamp()
	if !i.Active || i.ArchivedAt != nil || i.ExpiresAt != nil && !now.Before(*i.ExpiresAt) {
		return nil, nil
	}
	if len(i.Roles) > 0 && len(i.Portfolios) > 0 {
		return []*viewer.Viewer{service(i, i.Roles, portfolioIDs(i.Portfolios), slices.Contains(i.Portfolios, AllPortfolios))}, nil
	}
	tokens, err := c.ApiToken.Query().Where(apitoken.IntegrationID(id), apitoken.RevokedAtIsNil(), apitoken.ExpiresAtGT(now)).Order(apitoken.ByID()).All(ctx)
	if err != nil {
		return nil, store.Known(err)
	}
	var out []*viewer.Viewer
	for _, t := range tokens {
		out = append(out, serviceToken(t, i))
	}
	return out, nil
}
