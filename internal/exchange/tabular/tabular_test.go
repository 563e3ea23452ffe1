package tabular_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql"

	"steward/ent/vendor"
	"steward/internal/area/contract"
	"steward/internal/area/tag"
	"steward/internal/exchange/importer"
	"steward/internal/exchange/tabular"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func system() context.Context {
	return viewer.With(context.Background(), viewer.NewSystem(viewer.ViaCLI, "operator"))
}

func run(t *testing.T, s *store.Store, of, content string, o importer.Options) *importer.Report {
	t.Helper()
	if o.Set == nil {
		o.Set = map[string]string{}
	}
	o.Set["entity"] = of
	r, err := importer.Run(system(), s, tabular.Format{}, []importer.File{importer.Bytes("f.csv", []byte(content))}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func good(t *testing.T, r *importer.Report) *importer.Report {
	t.Helper()
	for _, f := range r.Faults {
		t.Fatalf("line %d, %s %q: %s", f.Line, f.Column, f.Value, f.Reason.In("en"))
	}
	return r
}

func counts(t *testing.T, what string, got, want map[string]int) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func one(t *testing.T, s *store.Store, q string) string {
	t.Helper()
	var v any
	if err := s.DB.QueryRow(q).Scan(&v); err != nil {
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
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestRecordsOfAllKindsComeInByTheirHeaders(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		contract.Install(s)
		apply := importer.Options{Apply: true}
		good(t, run(t, s, "Portfolio", "name,default_currency,fiscal_year_start_month\nCommon,CAD,4\nOther,USD,10\n", apply))
		key := one(t, s, "SELECT key FROM portfolios WHERE name = 'Common'")
		products := "external_id;Portfolio;Name;Criticality\nx1;" + key + ";Forms;HIGH\nx2;Common;'=SUM(1);low\n"
		first := good(t, run(t, s, "products", products, apply))
		counts(t, "created", first.Created, map[string]int{"Product": 2})
		want(t, "stage", one(t, s, "SELECT stage FROM products WHERE name = '=SUM(1)'"), "UNKNOWN")
		again := good(t, run(t, s, "products", products, apply))
		counts(t, "unchanged", again.Unchanged, map[string]int{"Product": 2})
		counts(t, "created again", again.Created, map[string]int{})

		good(t, run(t, s, "Vendor", "name,website\nAcme,https://acme.example\nAcme,https://acme.example\n", apply))
		want(t, "identical rows are kept", one(t, s, "SELECT COUNT(*) FROM vendors"), "2")
		counts(t, "vendors again", good(t, run(t, s, "Vendor", "name,website\nAcme,https://acme.example\nAcme,https://acme.example\n", apply)).Created, map[string]int{})

		good(t, run(t, s, "Contract", "name,portfolio_id,value,start_on,initial_months,notice_months\nSupport,Common,\"$1,200.50\",2026-01-31,1,0\n", apply))
		want(t, "the end that months give", one(t, s, "SELECT CAST(end_on AS text) FROM contracts")[:10], "2026-02-28")
		terms := "contract,name,price\nSupport,First term,5\n"
		counts(t, "terms", good(t, run(t, s, "ContractTerm", terms, apply)).Created, map[string]int{"ContractTerm": 1})
		want(t, "inherited portfolio", one(t, s, "SELECT COUNT(*) FROM contract_terms t JOIN contracts c ON c.id = t.contract_id AND c.portfolio_id = t.portfolio_id"), "1")
		counts(t, "terms again", good(t, run(t, s, "ContractTerm", terms, apply)).Unchanged, map[string]int{"ContractTerm": 1})

		// Steward's own id changes the record; undo sets it back.
		id := one(t, s, "SELECT id FROM products WHERE external_id = 'x1'")
		changed := good(t, run(t, s, "Product", "id,name\n"+id+",Forms 2\n", apply))
		counts(t, "updated", changed.Updated, map[string]int{"Product": 1})
		if _, err := importer.Undo(system(), s, changed.ChangeSet); err != nil {
			t.Fatal(err)
		}
		want(t, "set back", one(t, s, "SELECT name FROM products WHERE external_id = 'x1'"), "Forms")
		if _, err := importer.Undo(system(), s, again.ChangeSet); err != nil {
			t.Fatalf("an import that changed nothing: %v", err)
		}
	})
}

func TestFaultsAreFoundByADryRunAndStoreNothing(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		contract.Install(s)
		good(t, run(t, s, "Portfolio", "name\nCommon\n", importer.Options{Apply: true}))
		file := "name,portfolio,value,start_on,notice_months,kind,vendor\n" +
			"A,Common,x,2026-01-01,0,SUPPORT,\n" + // 2
			"B,Nowhere,1,2026-01-01,0,SUPPORT,\n" + // 3
			"C,Common,1,2026-02-30,0,SUPPORT,\n" + // 4
			"D,Common,1,2026-01-01,-3,SUPPORT,\n" + // 5
			"E,Common,1,2026-01-01,0,TOY,\n" + // 6
			"F,Common,1,2026-01-01,0,SUPPORT,Nobody\n" + // 7
			",Common,1,2026-01-01,0,SUPPORT,\n" + // 8
			"H,Common,1,2026-01-01,0,Support,\n"
		for _, o := range []importer.Options{{}, {Apply: true}} {
			r := run(t, s, "Contract", file, o)
			var at []string
			for _, f := range r.Faults {
				at = append(at, fmt.Sprintf("%d %s", f.Line, f.Column))
			}
			if got := strings.Join(at, ", "); got != "2 value, 3 portfolio, 4 start_on, 5 notice_months, 6 kind, 7 vendor, 8 name" {
				t.Errorf("apply %v: %s", o.Apply, got)
			}
			if r.Applied {
				t.Error("applied")
			}
			want(t, "contracts", one(t, s, "SELECT COUNT(*) FROM contracts"), "0")
		}
		// Without the rows that cannot be read the rules themselves are asked.
		rules := "name,portfolio,notice_months\nD,Common,-3\nH,Common,1\n"
		for _, o := range []importer.Options{{}, {Apply: true}} {
			r := run(t, s, "Contract", rules, o)
			if len(r.Faults) != 1 || r.Faults[0].Line != 2 || r.Faults[0].Column != "notice_months" || r.Applied {
				t.Errorf("apply %v: %+v", o.Apply, r.Faults)
			}
			want(t, "contracts", one(t, s, "SELECT COUNT(*) FROM contracts"), "0")
		}
		r := run(t, s, "Contract", rules, importer.Options{Apply: true, SkipFaults: true})
		counts(t, "created", r.Created, map[string]int{"Contract": 1})
		want(t, "contracts", one(t, s, "SELECT COUNT(*) FROM contracts"), "1")
	})
}

func TestUndoArchivesWhatWasCreatedAndTheNextImportBringsItBack(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		file := "external_id,name\nv1,Acme\n"
		first := good(t, run(t, s, "Vendor", file, importer.Options{Apply: true}))
		undone, err := importer.Undo(system(), s, first.ChangeSet)
		if err != nil {
			t.Fatal(err)
		}
		counts(t, "removed", undone.Removed, map[string]int{"Vendor": 1})
		want(t, "in lists", one(t, s, "SELECT COUNT(*) FROM vendors WHERE archived_at IS NULL"), "0")
		back := good(t, run(t, s, "Vendor", file, importer.Options{Apply: true}))
		if len(back.Warnings) != 1 || back.Updated["Vendor"] != 1 {
			t.Errorf("%+v", back)
		}
		want(t, "in lists", one(t, s, "SELECT COUNT(*) FROM vendors WHERE archived_at IS NULL"), "1")
	})
}

// What a raw export writes is what an import reads, whatever the text.
func TestARawExportComesBackAsItWas(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		hostile := []string{"=1+1", "'=1+1", "'quoted", "@x", "-5", "+1", "<b>bold</b>", "[a](javascript:1)", "zero\u200bwidth", "a,b;c\t\"d\"", "＝1", "''=2"}
		var b strings.Builder
		w := csv.NewWriter(&b)
		_ = w.Write([]string{"name", "note"})
		for _, n := range hostile {
			_ = w.Write([]string{guarded(n), "line one\nline two " + n})
		}
		w.Flush()
		good(t, run(t, s, "Vendor", b.String(), importer.Options{Apply: true}))
		for _, n := range hostile {
			var have int
			if err := s.DB.QueryRow("SELECT COUNT(*) FROM vendors WHERE name = $1 AND note = $2", n, "line one\nline two "+n).Scan(&have); err != nil || have != 1 {
				t.Errorf("%q: %d, %v", n, have, err)
			}
		}
		rows, err := entity.ByName("Vendor").List(system(), s.Client, all, all, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		w = csv.NewWriter(&out)
		_ = w.Write([]string{"id", "name", "note"})
		for _, row := range rows {
			e := entity.ByName("Vendor")
			_ = w.Write([]string{row.ID.String(), entity.Text(e.Value(row, "name")), entity.Text(e.Value(row, "note"))})
		}
		w.Flush()
		r := good(t, run(t, s, "Vendor", out.String(), importer.Options{Apply: true}))
		counts(t, "unchanged", r.Unchanged, map[string]int{"Vendor": len(hostile)})
		counts(t, "updated", r.Updated, map[string]int{})
	})
}

// guarded is what an export for spreadsheets does to text.
func guarded(s string) string {
	if t := strings.TrimLeft(s, "'"); t != "" && strings.ContainsRune("=+-@＝", []rune(t)[0]) {
		return "'" + s
	}
	return s
}

func all(*sql.Selector) {}

func TestSettings(t *testing.T) {
	for _, set := range []map[string]string{{}, {"entity": "Session"}, {"entity": "BudgetCell"}, {"entity": "Vendor", "shape": "x"}} {
		_, err := tabular.Format{}.Open(importer.Options{Set: set})
		if err == nil {
			t.Errorf("%v is accepted", set)
		}
	}
	if len(tabular.Entities()) < 20 {
		t.Errorf("entities: %v", tabular.Entities())
	}
}

// A column of tags says which a record carries, and no others; an unknown one is a fault
// that says what to do. Tags alone change no version, and undo takes them back.
func TestTags(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		tag.Install(s)
		apply := importer.Options{Apply: true}
		good(t, run(t, s, "Tag", "name,name_fr\nUrgent,Pressant\nLegacy,\nA;B,\n", apply))
		carried := func() string {
			out := []string{}
			for _, name := range []string{"Acme", "Beta"} {
				x := s.Client.Vendor.Query().Where(vendor.Name(name)).OnlyX(system())
				of, err := tag.Of(system(), s, entity.ByName("Vendor"), x.ID)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, fmt.Sprintf("%s v%d: %s", name, x.Version, tabular.TagsCell(of[x.ID])))
			}
			return strings.Join(out, ", ")
		}
		first := good(t, run(t, s, "Vendor", "external_id,name,Tags\nv1,Acme, Pressant ; Legacy;Legacy\nv2,Beta,\n", apply))
		counts(t, "created", first.Created, map[string]int{"Vendor": 2})
		want(t, "at first", carried(), "Acme v1: Legacy;Urgent, Beta v1: ")
		counts(t, "unchanged", good(t, run(t, s, "Vendor", "external_id,name,tags\nv1,Acme,Urgent;Legacy\nv2,Beta,\n", apply)).Unchanged, map[string]int{"Vendor": 2})
		counts(t, "without the column", good(t, run(t, s, "Vendor", "external_id,name\nv1,Acme\n", apply)).Unchanged, map[string]int{"Vendor": 1})

		odd := one(t, s, "SELECT id FROM tags WHERE name = 'A;B'")
		second := good(t, run(t, s, "Vendor", "external_id,name,Étiquettes\nv1,Acme,Urgent\nv2,Beta,"+odd+"\n", apply))
		counts(t, "updated", second.Updated, map[string]int{"Vendor": 2})
		want(t, "then", carried(), "Acme v1: Urgent, Beta v1: "+odd)
		undone, err := importer.Undo(system(), s, second.ChangeSet)
		if err != nil {
			t.Fatal(err)
		}
		counts(t, "set back", undone.Restored, map[string]int{"Vendor": 2})
		want(t, "taken back", carried(), "Acme v1: Legacy;Urgent, Beta v1: ")

		for _, o := range []importer.Options{{}, apply} {
			r := run(t, s, "Vendor", "external_id,name,tags\nv1,Acme,Urgent;Nothing\nv2,Beta,Urgent\n", o)
			if len(r.Faults) != 1 || r.Faults[0].Line != 2 || r.Faults[0].Column != "tags" || r.Faults[0].Value != "Nothing" || r.Faults[0].Hint.IsZero() || r.Applied {
				t.Errorf("apply %v: %+v", o.Apply, r.Faults)
			}
		}
		want(t, "after the faults", carried(), "Acme v1: Legacy;Urgent, Beta v1: ")
		good(t, run(t, s, "Vendor", "external_id,name,tags\nv1,Acme 2,\n", importer.Options{Apply: true}))
		want(t, "an empty cell takes all off", one(t, s, "SELECT COUNT(*) FROM tag_links"), "0")
		if r := run(t, s, "Vendor", "external_id,name,tags\nv1,Acme 2,"+odd+";\n", importer.Options{}); len(r.Faults) > 0 || r.Updated["Vendor"] != 1 {
			t.Errorf("a dry run: %+v", r)
		}
		// taken back, a created record is archived and counted once
		third := good(t, run(t, s, "Vendor", "external_id,name,tags\nv3,Gamma,Urgent\n", apply))
		if undone, err = importer.Undo(system(), s, third.ChangeSet); err != nil {
			t.Fatal(err)
		}
		counts(t, "removed", undone.Removed, map[string]int{"Vendor": 1})
		counts(t, "restored", undone.Restored, map[string]int{})
		want(t, "marks left", one(t, s, "SELECT COUNT(*) FROM tag_links"), "0")
	})
}
