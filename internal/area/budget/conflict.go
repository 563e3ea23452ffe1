package budget

import (
	"context"
	"slices"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/internal/platform/scope"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
)

// conflict lists the cells that others changed: what they hold now, who changed them last
// and when, and what they held in the version the caller saw. The caller may read the cells,
// so their history is looked up without asking for the right to read audits.
func (j *job) conflict(ctx context.Context, stale []*target) error {
	var ids []ident.ID
	for _, t := range stale {
		if id := j.found[t.where].Cell; id != "" {
			ids = append(ids, id)
		}
	}
	history := map[ident.ID][]*ent.ChangeEvent{}
	for batch := range slices.Chunk(ids, 500) {
		events, err := j.store.ClientOf(ctx).ChangeEvent.Query().Where(changeevent.EntityIDIn(batch...)).
			Order(changeevent.ByEntityVersion(), changeevent.ByID()).All(scope.Elevate(ctx))
		if err != nil {
			return err
		}
		for _, x := range events {
			history[x.EntityID] = append(history[x.EntityID], x)
		}
	}
	clashes := make([]Clash, len(stale))
	err := errs.New(errs.Conflict, "budget.conflict", "n", len(stale))
	for i, t := range stale {
		f := j.found[t.where]
		c := Clash{LineID: f.Line, Line: f.LineName, Period: f.Period, Version: f.Version,
			Planned: f.Amounts[planned], Forecast: f.Amounts[forecast], Actual: f.Amounts[actual]}
		if events := history[f.Cell]; len(events) > 0 {
			last := events[len(events)-1]
			c.By, c.At = last.ActorName, last.At
			c.Before = before(f, events, t.version)
		}
		clashes[i] = c
		said := errs.Field{Path: t.path, Key: "budget.changed", Args: append(t.name(f), "who", c.By, "when", c.At)}
		if c.By == "" {
			said = errs.Field{Path: t.path, Key: "error.changed_since"}
		}
		err = err.With(said)
	}
	return err.WithCurrent(clashes)
}

// before winds a cell back to an earlier version by its history; nil when that has gaps.
func before(f *found, events []*ent.ChangeEvent, version int) *CellValue {
	a, at := f.Amounts, f.Version
	for _, x := range slices.Backward(events) {
		if x.EntityVersion <= version {
			break
		}
		if x.EntityVersion != at {
			return nil
		}
		for kind, name := range column {
			if d, ok := x.Diff[name]; ok {
				a[kind] = amountOf(d[0])
			}
		}
		at--
	}
	if at != version {
		return nil
	}
	return &CellValue{f.Period, a[planned], a[forecast], a[actual], version}
}

// amountOf reads an amount back from the audit's JSON; nil for null and what is no amount.
func amountOf(v any) *money.Amount {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	a, err := money.Parse(s)
	if err != nil {
		return nil
	}
	return &a
}

// spans are the periods of a plan and the months that are closed in it.
type spans struct {
	has    map[civil.Period]bool
	closed fiscal.Closed
}

func spansOf(p planRow) *spans {
	sp := &spans{has: map[civil.Period]bool{}, closed: p.closed()}
	for _, period := range calendarOf(p.Start).Periods(p.Year, p.Length) {
		sp.has[period] = true
	}
	return sp
}

// actor is the id that stamps carry.
func actor(ctx context.Context) string { return string(viewer.From(ctx).ID) }
