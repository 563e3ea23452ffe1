package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"steward/internal/platform/bound"
	"steward/internal/rules/civil"
	"steward/internal/rules/money"
)

// written is a workbook of one page.
func written(t interface{ Fatal(...any) }, columns []Column, o Options, rows ...[]Cell) []byte {
	b := NewBook()
	defer b.Close()
	p, err := b.Page("Contracts", columns, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := p.Row(row...); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := b.Send(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readAll(t interface{ Fatal(...any) }, content []byte, name string) (out []Record) {
	r, err := Open(content, name, 100)
	if err != nil {
		t.Fatal(err)
	}
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rec)
	}
}

func TestCellsComeBackAsTheyWere(t *testing.T) {
	zone := time.FixedZone("west", -8*3600)
	row := []Cell{Text("=1+1"), Text("a\nb <&> \"q\""), Text("\x0b_x000B_ _x005F__xD800_"), Int(2026), Bool(true), {}, Percent(8505),
		Date(civil.MustDate("2026-04-01")), Date(civil.MustDate("1899-12-31")), Time(time.Date(2026, 4, 1, 3, 4, 5, 0, time.UTC), zone),
		Amount(12_345_600, "CAD", "en"), Amount(-5, "JPY", "fr"), Amount(9_223_372_036_854_775_807, "CAD", "en"), Amount(12_345_678_901_234_500, "CAD", "en"), Number(15_000)}
	columns := make([]Column, len(row))
	for i := range columns {
		columns[i].Title = fmt.Sprint("Column ", i+1)
	}
	content := written(t, columns, Options{Filter: true}, row)
	got := readAll(t, content, "")
	want := []string{"=1+1", "a\nb <&> \"q\"", "\x0b_x000B_ _x005F__xD800_", "2026", "true", "", "85.05%", "2026-04-01", "1899-12-31", "2026-03-31 19:04:05",
		"1234.56", "-0.0005", "922337203685477.5807", "1234567890123.45", "1.5"}
	if len(got) != 2 || !reflect.DeepEqual(got[1].Cells, want) || got[1].Row != 2 {
		t.Fatalf("got  %q\nwant %q", got[1].Cells, want)
	}

	// And as others see the file.
	f, err := excelize.OpenReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for cell, shown := range map[string]string{"A2": "=1+1", "K2": "CAD 1,234.56", "L2": "-0.0005 JPY", "H2": "2026-04-01", "G2": "85.05%", "M2": "922337203685477.5807"} {
		if v, err := f.GetCellValue("Contracts", cell); err != nil || v != shown {
			t.Errorf("%s shows %q, not %q (%v)", cell, v, shown, err)
		}
		if formula, err := f.GetCellFormula("Contracts", cell); err != nil || formula != "" {
			t.Errorf("%s is the formula %q (%v)", cell, formula, err)
		}
	}
	style, _ := f.GetCellStyle("Contracts", "A1")
	if s, err := f.GetStyle(style); err != nil || s.Font == nil || !s.Font.Bold {
		t.Errorf("the header is not bold: %+v, %v", s, err)
	}
	panes, err := f.GetPanes("Contracts")
	if err != nil || !panes.Freeze || panes.YSplit != 1 {
		t.Errorf("the header is not frozen: %+v, %v", panes, err)
	}
	sheet := part(t, content, "xl/worksheets/sheet1.xml")
	if !strings.Contains(sheet, `ref="$A$1:$O$2"`) {
		t.Error("no filter")
	}
	if strings.Contains(sheet, "<f>") {
		t.Error("a formula")
	}
}

func part(t *testing.T, content []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Whatever text and amount is written is read again.
func TestTextAndAmountsSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sign := rapid.SampledFrom([]string{"_x005F_", "_x0041_", "x000B_", "_", "_xD800_", "x"})
		texts := rapid.SliceOfN(rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune("=+-@'_x0041\t\n\r\v\x01<&>\" é\U0001F600")), rapid.Rune())), 1, 4).Draw(t, "texts")
		texts = append(texts, strings.Join(rapid.SliceOf(sign).Draw(t, "signs"), ""))
		amount := money.Amount(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "amount"))
		row := []Cell{Text("x")}
		for _, s := range texts {
			row = append(row, Text(s))
		}
		row = append(row, Amount(amount, "CAD", "fr"))
		got := readAll(t, written(t, make([]Column, len(row)), Options{}, row), "")
		cells := got[len(got)-1].Cells
		for i, s := range texts {
			want := strings.Map(func(r rune) rune {
				if control(r) && r >= ' ' {
					return '\uFFFD'
				}
				return r
			}, s)
			if strings.TrimSpace(want) == "" {
				continue
			}
			if cells[i+1] != want {
				t.Fatalf("%q came back as %q", want, cells[i+1])
			}
		}
		if back, err := money.ParseFile(cells[len(cells)-1], 1); err != nil || back != amount {
			t.Fatalf("%s came back as %q, %v", amount, cells[len(cells)-1], err)
		}
	})
}

func TestAddresses(t *testing.T) {
	for at, name := range map[[2]int]string{{1, 1}: "A1", {6, 12}: "F12", {26, 2}: "Z2", {27, 3}: "AA3", {16384, 1048576}: "XFD1048576"} {
		if got := Address(at[0], at[1]); got != name {
			t.Errorf("%v is %s, not %s", at, got, name)
		}
		if c, r, ok := place(name); !ok || c != at[0] || r != at[1] {
			t.Errorf("%s is %d, %d, %v", name, c, r, ok)
		}
	}
	for _, name := range []string{"", "A", "1", "A0", "XFE1", "A1048577", "a1", "A-1", "A1B", strings.Repeat("Z", 40) + "1"} {
		if _, _, ok := place(name); ok {
			t.Errorf("%q is taken", name)
		}
	}
}

// made is a workbook by hand: its sheets by name, hidden ones beginning with a dot.
func made(t *testing.T, more map[string]string, sheets ...[2]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	put := func(name, text string) {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const r = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	put("_rels/.rels", `<Relationships><Relationship Id="a" Type="`+r+`/officeDocument" Target="xl/workbook.xml"/></Relationships>`)
	book, rels := "", ""
	for i, s := range sheets {
		name, hidden := strings.CutPrefix(s[0], ".")
		state := ""
		if hidden {
			state = ` state="hidden"`
		}
		book += fmt.Sprintf(`<sheet name="%s"%s r:id="r%d"/>`, name, state, i)
		rels += fmt.Sprintf(`<Relationship Id="r%d" Type="%s/worksheet" Target="/xl/s%d.xml"/>`, i, r, i)
		put(fmt.Sprintf("xl/s%d.xml", i), `<worksheet><sheetData>`+s[1]+`</sheetData></worksheet>`)
	}
	rels += `<Relationship Id="st" Type="` + r + `/styles" Target="styles.xml"/><Relationship Id="ss" Type="` + r + `/sharedStrings" Target="strings.xml"/>`
	put("xl/workbook.xml", `<workbook xmlns:r="`+r+`"><sheets>`+book+`</sheets></workbook>`)
	put("xl/_rels/workbook.xml.rels", `<Relationships>`+rels+`</Relationships>`)
	put("xl/styles.xml", `<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[$CAD]\ #,##0.00"/><numFmt numFmtId="165" formatCode="d&quot;. &quot;mmmm yyyy;@"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="22"/><xf numFmtId="10"/><xf numFmtId="20"/></cellXfs></styleSheet>`)
	put("xl/strings.xml", `<sst><si><t>plain</t></si><si><r><t>rich </t></r><r><t>text</t></r><rPh><t>said</t></rPh></si></sst>`)
	for name, text := range more {
		put(name, text)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCellsAreReadByTheirTypes(t *testing.T) {
	blank := ""
	for i := 4; i < 968; i++ { // as a spreadsheet leaves them behind
		blank += fmt.Sprintf(`<row r="%d"><c r="A%d" s="1"/><c r="B%d" t="inlineStr"><is><t> </t></is></c></row>`, i, i, i)
	}
	content := made(t, nil, [2]string{".First", `<row><c><v>1</v></c></row>`}, [2]string{"Second", `
		<row r="2"><c r="A2" t="s"><v>0</v></c><c r="C2" t="s"><v>1</v></c><c r="D2" t="str"><f>A1&amp;"x"</f><v>stored</v></c><c r="E2"><f>SUM(1,2)</f><v>0.30000000000000004</v></c></row>
		<row r="3"><c r="A3" s="1"><v>46113</v></c><c r="B3" s="2"><v>1234.5</v></c><c r="C3" s="3"><v>46113</v></c><c r="D3" s="4"><v>46113.5</v></c><c r="E3" s="5"><v>0.855</v></c>
		<c r="F3" s="6"><v>0.25</v></c><c r="G3" t="b"><v>1</v></c><c r="H3" t="e"><v>#REF!</v></c><c r="I3" t="d"><v>2026-04-01T00:00:00</v></c><c r="J3"><v>2E-06</v></c><c r="K3" s="1"><v>-5</v></c></row>` + blank})
	got := readAll(t, content, "")
	want := []Record{
		{Row: 2, Cells: []string{"plain", "", "rich text", "stored", "0.3"}},
		{Row: 3, Cells: []string{"2026-04-01", "1234.5", "2026-04-01", "2026-04-01 12:00:00", "85.5%", "06:00:00", "true", "#REF!", "2026-04-01T00:00:00", "0.000002", "-5"}, Errors: []int{7}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if hidden := readAll(t, content, "first"); len(hidden) != 1 || hidden[0].Cells[0] != "1" {
		t.Errorf("the named sheet: %+v", hidden)
	}
}

func TestFormatsOfNumbers(t *testing.T) {
	for code, want := range map[string]shape{
		"General": plain, "0.00": plain, "#,##0.00 [$CAD]": plain, `#,##0 "days"`: plain, `0\d`: plain, "0.0%": percent, "yyyy-mm-dd": day, "mmm yy": day, "mmmm": day,
		"[$-1009]d mmmm yyyy": day, "dd/mm/yyyy hh:mm": dayTime, "h:mm AM/PM": clock, "[h]:mm": clock, "[Red]0.0;-0.0": plain, `0_);d`: plain, "0.0E+00": plain,
	} {
		if got := shapeOf(code); got != want {
			t.Errorf("%q is %d, not %d", code, got, want)
		}
	}
}

// outcome reads all of a workbook and says why it was refused.
func outcome(content []byte, name string) string {
	r, err := Open(content, name, 50)
	for err == nil {
		_, err = r.Next()
	}
	var refused *Refused
	if errors.As(err, &refused) {
		return strings.TrimPrefix(refused.Key, "import.fault.")
	}
	return err.Error()
}

func TestWorkbooksOutOfBoundsAreRefused(t *testing.T) {
	row := `<row r="1"><c r="A1"><v>1</v></c></row>`
	good := made(t, nil, [2]string{"S", row})
	parts := map[string]string{}
	for i := range bound.Parts {
		parts[fmt.Sprint("x", i)] = ""
	}
	protected := slices.Clone(good)
	for _, sign := range []string{"PK\x03\x04", "PK\x01\x02"} { // the flag of encryption in every header
		for at := 0; ; {
			i := bytes.Index(protected[at:], []byte(sign))
			if i < 0 {
				break
			}
			at += i + 6
			if sign == "PK\x01\x02" {
				at += 2
			}
			protected[at] |= 1
		}
	}
	liar := func() []byte { // says it unpacks to little
		content := made(t, map[string]string{"xl/s0.xml": ""}, [2]string{"S", row})
		return content
	}
	for name, c := range map[string]struct {
		content []byte
		sheet   string
		want    string
	}{
		"good":                     {good, "", "EOF"},
		"no such sheet":            {good, "Other", "no_sheet"},
		"cut short":                {good[:len(good)/2], "", "archive"},
		"damaged":                  {damagedCopy(good), "", "workbook"},
		"a zip of something else":  {zipOf(t, "readme.txt", "hello"), "", "not_workbook"},
		"an old or locked book":    {[]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and more"), "", "locked"},
		"encrypted parts":          {protected, "", "locked"},
		"an archive in it":         {made(t, map[string]string{"xl/embeddings/a.bin": "PK\x03\x04..."}, [2]string{"S", row}), "", "archive_nested"},
		"too many parts":           {made(t, parts, [2]string{"S", row}), "", "archive_parts"},
		"a bomb":                   {made(t, map[string]string{"xl/media/a": strings.Repeat("\x00", 20<<20)}, [2]string{"S", row}), "", "archive_ratio"},
		"more than can be held":    {made(t, map[string]string{"xl/media/a": strings.Repeat("\x00", 101<<20)}, [2]string{"S", row}), "", "archive_size"},
		"one part twice":           {liar(), "", "workbook"},
		"a row beyond the last":    {made(t, nil, [2]string{"S", `<row r="1048577"><c r="A1048577"><v>1</v></c></row>`}), "", "workbook"},
		"rows out of order":        {made(t, nil, [2]string{"S", `<row r="2"><c r="A2"><v>1</v></c></row><row r="2"/>`}), "", "workbook"},
		"a column beyond the last": {made(t, nil, [2]string{"S", `<row r="1"><c r="XFE1"><v>1</v></c></row>`}), "", "workbook"},
		"more cells than allowed":  {made(t, nil, [2]string{"S", `<row r="1"><c r="AY1"><v>1</v></c></row>`}), "", "columns"},
		"a cell of another row":    {made(t, nil, [2]string{"S", `<row r="1"><c r="A9"><v>1</v></c></row>`}), "", "workbook"},
		"a text that is not there": {made(t, nil, [2]string{"S", `<row><c t="s"><v>99</v></c></row>`}), "", "workbook"},
		"a number that is none":    {made(t, nil, [2]string{"S", `<row><c><v>x</v></c></row>`}), "", "workbook"},
		"an entity of its own":     {made(t, nil, [2]string{"S", `<row><c t="inlineStr"><is><t>&xxe;</t></is></c></row>`}), "", "workbook"},
		"no sheet to see":          {made(t, nil, [2]string{".S", row}), "", "workbook"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := outcome(c.content, c.sheet); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// damagedCopy changes a byte of packed content, which its checksum tells.
func damagedCopy(content []byte) []byte {
	out := slices.Clone(content)
	out[bytes.Index(out, []byte("xl/s0.xml"))+20] ^= 0xFF
	return out
}

func zipOf(t *testing.T, name, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.Create(name)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// An archive that lies about its sizes is counted as it is unpacked.
func TestSizesAreCountedAsTheyUnpack(t *testing.T) {
	a, err := unpack(made(t, nil, [2]string{"S", `<row><c><v>1</v></c></row>`}))
	if err != nil {
		t.Fatal(err)
	}
	a.left = 10
	in, _, err := a.open("xl/s0.xml")
	if err != nil {
		t.Fatal(err)
	}
	var refused *Refused
	if _, err := io.ReadAll(in); !errors.As(err, &refused) || refused.Key != "import.fault.archive_size" {
		t.Errorf("%v", err)
	}
}

// Whatever the bytes, a workbook is read or refused.
func FuzzOpen(f *testing.F) {
	f.Add([]byte("PK\x03\x04"), `<row r="1"><c r="A1"><v>1</v></c></row>`)
	f.Add([]byte{}, `<row><c t="s"><v>0</v></c></row>`)
	f.Fuzz(func(t *testing.T, raw []byte, rows string) {
		for _, content := range [][]byte{raw, made(t, nil, [2]string{"S", rows})} {
			r, err := Open(content, "", 50)
			for err == nil {
				_, err = r.Next()
			}
			var refused *Refused
			if !errors.Is(err, io.EOF) && !errors.As(err, &refused) {
				t.Errorf("%v", err)
			}
		}
	})
}
