package sheet

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Record is one row that has something in it. Its cells are texts: numbers as plain
// decimals of at most 15 digits, days as 2026-04-01, booleans as true and false,
// percentages with their sign, formulas as the values that were stored with them.
type Record struct {
	Row   int
	Cells []string
	// Errors are the cells, counted from 0, that hold an error such as #REF!.
	Errors []int
}

// Reader reads one sheet of a workbook from its first row to its last. Its errors are
// *Refused.
type Reader struct {
	Name string // of the sheet

	shared   []string
	shapes   []shape
	date1904 bool
	rows     *xml.Decoder
	row      int
	columns  int // the most cells a row may have
}

// Open finds a sheet of a workbook: the named one, or without a name the first that
// can be seen. Rows of more cells than columns are refused.
func Open(content []byte, name string, columns int) (*Reader, error) {
	if strings.HasPrefix(string(content[:min(8, len(content))]), "\xD0\xCF\x11\xE0") {
		return nil, refuse("import.fault.locked")
	}
	a, err := unpack(content)
	if err != nil {
		return nil, err
	}
	var top, rels relations
	if err := a.decode("_rels/.rels", &top); err != nil {
		return nil, err
	}
	home, _ := top.target("", "", "officeDocument")
	if home == "" || a.parts[home] == nil || !strings.HasSuffix(home, ".xml") {
		return nil, refuse("import.fault.not_workbook")
	}
	folder := home[:strings.LastIndexByte(home, '/')+1]
	var book workbook
	if err := a.decode(home, &book); err != nil {
		return nil, err
	}
	if err := a.decode(folder+"_rels/"+home[len(folder):]+".rels", &rels); err != nil {
		return nil, err
	}
	r := &Reader{date1904: truth(book.Properties.Date1904), columns: min(columns, MaxColumns)}
	part := ""
	var names []string
	for _, s := range book.Sheets {
		i := slices.IndexFunc(s.Attrs, func(x xml.Attr) bool { return x.Name.Local == "id" })
		if i < 0 {
			continue
		}
		target, kind := rels.target(folder, s.Attrs[i].Value, "")
		if !strings.HasSuffix(kind, "/worksheet") {
			continue
		}
		names = append(names, shorten(s.Name))
		if part == "" && (name == "" && s.State != "hidden" && s.State != "veryHidden" || name != "" && strings.EqualFold(s.Name, name)) {
			part, r.Name = target, s.Name
		}
	}
	switch {
	case part == "" && name != "":
		return nil, refuse("import.fault.no_sheet", "name", shorten(name), "names", strings.Join(names[:min(len(names), 20)], ", "))
	case part == "" || a.parts[part] == nil:
		return nil, errBroken
	}
	texts, _ := rels.target(folder, "", "sharedStrings")
	if r.shared, err = a.shared(texts); err != nil {
		return nil, err
	}
	looks, _ := rels.target(folder, "", "styles")
	var s styles
	if err := a.decode(looks, &s); err != nil {
		return nil, err
	}
	r.shapes = s.shapes()
	in, _, err := a.open(part)
	if err != nil {
		return nil, err
	}
	r.rows = xml.NewDecoder(in)
	return r, nil
}

// Next returns the next row with something in it, io.EOF after the last.
func (r *Reader) Next() (Record, error) {
	for {
		t, err := r.rows.Token()
		if errors.Is(err, io.EOF) {
			return Record{}, io.EOF
		}
		if err != nil {
			return Record{}, faulty(err)
		}
		e, ok := t.(xml.StartElement)
		if !ok || e.Name.Local != "row" {
			continue
		}
		rec, err := r.record(e)
		if err != nil {
			return Record{}, err
		}
		if len(rec.Cells) > 0 {
			return rec, nil
		}
	}
}

// Row is the number of the row that was read last.
func (r *Reader) Row() int { return r.row }

// record reads the cells of a row. Empty cells at its end are left out.
func (r *Reader) record(e xml.StartElement) (Record, error) {
	row := r.row + 1
	if text := attribute(e, "r"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < row {
			return Record{}, errBroken
		}
		row = n
	}
	if row > MaxRows {
		return Record{}, errBroken
	}
	r.row = row
	rec := Record{Row: row}
	column := 0
	for {
		t, err := r.rows.Token()
		if err != nil {
			return Record{}, faulty(err)
		}
		switch x := t.(type) {
		case xml.EndElement:
			return rec, nil
		case xml.StartElement:
			if x.Name.Local != "c" {
				if err := r.rows.Skip(); err != nil {
					return Record{}, faulty(err)
				}
				continue
			}
			column++
			if text := attribute(x, "r"); text != "" {
				at, in, ok := place(text)
				if !ok || in != row || at < column {
					return Record{}, errBroken
				}
				column = at
			}
			text, wrong, err := r.cell(x)
			if err != nil {
				return Record{}, err
			}
			if strings.TrimSpace(text) == "" {
				continue
			}
			if column > r.columns {
				return Record{}, refuse("import.fault.columns")
			}
			for len(rec.Cells) < column {
				rec.Cells = append(rec.Cells, "")
			}
			rec.Cells[column-1] = text
			if wrong {
				rec.Errors = append(rec.Errors, column-1)
			}
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// cell reads one cell up to its end; wrong tells that it holds an error.
func (r *Reader) cell(e xml.StartElement) (text string, wrong bool, err error) {
	var value, inline string
	for {
		t, err := r.rows.Token()
		if err != nil {
			return "", false, faulty(err)
		}
		switch x := t.(type) {
		case xml.StartElement:
			switch x.Name.Local {
			case "v":
				if value, err = plainText(r.rows); err != nil {
					return "", false, err
				}
			case "is":
				if inline, err = richText(r.rows); err != nil {
					return "", false, err
				}
			default: // the formula among them
				if err := r.rows.Skip(); err != nil {
					return "", false, faulty(err)
				}
			}
		case xml.EndElement:
			return r.value(attribute(e, "t"), attribute(e, "s"), value, inline)
		}
	}
}

// plainText is the text of an element up to its end.
func plainText(d *xml.Decoder) (string, error) {
	var b strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return "", faulty(err)
		}
		switch x := t.(type) {
		case xml.CharData:
			b.Write(x)
		case xml.StartElement:
			return "", errBroken
		case xml.EndElement:
			return b.String(), nil
		}
	}
}

// value is what a cell says by its type and style.
func (r *Reader) value(kind, style, value, inline string) (string, bool, error) {
	switch kind {
	case "inlineStr":
		return inline, false, nil
	case "s":
		if value == "" {
			return "", false, nil
		}
		i, err := strconv.Atoi(value)
		if err != nil || i < 0 || i >= len(r.shared) {
			return "", false, errBroken
		}
		return r.shared[i], false, nil
	case "str":
		return unescape(value), false, nil
	case "b":
		return strconv.FormatBool(truth(value)), false, nil
	case "e":
		return value, true, nil
	case "d":
		return value, false, nil
	}
	if value = strings.TrimSpace(value); value == "" {
		return "", false, nil
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return "", false, errBroken
	}
	shape := plain
	if i, err := strconv.Atoi(style); err == nil && i >= 0 && i < len(r.shapes) {
		shape = r.shapes[i]
	}
	switch shape {
	case percent:
		return decimal(v*100) + "%", false, nil
	case day, dayTime, clock:
		if text, ok := r.moment(v, shape); ok {
			return text, false, nil
		}
	}
	return decimal(v), false, nil
}

// decimal writes a number with the 15 digits that spreadsheets show, so that what was
// typed as 0.3 and is stored as 0.30000000000000004 is 0.3 again.
func decimal(v float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', exactDigits-1, 64), 64)
	if err != nil {
		rounded = v
	}
	if rounded == 0 {
		return "0"
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// moment turns days since the epoch of the workbook into a day, with the time of day
// if there is one. Days that spreadsheets count wrongly, before March 1900, and those
// after the year 9999 stay numbers.
func (r *Reader) moment(v float64, s shape) (string, bool) {
	if r.date1904 {
		v += 1462
	}
	if v < 0 || v >= 2_958_466 {
		return "", false
	}
	days := math.Floor(v)
	seconds := math.Round((v - days) * 86_400)
	at := epoch.AddDate(0, 0, int(days)).Add(time.Duration(seconds) * time.Second)
	switch {
	case s == clock && v < 1:
		return at.Format("15:04:05"), true
	case v < 61:
		return "", false
	case seconds == 0:
		return at.Format("2006-01-02"), true
	}
	return at.Format("2006-01-02 15:04:05"), true
}
