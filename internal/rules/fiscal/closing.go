package fiscal

import (
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
)

// Closed is the set of months whose books are closed in one portfolio.
type Closed map[civil.Period]bool

// Open reports whether the span that starts with month p can still be edited: a
// month while it is open, a quarter or a year while any of its months is.
func (c Closed) Open(p civil.Period, l Length) bool {
	for m := range max(l.Months(), 1) {
		if !c[p.Add(m)] {
			return true
		}
	}
	return false
}

// Guard returns the errs.State error to show when the span is closed, else nil.
func (c Closed) Guard(p civil.Period, l Length) error {
	if c.Open(p, l) {
		return nil
	}
	return errs.New(errs.State, "error.fiscal.period_closed", "period", p.String())
}

// PostingMonth returns the month to book an item of month p in: p itself, or when
// that is closed the next open one (the caller keeps p as the item's origin).
func (c Closed) PostingMonth(p civil.Period) civil.Period {
	for c[p] {
		p = p.Add(1)
	}
	return p
}

// MayClose reports whether month p can be closed on a day, which the caller takes
// in the portfolio's time zone: only once the month is over.
func MayClose(p civil.Period, today civil.Date) bool { return today.After(p.Last()) }
