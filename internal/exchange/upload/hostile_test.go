package upload_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"steward/internal/exchange/importer"
	"steward/internal/exchange/tabular"
	"steward/internal/exchange/upload"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/testkit"
)

// packed makes an archive of parts, name and content in turn.
func packed(t *testing.T, parts ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		w, err := z.Create(parts[i])
		if err == nil {
			_, err = io.WriteString(w, parts[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// workbook makes one whose first sheet holds the rows.
func workbook(t *testing.T, rows string) string {
	const ns = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	const rel = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	return packed(t, "_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="`+rel+`officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml", `<workbook `+ns+`><sheets><sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="`+rel+`worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml", `<worksheet `+ns+`><sheetData>`+rows+`</sheetData></worksheet>`)
}

// Hostile and broken files (UP-1, UP-5, IM-1, EX-1) are answered with one sentence, when they are sent or when
// they are checked, in both languages, and nothing of them is stored.
func TestHostileFiles(t *testing.T) {
	cell := func(at, text string) string {
		return `<c r="` + at + `" t="inlineStr"><is><t>` + text + `</t></is></c>`
	}
	head := `<row r="1">` + cell("A1", "name") + cell("B1", "website") + `</row>`
	for name, c := range map[string]struct {
		file, content string
		sent          string // the sentence of the refusal; empty when the file is taken
		checked       string // that of the fault
	}{
		"web page renamed":         {"a.html", "<script>alert(1)</script>", "Only .csv", ""},
		"two endings":              {"a.csv.exe", "name\nAcme\n", "Only .csv", ""},
		"no ending":                {"csv", "name\nAcme\n", "Only .csv", ""},
		"program as csv":           {"a.csv", "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" + strings.Repeat("\x00\x00\x01\x07", 100), "not a text file", ""},
		"picture as csv":           {"a.csv", "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00", 50), "not a text file", ""},
		"compressed":               {"a.csv", "\x1f\x8b\x08\x00" + strings.Repeat("x", 50), "compressed", ""},
		"archive as csv":           {"a.csv", workbook(t, head), "The content is not what the name says", ""},
		"text as workbook":         {"a.xlsx", "name\nAcme\n", "The content is not what the name says", ""},
		"archive in an archive":    {"a.xlsx", packed(t, "inner.zip", packed(t, "x", "y")), "holds another archive", ""},
		"half a workbook":          {"a.xlsx", workbook(t, head)[:400], "", ""},
		"bomb":                     {"a.xlsx", workbook(t, head+strings.Repeat(" ", 40<<20)), "", ""},
		"sparse rows":              {"a.xlsx", workbook(t, head+`<row r="1048577">`+cell("A1048577", "x")+`</row>`), "", ""},
		"far column":               {"a.xlsx", workbook(t, `<row r="1">`+cell("A1", "name")+cell("XFE1", "website")+`</row>`), "", ""},
		"hundred thousand columns": {"a.csv", "name" + strings.Repeat(",x", 100_000) + "\nAcme\n", "4,096 cells", ""},
		"line of a megabyte":       {"a.csv", "name,website\n" + strings.Repeat("x", 1<<20) + ",\n", "", "at most"},
		"NUL":                      {"a.csv", "name,website\nAc\x00me,\n", "", "NUL"},
		"half surrogate":           {"a.csv", "name,website\nAcm\xed\xa0\x80éééé,\n", "", "no letters"},
		"two encodings":            {"a.csv", "name,website\nAcmé é é,\nBet\xe9,\n", "", "no letters"},
		"half of UTF-16":           {"a.csv", wide("name,website\nAcme,\n")[:30] + "\xd8", "", ""},
		"quote left open":          {"a.csv", "name,website\n\"Acme,\nBeta,\n", "", "quotation mark"},
		"too many cells":           {"a.csv", "name,website\nAcme,,,,x\n", "", "cells and the header"},
		"nothing but a header":     {"a.csv", "name,website\n", "", ""},
		"only spaces":              {"a.csv", " \n \n", "the file is empty", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, testkit.OpenURL(t, testkit.SQLiteURL(t)))
			in := upload.Receive(nil, 64<<20)
			defer in.Close()
			err := in.Add(d.ctx, c.file, strings.NewReader(c.content))
			if err != nil {
				known := errs.As(store.Known(err))
				if known.Code != errs.Validation || len(known.Fields) != 1 {
					t.Fatalf("%v", err)
				}
				for _, lang := range i18n.Languages() {
					said := i18n.Fields(lang, known)[0].Text
					if said == "" || strings.Contains(said, known.Fields[0].Key) {
						t.Errorf("no sentence in %s for %s", lang, known.Fields[0].Key)
					}
					if lang == i18n.English && !strings.Contains(said, c.sent) || c.checked != "" {
						t.Errorf("%s: refused with %q", name, said)
					}
				}
				d.nothing(0)
				return
			}
			if c.sent != "" {
				t.Fatal("it is taken")
			}
			u, err := in.Keep(d.ctx, d.s, upload.Plan{Format: "csv", Settings: map[string]string{"entity": "Vendor"}})
			if err != nil {
				t.Fatal(err)
			}
			u, res, rep := d.checked(u)
			if name == "nothing but a header" {
				if res.May(false) && rep.Rows > 0 {
					t.Error("it has rows")
				}
				return
			}
			if len(rep.Faults) == 0 || res.May(false) {
				t.Fatalf("no fault: %+v", rep)
			}
			if said := rep.Faults[0].Reason.In(i18n.English); !strings.Contains(said, c.checked) {
				t.Errorf("the fault is %q", said)
			}
			if err := upload.Apply(d.ctx, d.s, u.ID, u.Version, false, ""); errs.CodeOf(err) != errs.State {
				t.Errorf("applied: %v", err)
			}
			for table, want := range map[string]int{"vendors": 0, "import_batches": 0, "uploads": 1, "blobs": 2} { // its file and its faults
				if n := d.count(table); n != want {
					t.Errorf("%d %s, want %d", n, table, want)
				}
			}
		})
	}
}

// Text that would be a formula comes back from a file of rejected rows as it was (EX-1).
func TestFormulasComeBack(t *testing.T) {
	d := newDesk(t, testkit.OpenURL(t, testkit.SQLiteURL(t)))
	starts := []string{"=1+1", "+1", "-x", "@a", "'=1", "''=2", "＝1", "\tx", "plain", "O'Brien"}
	var b strings.Builder
	b.WriteString("name,website,note\n")
	for _, s := range starts {
		fmt.Fprintf(&b, "\"v %s\",nowhere,\"%s\"\n", s, s)
	}
	u, _, _ := d.checked(d.sent("v.csv", b.String()))
	faults, err := upload.AllFaults(d.ctx, d.s, u)
	if err != nil || len(faults) != len(starts) {
		t.Fatalf("%d faults, %v", len(faults), err)
	}
	var out strings.Builder
	if err := importer.Reject(d.ctx, &out, tabular.Format{}, upload.Sources(d.ctx, d.s, u), upload.PlanOf(u).Options(), faults, i18n.English); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(out.String(), "\n")[1:] {
		if i := strings.LastIndex(line, ",nowhere,"); i >= 0 && strings.ContainsAny(line[i+9:i+10], "=+-@") && line[i+9:] != "+1" { // a number stays one
			t.Errorf("a formula goes out: %s", line)
		}
	}
	u, _, rep := d.checked(d.sent("again.csv", strings.ReplaceAll(out.String(), ",nowhere,", ",,")))
	if len(rep.Faults) != 0 {
		t.Fatalf("%+v", rep.Faults)
	}
	if err := upload.Apply(d.ctx, d.s, u.ID, u.Version, false, ""); err != nil {
		t.Fatal(err)
	}
	d.work()
	for _, s := range starts {
		want := strings.TrimSpace(s)
		var n int
		if err := d.s.DB.QueryRow("SELECT COUNT(*) FROM vendors WHERE note = $1", want).Scan(&n); err != nil || n != 1 {
			t.Errorf("%q: %d rows, %v", want, n, err)
		}
	}
}
