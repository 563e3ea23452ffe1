package budget

import (
	"context"
	"strings"

	"github.com/a-h/templ"

	"steward/internal/area/budget"
	"steward/internal/platform/i18n"
	"steward/internal/rules/money"
	"steward/views/ui"
)

// Context is short for context.Context in the templates.
type Context = context.Context

// currencyText is an amount in full, empty when there is none.
func currencyText(ctx Context, a *money.Amount, currency string) string {
	if a == nil {
		return ""
	}
	return i18n.Money(i18n.From(ctx), *a, currency)
}

// varianceWord says beside the arrow whether a variance is over or under.
func varianceWord(ctx Context, a *money.Amount) string {
	if tone := varianceTone(a); tone != "" {
		return t(ctx, "budgetpage.js."+tone)
	}
	return ""
}

// gaps says how many lines the comparison leaves out, because they lack a plan or
// an actual.
func gaps(ctx Context, x budget.YearTotals) string {
	var out []string
	if x.MissingPlan > 0 {
		out = append(out, t(ctx, "budgetpage.without_plan", "n", x.MissingPlan))
	}
	if x.MissingActual > 0 {
		out = append(out, t(ctx, "budgetpage.without_actual", "n", x.MissingActual))
	}
	if len(out) == 0 {
		return t(ctx, "budgetpage.no_gaps")
	}
	return strings.Join(out, ", ")
}

// lineFacts are what is known about a line besides its amounts.
func lineFacts(ctx Context, p LinePage) []ui.Fact {
	out := []ui.Fact{
		{Label: t(ctx, "budgetpage.plan"), Content: link("/budget-plans/"+p.planOf(p.Line.PlanID).Key, p.planOf(p.Line.PlanID).Name)},
		{Label: t(ctx, "budgetpage.code"), Value: p.Line.Code},
		{Label: t(ctx, "budgetpage.category_label")},
		{Label: t(ctx, "budgetpage.cost_class")},
	}
	if p.Line.Category != "" {
		out[2].Value = category(ctx, p.Line.Category)
	}
	switch p.Line.CostClass {
	case "CAPITAL":
		out[3].Value = t(ctx, "budgetpage.capital")
	case "OPERATING":
		out[3].Value = t(ctx, "budgetpage.operating")
	}
	if p.Line.Quantity != nil {
		out = append(out, ui.Fact{Label: t(ctx, "budgetpage.quantity"), Value: quantity(ctx, p.Line)})
	}
	return out
}

func dashed(name string) string { return strings.ReplaceAll(name, ".", "-") }

func invalid(f ui.Field) templ.Attributes {
	if f.Err == "" {
		return nil
	}
	return templ.Attributes{"aria-invalid": "true", "aria-describedby": "f-" + dashed(f.Name) + "-err"}
}
