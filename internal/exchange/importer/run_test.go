package importer_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"steward/internal/exchange/gcspending"
	"steward/internal/exchange/importer"
	"steward/internal/exchange/itdashboard"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func shared(t *testing.T, path ...string) []importer.File {
	return []importer.File{importer.Path(filepath.Join(append([]string{testkit.SharedData(t)}, path...)...))}
}

func projects(t *testing.T) []importer.File {
	return shared(t, "portfolio", "us-itdashboard", "projects-clean.csv")
}
func contracts(t *testing.T) []importer.File {
	return shared(t, "portfolio", "us-itdashboard", "contracts-2012.csv")
}
func spending(t *testing.T) []importer.File {
	return shared(t, "budgets", "gc-planned-actual-2025-03-01.csv")
}

func system() context.Context {
	return viewer.With(context.Background(), viewer.NewSystem(viewer.ViaCLI, "operator"))
}

func run(t *testing.T, s *store.Store, f importer.Format, files []importer.File, o importer.Options) *importer.Report {
	t.Helper()
	r, err := importer.Run(system(), s, f, files, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// one returns the single value of a query as text.
func one(t *testing.T, s *store.Store, q string, args ...any) string {
	t.Helper()
	var v any
	if err := s.DB.QueryRow(q, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %s, want %s", what, got, want)
	}
}

func counts(t *testing.T, what string, got, want map[string]int) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// minor is an amount as the database holds it.
func minor(t *testing.T, s string) string {
	a, err := money.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(int64(a))
}

// clean fails unless nothing of an import is left in the tables.
func clean(t *testing.T, s *store.Store) {
	t.Helper()
	for _, table := range []string{"portfolios", "products", "initiatives", "vendors", "contracts", "contract_products",
		"budget_plans", "budget_lines", "budget_cells"} {
		want(t, table+" left", one(t, s, "SELECT COUNT(*) FROM "+table), "0")
	}
}

var apply = importer.Options{Apply: true}

// S1 and S2 of the scenarios, twice, and back.
func TestProjectsAndContractsAreImportedOnceAndTakenBack(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		dry := run(t, s, itdashboard.Projects{}, projects(t), importer.Options{})
		counts(t, "dry run", dry.Created, map[string]int{"Portfolio": 26, "Product": 599, "Initiative": 2468})
		if dry.Applied || dry.ChangeSet != "" {
			t.Error("a dry run says it was applied")
		}
		clean(t, s)

		first := run(t, s, itdashboard.Projects{}, projects(t), apply)
		counts(t, "created", first.Created, map[string]int{"Portfolio": 26, "Product": 599, "Initiative": 2468})
		want(t, "planned", one(t, s, "SELECT CAST(SUM(planned) AS bigint) FROM initiatives"), minor(t, "50301821979.00"))
		want(t, "projected", one(t, s, "SELECT CAST(SUM(projected) AS bigint) FROM initiatives"), minor(t, "51898206344.00"))
		want(t, "actual", one(t, s, "SELECT COUNT(actual) FROM initiatives"), "0")
		want(t, "Agriculture", one(t, s, `SELECT CAST(SUM(i.planned) AS bigint) FROM initiatives i JOIN portfolios p ON p.id = i.portfolio_id
			WHERE p.name = 'Department of Agriculture'`), minor(t, "14154898135.00"))
		want(t, "keys", one(t, s, "SELECT COUNT(DISTINCT key) FROM initiatives WHERE key LIKE 'INI-%'"), "2468")
		want(t, "changes", one(t, s, "SELECT COUNT(*) FROM change_events WHERE change_set = $1 AND via = 'IMPORT' AND entity_type <> 'ImportBatch'", first.ChangeSet), "3093")
		want(t, "outbox", one(t, s, "SELECT COUNT(*) FROM outbox_events WHERE change_set = $1", first.ChangeSet), "1")
		want(t, "batch", one(t, s, "SELECT status FROM import_batches WHERE change_set = $1", first.ChangeSet), "APPLIED")

		again := run(t, s, itdashboard.Projects{}, projects(t), apply)
		counts(t, "created again", again.Created, map[string]int{})
		counts(t, "updated again", again.Updated, map[string]int{})
		counts(t, "unchanged", again.Unchanged, map[string]int{"Portfolio": 26, "Product": 599, "Initiative": 2468})

		second := run(t, s, itdashboard.Contracts{}, contracts(t), apply)
		counts(t, "created", second.Created, map[string]int{"Product": 124, "Vendor": 1044, "Contract": 3836})
		counts(t, "updated", second.Updated, map[string]int{})
		counts(t, "unchanged", second.Unchanged, map[string]int{"Portfolio": 25, "Product": 523})
		want(t, "contracted", one(t, s, "SELECT CAST(SUM(value) AS bigint) FROM contracts"), minor(t, "67542622581.00"))
		want(t, "with a value", one(t, s, "SELECT COUNT(value) FROM contracts"), "2222")
		want(t, "negative", one(t, s, "SELECT COUNT(*) FROM contracts WHERE value < 0"), "4")
		want(t, "without vendor", one(t, s, "SELECT COUNT(*) FROM contracts WHERE vendor_id IS NULL"), "1449")
		want(t, "products of contracts", one(t, s, "SELECT COUNT(*) FROM contract_products"), "3836")
		want(t, "ending in the window", one(t, s, "SELECT COUNT(*) FROM contracts WHERE end_on >= '2012-03-01' AND end_on < '2012-05-30'"), "148")
		want(t, "decided a month before", one(t, s, "SELECT COUNT(*) FROM contracts WHERE (decide_by_on IS NULL) <> (end_on IS NULL) OR decide_by_on >= end_on"), "0")
		if n := one(t, s, "SELECT COUNT(*) FROM contracts c JOIN contracts f ON f.id = c.framework_id WHERE f.reference = c.framework_reference"); n == "0" {
			t.Error("no call-off is linked to its framework")
		}
		again = run(t, s, itdashboard.Contracts{}, contracts(t), apply)
		counts(t, "created again", again.Created, map[string]int{})
		counts(t, "updated again", again.Updated, map[string]int{})
		again = run(t, s, itdashboard.Projects{}, projects(t), apply)
		counts(t, "projects after contracts", again.Updated, map[string]int{})

		// The projects cannot go while contracts hang on their products.
		_, err := importer.Undo(system(), s, first.ChangeSet)
		if e := errs.As(err); errs.CodeOf(err) != errs.Conflict || len(e.Fields) < 100 {
			t.Fatalf("undo below other rows: %v", err)
		}
		for _, set := range []string{second.ChangeSet, first.ChangeSet} {
			if _, err := importer.Undo(system(), s, set); err != nil {
				t.Fatal(err)
			}
		}
		clean(t, s)
		if _, err := importer.Undo(system(), s, first.ChangeSet); errs.CodeOf(err) != errs.State {
			t.Errorf("undone twice: %v", err)
		}
		want(t, "removals in the audit", one(t, s, "SELECT COUNT(*) FROM change_events WHERE op = 'DELETE' AND via = 'IMPORT'"), fmt.Sprint(3093+124+1044+3836))
		third := run(t, s, itdashboard.Projects{}, projects(t), apply)
		counts(t, "created after the undo", third.Created, first.Created)
	})
}

// S4 of the scenarios, twice, and back.
func TestPlannedAndActualSpendingIsImportedOnceAndTakenBack(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		begin := time.Now()
		first := run(t, s, gcspending.Format{}, spending(t), apply)
		took := time.Since(begin)
		t.Logf("applied in %s", took)
		if took > 20*time.Second {
			t.Errorf("applying took %s", took)
		}
		counts(t, "created", first.Created, map[string]int{"Portfolio": 93, "BudgetPlan": 629, "BudgetLine": 8508, "BudgetCell": 8503})
		for year, sums := range map[int][2]string{
			2018: {"266612441088.39", "267606029281.49"}, 2022: {"385153152807.16", "376086546698.37"},
			2024: {"432941663051.32", ""},
		} {
			planned, actual := minor(t, sums[0]), "<nil>"
			if sums[1] != "" {
				actual = minor(t, sums[1])
			}
			want(t, "planned by cell", one(t, s, `SELECT CAST(SUM(c.planned) AS bigint) FROM budget_cells c JOIN budget_lines l ON l.id = c.line_id
				JOIN budget_plans p ON p.id = l.plan_id WHERE p.fiscal_year = $1`, year), planned)
			want(t, "planned by line", one(t, s, `SELECT CAST(SUM(l.planned_total) AS bigint) FROM budget_lines l
				JOIN budget_plans p ON p.id = l.plan_id WHERE p.fiscal_year = $1`, year), planned)
			want(t, "planned by plan", one(t, s, `SELECT CAST(SUM(planned_total) AS bigint) FROM budget_plans WHERE fiscal_year = $1`, year), planned)
			want(t, "actual by plan", one(t, s, `SELECT CAST(SUM(actual_total) AS bigint) FROM budget_plans WHERE fiscal_year = $1`, year), actual)
		}
		want(t, "lines of plans", one(t, s, "SELECT CAST(SUM(line_count) AS bigint) FROM budget_plans"), "8508")
		want(t, "periods", one(t, s, "SELECT COUNT(DISTINCT period) FROM budget_cells WHERE period LIKE '%-04'"), "7")
		want(t, "state", one(t, s, "SELECT COUNT(*) FROM budget_plans WHERE status = 'APPROVED' AND origin = 'IMPORTED' AND period_length = 'YEAR' AND currency = 'CAD'"), "629")
		want(t, "SSC", one(t, s, `SELECT CAST(SUM(l.quantity_planned) AS bigint) FROM budget_lines l JOIN budget_plans b ON b.id = l.plan_id
			JOIN portfolios p ON p.id = b.portfolio_id WHERE p.name LIKE 'Shared Services Canada%' AND b.fiscal_year = 2023 AND l.unit = 'FTE'`), minor(t, "8370"))
		again := run(t, s, gcspending.Format{}, spending(t), apply)
		counts(t, "created again", again.Created, map[string]int{})
		counts(t, "updated again", again.Updated, map[string]int{})
		if _, err := importer.Undo(system(), s, first.ChangeSet); err != nil {
			t.Fatal(err)
		}
		clean(t, s)
	})
}

const budgetHead = "fy_ef,organization_id,organization,program_id,program_name,planned_spending_1,planned_spending_2,actual_spending,planned_ftes_1\n"

func csv(rows string) []importer.File {
	return []importer.File{importer.Bytes("budget.csv", []byte(budgetHead+rows))}
}

func TestAChangedFileUpdatesOnlyWhatChangedAndUndoSetsItBack(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		run(t, s, gcspending.Format{}, csv("2020-21,1,Parks,A,Trails,5,7,4,2\n2020-21,1,Parks,B,Lakes,6,,,\n"), apply)
		changed := run(t, s, gcspending.Format{}, csv("2020-21,1,Parks Canada,A,Trails,8,9,4,2\n2020-21,1,Parks Canada,B,Lakes,6,,3,\n2020-21,1,Parks Canada,C,Huts,1,,,\n"), apply)
		counts(t, "created", changed.Created, map[string]int{"BudgetLine": 1, "BudgetCell": 1})
		counts(t, "updated", changed.Updated, map[string]int{"Portfolio": 1, "BudgetLine": 1, "BudgetCell": 2})
		want(t, "planned", one(t, s, "SELECT planned_total FROM budget_plans"), minor(t, "15"))
		want(t, "actual", one(t, s, "SELECT actual_total FROM budget_plans"), minor(t, "7"))
		want(t, "name", one(t, s, "SELECT name FROM portfolios WHERE version = 2"), "Parks Canada")
		if _, err := importer.Undo(system(), s, changed.ChangeSet); err != nil {
			t.Fatal(err)
		}
		want(t, "marked as the undo: two removed, four set back, the import itself",
			one(t, s, "SELECT COUNT(*) FROM change_events WHERE undoes = $1", changed.ChangeSet), "7")
		want(t, "planned", one(t, s, "SELECT planned_total FROM budget_plans"), minor(t, "11"))
		want(t, "actual", one(t, s, "SELECT actual_total FROM budget_plans"), minor(t, "4"))
		want(t, "lines", one(t, s, "SELECT line_count FROM budget_plans"), "2")
		want(t, "name", one(t, s, "SELECT name FROM portfolios WHERE version = 3"), "Parks")
		want(t, "outlook", one(t, s, "SELECT CASE WHEN CAST(outlook AS text) LIKE '%7.00%' THEN 'yes' ELSE 'no' END FROM budget_lines WHERE code = 'A'"), "yes")
		again := run(t, s, gcspending.Format{}, csv("2020-21,1,Parks,A,Trails,5,7,4,2\n2020-21,1,Parks,B,Lakes,6,,,\n"), importer.Options{})
		counts(t, "differences to the first file", again.Updated, map[string]int{})
	})
}

func TestUndoIsRefusedWithTheRowsThatChangedSince(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		first := run(t, s, gcspending.Format{}, csv("2020-21,1,Parks,A,Trails,5,,4,2\n"), apply)
		if _, err := s.DB.Exec("UPDATE portfolios SET version = version + 1"); err != nil {
			t.Fatal(err)
		}
		_, err := importer.Undo(system(), s, first.ChangeSet)
		if e := errs.As(err); errs.CodeOf(err) != errs.Conflict || len(e.Fields) != 1 || e.Fields[0].Path[:4] != "pfo_" {
			t.Errorf("%v", err)
		}
		want(t, "cells", one(t, s, "SELECT COUNT(*) FROM budget_cells"), "1")
		if _, err := importer.Undo(system(), s, "chs_none"); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("an unknown change set: %v", err)
		}
	})
}

func TestFaultsStoreNothingUnlessSkipped(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		files := csv("2020-21,1,Parks,A,Trails,5,,4,2\n2020-21,1,Parks,B,Lakes,see note,,,\n")
		r := run(t, s, gcspending.Format{}, files, apply)
		if r.Applied || len(r.Faults) != 1 || r.Faults[0].Line != 3 {
			t.Errorf("%+v", r)
		}
		clean(t, s)
		r = run(t, s, gcspending.Format{}, files, importer.Options{Apply: true, SkipFaults: true})
		if !r.Applied || r.Created["BudgetLine"] != 1 || len(r.Faults) != 1 {
			t.Errorf("%+v", r)
		}
	})
}

func TestChosenPortfolio(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		run(t, s, gcspending.Format{}, csv("2020-21,1,Parks,A,Trails,5,,4,2\n"), apply)
		key := one(t, s, "SELECT key FROM portfolios")
		r := run(t, s, gcspending.Format{}, csv("2021-22,9,Else,A,Trails,5,,4,2\n"), importer.Options{Apply: true, Portfolio: store.Slug(key)})
		counts(t, "created", r.Created, map[string]int{"BudgetPlan": 1, "BudgetLine": 1, "BudgetCell": 1})
		want(t, "batch of one portfolio", one(t, s, "SELECT COUNT(*) FROM import_batches b JOIN portfolios p ON p.id = b.portfolio_id"), "2")
		_, err := importer.Run(system(), s, gcspending.Format{}, csv(""), importer.Options{Portfolio: "PF-NONE"})
		if errs.CodeOf(err) != errs.Validation {
			t.Errorf("an unknown portfolio: %v", err)
		}
	})
}

// member is a portfolio manager of some portfolios.
func member(ids ...string) context.Context {
	v := &viewer.Viewer{Kind: viewer.Person, ID: "per_1", Name: "Pia", Roles: []string{"portfolio-manager"}, Via: viewer.ViaPage, Lang: "en"}
	for _, id := range ids {
		v.Memberships = append(v.Memberships, viewer.Membership{Scope: viewer.ScopePortfolio, ID: ident.ID(id), Level: viewer.LevelManager})
	}
	return viewer.With(context.Background(), v)
}

func TestForeignPortfoliosAreUnknownRowByRow(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		run(t, s, gcspending.Format{}, csv("2020-21,1,Own,A,Trails,5,,,\n2020-21,2,Foreign,A,Secret,6,,,\n"), apply)
		own := one(t, s, "SELECT id FROM portfolios WHERE name = 'Own'")
		files := csv("2020-21,1,Own,A,Trails,9,,,\n2020-21,2,Foreign,A,Secret,1,,,\n2021-22,1,Own,A,Trails,2,,,\n2021-22,3,None,A,X,3,,,\n")
		r, err := importer.Run(member(own), s, gcspending.Format{}, files, apply)
		if err != nil {
			t.Fatal(err)
		}
		var lines []int
		for _, f := range r.Faults {
			if f.Reason.In("en") != "unknown" {
				t.Errorf("%+v", f)
			}
			lines = append(lines, f.Line)
		}
		if fmt.Sprint(lines) != "[3 5]" || r.Applied {
			t.Errorf("faults at %v, applied %v", lines, r.Applied)
		}
		want(t, "planned, own rows only", r.Totals["planned"]["CAD"].String(), "11.00")
		r, err = importer.Run(member(own), s, gcspending.Format{}, files, importer.Options{Apply: true, SkipFaults: true})
		if err != nil || !r.Applied {
			t.Fatalf("%v %+v", err, r)
		}
		counts(t, "created", r.Created, map[string]int{"BudgetPlan": 1, "BudgetLine": 1, "BudgetCell": 1})
		want(t, "the foreign plan", one(t, s, "SELECT b.planned_total FROM budget_plans b JOIN portfolios p ON p.id = b.portfolio_id WHERE p.name = 'Foreign'"), minor(t, "6"))
		want(t, "who", one(t, s, "SELECT COUNT(*) FROM change_events WHERE change_set = $1 AND actor_id = 'per_1' AND via = 'IMPORT'", r.ChangeSet), "5")
		if _, err := importer.Undo(member("pfo_other"), s, r.ChangeSet); errs.CodeOf(err) == "" {
			t.Error("somebody without rights took the import back")
		}
		if _, err := importer.Undo(member(own), s, r.ChangeSet); err != nil {
			t.Error(err)
		}
	})
}

// A person names records of their own portfolios and finds no others.
func TestAPersonFindsWhatTheyRead(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		run(t, s, gcspending.Format{}, csv("2020-21,1,Own,A,Trails,5,,,\n2020-21,2,Foreign,A,Secret,6,,,\n"), apply)
		own, foreign := one(t, s, "SELECT key FROM portfolios WHERE name = 'Own'"), one(t, s, "SELECT key FROM portfolios WHERE name = 'Foreign'")
		me := member(one(t, s, "SELECT id FROM portfolios WHERE name = 'Own'"))
		files := csv("2021-22,9,Else,A,Trails,5,,4,2\n")
		r, err := importer.Run(me, s, gcspending.Format{}, files, importer.Options{Apply: true, Portfolio: store.Slug(own)})
		if err != nil || r.Created["BudgetLine"] != 1 {
			t.Errorf("%v %+v", err, r)
		}
		if _, err = importer.Run(me, s, gcspending.Format{}, files, importer.Options{Apply: true, Portfolio: foreign}); errs.CodeOf(err) != errs.Validation {
			t.Errorf("a foreign portfolio: %v", err)
		}
	})
}

func TestAnImportThatIsCutShortLeavesNothing(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		for _, at := range []int{0, 20, 500} {
			ctx, cancel := context.WithCancel(system())
			o := importer.Options{Apply: true, Progress: func(step string, done, _ int64) {
				if step == "write" && int(done) >= at {
					cancel()
				}
			}}
			if _, err := importer.Run(ctx, s, itdashboard.Projects{}, projects(t), o); err == nil && at < 600 {
				t.Errorf("at %d: no error", at)
			}
			cancel()
			if at < 600 {
				clean(t, s)
				want(t, "batches", one(t, s, "SELECT COUNT(*) FROM import_batches"), "0")
				want(t, "changes", one(t, s, "SELECT COUNT(*) FROM change_events"), "0")
			}
		}
	})
}

// The short form of the million lines of docs: every bad row is named, nothing is
// stored, and the staged rows are given up as soon as that is certain.
func TestEveryBadRowOfALargeFileIsReported(t *testing.T) {
	bad := []string{"see note", "1.00001", "99999999999999999999", "12,3,4", "USD 4 and more"}
	var b strings.Builder
	b.WriteString(budgetHead)
	want := map[int]string{}
	for i := range 110_050 {
		amount, year := fmt.Sprint(i), "2020-21"
		if i%50 == 7 {
			amount = bad[i/50%len(bad)]
			want[i+2] = amount
		}
		fmt.Fprintf(&b, "%s,%d,Organisation %d,P%d,Programme %d,\"%s\",1,2,3\n", year, i%100, i%100, i, i, amount)
	}
	if len(want) != 2201 {
		t.Fatal(len(want))
	}
	s := testkit.OpenURL(t, testkit.SQLiteURL(t))
	r := run(t, s, gcspending.Format{}, []importer.File{importer.Bytes("big.csv", []byte(b.String()))}, apply)
	if len(r.Faults) != len(want) || r.Rows != 110_050 || r.Applied {
		t.Errorf("%d faults in %d rows, applied %v", len(r.Faults), r.Rows, r.Applied)
	}
	for _, f := range r.Faults {
		if want[f.Line] != f.Value || f.Column != "planned_spending_1" {
			t.Fatalf("%+v, want %q", f, want[f.Line])
		}
	}
	clean(t, s)
}

func TestNobodyImportsNothing(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		_, err := importer.Run(context.Background(), s, gcspending.Format{}, csv(""), apply)
		if !errors.Is(err, store.ErrNoViewer) {
			t.Error(err)
		}
	})
}
