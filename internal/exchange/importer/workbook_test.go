package importer

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// book makes a workbook as other programs do.
func book(t *testing.T, fill func(f *excelize.File)) File {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	fill(f)
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return Bytes("b.xlsx", out.Bytes())
}

func set(t *testing.T, f *excelize.File, sheet string, cells map[string]any) {
	t.Helper()
	for at, v := range cells {
		if err := f.SetCellValue(sheet, at, v); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWorkbooksAreReadLikeTextFiles(t *testing.T) {
	file := book(t, func(f *excelize.File) {
		set(t, f, "Sheet1", map[string]any{"A1": "People of the office", "A3": "Number", "B3": "Nom", "C3": "Paid", "D3": "Born",
			"A4": 1, "B4": "=Zoé", "C4": 1234.5, "D4": "2001-04-13", "A5": 2, "B5": "Flo", "C5": "n/a", "A6": 3, "B6": "Ann", "C6": 7, "D6": 36994})
		if err := f.SetCellFormula("Sheet1", "A7", "1+1"); err != nil { // without a stored value
			t.Fatal(err)
		}
		days, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		if err == nil {
			err = f.SetCellStyle("Sheet1", "D6", "D6", days)
		}
		if err == nil {
			err = f.SetCellStyle("Sheet1", "A7", "F971", days)
		}
		if err == nil {
			_, err = f.NewSheet("Other")
		}
		if err != nil {
			t.Fatal(err)
		}
		set(t, f, "Other", map[string]any{"A1": "Number", "B1": "Name", "A2": 9, "B2": "Max"})
	})
	s, r, err := Read(context.Background(), people{}, []File{file}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r.Faults); len(r.Faults) != 1 || r.Faults[0].Line != 5 || r.Faults[0].Column != "Paid" || r.Faults[0].Value != "n/a" {
		t.Errorf("faults: %s", got)
	}
	if len(r.Warnings) != 1 || r.Warnings[0].Reason.Key != "import.warning.preamble" || r.Rows != 3 {
		t.Errorf("%d rows, warnings: %+v", r.Rows, r.Warnings)
	}
	got := s.Records(person)
	if len(got) != 2 || got[0].Values["name"] != "=Zoé" || fmt.Sprint(got[0].Values["launched_on"]) != "2001-04-13" || fmt.Sprint(got[1].Values["launched_on"]) != "2001-04-13" || r.Totals["paid"]["CAD"].String() != "1241.50" {
		t.Errorf("%+v, %v", got, r.Totals)
	}
	s, r, err = Read(context.Background(), people{}, []File{file}, Options{Set: map[string]string{SetSheet: "Other"}})
	if err != nil || len(r.Faults) > 0 || len(s.Records(person)) != 1 || s.Records(person)[0].ID != "9" {
		t.Errorf("%+v, %v", r, err)
	}
	_, r, err = Read(context.Background(), people{}, []File{file}, Options{Set: map[string]string{SetSheet: "Third"}})
	if err != nil || len(r.Faults) != 1 || r.Faults[0].Reason.In("en") != "no sheet Third; the workbook has Sheet1, Other" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestErrorsInCellsAreFaultsOfTheirCell(t *testing.T) {
	file := book(t, func(f *excelize.File) {
		set(t, f, "Sheet1", map[string]any{"A1": "Number", "B1": "Name", "A2": 1, "A3": 2, "B3": "Flo"})
		if err := f.SetCellFormula("Sheet1", "B2", "1/0"); err != nil {
			t.Fatal(err)
		}
	})
	// The library stores no value of a formula: what Excel would store is put in by hand.
	in, _ := file.open()
	file = Bytes("b.xlsx", patched(t, in, `<f>1/0</f>`, `<f>1/0</f><v>#DIV/0!</v>`, `<c r="B2"`, `<c r="B2" t="e"`))
	s, r, err := Read(context.Background(), people{}, []File{file}, Options{})
	if err != nil || len(r.Faults) != 1 || r.Faults[0].Line != 2 || r.Faults[0].Column != "Name" || r.Faults[0].Value != "#DIV/0!" || r.Faults[0].Reason.Key != "import.fault.cell_error" {
		t.Errorf("%+v, %v", r.Faults, err)
	}
	if len(s.Records(person)) != 1 {
		t.Error("the good row is not staged")
	}
}

func TestWorkbooksThatCannotBeReadAreFaults(t *testing.T) {
	whole := book(t, func(f *excelize.File) { set(t, f, "Sheet1", map[string]any{"A1": "Number", "B1": "Name"}) })
	in, _ := whole.open()
	for name, c := range map[string]struct {
		old, new, key string
		line          int
	}{
		"a row that goes back": {`</sheetData>`, `<row r="1"><c r="A1"><v>5</v></c></row></sheetData>`, "import.fault.workbook", 2},
		"XML that is cut":      {`</sheetData></worksheet>`, `<row r="9`, "import.fault.workbook", 2},
		"too many columns":     {`</sheetData>`, `<row r="5"><c r="XFD5"><v>5</v></c></row></sheetData>`, "import.fault.columns", 6},
		"no sheet":             {`<sheet name`, `<other name`, "import.fault.workbook", 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, r := readText(t, Options{}, string(patched(t, in, c.old, c.new)))
			if len(r.Faults) != 1 || r.Faults[0].Reason.Key != c.key || r.Faults[0].Line != c.line {
				t.Errorf("%+v", r.Faults)
			}
		})
		in, _ = whole.open()
	}
}

// patched is a workbook with texts of its parts replaced, in pairs.
func patched(t *testing.T, in io.Reader, pairs ...string) []byte {
	t.Helper()
	content, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range z.File {
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		to, err := w.Create(f.Name)
		if err == nil {
			_, err = io.WriteString(to, strings.NewReplacer(pairs...).Replace(string(text)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
