package contract

import (
	"context"
	"fmt"
	"slices"

	"steward/ent"
	entcontract "steward/ent/contract"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/term"
	"steward/internal/rules/viewer"
)

// Install makes the rules of contracts hold on every write of one, whichever door
// it comes through: the dates are derived, and the money and dates of an approved
// contract stay as approved; and the key of a vendor's name follows the name. It is
// called once, when the store has been opened.
// Set-based imports write past it and call Derive themselves.
func Install(s *store.Store) {
	s.Client.Contract.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			cm, ok := m.(*ent.ContractMutation)
			if !ok {
				return nil, fmt.Errorf("contract: %T is not of a contract", m)
			}
			if err := rule(ctx, cm); err != nil {
				return nil, err
			}
			return next.Mutate(ctx, m)
		})
	})
	s.Client.Vendor.Use(normalised)
}

// fixed are the columns that approval fixes until amendments exist.
var fixed = []string{
	entcontract.FieldValue, entcontract.FieldCeiling, entcontract.FieldCurrency,
	entcontract.FieldStartOn, entcontract.FieldInitialMonths, entcontract.FieldEndOn,
	entcontract.FieldRenewalMode, entcontract.FieldRenewalMonths, entcontract.FieldNoticeMonths,
}

// Locked returns the columns of a contract that are read-only now: its money and
// dates once it is approved. What an import left open may be filled in, once.
func Locked(n *ent.Contract) []string {
	if n.Status == entcontract.StatusDRAFT || n.Status == entcontract.StatusUNDER_REVIEW {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(fixed), func(column string) bool {
		return n.Origin == entcontract.OriginIMPORTED && open(n, column)
	})
}

// open reports whether a contract says nothing in the column.
func open(n *ent.Contract, column string) bool {
	switch column {
	case entcontract.FieldValue:
		return n.Value == nil
	case entcontract.FieldCeiling:
		return n.Ceiling == nil
	case entcontract.FieldStartOn:
		return n.StartOn == nil
	case entcontract.FieldInitialMonths:
		return n.InitialMonths == nil
	case entcontract.FieldEndOn:
		return n.EndOn == nil
	case entcontract.FieldRenewalMonths:
		return n.RenewalMonths == nil
	}
	return false
}

func rule(ctx context.Context, m *ent.ContractMutation) error {
	v, old := viewer.From(ctx), &ent.Contract{}
	imported := v != nil && v.Via == viewer.ViaImport
	if id, ok := m.ID(); ok && m.Op().Is(ent.OpUpdateOne) {
		var err error
		if old, err = m.Client().Contract.Get(scope.Elevate(ctx), id); err != nil {
			return err
		}
		if err := unlocked(old, m); err != nil && !imported {
			return err
		}
	}
	now := derive(m, old)
	// An import keeps an end before its beginning, and reports it.
	if end, ok := now.FirstEnd(); ok && !imported && now.Start != nil && end.Before(*now.Start) &&
		(changes(old, m, entcontract.FieldStartOn) || !equal(old.EndOn, &end)) {
		return errs.Invalid(entcontract.FieldEndOn, "contract.ends_before_start")
	}
	return nil
}

// unlocked refuses a change of a fixed column of an approved contract. Setting a
// column to what it holds is no change: a form sends all of its fields.
func unlocked(old *ent.Contract, m *ent.ContractMutation) error {
	refused := errs.New(errs.State, "contract.locked")
	for _, column := range Locked(old) {
		if changes(old, m, column) {
			refused = refused.With(errs.Field{Path: column, Key: "contract.locked_field"})
		}
	}
	if len(refused.Fields) > 0 {
		return refused
	}
	return nil
}

func changes(old *ent.Contract, m *ent.ContractMutation, column string) bool {
	if m.FieldCleared(column) {
		return !open(old, column)
	}
	to, set := m.Field(column)
	return set && fmt.Sprint(to) != fmt.Sprint(value(old, column))
}

// value is what a contract holds in a fixed column; an open one holds nil.
func value(n *ent.Contract, column string) any {
	if open(n, column) {
		return nil
	}
	switch column {
	case entcontract.FieldValue:
		return *n.Value
	case entcontract.FieldCeiling:
		return *n.Ceiling
	case entcontract.FieldCurrency:
		return n.Currency
	case entcontract.FieldStartOn:
		return *n.StartOn
	case entcontract.FieldInitialMonths:
		return *n.InitialMonths
	case entcontract.FieldEndOn:
		return *n.EndOn
	case entcontract.FieldRenewalMode:
		return n.RenewalMode
	case entcontract.FieldRenewalMonths:
		return *n.RenewalMonths
	case entcontract.FieldNoticeMonths:
		return n.NoticeMonths
	}
	return nil
}

// Derive returns the stored dates that follow from terms: the end of the first
// term, as stated or by its months, and the notice and decision dates before it.
// Nil where the terms do not say. A contract that renews itself goes on past them;
// Dates says where it stands on a day.
func Derive(t term.Terms) term.Dates {
	t.Renewal = term.None
	return t.On(civil.Date{})
}

// derive sets the dates that follow from the terms as they will be, and returns
// those. An end that the months gave follows them when they change; one that was
// stated stays as stated.
func derive(m *ent.ContractMutation, old *ent.Contract) term.Terms {
	before, now := Terms(old), Terms(old)
	now.Start = after(now.Start, m.StartOn, m.StartOnCleared)
	now.InitialMonths = after(now.InitialMonths, m.InitialMonths, m.InitialMonthsCleared)
	now.End = after(now.End, m.EndOn, m.EndOnCleared)
	if x, ok := m.NoticeMonths(); ok {
		now.NoticeMonths = x
	}
	if x, ok := m.DecisionLeadDays(); ok {
		now.LeadDays = x
	}
	if _, stated := m.EndOn(); !stated || equal(now.End, before.End) {
		if byMonths, ok := (term.Terms{Start: before.Start, InitialMonths: before.InitialMonths}).FirstEnd(); ok && before.End != nil && *before.End == byMonths {
			now.End = nil
		}
	}
	d := Derive(now)
	set(d.End, m.ResetEndOn, m.SetEndOn, m.ClearEndOn)
	set(d.NoticeBy, m.ResetNoticeByOn, m.SetNoticeByOn, m.ClearNoticeByOn)
	set(d.DecideBy, m.ResetDecideByOn, m.SetDecideByOn, m.ClearDecideByOn)
	return now
}

// after is the value of an optional column once the mutation is done.
func after[T any](old *T, set func() (T, bool), cleared func() bool) *T {
	if x, ok := set(); ok {
		return &x
	}
	if cleared() {
		return nil
	}
	return old
}

func equal(a, b *civil.Date) bool { return a == b || a != nil && b != nil && *a == *b }

// set makes the mutation write exactly d, whatever it was about to write.
func set(d *civil.Date, reset func(), put func(civil.Date), clear func()) {
	reset()
	if d != nil {
		put(*d)
		return
	}
	clear()
}
