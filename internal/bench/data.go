package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// The shape of the rows at scale 1. Budget lines are the long table; the caller has ten of the
// portfolios, so every statement has a scope that leaves out most rows.
const (
	portfolios = 50
	products   = 40 // of a portfolio, each with a budget
	contracts  = 2  // of a product
	vendors    = 300
	budget     = 150 // lines of a budget at scale 1
	own        = 10
	written    = 100 // budgets whose lines have cells
)

// reader is the e-mail address of the person who opens pages.
const reader = "bench@example.org"

func portfolioKey(i int) string { return fmt.Sprintf("PF-B%d", i) }

// id is the SQL for the id of row n of a type: hexadecimal digits are digits of an ULID.
func id(prefix, n string) string {
	return "'" + prefix + "_' || lpad(upper(to_hex(" + n + ")), 26, '0')"
}

// generate fills the database, which is empty but for its schema.
func generate(ctx context.Context, db *sql.DB, scale int) error {
	per := budget * scale
	now := "timestamptz '2026-01-01 00:00:00Z'"
	portfolio := "((i - 1) / " + fmt.Sprint(products) + " + 1)::int"
	steps := []string{
		`INSERT INTO portfolios (id, created_at, updated_at, key, name) SELECT ` + id("pfo", "i") + `, NOW_, NOW_, 'PF-B' || i, 'Portfolio ' || i FROM generate_series(1, P_) i`,
		`INSERT INTO vendors (id, created_at, updated_at, key, name, name_norm) SELECT ` + id("vnd", "i") + `, NOW_, NOW_, 'VN-B' || i, 'Vendor ' || i, 'vendor ' || i FROM generate_series(1, V_) i`,
		`INSERT INTO products (id, created_at, updated_at, key, name, summary, stage, criticality, portfolio_id)
			SELECT ` + id("prd", "i") + `, NOW_, NOW_, 'PRD-B' || i, 'Product ' || i, repeat('What it is for. ', 12), 'PRODUCTION', 'HIGH', ` + id("pfo", portfolio) + ` FROM generate_series(1, PP_) i`,
		`INSERT INTO contracts (id, created_at, updated_at, key, name, reference, status, value, start_on, end_on, portfolio_id, vendor_id)
			SELECT ` + id("ctr", "i") + `, NOW_, NOW_, 'CT-B' || i, 'Contract ' || lpad((i * 7919 % 99991)::text, 5, '0'), 'R-' || i, 'APPROVED', (i % 900 + 100) * 10000000::bigint, date '2025-04-01' + i % 300, date '2027-03-31' + i % 300,
			` + id("pfo", "((i - 1) / (2 * "+fmt.Sprint(products)+") + 1)::int") + `, ` + id("vnd", "(i % V_ + 1)::int") + ` FROM generate_series(1, PP_ * 2) i`,
		`INSERT INTO contract_products (contract_id, product_id) SELECT ` + id("ctr", "i") + `, ` + id("prd", "((i + 1) / 2)::int") + ` FROM generate_series(1, PP_ * 2) i`,
		`INSERT INTO budget_plans (id, created_at, updated_at, key, name, fiscal_year, status, line_count, portfolio_id, product_id)
			SELECT ` + id("bpl", "i") + `, NOW_, NOW_, 'BP-B' || i, 'Budget ' || i, 2026, 'APPROVED', L_, ` + id("pfo", portfolio) + `, ` + id("prd", "i") + ` FROM generate_series(1, PP_) i`,
		`INSERT INTO budget_lines (id, created_at, updated_at, portfolio_id, product_id, name, code, group_name, position, planned_total, forecast_total, actual_total, plan_id)
			SELECT ` + id("bln", "i") + `, NOW_, NOW_, ` + id("pfo", "((i - 1) / (L_ * "+fmt.Sprint(products)+") + 1)::int") + `, ` + id("prd", "((i - 1) / L_ + 1)::int") + `,
			'Line ' || lpad((i::bigint * 7919 % 99999989)::text, 8, '0'), 'C' || i % 100, 'Group ' || i % 8, i % L_, 120000000, 120000000, CASE WHEN i % 10 > 0 THEN 70000000 END, ` + id("bpl", "((i - 1) / L_ + 1)::int") + `
			FROM generate_series(1, PP_ * L_) i`,
		`INSERT INTO budget_cells (id, created_at, updated_at, portfolio_id, product_id, period, planned, forecast, actual, line_id)
			SELECT ` + id("bce", "((x.n - 1) * 12 + m)::int") + `, NOW_, NOW_, x.portfolio_id, x.product_id, to_char(date '2026-04-01' + make_interval(months => m - 1), 'YYYY-MM'), 10000000, 10000000,
			CASE WHEN m < 8 AND x.actual_total IS NOT NULL THEN 10000000 END, x.id
			FROM (SELECT *, row_number() OVER (ORDER BY id) n FROM budget_lines WHERE plan_id <= ` + id("bpl", fmt.Sprint(written)) + `) x, generate_series(1, 12) m`,
		`UPDATE budget_plans b SET planned_total = s.p, forecast_total = s.f, actual_total = s.a, planned_count = L_, forecast_count = L_, actual_count = s.n, comparable_count = s.n, variance_total = s.v
			FROM (SELECT plan_id, sum(planned_total)::bigint p, sum(forecast_total)::bigint f, sum(actual_total)::bigint a, count(actual_total) n, sum(actual_total - planned_total)::bigint v FROM budget_lines GROUP BY plan_id) s WHERE s.plan_id = b.id`,
		// who opens the pages: a portfolio manager of the same portfolios
		`INSERT INTO persons (id, created_at, updated_at, name, email) VALUES (` + id("per", "1") + `, NOW_, NOW_, 'Bench', '` + reader + `')`,
		`INSERT INTO role_grants (id, created_at, updated_at, role, person_id) VALUES (` + id("rgr", "1") + `, NOW_, NOW_, 'portfolio-manager', ` + id("per", "1") + `)`,
		`INSERT INTO memberships (id, created_at, updated_at, scope, scope_id, level, person_id) SELECT ` + id("mem", "i") + `, NOW_, NOW_, 'PORTFOLIO', ` + id("pfo", "i") + `, 'MANAGER', ` + id("per", "1") + ` FROM generate_series(1, ` + fmt.Sprint(own) + `) i`,
		`VACUUM ANALYZE`,
	}
	replace := strings.NewReplacer("NOW_", now, "PP_", fmt.Sprint(portfolios*products), "P_", fmt.Sprint(portfolios), "V_", fmt.Sprint(vendors), "L_", fmt.Sprint(per))
	for _, step := range steps {
		if _, err := db.ExecContext(ctx, replace.Replace(step)); err != nil {
			return fmt.Errorf("%.60s…: %w", strings.TrimSpace(step), err)
		}
	}
	return nil
}

// rowID is the id that generate gave to row n of a type.
func rowID(prefix string, n int) string { return fmt.Sprintf("%s_%026X", prefix, n) }
