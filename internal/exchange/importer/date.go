package importer

import (
	"regexp"
	"strconv"
	"time"

	"steward/internal/rules/civil"
)

// DateOrder says how a file writes 03/04/2012.
type DateOrder int

// The orders. With Unknown a date that could be read both ways is a fault.
const (
	Unknown    DateOrder = iota
	MonthFirst           // 03/04/2012 is the fourth of March
	DayFirst             // 03/04/2012 is the third of April
)

var (
	yearFirst = regexp.MustCompile(`^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$`)
	yearLast  = regexp.MustCompile(`^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?: \d{1,2}:\d{2}(?::\d{2})?)?$`)
)

// ParseDate reads a day as files write them: 2012-03-04, with or without a time
// (which is dropped, not converted: the day is the one that is written), and
// 03/04/2012 in the given order. It returns the message key of what is wrong, or
// "".
func ParseDate(s string, order DateOrder) (civil.Date, Key) {
	var y, m, d int
	if p := yearFirst.FindStringSubmatch(s); p != nil {
		y, m, d = number(p[1]), number(p[2]), number(p[3])
	} else if p := yearLast.FindStringSubmatch(s); p != nil {
		a, b := number(p[1]), number(p[2])
		y = number(p[3])
		switch {
		case order == MonthFirst:
			m, d = a, b
		case order == DayFirst:
			d, m = a, b
		case a > 12:
			d, m = a, b
		case b > 12, a == b:
			m, d = a, b
		default:
			return civil.Date{}, "import.fault.date_ambiguous"
		}
	} else {
		return civil.Date{}, "import.fault.date"
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if y < 1 || t.Year() != y || int(t.Month()) != m || t.Day() != d {
		return civil.Date{}, "import.fault.date_impossible"
	}
	return civil.Date{Year: y, Month: time.Month(m), Day: d}, ""
}

func number(s string) int { n, _ := strconv.Atoi(s); return n }
