package budget

import (
	"slices"
	"strings"

	"steward/internal/rules/ident"
)

// addUp fills in the totals of lines, groups, plans and currencies. An amount counts under
// the column of its period only when it covers just that column; an amount of a period that
// the plan does not have, which only an import can leave, counts in the year.
func (r *reading) addUp() {
	g := r.grid
	plans := map[ident.ID]*Plan{}
	for i := range g.Plans {
		plans[g.Plans[i].ID] = &g.Plans[i]
	}
	totals := map[string]*CurrencyTotal{}
	for i := range g.Groups {
		group := &g.Groups[i]
		group.Periods = make([]Sum, len(g.Columns))
		t := totals[group.Currency]
		if t == nil {
			t = &CurrencyTotal{Periods: make([]Sum, len(g.Columns))}
			t.FiscalYear, t.Currency = g.FiscalYear, group.Currency
			totals[group.Currency] = t
		}
		for k := range group.Lines {
			line := &group.Lines[k]
			for at, c := range line.Cells {
				x := Sum{c.Planned, c.Forecast, c.Actual, c.Variance}
				r.sum(&line.Total, x)
				if c.Span == 1 {
					r.sum(&group.Periods[at], x)
				}
			}
			for _, c := range r.outside[line.ID] {
				r.sum(&line.Total, Sum{c.Planned, c.Forecast, c.Actual, r.variance(c.Planned, c.Actual)})
			}
			r.sum(&group.Total, line.Total)
			r.count(&t.YearTotals, line.Total)
		}
		for at := range group.Periods {
			r.sum(&t.Periods[at], group.Periods[at])
		}
		plan := plans[group.PlanID]
		plan.Lines += len(group.Lines)
		r.sum(&plan.Total, group.Total)
		r.sum(&t.Total, group.Total)
	}
	for _, t := range totals {
		g.Totals = append(g.Totals, *t)
	}
	slices.SortFunc(g.Totals, func(a, b CurrencyTotal) int { return strings.Compare(a.Currency, b.Currency) })
}

// count adds one line to totals that compare whole lines.
func (r *reading) count(t *YearTotals, line Sum) {
	t.Lines++
	r.add(&t.Planned, line.Planned)
	r.add(&t.Forecast, line.Forecast)
	r.add(&t.Actual, line.Actual)
	if line.Planned == nil {
		t.MissingPlan++
	}
	if line.Actual == nil {
		t.MissingActual++
	}
	if v := r.variance(line.Planned, line.Actual); v != nil {
		t.Comparable++
		r.add(&t.Variance, v)
	}
}
