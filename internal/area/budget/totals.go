package budget

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"steward/ent/budgetplan"
	entportfolio "steward/ent/portfolio"
	"steward/ent/predicate"
	"steward/internal/area/portfolio"
	"steward/internal/platform/store"
	"steward/internal/rules/money"
)

// YearTotals adds up the lines of one fiscal year and currency. An amount is nil when no line
// has one. Variance is actual minus planned over the Comparable lines, those that have both;
// MissingPlan and MissingActual count the lines without, and a line with neither is in both.
// The fiscal year is named by the year it starts in.
type YearTotals struct {
	FiscalYear                int
	Currency                  string
	Lines                     int
	Planned, Forecast, Actual *money.Amount
	Comparable                int
	MissingPlan               int
	MissingActual             int
	Variance                  *money.Amount
}

// Counted narrows plans to the versions that totals count: the current one of each plan,
// unless it is the draft of a revision, in whose place the version it revises counts on.
// Archived plans do not count.
func Counted() predicate.BudgetPlan { return counted }

func counted(s *sql.Selector) {
	b := sql.Dialect(s.Dialect())
	r := b.Table(budgetplan.Table).As("draft")
	draft := func(t func(string) string) *sql.Predicate {
		return sql.And(sql.EQ(t(budgetplan.FieldCurrent), true), sql.EQ(t(budgetplan.FieldStatus), budgetplan.StatusDRAFT), sql.NotNull(t(budgetplan.FieldRevisionOfID)))
	}
	s.Where(sql.And(
		sql.IsNull(s.C(budgetplan.FieldArchivedAt)),
		sql.Or(
			sql.And(sql.EQ(s.C(budgetplan.FieldCurrent), true), sql.Not(draft(s.C))),
			sql.In(s.C(budgetplan.FieldID), b.Select(r.C(budgetplan.FieldRevisionOfID)).From(r).Where(draft(r.C))),
		)))
}

// Totals adds up the unarchived budget lines that the viewer reads, in the plans that count
// (see Counted), one row for each fiscal year and currency in that order; of one portfolio
// (by key or slug, errs.NotFound when the viewer has no such) and one fiscal year where given.
// Whoever reads a plan reads its lines, so what the plans keep of them is added up. It takes
// one statement, and another where it finds nothing in a portfolio, which may not be there.
func Totals(ctx context.Context, s *store.Store, portfolioKey *string, fiscalYear *int) ([]YearTotals, error) {
	q := s.ClientOf(ctx).BudgetPlan.Query().Where(Counted(), budgetplan.LineCountGT(0))
	if portfolioKey != nil {
		key := portfolio.Key(*portfolioKey)
		q.Where(func(sel *sql.Selector) {
			p := sql.Dialect(sel.Dialect()).Table(entportfolio.Table).As("p")
			sel.Where(sql.In(sel.C(budgetplan.FieldPortfolioID), sql.Dialect(sel.Dialect()).Select(p.C(entportfolio.FieldID)).From(p).Where(sql.EQ(p.C(entportfolio.FieldKey), key))))
		})
	}
	if fiscalYear != nil {
		q.Where(budgetplan.FiscalYear(*fiscalYear))
	}
	var rows []struct {
		FiscalYear int           `sql:"fiscal_year"`
		Currency   string        `sql:"currency"`
		Lines      int           `sql:"lines"`
		Planned    *money.Amount `sql:"planned"`
		Forecast   *money.Amount `sql:"forecast"`
		Actual     *money.Amount `sql:"actual"`
		Comparable int           `sql:"comparable"`
		WithPlan   int           `sql:"with_plan"`
		WithActual int           `sql:"with_actual"`
		Variance   *money.Amount `sql:"variance"`
	}
	err := q.Modify(func(sel *sql.Selector) {
		sum := func(column, as string) string { return sql.As(sql.Sum(sel.C(column)), as) }
		year, currency := sel.C(budgetplan.FieldFiscalYear), sel.C(budgetplan.FieldCurrency)
		sel.Select(year, currency, sum(budgetplan.FieldLineCount, "lines"),
			sum(budgetplan.FieldPlannedTotal, "planned"), sum(budgetplan.FieldForecastTotal, "forecast"), sum(budgetplan.FieldActualTotal, "actual"),
			sum(budgetplan.FieldComparableCount, "comparable"), sum(budgetplan.FieldPlannedCount, "with_plan"), sum(budgetplan.FieldActualCount, "with_actual"),
			sum(budgetplan.FieldVarianceTotal, "variance")).
			GroupBy(year, currency).OrderBy(year, currency)
	}).Scan(ctx, &rows)
	if err != nil {
		return nil, store.Known(err)
	}
	if portfolioKey != nil && len(rows) == 0 {
		if _, err := portfolio.ByKey(ctx, s, *portfolioKey); err != nil {
			return nil, err
		}
	}
	out := make([]YearTotals, len(rows))
	for i, r := range rows {
		out[i] = YearTotals{r.FiscalYear, r.Currency, r.Lines, r.Planned, r.Forecast, r.Actual, r.Comparable,
			r.Lines - r.WithPlan, r.Lines - r.WithActual, r.Variance}
	}
	return out, nil
}
