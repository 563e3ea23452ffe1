package itdashboard

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"steward/internal/exchange/importer"
	"steward/internal/rules/civil"
	"steward/internal/rules/money"
	"steward/internal/testkit"
)

func file(t *testing.T, name string) []importer.File {
	return []importer.File{importer.Path(filepath.Join(testkit.SharedData(t), "portfolio", "us-itdashboard", name))}
}

func read(t *testing.T, f importer.Format, files []importer.File) (*importer.Staged, *importer.Report) {
	t.Helper()
	s, r, err := importer.Read(context.Background(), f, files, importer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, fault := range r.Faults {
		t.Errorf("fault: %+v", fault)
		if i == 10 {
			t.Fatalf("and %d more", len(r.Faults)-i)
		}
	}
	return s, r
}

func warnings(r *importer.Report) map[string]int {
	n := map[string]int{}
	for _, w := range r.Warnings {
		n[strings.TrimPrefix(w.Reason.Key, "import.warning.")]++
	}
	return n
}

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

// S1 of the scenarios.
func TestProjectsOf2012(t *testing.T) {
	s, r := read(t, Projects{}, file(t, "projects-clean.csv"))
	equal(t, "rows", r.Rows, 2472)
	equal(t, "portfolios", len(s.Records(agency)), 26)
	equal(t, "products", len(s.Records(investment)), 599)
	equal(t, "initiatives", len(s.Records(project)), 2468)
	equal(t, "duplicates", len(r.Duplicates), 4)
	equal(t, "planned", r.Totals["planned"]["USD"], amount(t, "50301821979.00"))
	equal(t, "projected", r.Totals["projected"]["USD"], amount(t, "51898206344.00"))
	w := warnings(r)
	equal(t, "without cost", w["no_cost"], 17)
	equal(t, "end before start", w["end_before_start"], 22)
	equal(t, "warnings", len(r.Warnings), 39)
	ids := map[string]bool{}
	for _, d := range r.Duplicates {
		for _, p := range s.Records(project) {
			if p.Line == d.Of {
				ids[p.ID] = true
			}
		}
	}
	for _, id := range []string{"103", "328", "2268", "2672"} {
		equal(t, "duplicate of "+id, ids[id], true)
	}
	by := map[string]struct {
		projects, products int
		planned            money.Amount
	}{}
	names := map[string]string{}
	for _, a := range s.Records(agency) {
		names[a.ID] = a.Values["name"].(string)
	}
	seen := map[string]bool{}
	for _, p := range s.Records(project) {
		name := names[p.Values["portfolio_id"].(importer.Ref).ID]
		sum := by[name]
		sum.projects++
		if a, ok := p.Values["planned"].(money.Amount); ok {
			sum.planned += a
		}
		if product := p.Values["product_id"].(importer.Ref).ID; !seen[product] {
			seen[product] = true
			sum.products++
		}
		by[name] = sum
		if _, ok := p.Values["actual"]; ok {
			t.Fatal("an actual cost is invented")
		}
	}
	for name, want := range map[string]struct {
		projects, products int
		planned            string
	}{"Department of Agriculture": {172, 39, "14154898135"}, "Department of Defense": {173, 77, "13152383000"},
		"Department of Education": {49, 18, "5481996960"}} {
		equal(t, name+" projects", by[name].projects, want.projects)
		equal(t, name+" products", by[name].products, want.products)
		equal(t, name+" planned", by[name].planned, amount(t, want.planned))
	}
}

// S2 of the scenarios.
func TestContractsOf2012(t *testing.T) {
	s, r := read(t, Contracts{}, file(t, "contracts-2012.csv"))
	equal(t, "rows", r.Rows, 3893)
	equal(t, "contracts", len(s.Records(contract)), 3836)
	equal(t, "products", len(s.Records(mentionedInvestment)), 647)
	equal(t, "portfolios", len(s.Records(mentionedAgency)), 25)
	equal(t, "vendors", len(s.Records(vendor)), 1044)
	equal(t, "further rows of a contract", len(r.Duplicates), 3893-3836)
	equal(t, "contracted", r.Totals["contracted"]["USD"], amount(t, "67542622581.00"))
	w := warnings(r)
	equal(t, "end before start", w["end_before_start"], 129)
	equal(t, "without value", w["no_value"], 1620)
	equal(t, "without vendor", w["no_vendor"], 1449)
	var valued, negative, linked, renewals, frameworks int
	from, until := civil.MustDate("2012-03-01"), civil.MustDate("2012-05-30")
	ends := map[int]civil.Date{} // by line
	for _, c := range s.Records(contract) {
		if v, ok := c.Values["value"].(money.Amount); ok {
			valued++
			if v < 0 {
				negative++
			}
		}
		linked += len(c.Links["products"])
		if c.Later != nil {
			frameworks++
		}
		if end, ok := c.Values["end_on"].(civil.Date); ok {
			ends[c.Line] = end
			if !end.Before(from) && end.Before(until) {
				renewals++
			}
		}
	}
	equal(t, "contracts with a value", valued, 2222)
	equal(t, "negative values", negative, 4)
	equal(t, "links to products", linked, 3836)
	equal(t, "contracts that end in the window", renewals, 148)
	equal(t, "linked frameworks", frameworks > 50, true)
	// The scenario counts rows, of which a contract may have several; they agree
	// on the end.
	for _, d := range r.Duplicates {
		if end, ok := ends[d.Of]; ok && !end.Before(from) && end.Before(until) {
			renewals++
		}
	}
	equal(t, "rows that end in the window", renewals, 154)
}

// The real file has each contract under one investment; the format allows more.
func TestAContractOfTwoInvestmentsIsOneContractWithTwoProducts(t *testing.T) {
	head := "Unique Investment Identifier,Agency Code,Agency Name,Investment Title,Contract ID,Contract Number (PIID)," +
		"IDV PIID,Vendor Name (USAspending),Action Obligation Amount (In $ million) (USAspending)\n"
	s, r := read(t, Contracts{}, []importer.File{importer.Bytes("c.csv", []byte(head+
		"u1,5,Agriculture,One,7,P7,P8,acme  corp,2.00E-06\nu2,5,Agriculture,Two,7,P7,P8,ACME Corp,2.00E-06\n"+
		"u2,5,Agriculture,Two,8,P8,,Acme Corp,-1.5\n"))})
	c := s.Records(contract)
	if len(c) != 2 || len(c[0].Links["products"]) != 2 || c[0].Links["products"][0].ID != "u1" {
		t.Fatalf("%+v", c)
	}
	equal(t, "vendors", len(s.Records(vendor)), 1)
	equal(t, "contracted", r.Totals["contracted"]["USD"], amount(t, "-1499998.00"))
	equal[any](t, "framework", c[0].Later["framework_id"], importer.Ref{Kind: contract, ID: "8"})
}

func TestSettings(t *testing.T) {
	for _, set := range []map[string]string{{"unit": "dozens"}, {"currency": "ABC"}, {"color": "x"}} {
		if _, err := (Projects{}).Open(importer.Options{Set: set}); err == nil {
			t.Errorf("%v is accepted", set)
		}
	}
}
