package web_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/budget"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/money"
	"steward/internal/testkit"
	view "steward/views/entity"
)

// vendors makes n vendors named "Vendor 000" and so on.
func (w *world) vendors(n int) {
	w.do(func(ctx context.Context, c *ent.Client) error {
		for i := range n {
			risk := []string{"LOW", "MEDIUM", "HIGH"}[i%3]
			if err := c.Vendor.Create().SetName(fmt.Sprintf("Vendor %03d", i)).SetRisk(must(riskOf(risk))).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestListFiltersSortsAndPages(t *testing.T) {
	each(t, func(w *world) {
		w.vendors(120)
		p := w.get(w.pia, "/vendors").want(200).page()
		p.Want("nav.pager", "1 to 50 of 121")
		p.WantCount("tbody tr", 50)
		p = w.get(w.pia, "/vendors?page=3").want(200).page()
		p.Want("nav.pager", "101 to 121 of 121")
		p.WantCount("tbody tr", 21)
		p = w.get(w.pia, "/vendors?sort=-name").want(200).page()
		if got := p.Text("tbody tr:first-child th"); got != "Vendor 119" {
			t.Errorf("the last name is %q", got)
		}
		p.Want("th[aria-sort=descending]", "Name")
		p = w.get(w.pia, "/vendors?f.risk=HIGH&f.risk=LOW&q=VENDOR+099").want(200).page()
		p.WantCount("tbody tr", 1)
		p.Want(".chip.on", "Risk: High, Low")
		p.Want(".chip.on", "VENDOR 099")
		w.get(w.pia, "/vendors?f.risk=HIGH&f.risk=LOW").want(200).page().Want("nav.pager", "1 to 50 of 80")
		if to := w.get(w.pia, "/vendors?f.risk=&q=&f.status=ACTIVE").want(303).Header.Get("Location"); to != "/vendors?f.status=ACTIVE" {
			t.Errorf("an untidy address leads to %s", to)
		}
		w.get(w.pia, "/vendors?q=zzz").want(200).page().Want(".empty", "Nothing matches")

		// What htmx asks for is the list alone, and the same list.
		part := w.get(w.pia, "/vendors?page=2", "HX-Request", "true", "HX-Target", "div#list").want(200).page()
		part.WantNone("main")
		part.WantCount("#list tbody tr", 50)

		// Ranges of money and days, in the reader's way of writing.
		w.get(w.pia, "/contracts?f.value.gte=1000000&f.end_on.lte=2026-12-31").want(200).page().WantCount("tbody tr", 1)
		w.get(w.pia, "/contracts?f.value.gte=1284500.01").want(200).page().Want(".empty", "Nothing matches")
		w.lang = "fr"
		w.get(w.pia, "/contracts?f.value.lte="+url.QueryEscape("1 284 500,00")).want(200).page().WantCount("tbody tr", 1)
		w.lang = "en"
		w.get(w.pia, "/contracts?f.vendor_id="+w.vendor.ID.String()).want(200).page().Want(".chip.on", "Vendor: OptIT")
		p = w.get(w.pia, "/contracts?cols=name,value,reference").want(200).page()
		if got := strings.Join(p.Texts("thead th"), " "); got != "Name Value Reference" {
			t.Errorf("columns %q", got)
		}
		for _, bad := range []string{"?sort=nothing", "?sort=vendor_id", "?f.nothing=1", "?f.status=WRONG", "?f.value.near=1", "?page=0", "?page=x", "?cols=name_norm", "?f.custom=1", "?f.value.gte=abc"} {
			w.get(w.pia, "/contracts"+bad).want(http.StatusUnprocessableEntity)
		}
	})
}

// The last row of a list adds up the amounts of all its rows, those of other pages too,
// and each currency by itself; of what a reader may not see there is no sum.
func TestSums(t *testing.T) {
	each(t, func(w *world) {
		w.do(func(ctx context.Context, c *ent.Client) error {
			for range 60 {
				c.Contract.Create().SetName("Small").SetPortfolio(w.ours).SetVendor(w.vendor).SetValue(10 * 10000).AddProducts(w.product).SaveX(ctx)
			}
			c.Contract.Create().SetName("Foreign").SetPortfolio(w.ours).SetVendor(w.vendor).SetCurrency("USD").SetValue(5 * 10000).SaveX(ctx)
			c.Contract.Create().SetName("Gone").SetPortfolio(w.ours).SetVendor(w.vendor).SetValue(7 * 10000).SetArchivedAt(time.Now()).SaveX(ctx)
			c.Contract.Create().SetName("Theirs").SetPortfolio(w.theirs).SetVendor(w.vendor).SetValue(9 * 10000).SaveX(ctx)
			return nil
		})
		w.plans(1000, 0)
		p := w.get(w.pia, "/contracts").want(200).page()
		p.WantCount("tfoot tr", 2)
		p.Want("tfoot tr:nth-child(1)", "Total in CAD", "$1,285,100.00")
		p.Want("tfoot tr:nth-child(2)", "Total in USD", "US$5.00")
		w.get(w.pia, "/contracts?q=small&page=2").want(200).page().Want("tfoot", "$600.00")
		w.get(w.pia, "/contracts?f.currency=USD").want(200).page().WantCount("tfoot tr", 1)
		w.get(w.pia, "/contracts?cols=name,status").want(200).page().WantNone("tfoot")
		w.get(w.vic, "/contracts").want(200).page().WantNone("tfoot")
		w.get(w.pia, "/contracts?edit=1").want(200).page().WantNone("tfoot")
		w.get(w.pia, "/budget-lines?cols=name,planned_total").want(200).page().Want("tfoot", "Total in CAD", "$1,000.00") // the currency of its plan
		w.get(w.pia, "/vendors").want(200).page().WantNone("tfoot")
	})
}

// plans writes what is planned for a month of the line, and what was spent if anything.
func (w *world) plans(planned, actual int64) {
	w.t.Helper()
	p, a := money.Amount(planned*10000), money.Amount(actual*10000)
	w.fill(budget.CellEdit{LineID: w.line.ID, Period: "2026-04", Field: budget.Planned, Amount: &p})
	if actual == 0 {
		return
	}
	if _, err := budget.PostActual(testkit.System(), w.s, budget.PostActualInput{Postings: []budget.Posting{{LineID: w.line.ID, Period: "2026-04", Amount: &a}}}); err != nil {
		w.t.Fatal(err)
	}
}

// The list of portfolios begins with what all of them come to.
func TestEverythingAddedUp(t *testing.T) {
	each(t, func(w *world) {
		w.do(func(ctx context.Context, c *ent.Client) error {
			c.Initiative.Create().SetName("Move").SetPortfolio(w.ours).SetPlanned(300 * 10000).SaveX(ctx)
			c.Initiative.Create().SetName("Elsewhere").SetPortfolio(w.theirs).SetPlanned(44 * 10000).SaveX(ctx)
			c.BudgetLine.Create().SetName("Nothing yet").SetPlan(w.plan).SaveX(ctx)
			return nil
		})
		w.plans(1000, 900)
		p := w.get(w.pia, "/portfolios").want(200).page()
		p.Want(".kpi[href='/initiatives?f.currency=CAD']", "$300.00")
		p.Want(".kpi[href='/contracts?f.currency=CAD']", "$1,284,500.00")
		p.Want("#years tbody tr", "2026–27 CAD", "$1,000.00", "$900.00", "−$100.00", "1 of 2 lines; left out: 1 without actual, 1 without plan")
		p.WantAttr("#years .yb a", "href", "/budget-plans?f.currency=CAD&f.fiscal_year=2026")
		w.get(w.fia, "/portfolios").want(200).page().Want(".kpi", "$344.00")
		w.get(w.pia, "/portfolios?q=common").want(200).page().WantNone(".kpi") // of a choice there is no whole
		w.get(w.pat, "/portfolios").page().WantNone("#years")
	})
}

// The language is the one last chosen with the switch, else that of the profile, else
// what the browser asks for.
func TestLanguageOfReader(t *testing.T) {
	each(t, func(w *world) {
		for _, c := range []struct{ cookie, profile, browser, want string }{
			{"", "", "fr-CA", "fr-CA"}, {"", "", "de", "en-CA"}, {"", "en", "fr-CA", "en-CA"}, {"", "fr", "en", "fr-CA"}, {"en", "fr", "fr", "en-CA"}, {"xx", "", "fr", "fr-CA"},
		} {
			v := *w.pia
			v.Lang = c.profile
			p := w.get(&v, "/vendors", "Accept-Language", c.browser, "Cookie", "lang="+c.cookie).want(200).page()
			if got := p.Attr("html", "lang"); got != c.want {
				t.Errorf("%+v: %s", c, got)
			}
		}
	})
}

// A list takes the same few statements whatever the number of rows.
func TestStatements(t *testing.T) {
	each(t, func(w *world) {
		count := func(path string) int {
			w.s.Statements.Reset()
			w.get(w.pia, path).want(200)
			return w.s.Statements.N()
		}
		count("/contracts") // the first one may prepare
		few, record := count("/contracts"), count("/portfolios/cc")
		w.do(func(ctx context.Context, c *ent.Client) error {
			for i := range 60 {
				v := c.Vendor.Create().SetName(fmt.Sprintf("V%d", i)).SaveX(ctx)
				c.Contract.Create().SetName(fmt.Sprintf("C%d", i)).SetPortfolio(w.ours).SetVendor(v).AddProducts(w.product).SaveX(ctx)
			}
			return nil
		})
		if many := count("/contracts"); many != few || many > 7 { // among them the custom fields, the saved views and the tags
			t.Errorf("a list takes %d statements for one row and %d for fifty", few, many)
		}
		// one more: the number of contracts, of which the page shows only the first
		if many := count("/portfolios/cc"); many > record+1 {
			t.Errorf("a record takes %d statements with little and %d with much below it", record, many)
		}
	})
}

// Whoever may not see the price of a contract sees it nowhere, and can neither
// filter nor sort by it.
func TestHiddenField(t *testing.T) {
	each(t, func(w *world) {
		price := "1,284,500"
		w.get(w.pia, "/contracts").want(200).page().Want("td", price)
		for _, path := range []string{"/contracts", "/contracts/" + w.contract.Key, "/contracts/" + w.contract.Key + "/history", "/products/forms", "/vendors/" + w.vendor.Key, "/"} {
			a := w.get(w.vic, path).want(200)
			if strings.Contains(a.body, price) || strings.Contains(a.body, "1284500") {
				t.Errorf("%s shows the price", path)
			}
		}
		for _, path := range []string{"?sort=value", "?f.value.gte=1", "?cols=name,value", ".csv?cols=value", ".json?sort=-value"} {
			if a := w.get(w.vic, "/contracts"+path); a.StatusCode == 200 {
				t.Errorf("%s: %d", path, a.StatusCode)
			}
		}
		if a := w.get(w.vic, "/contracts.json"); a.StatusCode == 200 && strings.Contains(a.body, "1284500") {
			t.Error("the export shows the price")
		}
	})
}

func TestExport(t *testing.T) {
	each(t, func(w *world) {
		w.vendors(30)
		a := w.get(w.pia, "/vendors.csv?f.risk=HIGH&cols=name,risk,website").want(200)
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if err != nil || len(rows) != 11 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		if strings.Join(rows[0], ";") != "Name;Risk;Website" || strings.Join(rows[1], ";") != "Vendor 002;High;" {
			t.Errorf("%q", rows[:2])
		}
		if a.Header.Get("Content-Disposition") != `attachment; filename="vendors.csv"` {
			t.Error(a.Header)
		}
		a = w.get(w.pia, "/contracts.csv?format=raw&cols=name,vendor_id,value").want(200)
		rows, _ = csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if len(rows) != 2 || strings.Join(rows[1], ";") != w.contract.ID.String()+";Squad;"+w.vendor.ID.String()+";1284500.00" {
			t.Errorf("%q", rows)
		}
		if a = w.get(w.pia, "/vendors.csv?bom=1"); !strings.HasPrefix(a.body, "\ufeffKey,") {
			t.Errorf("%q", a.body[:20])
		}
		var out struct {
			Total int
			Rows  []map[string]any
		}
		if err := json.Unmarshal([]byte(w.get(w.pia, "/contracts.json").want(200).body), &out); err != nil || out.Total != 1 || out.Rows[0]["value"] != "1284500.00" || out.Rows[0]["vendorID"] != w.vendor.ID.String() {
			t.Errorf("%v %v", out, err)
		}
		// What left is in the audit, with how much.
		p := w.get(w.aud, "/admin/audit?op=EVENT").want(200).page()
		p.Want(".reason", "exported 10 rows")
		// An administrator reads vendors and takes none out; a partner, their own contracts only.
		w.get(w.ada, "/vendors.csv").want(http.StatusForbidden)
		w.get(w.ada, "/vendors").want(200).page().WantNone("#exports")
		if a = w.get(w.pat, "/vendors.csv").want(200); strings.Contains(a.body, "Vendor 0") || !strings.Contains(a.body, "OptIT") {
			t.Errorf("%s", a.body)
		}
	})
}

// Every entity, field, value and edge has its words in both languages.
func TestLabels(t *testing.T) {
	for _, lang := range i18n.Languages() {
		for _, e := range entity.Registry() {
			for _, n := range []int{1, 2} {
				if view.Name(lang, e, n) == "" {
					t.Errorf("%s: no name of %s", lang, e.Name)
				}
			}
			if !e.ReadOnly && !i18n.Has(lang, "entity.new."+e.Name) {
				t.Errorf("%s: no words for a new %s", lang, e.Name)
			}
			for i := range e.Fields {
				f := &e.Fields[i]
				if f.Kind == "hidden" {
					continue
				}
				if !i18n.Has(lang, "field."+f.Name) && !i18n.Has(lang, "field."+e.Name+"."+f.Name) {
					t.Errorf("%s: no label of %s.%s", lang, e.Name, f.Name)
				}
				for _, o := range f.Options {
					if key := view.OptionKey(e, f, o); !i18n.Has(lang, key) {
						t.Errorf("%s: no words for %s.%s %s (%s)", lang, e.Name, f.Name, o, key)
					}
				}
			}
			for _, x := range e.Edges {
				if x.Kind != entity.Own && entity.ByName(x.To).Registry && view.EdgeLabel(lang, e, x) == "" {
					t.Errorf("%s: no words for %s.%s", lang, e.Name, x.Name)
				}
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
