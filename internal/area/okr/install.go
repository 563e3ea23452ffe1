package okr

import (
	"context"
	"fmt"

	"steward/ent"
	"steward/ent/cycle"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// Install makes the rules of objectives and key results hold on every write of one,
// whichever door it comes through: a key result measures something (its target is
// not where it starts), a changed measure is scored anew, a cycle ends after it
// begins, and an objective's parent is not of a later cycle. Imports keep what was
// published. It is called once, when the store has been opened.
func Install(s *store.Store) {
	on(s.Client.KeyResult.Use, keyResult)
	on(s.Client.Objective.Use, parent)
	on(s.Client.Cycle.Use, span)
}

// on installs a rule as a hook of one entity.
func on[M ent.Mutation](use func(...ent.Hook), rule func(context.Context, M) error) {
	use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			own, ok := m.(M)
			if !ok {
				return nil, fmt.Errorf("okr: unexpected %T", m)
			}
			if v := viewer.From(ctx); (v == nil || v.Via != viewer.ViaImport) && m.Op().Is(ent.OpCreate|ent.OpUpdateOne) {
				if err := rule(ctx, own); err != nil {
					return nil, err
				}
			}
			return next.Mutate(ctx, m)
		})
	})
}

func keyResult(ctx context.Context, m *ent.KeyResultMutation) error {
	var k ent.KeyResult
	id, exists := m.ID()
	if exists = exists && m.Op().Is(ent.OpUpdateOne); exists {
		old, err := m.Client().KeyResult.Get(scope.Elevate(ctx), id)
		if err != nil {
			return err
		}
		k = *old
	}
	before := measure(&k)
	if x, ok := m.Kind(); ok {
		k.Kind = x
	}
	if x, ok := m.Baseline(); ok {
		k.Baseline = x
	}
	if x, ok := m.Target(); ok {
		k.Target = x
	}
	now := measure(&k)
	if exists && now == before {
		return nil
	}
	if err := now.Validate(); err != nil {
		return err
	}
	if !exists {
		return nil
	}
	return stand(ctx, m.Client(), id, now, m)
}

// parent refuses an objective under one of a later cycle: what it contributes to
// would begin only afterwards.
func parent(ctx context.Context, m *ent.ObjectiveMutation) error {
	above, set := m.ParentID()
	if !set {
		return nil
	}
	ctx = scope.Elevate(ctx)
	up, err := m.Client().Objective.Get(ctx, above)
	if err != nil {
		return err
	}
	own, ok := m.CycleID()
	id, exists := m.ID()
	if !ok && exists {
		old, err := m.Client().Objective.Get(ctx, id)
		if err != nil {
			return err
		}
		own = old.CycleID
	}
	cycles, err := m.Client().Cycle.Query().Where(cycle.IDIn(own, up.CycleID)).All(ctx)
	if err != nil {
		return err
	}
	at := map[bool]*ent.Cycle{}
	for _, c := range cycles {
		at[c.ID == own] = c
	}
	switch {
	case exists && above == id:
		return errs.Invalid("parent_id", "okr.own_parent")
	case at[true] != nil && at[false] != nil && at[false].StartOn.After(at[true].StartOn):
		return errs.Invalid("parent_id", "okr.later_parent")
	}
	return nil
}

func span(ctx context.Context, m *ent.CycleMutation) error {
	start, setStart := m.StartOn()
	end, setEnd := m.EndOn()
	if id, exists := m.ID(); exists && m.Op().Is(ent.OpUpdateOne) && setStart != setEnd {
		old, err := m.Client().Cycle.Get(scope.Elevate(ctx), id)
		if err != nil {
			return err
		}
		if !setStart {
			start = old.StartOn
		}
		if !setEnd {
			end = old.EndOn
		}
	} else if !setStart || !setEnd {
		return nil
	}
	if end.Before(start) {
		return errs.Invalid("end_on", "okr.cycle_ends_before_start")
	}
	return nil
}
