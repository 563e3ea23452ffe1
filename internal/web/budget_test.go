package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"steward/ent"
	"steward/ent/budgetline"
	"steward/internal/area/budget"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// amount is a whole number of dollars.
func amount(n int64) *money.Amount { a := money.Amount(n) * money.One; return &a }

// cells sends a batch as the grid does.
func (w *world) cells(v *viewer.Viewer, body any, headers ...string) answer {
	w.t.Helper()
	w.as = v
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	r := httptest.NewRequest("PATCH", "/portfolios/cc/budget/cells", bytes.NewReader(b))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("HX-Request", "true")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	a := answer{Response: rec.Result(), body: rec.Body.String(), t: w.t}
	a.Request = r
	return a
}

type edit map[string]any

func edits(list ...edit) map[string]any { return map[string]any{"cells": list} }

func (w *world) edit(period, field string, value any, version int) edit {
	return edit{"lineId": w.line.ID, "period": period, "field": field, "amount": value, "version": version}
}

// parsed reads the JSON of an answer.
func (a answer) parsed() map[string]any {
	a.t.Helper()
	out := map[string]any{}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		a.t.Fatalf("%v in %s", err, a.body)
	}
	return out
}

// fill writes amounts as the system does.
func (w *world) fill(cells ...budget.CellEdit) {
	w.t.Helper()
	if _, err := budget.SetCells(testkit.System(), w.s, budget.SetCellsInput{Cells: cells}); err != nil {
		w.t.Fatal(err)
	}
}

func TestGridShowsAPlan(t *testing.T) {
	each(t, func(w *world) {
		w.fill(budget.CellEdit{LineID: w.line.ID, Period: "2026-04", Field: budget.Planned, Amount: amount(12500)},
			budget.CellEdit{LineID: w.line.ID, Period: "2026-05", Field: budget.Planned, Amount: amount(-300)})
		p := w.get(w.pia, "/budget-plans/"+w.plan.Key).want(200).page()
		p.WantHouseRules()
		p.WantAttr("budget-grid", "data-save", "/portfolios/cc/budget/cells")
		p.WantAttr("budget-grid", "data-show", "plan")
		p.Want("tr[data-row] th a", "Squad fees")
		p.WantAttr("tr[data-row] td.c", "data-v", "12500")
		p.Want("tr[data-row] td.c", "12,500")
		p.Want("tr[data-row] td.c", "-300")
		p.WantCount("tr[data-row] td.c", 12)
		p.Want("tr[data-row] td.tt", "12,200")
		p.Want("tfoot tr td.tt", "12,200")
		p.Want(".steps [aria-current=step]", "Draft")
		p.Want(".pagehead a", "Submit")
		p.Want("#add-line form input[name=name]")
		w.lang = "fr"
		p = w.get(w.pia, "/budget-plans/"+w.plan.Key).want(200).page()
		p.Want("tr[data-row] td.c", "12\u00a0500")
		p.Want("thead th", "avr.")

		w.lang = "en"
		for _, show := range []string{"plan", "forecast", "all"} {
			page := w.get(w.fia, "/portfolios/cc/budget?fy=2026&show="+show).want(200)
			page.page().WantHouseRules()
			page.page().Want(".cycle li", "Forms", "Draft, 1 line")
			page.page().Want("#totals td.num", "$12,200.00")
		}
		all := w.get(w.pia, "/portfolios/cc/budget?fy=2026&show=all").page()
		all.WantCount("tr[data-row]", 3)
		all.Want("tr[data-row] .fig", "Actual")
		w.get(w.pia, "/portfolios/cc/budget?show=everything").want(422)
		w.get(w.pia, "/portfolios/cc/budget?fy=soon").want(422)
		w.get(w.pia, "/portfolios/cc/budget?fy=2031").want(200).page().Want(".empty", "No budget for 2031")
	})
}

func TestGridIsNotThereForOthers(t *testing.T) {
	each(t, func(w *world) {
		w.get(w.pia, "/portfolios/hidden/budget").want(404)
		w.get(w.pat, "/portfolios/cc/budget").want(404)
		w.get(w.pat, "/budget-plans/"+w.plan.Key).want(404)
		w.cells(w.pat, edits(w.edit("2026-04", "PLANNED", "1", 0))).want(404)
		// Vic contributes to the product but budgets are not among what he may write.
		p := w.get(w.aud, "/portfolios/cc/budget?fy=2026").want(200).page()
		p.WantAttr("budget-grid", "data-save", "")
		p.WantNone("td.c:not(.lk)")
		p.WantNone("#add-line")
		if got := w.cells(w.aud, edits(w.edit("2026-04", "PLANNED", "1", 0))).want(403).parsed()["code"]; got != "FORBIDDEN" {
			t.Errorf("code %v", got)
		}
	})
}

func TestCellsAreSaved(t *testing.T) {
	each(t, func(w *world) {
		got := w.cells(w.pia, edits(w.edit("2026-04", "PLANNED", "12500.50", 0), w.edit("2026-05", "PLANNED", "-7", 0))).want(200)
		lines := got.parsed()["lines"].([]any)
		first := lines[0].(map[string]any)["cells"].([]any)[0].(map[string]any)
		if first["planned"] != "12500.50" || first["version"] != 1.0 || first["forecast"] != nil || got.parsed()["undo"] == "" {
			t.Errorf("answer %s", got.body)
		}
		// The same request again under its key writes nothing and answers the same.
		once := w.cells(w.pia, edits(w.edit("2026-06", "PLANNED", "1", 0)), "Idempotency-Key", "k-1").want(200)
		if again := w.cells(w.pia, edits(w.edit("2026-06", "PLANNED", "1", 0)), "Idempotency-Key", "k-1").want(200); again.body != once.body {
			t.Errorf("again %s, at first %s", again.body, once.body)
		}
		if code := w.cells(w.pia, edits(w.edit("2026-06", "PLANNED", "2", 1)), "Idempotency-Key", "k-1").want(409).parsed()["code"]; code != "IDEMPOTENCY" {
			t.Errorf("another request under a used key: %v", code)
		}
		// Somebody else was faster: only the clash is told, with what stands there and stood before.
		w.cells(w.fia, edits(w.edit("2026-04", "PLANNED", "900", 1))).want(200)
		clash := w.cells(w.pia, edits(w.edit("2026-04", "PLANNED", "1000", 1), w.edit("2026-05", "PLANNED", "5", 1))).want(409).parsed()
		list := clash["clashes"].([]any)
		x := list[0].(map[string]any)
		if len(list) != 1 || x["planned"] != "900.00" || x["by"] != "Fia" || x["version"] != 2.0 || x["before"].(map[string]any)["planned"] != "12500.50" {
			t.Errorf("clash %v", clash)
		}
		w.cells(w.pia, edits(w.edit("2026-04", "PLANNED", nil, 2))).want(200)
		w.get(w.pia, "/budget-plans/"+w.plan.Key).page().WantNoText("12,500.5")

		for _, bad := range []struct {
			body   any
			status int
		}{
			{edits(w.edit("2026-04", "ACTUAL", "1", 0)), 422}, {edits(w.edit("2026-13", "PLANNED", "1", 0)), 422},
			{edits(w.edit("2026-04", "PLANNED", "1e3", 0)), 422}, {edits(), 422}, {"cells", 422},
			{edits(edit{"lineId": "bln_none", "period": "2026-04", "field": "PLANNED", "amount": "1", "version": 0}), 404},
		} {
			w.cells(w.pia, bad.body).want(bad.status)
		}
	})
}

func TestRefusedCellsAreNamed(t *testing.T) {
	each(t, func(w *world) {
		w.do(func(ctx context.Context, c *ent.Client) error {
			p := c.BudgetPlan.GetX(ctx, w.plan.ID)
			_, err := budget.Move(ctx, w.s, p.ID, "SUBMITTED", p.Version, "")
			return err
		})
		got := w.cells(w.pia, edits(w.edit("2026-04", "FORECAST", "5", 0), w.edit("2026-05", "PLANNED", "5", 0))).parsed()
		fields, _ := got["fields"].([]any)
		if got["code"] != "STATE" || len(fields) != 1 || fields[0].(map[string]any)["path"] != "cells.1" {
			t.Errorf("answer %v", got)
		}
		w.get(w.fia, "/budget-plans/"+w.plan.Key+"?show=plan").page().WantNone("td.c:not(.lk)")
	})
}

func TestPlanIsMoved(t *testing.T) {
	each(t, func(w *world) {
		path := "/budget-plans/" + w.plan.Key
		d := w.get(w.pia, path+"/moves/SUBMITTED", "HX-Request", "true", "HX-Target", "dialogs").want(200).page()
		d.Want("dialog[data-show] form[action='"+path+"/moves/SUBMITTED'] textarea[name=note]", "")
		w.get(w.pia, path+"/moves/SUBMITTED").want(200).page().WantHouseRules()
		w.get(w.pia, path+"/moves/APPROVED").want(403)
		w.post(w.pia, path+"/moves/SUBMITTED", sum("version", d.Attr("input[name=version]", "value"))).want(303)
		p := w.get(w.fia, path).want(200).page()
		p.Want(".pagehead a", "Approve")
		p.Want(".pagehead a", "Return")
		back := w.get(w.fia, path+"/moves/RETURNED").page()
		back.Want("textarea[required]", "")
		w.post(w.fia, path+"/moves/RETURNED", sum("version", back.Attr("input[name=version]", "value"), "note", "Too high")).want(303)
		w.get(w.pia, path).page().Want(".steps [aria-current=step]", "Returned")
	})
}

func TestLinesWithoutScript(t *testing.T) {
	each(t, func(w *world) {
		w.fill(budget.CellEdit{LineID: w.line.ID, Period: "2026-04", Field: budget.Planned, Amount: amount(100)})
		path := "/portfolios/cc/budget/lines/" + w.line.ID.String()
		w.get(w.pia, "/budget-plans/"+w.plan.Key).page().WantAttr("tr[data-row] th a", "href", path)
		p := w.get(w.pia, path).want(200).page()
		p.WantHouseRules()
		p.WantAttr("input[name='PLANNED.2026-04']", "value", "100")
		form := url.Values{}
		for _, n := range p.All("form#line-figures input, form#line-figures textarea") {
			var name, value string
			for _, a := range n.Attr {
				switch a.Key {
				case "name":
					name = a.Val
				case "value":
					value = a.Val
				}
			}
			form.Set(name, value)
		}
		form.Set("PLANNED.2026-05", "12.5k")
		form.Set("FORECAST.2026-05", "(250)")
		form.Set("PLANNED.2026-06", "twelve")
		bad := w.post(w.pia, path, form).want(422).page()
		bad.WantAttr("input[name='PLANNED.2026-06']", "aria-invalid", "true")
		bad.WantAttr("input[name='PLANNED.2026-05']", "value", "12.5k")
		form.Del("PLANNED.2026-06")
		w.post(w.pia, path, form).want(303)
		p = w.get(w.pia, path).page()
		p.WantAttr("input[name='PLANNED.2026-05']", "value", "12,500")
		p.WantAttr("input[name='FORECAST.2026-05']", "value", "-250")
		// The form is now older than the row: what stands there is told, what was typed stays.
		form.Set("PLANNED.2026-05", "13000")
		clash := w.post(w.pia, path, form).want(409).page()
		clash.Want("#f-PLANNED-2026-05-err", "Pia changed this to $12,500.00")
		clash.WantAttr("input[name='version.2026-05']", "value", "1")
		w.get(w.aud, path).want(200).page().WantNone("form#line-figures input:not([type=hidden])")
		w.get(w.pia, "/portfolios/hidden/budget/lines/"+w.line.ID.String()).want(404)

		made := w.post(w.pia, "/portfolios/cc/budget/lines", sum("plan_id", w.plan.ID.String(), "name", "Licences", "name_fr", "Licences", "category", "SOFTWARE", "cost_class", "", "group_name", "", "code", ""))
		made.want(303)
		w.get(w.pia, "/budget-plans/"+w.plan.Key).page().Want("tr[data-row] th a", "Licences")
		w.post(w.pia, "/portfolios/cc/budget/lines", sum("plan_id", w.plan.ID.String(), "name", ""), "HX-Request", "true").want(422).page().Want("form#new-line .msg")
		w.post(w.aud, "/portfolios/cc/budget/lines", sum("plan_id", w.plan.ID.String(), "name", "x")).want(403)
	})
}

// big makes a plan with many lines in one group, written without the cells' verb.
func big(w *world, lines, months int) *ent.BudgetPlan {
	w.t.Helper()
	var plan *ent.BudgetPlan
	var made []*ent.BudgetLine
	w.do(func(ctx context.Context, c *ent.Client) error {
		plan = c.BudgetPlan.Create().SetName("Large").SetPortfolio(w.ours).SetFiscalYear(2026).SaveX(ctx)
		for i := range lines {
			made = append(made, c.BudgetLine.Create().SetName(fmt.Sprintf("Line %d", i)).SetGroupName("Everything").SetPosition(i).SetPlan(plan).SaveX(ctx))
		}
		return nil
	})
	var batch []budget.CellEdit
	for _, l := range made {
		for m := range months {
			batch = append(batch, budget.CellEdit{LineID: l.ID, Period: civil.Period("2026-04").Add(m), Field: budget.Planned, Amount: amount(int64(1000 + m))})
		}
		if len(batch) > 4000 {
			w.fill(batch...)
			batch = nil
		}
	}
	w.fill(batch...)
	return plan
}

func TestLargeGroupsArriveFolded(t *testing.T) {
	w := newWorld(t, testkit.OpenURL(t, testkit.SQLiteURL(t)))
	plan := big(w, 252, 12)
	whole := w.get(w.pia, "/budget-plans/"+plan.Key).want(200)
	p := whole.page()
	p.WantCount("tr[data-row]", 0)
	p.Want(".grp a[data-fold]", "Everything", "252 lines")
	p.Want("tfoot td.tt", "3,040,632") // 252 × (12 × 1000 + 66)
	link := p.Attr(".grp a[data-fold]", "hx-get")
	rows := w.get(w.pia, link, "HX-Request", "true").want(200)
	rows.page().WantCount("tr[data-row]", 252)
	rows.page().WantNone("h1")
	w.get(w.pia, link).want(200).page().WantCount("tr[data-row]", 252)
	if n := len(zipped(t, rows.body)); n > 40_000 {
		t.Errorf("252 lines are %d bytes on the wire, the budget is 40,000", n)
	}
}

// A page of the grid has at most 6,000 elements, however many lines and groups there are (ui 6.11).
func TestGridStaysSmall(t *testing.T) {
	for _, shape := range []struct{ plans, groups, lines int }{{14, 2, 9}, {1, 28, 9}, {40, 6, 21}} {
		w := newWorld(t, testkit.OpenURL(t, testkit.SQLiteURL(t)))
		total := shape.plans * shape.groups * shape.lines
		var batch []budget.CellEdit
		w.do(func(ctx context.Context, c *ent.Client) error {
			for i := range shape.plans {
				p := c.Product.Create().SetName(fmt.Sprintf("Product %02d", i)).SetPortfolio(w.ours).SaveX(ctx)
				plan := c.BudgetPlan.Create().SetName(fmt.Sprintf("Plan %02d", i)).SetPortfolio(w.ours).SetProduct(p).SetFiscalYear(2027).SaveX(ctx)
				for n := range shape.groups * shape.lines {
					l := c.BudgetLine.Create().SetName(fmt.Sprintf("Line %02d.%03d", i, n)).SetGroupName(fmt.Sprintf("Group %02d", n/shape.lines)).SetPosition(n).SetPlan(plan).SaveX(ctx)
					batch = append(batch, budget.CellEdit{LineID: l.ID, Period: "2027-04", Field: budget.Planned, Amount: amount(3)})
				}
			}
			return nil
		})
		for some := range slices.Chunk(batch, 2000) {
			w.fill(some...)
		}
		for _, show := range []string{"plan", "forecast", "all"} {
			path := "/portfolios/cc/budget?fy=2027&show=" + show
			a := w.get(w.pia, path).want(200)
			p := a.page()
			elements, heads, lines := len(p.All("*")), len(p.All("tbody[data-cur]")), len(p.All("tr[data-row] .name"))
			t.Logf("%d lines in %d groups, %s: %d elements, %d groups, %d lines, %d bytes, %d on the wire", total, shape.plans*shape.groups, show, elements, heads, lines, len(a.body), len(zipped(t, a.body)))
			if elements > 6000 || heads < 20 || lines < 40 {
				t.Errorf("%d lines in %d groups, %s: %d elements, %d groups, %d lines", total, shape.plans*shape.groups, show, elements, heads, lines)
			}
			if show == "plan" {
				p.Want("tfoot td.tt", i18n.Int("en", total*3)) // of all lines, wherever they are
			}
			// The link brings the next groups, folded, until all are there.
			for heads < shape.plans*shape.groups {
				more := w.get(w.pia, p.Attr("#g-more a", "hx-get"), "HX-Request", "true").want(200)
				p = more.page()
				p.WantNone("tr[data-row]")
				p.WantNone("h1")
				p.WantAttr("tbody", "id", fmt.Sprintf("g-%d", heads))
				if n := len(p.All("tbody[data-cur]")); n == 0 {
					t.Fatal("the link brings nothing")
				} else {
					heads += n
				}
			}
			p.WantNone("#g-more")
		}
		// Without a script the link is a page of its own; returning from the sign-in opens several groups.
		last := shape.plans*shape.groups - 1
		w.get(w.pia, fmt.Sprintf("/portfolios/cc/budget?fy=2027&show=all&from=%d", last)).want(200).page().WantCount("tbody[data-cur]", 1)
		p := w.get(w.pia, fmt.Sprintf("/portfolios/cc/budget?fy=2027&show=plan&open=0&open=%d", last)).want(200).page()
		p.WantCount(fmt.Sprintf("#g-%d tr[data-row]", last), shape.lines)
		p.WantCount("#g-0 tr[data-row]", shape.lines)
	}
}

// A plan by the year spans the months of its neighbour and is in no month's sum;
// its currency has totals of its own.
func TestCoarsePlansAndCurrencies(t *testing.T) {
	each(t, func(w *world) {
		var yearly *ent.BudgetLine
		w.do(func(ctx context.Context, c *ent.Client) error {
			p := c.BudgetPlan.Create().SetName("Grant").SetPortfolio(w.ours).SetFiscalYear(2026).SetPeriodLength("YEAR").SetCurrency("EUR").SaveX(ctx)
			yearly = c.BudgetLine.Create().SetName("Research").SetPlan(p).SaveX(ctx)
			return nil
		})
		w.fill(budget.CellEdit{LineID: yearly.ID, Period: "2026-04", Field: budget.Planned, Amount: amount(90000)},
			budget.CellEdit{LineID: w.line.ID, Period: "2026-04", Field: budget.Planned, Amount: amount(12500)})
		p := w.get(w.pia, "/portfolios/cc/budget?fy=2026&show=plan").want(200).page()
		row := "tr[data-row='" + yearly.ID.String() + "'] "
		p.WantCount(row+"td.c", 1)
		p.WantAttr(row+"td.c", "colspan", "12")
		p.Want(row+"td.c", "90,000")
		p.WantCount("tfoot tr", 2)
		p.Want("tfoot tr[data-cur=EUR] td.tt", "90,000")
		p.Want("tfoot tr[data-cur=CAD] td.tt", "12,500")
		p.WantNone("tfoot tr[data-cur=EUR] td.g[data-v]:not(.tt):not(.pl)")
		p.Want("#totals tbody tr", "EUR", "€90,000.00")
		p.Want(row+".prd", "Common Components")
		w.get(w.pia, "/portfolios/cc").page().Want(".kpi", "Plan", "$12,500.00 + €90,000.00")
	})
}

func zipped(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestStatementsOfBudgets(t *testing.T) {
	each(t, func(w *world) {
		w.do(func(ctx context.Context, c *ent.Client) error {
			for i := range 6 {
				p := c.Product.Create().SetName(fmt.Sprintf("Product %d", i)).SetPortfolio(w.ours).SaveX(ctx)
				plan := c.BudgetPlan.Create().SetName(fmt.Sprintf("Plan %d", i)).SetPortfolio(w.ours).SetProduct(p).SetFiscalYear(2026).SaveX(ctx)
				c.BudgetLine.Create().SetName("Line").SetPlan(plan).SaveX(ctx)
			}
			return nil
		})
		for path, most := range map[string]int{
			"/portfolios/cc/budget?fy=2026":       7,
			"/budget-plans/" + w.plan.Key:         7,
			"/portfolios/cc/budget/lines?fy=2026": 5,
			"/portfolios/cc":                      26,
			"/products/forms":                     36,
		} {
			w.s.Statements.Reset()
			w.get(w.pia, path).want(200)
			if n := w.s.Statements.N(); n > most {
				t.Errorf("%s takes %d statements, the budget is %d", path, n, most)
			} else {
				t.Logf("%s: %d statements", path, n)
			}
		}
	})
}

// revised takes the plan to a draft of its next version.
func (w *world) revised() *ent.BudgetPlan {
	w.t.Helper()
	var out *budget.Moved
	for i, m := range []struct {
		by *viewer.Viewer
		to string
	}{{w.pia, "SUBMITTED"}, {w.fia, "APPROVED"}, {w.pia, "REVISED"}} {
		p, err := w.s.Client.BudgetPlan.Get(testkit.System(), w.plan.ID)
		if err != nil {
			w.t.Fatal(err)
		}
		if out, err = budget.Move(viewer.With(context.Background(), m.by), w.s, p.ID, m.to, p.Version, "New year"); err != nil {
			w.t.Fatalf("move %d: %v", i, err)
		}
	}
	return out.Revision
}

// A figure and the list it leads to say the same, in every state of the plans.
func TestFiguresCountTheirRows(t *testing.T) {
	each(t, func(w *world) {
		w.fill(budget.CellEdit{LineID: w.line.ID, Period: "2026-04", Field: budget.Planned, Amount: amount(12500)},
			budget.CellEdit{LineID: w.line.ID, Period: "2026-05", Field: budget.Forecast, Amount: amount(9000)})
		check := func(when, planned string) {
			t.Helper()
			for _, path := range []string{"/portfolios/cc", "/products/forms"} {
				p := w.get(w.pia, path).want(200).page()
				p.WantHouseRules()
				p.Want(".kpi", "Plan", planned)
				href := p.Attr(".kpi", "href")
				rows := w.get(w.pia, href).want(200).page()
				rows.WantHouseRules()
				rows.Want("tfoot td", planned)
				if got := rows.Text("tbody td.num"); !strings.Contains(got, planned) {
					t.Errorf("%s, %s: the line says %s, the figure %s", path, when, got, planned)
				}
			}
		}
		check("draft", "$12,500.00")
		revision := w.revised()
		line := w.s.Client.BudgetLine.Query().Where(budgetline.PlanID(revision.ID)).OnlyX(testkit.System())
		w.fill(budget.CellEdit{LineID: line.ID, Period: "2026-06", Field: budget.Planned, Amount: amount(500)})
		check("while a revision is drafted", "$12,500.00")

		p := w.get(w.pia, "/portfolios/cc").page()
		p.Want(".kpi", "Contracted", "$1,284,500.00")
		for _, n := range p.All(".kpi") {
			for _, a := range n.Attr {
				if a.Key == "href" && strings.HasPrefix(a.Val, "/contracts") {
					w.get(w.pia, a.Val).want(200).page().WantCount("tbody tr", 1)
				}
				if a.Key == "href" && strings.HasPrefix(a.Val, "#") {
					p.Want(a.Val + "-h")
				}
			}
		}
	})
}

func TestPortfolioPage(t *testing.T) {
	each(t, func(w *world) {
		p := w.get(w.pia, "/portfolios/cc").want(200).page()
		p.Want("h1", "Common Components")
		p.Want("#products tbody tr", "Forms")
		p.Want("#procurements tbody tr", "Second squad", "Planned")
		p.Want("#changes li")
		p.WantNoText("Hidden")
		w.get(w.pia, "/portfolios/cc?view=record").want(200).page().Want("h1", "Common Components")
		w.get(w.pia, "/portfolios/hidden").want(404)
		w.lang = "fr"
		w.get(w.pia, "/portfolios/cc").want(200).page().Want("#products tbody tr", "Formulaires")
	})
}

func TestProductPage(t *testing.T) {
	each(t, func(w *world) {
		w.do(func(ctx context.Context, c *ent.Client) error {
			c.Product.UpdateOne(w.product).AddComponents(w.component).SaveX(ctx)
			cycle := c.Cycle.Create().SetName("2026").SetStartOn(civil.MustDate("2026-01-01")).SetEndOn(civil.MustDate("2026-12-31")).SaveX(ctx)
			o := c.Objective.Create().SetName("Forms people can use").SetPortfolio(w.ours).SetProduct(w.product).SetCycle(cycle).SaveX(ctx)
			c.KeyResult.Create().SetName("Publish alone").SetObjective(o).SetTarget(*amount(100)).SaveX(ctx)
			return nil
		})
		for _, v := range []*viewer.Viewer{w.pia, w.otto, w.aud} {
			p := w.get(v, "/products/forms").want(200).page()
			p.WantHouseRules()
			p.Want("h1", "Forms")
			p.Want("#contracts li", "Squad", "OptIT")
			p.Want("#objectives", "Forms people can use", "Publish alone")
			p.Want("#rel-components", "Mailer")
			p.Want(".steps [aria-current=step]", "Idea")
		}
		p := w.get(w.pia, "/products/forms").page()
		p.Want("dialog form[action='/products/forms/moves/PROOF_OF_CONCEPT']")
		w.post(w.pia, "/products/forms/moves/PROOF_OF_CONCEPT", sum("version", p.Attr("dialog input[name=version]", "value"), "note", "Decided at the gate")).want(303)
		w.get(w.pia, "/products/forms").page().Want(".steps [aria-current=step]", "Proof of concept")
		w.get(w.aud, "/products/forms").page().WantNone("dialog form[action*='/moves/']")
		w.get(w.otto, "/products/"+store.Slug(w.theirProduct.Key)).want(404)
		w.get(w.pat, "/products/forms")
	})
}
