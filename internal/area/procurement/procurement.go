// Package procurement takes procurement files from the need to the contract. Only
// Move changes a file's status; everything else about one is edited like any record.
package procurement

import (
	"context"
	"time"

	"steward/ent"
	entcontract "steward/ent/contract"
	"steward/internal/area/move"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
)

func init() { move.Register("Procurement", move.Verb{Field: "status", Apply: apply}) }

// Move makes one move of flow.Procurement and returns the file as it is then. The
// day it came into its state is kept. The move to CONTRACTED may name the contract
// it ended in, of the same portfolio; naming one with any other move is refused.
// The errors are those of move.Do.
func Move(ctx context.Context, s *store.Store, in move.Input) (*ent.Procurement, error) {
	in.Entity = "Procurement"
	if err := move.Do(ctx, s, in); err != nil {
		return nil, err
	}
	n, err := s.ClientOf(ctx).Procurement.Get(ctx, in.ID)
	return n, store.Known(err)
}

func apply(ctx context.Context, c *ent.Client, r move.Record, step flow.Move, in move.Input, m ent.Mutation) error {
	pm := m.(*ent.ProcurementMutation)
	pm.SetStatusSince(time.Now().UTC().Truncate(time.Microsecond))
	if in.Contract == "" {
		return nil
	}
	if step.To != "CONTRACTED" {
		return errs.Invalid("contract", "procurement.contract_too_early")
	}
	p, err := c.Procurement.Get(ctx, r.ID)
	if err != nil {
		return err
	}
	// As the viewer: a contract they cannot see does not exist.
	found, err := c.Contract.Query().Where(entcontract.ID(in.Contract), entcontract.PortfolioID(p.PortfolioID)).Exist(ctx)
	if err != nil {
		return err
	}
	if !found {
		return errs.Invalid("contract", "procurement.no_such_contract")
	}
	pm.SetContractID(in.Contract)
	return nil
}
