package seed

import (
	"context"
	"time"

	"steward/ent"
	"steward/ent/initiative"
	"steward/ent/keyresult"
	"steward/ent/objective"
	"steward/internal/rules/civil"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/okr"
)

func monthOf(n int) time.Month { return time.Month(n) }

// result is one key result: it goes from baseline towards target, and has come reached percent of the way
// by the end of the time that has passed.
type result struct {
	name, unit       string
	kind             keyresult.Kind
	baseline, target int64
	weight, reached  int
	confidence       int // percent
}

var objectives = []struct {
	product, owner, name, nameFr, why string
	cycle                             int // quarters from the current one
	kind                              objective.Kind
	status                            objective.Status
	parent                            int // index of the parent in this list plus one; 0 is none
	results                           []result
}{
	{"", "pia.portfolio", "Ministries choose common components first", "Les ministères choisissent d'abord les composants communs", "Every form engine that is not built twice pays for a team.", 0,
		objective.KindASPIRATIONAL, objective.StatusACTIVE, 0, []result{
			{"Ministries with a component in production", "ministries", keyresult.KindINCREASE, 9, 14, 3, 62, 70},
			{"New systems that asked for sign-on of their own", "systems", keyresult.KindDECREASE, 8, 2, 2, 35, 45},
		}},
	{"CHEFS", "otto.owner", "Forms that everybody can fill in", "Des formulaires accessibles à tous", "One in five people uses some help to read a screen.", 0,
		objective.KindCOMMITTED, objective.StatusACTIVE, 1, []result{
			{"Published forms without accessibility faults", "percent", keyresult.KindINCREASE, 61, 95, 3, 55, 60},
			{"Forms answered on a telephone", "percent", keyresult.KindINCREASE, 34, 50, 1, 80, 85},
			{"Median time to publish a form", "hours", keyresult.KindDECREASE, 30, 8, 2, 48, 65},
		}},
	{"KEYCLOAK", "nadia", "Sign-on that nobody notices", "Une ouverture de session qui se fait oublier", "When sign-on is down, everything is.", 0,
		objective.KindCOMMITTED, objective.StatusACTIVE, 1, []result{
			{"Months with 99.95 % availability", "percent", keyresult.KindMAINTAIN, 99, 100, 3, 100, 90},
			{"Requests on-boarded without a ticket", "percent", keyresult.KindINCREASE, 20, 80, 2, 30, 40},
		}},
	{"GC-NOTIFY", "wen", "Clients live within a month", "Des clients en service en un mois", "Fourteen clients waited eleven weeks on average.", 0,
		objective.KindASPIRATIONAL, objective.StatusACTIVE, 0, []result{
			{"Median days from request to first message", "days", keyresult.KindDECREASE, 77, 30, 2, 72, 75},
			{"Clients on-boarded this year", "clients", keyresult.KindINCREASE, 5, 14, 1, 100, 95},
		}},
	{"CHEFS", "otto.owner", "Fewer tickets for form designers", "Moins de billets pour les concepteurs", "The desk answers the same ten questions.", -1,
		objective.KindASPIRATIONAL, objective.StatusGRADED, 0, []result{
			{"Tickets a week", "tickets", keyresult.KindDECREASE, 120, 60, 2, 74, 70},
			{"Answers found in the handbook", "percent", keyresult.KindINCREASE, 10, 40, 1, 66, 60},
		}},
	{"DROP", "luc", "Discrepancies explained within ten days", "Des écarts expliqués en dix jours", "Year end is too late.", -1,
		objective.KindCOMMITTED, objective.StatusCLOSED, 0, []result{
			{"Median days to explain a discrepancy", "days", keyresult.KindDECREASE, 26, 10, 1, 100, 95},
		}},
	{"SECONDMENT", "otto.owner", "A proof of concept that volunteers like", "Une démonstration que les candidats aiment", "Decide with evidence whether to build it.", 1,
		objective.KindASPIRATIONAL, objective.StatusDRAFT, 0, []result{
			{"Volunteers who would apply again", "percent", keyresult.KindINCREASE, 0, 80, 1, 0, 0},
		}},
}

// objective makes three cycles, the last quarter's to the next one's, the objectives in them and a check-in
// of each key result every fortnight of the time that has passed.
func (w *world) objective(ctx context.Context, c *ent.Client) error {
	cal := w.calendar()
	quarter := cal.Start(w.today.Period(), fiscal.Quarter)
	cycles := map[int]*ent.Cycle{}
	for n := -1; n <= 1; n++ {
		p := quarter.Add(3 * n)
		from, to := cal.Span(p, fiscal.Quarter)
		row, err := c.Cycle.Create().SetName(cal.QuarterLabel(p, "en")).SetNameFr(cal.QuarterLabel(p, "fr")).SetStartOn(from).SetEndOn(to).
			SetGradingEndsOn(to.AddDays(14)).Save(ctx)
		if err != nil {
			return err
		}
		cycles[n] = row
	}
	w.made["Cycle"] += len(cycles)
	made := make([]ident.ID, len(objectives))
	for i, o := range objectives {
		q := c.Objective.Create().SetPortfolioID(w.portfolios["COMMON-COMPONENTS"]).SetNillableProductID(ref(w.products, o.product)).
			SetCycleID(cycles[o.cycle].ID).SetName(o.name).SetNameFr(o.nameFr).SetWhy(o.why).SetKind(o.kind).SetStatus(o.status).SetOwnerID(id(w.people, o.owner))
		if o.parent > 0 {
			q.SetParentID(made[o.parent-1])
		}
		var parts []okr.Part
		for _, r := range o.results {
			parts = append(parts, okr.Part{Value: r.score(w.readings(cycles[o.cycle])), Weight: r.weight})
		}
		if bp, _, ok := okr.Grade(parts); ok && (o.status == objective.StatusGRADED || o.status == objective.StatusCLOSED) {
			q.SetGradeBp(bp)
		}
		row, err := q.Save(ctx)
		if err != nil {
			return err
		}
		made[i] = row.ID
		for _, r := range o.results {
			if err := w.result(ctx, c, row.ID, id(w.people, o.owner), r, w.readings(cycles[o.cycle])); err != nil {
				return err
			}
		}
	}
	w.made["Objective"] += len(made)
	return nil
}

// readings returns the days on which a cycle's key results were read: every fortnight from its second week
// to today, and at least once when it has begun.
func (w *world) readings(cycle *ent.Cycle) (days []civil.Date) {
	for d := cycle.StartOn.AddDays(7); !d.After(w.today) && !d.After(cycle.EndOn); d = d.AddDays(14) {
		days = append(days, d)
	}
	if len(days) == 0 && !cycle.StartOn.After(w.today) {
		days = append(days, cycle.StartOn)
	}
	return days
}

// value returns the reading number n (from 1) of so many.
func (r result) value(n, of int) money.Amount {
	if r.kind == keyresult.KindMAINTAIN {
		return money.Amount(r.target*10000 - 400) // 99.96
	}
	return money.Amount(r.baseline*10000 + (r.target-r.baseline)*100*int64(r.reached)*int64(n)/int64(of))
}

// score returns the progress after the given readings, nil before the first.
func (r result) score(days []civil.Date) *int {
	values := make([]money.Amount, len(days))
	for i := range days {
		values[i] = r.value(i+1, len(days))
	}
	m := okr.Measure{Kind: okr.Kind(r.kind), Baseline: money.Amount(r.baseline * 10000), Target: money.Amount(r.target * 10000)}
	if bp, ok := m.Progress(values...); ok {
		return &bp
	}
	return nil
}

// remarks go with check-ins, by how sure the owner is.
var remarks = []string{"Blocked by another team; raised at the portfolio meeting.", "Slower than hoped, a fix is in test.", "On the way.", "Ahead of plan."}

func (w *world) result(ctx context.Context, c *ent.Client, objective, owner ident.ID, r result, days []civil.Date) error {
	q := c.KeyResult.Create().SetObjectiveID(objective).SetName(r.name).SetKind(r.kind).SetBaseline(money.Amount(r.baseline * 10000)).
		SetTarget(money.Amount(r.target * 10000)).SetUnit(r.unit).SetWeight(r.weight).SetOwnerID(owner)
	if len(days) > 0 {
		q.SetCurrent(r.value(len(days), len(days))).SetConfidenceBp(r.confidence * 100).SetNillableProgressBp(r.score(days))
	}
	row, err := q.Save(ctx)
	if err != nil {
		return err
	}
	w.made["KeyResult"]++
	w.made["CheckIn"] += len(days)
	if len(days) == 0 {
		return nil
	}
	return c.CheckIn.MapCreateBulk(days, func(q *ent.CheckInCreate, i int) {
		d := days[i]
		q.SetKeyResultID(row.ID).SetOn(d).SetValue(r.value(i+1, len(days))).SetConfidenceBp(r.confidence * 100).
			SetComment(remarks[min(r.confidence/25, len(remarks)-1)]).SetCreatedAt(time.Date(d.Year, d.Month, d.Day, 20, 0, 0, 0, time.UTC))
	}).Exec(ctx)
}

var initiatives = []struct {
	portfolio, product, name, summary   string
	kind                                initiative.Kind
	status                              initiative.Status
	start, end, projected, actualEnd    int // days from today; 0 is not known
	planned, projectedCost, actual, all int64
	sponsor                             string
}{
	{"COMMON-COMPONENTS", "CHEFS", "Accessible widgets", "Replace the widgets that screen readers cannot use.", initiative.KindMAJOR, initiative.StatusAPPROVED, -120, 60, 85, 0, 420000, 455000, 261300, 900000, "max.executive"},
	{"COMMON-COMPONENTS", "KEYCLOAK", "Second data centre", "Run the realm in two data centres at once.", initiative.KindMAJOR, initiative.StatusAPPROVED, -300, 30, 120, 0, 780000, 910000, 655200, 1900000, "max.executive"},
	{"COMMON-COMPONENTS", "CSS", "Three steps instead of six", "A shorter request, tested with ten teams.", initiative.KindMINOR, initiative.StatusSCHEDULED, 20, 140, 0, 0, 110000, 0, 0, 0, "eva.expense"},
	{"COMMON-COMPONENTS", "DROP", "Ledger matching engine", "Match payments with orders by rule.", initiative.KindMAJOR, initiative.StatusRANKED, 60, 300, 0, 0, 240000, 0, 0, 520000, "fia.finance"},
	{"COMMON-COMPONENTS", "GC-NOTIFY", "Intake on the form service", "The intake form becomes a CHEFS form.", initiative.KindMINOR, initiative.StatusSCREENED, 30, 90, 0, 0, 45000, 0, 0, 0, "eva.expense"},
	{"COMMON-COMPONENTS", "SECONDMENT", "Secondment proof of concept", "Volunteering, review, postings and event management.", initiative.KindMAJOR, initiative.StatusSUBMITTED, -75, 105, 0, 0, 160000, 0, 38200, 600000, "hana.people"},
	{"COMMON-COMPONENTS", "", "Program manager for environment requests", "One owner for every environment, for teams and partners.", initiative.KindMAJOR, initiative.StatusDRAFT, 0, 0, 0, 0, 185000, 0, 0, 0, ""},
	{"COMMON-COMPONENTS", "CHEFS", "Form analytics", "Which questions people leave unanswered.", initiative.KindMINOR, initiative.StatusPARKED, 0, 0, 0, 0, 90000, 0, 0, 0, "max.executive"},
	{"COMMON-COMPONENTS", "KEYCLOAK", "Passwords by post", "Declined: there are better ways.", initiative.KindMINOR, initiative.StatusDECLINED, 0, 0, 0, 0, 25000, 0, 0, 0, ""},
	{"COMMON-COMPONENTS", "DROP", "Retire the mail relay", "Everything goes through the hosted e-mail service.", initiative.KindMINOR, initiative.StatusAPPROVED, -200, -60, -60, -45, 30000, 28500, 27950, 0, "fia.finance"},
	{"LANDS-AND-WATERS", "TENURES", "Leave the old maps", "Move the last districts and switch off.", initiative.KindMAJOR, initiative.StatusAPPROVED, -150, 200, 200, 0, 350000, 350000, 120400, 0, "greta"},
	{"CIVIL-REGISTRATION", "CRVS", "Second district", "Repeat the pilot in District 7.", initiative.KindMAJOR, initiative.StatusAPPROVED, -60, 240, 260, 0, 640000, 690000, 88000, 2100000, "amara"},
}

// initiative makes pieces of work at every stage of the ranking.
func (w *world) initiative(ctx context.Context, c *ent.Client) error {
	w.made["Initiative"] += len(initiatives)
	return c.Initiative.MapCreateBulk(initiatives, func(q *ent.InitiativeCreate, i int) {
		x := initiatives[i]
		_, currency, _ := w.years(x.portfolio)
		q.SetPortfolioID(id(w.portfolios, x.portfolio)).SetNillableProductID(ref(w.products, x.product)).SetName(x.name).SetSummary(x.summary).
			SetKind(x.kind).SetStatus(x.status).SetCurrency(currency).SetNillableSponsorID(ref(w.people, x.sponsor)).
			SetNillableStartOn(w.known(x.start)).SetNillablePlannedEndOn(w.known(x.end)).SetNillableProjectedEndOn(w.known(x.projected)).
			SetNillableActualEndOn(w.known(x.actualEnd)).SetNillablePlanned(paid(x.planned)).SetNillableProjected(paid(x.projectedCost)).
			SetNillableActual(paid(x.actual)).SetNillableLifecycleCost(paid(x.all))
	}).Exec(ctx)
}

// known is day, with nil for 0.
func (w *world) known(n int) *civil.Date {
	if n == 0 {
		return nil
	}
	return w.day(n)
}

// paid is dollars, with nil for 0: a cost that nobody has stated is missing, not zero.
func paid(n int64) *money.Amount {
	if n == 0 {
		return nil
	}
	return some(dollars(n))
}
