package fiscal

import (
	"fmt"
	"strings"
	"time"

	"steward/internal/rules/civil"
)

// Calendar says in which month fiscal years begin. A month outside 1 to 12 (the
// zero Calendar) means January.
type Calendar struct{ StartMonth time.Month }

func (c Calendar) start() time.Month {
	if c.StartMonth < time.January || c.StartMonth > time.December {
		return time.January
	}
	return c.StartMonth
}

// YearOf returns the fiscal year a day lies in, named by the year it starts in.
func (c Calendar) YearOf(d civil.Date) int {
	if d.Month < c.start() {
		return d.Year - 1
	}
	return d.Year
}

// First returns the first month of a fiscal year.
func (c Calendar) First(year int) civil.Period { return civil.PeriodOf(year, c.start()) }

// Days returns the first and the last day of a fiscal year.
func (c Calendar) Days(year int) (from, to civil.Date) { return c.Span(c.First(year), Year) }

// Periods returns the first months of the year's spans in order: twelve months,
// four quarters or the year itself; nothing for an unknown length.
func (c Calendar) Periods(year int, l Length) []civil.Period {
	var out []civil.Period
	for m := 0; l.Months() > 0 && m < 12; m += l.Months() {
		out = append(out, c.First(year).Add(m))
	}
	return out
}

// Start returns the first month of the span that month p lies in: p itself for
// months, the quarter's or the fiscal year's first month otherwise.
func (c Calendar) Start(p civil.Period, l Length) civil.Period {
	if l.Months() == 0 {
		return p
	}
	into := c.First(c.YearOf(p.First())).Until(p) // months since the year began, 0 to 11
	return p.Add(-(into % l.Months()))
}

// Span returns the first and the last day of the span that month p lies in.
func (c Calendar) Span(p civil.Period, l Length) (from, to civil.Date) {
	s := c.Start(p, l)
	return s.First(), s.Add(max(l.Months(), 1) - 1).Last()
}

// Quarter returns 1 to 4, the fiscal quarter that month p lies in.
func (c Calendar) Quarter(p civil.Period) int {
	return c.First(c.YearOf(p.First())).Until(p)/3 + 1
}

// Label returns a fiscal year's name: "2026" where years begin in January,
// otherwise "2026–27" in English and "2026-2027" in French.
func (c Calendar) Label(year int, lang string) string {
	switch {
	case c.start() == time.January:
		return fmt.Sprint(year)
	case strings.HasPrefix(lang, "fr"):
		return fmt.Sprintf("%d-%d", year, year+1)
	default:
		return fmt.Sprintf("%d–%02d", year, (year+1)%100)
	}
}

// QuarterLabel returns the name of the quarter that month p lies in: "Q1 2026–27",
// in French "T1 2026-2027".
func (c Calendar) QuarterLabel(p civil.Period, lang string) string {
	letter := "Q"
	if strings.HasPrefix(lang, "fr") {
		letter = "T"
	}
	return fmt.Sprintf("%s%d %s", letter, c.Quarter(p), c.Label(c.YearOf(p.First()), lang))
}
