package budget

import (
	"context"
	"fmt"
	"strings"

	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// Difference is a total that is not what it sums up: an amount kept on a line or a plan, or how many of
// its lines there are or have an amount (fields that end in _count: Kept and Sum are then numbers of lines).
type Difference struct {
	Entity string // "BudgetLine" or "BudgetPlan"
	ID     ident.ID
	Name   string
	Field  string // the column that is wrong
	Kept   *money.Amount
	Sum    *money.Amount
}

// String says it in one sentence.
func (d Difference) String() string {
	amount := func(a *money.Amount) string {
		switch {
		case a == nil:
			return "nothing"
		case strings.HasSuffix(d.Field, "_count"):
			return fmt.Sprint(int64(*a))
		}
		return a.String()
	}
	return fmt.Sprintf("%s %s (%s): %s is %s, what it sums up comes to %s", d.Entity, d.ID, d.Name, d.Field, amount(d.Kept), amount(d.Sum))
}

const checkTotals = `WITH c AS (SELECT line_id, SUM(planned) AS p, SUM(forecast) AS f, SUM(actual) AS a FROM budget_cells GROUP BY line_id),
l AS (SELECT plan_id, COUNT(*) AS n, SUM(planned_total) AS p, SUM(forecast_total) AS f, SUM(actual_total) AS a, COUNT(planned_total) AS np,
  COUNT(forecast_total) AS nf, COUNT(actual_total) AS na, COUNT(planned_total + actual_total) AS nv, SUM(actual_total - planned_total) AS v
  FROM budget_lines WHERE archived_at IS NULL GROUP BY plan_id)
SELECT * FROM (
  SELECT 'BudgetLine' AS entity, b.id, b.name, 'planned_total' AS field, b.planned_total AS kept, c.p AS sum FROM budget_lines b LEFT JOIN c ON c.line_id = b.id
  UNION ALL SELECT 'BudgetLine', b.id, b.name, 'forecast_total', b.forecast_total, c.f FROM budget_lines b LEFT JOIN c ON c.line_id = b.id
  UNION ALL SELECT 'BudgetLine', b.id, b.name, 'actual_total', b.actual_total, c.a FROM budget_lines b LEFT JOIN c ON c.line_id = b.id
  UNION ALL SELECT 'BudgetPlan', b.id, b.name, 'planned_total', b.planned_total, l.p FROM budget_plans b LEFT JOIN l ON l.plan_id = b.id
  UNION ALL SELECT 'BudgetPlan', b.id, b.name, 'forecast_total', b.forecast_total, l.f FROM budget_plans b LEFT JOIN l ON l.plan_id = b.id
  UNION ALL SELECT 'BudgetPlan', b.id, b.name, 'actual_total', b.actual_total, l.a FROM budget_plans b LEFT JOIN l ON l.plan_id = b.id
  UNION ALL SELECT 'BudgetPlan', b.id, b.name, 'variance_total', b.variance_total, l.v FROM budget_plans b LEFT JOIN l ON l.plan_id = b.id
  UNION ALL SELECT 'BudgetPlan', b.id, b.name, 'line_count', b.line_count, COALESCE(l.n, 0) FROM budget_plans b LEFT JOIN l ON l.plan_id = b.id
  UNION ALL SELECT 'BudgetPlan', b.id, b.name, 'planned_count', b.planned_count, COALESCE(l.np, 0) FROM budget_plans b LEFT JOIN l ON l.plan_id = b.id
  UNION ALL SELECT 'BudgetPlan', b.id, b.name, 'forecast_count', b.forecast_count, COALESCE(l.nf, 0) FROM budget_plans b LEFT JOIN l ON l.plan_id = b.id
  UNION ALL SELECT 'BudgetPlan', b.id, b.name, 'actual_count', b.actual_count, COALESCE(l.na, 0) FROM budget_plans b LEFT JOIN l ON l.plan_id = b.id
  UNION ALL SELECT 'BudgetPlan', b.id, b.name, 'comparable_count', b.comparable_count, COALESCE(l.nv, 0) FROM budget_plans b LEFT JOIN l ON l.plan_id = b.id) x
WHERE kept IS DISTINCT FROM sum ORDER BY entity, id, field LIMIT 1000`

// CheckTotals compares every kept total with what it sums up, as of one instant, and returns those that
// differ, at most a thousand: lines with their cells, plans with their lines that are not archived. It looks
// at everything there is, whoever asks, so it is for commands, not for doors.
func CheckTotals(ctx context.Context, s *store.Store) ([]Difference, error) {
	rows, err := s.Raw(ctx).QueryContext(ctx, checkTotals)
	if err != nil {
		return nil, store.Known(err)
	}
	defer rows.Close()
	var out []Difference
	for rows.Next() {
		var d Difference
		if err := rows.Scan(&d.Entity, &d.ID, &d.Name, &d.Field, &d.Kept, &d.Sum); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}
