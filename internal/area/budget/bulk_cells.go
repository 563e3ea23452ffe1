package budget

import (
	"context"
	"encoding/json"
	"strings"

	"entgo.io/ent/dialect"

	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// The set-based half of writing cells. A batch of any size is one statement that reads and
// one that writes; its rows travel as one JSON argument. The row scope is checked by the
// callers, explicitly, because this SQL goes round the guards.

// found is one asked-for cell as it is stored, with its line and plan.
type found struct {
	Line      ident.ID
	LineName  string
	Portfolio ident.ID
	Product   *ident.ID
	Archived  bool // the line or its plan
	Plan      planRow
	Period    civil.Period
	Cell      ident.ID // "" when never written
	Version   int
	Amounts   [3]*money.Amount
	Total     [3]*money.Amount // of the line
}

// planRow is what the write needs to know of a plan.
type planRow struct {
	ID       ident.ID
	Key      string
	Status   string
	Currency string
	Year     int
	Length   fiscal.Length
	Start    int // month in which the portfolio's years begin
	Closed   string
}

// closed returns the months whose books are closed in the plan's year.
func (p planRow) closed() fiscal.Closed {
	c := fiscal.Closed{}
	for entry := range strings.SplitSeq(p.Closed, ",") {
		if period, length, ok := strings.Cut(entry, ":"); ok {
			closes(c, civil.Period(period), fiscal.Length(length))
		}
	}
	return c
}

// where is a line and a period of it.
type where struct {
	Line   ident.ID     `json:"line"`
	Period civil.Period `json:"period"`
}

const readCells = `, p AS (
  SELECT p.id, p.key, p.status, p.currency, p.fiscal_year, p.period_length, p.archived_at, f.fiscal_year_start_month AS start,
    (SELECT string_agg(q.period || ':' || q.length, ',') FROM fiscal_periods q
     WHERE q.portfolio_id = p.portfolio_id AND q.fiscal_year = p.fiscal_year AND q.status = 'CLOSED') AS closed
  FROM budget_plans p JOIN portfolios f ON f.id = p.portfolio_id
  WHERE p.id IN (SELECT l.plan_id FROM budget_lines l WHERE l.id IN (SELECT line FROM v))
  ORDER BY p.id LOCK)
SELECT l.id, l.name, l.portfolio_id, l.product_id, l.archived_at IS NOT NULL OR p.archived_at IS NOT NULL,
  p.id, p.key, p.status, p.currency, p.fiscal_year, p.period_length, p.start, COALESCE(p.closed, ''),
  v.period, COALESCE(c.id, ''), COALESCE(c.version, 0), c.planned, c.forecast, c.actual,
  l.planned_total, l.forecast_total, l.actual_total
FROM v JOIN budget_lines l ON l.id = v.line JOIN p ON p.id = l.plan_id
LEFT JOIN budget_cells c ON c.line_id = l.id AND c.period = v.period`

// expect tells PostgreSQL how few rows an argument brings. It takes them for a hundred, and
// for so many it would read tables from end to end.
func expect(rows int) string {
	switch {
	case rows == 1:
		return " LIMIT 1"
	case rows <= 10:
		return " LIMIT 10"
	}
	return ""
}

// read returns the asked-for cells of the lines that exist. With lock it makes other writers
// of the same plans wait; on PostgreSQL a wait leaves the cells as they were before it, so
// the write compares versions once more.
func read(ctx context.Context, s *store.Store, cells []where, lock bool) (map[where]*found, error) {
	arg, err := json.Marshal(cells)
	if err != nil {
		return nil, err
	}
	q, wait := "WITH v AS (SELECT value ->> 'line' AS line, value ->> 'period' AS period FROM json_each($1))", ""
	if s.Dialect == dialect.Postgres {
		q = "WITH v AS (SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(line text, period text)" + expect(len(cells)) + ")"
		if lock {
			wait = "FOR NO KEY UPDATE OF p"
		}
	}
	rows, err := s.Raw(ctx).QueryContext(ctx, q+strings.Replace(readCells, "LOCK", wait, 1), string(arg))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[where]*found, len(cells))
	for rows.Next() {
		var f found
		p := &f.Plan
		if err := rows.Scan(&f.Line, &f.LineName, &f.Portfolio, &f.Product, &f.Archived, &p.ID, &p.Key, &p.Status, &p.Currency, &p.Year,
			&p.Length, &p.Start, &p.Closed, &f.Period, &f.Cell, &f.Version, &f.Amounts[planned], &f.Amounts[forecast], &f.Amounts[actual],
			&f.Total[planned], &f.Total[forecast], &f.Total[actual]); err != nil {
			return nil, err
		}
		out[where{f.Line, f.Period}] = &f
	}
	return out, rows.Err()
}

// written is one cell as it is to be: Version is the one it was based on, 0 for a new one.
type written struct {
	ID       ident.ID     `json:"id"`
	Line     ident.ID     `json:"line"`
	Period   civil.Period `json:"period"`
	Planned  *int64       `json:"planned"`
	Forecast *int64       `json:"forecast"`
	Actual   *int64       `json:"actual"`
	Version  int          `json:"version"`
	At       string       `json:"at"`
	By       string       `json:"by"`
}

// Statement parts. v holds the cells as they will be; t the touched lines with their totals
// before and after, added up afresh; d what that changes in their plans, archived lines
// apart. A plan's total becomes NULL again when none of its lines has one: hence the counts. Where a part
// reads the old cells it leaves out those of v, so it gives the same before and after the
// cells are written.
const (
	rowsPostgres = `v AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($1::jsonb) AS r(id text, line text, period text,
  planned bigint, forecast bigint, actual bigint, version bigint, at timestamptz, by text)EXPECTED)`
	rowsSQLite = `v AS MATERIALIZED (SELECT value ->> 'id' AS id, value ->> 'line' AS line, value ->> 'period' AS period, value ->> 'planned' AS planned,
  value ->> 'forecast' AS forecast, value ->> 'actual' AS actual, value ->> 'version' AS version, value ->> 'at' AS at, value ->> 'by' AS by
  FROM json_each($1))`
	difference = `,
t AS (
  SELECT l.id, l.plan_id, l.archived_at, l.planned_total AS p0, l.forecast_total AS f0, l.actual_total AS a0, x.p1, x.f1, x.a1
  FROM budget_lines l JOIN (
    SELECT line_id, SUM(planned) AS p1, SUM(forecast) AS f1, SUM(actual) AS a1 FROM (
      SELECT c.line_id, c.planned, c.forecast, c.actual FROM budget_cells c
      WHERE c.line_id IN (SELECT line FROM v) AND (c.line_id, c.period) NOT IN (SELECT line, period FROM v)
      UNION ALL SELECT line, planned, forecast, actual FROM v) y GROUP BY line_id) x ON x.line_id = l.id),
d AS (
  SELECT plan_id,
    SUM(COALESCE(p1, 0) - COALESCE(p0, 0)) AS dp, COUNT(p1) - COUNT(p0) AS np,
    SUM(COALESCE(f1, 0) - COALESCE(f0, 0)) AS df, COUNT(f1) - COUNT(f0) AS nf,
    SUM(COALESCE(a1, 0) - COALESCE(a0, 0)) AS da, COUNT(a1) - COUNT(a0) AS na,
    SUM(COALESCE(a1 - p1, 0) - COALESCE(a0 - p0, 0)) AS dv, COUNT(a1 + p1) - COUNT(a0 + p0) AS nv
  FROM t WHERE archived_at IS NULL AND (p1 IS DISTINCT FROM p0 OR f1 IS DISTINCT FROM f0 OR a1 IS DISTINCT FROM a0) GROUP BY plan_id)`
	updatePlans = `UPDATE budget_plans SET
  planned_total = CASE WHEN planned_count + d.np > 0 THEN COALESCE(planned_total, 0) + d.dp END, planned_count = planned_count + d.np,
  forecast_total = CASE WHEN forecast_count + d.nf > 0 THEN COALESCE(forecast_total, 0) + d.df END, forecast_count = forecast_count + d.nf,
  actual_total = CASE WHEN actual_count + d.na > 0 THEN COALESCE(actual_total, 0) + d.da END, actual_count = actual_count + d.na,
  variance_total = CASE WHEN comparable_count + d.nv > 0 THEN COALESCE(variance_total, 0) + d.dv END, comparable_count = comparable_count + d.nv
FROM d WHERE budget_plans.id = d.plan_id`
	updateLines = `UPDATE budget_lines SET planned_total = t.p1, forecast_total = t.f1, actual_total = t.a1 FROM t WHERE budget_lines.id = t.id`
	upsertCells = `INSERT INTO budget_cells (id, version, created_at, created_by, updated_at, updated_by, portfolio_id, product_id, period, planned, forecast, actual, line_id)
SELECT v.id, v.version + 1, v.at, v.by, v.at, v.by, l.portfolio_id, l.product_id, v.period, v.planned, v.forecast, v.actual, v.line
FROM v JOIN budget_lines l ON l.id = v.line WHERE true
ON CONFLICT (line_id, period) DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at, updated_by = excluded.updated_by,
  planned = excluded.planned, forecast = excluded.forecast, actual = excluded.actual
WHERE budget_cells.version = excluded.version - 1`
	takenPostgres = `SELECT 'cell' AS kind, id, '' AS period, NULL AS planned, NULL AS forecast, NULL AS actual FROM u`
	takenSQLite   = `SELECT 'cell' AS kind, v.id, '' AS period, NULL AS planned, NULL AS forecast, NULL AS actual
FROM v JOIN budget_cells c ON c.id = v.id AND c.version = v.version + 1`
	lineTotals   = ` UNION ALL SELECT 'line', id, '', p1, f1, a1 FROM t`
	periodSQLite = ` UNION ALL SELECT 'period', plan_id, period, SUM(planned), SUM(forecast), SUM(actual) FROM (
  SELECT l.plan_id, c.period, c.planned, c.forecast, c.actual FROM budget_lines l JOIN budget_cells c ON c.line_id = l.id
  WHERE l.plan_id IN (SELECT plan_id FROM t) AND l.archived_at IS NULL AND c.period IN (SELECT period FROM v)
    AND (c.line_id, c.period) NOT IN (SELECT line, period FROM v)
  UNION ALL SELECT t.plan_id, v.period, v.planned, v.forecast, v.actual FROM v JOIN t ON t.id = v.line WHERE t.archived_at IS NULL) z
GROUP BY plan_id, period`
	// The same for each plan and period by itself: PostgreSQL does not know how few there
	// are and would read the cells of every plan.
	periodPostgres = ` UNION ALL SELECT 'period', k.plan_id, k.period, z.p, z.f, z.a
FROM (SELECT plan_id, period FROM (SELECT DISTINCT plan_id FROM t) a CROSS JOIN (SELECT DISTINCT period FROM v) b) k CROSS JOIN LATERAL (
  SELECT SUM(planned) AS p, SUM(forecast) AS f, SUM(actual) AS a, COUNT(*) AS n FROM (
    SELECT c.planned, c.forecast, c.actual FROM budget_lines l JOIN budget_cells c ON c.line_id = l.id AND c.period = k.period
    WHERE l.plan_id = k.plan_id AND l.archived_at IS NULL AND (c.line_id, c.period) NOT IN (SELECT line, period FROM v)
    UNION ALL SELECT v.planned, v.forecast, v.actual FROM v JOIN t ON t.id = v.line
    WHERE t.plan_id = k.plan_id AND v.period = k.period AND t.archived_at IS NULL) y) z
WHERE z.n > 0`
)

// outcome is what a write reports: which cells took it, and totals after it.
type outcome struct {
	cells   map[ident.ID]bool
	lines   map[ident.ID][3]*money.Amount
	periods []PeriodTotal
}

// write stores the cells whose version is still the one they were based on, and brings the
// totals of their lines and plans to what they then are. When outcome.cells lacks
// one, somebody was faster with it and the caller must roll back.
func write(ctx context.Context, s *store.Store, batch []written, totals bool) (*outcome, error) {
	arg, err := json.Marshal(batch)
	if err != nil {
		return nil, err
	}
	result, perPeriod := lineTotals, periodSQLite
	if s.Dialect == dialect.Postgres {
		perPeriod = periodPostgres
	}
	if totals {
		result += perPeriod
	}
	var q string
	if s.Dialect == dialect.Postgres {
		q = "WITH " + strings.Replace(rowsPostgres, "EXPECTED", expect(len(batch)), 1) + difference + ",\npl AS (" + updatePlans + "),\nli AS (" + updateLines + "),\nu AS (" + upsertCells + " RETURNING id)\n" +
			takenPostgres + result
	} else {
		// SQLite has no WITH around statements that write, so they follow one another in
		// one call: each sees what the one before it did, hence plans before their lines.
		with := "WITH " + rowsSQLite + difference + "\n"
		q = with + updatePlans + ";\n" + with + updateLines + ";\nWITH " + rowsSQLite + "\n" + upsertCells + ";\n" + with + takenSQLite + result
	}
	rows, err := s.Raw(ctx).QueryContext(ctx, q, string(arg))
	if err != nil {
		return nil, tooLarge(err)
	}
	defer rows.Close()
	out := &outcome{cells: map[ident.ID]bool{}, lines: map[ident.ID][3]*money.Amount{}}
	for rows.Next() {
		var kind string
		var id ident.ID
		var period civil.Period
		var a [3]*money.Amount
		if err := rows.Scan(&kind, &id, &period, &a[planned], &a[forecast], &a[actual]); err != nil {
			return nil, err
		}
		switch kind {
		case "cell":
			out.cells[id] = true
		case "line":
			out.lines[id] = a
		case "period":
			out.periods = append(out.periods, PeriodTotal{PlanID: id, Period: period, Planned: a[planned], Forecast: a[forecast], Actual: a[actual]})
		}
	}
	return out, tooLarge(rows.Err())
}

// tooLarge names the one fault that values can cause here: a total beyond what is stored.
func tooLarge(err error) error {
	if err != nil && (strings.Contains(err.Error(), "integer overflow") || strings.Contains(err.Error(), "out of range")) {
		return errs.Invalid("cells", "error.money.range").Wrap(err)
	}
	return err
}

// stamp writes an instant as the column of the dialect keeps it.
func stamp(s *store.Store) string {
	if s.Dialect == dialect.Postgres {
		return clock().Format("2006-01-02T15:04:05.999999Z07:00")
	}
	return clock().Format("2006-01-02 15:04:05.999999999-07:00")
}

// units is an amount as the database counts it.
func units(a *money.Amount) *int64 { return (*int64)(a) }
