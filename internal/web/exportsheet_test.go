package web_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"steward/ent"
	"steward/internal/exchange/importer"
	"steward/internal/exchange/sheet"
	"steward/internal/exchange/tabular"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/seed"
	"steward/internal/testkit"
)

// rowsOf reads a sheet of the workbook; "" is the one that opens.
func (a answer) rowsOf(name string) (out [][]string) {
	a.t.Helper()
	r, err := sheet.Open([]byte(a.body), name, 200)
	if err != nil {
		a.t.Fatal(err)
	}
	for {
		rec, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			a.t.Fatal(err)
		}
		out = append(out, rec.Cells)
	}
}

func TestWorkbookOfAList(t *testing.T) {
	each(t, func(w *world) {
		w.vendors(30)
		w.do(func(ctx context.Context, c *ent.Client) error {
			c.Contract.Create().SetName("=SUM(A1:A9)").SetPortfolio(w.ours).SetVendor(w.vendor).SetCurrency("CAD").SetValue(money.Amount(9_007_199_254_740_993)).
				SetStartOn(civil.MustDate("2026-02-01")).SaveX(ctx)
			return nil
		})
		a := w.get(w.pia, "/contracts.xlsx?cols=name,vendor_id,value,start_on,kind&sort=name").want(200)
		if a.Header.Get("Content-Disposition") != `attachment; filename="contracts.xlsx"` || a.Header.Get("Content-Type") != sheet.Media {
			t.Error(a.Header)
		}
		rows := a.rowsOf("")
		if len(rows) != 3 || strings.Join(rows[0], ";") != "id;Name;Vendor;Value;Start;Kind" || rows[1][1] != "=SUM(A1:A9)" || rows[1][2] != "OptIT" || rows[1][3] != "900719925474.0993" ||
			rows[1][4] != "2026-02-01" || rows[2][0] != w.contract.ID.String() || rows[2][3] != "1284500" {
			t.Errorf("%q", rows)
		}
		f, err := excelize.OpenReader(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		name := f.GetSheetName(0)
		if formula, _ := f.GetCellFormula(name, "B2"); formula != "" {
			t.Errorf("a formula: %s", formula)
		}
		if shown, _ := f.GetCellValue(name, "D3"); shown != "CAD 1,284,500.00" {
			t.Errorf("the amount shows as %q", shown)
		}
		if visible, _ := f.GetColVisible(name, "A"); visible {
			t.Error("the ids are in sight")
		}

		// In French, narrowed, with what the file is on its second page.
		w.lang = "fr"
		a = w.get(w.pia, "/vendors.xlsx?f.risk=HIGH&cols=name,risk").want(200)
		w.lang = "en"
		if rows = a.rowsOf(""); len(rows) != 11 || strings.Join(rows[0], ";") != "id;Nom;Risque" || rows[1][2] != "Élevé" {
			t.Errorf("%q", rows)
		}
		about := fmt.Sprint(a.rowsOf("À propos"))
		for _, said := range []string{"Fournisseurs", "[Lignes 10]", "Restreint à Risque: Élevé", "Exporté par Pia"} {
			if !strings.Contains(about, said) {
				t.Errorf("%q is not in %s", said, about)
			}
		}
		w.get(w.pia, "/vendors").want(200).page().Want("#exports", "Workbook (XLSX)")

		// The same rights and the same line in the audit as the other files.
		w.get(w.aud, "/admin/audit?op=EVENT").want(200).page().Want(".reason", "exported 10 rows")
		w.get(w.ada, "/vendors.xlsx").want(http.StatusForbidden)
		if rows = w.get(w.pat, "/vendors.xlsx?cols=name").want(200).rowsOf(""); len(rows) != 2 || rows[1][1] != "OptIT" {
			t.Errorf("%q", rows)
		}
		if a := w.get(w.vic, "/contracts.xlsx?cols=name,value"); a.StatusCode == 200 {
			t.Error("the price of a contract left")
		}
		if rows = w.get(w.pia, "/contracts.xlsx?cols=name").want(200).rowsOf(""); strings.Contains(fmt.Sprint(rows), "Hidden") {
			t.Errorf("%q", rows)
		}
	})
}

// What a workbook of any entity holds, in either language and with every column, is
// what is stored: an import of it changes nothing.
func TestAnExportedWorkbookChangesNothing(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := emptyWorld(t, s)
		if _, err := seed.Demo(testkit.System(), s, time.Now().UTC(), func(string) {}); err != nil {
			t.Fatal(err)
		}
		w.do(func(ctx context.Context, c *ent.Client) error {
			for _, name := range []string{"Twin", "Twin", "=1+1", "'quoted", "Odd (VN-000001)", "tab\tand _x0041_", "\u200bzero", "PRD-1"} {
				c.Vendor.Create().SetName(name).SetNote("line one\nline two " + name).SaveX(ctx)
			}
			return nil
		})
		twins := s.Client.Vendor.Query().AllX(testkit.System())
		w.do(func(ctx context.Context, c *ent.Client) error {
			p := c.Portfolio.Query().FirstX(ctx)
			for _, v := range twins {
				c.Contract.Create().SetName("With " + v.Name).SetPortfolio(p).SetVendor(v).SaveX(ctx)
			}
			return nil
		})
		all := w.person("Root", "app-admin")
		all.Roles = []string{"portfolio-manager", "finance-officer", "procurement-officer", "auditor"}
		all.Memberships = []viewer.Membership{{Scope: viewer.ScopeAll, Level: viewer.LevelManager}}
		checked := 0
		for _, name := range tabular.Entities() {
			e := entity.ByName(name)
			var columns []string
			for _, f := range e.Fields {
				columns = append(columns, f.Name)
			}
			for _, lang := range []string{"en", "fr"} {
				w.lang, all.Lang = lang, lang
				a := w.get(all, "/"+e.Path+".xlsx?cols="+strings.Join(visible(w, all, e, columns), ","))
				if a.StatusCode == http.StatusNotFound || a.StatusCode == http.StatusForbidden {
					continue
				}
				a.want(200)
				rows := a.rowsOf("")
				if len(rows) < 2 {
					continue
				}
				r, err := importer.Run(testkit.System(), s, tabular.Format{}, []importer.File{importer.Bytes("f.xlsx", []byte(a.body))}, importer.Options{Set: map[string]string{"entity": name}})
				if err != nil {
					t.Fatal(name, err)
				}
				for _, f := range r.Faults[:min(3, len(r.Faults))] {
					t.Errorf("%s, %s: line %d, %s %q: %s", name, lang, f.Line, f.Column, f.Value, f.Reason.In("en"))
				}
				for _, x := range r.Warnings[:min(3, len(r.Warnings))] {
					t.Errorf("%s, %s: line %d, %s %q: %s", name, lang, x.Line, x.Column, x.Value, x.Reason.In("en"))
				}
				if len(r.Created)+len(r.Updated) > 0 || r.Unchanged[name] != len(rows)-1 {
					t.Errorf("%s, %s: created %v, updated %v, unchanged %v of %d", name, lang, r.Created, r.Updated, r.Unchanged, len(rows)-1)
				}
				checked++
			}
		}
		if checked < 20 {
			t.Errorf("only %d workbooks had rows", checked)
		}
	})
}

// visible are the columns that a list takes.
func visible(w *world, v *viewer.Viewer, e *entity.Entity, columns []string) (out []string) {
	for _, c := range columns {
		if a := w.get(v, "/"+e.Path+"?cols="+c); a.StatusCode == 200 {
			out = append(out, c)
		}
	}
	return out
}
