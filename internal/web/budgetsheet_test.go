package web_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"steward/ent"
	"steward/internal/area/budget"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// uploadSheet sends a workbook with the fields of its form.
func (w *world) uploadSheet(v *viewer.Viewer, path string, content []byte, fields ...string) answer {
	w.t.Helper()
	w.as = v
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := m.WriteField(fields[i], fields[i+1]); err != nil {
			w.t.Fatal(err)
		}
	}
	file, err := m.CreateFormFile("file", "budget.xlsx")
	if err == nil {
		_, err = file.Write(content)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	r := httptest.NewRequest("POST", path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.AddCookie(&http.Cookie{Name: "lang", Value: w.lang})
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	a := answer{Response: rec.Result(), body: rec.Body.String(), t: w.t}
	a.Request = r
	return a
}

// edited changes cells of a workbook as a person does.
func (a answer) edited(cells map[string]any) []byte {
	a.t.Helper()
	f, err := excelize.OpenReader(strings.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	defer f.Close()
	for at, v := range cells {
		if err := f.SetCellValue(f.GetSheetName(0), at, v); err != nil {
			a.t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		a.t.Fatal(err)
	}
	return out.Bytes()
}

// sheetForm is the form of the page that compares.
func (a answer) sheetForm() url.Values {
	a.t.Helper()
	p, out := a.page(), url.Values{}
	for _, name := range []string{"plan", "fy", "show", "cells", "broken"} {
		if len(p.All(`#apply input[name="`+name+`"]`)) > 0 {
			out.Set(name, p.Attr(`#apply input[name="`+name+`"]`, "value"))
		}
	}
	return out
}

// planned sums what the plan holds.
func (w *world) planned() (n int, sum string) {
	w.t.Helper()
	for _, c := range w.s.Client.BudgetCell.Query().AllX(testkit.System()) {
		if c.Planned != nil {
			n++
		}
	}
	p := w.s.Client.BudgetPlan.GetX(testkit.System(), w.plan.ID)
	return n, p.PlannedTotal.String()
}

func TestGridGoesOutAndComesBack(t *testing.T) {
	each(t, func(w *world) {
		w.do(func(ctx context.Context, c *ent.Client) error {
			for i := range 4 {
				c.BudgetLine.Create().SetName(fmt.Sprint("=Line ", i)).SetPlan(w.plan).SetPosition(i + 2).SaveX(ctx)
			}
			return nil
		})
		w.fill(budget.CellEdit{LineID: w.line.ID, Period: "2026-04", Field: budget.Planned, Amount: amount(1000)})
		const path = "/portfolios/cc/budget.xlsx?fy=2026&show=plan"
		a := w.get(w.pia, path).want(200)
		rows := a.rowsOf("")
		if len(rows) != 6 || strings.Join(rows[0][:9], ";") != "line;figure;state;Budget;Group;Line;Currency;Figure;2026-04" || rows[1][5] != "Squad fees" || rows[1][8] != "1000" || rows[2][5] != "=Line 0" {
			t.Fatalf("%q", rows)
		}
		w.get(w.aud, "/admin/audit?op=EVENT").want(200).page().Want(".reason", "exported 5 rows")

		// As it is, nothing changes.
		w.uploadSheet(w.pia, "/portfolios/cc/budget/sheet", []byte(a.body), "fy", "2026", "show", "plan").want(200).page().Want(".empty", "No cell changes")

		// 40 cells are changed (one is cleared, one typed as words), three are broken.
		cells := map[string]any{}
		for row := 2; row <= 5; row++ {
			for column := range 10 {
				at, _ := excelize.CoordinatesToCellName(9+column, row)
				cells[at] = 10*row + column
			}
		}
		cells["I2"], cells["J2"] = nil, "$1,250.50"
		cells["I6"], cells["J6"], cells["F12"], cells["K12"] = "a lot", 1.23456, "Mine", 5
		got := w.uploadSheet(w.pia, "/portfolios/cc/budget/sheet", a.edited(cells), "fy", "2026", "show", "plan").want(200)
		page := got.page()
		page.WantCount("#changes tbody tr", 40)
		page.WantCount("#problems tbody tr", 3)
		page.Want("#problems", "I6", "a lot", "not an amount", "J6", "1.23456", "has more than four decimals", "K12", "this row belongs to no line of this budget")
		page.Want("#changes tbody tr:first-child", "I2", "Squad fees", "2026-04", "1,000.00", "–")
		page.WantHouseRules()
		if n, _ := w.planned(); n != 1 {
			t.Errorf("the preview wrote: %d cells", n)
		}

		// By default the broken ones stop the rest; when the person so chooses they do not.
		form := got.sheetForm()
		again := w.post(w.pia, "/portfolios/cc/budget/sheet/apply", form).want(422)
		again.page().Want(".banner", "Nothing was written")
		again.page().Want("#apply", "Leave out the 3 cells that cannot be written", "Write 40 cells")
		form = again.sheetForm() // which can be answered without another upload
		if n, _ := w.planned(); n != 1 {
			t.Errorf("broken cells did not stop the rest: %d cells", n)
		}
		form.Set("skip", "1")
		done := w.post(w.pia, "/portfolios/cc/budget/sheet/apply", form).want(http.StatusSeeOther)
		if to := done.Header.Get("Location"); to != "/portfolios/cc/budget?fy=2026&show=plan" {
			t.Errorf("leads to %s", to)
		}
		// 1250.50 + (22..29 of row 2) + rows 3, 4, 5
		want := 1250.5
		for row := 2; row <= 5; row++ {
			for column := range 10 {
				if row > 2 || column > 1 {
					want += float64(10*row + column)
				}
			}
		}
		if n, sum := w.planned(); n != 39 || sum != fmt.Sprintf("%.2f", want) {
			t.Errorf("%d cells of %s, not 39 of %.2f", n, sum, want)
		}
		if sets := w.s.Client.ChangeEvent.Query().AllX(testkit.System()); len(sets) == 0 {
			t.Error("no audit")
		} else {
			by := map[string]int{}
			for _, x := range sets {
				if x.EntityType == "BudgetCell" && x.ActorName == "Pia" && x.Op != "EVENT" {
					by[x.ChangeSet]++
				}
			}
			if len(by) != 1 {
				t.Errorf("change sets: %v", by)
			}
		}

		// The toast takes all of it back.
		cookie := done.Header.Get("Set-Cookie")
		cookie, _, _ = strings.Cut(cookie, ";")
		next := w.get(w.pia, "/portfolios/cc/budget?fy=2026&show=plan", "Cookie", cookie).want(200).page()
		undo := next.Attr(`form[action^="/undo/"]`, "action")
		if a := w.post(w.pia, undo, url.Values{}); a.StatusCode >= 400 {
			t.Fatalf("undo: %d %s", a.StatusCode, a.body)
		}
		if n, sum := w.planned(); n != 1 || sum != "1000.00" {
			t.Errorf("after the undo: %d cells of %s", n, sum)
		}
	})
}

// What others changed since is theirs: their cells are left alone where the workbook is
// as it was made, and named where it is not.
func TestWorkbookMeetsChangesOfOthers(t *testing.T) {
	each(t, func(w *world) {
		w.fill(budget.CellEdit{LineID: w.line.ID, Period: "2026-04", Field: budget.Planned, Amount: amount(1000)}, budget.CellEdit{LineID: w.line.ID, Period: "2026-05", Field: budget.Planned, Amount: amount(1000)})
		a := w.get(w.pia, "/portfolios/cc/budget.xlsx?plan="+w.plan.Key+"&show=plan").want(200)
		w.fill(budget.CellEdit{LineID: w.line.ID, Period: "2026-04", Field: budget.Planned, Amount: amount(2000), Version: 1}, budget.CellEdit{LineID: w.line.ID, Period: "2026-05", Field: budget.Planned, Amount: amount(2000), Version: 1})
		got := w.uploadSheet(w.pia, "/portfolios/cc/budget/sheet", a.edited(map[string]any{"J2": 3000, "K2": 50}), "plan", w.plan.Key, "show", "plan").want(200)
		page := got.page()
		page.WantCount("#problems tbody tr", 1)
		page.Want("#problems", "J2", "3000", "somebody changed this from", "1,000.00", "2,000.00")
		page.WantCount("#changes tbody tr", 1)

		// Somebody is faster than the second step: nothing is written, and the cell is named.
		w.fill(budget.CellEdit{LineID: w.line.ID, Period: "2026-06", Field: budget.Planned, Amount: amount(7)})
		form := got.sheetForm()
		form.Set("skip", "1")
		w.post(w.pia, "/portfolios/cc/budget/sheet/apply", form).want(409).page().Want("#problems", "Squad fees")
		if _, sum := w.planned(); sum != "4007.00" {
			t.Errorf("planned %s", sum)
		}
	})
}

func TestClosedPeriodsAreLockedInTheWorkbook(t *testing.T) {
	each(t, func(w *world) {
		w.do(func(ctx context.Context, c *ent.Client) error {
			p := c.FiscalPeriod.Create().SetPortfolio(w.ours).SetFiscalYear(2026).SetPeriod("2026-04").SaveX(ctx)
			_, err := budget.ClosePeriod(ctx, w.s, p.ID, p.Version)
			return err
		})
		a := w.get(w.pia, "/portfolios/cc/budget.xlsx?fy=2026&show=forecast").want(200)
		f, err := excelize.OpenReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		name := f.GetSheetName(0)
		locked := func(cell string) bool {
			id, err := f.GetCellStyle(name, cell)
			if err != nil {
				t.Fatal(err)
			}
			s, err := f.GetStyle(id)
			if err != nil {
				t.Fatal(err)
			}
			return s.Protection == nil || s.Protection.Locked
		}
		if !locked("I2") || locked("J2") || !locked("A2") {
			t.Errorf("locked: closed %v, open %v, id %v", locked("I2"), locked("J2"), locked("A2"))
		}
		w.uploadSheet(w.pia, "/portfolios/cc/budget/sheet", a.edited(map[string]any{"I2": 5}), "fy", "2026", "show", "forecast").want(200).page().Want("#problems", "I2", "the period is closed")
	})
}

func TestWorkbooksThatAreNoneAreRefused(t *testing.T) {
	each(t, func(w *world) {
		const path = "/portfolios/cc/budget/sheet"
		form := []string{"fy", "2026", "show", "plan"}
		for content, said := range map[string]string{
			"line,figure\n":                              "damaged or incomplete archive",
			"\xD0\xCF\x11\xE0old":                        "has a password",
			w.get(w.pia, "/vendors.xlsx").want(200).body: "This is not a workbook of a budget grid",
		} {
			w.uploadSheet(w.pia, path, []byte(content), form...).want(422).page().Want(".banner", said)
		}
		w.uploadSheet(w.pia, path, bytes.Repeat([]byte("x"), 27<<20), form...).want(422)
		w.lang = "fr"
		w.uploadSheet(w.pia, path, []byte("x"), form...).want(422).page().Want(".banner", "Rien n’a été enregistré")
		w.lang = "en"

		// Whose the budget is not, finds nothing here; who reads it only is told of each cell.
		good := []byte(w.get(w.pia, "/portfolios/cc/budget.xlsx?fy=2026&show=plan").want(200).body)
		w.get(w.pat, "/portfolios/cc/budget.xlsx?fy=2026").want(404)
		w.get(w.pia, "/portfolios/zqx/budget.xlsx?fy=2026").want(404)
		w.uploadSheet(w.pat, path, good, form...).want(404)
		w.uploadSheet(w.aud, path, good, form...).want(404)
		w.uploadSheet(w.pia, "/portfolios/zqx/budget/sheet", good, form...).want(404)
		w.post(w.aud, path+"/apply", url.Values{"cells": {`{"cells":[]}`}}).want(404)
		w.get(w.pia, "/portfolios/cc/budget?fy=2026&show=plan").want(200).page().Want("#upload-sheet", "Upload a workbook")
		w.get(w.aud, "/portfolios/cc/budget?fy=2026&show=plan").want(200).page().WantNone("#upload-sheet")
	})
}
