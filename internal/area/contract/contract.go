// Package contract keeps what contracts say about time and money straight: the
// dates that follow from their terms, the state those dates put them in, the moves
// to approval and beyond, and the list of what is to be decided next.
package contract

import (
	"context"

	"steward/ent"
	"steward/internal/area/move"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/term"
)

func init() { move.Register("Contract", move.Verb{Field: "status", Apply: apply}) }

// Move makes one move of flow.Contract and returns the contract as it is then. What
// goes to review names its vendor, value, beginning and end; an import may leave
// these open, a move may not. The errors are those of move.Do.
func Move(ctx context.Context, s *store.Store, in move.Input) (*ent.Contract, error) {
	in.Entity = "Contract"
	if err := move.Do(ctx, s, in); err != nil {
		return nil, err
	}
	n, err := s.ClientOf(ctx).Contract.Get(ctx, in.ID)
	return n, store.Known(err)
}

func apply(ctx context.Context, c *ent.Client, r move.Record, step flow.Move, _ move.Input, _ ent.Mutation) error {
	if step.To != "UNDER_REVIEW" && step.To != "APPROVED" {
		return nil
	}
	n, err := c.Contract.Get(ctx, r.ID)
	if err != nil {
		return err
	}
	missing := errs.New(errs.Validation, "error.validation")
	need := func(absent bool, column string) {
		if absent {
			missing = missing.With(errs.Field{Path: column, Key: "error.required"})
		}
	}
	need(n.VendorID == nil, "vendor_id")
	need(n.Value == nil, "value")
	need(n.StartOn == nil, "start_on")
	need(n.EndOn == nil, "end_on")
	if len(missing.Fields) > 0 {
		return missing
	}
	return nil
}

// Terms returns what a contract says about its time, as rules/term understands it.
func Terms(n *ent.Contract) term.Terms { return move.Terms(n) }

// Dates returns the end, notice and decision dates as they stand on a day. For a
// contract that renews itself they lie in the term that runs then, so they are
// later than the stored ones, which are those of the first term.
func Dates(n *ent.Contract, today civil.Date) term.Dates { return Terms(n).On(today) }

// State returns the state to show on a day, taken in the portfolio's time zone:
// an approved contract is ACTIVE, EXPIRING or EXPIRED by its dates.
func State(n *ent.Contract, today civil.Date) string {
	return Terms(n).State(string(n.Status), today)
}
