package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"steward/internal/rules/money"
)

func scanAll(t *testing.T, text string, comma byte) (records []record) {
	t.Helper()
	s := newScanner(strings.NewReader(text), comma)
	for {
		r, err := s.next()
		if errors.Is(err, io.EOF) {
			return records
		}
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
}

func TestScannerKeepsCellsAndCountsPhysicalLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		cells      [][]string
		lines      []int
	}{
		{"line feeds", "a,b\n1,2\n", [][]string{{"a", "b"}, {"1", "2"}}, []int{1, 2}},
		{"carriage returns and line feeds", "a,b\r\n1,2\r\n", [][]string{{"a", "b"}, {"1", "2"}}, []int{1, 2}},
		{"carriage returns", "a,b\r1,2", [][]string{{"a", "b"}, {"1", "2"}}, []int{1, 2}},
		{"mixed", "a\rb\nc\r\nd", [][]string{{"a"}, {"b"}, {"c"}, {"d"}}, []int{1, 2, 3, 4}},
		{"no end of line", "a,b", [][]string{{"a", "b"}}, []int{1}},
		{"line ends in cells", "\"x\r\ny\rz\nw\",1\n2,3\n", [][]string{{"x\r\ny\rz\nw", "1"}, {"2", "3"}}, []int{1, 4}},
		{"quotes in quotes", `"a ""b"" c",d`, [][]string{{`a "b" c`, "d"}}, []int{1}},
		{"text behind a quote", `"a"b,c`, [][]string{{"ab", "c"}}, []int{1}},
		{"a quote inside a cell", `5" pipe,c`, [][]string{{`5" pipe`, "c"}}, []int{1}},
		{"empty cells", ",,\n,", [][]string{{"", "", ""}, {"", ""}}, []int{1, 2}},
		{"a quoted empty cell is a record", "\"\"\n", [][]string{{""}}, []int{1}},
		{"blank lines", "a\n\n\r\nb", [][]string{{"a"}, {""}, {""}, {"b"}}, []int{1, 2, 3, 4}},
		{"control characters", "a\x01\x1bb,\v", [][]string{{"a\x01\x1bb", "\v"}}, []int{1}},
		{"nothing", "", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cells [][]string
			var lines []int
			for _, r := range scanAll(t, c.text, ',') {
				cells, lines = append(cells, r.cells), append(lines, r.line)
			}
			if !reflect.DeepEqual(cells, c.cells) || !reflect.DeepEqual(lines, c.lines) {
				t.Errorf("%q\n got %q at %v\nwant %q at %v", c.text, cells, lines, c.cells, c.lines)
			}
		})
	}
}

func TestLinesOfAFileWithoutLineFeeds(t *testing.T) {
	_, r := readText(t, Options{}, "Number,Name\r1,\"A\rB\"\r,x\r")
	if r.Faults[0].Line != 4 {
		t.Errorf("%+v", r.Faults)
	}
}

func TestScannerFaultsAtTheLineWhereTheQuoteOpens(t *testing.T) {
	r := scanAll(t, "a\nb\n\"never closed\n\nmore\n", ',')
	if last := r[len(r)-1]; last.broken != "import.fault.quote" || last.line != 3 {
		t.Errorf("got %+v", last)
	}
	r = scanAll(t, "a\n"+strings.Repeat("x", MaxCell+10)+"\nb\n", ',')
	if last := r[len(r)-1]; last.broken != "import.fault.cell" || last.line != 2 {
		t.Errorf("a cell over the limit: broken %q at %d", last.broken, last.line)
	}
	big := strings.Repeat("y", 3<<20)
	if r = scanAll(t, "\""+big+"\",1\n", ','); r[0].cells[0] != big {
		t.Error("a cell of three megabytes did not survive")
	}
}

// Whatever is written by RFC 4180 is read back, with any separator and line end.
func TestScannerReadsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.StringOf(rapid.SampledFrom([]rune("ab,;\t|\"\r\n é\x00\x7f")))
		rows := rapid.SliceOfN(rapid.SliceOfN(cell, 2, 4), 1, 5).Draw(t, "rows")
		comma := rapid.SampledFrom(separators).Draw(t, "comma")
		end := rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "end")
		var b strings.Builder
		for _, row := range rows {
			for i, c := range row {
				if i > 0 {
					b.WriteByte(comma)
				}
				b.WriteString(`"` + strings.ReplaceAll(c, `"`, `""`) + `"`)
			}
			b.WriteString(end)
		}
		s := newScanner(strings.NewReader(b.String()), comma)
		for i, row := range rows {
			r, err := s.next()
			if err != nil || !reflect.DeepEqual(r.cells, row) {
				t.Fatalf("row %d of %q: got %q, %v, want %q", i, b.String(), r.cells, err, row)
			}
		}
		if _, err := s.next(); !errors.Is(err, io.EOF) {
			t.Fatalf("more than was written: %v", err)
		}
	})
}

// people is a small format for the tests of the framework.
type people struct{}

var person = &Kind{Entity: "Product"}

func (people) Name() string                   { return "people" }
func (people) Open(o Options) (Parser, error) { return people{}, o.Allow("flavour") }
func (people) Source() string                 { return "test" }
func (people) Kinds() []*Kind                 { return []*Kind{person} }
func (people) Columns() []Column {
	return []Column{Need("id", "Number", "Numéro"), Need("name", "Name", "Nom"), Col("paid", "Paid", "Payé"), Col("born", "Born")}
}
func (people) Row(r *Row) {
	paid := r.Money("paid", 1)
	var t []Total
	if paid != nil {
		t = append(t, Total{"paid", "CAD", *paid})
	}
	r.Put(person, r.Must("id"), Values{"name": r.Must("name"), "launched_on": r.Date("born")}, t...)
}

func readText(t *testing.T, o Options, content ...string) (*Staged, *Report) {
	t.Helper()
	var files []File
	for i, c := range content {
		files = append(files, Bytes(string(rune('a'+i))+".csv", []byte(c)))
	}
	s, r, err := Read(context.Background(), people{}, files, o)
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

func utf16Bytes(s string, big, bom bool) string {
	var b bytes.Buffer
	units := utf16.Encode([]rune(s))
	if bom {
		units = append([]uint16{0xFEFF}, units...)
	}
	for _, u := range units {
		if big {
			b.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.String()
}

func TestEncodingsAndSeparators(t *testing.T) {
	text := "Numéro,Nom,Payé\n1,Zoé Müller,12.50\n2,François,3\n"
	latin := strings.NewReplacer("é", "\xe9", "ü", "\xfc", "ç", "\xe7").Replace(text)
	for name, content := range map[string]string{
		"UTF-8":                         text,
		"UTF-8 with a byte order mark":  "\xEF\xBB\xBF" + text,
		"UTF-16LE":                      utf16Bytes(text, false, true),
		"UTF-16BE":                      utf16Bytes(text, true, true),
		"UTF-16LE without a mark":       utf16Bytes(text, false, false),
		"UTF-16BE without a mark":       utf16Bytes(text, true, false),
		"ISO-8859-1":                    latin,
		"semicolons":                    strings.ReplaceAll(text, ",", ";"),
		"tabs":                          strings.ReplaceAll(text, ",", "\t"),
		"bars":                          strings.ReplaceAll(text, ",", "|"),
		"carriage returns":              strings.ReplaceAll(text, "\n", "\r"),
		"carriage returns and feeds":    strings.ReplaceAll(text, "\n", "\r\n"),
		"mixed line ends":               strings.Replace(strings.Replace(text, "\n", "\r\n", 1), "\n2", "\r2", 1),
		"a title and notes first":       "Report of payments\n\n\"Notes, many\"\n" + text,
		"quoted header":                 `"NUMÉRO","  nom ","paye"` + text[strings.Index(text, "\n"):],
		"semicolons and decimal commas": "Numéro;Nom;Payé\n1;Zoé Müller;\"12.50\"\n2;François;3\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, r := readText(t, Options{}, content)
			got := s.Records(person)
			if len(r.Faults) > 0 || len(got) != 2 || got[0].Values["name"] != "Zoé Müller" || got[1].Values["name"] != "François" {
				t.Fatalf("%+v %+v", got, r.Faults)
			}
			if p := r.Totals["paid"]["CAD"]; p != money.Amount(155000) {
				t.Errorf("paid %s", p)
			}
		})
	}
	s, _ := readText(t, Options{}, "Number,Name\n1,\x93Quoted\x94 \x80 5\n") // windows-1252 only
	if got := s.Records(person)[0].Values["name"]; got != "“Quoted” € 5" {
		t.Errorf("windows-1252: %q", got)
	}
}

func TestFaultsSayWhereAndWhat(t *testing.T) {
	s, r := readText(t, Options{}, "Number,Name,Paid,Born\n"+
		"1,Ann,See note,2001-01-01\n"+ // 2
		"2,\"Bo\nb\",5,2001-02-30\n"+ // 3 and 4
		"3,,5,03/04/2001\n"+ // 5
		"4,Zed\x00,5,\n"+ // 6
		"5,Ed,5,,,surplus\n"+ // 7
		"6,Flo,7,13/04/2001\n"+ // 8
		"7,Gé\xff,7,\n") // 9: a broken byte among good UTF-8
	type at struct {
		line        int
		column, key string
	}
	var got []at
	for _, f := range r.Faults {
		got = append(got, at{f.Line, f.Column, f.Reason.Key})
	}
	want := []at{
		{2, "Paid", "import.fault.amount"},
		{3, "Born", "import.fault.date_impossible"},
		{5, "Name", "import.fault.missing"}, {5, "Born", "import.fault.date_ambiguous"},
		{6, "Name", "import.fault.nul"},
		{7, "", "import.fault.too_many_cells"},
		{9, "Name", "import.fault.encoding"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if r.Rows != 7 || len(s.Records(person)) != 1 || s.Records(person)[0].ID != "6" {
		t.Errorf("%d rows, staged %v", r.Rows, s.Records(person))
	}
	if p := r.Totals["paid"]["CAD"]; p != money.Amount(70000) {
		t.Errorf("the totals hold rows with faults: %s", p)
	}
	if v := r.Faults[0].Value; v != "See note" {
		t.Errorf("value %q", v)
	}
	_, r = readText(t, Options{}, "Number,Name,Paid\n1,A,"+strings.Repeat("é", 500)+"\n")
	if v := []rune(r.Faults[0].Value); len(v) != 100 {
		t.Errorf("the value has %d characters", len(v))
	}
}

func TestFilesThatCannotBeReadAreFaultsNotErrors(t *testing.T) {
	for name, c := range map[string]struct{ content, key string }{
		"empty":                   {"", "import.fault.empty"},
		"only a byte order mark":  {"\xEF\xBB\xBF", "import.fault.empty"},
		"only blank lines":        {"\n\n , ,\n", "import.fault.empty"},
		"a broken archive":        {"PK\x03\x04rest", "import.fault.archive"},
		"an empty archive":        {"PK\x05\x06" + strings.Repeat("\x00", 18), "import.fault.compressed"},
		"an old or locked book":   {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "import.fault.locked"},
		"gzip":                    {"\x1f\x8b\x08", "import.fault.compressed"},
		"PDF":                     {"%PDF-1.7\n", "import.fault.binary"},
		"a picture":               {"\x89PNG\r\n\x1a\n", "import.fault.binary"},
		"a program":               {"\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 50), "import.fault.binary"},
		"noise":                   {noise(4096), "import.fault.binary"},
		"another table":           {"Colour,Size\nred,4\n", "import.fault.header"},
		"a quote over everything": {"Number,Name\n1,\"A\n2,B\n", "import.fault.quote"},
	} {
		t.Run(name, func(t *testing.T) {
			_, r := readText(t, Options{}, c.content)
			if len(r.Faults) != 1 || r.Faults[0].Reason.Key != c.key || r.Faults[0].Line < 1 {
				t.Errorf("%+v", r.Faults)
			}
		})
	}
	_, r := readText(t, Options{}, "Colour,Name\nred,4\n")
	if h := r.Faults[0].Hint.In("en"); !strings.Contains(h, "column.id") {
		t.Errorf("hint %q", h)
	}
	_, _, err := Read(context.Background(), people{}, []File{Path(filepath.Join(t.TempDir(), "none.csv"))}, Options{})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// noise is bytes without order.
func noise(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return string(b)
}

// A control character here and there is a fault of its row, or of none.
func TestTextWithAStrayControlCharacterIsRead(t *testing.T) {
	_, r := readText(t, Options{}, "Number,Name\n1,A\x0bB\n2,C\x00\n"+strings.Repeat("3,D\n", 3))
	if len(r.Faults) != 1 || r.Faults[0].Reason.Key != "import.fault.nul" || r.Faults[0].Line != 3 {
		t.Errorf("%+v", r.Faults)
	}
}

func TestWarningsForWhatIsPassedOver(t *testing.T) {
	_, r := readText(t, Options{}, "About\nNumber,Name,Colour,Name\n1,A,red,x\n\n\n2,B,,\nTotal,,99,\n\n")
	var got []string
	for _, w := range r.Warnings {
		got = append(got, w.Reason.Key+"@"+string(rune('0'+w.Line)))
	}
	want := []string{"import.warning.preamble@2", "import.warning.unknown_column@2", "import.warning.repeated_column@2",
		"import.warning.blank@4", "import.warning.total_line@7", "import.warning.blank@8"}
	if !reflect.DeepEqual(got, want) || r.Rows != 2 {
		t.Errorf("%d rows\n got %v\nwant %v", r.Rows, got, want)
	}
	if s := r.Warnings[3].Reason.In("en"); s != "2 empty records skipped" {
		t.Errorf("%q", s)
	}
}

func TestDuplicatesAreReportedAndCountedOnce(t *testing.T) {
	s, r := readText(t, Options{}, "Number,Name,Paid\n1,A,5\n2,B,6\n1,A,5\n", "Number,Name,Paid\n2,Bee,6\n")
	want := []Duplicate{{File: "a.csv", Line: 4, Of: 2}, {File: "b.csv", Line: 2, Of: 3, In: "a.csv"}}
	if !reflect.DeepEqual(r.Duplicates, want) || len(s.Records(person)) != 2 || r.Rows != 4 {
		t.Errorf("%+v", r.Duplicates)
	}
	if p := r.Totals["paid"]["CAD"]; p != money.Amount(110000) {
		t.Errorf("paid %s", p)
	}
	if len(r.Warnings) != 1 || r.Warnings[0].Reason.Key != "import.warning.differs" {
		t.Errorf("%+v", r.Warnings)
	}
}

func TestSettings(t *testing.T) {
	_, r := readText(t, Options{Set: map[string]string{"column.paid": "Amount sent", "dates": "day-first", "separator": ";", "total.paid": "5.00"}},
		"Number;Name;Amount sent;Born\n1;A;5;03/04/2001\n")
	if !r.OK() || len(r.Warnings) != 0 {
		t.Errorf("%+v %+v", r.Faults, r.Warnings)
	}
	_, r = readText(t, Options{Set: map[string]string{"total.paid": "6"}}, "Number,Name,Paid\n1,A,5\n")
	if len(r.Faults) != 1 || r.Faults[0].Reason.In("en") != "the rows add up to 5.00, not to 6.00" {
		t.Errorf("%+v", r.Faults)
	}
	for _, set := range []map[string]string{{"colour": "red"}, {"dates": "later"}, {"separator": "::"}, {"total.paid": "lots"}} {
		_, _, err := Read(context.Background(), people{}, []File{Bytes("a.csv", []byte("Number,Name\n1,A\n"))}, Options{Set: set})
		if err == nil || !strings.Contains(err.Error(), "import.error.setting") {
			t.Errorf("%v: %v", set, err)
		}
	}
}

// The JSON of a report is a promise (interfaces.md).
func TestReportJSON(t *testing.T) {
	_, r := readText(t, Options{}, "Number,Name,Paid\n1,A,x\n2,B,5\n2,B,5\n")
	r.Created["Product"], r.Applied, r.ChangeSet = 1, true, "chs_1"
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"format":"people","files":["a.csv"],"rows":3,"applied":true,"changeSet":"chs_1",` +
		`"created":{"Product":1},"updated":{},"unchanged":{},"duplicates":[{"file":"a.csv","line":4,"of":3}],` +
		`"faults":[{"file":"a.csv","line":2,"column":"Paid","value":"x","reason":"not an amount","hint":"Write a number such as 1,234.50."}],` +
		`"warnings":[],"totals":{"paid":{"CAD":"5.00"}}}`
	if string(b) != want {
		t.Errorf("\n got %s\nwant %s", b, want)
	}
	kept, err := r.Keep()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Kept(kept)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(back); string(again) != want {
		t.Errorf("stored and read:\n got %s\nwant %s", again, want)
	}
	if fr, _ := json.Marshal(back.In("fr")); !strings.Contains(string(fr), "n’est pas un montant") {
		t.Errorf("%s", fr)
	}
}

func TestContentIDKeepsIdenticalRowsAndFindsThemAgain(t *testing.T) {
	read := func() (ids []string) {
		s, _, err := Read(context.Background(), lines{}, []File{Bytes("l.csv", []byte("Name\nx\nx\ny\n"))}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range s.Records(person) {
			ids = append(ids, r.ID)
		}
		return ids
	}
	a, b := read(), read()
	if len(a) != 3 || a[0] == a[1] || !reflect.DeepEqual(a, b) {
		t.Errorf("%v %v", a, b)
	}
}

type lines struct{ people }

func (lines) Open(Options) (Parser, error) { return lines{}, nil }
func (lines) Columns() []Column            { return []Column{Need("name", "Name")} }
func (lines) Row(r *Row)                   { r.Put(person, r.ContentID("name"), Values{"name": r.Text("name")}) }
