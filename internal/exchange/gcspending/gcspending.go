// Package gcspending reads the Government of Canada's planned and actual spending
// of every program (gc-planned-actual): an organisation is a portfolio, a fiscal
// year of it a budget plan with one period, a program a line of that plan.
//
// internal/app lists the format; nothing else needs this package.
package gcspending

import (
	"crypto/sha256"
	"fmt"
	"strconv"

	"steward/internal/exchange/importer"
	"steward/internal/rules/civil"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/money"
)

const (
	source = "gc-infobase"
	// yearStart is the month in which Canada's fiscal year begins.
	yearStart = 4
)

var (
	organisation = &importer.Kind{Entity: "Portfolio", OnCreate: importer.Values{
		"fiscal_year_start_month": yearStart, "default_currency": "CAD", "time_zone": "America/Toronto"}}
	plan = &importer.Kind{Entity: "BudgetPlan", OnCreate: importer.Values{
		"status": "APPROVED", "period_length": "YEAR", "version_no": 1, "current": true}}
	line = &importer.Kind{Entity: "BudgetLine"}
	cell = &importer.Kind{Entity: "BudgetCell", Match: []string{"line_id", "period"}}
)

// Format of the planned and actual spending file.
type Format struct{}

// Name of the format.
func (Format) Name() string { return "gc-planned-actual" }

// Open starts a run. Setting: currency (CAD).
func (Format) Open(o importer.Options) (importer.Parser, error) {
	if err := o.Allow("currency"); err != nil {
		return nil, err
	}
	p := &parser{currency: o.Setting("currency", "CAD"), portfolio: o.Portfolio,
		named: map[string]int{}, position: map[string]int{}, repeats: map[[16]byte]int32{}}
	if !importer.IsCurrency(p.currency) {
		return nil, fmt.Errorf("importer: no currency %q", p.currency)
	}
	return p, nil
}

type parser struct {
	currency, portfolio string
	named               map[string]int     // the year each organisation's name is from
	position            map[string]int     // lines so far, by plan
	repeats             map[[16]byte]int32 // rows so far of one year, organisation and program, by a hash of the three: there may be a million
}

func (*parser) Source() string          { return source }
func (*parser) Kinds() []*importer.Kind { return []*importer.Kind{organisation, plan, line, cell} }

func (*parser) Columns() []importer.Column {
	return []importer.Column{
		importer.Need("year", "fy_ef", "fiscal_year"),
		importer.Need("organisationID", "organization_id", "organisation_id"),
		importer.Need("organisation", "organization", "organisation"),
		importer.Col("responsibility", "core_responsibility"),
		importer.Need("programID", "program_id"),
		importer.Need("program", "program_name"),
		importer.Need("planned", "planned_spending_1"),
		importer.Col("planned2", "planned_spending_2"),
		importer.Col("planned3", "planned_spending_3"),
		importer.Need("actual", "actual_spending"),
		importer.Col("fte", "planned_ftes_1"),
		importer.Col("fte2", "planned_ftes_2"),
		importer.Col("fte3", "planned_ftes_3"),
		importer.Col("fteActual", "actual_ftes"),
		importer.Col("planning", "planning_explanation"),
		importer.Col("variance", "variance_explanation"),
	}
}

// Row makes a budget line, with a cell when something is planned or spent. The
// plans for the two years after are outlook: kept on the line, outside totals.
func (p *parser) Row(r *importer.Row) {
	label := r.Must("year")
	year, err := fiscal.ParseYear(label)
	if err != nil && label != "" {
		r.Fault("year", importer.Say("import.fault.year"), importer.Say("import.hint.year"))
	}
	org, name := r.Must("organisationID"), r.Must("organisation")
	planned, actual := r.Money("planned", 1), r.Money("actual", 1)
	programID, program := r.Must("programID"), r.Must("program")
	outlook := p.outlook(r, year)
	fte, fteActual := r.Money("fte", 1), r.Money("fteActual", 1)
	if r.Faulty() {
		return
	}
	years := fmt.Sprintf("%d-%02d", year, (year+1)%100)
	in := p.place(r, org, name, year)
	planID := org + "/" + strconv.Itoa(year)
	of := r.Mention(plan, planID, importer.Values{"portfolio_id": in, "name": years, "fiscal_year": year, "currency": p.currency})
	id := planID + "/" + programID
	sum := sha256.Sum256([]byte(id))
	key := [16]byte(sum[:16])
	if p.repeats[key]++; p.repeats[key] > 1 { // equal lines are two lines, never one
		id += "#" + strconv.Itoa(int(p.repeats[key]))
	}
	p.position[planID]++
	values := importer.Values{
		"plan_id": of, "portfolio_id": in, "name": program, "code": programID,
		"group_name": r.Line1("responsibility"), "position": p.position[planID], "unit": "",
		"quantity_planned": fte, "quantity_actual": fteActual, "outlook": outlook, "note": note(r),
	}
	if fte != nil || fteActual != nil {
		values["unit"] = "FTE"
	}
	r.Put(line, id, values, p.totals(years, planned, actual)...)
	if planned != nil || actual != nil {
		period := civil.PeriodOf(year, yearStart)
		r.Put(cell, id, importer.Values{"line_id": importer.Ref{Kind: line, ID: id}, "portfolio_id": in,
			"period": period, "planned": planned, "actual": actual})
	}
}

// place stages the organisation. Some are renamed over the years; the name of
// the latest year is the one it goes by.
func (p *parser) place(r *importer.Row, org, name string, year int) importer.Ref {
	if p.portfolio != "" {
		return importer.Chosen(p.portfolio)
	}
	v := importer.Values{"name": name}
	if since, known := p.named[org]; known && year < since {
		return r.Mention(organisation, org, v)
	}
	p.named[org] = year
	return r.MentionLatest(organisation, org, v)
}

// outlook holds what the file plans for the two years after the row's own:
// spending and full-time equivalents by the year in which the year starts.
func (p *parser) outlook(r *importer.Row, year int) importer.JSON {
	out := map[string]string{}
	for i, names := range [][2]string{{"planned2", "fte2"}, {"planned3", "fte3"}} {
		y := strconv.Itoa(year + 1 + i)
		if a := r.Money(names[0], 1); a != nil {
			out["planned "+y] = a.String()
		}
		if a := r.Money(names[1], 1); a != nil {
			out["FTE "+y] = a.String()
		}
	}
	return importer.JSONOf(out)
}

func (p *parser) totals(years string, planned, actual *money.Amount) (out []importer.Total) {
	for _, t := range []struct {
		name   string
		amount *money.Amount
	}{{"planned", planned}, {"actual", actual}} {
		if t.amount != nil {
			out = append(out, importer.Total{Name: t.name, Currency: p.currency, Amount: *t.amount},
				importer.Total{Name: t.name + " " + years, Currency: p.currency, Amount: *t.amount})
		}
	}
	return out
}

// note joins the two explanations of a line, the plan's first.
func note(r *importer.Row) string {
	plan, variance := r.Text("planning"), r.Text("variance")
	if plan != "" && variance != "" {
		return plan + "\n\n" + variance
	}
	return plan + variance
}
