package importer

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

// MaxCell bounds one cell in bytes. A larger one means a quote that was opened
// and never closed, or a file that is not a table.
const MaxCell = 8 << 20

// MaxColumns bounds the cells of one record.
const MaxColumns = 4096

// scanner cuts text into records by RFC 4180, leniently where programs differ:
// LF, CRLF and CR end a record, also mixed in one file; a quoted cell may hold
// all of them unchanged; text after a closing quote belongs to the cell; a quote
// inside an unquoted cell is a letter. Lines are counted as editors and grep
// count them, so a record's line is where its first cell begins: LF ends a line,
// a CR alone does where it ends a record or the file has no LF at all.
type scanner struct {
	in    *bufio.Reader
	comma byte
	line  int // the physical line about to be read, from 1
	done  bool
	cr    bool // the file has no LF: a CR in a cell ends a line too

	text []byte // the cells of the current record, one after another
	ends []int  // where each ends
}

// record is one row of cells as the file has them.
type record struct {
	line   int
	cells  []string
	blank  bool  // a line with nothing on it
	broken Key   // why the record cannot be read, or empty
	errors []int // cells of a workbook that hold an error such as #REF!
}

func newScanner(in io.Reader, comma byte) *scanner {
	return &scanner{in: bufio.NewReaderSize(in, 64<<10), comma: comma, line: 1}
}

func (s *scanner) place() int { return s.line }

// next returns the next record, io.EOF after the last, or the reader's error.
func (s *scanner) next() (record, error) {
	if s.done {
		return record{}, io.EOF
	}
	s.text, s.ends = s.text[:0], s.ends[:0]
	r := record{line: s.line}
	const (
		start  = iota // at the beginning of a cell
		plain         // inside an unquoted cell
		quoted        // between quotes
		after         // behind a closing quote
	)
	state, begin, quotes := start, 0, false
	endCell := func() { s.ends = append(s.ends, len(s.text)); begin = len(s.text); state = start }
	for {
		b, err := s.in.ReadByte()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return record{}, err
			}
			s.done = true
			if state == quoted {
				r.broken = "import.fault.quote"
			}
			if state == start && len(s.ends) == 0 && !quotes {
				return record{}, io.EOF // the file ended with its last record
			}
			break
		}
		if state == quoted {
			switch b {
			case '"':
				if next, _ := s.in.Peek(1); len(next) == 1 && next[0] == '"' {
					_, _ = s.in.ReadByte()
					s.text = append(s.text, '"')
				} else {
					state = after
				}
				continue
			case '\r':
				if s.cr {
					s.line++
				}
			case '\n':
				s.line++
			}
			s.text = append(s.text, b)
			if len(s.text)-begin > MaxCell {
				s.done, r.broken = true, "import.fault.cell"
				break
			}
			continue
		}
		switch {
		case b == s.comma:
			endCell()
			if len(s.ends) > MaxColumns {
				s.done, r.broken = true, "import.fault.columns"
			}
		case b == '\r' || b == '\n':
			if b == '\r' {
				if next, _ := s.in.Peek(1); len(next) == 1 && next[0] == '\n' {
					_, _ = s.in.ReadByte()
				}
			}
			s.line++
			r.blank = len(s.ends) == 0 && len(s.text) == 0 && !quotes
			endCell()
			return s.cut(r), nil
		case b == '"' && state == start:
			state, quotes = quoted, true
		default:
			if state == start {
				state = plain
			}
			s.text = append(s.text, b)
			if len(s.text)-begin > MaxCell {
				s.done, r.broken = true, "import.fault.cell"
			}
		}
		if s.done {
			break
		}
	}
	endCell()
	return s.cut(r), nil
}

// cut makes one string of the record and slices the cells out of it.
func (s *scanner) cut(r record) record {
	all := string(s.text)
	r.cells = make([]string, len(s.ends))
	from := 0
	for i, to := range s.ends {
		r.cells[i] = all[from:to]
		from = to
	}
	return r
}

// separators that are tried, the likeliest first.
var separators = []byte{',', ';', '\t', '|'}

// sniff returns the separator of a file from its first bytes: the one under
// which some record holds most of the expected column names; where none does,
// the one that cuts most records into the same number of cells.
func sniff(sample []byte, known func(cells []string) int) byte {
	best, bestKnown, bestEven := separators[0], -1, -1.0
	for _, comma := range separators {
		s := newScanner(bytes.NewReader(sample), comma)
		counts := map[int]int{}
		var names, records int
		for records < 40 {
			r, err := s.next()
			if err != nil {
				break
			}
			if r.blank {
				continue
			}
			records++
			names = max(names, known(r.cells))
			if len(r.cells) > 1 {
				counts[len(r.cells)]++
			}
		}
		even := 0.0
		for cells, n := range counts {
			share := float64(n) / float64(records)
			even = max(even, share*share*float64(cells))
		}
		if names > bestKnown || names == bestKnown && even > bestEven {
			best, bestKnown, bestEven = comma, names, even
		}
	}
	return best
}

// damaged reports whether a cell holds bytes that are no letter in the file's
// encoding, or a NUL, which PostgreSQL cannot store. In a decoded file U+FFFD is
// what the decoder left in place of such bytes; elsewhere it is a letter.
func damaged(cell string, decoded bool) Key {
	for i := 0; i < len(cell); {
		b := cell[i]
		if b == 0 {
			return "import.fault.nul"
		}
		if b < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(cell[i:])
		if r == utf8.RuneError && (size == 1 || decoded) {
			return "import.fault.encoding"
		}
		i += size
	}
	return ""
}
