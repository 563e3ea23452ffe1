package itdashboard

import (
	"slices"

	"steward/internal/exchange/importer"
	"steward/internal/rules/money"
)

// Projects is the format of the projects file.
type Projects struct{}

// Name of the format.
func (Projects) Name() string { return "itdashboard-projects" }

// Open starts a run. Settings: currency (USD) and unit (millions).
func (Projects) Open(o importer.Options) (importer.Parser, error) {
	s, err := configure(o)
	return &projects{s}, err
}

type projects struct{ settings }

func (*projects) Source() string            { return source }
func (*projects) Kinds() []*importer.Kind   { return []*importer.Kind{agency, investment, project} }
func (*projects) Dates() importer.DateOrder { return importer.MonthFirst }

func (*projects) Columns() []importer.Column {
	return slices.Concat(placeColumns, []importer.Column{
		importer.Need("id", "Project ID"),
		importer.Need("name", "Project Name"),
		importer.Col("description", "Project Description"),
		importer.Col("start", "Start Date"),
		importer.Col("plannedEnd", "Completion Date (B1)"),
		importer.Col("projectedEnd", "Projected/Actual Project Completion Date (B2)"),
		importer.Col("lifecycle", "Lifecycle Cost ($ M)", "Lifecycle Cost"),
		importer.Need("planned", "Planned Cost ($ M)", "Planned Cost"),
		importer.Need("projected", "Projected/Actual Cost ($ M)", "Projected/Actual Cost"),
	}, importer.Unused("Business Case ID", "Agency Project ID", "Planned Project Completion Date (B2)",
		"Schedule Variance (in days)", "Schedule Variance (%)", "Cost Variance ($ M)", "Cost Variance (%)",
		"Updated Date", "Updated Time", "Unique Project ID"))
}

// Row makes an initiative of a project. The published variances are left out:
// they follow from the costs, which the file has.
func (p *projects) Row(r *importer.Row) {
	portfolio, product := p.place(r, agency, investment)
	id, name := r.Must("id"), r.Must("name")
	start, end := r.Date("start"), r.Date("plannedEnd")
	planned, projected := r.Money("planned", p.unit), r.Money("projected", p.unit)
	if start != nil && end != nil && end.Before(*start) {
		r.Warn("plannedEnd", importer.Say("import.warning.end_before_start"))
	}
	if planned == nil && projected == nil {
		r.Warn("planned", importer.Say("import.warning.no_cost"))
	}
	r.Put(project, id, importer.Values{
		"portfolio_id": portfolio, "product_id": product, "name": name, "summary": r.Text("description"),
		"start_on": start, "planned_end_on": end, "projected_end_on": r.Date("projectedEnd"),
		"planned": planned, "projected": projected, "lifecycle_cost": r.Money("lifecycle", p.unit),
		"currency": p.currency,
	}, totals(p.currency, "planned", planned, "projected", projected)...)
}

// totals lists the amounts that are there; pairs are names and *money.Amount.
func totals(currency string, pairs ...any) (out []importer.Total) {
	for i := 0; i < len(pairs); i += 2 {
		if a := pairs[i+1].(*money.Amount); a != nil {
			out = append(out, importer.Total{Name: pairs[i].(string), Currency: currency, Amount: *a})
		}
	}
	return out
}
