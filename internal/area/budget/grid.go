package budget

import (
	"time"

	"steward/internal/rules/civil"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// GridInput says which grid to read: that of one plan, or that of a portfolio (by slug or
// key) in a fiscal year: the current versions of its own plans and of its products'.
type GridInput struct {
	Plan       *ident.ID
	Portfolio  string
	FiscalYear int  // named by the year it starts in; 0 is the one today lies in
	Show       View // "" is ViewAll
}

// GridView is what the page and the API show of budgets. Its columns are the periods of the
// finest plan; an amount of a coarser plan spans several and is part of the year's totals only.
type GridView struct {
	Portfolio  Portfolio
	FiscalYear int
	Show       View
	Length     fiscal.Length // of the columns
	Columns    []Column
	// Plans begins with the portfolio's own; its products' follow by name.
	Plans []Plan
	// Groups are in the order of their plans, and within a plan of their first lines.
	Groups []Group
	// Totals has one entry for each currency, in alphabetical order.
	Totals []CurrencyTotal
	// FiscalYears are those with a current plan in the portfolio, in order.
	FiscalYears []int
}

// Label returns the name of the fiscal year in the language: "2026–27".
func (g *GridView) Label(lang string) string {
	return calendarOf(g.Portfolio.StartMonth).Label(g.FiscalYear, lang)
}

// Portfolio is where the plans are at home.
type Portfolio struct {
	ID                                ident.ID
	Key, Slug, Name, NameFr, TimeZone string
	StartMonth                        int
}

// Column is one period of the grid. Current tells that today, in the portfolio's time zone,
// lies in it. PeriodID and Version are those of the fiscal period of this length, if there is
// one: who may, closes and opens it by them.
type Column struct {
	Period          civil.Period
	Months          int
	Closed, Current bool
	PeriodID        *ident.ID
	Version         int
}

// Plan is one plan of the grid. MayPlan and MayForecast join its state with the viewer's
// rights; a forecast also needs its period open, which the cells say.
type Plan struct {
	ID                                     ident.ID
	Key, Name                              string
	ProductID                              *ident.ID // nil for the portfolio's own plan
	ProductKey, ProductName, ProductNameFr string
	Currency                               string
	Length                                 fiscal.Length
	Status                                 string
	VersionNo, Version                     int
	Imported                               bool
	MayPlan, MayForecast                   bool
	Actions                                []flow.Move
	Lines                                  int
	Total                                  Sum
}

// Group is the lines of a plan under one heading: Name where the lines carry one, else their
// Category ("" when they have none either).
type Group struct {
	PlanID         ident.ID
	Name, Category string
	Currency       string
	Lines          []Line
	// Periods has a total for each column, of the amounts of that very period.
	Periods []Sum
	Total   Sum
}

// Line is one row of the grid.
type Line struct {
	ID, PlanID          ident.ID
	Name, NameFr, Code  string
	Category, CostClass string
	Unit                string
	Quantity            *money.Amount // planned, to four decimals; not money
	Currency            string
	// Cells has one entry for each period of its plan, in order.
	Cells []Cell
	Total Sum
}

// Cell is one amount of each kind in one period. Span is how many columns it covers. Variance
// is actual minus planned, nil unless there are both.
type Cell struct {
	Period                              civil.Period
	Span                                int
	Planned, Forecast, Actual, Variance *money.Amount
	Version                             int // 0 when never written
	MayPlan, MayForecast, Closed        bool
}

// CurrencyTotal adds up all lines of one currency. Its variances compare cell by cell, so
// that a month without an actual does not count as one without spending; the embedded
// YearTotals compare whole lines, as everywhere else.
type CurrencyTotal struct {
	YearTotals
	// Periods has a total for each column, of the amounts of that very period.
	Periods []Sum
	Total   Sum
}

// zone returns the portfolio's time zone, UTC when it is not known here.
func (p Portfolio) zone() *time.Location {
	z, err := time.LoadLocation(p.TimeZone)
	if err != nil {
		return time.UTC
	}
	return z
}

// today is the day it is in the portfolio.
func (p Portfolio) today() civil.Date { return civil.DateOf(clock().In(p.zone())) }
