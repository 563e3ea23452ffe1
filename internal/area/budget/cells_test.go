package budget

import (
	"context"
	"errors"
	"testing"

	"steward/ent"
	"steward/ent/budgetcell"
	"steward/ent/changeevent"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

func refused(t testing.TB, err error, code errs.Code, fields ...string) *errs.Error {
	t.Helper()
	if errs.CodeOf(err) != code {
		t.Fatalf("the answer is %v, expected %s", err, code)
	}
	e := errs.As(err)
	if len(e.Fields) != len(fields) {
		t.Fatalf("%d fields are named, expected %v: %v", len(e.Fields), fields, err)
	}
	for i, f := range e.Fields {
		if f.Path != fields[i] {
			t.Errorf("field %d is %s, expected %s", i, f.Path, fields[i])
		}
	}
	for _, lang := range i18n.Languages() { // every sentence exists and fills
		i18n.Error(lang, err)
		i18n.Fields(lang, err)
	}
	return e
}

func TestSetCells(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		l := w.lines[0]
		r := set(t, w.manager, s, edit(l, "2026-04", Planned, "100.00", 0), edit(l, "2026-04", Forecast, "90.5", 0), edit(l, "2026-05", Planned, "-7", 0), edit(w.prodLine, "2026-04", Planned, "1", 0))
		if r.UndoToken == "" || len(r.Lines) != 2 || len(r.Lines[0].Cells) != 2 {
			t.Fatalf("the answer is %+v", r)
		}
		c := r.Lines[0].Cells[0]
		if c.Version != 1 || text(c.Planned) != "100.00" || text(c.Forecast) != "90.50" || c.Actual != nil {
			t.Errorf("the cell is %+v", c)
		}
		if x := r.Lines[0].Total; text(x.Planned) != "93.00" || text(x.Forecast) != "90.50" || x.Actual != nil {
			t.Errorf("the line's total is %+v", x)
		}
		w.check(t)
		// A second line in the same period: totals of the period are those of the plan.
		r = set(t, w.manager, s, edit(w.lines[1], "2026-04", Planned, "11", 0))
		if len(r.Totals) != 1 || r.Totals[0].PlanID != w.plan.ID || r.Totals[0].Currency != "CAD" || text(r.Totals[0].Planned) != "111.00" || text(r.Totals[0].Forecast) != "90.50" {
			t.Errorf("the period's totals are %+v", r.Totals)
		}
		// Clearing leaves nothing, not zero.
		r = set(t, w.manager, s, edit(l, "2026-04", Forecast, "", 1))
		if v := r.Lines[0].Cells[0]; v.Version != 2 || v.Forecast != nil || r.Lines[0].Total.Forecast != nil || text(v.Planned) != "100.00" {
			t.Errorf("after clearing: %+v", r.Lines[0])
		}
		w.check(t)
		if p := s.Client.BudgetPlan.GetX(testkit.System(), w.plan.ID); p.ForecastTotal != nil || text(p.PlannedTotal) != "104.00" {
			t.Errorf("the plan has forecast %q and planned %q", text(p.ForecastTotal), text(p.PlannedTotal))
		}
		// What is already so is no change, and nothing to undo.
		if r = set(t, w.manager, s, edit(l, "2026-04", Planned, "100", 2), edit(w.lines[2], "2026-04", Planned, "", 0)); r.UndoToken != "" || r.Lines[0].Cells[0].Version != 2 || text(r.Lines[0].Total.Planned) != "93.00" {
			t.Errorf("writing the same again gives %+v", r)
		}
		cell := s.Client.BudgetCell.Query().Where(budgetcell.LineID(l.ID), budgetcell.Period("2026-04")).OnlyX(w.manager)
		if cell.PortfolioID != w.ours.ID || cell.ProductID != nil || cell.CreatedBy != "per_Pia" || cell.UpdatedAt.IsZero() {
			t.Errorf("the row is stored as %+v", cell)
		}
		prod := s.Client.BudgetCell.Query().Where(budgetcell.LineID(w.prodLine.ID)).OnlyX(w.owner)
		if prod.ProductID == nil || *prod.ProductID != w.chefs.ID {
			t.Errorf("the product's cell lies in %v", prod.ProductID)
		}
		events := s.Client.ChangeEvent.Query().Where(changeevent.EntityID(cell.ID)).Order(ent.Asc(changeevent.FieldID)).AllX(testkit.System())
		if len(events) != 2 || events[0].Op != "CREATE" || events[1].Op != "UPDATE" || events[1].Reason != "test" || events[1].EntityVersion != 2 {
			t.Fatalf("the history is %v", events)
		}
		if d := events[1].Diff["forecast"]; d[0] != "90.50" || d[1] != nil {
			t.Errorf("the history holds %v", d)
		}
	})
}

func TestSetCellsRefusesBadInput(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		l := w.lines[0]
		for _, c := range []struct {
			name   string
			cells  []CellEdit
			code   errs.Code
			fields []string
		}{
			{"nothing", nil, errs.Validation, []string{"cells"}},
			{"too many", make([]CellEdit, MaxCells+1), errs.Limit, nil},
			{"twice", []CellEdit{edit(l, "2026-04", Planned, "1", 0), edit(l, "2026-04", Planned, "2", 0)}, errs.Validation, []string{"cells.1"}},
			{"two versions of one cell", []CellEdit{edit(l, "2026-04", Planned, "1", 0), edit(l, "2026-04", Forecast, "2", 3)}, errs.Validation, []string{"cells.1.version"}},
			{"negative version", []CellEdit{edit(l, "2026-04", Planned, "1", -1)}, errs.Validation, []string{"cells.0.version"}},
			{"no month", []CellEdit{edit(l, "April", Planned, "1", 0)}, errs.Validation, []string{"cells.0.period"}},
			{"an actual", []CellEdit{edit(l, "2026-04", "ACTUAL", "1", 0)}, errs.Validation, []string{"cells.0.field"}},
			{"month of another year", []CellEdit{edit(l, "2026-04", Planned, "1", 0), edit(l, "2026-03", Planned, "1", 0), edit(l, "2027-04", Planned, "1", 0)}, errs.Validation, []string{"cells.1.period", "cells.2.period"}},
			{"a sum too large", []CellEdit{edit(l, "2026-04", Planned, "900000000000000", 0), edit(l, "2026-05", Planned, "900000000000000", 0)}, errs.Validation, []string{"cells"}},
			{"no such line", []CellEdit{edit(l, "2026-04", Planned, "1", 0), {ident.New("bln"), "2026-04", Planned, amount("1"), 0}}, errs.CodeNotFound, nil},
			{"a foreign line", []CellEdit{edit(l, "2026-04", Planned, "1", 0), edit(w.farLine, "2026-04", Planned, "1", 0)}, errs.CodeNotFound, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				_, err := SetCells(w.manager, s, SetCellsInput{Cells: c.cells})
				refused(t, err, c.code, c.fields...)
			})
		}
		if n := s.Client.BudgetCell.Query().CountX(testkit.System()); n != 0 {
			t.Errorf("%d cells were written by refused batches", n)
		}
		w.check(t)
	})
}

func TestWhoMayWriteCells(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		for _, c := range []struct {
			name string
			ctx  context.Context
			line *ent.BudgetLine
			code errs.Code
		}{
			{"manager", w.manager, w.lines[0], ""}, {"manager, product", w.manager, w.prodLine, ""},
			{"owner, product", w.owner, w.prodLine, ""}, {"owner, portfolio", w.owner, w.lines[0], errs.CodeNotFound},
			{"contributor", w.contributor, w.prodLine, errs.CodeForbidden}, {"finance", w.finance, w.farLine, ""},
			{"executive", w.exec, w.lines[0], errs.CodeForbidden}, {"stranger", w.stranger, w.lines[0], errs.CodeNotFound},
			{"without a role", person("Nora", nil), w.lines[0], errs.CodeNotFound},
			{"nobody", context.Background(), w.lines[0], errs.Internal},
		} {
			_, err := SetCells(c.ctx, s, SetCellsInput{Cells: []CellEdit{{c.line.ID, "2026-06", Planned, amount("5"), 0}}})
			if c.code == "" {
				must(t, err)
				_, err = SetCells(c.ctx, s, SetCellsInput{Cells: []CellEdit{{c.line.ID, "2026-06", Planned, nil, 1}}})
				must(t, err)
				must(t, s.Tx(testkit.System(), func(ctx context.Context, _ *ent.Client) error {
					_, err := s.Raw(ctx).ExecContext(ctx, "DELETE FROM budget_cells")
					return err
				}))
				continue
			}
			if errs.CodeOf(err) != c.code {
				t.Errorf("%s: %v, expected %s", c.name, err, c.code)
			}
		}
	})
}

func TestStatesAndPeriodsGuardCells(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		at(t, "2026-06-15T12:00:00Z")
		months, err := OpenYear(w.finance, s, "ours", 2026)
		must(t, err)
		_, err = ClosePeriod(w.finance, s, months[0].ID, 1)
		must(t, err)
		version := map[civil.Period]int{}
		for _, status := range []string{"DRAFT", "SUBMITTED", "RETURNED", "APPROVED", "REVISED", "CLOSED"} {
			w.status(t, w.plan, status)
			for _, c := range []struct {
				field  Field
				period civil.Period
				ok     bool
			}{
				{Planned, "2026-04", status == "DRAFT" || status == "RETURNED"}, {Planned, "2026-05", status == "DRAFT" || status == "RETURNED"},
				{Forecast, "2026-04", false}, {Forecast, "2026-05", status != "REVISED" && status != "CLOSED"},
			} {
				_, err := SetCells(w.manager, s, SetCellsInput{Cells: []CellEdit{{w.lines[0].ID, c.period, c.field, amount(map[string]string{"DRAFT": "1", "SUBMITTED": "2", "RETURNED": "3", "APPROVED": "4", "REVISED": "5", "CLOSED": "6"}[status]), version[c.period]}}})
				if c.ok {
					if err != nil {
						t.Errorf("%s %s in %s: %v", status, c.field, c.period, err)
					}
					version[c.period]++
				} else {
					refused(t, err, errs.State, "cells.0")
				}
			}
		}
		// One refused cell refuses all, and each refused one has its sentence.
		_, err = SetCells(w.manager, s, SetCellsInput{Cells: []CellEdit{edit(w.prodLine, "2026-04", Planned, "1", 0), edit(w.prodLine, "2026-04", Forecast, "1", 0),
			edit(w.lines[0], "2026-07", Forecast, "1", 0)}})
		refused(t, err, errs.State, "cells.1", "cells.2")
		if n := s.Client.BudgetCell.Query().Where(budgetcell.LineID(w.prodLine.ID)).CountX(testkit.System()); n != 0 {
			t.Error("part of a refused batch was written")
		}
		w.check(t)
	})
}

func TestTwoEditorsConflict(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		l := w.lines[0]
		set(t, w.manager, s, edit(l, "2026-04", Planned, "100", 0), edit(l, "2026-05", Planned, "100", 0))
		set(t, w.manager2, s, edit(l, "2026-04", Planned, "150", 1), edit(l, "2026-06", Planned, "5", 0))
		set(t, w.manager2, s, edit(l, "2026-04", Forecast, "160", 2))
		_, err := SetCells(w.manager, s, SetCellsInput{Cells: []CellEdit{edit(l, "2026-05", Planned, "999", 1), edit(l, "2026-04", Planned, "120", 1), edit(l, "2026-06", Planned, "6", 0)}})
		e := refused(t, err, errs.Conflict, "cells.1", "cells.2")
		clashes, ok := e.Current.([]Clash)
		if !ok || len(clashes) != 2 {
			t.Fatalf("the conflict carries %v", e.Current)
		}
		c := clashes[0]
		if c.LineID != l.ID || c.Period != "2026-04" || text(c.Planned) != "150.00" || text(c.Forecast) != "160.00" || c.Version != 3 || c.By != "Peter" || c.At.IsZero() {
			t.Errorf("the clash is %+v", c)
		}
		if c.Before == nil || text(c.Before.Planned) != "100.00" || c.Before.Forecast != nil || c.Before.Version != 1 {
			t.Errorf("before it was %+v", c.Before)
		}
		if b := clashes[1].Before; b == nil || b.Planned != nil || b.Version != 0 {
			t.Errorf("a cell written meanwhile was %+v before", b)
		}
		if cell := s.Client.BudgetCell.Query().Where(budgetcell.LineID(l.ID), budgetcell.Period("2026-05")).OnlyX(w.manager); text(cell.Planned) != "100.00" {
			t.Error("a batch with a clash was written in part")
		}
		w.check(t)
	})
}

func TestUndoOfCells(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		l := w.lines[0]
		set(t, w.manager, s, edit(l, "2026-04", Planned, "100", 0))
		r := set(t, w.manager, s, edit(l, "2026-04", Planned, "140", 1), edit(l, "2026-04", Forecast, "9", 1), edit(w.lines[1], "2026-05", Forecast, "7", 0))
		if _, err := s.Undo(w.manager2, r.UndoToken); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("another person's token answers %v", err)
		}
		u, err := s.Undo(w.manager, r.UndoToken)
		must(t, err)
		if u.Changes != 2 {
			t.Errorf("%d changes were taken back", u.Changes)
		}
		cell := func(l *ent.BudgetLine, period civil.Period) *ent.BudgetCell {
			return s.Client.BudgetCell.Query().Where(budgetcell.LineID(l.ID), budgetcell.Period(period)).OnlyX(w.manager)
		}
		if c := cell(l, "2026-04"); text(c.Planned) != "100.00" || c.Forecast != nil || c.Version != 3 {
			t.Errorf("the cell is %+v", c)
		}
		if c := cell(w.lines[1], "2026-05"); c.Forecast != nil || c.Version != 2 {
			t.Errorf("the new cell is %+v", c)
		}
		w.check(t)
		if p := s.Client.BudgetPlan.GetX(testkit.System(), w.plan.ID); p.ForecastTotal != nil {
			t.Errorf("the plan still forecasts %s", text(p.ForecastTotal))
		}
		// The undo itself can be taken back, once.
		_, err = s.Undo(w.manager, u.Token)
		must(t, err)
		if c := cell(l, "2026-04"); text(c.Planned) != "140.00" || text(c.Forecast) != "9.00" {
			t.Errorf("after undoing the undo: %+v", c)
		}
		_, err = s.Undo(w.manager, u.Token)
		refused(t, err, errs.State)
		w.check(t)
		// Not when somebody changed the cell since, and not when the plan no longer permits it.
		r = set(t, w.manager, s, edit(l, "2026-07", Planned, "1", 0))
		set(t, w.manager2, s, edit(l, "2026-07", Planned, "2", 1))
		if _, err = s.Undo(w.manager, r.UndoToken); errs.CodeOf(err) != errs.Conflict {
			t.Errorf("undoing what changed since answers %v", err)
		}
		r = set(t, w.manager, s, edit(l, "2026-08", Planned, "1", 0))
		w.status(t, w.plan, "APPROVED")
		if _, err = s.Undo(w.manager, r.UndoToken); errs.CodeOf(err) != errs.State {
			t.Errorf("undoing in an approved plan answers %v", err)
		}
		w.check(t)
	})
}

func TestStatementsOfASave(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		var many []*ent.BudgetLine
		must(t, s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			for range 50 {
				many = append(many, c.BudgetLine.Create().SetName("More").SetPlanID(w.plan.ID).SaveX(ctx))
			}
			return nil
		}))
		count := func(edits ...CellEdit) int {
			s.Statements.Reset()
			set(t, w.manager, s, edits...)
			return s.Statements.N()
		}
		s.Statements.Keep()
		// begin, the cells with their plan, the write, all that it leaves (audit, event, right to undo), commit
		if n := count(edit(w.lines[0], "2026-04", Planned, "1", 0)); n != 5 {
			t.Errorf("one cell takes %d statements:\n%v", n, s.Statements.Log())
		}
		var edits []CellEdit
		for _, l := range many {
			for _, p := range calendarOf(4).Periods(2026, "MONTH")[:10] {
				edits = append(edits, CellEdit{l.ID, p, Planned, amount("10"), 0})
			}
		}
		if n := count(edits...); n != 6 { // many audit rows are written by themselves
			t.Errorf("%d cells take %d statements", len(edits), n)
		}
		for i := range edits {
			edits[i].Version, edits[i].Amount = 1, amount("12.34")
		}
		if n := count(edits...); n != 6 {
			t.Errorf("changing %d cells takes %d statements", len(edits), n)
		}
		w.check(t)
	})
}

func TestNestedInAnOuterTransaction(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		stop := errors.New("stop")
		err := s.Tx(w.manager, func(ctx context.Context, _ *ent.Client) error {
			_, err := SetCells(ctx, s, SetCellsInput{Cells: []CellEdit{edit(w.lines[0], "2026-04", Planned, "1", 0)}})
			must(t, err)
			return stop
		})
		if !errors.Is(err, stop) || s.Client.BudgetCell.Query().CountX(w.manager) != 0 {
			t.Error("cells of a transaction that failed are there")
		}
		w.check(t)
	})
}
