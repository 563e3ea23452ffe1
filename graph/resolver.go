// Package graph is the GraphQL door: thin resolvers over the same verbs and
// queries as the pages, behind limits on what one request may cost.
//
// ent.resolvers.go and generated/ are generated; graph/schema/ent.graphql comes
// from ent/schema, the other files there are written by hand, one for each area.
package graph

import (
	"context"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"

	"steward/ent"
	"steward/internal/area/view"
	"steward/internal/area/webhook"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// Resolver is what resolvers may use.
type Resolver struct {
	Store    *store.Store
	hub      *hub
	stored   *stored
	lists    view.Lists
	webhooks *webhook.Service
}

// client returns the client of the mutation's transaction, or the store's own.
func (r *Resolver) client(ctx context.Context) *ent.Client { return r.Store.ClientOf(ctx) }

// stale turns "no such row with that version" into a conflict or not found.
func (r *Resolver) stale(ctx context.Context, name string, id ident.ID, err error) error {
	return r.Store.Stale(ctx, name, id, err)
}

// live leaves archived rows out unless they are asked for.
func live[P ~func(*sql.Selector)](archived *bool) []P {
	if archived != nil && *archived {
		return nil
	}
	return []P{func(s *sql.Selector) { s.Where(sql.IsNull(s.C("archived_at"))) }}
}

// node returns the registry record with the id; any other id is not found.
func (r *Resolver) node(ctx context.Context, id ident.ID) (ent.Noder, error) {
	e := entity.OfID(id)
	if e == nil || !e.Registry {
		return nil, errs.NotFound()
	}
	return r.client(ctx).Noder(ctx, id, ent.WithFixedNodeType(e.Table))
}

// nodes returns the records with the ids in their order, in one statement for each
// type; null with an error for each that is not found.
func (r *Resolver) nodes(ctx context.Context, ids []ident.ID) ([]ent.Noder, error) {
	if len(ids) == 1 { // the generated lookup of one fails as a whole
		n, err := r.node(ctx, ids[0])
		if errs.CodeOf(store.Known(err)) == errs.CodeNotFound {
			graphql.AddError(graphql.WithPathContext(ctx, graphql.NewPathWithIndex(0)), err)
			err = nil
		}
		return []ent.Noder{n}, err
	}
	return r.client(ctx).Noders(ctx, ids, ent.WithNodeType(func(_ context.Context, id ident.ID) (string, error) {
		if e := entity.OfID(id); e != nil && e.Registry {
			return e.Table, nil
		}
		return "", errs.NotFound()
	}))
}
