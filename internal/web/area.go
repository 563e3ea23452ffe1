package web

import (
	"context"

	"steward/ent"
	"steward/ent/budgetplan"
	"steward/internal/area/budget"
	"steward/internal/area/contract"
	_ "steward/internal/area/initiative" // registers its moves
	"steward/internal/area/move"
	_ "steward/internal/area/okr"         // registers its moves
	_ "steward/internal/area/procurement" // registers its moves
	_ "steward/internal/area/product"     // registers its moves
	"steward/internal/platform/entity"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// This file is where the generic pages meet the areas: what an area knows about
// its entities that no descriptor can say.

// standing is where a record stands and which steps the viewer may take.
type standing struct {
	state string
	steps []flow.Move
}

// stand asks the area that owns the entity's life; records without one have none.
func (s *site) stand(ctx context.Context, e *entity.Entity, row entity.Row) (standing, error) {
	switch e.Machine {
	case "":
		return standing{}, nil
	case "BudgetPlan":
		plan, err := s.store.ClientOf(ctx).BudgetPlan.Get(ctx, row.ID)
		if err != nil {
			return standing{}, err
		}
		return standing{plan.Status.String(), budget.Actions(viewer.From(ctx), plan)}, nil
	}
	found, err := move.Load(ctx, s.store, e.Name, row.ID)
	if err != nil || len(found) == 0 {
		return standing{}, err
	}
	return standing{found[0].State, found[0].Actions()}, nil
}

// step takes a record to another state through the area's verb.
func (s *site) step(ctx context.Context, e *entity.Entity, id ident.ID, to string, version int, note string) error {
	if e.Machine == "BudgetPlan" {
		_, err := budget.Move(ctx, s.store, id, to, version, note)
		return err
	}
	return move.Do(ctx, s.store, move.Input{Entity: e.Name, ID: id, To: to, Version: version, Note: note})
}

// locked returns the fields of a row that are read-only in its present state.
func (s *site) locked(ctx context.Context, e *entity.Entity, row entity.Row) ([]string, error) {
	if e.Name != "Contract" {
		return nil, nil
	}
	c, err := s.store.ClientOf(ctx).Contract.Get(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	return contract.Locked(c), nil
}

// budgetPlans reads plans by their ids, as the area takes them.
func (s *site) budgetPlans(ctx context.Context, ids []ident.ID) (map[ident.ID]*ent.BudgetPlan, error) {
	list, err := s.store.ClientOf(ctx).BudgetPlan.Query().Where(budgetplan.IDIn(ids...)).All(ctx)
	out := map[ident.ID]*ent.BudgetPlan{}
	for _, p := range list {
		out[p.ID] = p
	}
	return out, err
}
