package app_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"steward/internal/app"
	"steward/internal/platform/i18n"
	"steward/internal/rules/money"
	"steward/internal/testkit"
)

// TestScenarios imports published files by command, as an operator does, and asks for their totals at
// every door: the report of the command, GraphQL, the page and the CSV export say the same, and a
// second import of the same file finds nothing to do.
func TestScenarios(t *testing.T) {
	data := testkit.SharedData(t)
	both(t, func(t *testing.T, database string) {
		load := func(format, file string) map[string]map[string]string {
			t.Helper()
			line := []string{"import", format, filepath.Join(data, file), "--apply", "--json", "--database", database}
			if strings.HasPrefix(format, "itdashboard") {
				line = append(line, "--skip-faults")
			}
			report := imported(t, line)
			if again := imported(t, line); again.changed() != 0 {
				t.Errorf("%s, second time: created %v, updated %v", format, again.Created, again.Updated)
			}
			return report.Totals
		}
		totals := load("itdashboard-projects", "portfolio/us-itdashboard/projects-clean.csv")
		a := start(t, database, "--demo") // the database is not empty: only the sign-in is the demo's
		fia, _ := enter(t, a, "fia.finance")
		w := &reader{t: t, a: a, client: fia, token: token(t, database, "finance-officer")}

		// S1: 26 portfolios, 599 products, 2,468 initiatives
		const planned, projected = "50301821979.00", "51898206344.00"
		w.is("report", totals["planned"]["USD"]+" "+totals["projected"]["USD"], planned+" "+projected)
		w.is("GraphQL", w.ask(`{ portfolioTotals { currency portfolios products initiatives planned projected } }`),
			`{"portfolioTotals":[{"currency":"USD","portfolios":26,"products":599,"initiatives":2468,"planned":"`+planned+`","projected":"`+projected+`"}]}`)
		w.shows("/initiatives?f.currency=USD", "2,468", dollars(planned), dollars(projected))
		w.shows("/portfolios", "26", dollars(planned), dollars(projected))
		w.shows("/products", "599")
		rows := w.csv("/initiatives.csv?format=raw&cols=portfolio_id,product_id,planned,projected,currency")
		w.is("CSV", rows.count("product_id")+" "+rows.count("portfolio_id")+" "+rows.count("id")+" "+rows.sum("planned")+" "+rows.sum("projected"),
			"599 26 2468 "+planned+" "+projected)
		agriculture := w.ask(`{ portfolios(where: {name: "Department of Agriculture"}) { edges { node { id key } } } }`)
		key := regexp.MustCompile(`"key":"([^"]+)"`).FindStringSubmatch(agriculture)
		id := regexp.MustCompile(`"id":"([^"]+)"`).FindStringSubmatch(agriculture)
		if key == nil || id == nil {
			t.Fatal(agriculture)
		}
		w.is("Agriculture", w.ask(`{ portfolioTotals(portfolio: "`+key[1]+`") { products initiatives planned } }`),
			`{"portfolioTotals":[{"products":39,"initiatives":172,"planned":"14154898135.00"}]}`)
		w.shows("/portfolios/"+key[1], dollars("14154898135.00"))
		w.shows("/initiatives?f.portfolio_id="+id[1], "172", dollars("14154898135.00"))
		rows = w.csv("/initiatives.csv?format=raw&f.portfolio_id=" + id[1])
		w.is("Agriculture's CSV", rows.count("id")+" "+rows.sum("planned"), "172 14154898135.00")

		// S2: 3,836 contracts of 1,044 vendors, each counted once
		const contracted = "67542622581.00"
		totals = load("itdashboard-contracts", "portfolio/us-itdashboard/contracts-2012.csv")
		w.is("report", totals["contracted"]["USD"], contracted)
		w.is("GraphQL", w.ask(`{ portfolioTotals { currency contracted } contracts { totalCount } vendors { totalCount } priced: contracts(where: {valueNotNil: true}) { totalCount } }`),
			`{"portfolioTotals":[{"currency":"USD","contracted":"`+contracted+`"}],"contracts":{"totalCount":3836},"vendors":{"totalCount":1044},"priced":{"totalCount":2222}}`)
		w.shows("/contracts", "3,836", dollars(contracted))
		w.shows("/portfolios", dollars(contracted))
		w.shows("/vendors", "1,044")
		rows = w.csv("/contracts.csv?format=raw")
		w.is("CSV", rows.count("id")+" "+rows.sum("value"), "3836 "+contracted)

		// S4: seven years of spending; a variance counts only the lines with both amounts
		load("gc-planned-actual", "budgets/gc-planned-actual-2025-03-01.csv")
		var years struct {
			BudgetTotals []struct {
				FiscalYear, Lines, MissingPlan, MissingActual int
				Planned, Actual, Variance                     *string
			}
		}
		answer := w.ask(`{ budgetTotals { fiscalYear lines missingPlan missingActual planned actual variance } }`)
		if err := json.Unmarshal([]byte(answer), &years); err != nil || len(years.BudgetTotals) != 7 {
			t.Fatalf("%v %s", err, answer)
		}
		plans, lines := w.csv("/budget-plans.csv?format=raw&cols=fiscal_year,planned_total,actual_total"), w.csv("/budget-lines.csv?format=raw&cols=plan_id,planned_total,actual_total")
		yearOf := map[string]string{}
		for _, p := range plans {
			yearOf[p["id"]] = p["fiscal_year"]
		}
		for i, want := range [][2]string{
			{"266612441088.39", "267606029281.49"}, {"283188252534.87", "293753596488.75"}, {"293814259884.13", "425678528965.04"},
			{"330436723937.53", "362311397284.31"}, {"385153152807.16", "376086546698.37"}, {"418049045469.26", "448247488963.42"},
			{"432941663051.32", ""},
		} {
			y, year := years.BudgetTotals[i], strconv.Itoa(2018+i)
			w.is("GraphQL "+year, text(y.Planned)+" "+text(y.Actual), want[0]+" "+want[1])
			of := func(r table, of func(row map[string]string) string) (out table) {
				for _, row := range r {
					if of(row) == year {
						out = append(out, row)
					}
				}
				return out
			}
			inPlans := of(plans, func(r map[string]string) string { return r["fiscal_year"] })
			inLines := of(lines, func(r map[string]string) string { return yearOf[r["plan_id"]] })
			w.is("CSV of budgets "+year, inPlans.sum("planned_total")+" "+inPlans.sum("actual_total"), want[0]+" "+want[1])
			w.is("CSV of lines "+year, strconv.Itoa(len(inLines))+" "+inLines.sum("planned_total")+" "+inLines.sum("actual_total"), strconv.Itoa(y.Lines)+" "+want[0]+" "+want[1])
			w.shows("/budget-plans?f.currency=CAD&f.fiscal_year="+year, canadian(want[0]))
			w.shows("/portfolios", canadian(want[0]))
			if want[1] != "" {
				w.shows("/portfolios", canadian(want[1]))
				w.shows("/budget-plans?f.fiscal_year="+year, canadian(want[1]))
			}
		}
		if y := years.BudgetTotals[4]; y.MissingActual != 17 || y.MissingPlan != 5 || text(y.Variance) != "-4997922959.46" {
			t.Errorf("2022-23: %+v", y)
		}
		w.shows("/portfolios", canadian("-4997922959.46"), "1,204 of 1,226 lines; left out: 17 without actual, 5 without plan")
		shared := w.ask(`{ portfolios(where: {nameContainsFold: "Shared Services Canada"}) { edges { node { key } } } }`)
		key = regexp.MustCompile(`"key":"([^"]+)"`).FindStringSubmatch(shared)
		if key == nil {
			t.Fatal(shared)
		}
		w.shows("/portfolios/"+key[1]+"/budget/lines?fy=2022", ">17<", canadian("2618895615.00"), canadian("2538100893.18"))
		w.shows("/portfolios/"+key[1]+"/budget?fy=2022&show=all", "2,618,895,615.00", "2,538,100,893.18")
		w.shows("/portfolios/"+key[1], canadian("2591969423.00"), canadian("2790788595.77"))
		w.is("Shared Services Canada", w.ask(`{ budgetTotals(portfolio: "`+key[1]+`", fiscalYear: 2022) { lines planned actual } }`),
			`{"budgetTotals":[{"lines":17,"planned":"2618895615.00","actual":"2538100893.18"}]}`)
	})
}

// outcome is the part of an import report that a scenario compares.
type outcome struct {
	Created, Updated map[string]int
	Totals           map[string]map[string]string
}

func (o outcome) changed() (n int) {
	for _, rows := range []map[string]int{o.Created, o.Updated} {
		for _, k := range rows {
			n += k
		}
	}
	return n
}

// imported carries out an import and reads its report. Exit code 1 says that rows were left out.
func imported(t *testing.T, line []string) (o outcome) {
	t.Helper()
	code, out, errs := run(t, line...)
	if code > 1 || json.Unmarshal([]byte(out), &o) != nil {
		t.Fatalf("steward %s: exit %d\n%.2000s\n%.2000s", strings.Join(line, " "), code, out, errs)
	}
	return o
}

// reader asks a server through both doors.
type reader struct {
	t      *testing.T
	a      *app.App
	client *http.Client
	token  string
}

func (w *reader) is(where, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: %s, not %s", where, got, want)
	}
}

// ask returns the data of a GraphQL document.
func (w *reader) ask(query string) string {
	w.t.Helper()
	status, data, err := ask(http.DefaultClient, w.a.Addr(), w.token, query, nil)
	if err != nil || status != http.StatusOK {
		w.t.Fatalf("%s: %d %s %v", query, status, data, err)
	}
	return data
}

func (w *reader) get(path string) *http.Response {
	w.t.Helper()
	r, err := w.client.Get(w.a.URL() + path)
	if err != nil {
		w.t.Fatal(err)
	}
	if r.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %d", path, r.StatusCode)
	}
	return r
}

// shows reports the texts that a page does not have.
func (w *reader) shows(path string, wants ...string) {
	w.t.Helper()
	r := w.get(path)
	defer r.Body.Close()
	page, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, want := range wants {
		if !strings.Contains(string(page), want) {
			w.t.Errorf("%s does not show %s", path, want)
		}
	}
}

// table is an exported file: its rows by the names of its first line.
type table []map[string]string

func (w *reader) csv(path string) (out table) {
	w.t.Helper()
	r := w.get(path)
	defer r.Body.Close()
	rows, err := csv.NewReader(r.Body).ReadAll()
	if err != nil {
		w.t.Fatalf("%s: %v", path, err)
	}
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		out = append(out, m)
	}
	return out
}

// count is how many different values a column has.
func (r table) count(column string) string {
	seen := map[string]bool{}
	for _, row := range r {
		seen[row[column]] = true
	}
	return strconv.Itoa(len(seen))
}

// sum adds up a column; it is empty where no row has an amount.
func (r table) sum(column string) string {
	var all []money.Amount
	for _, row := range r {
		if row[column] != "" {
			a, err := money.Parse(row[column])
			if err != nil {
				return fmt.Sprint(err)
			}
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return ""
	}
	sum, err := money.Sum(all)
	if err != nil {
		return fmt.Sprint(err)
	}
	return sum.String()
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func dollars(s string) string  { return shown(s, "USD") }
func canadian(s string) string { return shown(s, "CAD") }

// shown is how an English page writes an amount.
func shown(s, currency string) string {
	a, err := money.Parse(s)
	if err != nil {
		return fmt.Sprint(err)
	}
	return i18n.Money(i18n.English, a, currency)
}
