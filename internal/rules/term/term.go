// Package term does the dates of contracts: when one ends, when it renews itself,
// by when notice must be given and by when somebody has to decide.
//
// Anybody may import it; it imports civil only.
package term

import "steward/internal/rules/civil"

// Renewal says what happens at the end of a contract.
type Renewal string

// The modes: it ends; it is renewed only when somebody does so; it renews itself
// unless notice is given.
const (
	None    Renewal = "NONE"
	Express Renewal = "EXPRESS"
	Tacit   Renewal = "TACIT"
)

// Terms are what a contract says about its time. What an import does not know is
// nil; nothing is invented for it.
type Terms struct {
	Start         *civil.Date // nil: not known
	InitialMonths *int        // nil or 0: no length was agreed
	End           *civil.Date // the last day where one is stated; it wins over InitialMonths
	Renewal       Renewal
	RenewalMonths *int // nil or less than 1: it does not renew itself, whatever Renewal says
	NoticeMonths  int  // 0: no notice is needed
	LeadDays      int  // how long before the notice somebody has to start deciding
}

// Dates are what follows from Terms on a day; nil where the terms do not say. A
// contract without an end has none of them.
type Dates struct {
	End      *civil.Date // the last day of the present term
	NoticeBy *civil.Date // the last day to give notice, or to end or renew it
	DecideBy *civil.Date // LeadDays before that
}

// LastDay returns the last day of a term of months that begins on start: the day
// before the same day months later, or the last day of that month where it has no
// such day (one month from 31 January ends on 28 or 29 February).
func LastDay(start civil.Date, months int) civil.Date {
	next := start.AddMonths(months)
	if next.Day < start.Day {
		return next // AddMonths has gone back to the month's last day
	}
	return next.AddDays(-1)
}

// FirstEnd returns the end of the initial term: as stated, or LastDay of start and
// initial months; false when the terms give neither.
func (t Terms) FirstEnd() (civil.Date, bool) {
	switch {
	case t.End != nil:
		return *t.End, true
	case t.Start != nil && t.InitialMonths != nil && *t.InitialMonths > 0:
		return LastDay(*t.Start, *t.InitialMonths), true
	}
	return civil.Date{}, false
}

// CurrentEnd returns the end of the term that runs on today, false when there is
// none. A tacit contract goes on by whole renewals until its end lies after today:
// first end + k × renewal months > today, the smallest k from 0. Terms are counted
// from the start, or from the day after a stated end, not from one another, so
// short months do not pull later ends forward.
func (t Terms) CurrentEnd(today civil.Date) (civil.Date, bool) {
	end, ok := t.FirstEnd()
	if !ok || t.Renewal != Tacit || t.RenewalMonths == nil || *t.RenewalMonths < 1 || end.After(today) {
		return end, ok
	}
	from, months, step := end.AddDays(1), 0, *t.RenewalMonths
	if t.End == nil {
		from, months = *t.Start, *t.InitialMonths
	}
	// Start one renewal short of today, so that old contracts take no long loop.
	months += step * max(0, end.Period().Until(today.Period())/step-1)
	for !end.After(today) {
		months += step
		end = LastDay(from, months)
	}
	return end, true
}

// On returns the dates as they stand on a day, which the caller takes in the
// portfolio's time zone.
//
//	notice by = end + 1 day - notice months, but not after the end
//	decide by = notice by - lead days
func (t Terms) On(today civil.Date) Dates {
	end, ok := t.CurrentEnd(today)
	if !ok {
		return Dates{}
	}
	notice := end.AddDays(1).AddMonths(-t.NoticeMonths)
	if notice.After(end) {
		notice = end
	}
	decide := notice.AddDays(-t.LeadDays)
	return Dates{&end, &notice, &decide}
}

// The states an approved contract is read as, as in flow.Contract.
const (
	Approved = "APPROVED"
	Active   = "ACTIVE"
	Expiring = "EXPIRING"
	Expired  = "EXPIRED"
)

// State returns the state to show for a contract whose stored state is given. Only
// APPROVED depends on the dates: APPROVED before its first day, EXPIRED after its
// last, EXPIRING from the decision date on, ACTIVE otherwise; a contract without a
// start has begun, one without an end goes on. A tacit contract never expires.
func (t Terms) State(stored string, today civil.Date) string {
	if stored != Approved {
		return stored
	}
	d := t.On(today)
	switch {
	case t.Start != nil && today.Before(*t.Start):
		return Approved
	case d.End == nil:
		return Active
	case today.After(*d.End):
		return Expired
	case !today.Before(*d.DecideBy):
		return Expiring
	}
	return Active
}
