// Package fiscal turns days and months into fiscal years, quarters and periods,
// for years that may begin in any month. A fiscal year is always named by the
// calendar year it starts in: 2026 is 2026–27 when it starts in April.
//
// Anybody may import it; it imports civil and errs only.
package fiscal

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"steward/internal/rules/errs"
)

// yearLabel matches the spellings found in published budgets: an optional FY, a
// year of two or four digits, and optionally the year after it.
var yearLabel = regexp.MustCompile(`(?i)^(?:FY|Exercice)?\s*(\d{4}|\d{2})(?:\s*[-–/]\s*(\d{4}|\d{2}))?$`)

// The years that can be meant at all.
const (
	minYear = 1900
	maxYear = 2199
)

// ParseYear returns the calendar year a fiscal year starts in. It reads the
// spellings "FY 2018-19", "2020-2021", "FY20-21", "2015-16" and "2014", with a
// hyphen, an en dash or a slash, and what Calendar.Label writes. A year alone is
// taken as the year it starts in. Two digits alone mean 1970 to 2069. A second
// year that does not follow the first, and anything else, is an error.
func ParseYear(label string) (int, error) {
	bad := errs.New(errs.Validation, "error.fiscal.year", "value", label)
	m := yearLabel.FindStringSubmatch(strings.TrimSpace(label))
	if m == nil {
		return 0, bad
	}
	first, second := m[1], m[2]
	if len(first) == 2 && second == "" && !strings.HasPrefix(strings.ToUpper(strings.TrimSpace(label)), "FY") {
		return 0, bad // "14" alone is no year
	}
	year, _ := strconv.Atoi(first)
	if len(first) == 2 {
		year += 1900
		if year < 1970 {
			year += 100
		}
	}
	next := fmt.Sprintf("%04d", year+1)
	if second != "" && second != next[4-len(second):] || year < minYear || year > maxYear {
		return 0, bad
	}
	return year, nil
}
