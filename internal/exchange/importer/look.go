package importer

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// Look is the beginning of a file: enough to find its header and to show what stands
// below it, without reading the rest of a text.
type Look struct {
	Encoding Encoding // of a text; empty for a workbook
	Sheet    string   // of a workbook
	// Rows are the first rows with something in them.
	Rows []LookRow
	// Fault is why the file cannot be read at all, or nil.
	Fault *Fault
}

// LookRow is one row as the file has it.
type LookRow struct {
	Line  int
	Cells []string
}

// lookBytes is how much of a text is looked at, lookRows how many of its rows.
const (
	lookBytes = 256 << 10
	lookRows  = headerRows + 6
)

// LookAt returns the beginning of a file, read with the settings separator and sheet.
// Columns are those of the formats it may be in, which help to find the separator.
func LookAt(f File, set map[string]string, columns []Column) (*Look, error) {
	head, err := beginning(f)
	if err != nil {
		return nil, err
	}
	r := &reading{file: head, options: Options{Set: set}, parser: looking(columns), stage: &Staged{}, report: newReport("", []File{f})}
	out := &Look{}
	s, end, err := r.open()
	if err != nil {
		return nil, err
	}
	if s == nil {
		out.Fault = &r.report.Faults[0]
		return out, nil
	}
	defer end()
	if book, ok := s.(*sheetRows); ok {
		out.Sheet = book.book.Name
	} else if n, err := inspect(head); err == nil {
		out.Encoding = n.encoding
	}
	for len(out.Rows) < lookRows {
		rec, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if err = r.refused(s.place(), err); err != nil {
				return nil, err
			}
			out.Fault = &r.report.Faults[0]
			break
		}
		if rec.broken != "" { // a quote that the cut has left open is no fault of the file
			if len(out.Rows) == 0 && rec.broken != "import.fault.quote" {
				out.Fault = &Fault{File: f.Name, Line: rec.line, Reason: Say(rec.broken)}
			}
			break
		}
		if !blankCells(rec.cells) {
			out.Rows = append(out.Rows, LookRow{rec.line, rec.cells})
		}
	}
	if len(out.Rows) == 0 && out.Fault == nil {
		out.Fault = &Fault{File: f.Name, Line: 1, Reason: Say("import.fault.empty")}
	}
	return out, nil
}

// beginning returns a text cut behind its last whole line within lookBytes; a
// workbook can only be read whole.
func beginning(f File) (File, error) {
	in, err := f.open()
	if err != nil {
		return f, err
	}
	defer in.Close()
	b := make([]byte, lookBytes)
	n, err := io.ReadFull(in, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return f, err
	}
	if bytes.HasPrefix(b[:n], []byte("PK\x03\x04")) {
		return f, nil
	}
	if n == lookBytes {
		if i := bytes.LastIndexByte(b[:n], '\n'); i > 0 && b[i-1] != 0 && i+1 < n && b[i+1] != 0 { // not in the middle of UTF-16
			n = i + 1
		}
	}
	return Bytes(f.Name, b[:n]), nil
}

// Header returns which of the rows is the header for a format's columns: the first that
// names all that must be there, else the one that names most, else the first with most
// cells.
func (l *Look) Header(columns []Column, set map[string]string) int {
	m := newMapping(columns, Options{Set: set}.renamed())
	best, most, widest, cells := -1, 0, 0, 0
	for i, row := range l.Rows[:min(len(l.Rows), headerRows)] {
		missing, _, _ := m.take(row.Cells)
		n := m.matches(row.Cells)
		if len(missing) == 0 && n > 0 {
			return i
		}
		if n > most {
			best, most = i, n
		}
		if filled := len(row.Cells) - count(row.Cells, ""); filled > cells {
			widest, cells = i, filled
		}
	}
	if best >= 0 {
		return best
	}
	return widest
}

// Fit says how well the file's header fits a format: how many columns it names, and
// which of those that must be there it lacks.
func (l *Look) Fit(columns []Column) (named int, missing []string) {
	if len(l.Rows) == 0 {
		return 0, nil
	}
	m := newMapping(columns, nil)
	row := l.Rows[l.Header(columns, nil)].Cells
	missing, _, _ = m.take(row)
	return m.matches(row), missing
}

// Guess returns the column of a format that each label means, "" for none; no column
// is given twice.
func Guess(labels []string, columns []Column) []string {
	m := newMapping(columns, nil)
	out, taken := make([]string, len(labels)), map[int]bool{}
	for i, label := range labels {
		if c, ok := m.spelled[fold(label)]; ok && fold(label) != "" && !taken[c] {
			taken[c] = true
			out[i] = columns[c].Name
		}
	}
	return out
}

// SetColumn returns the name of the setting that says how a file spells a column;
// the value "" says that it has none.
func SetColumn(name string) string { return setColumn + name }

// Shape returns labels as they are compared: two header lines of one shape are read
// alike.
func Shape(labels []string) string {
	out := make([]string, len(labels))
	for i, l := range labels {
		out[i] = fold(l)
	}
	return strings.Join(out, "\x00")
}

func count(cells []string, what string) (n int) {
	for _, c := range cells {
		if strings.TrimSpace(c) == what {
			n++
		}
	}
	return n
}

// looking is a parser that is asked for its columns only.
type looking []Column

func (looking) Source() string      { return "" }
func (c looking) Columns() []Column { return c }
func (looking) Kinds() []*Kind      { return nil }
func (looking) Row(*Row)            {}
