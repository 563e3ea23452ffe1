package budget

import (
	"context"
	"maps"

	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
)

// job is one batch on its way into the cells: SetCells, PostActual and undo differ in what
// they ask for and share the checks, the statements and the audit.
type job struct {
	store   *store.Store
	targets []*target
	totals  bool // also answer with totals of periods

	found   map[where]*found
	changed int
	totalOf map[ident.ID][3]*money.Amount
	periods []PeriodTotal
}

// run checks the batch and writes what differs from what is stored.
func (j *job) run(ctx context.Context) error {
	if viewer.From(ctx) == nil {
		return store.ErrNoViewer
	}
	cells := make([]where, len(j.targets))
	for i, t := range j.targets {
		cells[i] = t.where
	}
	var err error
	if j.found, err = read(ctx, j.store, cells, true); err != nil {
		return err
	}
	for _, check := range []func(context.Context) error{j.rights, j.permitted, j.unchanged} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	return j.write(ctx)
}

// rights refuses the whole batch when one of its lines is not there for the viewer, and then
// when one may not be written.
func (j *job) rights(ctx context.Context) error {
	see, touch := reach(ctx, "BudgetCell", access.Read), reach(ctx, "BudgetCell", access.Write)
	forbidden := false
	for _, t := range j.targets {
		f := j.found[t.where]
		if f == nil || !see.Includes(rowOf(f.Portfolio, f.Product)) {
			return errs.NotFound()
		}
		forbidden = forbidden || !touch.Includes(rowOf(f.Portfolio, f.Product))
	}
	if forbidden {
		return errs.Forbidden()
	}
	return nil
}

// permitted refuses periods that the plan does not have, and amounts that the state of the
// plan or the period does not permit; each cell is named.
func (j *job) permitted(ctx context.Context) error {
	bad := errs.New(errs.Validation, "error.validation")
	state := errs.New(errs.State, "budget.refused")
	free := imported(ctx)
	plans := map[ident.ID]*spans{}
	for _, t := range j.targets {
		f := j.found[t.where]
		sp := plans[f.Plan.ID]
		if sp == nil {
			sp = spansOf(f.Plan)
			plans[f.Plan.ID] = sp
		}
		if !sp.has[t.Period] {
			bad = bad.With(errs.Field{Path: t.path + ".period", Key: "budget.no_period", Args: t.name(f)})
			continue
		}
		if f.Archived {
			state = state.With(errs.Field{Path: t.path, Key: "budget.archived", Args: t.name(f)})
			continue
		}
		for kind := range t.set {
			if !t.set[kind] || free {
				continue
			}
			if no := refusal(amountKind(kind), f.Plan.Status, sp.closed, t.Period, f.Plan.Length); no != nil {
				no.Path, no.Args = t.paths[kind], append(t.name(f), "plan", f.Plan.Key)
				state = state.With(*no)
			}
		}
	}
	if len(bad.Fields) > 0 {
		return bad
	}
	if len(state.Fields) > 0 {
		return state
	}
	return nil
}

// unchanged refuses when cells are no longer in the version the edits were based on.
func (j *job) unchanged(ctx context.Context) error {
	var stale []*target
	for _, t := range j.targets {
		if t.version >= 0 && j.found[t.where].Version != t.version {
			stale = append(stale, t)
		}
	}
	if len(stale) == 0 {
		return nil
	}
	return j.conflict(ctx, stale)
}

// write stores the cells that change and notes each in the audit.
func (j *job) write(ctx context.Context) error {
	who, at := actor(ctx), stamp(j.store)
	j.totalOf = map[ident.ID][3]*money.Amount{}
	var batch []written
	var notes []store.Change
	var rows []*target
	for _, t := range j.targets {
		f := j.found[t.where]
		before, after := f.Amounts, f.Amounts
		diff := map[string][2]any{}
		for kind := range t.set {
			if t.set[kind] && !equal(before[kind], t.amounts[kind]) {
				after[kind] = t.amounts[kind]
				diff[column[kind]] = [2]any{before[kind], after[kind]}
			}
		}
		if len(diff) == 0 {
			continue
		}
		op := store.OpUpdate
		if f.Cell == "" {
			op, f.Cell = store.OpCreate, ident.New("bce")
			diff["line_id"], diff["period"] = [2]any{nil, t.Line}, [2]any{nil, t.Period}
		}
		batch = append(batch, written{ID: f.Cell, Line: t.Line, Period: t.Period, Planned: units(after[planned]),
			Forecast: units(after[forecast]), Actual: units(after[actual]), Version: f.Version, At: at, By: who})
		note := store.Change{Op: op, Entity: "BudgetCell", ID: f.Cell, Version: f.Version + 1, Portfolio: f.Portfolio, Diff: diff}
		if f.Product != nil {
			note.Product = *f.Product
		}
		notes, rows = append(notes, note), append(rows, t)
		f.Amounts = after
	}
	for _, f := range j.found {
		j.totalOf[f.Line] = f.Total
	}
	if j.changed = len(batch); j.changed == 0 {
		return nil
	}
	out, err := write(ctx, j.store, batch, j.totals)
	if err != nil {
		return err
	}
	if len(out.cells) != len(batch) {
		return j.overtaken(ctx, rows, out.cells)
	}
	for _, t := range rows {
		j.found[t.where].Version++
	}
	maps.Copy(j.totalOf, out.lines)
	j.periods = j.inCurrency(out.periods)
	return store.Note(ctx, notes...)
}

// inCurrency names the currency of each plan's totals.
func (j *job) inCurrency(list []PeriodTotal) []PeriodTotal {
	currency := map[ident.ID]string{}
	for _, f := range j.found {
		currency[f.Plan.ID] = f.Plan.Currency
	}
	for i := range list {
		list[i].Currency = currency[list[i].PlanID]
	}
	return list
}

// overtaken is the conflict of cells that others changed between our look and our write.
func (j *job) overtaken(ctx context.Context, rows []*target, taken map[ident.ID]bool) error {
	var stale []*target
	var cells []where
	for _, t := range rows {
		if !taken[j.found[t.where].Cell] {
			stale, cells = append(stale, t), append(cells, t.where)
		}
	}
	now, err := read(ctx, j.store, cells, false)
	if err != nil {
		return err
	}
	if len(now) < len(cells) { // a line has gone
		return errs.NotFound()
	}
	j.found = now
	return j.conflict(ctx, stale)
}

func equal(a, b *money.Amount) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }
