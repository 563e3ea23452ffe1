package importer

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Column is something a format looks for in a file's header.
type Column struct {
	// Name is what the format calls it: "planned".
	Name string
	// Headers are the spellings that mean it. Letter case, accents, spaces and
	// punctuation do not matter: "Coût prévu" is "cout_prevu".
	Headers []string
	// Required columns must be there; the row that has them all is the header.
	Required bool
	// Unless names a column whose presence makes this one optional.
	Unless string
	// Unused columns are known and not stored, so their absence or presence
	// calls for no remark.
	Unused bool
}

// Col is a short form of Column: what the format calls it, then the spellings.
func Col(name string, headers ...string) Column { return Column{Name: name, Headers: headers} }

// Need is Col for a column that must be there.
func Need(name string, headers ...string) Column {
	return Column{Name: name, Headers: headers, Required: true}
}

// Unused lists columns a format knows and does not store.
func Unused(headers ...string) []Column {
	out := make([]Column, len(headers))
	for i, h := range headers {
		out[i] = Column{Name: "unused." + fold(h), Headers: []string{h}, Unused: true}
	}
	return out
}

// fold reduces a header cell to what has to agree: letters without accents in
// lower case, and digits; of punctuation only % and $ stay, which tell
// "Cost Variance ($ M)" from "Cost Variance (%)".
func fold(header string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(header) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '%', r == '$':
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// headerRows is how far down a header is looked for: files begin with titles,
// notes and empty lines.
const headerRows = 30

// mapping finds cells by column name.
type mapping struct {
	columns []Column
	byName  map[string]int // column name → index in columns
	spelled map[string]int // folded header → index in columns
	place   []int          // index in columns → cell, or -1
	labels  []string       // the header row as the file has it
	guarded bool           // Reject wrote the file: its texts are guarded
}

// newMapping prepares the search; renamed are the caller's own spellings
// (--set column.planned="Plan cost"), which win over the format's.
func newMapping(columns []Column, renamed map[string]string) *mapping {
	m := &mapping{columns: columns, byName: map[string]int{}, spelled: map[string]int{},
		place: make([]int, len(columns))}
	for i, c := range columns {
		m.byName[c.Name], m.place[i] = i, -1
		if own, ok := renamed[c.Name]; ok {
			m.spelled[fold(own)] = i
			continue
		}
		for _, h := range c.Headers {
			if _, taken := m.spelled[fold(h)]; !taken {
				m.spelled[fold(h)] = i
			}
		}
	}
	return m
}

// matches returns how many columns a row of cells names.
func (m *mapping) matches(cells []string) int {
	seen := map[int]bool{}
	for _, cell := range cells {
		if i, ok := m.spelled[fold(cell)]; ok && fold(cell) != "" {
			seen[i] = true
		}
	}
	return len(seen)
}

// take makes cells the header if it names every required column. It returns the
// names of the columns that are missing, and the labels it does not know.
func (m *mapping) take(cells []string) (missing, unknown, repeated []string) {
	place := make([]int, len(m.columns))
	for i := range place {
		place[i] = -1
	}
	for cell, label := range cells {
		i, ok := m.spelled[fold(label)]
		switch {
		case fold(label) == "" || rejected(label):
		case !ok:
			unknown = append(unknown, label)
		case place[i] >= 0:
			repeated = append(repeated, label)
		default:
			place[i] = cell
		}
	}
	for i, c := range m.columns {
		if c.Required && place[i] < 0 && (c.Unless == "" || place[m.byName[c.Unless]] < 0) {
			missing = append(missing, c.Headers[0])
		}
	}
	if len(missing) == 0 {
		m.place, m.labels = place, slices.Clone(cells)
		m.guarded = slices.ContainsFunc(cells, rejected)
	}
	return missing, unknown, repeated
}

// at returns where a column stands in a row, or -1; it panics for a name the
// format never declared, which is a fault of the format.
func (m *mapping) at(name string) int {
	i, ok := m.byName[name]
	if !ok {
		panic("importer: the format declares no column " + name)
	}
	return m.place[i]
}

// label returns how the file spells a column; what the format calls it where the
// file has none.
func (m *mapping) label(name string) string {
	if i := m.at(name); i >= 0 && i < len(m.labels) {
		return strings.TrimSpace(m.labels[i])
	}
	return m.columns[m.byName[name]].Headers[0]
}
