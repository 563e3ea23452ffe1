package gcspending

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"steward/internal/exchange/importer"
	"steward/internal/rules/civil"
	"steward/internal/rules/money"
	"steward/internal/testkit"
)

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func amount(t *testing.T, s string) money.Amount {
	a, err := money.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func stage(t *testing.T, files ...importer.File) (*importer.Staged, *importer.Report) {
	t.Helper()
	s, r, err := importer.Read(context.Background(), Format{}, files, importer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() {
		t.Fatalf("%d faults, the first: %+v", len(r.Faults), r.Faults[0])
	}
	return s, r
}

// S4 of the scenarios.
func TestPlannedAndActualSpending(t *testing.T) {
	s, r := stage(t, importer.Path(filepath.Join(testkit.SharedData(t), "budgets", "gc-planned-actual-2025-03-01.csv")))
	equal(t, "rows", r.Rows, 8508)
	equal(t, "lines", len(s.Records(line)), 8508)
	equal(t, "organisations", len(s.Records(organisation)), 93)
	equal(t, "plans", len(s.Records(plan)), 629)
	equal(t, "cells", len(s.Records(cell)), 8503) // five lines have neither plan nor actual
	equal(t, "duplicates", len(r.Duplicates), 0)
	equal(t, "warnings", len(r.Warnings), 1)
	equal(t, "the empty record", r.Warnings[0].Reason.Key, "import.warning.blank")
	equal(t, "its line", r.Warnings[0].Line, 15513)
	for year, want := range map[int][2]string{
		2018: {"266612441088.39", "267606029281.49"},
		2019: {"283188252534.87", "293753596488.75"},
		2020: {"293814259884.13", "425678528965.04"},
		2021: {"330436723937.53", "362311397284.31"},
		2022: {"385153152807.16", "376086546698.37"},
		2023: {"418049045469.26", "448247488963.42"},
		2024: {"432941663051.32", "0"},
	} {
		label := fmt.Sprintf(" %d-%02d", year, year%100+1)
		equal(t, "planned"+label, r.Totals["planned"+label]["CAD"], amount(t, want[0]))
		equal(t, "actual"+label, r.Totals["actual"+label]["CAD"], amount(t, want[1]))
	}
	years := map[int]bool{}
	for _, p := range s.Records(plan) {
		years[p.Values["fiscal_year"].(int)] = true
	}
	equal(t, "fiscal years", len(years), 7)

	// Shared Services Canada, the IT department.
	shared := ""
	for _, o := range s.Records(organisation) {
		if strings.HasPrefix(o.Values["name"].(string), "Shared Services Canada") {
			shared = o.ID
		}
		if o.ID == "221" {
			equal[any](t, "the name of the latest year", o.Values["name"], "Canadian Energy Regulator")
		}
	}
	var n int
	var planned, actual, fte, fteActual money.Amount
	for _, l := range s.Records(line) {
		if strings.HasPrefix(l.ID, shared+"/2022/") {
			n++
			fte += l.Values["quantity_planned"].(money.Amount)
			fteActual += l.Values["quantity_actual"].(money.Amount)
			equal[any](t, "unit", l.Values["unit"], "FTE")
		}
	}
	var both, noActual, noPlan int
	var variance money.Amount
	for _, c := range s.Records(cell) {
		if c.Values["period"] != civil.Period("2022-04") {
			continue
		}
		p, hasPlan := c.Values["planned"].(money.Amount)
		a, hasActual := c.Values["actual"].(money.Amount)
		if strings.HasPrefix(c.ID, shared+"/") {
			planned, actual = planned+p, actual+a
		}
		switch {
		case hasPlan && hasActual:
			both, variance = both+1, variance+a-p
		case hasPlan:
			noActual++
		case hasActual:
			noPlan++
		}
	}
	equal(t, "lines", n, 17)
	equal(t, "planned", planned, amount(t, "2618895615.00"))
	equal(t, "actual", actual, amount(t, "2538100893.18"))
	equal(t, "FTE planned", fte, amount(t, "7867"))
	equal(t, "FTE actual", fteActual, amount(t, "8650"))
	equal(t, "variance over lines with both", variance, amount(t, "-4997922959.46"))
	t.Logf("%d with both, %d without actual, %d without plan", both, noActual, noPlan)
}

const head = "fy_ef;organization_id;organization;program_id;program_name;planned_spending_1;planned_spending_2;actual_spending;planned_ftes_1\n"

func TestEqualLinesAreTwoLinesAndOldNamesDoNotWin(t *testing.T) {
	s, r := stage(t, importer.Bytes("x.csv", []byte(head+
		"2019-20;1;New name;A;Parks;5;6;;2\nFY 2018-19;1;Old name;A;Parks;5;;4;\nFY 2018-19;1;Old name;A;Parks;5;;4;\n")))
	equal(t, "lines", len(s.Records(line)), 3)
	equal(t, "duplicates", len(r.Duplicates), 0)
	equal(t, "planned", r.Totals["planned"]["CAD"], amount(t, "15"))
	equal[any](t, "name", s.Records(organisation)[0].Values["name"], "New name")
	equal[any](t, "outlook", s.Records(line)[0].Values["outlook"], importer.JSON(`{"planned 2020":"6.00"}`))
	equal[any](t, "period", s.Records(cell)[0].Values["period"], civil.Period("2019-04"))
	equal[any](t, "position of the second line of a plan", s.Records(line)[2].Values["position"], 2)
}

func TestAYearThatIsNoneIsAFault(t *testing.T) {
	_, r, err := importer.Read(context.Background(), Format{}, []importer.File{importer.Bytes("x.csv", []byte(head+"soon;1;X;A;Parks;5;;;\n"))}, importer.Options{})
	if err != nil || len(r.Faults) != 1 || r.Faults[0].Column != "fy_ef" || r.Faults[0].Value != "soon" {
		t.Errorf("%v %+v", err, r.Faults)
	}
}
