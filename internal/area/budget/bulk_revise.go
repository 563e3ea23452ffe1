package budget

import (
	"context"
	"encoding/json"
	"slices"

	"entgo.io/ent/dialect"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
)

// pair is a row and the one copied from it.
type pair struct {
	Old ident.ID `json:"old"`
	New ident.ID `json:"new"`
	At  string   `json:"at"`
	By  string   `json:"by"`
}

const (
	pairsPostgres = `WITH v AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(old text, new text, at timestamptz, by text)) `
	pairsSQLite   = `WITH v AS (SELECT value ->> 'old' AS old, value ->> 'new' AS new, value ->> 'at' AS at, value ->> 'by' AS by FROM json_each($1)) `
	copyLines     = `INSERT INTO budget_lines (id, version, created_at, created_by, updated_at, updated_by, custom, origin, source, external_id,
  portfolio_id, product_id, name, name_fr, code, group_name, position, category, cost_class, coding, unit, quantity_planned, quantity_actual,
  outlook, note, planned_total, forecast_total, actual_total, plan_id, contract_id)
SELECT v.new, 1, v.at, v.by, v.at, v.by, l.custom, l.origin, 'revision', l.id, l.portfolio_id, l.product_id, l.name, l.name_fr, l.code, l.group_name,
  l.position, l.category, l.cost_class, l.coding, l.unit, l.quantity_planned, l.quantity_actual, l.outlook, l.note,
  l.planned_total, l.forecast_total, l.actual_total, $2, l.contract_id
FROM v JOIN budget_lines l ON l.id = v.old WHERE true`
	copyCells = `INSERT INTO budget_cells (id, version, created_at, created_by, updated_at, updated_by, custom, portfolio_id, product_id, period,
  planned, forecast, actual, line_id)
SELECT v.new, 1, v.at, v.by, v.at, v.by, c.custom, c.portfolio_id, c.product_id, c.period, c.planned, c.forecast, c.actual, l.id
FROM v JOIN budget_cells c ON c.id = v.old JOIN budget_lines l ON l.source = 'revision' AND l.external_id = c.line_id WHERE true`
)

// copyRows copies the unarchived lines of a plan and their cells to its next version and
// returns how each line is called there. A few statements for every two thousand rows.
func copyRows(ctx context.Context, s *store.Store, from, to *ent.BudgetPlan) ([]pair, error) {
	with := pairsSQLite
	if s.Dialect == dialect.Postgres {
		with = pairsPostgres
	}
	copied := func(prefix, list, insert string, more ...any) ([]pair, error) {
		ids, err := idsOf(ctx, s, list, string(from.ID))
		if err != nil {
			return nil, err
		}
		pairs := make([]pair, len(ids))
		for i, id := range ids {
			pairs[i] = pair{id, ident.New(prefix), stamp(s), actor(ctx)}
		}
		for batch := range slices.Chunk(pairs, 2000) {
			arg, err := json.Marshal(batch)
			if err != nil {
				return nil, err
			}
			if _, err := s.Raw(ctx).ExecContext(ctx, with+insert, append([]any{string(arg)}, more...)...); err != nil {
				return nil, err
			}
		}
		return pairs, nil
	}
	lines, err := copied("bln", `SELECT id FROM budget_lines WHERE plan_id = $1 AND archived_at IS NULL ORDER BY position, id`, copyLines, string(to.ID))
	if err != nil {
		return nil, err
	}
	if _, err := copied("bce", `SELECT c.id FROM budget_cells c JOIN budget_lines l ON l.id = c.line_id WHERE l.plan_id = $1 AND l.archived_at IS NULL ORDER BY c.id`, copyCells); err != nil {
		return nil, err
	}
	return lines, recount(ctx, s, to.ID)
}

// versionsOf returns the other versions of lines that share their actuals: all later ones,
// and the one in force where a line belongs to the draft of a revision. Archived lines and
// closed plans take no part.
func versionsOf(ctx context.Context, s *store.Store, lines []ident.ID) (map[ident.ID][]ident.ID, error) {
	arg, err := json.Marshal(lines)
	if err != nil {
		return nil, err
	}
	v := "SELECT DISTINCT value AS line FROM json_each($1)"
	if s.Dialect == dialect.Postgres {
		v = "SELECT DISTINCT value AS line FROM jsonb_array_elements_text($1::jsonb)"
	}
	rows, err := s.Raw(ctx).QueryContext(ctx, "WITH RECURSIVE v AS ("+v+`),
w(root, id) AS (
  SELECT v.line, l.id FROM v JOIN budget_lines l ON l.source = 'revision' AND l.external_id = v.line
  UNION SELECT w.root, l.id FROM w JOIN budget_lines l ON l.source = 'revision' AND l.external_id = w.id),
a(root, id) AS (
  SELECT root, id FROM w
  UNION SELECT v.line, l.external_id FROM v JOIN budget_lines l ON l.id = v.line JOIN budget_plans p ON p.id = l.plan_id
  WHERE l.source = 'revision' AND p.status = 'DRAFT')
SELECT a.root, a.id FROM a JOIN budget_lines l ON l.id = a.id JOIN budget_plans p ON p.id = l.plan_id
WHERE l.archived_at IS NULL AND p.archived_at IS NULL AND p.status <> 'CLOSED' ORDER BY a.id`, string(arg))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[ident.ID][]ident.ID{}
	for rows.Next() {
		var root, id ident.ID
		if err := rows.Scan(&root, &id); err != nil {
			return nil, err
		}
		out[root] = append(out[root], id)
	}
	return out, rows.Err()
}

// idsOf runs a query for ids.
func idsOf(ctx context.Context, s *store.Store, query string, args ...any) ([]ident.ID, error) {
	rows, err := s.Raw(ctx).QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []ident.ID
	for rows.Next() {
		var id ident.ID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, rows.Err()
}
