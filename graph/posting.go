package graph

import (
	"context"

	"steward/ent/budgetline"
	"steward/internal/area/budget"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// notTyped is the answer to a person who posts actuals: those come from imports
// and integrations. Lines the person cannot see are not found, as everywhere.
func (r *Resolver) notTyped(ctx context.Context, in budget.PostActualInput) error {
	lines := map[ident.ID]bool{}
	var ids []ident.ID
	for _, p := range in.Postings {
		if !lines[p.LineID] {
			lines[p.LineID] = true
			ids = append(ids, p.LineID)
		}
	}
	n, err := r.client(ctx).BudgetLine.Query().Where(budgetline.IDIn(ids...)).Count(ctx)
	switch {
	case err != nil:
		return err
	case n < len(ids):
		return errs.NotFound()
	}
	return errs.New(errs.CodeForbidden, "budget.actuals_posted")
}
