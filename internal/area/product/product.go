// Package product takes products along their journey from idea to retirement and
// from one portfolio to another.
package product

import (
	"context"

	"steward/ent"
	entproduct "steward/ent/product"
	"steward/internal/area/move"
	"steward/internal/platform/store"
	"steward/internal/rules/flow"
)

func init() { move.Register("Product", move.Verb{Field: "stage", Apply: apply}) }

// MoveStage makes one move of flow.ProductStage and returns the product as it is
// then, with the day it came to its stage; retiring it for good also keeps that day
// as the one it was retired on. Every move takes a note. The errors are those of
// move.Do.
func MoveStage(ctx context.Context, s *store.Store, in move.Input) (*ent.Product, error) {
	in.Entity = "Product"
	if err := move.Do(ctx, s, in); err != nil {
		return nil, err
	}
	n, err := s.ClientOf(ctx).Product.Get(ctx, in.ID)
	return n, store.Known(err)
}

func apply(ctx context.Context, c *ent.Client, r move.Record, step flow.Move, _ move.Input, m ent.Mutation) error {
	p, err := c.Product.Query().Where(entproduct.ID(r.ID)).WithPortfolio().Only(ctx)
	if err != nil {
		return err
	}
	today := move.TodayIn(p.Edges.Portfolio)
	pm := m.(*ent.ProductMutation)
	pm.SetStageSince(today)
	if step.To == "RETIRED" && p.RetiredOn == nil {
		pm.SetRetiredOn(today)
	}
	return nil
}
