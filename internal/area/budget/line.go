package budget

import (
	"context"
	"slices"

	"steward/ent"
	"steward/ent/budgetline"
	"steward/ent/budgetplan"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// countLines keeps a plan's totals and number of lines right when lines are made, archived
// and restored, and lets people do that only while the plan can be planned: a line that goes
// takes its amounts with it. It runs inside the guards, after the rights were checked.
func countLines(s *store.Store) ent.Hook {
	return func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, raw ent.Mutation) (ent.Value, error) {
			m, ok := raw.(*ent.BudgetLineMutation)
			if !ok {
				return next.Mutate(ctx, raw)
			}
			_, archived := m.ArchivedAt()
			var plan ident.ID
			switch {
			case m.Op().Is(ent.OpCreate):
				plan, _ = m.PlanID()
			case archived || m.ArchivedAtCleared():
				id, _ := m.ID()
				line, err := m.Client().BudgetLine.Query().Where(budgetline.ID(id)).Only(scope.Elevate(ctx))
				if err != nil {
					return nil, err
				}
				plan = line.PlanID
			default:
				return next.Mutate(ctx, raw)
			}
			// The plan is locked before the line, as in every write of cells.
			p, err := m.Client().BudgetPlan.Query().Where(budgetplan.ID(plan)).Where(s.Lock()).Only(scope.Elevate(ctx))
			if err != nil {
				return nil, err
			}
			if !scope.Unrestricted(ctx) && (p.ArchivedAt != nil || !slices.Contains(planning, string(p.Status))) {
				return nil, errs.New(errs.State, "budget.lines_fixed", "plan", p.Key)
			}
			out, err := next.Mutate(ctx, raw)
			if err != nil {
				return nil, err
			}
			if m.Op().Is(ent.OpCreate) && bare(m) {
				return out, countLine(ctx, s, plan)
			}
			return out, recount(ctx, s, plan)
		})
	}
}

// bare reports whether a new line has no amounts, as every line that comes through a door.
func bare(m *ent.BudgetLineMutation) bool {
	_, planned := m.PlannedTotal()
	_, forecast := m.ForecastTotal()
	_, actual := m.ActualTotal()
	return !planned && !forecast && !actual
}

// keepCurrency refuses another currency for a plan that has amounts: they would silently
// become other money.
func keepCurrency(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, raw ent.Mutation) (ent.Value, error) {
		m, ok := raw.(*ent.BudgetPlanMutation)
		if !ok || !m.Op().Is(ent.OpUpdateOne) {
			return next.Mutate(ctx, raw)
		}
		if code, set := m.Currency(); set {
			id, _ := m.ID()
			p, err := m.Client().BudgetPlan.Query().Where(budgetplan.ID(id)).Only(scope.Elevate(ctx))
			if err != nil {
				return nil, err
			}
			if p.Currency != code && (p.PlannedTotal != nil || p.ForecastTotal != nil || p.ActualTotal != nil) {
				return nil, errs.Invalid("currency", "budget.currency_fixed", "currency", p.Currency)
			}
		}
		return next.Mutate(ctx, raw)
	})
}
