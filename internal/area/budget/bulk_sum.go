package budget

import (
	"context"

	"steward/internal/platform/store"
	"steward/internal/rules/ident"
)

// Sums is the part of an UPDATE of budget_plans that sets all a plan keeps of its unarchived
// lines to what they say: how many there are, their totals, how many have each, and the
// variance, actual minus planned, over those that have both. An amount is NULL when no line
// has one. Whoever runs it holds the plans' rows.
const Sums = `(line_count, planned_total, forecast_total, actual_total, planned_count, forecast_count, actual_count, comparable_count, variance_total) = (
  SELECT COUNT(*), CAST(SUM(l.planned_total) AS bigint), CAST(SUM(l.forecast_total) AS bigint), CAST(SUM(l.actual_total) AS bigint),
    COUNT(l.planned_total), COUNT(l.forecast_total), COUNT(l.actual_total),
    COUNT(l.planned_total + l.actual_total), CAST(SUM(l.actual_total - l.planned_total) AS bigint)
  FROM budget_lines l WHERE l.plan_id = budget_plans.id AND l.archived_at IS NULL)`

// recount sets what a plan keeps of its lines to what they say.
func recount(ctx context.Context, s *store.Store, plan ident.ID) error {
	_, err := s.Raw(ctx).ExecContext(ctx, `UPDATE budget_plans SET `+Sums+` WHERE id = $1`, string(plan))
	return tooLarge(err)
}

// countLine adds one new, empty line to a plan's number of lines.
func countLine(ctx context.Context, s *store.Store, plan ident.ID) error {
	_, err := s.Raw(ctx).ExecContext(ctx, `UPDATE budget_plans SET line_count = line_count + 1 WHERE id = $1`, string(plan))
	return err
}
