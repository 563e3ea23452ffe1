package okr

import (
	"context"

	"steward/ent"
	"steward/ent/objective"
	"steward/internal/area/move"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/ident"
	"steward/internal/rules/okr"
)

// Standing says how an objective stands today. Percentages are basis points.
type Standing struct {
	Objective  *ent.Objective   // with its cycle
	Results    []*ent.KeyResult // unarchived, oldest first
	Progress   int              // mean of the key results' progress by weight
	Missing    int              // key results without any reading; they count as 0
	Expected   int              // the mark progress should have reached today
	Pace       okr.Colour       // progress against that mark; the grade's colour once there is one
	Confidence *int             // mean by weight; nil when nobody has said anything
}

// Stand returns how the objectives stand that the viewer can see, by their ids.
// Three statements for any number of objectives of one portfolio.
func Stand(ctx context.Context, s *store.Store, ids ...ident.ID) (map[ident.ID]Standing, error) {
	c := s.ClientOf(ctx)
	found, err := c.Objective.Query().Where(objective.IDIn(ids...)).WithCycle().All(ctx)
	if err != nil {
		return nil, store.Known(err)
	}
	results, err := keyResults(ctx, c, ids...)
	if err != nil {
		return nil, store.Known(err)
	}
	of := map[ident.ID][]*ent.KeyResult{}
	for _, k := range results {
		of[k.ObjectiveID] = append(of[k.ObjectiveID], k)
	}
	days := map[ident.ID]civil.Date{}
	out := map[ident.ID]Standing{}
	for _, o := range found {
		today, ok := days[o.PortfolioID]
		if !ok {
			if today, err = move.Today(ctx, s, o.PortfolioID); err != nil {
				return nil, err
			}
			days[o.PortfolioID] = today
		}
		out[o.ID] = standing(o, of[o.ID], today)
	}
	return out, nil
}

func standing(o *ent.Objective, results []*ent.KeyResult, today civil.Date) Standing {
	st := Standing{Objective: o, Results: results}
	st.Progress, st.Missing, _ = okr.Grade(progresses(results))
	if bp, ok := okr.Confidence(confidences(results)); ok {
		st.Confidence = &bp
	}
	if y := o.Edges.Cycle; y != nil {
		st.Expected = okr.Expected(y.StartOn, y.EndOn, today)
	}
	st.Pace = okr.Pace(st.Progress, st.Expected)
	if o.GradeBp != nil {
		st.Pace = okr.ColourOf(okr.Commitment(o.Kind), *o.GradeBp)
	}
	return st
}
