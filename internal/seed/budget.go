package seed

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"steward/ent"
	"steward/ent/budgetline"
	"steward/ent/budgetplan"
	"steward/ent/fiscalperiod"
	"steward/internal/rules/civil"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// shape says in which months of a year a line costs something.
type shape int

const (
	flat      shape = iota // the same every month
	rising                 // half at first, half as much again at the end
	quarterly              // once a quarter
	yearly                 // once a year, in its fourth month
)

// share returns the percentage of the monthly amount that falls on month i (0 to 11) of the year; 0 is
// nothing planned.
func (s shape) share(i int) int64 {
	switch {
	case s == rising:
		return 50 + int64(i)*100/11
	case s == quarterly && i%3 != 1, s == yearly && i != 3:
		return 0
	}
	return 100
}

// costs are the lines a plan may have; amounts are dollars in a month that has any, for a product of the
// size of CHEFS.
var costs = []struct {
	name, nameFr, group, code string
	category                  budgetline.Category
	class                     budgetline.CostClass
	amount                    int64
	shape                     shape
	fte                       int64 // tenths of a person; 0 is not counted in people
}{
	{"Product owner", "Responsable de produit", "People", "5001", budgetline.CategorySTAFFING, budgetline.CostClassOPERATING, 9200, flat, 10},
	{"Developers", "Développement", "People", "5002", budgetline.CategorySTAFFING, budgetline.CostClassOPERATING, 31000, flat, 35},
	{"Container platform", "Plateforme de conteneurs", "Software and cloud", "6510", budgetline.CategoryCLOUD, budgetline.CostClassOPERATING, 4300, rising, 0},
	{"Subscriptions and licences", "Abonnements et licences", "Software and cloud", "6001", budgetline.CategorySOFTWARE, budgetline.CostClassOPERATING, 48000, yearly, 0},
	{"Courses and certificates", "Formation et certificats", "Training and equipment", "5701", budgetline.CategoryTRAINING, budgetline.CostClassOPERATING, 4200, quarterly, 0},
	{"Service desk", "Centre de services", "People", "5003", budgetline.CategorySTAFFING, budgetline.CostClassOPERATING, 8400, flat, 12},
	{"User research", "Recherche auprès des usagers", "Services", "6101", budgetline.CategorySERVICES, budgetline.CostClassOPERATING, 9000, quarterly, 0},
	{"New features", "Nouvelles fonctions", "Services", "7101", budgetline.CategorySERVICES, budgetline.CostClassCAPITAL, 22000, rising, 0},
	{"Object storage and back-up", "Stockage et copies de sûreté", "Software and cloud", "6511", budgetline.CategoryCLOUD, budgetline.CostClassOPERATING, 900, rising, 0},
	{"Monitoring", "Surveillance", "Software and cloud", "6002", budgetline.CategorySOFTWARE, budgetline.CostClassOPERATING, 3600, quarterly, 0},
	{"Translation", "Traduction", "Services", "6102", budgetline.CategorySERVICES, budgetline.CostClassOPERATING, 700, flat, 0},
	{"Laptops and devices", "Ordinateurs et appareils", "Training and equipment", "7001", budgetline.CategoryHARDWARE, budgetline.CostClassCAPITAL, 18000, yearly, 0},
	{"Scrum master", "Animation d'équipe", "People", "5004", budgetline.CategorySTAFFING, budgetline.CostClassOPERATING, 6100, flat, 5},
	{"Penetration test", "Test d'intrusion", "Services", "6103", budgetline.CategorySERVICES, budgetline.CostClassOPERATING, 24000, yearly, 0},
	{"Contingency", "Imprévus", "Services", "6901", budgetline.CategoryCONTINGENCY, budgetline.CostClassOPERATING, 10000, quarterly, 0},
	{"Stand-by pay", "Prime de disponibilité", "People", "5101", budgetline.CategorySTAFFING, budgetline.CostClassOPERATING, 1850, flat, 0},
	{"E-mail and messages", "Courriels et messages", "Software and cloud", "6512", budgetline.CategoryCLOUD, budgetline.CostClassOPERATING, 1200, rising, 0},
	{"Accessibility audit", "Audit d'accessibilité", "Services", "6104", budgetline.CategorySERVICES, budgetline.CostClassOPERATING, 14500, yearly, 0},
	{"Partner operations", "Exploitation par un partenaire", "Services", "6201", budgetline.CategorySERVICES, budgetline.CostClassOPERATING, 12500, flat, 0},
	{"Disaster recovery site", "Site de relève", "Software and cloud", "6513", budgetline.CategoryCLOUD, budgetline.CostClassOPERATING, 2100, flat, 0},
	{"Design", "Conception", "People", "5201", budgetline.CategorySERVICES, budgetline.CostClassOPERATING, 5200, flat, 4},
	{"Testing tools", "Outils de test", "Software and cloud", "6003", budgetline.CategorySOFTWARE, budgetline.CostClassOPERATING, 1500, quarterly, 0},
	{"Office space", "Locaux", "Training and equipment", "6801", budgetline.CategoryFACILITIES, budgetline.CostClassOPERATING, 1500, flat, 0},
	{"Conferences and travel", "Congrès et déplacements", "Training and equipment", "5702", budgetline.CategoryTRAINING, budgetline.CostClassOPERATING, 1900, quarterly, 0},
}

// plans are what has a budget: how big it is beside CHEFS, in percent, and with how many of costs.
var plans = []struct {
	portfolio, product, name string
	size                     int64
	lines                    int
	next                     budgetplan.Status // of next year's plan
	first                    int               // the first year, beside the current one
	contracts                map[string]string // line → contract that it pays for
}{
	{"COMMON-COMPONENTS", "", "Common Components", 60, 20, budgetplan.StatusDRAFT, -1, map[string]string{"Partner operations": "env-ops", "Penetration test": "pentest"}},
	{"COMMON-COMPONENTS", "CHEFS", "CHEFS", 100, 24, budgetplan.StatusDRAFT, -1, map[string]string{"User research": "research", "Container platform": "cloud"}},
	{"COMMON-COMPONENTS", "KEYCLOAK", "Single sign-on", 130, 24, budgetplan.StatusSUBMITTED, -1, map[string]string{"Subscriptions and licences": "subscription", "Container platform": "cloud"}},
	{"COMMON-COMPONENTS", "CSS", "Sign-on requests", 55, 20, budgetplan.StatusDRAFT, -1, nil},
	{"COMMON-COMPONENTS", "DROP", "DROP", 60, 18, budgetplan.StatusRETURNED, -1, map[string]string{"Monitoring": "monitoring"}},
	{"COMMON-COMPONENTS", "GC-NOTIFY", "GC Notify Triage", 45, 18, budgetplan.StatusDRAFT, -1, nil},
	{"COMMON-COMPONENTS", "SECONDMENT", "Secondment proof of concept", 20, 15, budgetplan.StatusDRAFT, 0, nil},
	{"LANDS-AND-WATERS", "PERMITS", "Permit Tracker", 90, 18, budgetplan.StatusDRAFT, -1, nil},
	{"LANDS-AND-WATERS", "TENURES", "Tenure Maps", 40, 15, budgetplan.StatusDRAFT, -1, nil},
	{"CIVIL-REGISTRATION", "CRVS", "Civil registration", 150, 20, budgetplan.StatusDRAFT, -1, nil},
}

// cell is one month of a line while it is worked out.
type cell struct {
	period                    civil.Period
	planned, forecast, actual *money.Amount
}

// draft is one line with its cells.
type draft struct {
	cost                      int // index into costs
	cells                     []cell
	planned, forecast, actual *money.Amount // totals; nil while nothing counts towards them
}

// budget makes the fiscal periods of three years, last year's to next year's, and the plans with their
// lines: actuals where the books are closed, forecasts up to the end of this year, plans everywhere.
func (w *world) budget(ctx context.Context, c *ent.Client) error {
	for _, p := range portfolios {
		if err := w.periods(ctx, c, p.key); err != nil {
			return err
		}
	}
	for _, p := range plans {
		for n := p.first; n <= 1; n++ {
			if err := w.plan(ctx, c, p.portfolio, p.product, p.name, p.size, p.lines, n, p.next, p.contracts); err != nil {
				return err
			}
		}
	}
	return nil
}

// years returns the calendar and the currency of a portfolio and its current fiscal year.
func (w *world) years(portfolio string) (cal fiscal.Calendar, currency string, now int) {
	for _, p := range portfolios {
		if p.key == portfolio {
			cal, currency = fiscal.Calendar{StartMonth: monthOf(p.start)}, p.currency
		}
	}
	return cal, currency, cal.YearOf(w.today)
}

func (w *world) periods(ctx context.Context, c *ent.Client, portfolio string) error {
	cal, _, now := w.years(portfolio)
	var rows []*ent.FiscalPeriodCreate
	for year := now - 1; year <= now+1; year++ {
		for _, p := range cal.Periods(year, fiscal.Month) {
			q := c.FiscalPeriod.Create().SetPortfolioID(id(w.portfolios, portfolio)).SetFiscalYear(year).SetPeriod(p)
			if w.closed(p) {
				q.SetStatus(fiscalperiod.StatusCLOSED).SetClosedOn(p.Last().AddDays(10))
			}
			rows = append(rows, q)
		}
	}
	w.made["FiscalPeriod"] += len(rows)
	return c.FiscalPeriod.CreateBulk(rows...).Exec(ctx)
}

// plan makes the plan of one year, n years from the current one.
func (w *world) plan(ctx context.Context, c *ent.Client, portfolio, productKey, name string, size int64, count, n int, next budgetplan.Status, contracts map[string]string) error {
	cal, currency, now := w.years(portfolio)
	year := now + n
	status := []budgetplan.Status{budgetplan.StatusCLOSED, budgetplan.StatusAPPROVED, next}[n+1]
	lines := make([]*draft, count)
	for i := range lines {
		lines[i] = w.draft(i, fmt.Sprint(portfolio, productKey, year, costs[i].code), size, cal.Periods(year, fiscal.Month), n)
	}
	q := c.BudgetPlan.Create().SetPortfolioID(id(w.portfolios, portfolio)).SetNillableProductID(ref(w.products, productKey)).
		SetName(name + " " + cal.Label(year, "en")).SetFiscalYear(year).SetCurrency(currency).SetStatus(status)
	switch status {
	case budgetplan.StatusSUBMITTED:
		q.SetSubmittedBy(w.people["pia.portfolio"]).SetReason("Two more people for the move to the new realm.")
	case budgetplan.StatusRETURNED:
		q.SetSubmittedBy(w.people["pia.portfolio"]).SetReason("Please show the ledger feed as a line of its own.")
	}
	plan, err := q.Save(ctx)
	if err != nil {
		return err
	}
	w.made["BudgetPlan"]++
	return w.lines(ctx, c, plan.ID, lines, contracts)
}

// draft works out one line. Plans grow by 3 % a year and stay in tens of dollars; actuals scatter around
// the plan to the cent, and now and then one is missing; forecasts follow a trend of the line.
func (w *world) draft(i int, name string, size int64, months []civil.Period, n int) *draft {
	x, r := costs[i], chance(name)
	trend := 95 + r.Int64N(14)
	d := &draft{cost: i}
	for m, period := range months {
		share := x.shape.share(m)
		if share == 0 {
			continue
		}
		amount := x.amount * size / 100 * share / 100 * int64(100+3*n) / 100 / 10 * 10
		k := cell{period: period, planned: some(dollars(amount))}
		if w.closed(period) {
			k.actual = spent(r, amount)
		}
		if n <= 0 {
			k.forecast = some(dollars(amount * trend / 100 / 10 * 10))
		}
		plus(&d.planned, k.planned)
		plus(&d.forecast, k.forecast)
		plus(&d.actual, k.actual)
		d.cells = append(d.cells, k)
	}
	return d
}

// spent returns between 88 and 110 % of a plan in dollars, to the cent; nil once in thirty times, when the
// bill has not come.
func spent(r *rand.Rand, plan int64) *money.Amount {
	if r.IntN(30) == 0 {
		return nil
	}
	return some(money.Amount(plan * (8800 + r.Int64N(2200)) / 100 * 100)) // dollars × basis points, cut to cents, at scale 4
}

// plus adds an amount to a total; nil adds nothing.
func plus(total **money.Amount, a *money.Amount) {
	switch {
	case a == nil:
	case *total == nil:
		*total = some(*a)
	default:
		*total = some(**total + *a)
	}
}

// lines stores the lines of a plan and their cells; the budget's own rules count and add up the lines.
func (w *world) lines(ctx context.Context, c *ent.Client, plan ident.ID, lines []*draft, contracts map[string]string) error {
	rows, err := c.BudgetLine.MapCreateBulk(lines, func(q *ent.BudgetLineCreate, i int) {
		d := lines[i]
		x := costs[d.cost]
		q.SetPlanID(plan).SetName(x.name).SetNameFr(x.nameFr).SetGroupName(x.group).SetCode(x.code).SetPosition(i + 1).SetCategory(x.category).
			SetCostClass(x.class).SetNillableContractID(ref(w.contracts, contracts[x.name])).
			SetNillablePlannedTotal(d.planned).SetNillableForecastTotal(d.forecast).SetNillableActualTotal(d.actual)
		if x.fte > 0 {
			q.SetUnit("FTE").SetQuantityPlanned(money.Amount(x.fte * 1000))
		}
	}).Save(ctx)
	if err != nil {
		return err
	}
	var cells []*ent.BudgetCellCreate
	for i, row := range rows {
		for _, k := range lines[i].cells {
			cells = append(cells, c.BudgetCell.Create().SetLineID(row.ID).SetPeriod(k.period).
				SetNillablePlanned(k.planned).SetNillableForecast(k.forecast).SetNillableActual(k.actual))
		}
	}
	w.made["BudgetLine"] += len(rows)
	w.made["BudgetCell"] += len(cells)
	for part := range slices.Chunk(cells, 400) { // a statement holds a limited number of values
		if err := c.BudgetCell.CreateBulk(part...).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
