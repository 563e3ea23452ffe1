package seed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/budgetcell"
	"steward/ent/budgetplan"
	"steward/ent/contract"
	"steward/ent/fiscalperiod"
	"steward/ent/membership"
	"steward/ent/person"
	"steward/ent/personidentity"
	"steward/ent/portfolio"
	"steward/ent/procurement"
	"steward/internal/area/budget"
	areacontract "steward/internal/area/contract"
	"steward/internal/area/custom"
	"steward/internal/area/okr"
	"steward/internal/platform/devidp"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/seed"
	"steward/internal/testkit"
)

// autumn is a day in the middle of a fiscal year.
var autumn = time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC)

func demo(t *testing.T, s *store.Store, now time.Time) seed.Figures {
	t.Helper()
	budget.Install(s)
	areacontract.Install(s)
	okr.Install(s)
	custom.Install(s, custom.Fresh)
	start := time.Now()
	figures, err := seed.Demo(context.Background(), s, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seeded in %s: %v", time.Since(start).Round(time.Millisecond), figures)
	return figures
}

func TestDemo(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		if empty, err := seed.Empty(context.Background(), s); err != nil || !empty {
			t.Fatalf("a migrated database is empty: %v %v", empty, err)
		}
		figures := demo(t, s, autumn)
		if empty, _ := seed.Empty(context.Background(), s); empty {
			t.Error("a seeded database is not empty")
		}
		if _, err := seed.Demo(context.Background(), s, autumn, nil); !errors.Is(err, seed.ErrNotEmpty) {
			t.Errorf("a second seed: %v", err)
		}
		ctx, c := testkit.System(), s.Client
		for _, e := range entity.All() {
			if e.List == nil {
				continue
			}
			n, err := e.Count(ctx, c, func(*sql.Selector) {})
			if err != nil {
				t.Fatalf("%s: %v", e.Name, err)
			}
			if e.Registry && n == 0 {
				t.Errorf("the demo has no %s", e.Name)
			}
			if want, counted := figures[e.Name]; n != want && (counted || e.Registry) {
				t.Errorf("%d rows of %s, %d reported", n, e.Name, want)
			}
		}
		organisation(ctx, t, c)
		budgets(ctx, t, c)
		deals(ctx, t, c)
	})
}

// organisation checks the people of the sign-in and what the groups of the provider must find.
func organisation(ctx context.Context, t *testing.T, c *ent.Client) {
	for _, p := range devidp.People() {
		row, err := c.PersonIdentity.Query().Where(personidentity.Issuer(devidp.StoredIssuer), personidentity.Subject(p.Username)).WithPerson().Only(ctx)
		if err != nil || row.Edges.Person.Name != p.Name() || row.Edges.Person.Email != p.Email() || !slices.Equal(row.Roles, slices.Sorted(slices.Values(p.Roles))) {
			t.Errorf("%s: %v %v", p.Username, row, err)
			continue
		}
		if n := c.Membership.Query().Where(membership.PersonID(row.PersonID), membership.GrantedByEQ(membership.GrantedByIDP)).CountX(ctx); n != len(p.Groups) {
			t.Errorf("%s has %d memberships, %d groups", p.Username, n, len(p.Groups))
		}
	}
	pia := c.Person.Query().Where(person.Name("Pia Portfolio")).OnlyX(ctx)
	main := c.Portfolio.Query().Where(portfolio.Key("PF-COMMON-COMPONENTS")).OnlyX(ctx)
	if *main.ManagerID != pia.ID {
		t.Error("Pia does not manage the main portfolio")
	}
	if n := c.Portfolio.Query().CountX(ctx); n < 2 {
		t.Error("there is no portfolio that Pia does not see")
	}
	for _, p := range c.Portfolio.Query().WithProducts().AllX(ctx) {
		if len(p.Edges.Products) == 0 {
			t.Errorf("%s has no product", p.Key)
		}
	}
	notify := c.Product.Query().Where(func(s *sql.Selector) { s.Where(sql.EQ(s.C("key"), "PRD-GC-NOTIFY")) }).WithClients().OnlyX(ctx)
	if len(notify.Edges.Clients) != 14 {
		t.Errorf("GC Notify has %d clients, not 14", len(notify.Edges.Clients))
	}
}

// budgets adds everything up again and looks at what is closed.
func budgets(ctx context.Context, t *testing.T, c *ent.Client) {
	closed := map[string]map[civil.Period]bool{}
	for _, p := range c.FiscalPeriod.Query().AllX(ctx) {
		if closed[string(p.PortfolioID)] == nil {
			closed[string(p.PortfolioID)] = map[civil.Period]bool{}
		}
		closed[string(p.PortfolioID)][p.Period] = p.Status == fiscalperiod.StatusCLOSED
	}
	var actuals, forecasts int
	sum := func(total **money.Amount, a *money.Amount) {
		if a != nil {
			if *total == nil {
				*total = new(money.Amount)
			}
			**total += *a
		}
	}
	alike := func(a, b *money.Amount) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
	years := map[ident.ID]map[int]bool{}
	for _, p := range c.BudgetPlan.Query().WithLines(func(q *ent.BudgetLineQuery) { q.WithCells() }).AllX(ctx) {
		if len(p.Edges.Lines) < 15 || len(p.Edges.Lines) > 30 || len(p.Edges.Lines) != p.LineCount || p.PeriodLength != budgetplan.PeriodLengthMONTH {
			t.Errorf("%s has %d lines, says %d, by %s", p.Name, len(p.Edges.Lines), p.LineCount, p.PeriodLength)
		}
		if years[p.PortfolioID] == nil {
			years[p.PortfolioID] = map[int]bool{}
		}
		years[p.PortfolioID][p.FiscalYear] = true
		var plan [3]*money.Amount
		for _, l := range p.Edges.Lines {
			var line [3]*money.Amount
			for _, k := range l.Edges.Cells {
				sum(&line[0], k.Planned)
				sum(&line[1], k.Forecast)
				sum(&line[2], k.Actual)
				over, known := closed[string(p.PortfolioID)][k.Period]
				switch {
				case !known:
					t.Errorf("%s has no period %s", p.Name, k.Period)
				case k.Actual != nil && !over:
					t.Errorf("%s %s: actual %v, forecast %v, closed %v", p.Name, k.Period, k.Actual, k.Forecast, over)
				}
				if k.PortfolioID != p.PortfolioID || (k.ProductID == nil) != (p.ProductID == nil) {
					t.Errorf("a cell of %s lies elsewhere", p.Name)
				}
				if k.Actual != nil {
					actuals++
				}
				if k.Forecast != nil {
					forecasts++
				}
			}
			if !alike(line[0], l.PlannedTotal) || !alike(line[1], l.ForecastTotal) || !alike(line[2], l.ActualTotal) {
				t.Errorf("%s, %s: totals %v %v %v", p.Name, l.Name, l.PlannedTotal, l.ForecastTotal, l.ActualTotal)
			}
			for i := range plan {
				sum(&plan[i], line[i])
			}
		}
		if !alike(plan[0], p.PlannedTotal) || !alike(plan[1], p.ForecastTotal) || !alike(plan[2], p.ActualTotal) {
			t.Errorf("%s: totals %v %v %v, not %v", p.Name, p.PlannedTotal, p.ForecastTotal, p.ActualTotal, plan)
		}
	}
	for id, of := range years {
		if len(of) != 3 {
			t.Errorf("%s has budgets for %v", id, of)
		}
	}
	if len(years) < 2 || actuals == 0 || forecasts == 0 {
		t.Errorf("%d portfolios with a budget, %d actuals, %d forecasts", len(years), actuals, forecasts)
	}
	if n := c.BudgetCell.Query().Where(budgetcell.PlannedIsNil()).CountX(ctx); n > 0 {
		t.Errorf("%d cells without a plan", n)
	}
}

// deals checks contracts near a decision and procurements at every stage.
func deals(ctx context.Context, t *testing.T, c *ent.Client) {
	today := civil.DateOf(autumn)
	near := map[int]int{}
	for _, k := range c.Contract.Query().Where(contract.StatusEQ(contract.StatusAPPROVED)).AllX(ctx) {
		for _, days := range []int{30, 90} {
			if left := today.DaysUntil(*k.DecideByOn); left >= 0 && left <= days {
				near[days]++
			}
		}
	}
	if near[30] < 2 || near[90] <= near[30] {
		t.Errorf("decisions within 30 and 90 days: %v", near)
	}
	stages := map[procurement.Status]bool{}
	for _, p := range c.Procurement.Query().AllX(ctx) {
		stages[p.Status] = true
	}
	if len(stages) != 10 {
		t.Errorf("procurements at %d stages: %v", len(stages), slices.Collect(maps.Keys(stages)))
	}
}

// TestDeterministic seeds two databases on one day and compares everything but ids and instants; another day
// gives other dates.
func TestDeterministic(t *testing.T) {
	content := func(url string, now time.Time) string {
		s := testkit.OpenURL(t, url)
		demo(t, s, now)
		return dump(t, s)
	}
	first, second := content(testkit.SQLiteURL(t), autumn), content(testkit.SQLiteURL(t), autumn.Add(3*time.Hour))
	if first != second {
		t.Errorf("two seeds of one day differ: %s", difference(first, second))
	}
	if other := content(testkit.SQLiteURL(t), autumn.AddDate(0, 0, 9)); other == first {
		t.Error("the seed does not move with the day")
	}
	if testkit.OnlySQLite() {
		return
	}
	if pg := content(testkit.PostgresURL(t), autumn); pg != first {
		t.Errorf("PostgreSQL and SQLite differ: %s", difference(first, pg))
	}
}

// TestEveryDay seeds on days on which calendars are awkward.
func TestEveryDay(t *testing.T) {
	for _, day := range []string{"2028-02-29", "2027-04-01", "2026-12-31"} {
		now, _ := time.Parse(time.DateOnly, day)
		s := testkit.OpenURL(t, testkit.SQLiteURL(t))
		demo(t, s, now.Add(20*time.Hour))
		budgets(testkit.System(), t, s.Client)
	}
}

var changing = regexp.MustCompile(`\b[a-z]{2,4}_[0-9A-HJKMNP-TV-Z]{26}\b`)

// dump returns the values of every row of every registry entity, sorted, without ids and instants.
func dump(t *testing.T, s *store.Store) string {
	t.Helper()
	var rows []string
	for _, e := range entity.Registry() {
		list, err := e.List(testkit.System(), s.Client, func(*sql.Selector) {}, func(*sql.Selector) {}, 100000, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range list {
			m := map[string]any{}
			for i, f := range e.Fields {
				switch f.Name {
				case "key", "created_at", "updated_at", "created_by", "updated_by", "status_since":
				default:
					m[f.Name] = row.Values[i]
				}
			}
			b, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, e.Name+" "+changing.ReplaceAllString(string(b), "id"))
		}
	}
	sort.Strings(rows)
	return strings.Join(rows, "\n")
}

func difference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("\n%s\n%s", x[i], y[i])
		}
	}
	return fmt.Sprintf("%d and %d rows", len(x), len(y))
}
