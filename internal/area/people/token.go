package people

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/apitoken"
	"steward/internal/platform/auth"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Sessions returns a person's live sessions, the last seen first: one's own, and
// to administrators anybody's. Others' are absent.
func Sessions(ctx context.Context, s *store.Store, person ident.ID) ([]*ent.Session, error) {
	out, err := auth.Sessions(ctx, s.ClientOf(ctx), person)
	return out, store.Known(err)
}

// EndSessions ends a person's sessions, all or only those named, and returns how
// many. People end their own, administrators anybody's; Forbidden for others.
func EndSessions(ctx context.Context, s *store.Store, person ident.ID, only ...ident.ID) (n int, err error) {
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) (err error) {
		n, err = auth.EndSessions(ctx, c, person, "ended on request", only...)
		return err
	})
	return n, store.Known(err)
}

// Tokens returns API tokens, the newest first, each with its owner: those of one
// person or integration, or with an empty owner all that the viewer may see (their
// own, and to administrators and auditors everybody's). Revoked and expired ones
// are among them. A secret is never shown again.
func Tokens(ctx context.Context, s *store.Store, owner ident.ID) ([]*ent.ApiToken, error) {
	reach := access.For(viewer.From(ctx), "ApiToken", access.Read)
	if reach.Empty() {
		return nil, nil
	}
	q := s.ClientOf(ctx).ApiToken.Query().WithPerson().WithIntegration().Order(apitoken.ByCreatedAt(sql.OrderDesc()), apitoken.ByID())
	if !reach.All {
		q.Where(apitoken.PersonID(reach.Person))
	}
	if owner != "" {
		q.Where(apitoken.Or(apitoken.PersonID(owner), apitoken.IntegrationID(owner)))
	}
	out, err := q.All(scope.Elevate(ctx))
	return out, store.Known(err)
}

// CreateToken makes an API token and returns its secret, which is shown once. People
// make their own, with roles they hold; administrators anybody's. The errors are
// Forbidden, and Validation naming what is wrong (see auth.IssueToken).
func CreateToken(ctx context.Context, s *store.Store, in auth.TokenInput) (secret string, t *ent.ApiToken, err error) {
	v := viewer.From(ctx)
	if in.Person != "" && in.Person == v.ID && slices.ContainsFunc(in.Roles, func(r string) bool { return !v.Has(r) }) {
		return "", nil, errs.Invalid("roles", "people.role_not_held")
	}
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		for _, p := range in.Portfolios {
			if _, err := c.Portfolio.Get(ctx, p); err != nil {
				return err
			}
		}
		secret, t, err = auth.IssueToken(ctx, c, in)
		return err
	})
	if err != nil {
		return "", nil, store.Known(err)
	}
	return secret, t, nil
}

// CreateServiceToken makes a token for the integration of that name, which it makes
// where there is none. Only administrators and the command line may.
func CreateServiceToken(ctx context.Context, s *store.Store, service string, in auth.TokenInput) (secret string, t *ent.ApiToken, err error) {
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		i, err := auth.Service(ctx, c, service)
		if err != nil {
			return err
		}
		in.Person, in.Integration = "", i.ID
		secret, t, err = CreateToken(ctx, s, in)
		return err
	})
	if err != nil {
		return "", nil, store.Known(err)
	}
	return secret, t, nil
}

// RevokeToken ends an API token: one's own, and for administrators anybody's. The
// error is NotFound for any other.
func RevokeToken(ctx context.Context, s *store.Store, id ident.ID) error {
	return store.Known(s.Tx(ctx, func(ctx context.Context, c *ent.Client) error { return auth.RevokeToken(ctx, c, id) }))
}
