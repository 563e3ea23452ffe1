package web

import (
	"context"
	"fmt"

	"steward/ent"
	"steward/ent/budgetplan"
	entcontract "steward/ent/contract"
	"steward/internal/area/budget"
	"steward/internal/area/contract"
	_ "steward/internal/area/initiative" // registers its moves
	"steward/internal/area/move"
	_ "steward/internal/area/okr"         // registers its moves
	_ "steward/internal/area/procurement" // registers its moves
	_ "steward/internal/area/product"     // registers its moves
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/civil"
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

// stepWantsProof reports whether step would want a recent proof of who the reader is.
func (s *site) stepWantsProof(ctx context.Context, e *entity.Entity, id ident.ID, to string) (bool, error) {
	if e.Machine == "BudgetPlan" {
		return budget.WantsProof(ctx, s.store, id, to)
	}
	return move.WantsProof(ctx, s.store, e.Name, id, to)
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

// derived puts the state that follows from the dates into rows of contracts: an
// approved one whose term runs is active. today is the reader's.
func derived(e *entity.Entity, found []entity.Row, today civil.Date) {
	if e.Name != "Contract" {
		return
	}
	at := e.Index("status")
	for _, row := range found {
		c := &ent.Contract{Status: entcontract.Status(fmt.Sprint(row.Values[at]))}
		c.RenewalMode = entcontract.RenewalMode(fmt.Sprint(e.Value(row, "renewal_mode")))
		c.NoticeMonths, _ = e.Value(row, "notice_months").(int)
		c.DecisionLeadDays, _ = e.Value(row, "decision_lead_days").(int)
		if d, ok := e.Value(row, "start_on").(civil.Date); ok {
			c.StartOn = &d
		}
		if d, ok := e.Value(row, "end_on").(civil.Date); ok {
			c.EndOn = &d
		}
		if n, ok := e.Value(row, "initial_months").(int); ok {
			c.InitialMonths = &n
		}
		if n, ok := e.Value(row, "renewal_months").(int); ok {
			c.RenewalMonths = &n
		}
		row.Values[at] = contract.State(c, today)
	}
}

// today is the reader's day.
func (s *site) today(ctx context.Context) civil.Date { return civil.DateOf(s.Now().In(i18n.Zone(ctx))) }
