package importer_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"

	"steward/ent/changeevent"
	"steward/internal/exchange/gcspending"
	"steward/internal/exchange/importer"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// many is a spending file of n lines in three years of two organisations, every thirtieth
// of them bad in one of five ways; it returns how many those are.
func many(n int) (string, int) {
	var b strings.Builder
	b.WriteString("fy_ef,organization_id,organization,program_id,program_name,planned_spending_1,actual_spending\n")
	bad := 0
	for i := range n {
		year, org, planned, actual, name := fmt.Sprint(2018+i%3, "-", 19+i%3), fmt.Sprint(1+i%2), fmt.Sprint(100+i), fmt.Sprint(i), fmt.Sprint("Program ", i)
		if i%30 == 11 {
			bad++
			switch i / 30 % 5 {
			case 0:
				planned = "see note"
			case 1:
				year = "never"
			case 2:
				name = ""
			case 3:
				actual = "1.23456"
			case 4:
				name = "a\x00b"
			}
		}
		fmt.Fprintf(&b, "%s,%s,Office %s,P%d,%s,%s,%s\n", year, org, org, i, name, planned, actual)
	}
	b.WriteString("2018-19,1,Office 1,P0,Program 0,100,0\n") // the same again is another line
	return b.String(), bad
}

// sums says what is stored: rows, amounts and totals.
func sums(t *testing.T, s *store.Store) string {
	t.Helper()
	var out []string
	for _, q := range []string{"SELECT COUNT(*) FROM portfolios", "SELECT COUNT(*) FROM budget_plans", "SELECT COUNT(*) FROM budget_lines", "SELECT COUNT(*) FROM budget_cells",
		"SELECT CAST(SUM(planned) AS bigint) FROM budget_cells", "SELECT CAST(SUM(planned_total) AS bigint) FROM budget_lines", "SELECT CAST(SUM(planned_total) AS bigint) FROM budget_plans",
		"SELECT SUM(line_count) FROM budget_plans", "SELECT COUNT(*) FROM change_events WHERE entity_type = 'BudgetCell'", "SELECT COUNT(*) FROM import_batches", "SELECT COUNT(*) FROM outbox_events"} {
		var v any
		if err := s.DB.QueryRow(q).Scan(&v); err != nil {
			t.Fatal(err)
		}
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
		out = append(out, fmt.Sprint(v))
	}
	return strings.Join(out, " ")
}

// A file that is read in parts is stored as one that is not, and reported as that is.
func TestPartsAreOneImport(t *testing.T) {
	ctx := viewer.With(context.Background(), viewer.NewSystem(viewer.ViaCLI, "operator"))
	content, bad := many(601)
	run := func(t *testing.T, s *store.Store, o importer.Options) *importer.Report {
		t.Helper()
		rep, err := importer.Run(ctx, s, gcspending.Format{}, []importer.File{importer.Bytes("many.csv", []byte(content))}, o)
		if err != nil {
			t.Fatal(err)
		}
		return rep
	}
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		whole := run(t, s, importer.Options{Apply: true, SkipFaults: true})
		want := sums(t, s)
		if _, err := importer.Undo(ctx, s, whole.ChangeSet); err != nil {
			t.Fatal(err)
		}
		s = testkit.OpenURL(t, fresh(t, s))
		importer.Small(t, 100, 70)
		dry := run(t, s, importer.Options{})
		if dry.Applied || len(dry.Faults) != bad || len(dry.Faults) != len(whole.Faults) || !maps.Equal(dry.Created, whole.Created) || len(dry.Duplicates) != len(whole.Duplicates) {
			t.Errorf("the check says %d faults, %v, of %d bad lines and %v", len(dry.Faults), dry.Created, bad, whole.Created)
		}
		none := run(t, s, importer.Options{Apply: true})
		if none.Applied || len(none.Faults) != bad || sums(t, s) != "0 0 0 0 <nil> <nil> <nil> <nil> 0 0 0" {
			t.Errorf("bad lines are stored: %v, %s", none.Applied, sums(t, s))
		}
		parts := run(t, s, importer.Options{Apply: true, SkipFaults: true})
		if !parts.Applied || len(parts.Faults) != bad || !maps.Equal(parts.Created, whole.Created) || !maps.Equal(parts.Unchanged, whole.Unchanged) || fmt.Sprint(parts.Totals) != fmt.Sprint(whole.Totals) {
			t.Errorf("%v %v, not %v; totals %v, not %v", parts.Applied, parts.Created, whole.Created, parts.Totals, whole.Totals)
		}
		if got := sums(t, s); got != want {
			t.Errorf("stored is %s, not %s", got, want)
		}
		again := run(t, s, importer.Options{Apply: true, SkipFaults: true})
		if len(again.Created)+len(again.Updated) != 0 || !maps.Equal(again.Unchanged, whole.Created) {
			t.Errorf("again: %v created, %v updated, %v unchanged", again.Created, again.Updated, again.Unchanged)
		}
		if n := s.Client.ChangeEvent.Query().Where(changeevent.ChangeSet(parts.ChangeSet)).CountX(testkit.System()); n != written(parts)+1 {
			t.Errorf("%d changes are in the audit, not %d and the import", n, written(parts))
		}
		if _, err := importer.Undo(ctx, s, parts.ChangeSet); err != nil {
			t.Error(err)
		}
		if n := s.Client.BudgetLine.Query().CountX(testkit.System()); n != 0 {
			t.Errorf("%d lines are left", n)
		}
	})
}

// written is how many rows an import has made.
func written(r *importer.Report) (n int) {
	for _, of := range r.Created {
		n += of
	}
	return n
}

// fresh returns another empty database of the same sort.
func fresh(t *testing.T, s *store.Store) string {
	if s.Dialect == "postgres" {
		return testkit.PostgresURL(t)
	}
	return testkit.SQLiteURL(t)
}
