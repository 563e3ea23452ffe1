package importer

import (
	"slices"
	"strings"
)

// blankCells reports whether a record has nothing in it.
func blankCells(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// totalWords begin a line that sums the lines above it.
var totalWords = []string{"total", "totals", "grandtotal", "subtotal", "sum", "totalgeneral", "soustotal", "totaux"}

// totalLine reports whether a row is a sum of other rows: it begins with a word
// for it and lacks something every record has.
func (r *reading) totalLine(cells []string) bool {
	i := slices.IndexFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" })
	if !slices.Contains(totalWords, fold(cells[i])) {
		return false
	}
	for c, col := range r.mapping.columns {
		if at := r.mapping.place[c]; col.Required && (at >= len(cells) || strings.TrimSpace(cells[at]) == "") {
			return true
		}
	}
	return false
}

// endBlanks says how many empty records were passed over.
func (r *reading) endBlanks() {
	if r.blanks > 0 {
		r.warn(r.blankAt, "", Say("import.warning.blank", "n", r.blanks))
	}
	r.blanks = 0
}

func (r *reading) fault(line int, reason, hint Message) {
	r.report.Faults = append(r.report.Faults, Fault{File: r.file.Name, Line: line, Reason: reason, Hint: hint})
}

func (r *reading) warn(line int, column string, reason Message) {
	r.report.Warnings = append(r.report.Warnings, Warning{File: r.file.Name, Line: line, Column: shown(strings.TrimSpace(column)), Reason: reason})
}
