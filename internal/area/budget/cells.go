package budget

import (
	"context"
	"fmt"
	"time"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// MaxCells is how many cells one batch may write.
const MaxCells = 5000

// CellEdit is one amount a person wants in a cell: nil clears it. Version is the one of the
// cell the person saw, 0 for a cell never written.
type CellEdit struct {
	LineID  ident.ID
	Period  civil.Period
	Field   Field
	Amount  *money.Amount
	Version int
}

// SetCellsInput is a batch of edits with the reason that its history shall give.
type SetCellsInput struct {
	Cells  []CellEdit
	Reason string
	// NoTotals leaves the totals of periods out of the answer, for a caller that adds up
	// itself: they cost a look at every line of the plan.
	NoTotals bool
}

// SetCellsResult is what a batch left behind.
type SetCellsResult struct {
	// Lines are the touched ones, in the order in which the batch names them first.
	Lines []LineCells
	// Totals are those of the touched periods, over all unarchived lines of each plan;
	// none when the batch changed nothing.
	Totals []PeriodTotal
	// UndoToken takes the batch back; empty when it changed nothing.
	UndoToken string
}

// LineCells are the touched cells of a line and its total over the year.
type LineCells struct {
	ID    ident.ID
	Cells []CellValue
	Total Sum // without variance
}

// CellValue is what a cell holds.
type CellValue struct {
	Period                    civil.Period
	Planned, Forecast, Actual *money.Amount
	Version                   int
}

// PeriodTotal is the sum of one period over the lines of a plan.
type PeriodTotal struct {
	PlanID                    ident.ID
	Currency                  string
	Period                    civil.Period
	Planned, Forecast, Actual *money.Amount
}

// Clash is a cell that somebody else changed after the caller looked: what it holds now, who
// did that and when; Before is what it held when the caller looked, where history tells.
type Clash struct {
	LineID                    ident.ID
	Line                      string
	Period                    civil.Period
	Planned, Forecast, Actual *money.Amount
	Version                   int
	Before                    *CellValue
	By                        string
	At                        time.Time
}

// SetCells writes planned and forecast amounts, all or none. Every line must be one the
// viewer reads (else errs.NotFound) and may write (else Forbidden); the state of its plan and
// its period must permit the amount (else errs.State with a field for each cell that is
// refused); every cell must still be in the version the edit was based on (else
// errs.Conflict, whose Current is a []Clash of the cells that are not). Totals of lines and
// plans follow in the same transaction, and the batch can be undone as one step.
func SetCells(ctx context.Context, s *store.Store, in SetCellsInput) (*SetCellsResult, error) {
	targets, err := merge(in.Cells)
	if err != nil {
		return nil, err
	}
	out := &SetCellsResult{}
	err = s.Tx(store.Because(ctx, &in.Reason), func(ctx context.Context, _ *ent.Client) error {
		j := &job{store: s, targets: targets, totals: !in.NoTotals}
		if err := j.run(ctx); err != nil {
			return err
		}
		if j.changed > 0 {
			out.UndoToken = store.Undoable(ctx)
		}
		out.Lines, out.Totals = j.lines(), j.periods
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// target is what one cell shall hold: the amounts that are Set, the others stay.
type target struct {
	where
	path    string // of the first edit in the input
	paths   [3]string
	set     [3]bool
	amounts [3]*money.Amount
	version int // the one it is based on; any below 0
}

// merge joins the edits of each cell and refuses what no database is needed to refuse.
func merge(edits []CellEdit) ([]*target, error) {
	switch {
	case len(edits) == 0:
		return nil, errs.Invalid("cells", "error.required")
	case len(edits) > MaxCells:
		return nil, errs.New(errs.Limit, "budget.too_many", "n", len(edits), "max", MaxCells)
	}
	bad := errs.New(errs.Validation, "error.validation")
	at := make(map[where]*target, len(edits))
	var list []*target
	for i, e := range edits {
		path := fmt.Sprintf("cells.%d", i)
		refuse := func(end, key string, args ...any) {
			bad = bad.With(errs.Field{Path: path + end, Key: key, Args: args})
		}
		kind := planned
		switch e.Field {
		case Planned:
		case Forecast:
			kind = forecast
		default:
			refuse(".field", "budget.field")
			continue
		}
		if _, err := civil.ParsePeriod(string(e.Period)); err != nil {
			refuse(".period", "budget.period", "period", string(e.Period))
			continue
		}
		if e.Version < 0 {
			refuse(".version", "budget.version")
			continue
		}
		w := where{e.LineID, e.Period}
		t := at[w]
		if t == nil {
			t = &target{where: w, path: path, version: e.Version}
			at[w] = t
			list = append(list, t)
		}
		switch {
		case t.set[kind]:
			refuse("", "budget.twice")
			continue
		case t.version != e.Version:
			refuse(".version", "budget.version")
			continue
		}
		t.set[kind], t.amounts[kind], t.paths[kind] = true, e.Amount, path
	}
	if len(bad.Fields) > 0 {
		return nil, bad
	}
	return list, nil
}

// name is how a message calls a cell.
func (t *target) name(f *found) []any { return []any{"line", f.LineName, "period", t.Period} }

// lines gathers the answer after a run, by line.
func (j *job) lines() []LineCells {
	var out []LineCells
	at := map[ident.ID]int{}
	for _, t := range j.targets {
		i, ok := at[t.Line]
		if !ok {
			i = len(out)
			at[t.Line] = i
			total := j.totalOf[t.Line]
			out = append(out, LineCells{ID: t.Line, Total: Sum{Planned: total[planned], Forecast: total[forecast], Actual: total[actual]}})
		}
		f := j.found[t.where]
		out[i].Cells = append(out[i].Cells, CellValue{t.Period, f.Amounts[planned], f.Amounts[forecast], f.Amounts[actual], f.Version})
	}
	return out
}
