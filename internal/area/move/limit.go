package move

import (
	"context"
	"slices"
	"time"

	"steward/ent/rolegrant"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
)

// LimitKey and CurrencyKey are where a grant of the role expense-authority keeps
// the limit that comes with it: in its custom values, as an exact decimal and a
// currency code. Area people writes them.
const (
	LimitKey    = "approvalLimit"
	CurrencyKey = "approvalCurrency"
)

// limit compares what a record commits to with what the viewer may approve. Where
// no grant states a limit (the role came from the identity provider), there is none.
type limit struct {
	stated   []allowance
	amount   *money.Amount // the whole commitment, nil when the record does not say
	currency string
}

type allowance struct {
	amount   money.Amount
	currency string
}

// limits loads the viewer's limits for records that a move within a limit can leave.
func limits(ctx context.Context, s *store.Store, out []Record) error {
	var wanted []int
	for i, r := range out {
		if slices.ContainsFunc(r.Machine.Moves, func(mv flow.Move) bool {
			return mv.From == r.State && mv.Needs.Has(flow.WithinLimit) && r.viewer.Has(string(access.RoleExpenseAuthority))
		}) {
			wanted = append(wanted, i)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	grants, err := s.ClientOf(ctx).RoleGrant.Query().
		Where(rolegrant.PersonID(viewer.From(ctx).ID), rolegrant.Role(string(access.RoleExpenseAuthority)), rolegrant.ArchivedAtIsNil(),
			rolegrant.Or(rolegrant.UntilIsNil(), rolegrant.UntilGT(time.Now().UTC()))).All(ctx)
	if err != nil {
		return err
	}
	var stated []allowance
	for _, g := range grants {
		text, _ := g.Custom[LimitKey].(string)
		currency, _ := g.Custom[CurrencyKey].(string)
		if a, err := money.Parse(text); text != "" && err == nil {
			stated = append(stated, allowance{a, currency})
		}
	}
	for _, i := range wanted {
		out[i].limit = out[i].commitment()
		out[i].limit.stated = stated
	}
	return nil
}

// commitment returns what approving the record commits to as a whole: the larger
// of a contract's value and ceiling, a procurement's estimate, the largest of what an
// initiative is planned, projected and over its life thought to cost.
func (r Record) commitment() limit {
	e := entity.ByName(r.Entity)
	l := limit{currency: r.text("currency")}
	for _, field := range []string{"value", "ceiling", "estimate", "planned", "projected", "lifecycle_cost"} {
		if a, ok := e.Value(r.Row, field).(money.Amount); ok && (l.amount == nil || a > *l.amount) {
			l.amount = &a
		}
	}
	return l
}

// refusal is nil when the commitment lies within one of the stated limits. A
// commitment of unknown amount, or in a currency without a limit, lies within none.
func (l limit) refusal() error {
	if len(l.stated) == 0 || l.amount != nil && slices.ContainsFunc(l.stated, func(a allowance) bool {
		return a.currency == l.currency && *l.amount <= a.amount
	}) {
		return nil
	}
	return errs.New(errs.CodeForbidden, "error.over_limit")
}
