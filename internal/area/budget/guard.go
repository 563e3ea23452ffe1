package budget

import (
	"slices"
	"time"

	"steward/ent/budgetplan"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/fiscal"
)

// The states in which people may write planned and forecast amounts. Actuals are posted
// until the plan is closed.
var (
	planning    = []string{string(budgetplan.StatusDRAFT), string(budgetplan.StatusRETURNED)}
	forecasting = append([]string{string(budgetplan.StatusSUBMITTED), string(budgetplan.StatusAPPROVED)}, planning...)
)

// amountKind indexes the three amounts of a cell.
type amountKind int

const (
	planned amountKind = iota
	forecast
	actual
)

// column names the amounts as the database and the audit do.
var column = [3]string{"planned", "forecast", "actual"}

// refusal returns why an amount of a kind may not be written now in a plan of the state, in
// the span that begins with p; nil when it may.
func refusal(kind amountKind, status string, closed fiscal.Closed, p civil.Period, l fiscal.Length) *errs.Field {
	switch {
	case kind == planned && !slices.Contains(planning, status):
		return &errs.Field{Key: "budget.planned_fixed." + status}
	case kind == forecast && !slices.Contains(forecasting, status):
		return &errs.Field{Key: "budget.forecast_fixed." + status}
	case kind == actual && status == string(budgetplan.StatusCLOSED):
		return &errs.Field{Key: "budget.actual_fixed"}
	case kind != planned && !closed.Open(p, l):
		return &errs.Field{Key: "budget.period_closed"}
	}
	return nil
}

// closes adds the months of a closed period to the set.
func closes(c fiscal.Closed, p civil.Period, l fiscal.Length) {
	for m := range max(l.Months(), 1) {
		c[p.Add(m)] = true
	}
}

func calendarOf(startMonth int) fiscal.Calendar {
	return fiscal.Calendar{StartMonth: time.Month(startMonth)}
}
