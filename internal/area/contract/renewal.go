package contract

import (
	"cmp"
	"context"
	"slices"

	"steward/ent"
	entcontract "steward/ent/contract"
	"steward/ent/portfolio"
	"steward/internal/area/move"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/ident"
)

// Renewal is an approved contract about which something is to be decided.
type Renewal struct {
	Contract *ent.Contract // with its vendor; value and ceiling are nil where the viewer may not see prices
	State    string        // as its dates say today, where it lies
	End      civil.Date    // last day of the present term
	NoticeBy civil.Date    // last day to give notice
	DecideBy civil.Date    // day by which to start deciding
	Tacit    bool          // renews itself unless notice is given
}

// Renewals lists the approved contracts the viewer can see whose decision date or
// end lies between two days, both included: the earliest decision first, then by
// end and key. Those in an archive are left out, and so are those without an end.
func Renewals(ctx context.Context, s *store.Store, from, to civil.Date) ([]Renewal, error) {
	c := s.ClientOf(ctx)
	found, err := c.Contract.Query().WithVendor().Where(
		entcontract.StatusEQ(entcontract.StatusAPPROVED), entcontract.ArchivedAtIsNil(), entcontract.EndOnNotNil(),
		entcontract.Or(
			// The stored dates are those of the first term; a contract that renews itself may be far past it.
			entcontract.RenewalModeEQ(entcontract.RenewalModeTACIT),
			entcontract.And(entcontract.DecideByOnGTE(from), entcontract.DecideByOnLTE(to)),
			entcontract.And(entcontract.EndOnGTE(from), entcontract.EndOnLTE(to)),
		)).All(ctx)
	if err != nil {
		return nil, store.Known(err)
	}
	today, err := todays(ctx, s, found)
	if err != nil {
		return nil, err
	}
	within := func(d civil.Date) bool { return !d.Before(from) && !d.After(to) }
	noPrice := store.HiddenField(ctx, "Contract", entcontract.FieldValue)
	var out []Renewal
	for _, n := range found {
		d := Dates(n, today[n.PortfolioID])
		if !within(*d.End) && !within(*d.DecideBy) {
			continue
		}
		if noPrice {
			n.Value, n.Ceiling = nil, nil
		}
		out = append(out, Renewal{n, State(n, today[n.PortfolioID]), *d.End, *d.NoticeBy, *d.DecideBy, n.RenewalMode == entcontract.RenewalModeTACIT})
	}
	slices.SortFunc(out, func(a, b Renewal) int {
		return cmp.Or(a.DecideBy.Compare(b.DecideBy), a.End.Compare(b.End), cmp.Compare(a.Contract.Key, b.Contract.Key))
	})
	return out, nil
}

// todays returns which day it is in the portfolio of each contract. A partner sees
// the contract but not the portfolio, so its time zone is read on Steward's behalf.
func todays(ctx context.Context, s *store.Store, contracts []*ent.Contract) (map[ident.ID]civil.Date, error) {
	var ids []ident.ID
	for _, n := range contracts {
		ids = append(ids, n.PortfolioID)
	}
	slices.Sort(ids)
	found, err := s.ClientOf(ctx).Portfolio.Query().Where(portfolio.IDIn(slices.Compact(ids)...)).All(scope.Elevate(ctx))
	if err != nil {
		return nil, store.Known(err)
	}
	out := map[ident.ID]civil.Date{}
	for _, p := range found {
		out[p.ID] = move.TodayIn(p)
	}
	return out, nil
}
