// Package okr records how objectives stand: the check-ins that move a key result,
// the moves of an objective through its cycle and the grade at its end. The
// arithmetic is in rules/okr.
package okr

import (
	"context"

	"steward/ent"
	"steward/ent/keyresult"
	"steward/internal/area/move"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/okr"
)

func init() { move.Register("Objective", move.Verb{Field: "status", Apply: apply}) }

// Move makes one move of flow.Objective and returns the objective as it is then. An
// objective becomes ACTIVE with at least one key result, and its grade is worked out
// as it becomes GRADED. The errors are those of move.Do, and State without key results.
func Move(ctx context.Context, s *store.Store, in move.Input) (*ent.Objective, error) {
	in.Entity = "Objective"
	if err := move.Do(ctx, s, in); err != nil {
		return nil, err
	}
	n, err := s.ClientOf(ctx).Objective.Get(ctx, in.ID)
	return n, store.Known(err)
}

func apply(ctx context.Context, c *ent.Client, r move.Record, step flow.Move, _ move.Input, m ent.Mutation) error {
	if step.To != "ACTIVE" && step.To != "GRADED" {
		return nil
	}
	results, err := keyResults(ctx, c, r.ID)
	if err != nil {
		return err
	}
	if len(results) == 0 {
		return errs.New(errs.State, "okr.no_key_result")
	}
	if step.To == "GRADED" {
		grade, _, _ := okr.Grade(progresses(results))
		m.(*ent.ObjectiveMutation).SetGradeBp(grade)
	}
	return nil
}

// keyResults returns the unarchived key results of objectives, oldest first.
func keyResults(ctx context.Context, c *ent.Client, objectives ...ident.ID) ([]*ent.KeyResult, error) {
	return c.KeyResult.Query().Where(keyresult.ObjectiveIDIn(objectives...), keyresult.ArchivedAtIsNil()).
		Order(keyresult.ByCreatedAt(), keyresult.ByID()).All(ctx)
}

func progresses(results []*ent.KeyResult) []okr.Part {
	parts := make([]okr.Part, len(results))
	for i, k := range results {
		parts[i] = okr.Part{Value: k.ProgressBp, Weight: k.Weight}
	}
	return parts
}

func confidences(results []*ent.KeyResult) []okr.Part {
	parts := make([]okr.Part, len(results))
	for i, k := range results {
		parts[i] = okr.Part{Value: k.ConfidenceBp, Weight: k.Weight}
	}
	return parts
}
