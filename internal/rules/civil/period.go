package civil

import (
	"fmt"
	"io"
	"strconv"
	"time"
)

// Period is a month, written and stored as "2026-04" so that text order is time
// order on both databases. A quarter or a year is named by its first month.
type Period string

// PeriodOf returns the period of month m of year y; months past December carry over.
func PeriodOf(y int, m time.Month) Period {
	return Period(time.Date(y, m, 1, 0, 0, 0, 0, time.UTC).Format("2006-01"))
}

// ParsePeriod reads YYYY-MM.
func ParsePeriod(s string) (Period, error) {
	if _, err := time.Parse("2006-01", s); err != nil || len(s) != 7 {
		return "", fmt.Errorf("%q is not a month; write it as 2026-04", s)
	}
	return Period(s), nil
}

// First returns the first day of the month; the zero Date when p is malformed.
func (p Period) First() Date {
	t, err := time.Parse("2006-01", string(p))
	if err != nil {
		return Date{}
	}
	return DateOf(t)
}

// Last returns the last day of the month.
func (p Period) Last() Date { return p.Add(1).First().AddDays(-1) }

// Add returns the month n months later (earlier when n is negative).
func (p Period) Add(n int) Period { d := p.First(); return PeriodOf(d.Year, d.Month+time.Month(n)) }

// Until returns the number of months from p to q.
func (p Period) Until(q Period) int {
	a, b := p.First(), q.First()
	return (b.Year-a.Year)*12 + int(b.Month) - int(a.Month)
}

// String returns YYYY-MM.
func (p Period) String() string { return string(p) }

// MarshalGQL writes the month as a GraphQL string.
func (p Period) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(p))) }

// UnmarshalGQL reads a month given as the string YYYY-MM.
func (p *Period) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("a Period is a string like \"2026-04\"")
	}
	n, err := ParsePeriod(s)
	*p = n
	return err
}
