package okr

import (
	"context"
	"strings"

	"steward/ent"
	"steward/ent/checkin"
	"steward/ent/keyresult"
	"steward/ent/objective"
	"steward/internal/area/move"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/okr"
	"steward/internal/rules/viewer"
)

// commentMax is how long the comment of a check-in may be.
const commentMax = 5000

// CheckInInput is one reading of a key result.
type CheckInInput struct {
	KeyResultID ident.ID
	Value       money.Amount // in the key result's unit
	Confidence  int          // that the target will be met, in basis points
	Comment     string
	On          *civil.Date // nil: today, in the portfolio's time zone
}

// CheckIn adds a reading to a key result and returns the key result as it stands
// then: current value and confidence are those of the reading with the latest day
// (the later entered of one day), progress follows from all of them. Whoever may
// write the key result may check in, integrations included. The errors are
// NotFound, Forbidden, State when the objective is graded, closed, cancelled or
// either is archived, and Validation naming "confidence", "comment" or "on": a day
// before the cycle, after its grading, or after tomorrow (which it already is
// somewhere).
func CheckIn(ctx context.Context, s *store.Store, in CheckInInput) (*ent.KeyResult, error) {
	in.Comment = strings.TrimSpace(in.Comment)
	if err := okr.ValidateConfidence(in.Confidence); err != nil {
		return nil, err
	}
	if len([]rune(in.Comment)) > commentMax {
		return nil, errs.Invalid("comment", "error.too_long", "max", commentMax)
	}
	err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		// Two check-ins at once wait for each other here, so that each sees the other's reading.
		k, err := c.KeyResult.Query().Where(keyresult.ID(in.KeyResultID)).Where(s.Lock()).Only(ctx)
		if err != nil {
			return err
		}
		if err := mayCheckIn(ctx, k); err != nil {
			return err
		}
		o, err := c.Objective.Query().Where(objective.ID(k.ObjectiveID)).WithCycle().Only(scope.Elevate(ctx))
		if err != nil {
			return err
		}
		on, err := dayOf(ctx, s, o, in.On)
		if err != nil {
			return err
		}
		if k.ArchivedAt != nil || o.ArchivedAt != nil || o.Status != objective.StatusDRAFT && o.Status != objective.StatusACTIVE {
			return errs.New(errs.State, "okr.not_running")
		}
		if err := c.CheckIn.Create().SetKeyResultID(k.ID).SetOn(on).SetValue(in.Value).
			SetConfidenceBp(in.Confidence).SetComment(in.Comment).Exec(ctx); err != nil {
			return err
		}
		w := c.KeyResult.UpdateOne(k)
		if err := stand(ctx, c, k.ID, measure(k), w.Mutation()); err != nil {
			return err
		}
		return w.Exec(ctx)
	})
	if err != nil {
		return nil, store.Known(err)
	}
	k, err := s.ClientOf(ctx).KeyResult.Get(ctx, in.KeyResultID)
	return k, store.Known(err)
}

// mayCheckIn refuses a viewer who sees the key result and may not write it.
func mayCheckIn(ctx context.Context, k *ent.KeyResult) error {
	at := access.Row{ID: k.ID, Portfolio: k.PortfolioID}
	if k.ProductID != nil {
		at.Product = *k.ProductID
	}
	if !access.For(viewer.From(ctx), "CheckIn", access.Write).Includes(at) {
		return errs.Forbidden()
	}
	return nil
}

// dayOf returns the day of a check-in, which lies in the objective's cycle.
func dayOf(ctx context.Context, s *store.Store, o *ent.Objective, on *civil.Date) (civil.Date, error) {
	today, err := move.Today(ctx, s, o.PortfolioID)
	if err != nil {
		return civil.Date{}, err
	}
	if on == nil {
		on = &today
	}
	last := o.Edges.Cycle.EndOn
	if g := o.Edges.Cycle.GradingEndsOn; g != nil && g.After(last) {
		last = *g
	}
	switch {
	case on.After(today.AddDays(1)):
		return civil.Date{}, errs.Invalid("on", "okr.in_future")
	case on.Before(o.Edges.Cycle.StartOn) || on.After(last):
		return civil.Date{}, errs.Invalid("on", "okr.outside_cycle")
	}
	return *on, nil
}

func measure(k *ent.KeyResult) okr.Measure {
	return okr.Measure{Kind: okr.Kind(k.Kind), Baseline: k.Baseline, Target: k.Target}
}

// stand sets what a key result's check-ins say about it.
func stand(ctx context.Context, c *ent.Client, id ident.ID, by okr.Measure, m *ent.KeyResultMutation) error {
	readings, err := c.CheckIn.Query().Where(checkin.KeyResultID(id)).
		Order(checkin.ByOn(), checkin.ByCreatedAt(), checkin.ByID()).All(scope.Elevate(ctx))
	if err != nil {
		return err
	}
	if len(readings) == 0 {
		return nil
	}
	values := make([]money.Amount, len(readings))
	for i, r := range readings {
		values[i] = r.Value
	}
	last := readings[len(readings)-1]
	m.SetCurrent(last.Value)
	m.SetConfidenceBp(last.ConfidenceBp)
	if bp, scored := by.Progress(values...); scored {
		m.SetProgressBp(bp)
	} else {
		m.ClearProgressBp()
	}
	return nil
}
