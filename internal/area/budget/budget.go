// Package budget holds the verbs and read models of budgets: the grid, the writing of its
// cells, the posting of actuals, the life of a plan, fiscal periods and the totals.
//
// The doors (web, graph, exchange) call it. Every amount is in the currency of its plan,
// to four decimals; amounts of different currencies are never added. An absent amount is
// nil, which is not zero.
package budget

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
)

// View says which amounts a grid is opened to show.
type View string

// The views.
const (
	ViewPlan     View = "PLAN"
	ViewForecast View = "FORECAST"
	ViewAll      View = "ALL"
)

// MarshalGQL writes the view as a GraphQL enum value.
func (v View) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(v))) }

// UnmarshalGQL reads PLAN, FORECAST or ALL; anything else is an error.
func (v *View) UnmarshalGQL(in any) error {
	switch s := View(fmt.Sprint(in)); s {
	case ViewPlan, ViewForecast, ViewAll:
		*v = s
		return nil
	}
	return fmt.Errorf("%v is not a budget view", in)
}

// Field is one of the amounts of a cell that people write.
type Field string

// The fields.
const (
	Planned  Field = "PLANNED"
	Forecast Field = "FORECAST"
)

// MarshalGQL writes the field as a GraphQL enum value.
func (f Field) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(f))) }

// UnmarshalGQL reads PLANNED or FORECAST; anything else is an error.
func (f *Field) UnmarshalGQL(in any) error {
	switch s := Field(fmt.Sprint(in)); s {
	case Planned, Forecast:
		*f = s
		return nil
	}
	return fmt.Errorf("%v is not a field of a budget cell", in)
}

// Sum is a total of planned, forecast and actual amounts; an amount is nil when nothing was
// added up. Variance is actual minus planned (positive is over), added up over those cells
// that have both, and nil where there are none.
type Sum struct{ Planned, Forecast, Actual, Variance *money.Amount }

// adder adds amounts up and remembers the first that does not fit.
type adder struct{ err error }

func (a *adder) add(to **money.Amount, x *money.Amount) {
	if x == nil {
		return
	}
	if *to == nil {
		v := *x
		*to = &v
		return
	}
	sum, err := money.Add(**to, *x)
	if err != nil && a.err == nil {
		a.err = err
	}
	*to = &sum
}

func (a *adder) sum(to *Sum, x Sum) {
	a.add(&to.Planned, x.Planned)
	a.add(&to.Forecast, x.Forecast)
	a.add(&to.Actual, x.Actual)
	a.add(&to.Variance, x.Variance)
}

// variance is actual minus planned, nil unless there are both.
func (a *adder) variance(planned, actual *money.Amount) *money.Amount {
	if planned == nil || actual == nil {
		return nil
	}
	d, err := money.Sub(*actual, *planned)
	if err != nil && a.err == nil {
		a.err = err
	}
	return &d
}

// reach is what the viewer of ctx may touch of an entity with the letter.
func reach(ctx context.Context, entity string, l access.Letter) access.Reach {
	if scope.Unrestricted(ctx) {
		return access.Reach{All: true}
	}
	return access.For(viewer.From(ctx), entity, l)
}

func rowOf(portfolio ident.ID, product *ident.ID) access.Row {
	r := access.Row{Portfolio: portfolio}
	if product != nil {
		r.Product = *product
	}
	return r
}

// imported reports whether an import acts: what it brings stands as published, outside the
// states of plans and periods.
func imported(ctx context.Context) bool {
	return viewer.From(ctx).Via == viewer.ViaImport && scope.Unrestricted(ctx)
}

// clock is the time; tests set it.
var clock = func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Install connects the area with a store, once when the program is put together: how
// changes of cells are taken back, and that plans keep count when lines come and go.
func Install(s *store.Store) {
	s.OnUndo("BudgetCell", takeBack(s))
	s.Client.BudgetLine.Use(countLines(s))
	s.Client.BudgetPlan.Use(keepCurrency)
}
