package budget

import (
	"context"
	"testing"

	"steward/ent"
	"steward/ent/budgetcell"
	"steward/ent/budgetline"
	"steward/ent/budgetplan"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func verbs(ctx context.Context, p *ent.BudgetPlan) string {
	out := ""
	for _, m := range Actions(viewer.From(ctx), p) {
		out += m.Verb + " "
	}
	return out
}

func TestLifeOfAPlan(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		p := w.plan
		step := func(ctx context.Context, to, note string, code errs.Code) {
			t.Helper()
			m, err := Move(ctx, s, p.ID, to, p.Version, note)
			if errs.CodeOf(err) != code {
				t.Fatalf("%s → %s: %v, expected %q", p.Status, to, err, code)
			}
			if err == nil {
				if string(m.Plan.Status) != to || m.Plan.Version != p.Version+1 {
					t.Fatalf("the plan is %s in version %d", m.Plan.Status, m.Plan.Version)
				}
				p = m.Plan
			}
		}
		step(w.finance, "SUBMITTED", "", errs.CodeForbidden)
		step(w.stranger, "SUBMITTED", "", errs.CodeNotFound)
		step(w.owner, "SUBMITTED", "", errs.CodeNotFound)
		step(w.manager, "APPROVED", "", errs.State)
		step(w.manager2, "SUBMITTED", "", "")
		if *p.SubmittedBy != "per_Peter" {
			t.Errorf("submitted by %s", *p.SubmittedBy)
		}
		// Whoever submitted it does not approve it, and nobody else recalls it.
		if got := verbs(w.manager2, p) + "|" + verbs(w.manager, p) + "|" + verbs(w.finance, p); got != "recall ||approve return " {
			t.Errorf("offered are %s", got)
		}
		step(w.manager2, "APPROVED", "", errs.CodeForbidden)
		step(w.manager2, "RETURNED", "no", errs.CodeForbidden)
		step(w.manager, "DRAFT", "", errs.CodeForbidden)
		step(w.manager2, "DRAFT", "", "")
		step(w.manager, "SUBMITTED", "", "")
		step(w.finance, "RETURNED", "", errs.Validation)
		step(w.finance, "RETURNED", "Too much.", "")
		step(w.manager, "SUBMITTED", "", "")
		if _, err := Move(w.finance, s, p.ID, "APPROVED", p.Version-1, ""); errs.CodeOf(err) != errs.Conflict {
			t.Errorf("a stale version answers %v", err)
		}
		token := *viewer.From(w.finance)
		token.TokenID = ident.New("tok")
		token.Memberships = []viewer.Membership{{Scope: viewer.ScopeAll, Level: viewer.LevelManager}}
		step(viewer.With(context.Background(), &token), "APPROVED", "", errs.CodeForbidden)
		step(w.exec, "APPROVED", "", errs.CodeForbidden)
		step(w.finance, "APPROVED", "", "")
		step(w.finance, "REVISED", "x", errs.CodeForbidden)
		step(w.finance, "CLOSED", "", "")
		if got := verbs(w.finance, p) + verbs(w.manager, p); got != "" {
			t.Errorf("a closed plan offers %s", got)
		}
		if n := len(must1(s.History(testkit.System(), p.ID, 50, 0))); n < 8 {
			t.Errorf("the history has %d rows", n)
		}
	})
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestRevision(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		l := w.lines[0]
		set(t, w.manager, s, edit(l, "2026-04", Planned, "100", 0), edit(l, "2026-05", Planned, "50", 0), edit(w.lines[1], "2026-04", Forecast, "7", 0))
		must1(PostActual(w.finance, s, PostActualInput{Postings: []Posting{{l.ID, "2026-04", amount("80")}}}))
		must(t, s.Archive(w.manager, "BudgetLine", w.lines[2].ID, 1))
		w.status(t, w.plan, "APPROVED")
		p := s.Client.BudgetPlan.GetX(w.manager, w.plan.ID)
		_, err := Move(w.manager, s, p.ID, "REVISED", p.Version, "")
		refused(t, err, errs.Validation, "note")
		m, err := Move(w.manager, s, p.ID, "REVISED", p.Version, "More staff.")
		must(t, err)
		r := m.Revision
		if m.Plan.Status != "REVISED" || m.Plan.Current || r.Status != "DRAFT" || !r.Current || r.VersionNo != 2 || r.Reason != "More staff." ||
			r.Key == p.Key || *r.RevisionOfID != p.ID || r.LineCount != 2 || text(r.PlannedTotal) != "150.00" || text(r.ActualTotal) != "80.00" {
			t.Errorf("the revision is %+v", r)
		}
		w.check(t)
		copied := s.Client.BudgetLine.Query().Where(budgetline.PlanID(r.ID)).Order(ent.Asc(budgetline.FieldPosition)).WithCells().AllX(w.manager)
		if len(copied) != 2 || copied[0].Name != "Licences" || len(copied[0].Edges.Cells) != 2 || copied[0].PortfolioID != w.ours.ID {
			t.Fatalf("copied are %v", copied)
		}
		// Until it is submitted, the version it revises counts.
		planned := func() string {
			tt, err := Totals(w.manager, s, ptr("ours"), ptr(2026))
			must(t, err)
			return text(tt[0].Planned) + " in " + string(rune('0'+tt[0].Lines))
		}
		set(t, w.manager, s, edit(copied[0], "2026-04", Planned, "500", 1))
		if got := planned(); got != "150.00 in 3" { // with the product's line
			t.Errorf("during the draft totals say %s", got)
		}
		_, err = SetCells(w.manager, s, SetCellsInput{Cells: []CellEdit{edit(l, "2026-06", Forecast, "1", 0)}})
		refused(t, err, errs.State, "cells.0")
		// Actuals reach both versions, whichever line is named.
		for i, line := range []ident.ID{l.ID, copied[0].ID} {
			must1(PostActual(w.finance, s, PostActualInput{Postings: []Posting{{line, "2026-05", amount([]string{"41", "42"}[i])}}}))
			for _, c := range s.Client.BudgetCell.Query().Where(budgetcell.Period("2026-05"), budgetcell.LineIDIn(l.ID, copied[0].ID)).AllX(w.manager) {
				if text(c.Actual) != []string{"41.00", "42.00"}[i] {
					t.Errorf("posting to %s left %s on %s", line, text(c.Actual), c.LineID)
				}
			}
		}
		w.check(t)
		sub, err := Move(w.manager, s, r.ID, "SUBMITTED", r.Version, "")
		must(t, err)
		if got := planned(); got != "550.00 in 3" {
			t.Errorf("after submitting totals say %s", got)
		}
		_, err = Move(w.finance, s, r.ID, "APPROVED", sub.Plan.Version, "")
		must(t, err)
		if n := s.Client.BudgetPlan.Query().Where(budgetplan.PortfolioID(w.ours.ID), Counted()).CountX(w.manager); n != 2 {
			t.Errorf("%d plans count", n)
		}
	})
}

func ptr[T any](v T) *T { return &v }

func TestPostActual(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		at(t, "2026-07-02T12:00:00Z")
		l := w.lines[0]
		set(t, w.manager, s, edit(l, "2026-04", Planned, "100", 0))
		n, err := PostActual(w.finance, s, PostActualInput{Postings: []Posting{{l.ID, "2026-04", amount("90")}, {w.farLine.ID, "2026-05", amount("3")}}, Reason: "ledger"})
		must(t, err)
		if n != 2 {
			t.Errorf("%d cells changed", n)
		}
		n, err = PostActual(w.finance, s, PostActualInput{Postings: []Posting{{l.ID, "2026-04", amount("90")}, {w.farLine.ID, "2026-05", amount("4")}}})
		if err != nil || n != 1 {
			t.Errorf("posting again changed %d cells: %v", n, err)
		}
		c := s.Client.BudgetCell.Query().Where(budgetcell.LineID(l.ID)).OnlyX(w.manager)
		if text(c.Planned) != "100.00" || text(c.Actual) != "90.00" || c.Version != 2 {
			t.Errorf("the cell is %+v", c)
		}
		w.check(t)
		_, err = PostActual(w.finance, s, PostActualInput{Postings: []Posting{{l.ID, "2026-04", nil}, {l.ID, "2026-04", nil}, {l.ID, "x", nil}}})
		refused(t, err, errs.Validation, "postings.1", "postings.2.period")
		_, err = PostActual(w.stranger, s, PostActualInput{Postings: []Posting{{l.ID, "2026-04", nil}}})
		refused(t, err, errs.CodeNotFound)
		months, err := OpenYear(w.manager, s, "PF-OURS", 2026)
		must(t, err)
		_, err = ClosePeriod(w.finance, s, months[0].ID, 1)
		must(t, err)
		_, err = PostActual(w.finance, s, PostActualInput{Postings: []Posting{{l.ID, "2026-05", amount("1")}, {l.ID, "2026-04", amount("1")}}})
		refused(t, err, errs.State, "postings.1")
		_, err = PostActual(testkit.System(), s, PostActualInput{Postings: []Posting{{l.ID, "2026-05", amount("1")}}})
		must(t, err)
		imp := viewer.With(context.Background(), viewer.NewSystem(viewer.ViaImport, ""))
		_, err = PostActual(imp, s, PostActualInput{Postings: []Posting{{l.ID, "2026-04", amount("77")}}})
		must(t, err)
		w.check(t)
	})
}

func TestFiscalPeriods(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		// In Vancouver it is still 30 April while it is May in UTC.
		at(t, "2026-05-01T03:00:00Z")
		if _, err := OpenYear(w.exec, s, "ours", 2026); errs.CodeOf(err) != errs.CodeForbidden {
			t.Errorf("an executive opening a year gets %v", err)
		}
		if _, err := OpenYear(w.stranger, s, "ours", 2026); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("a stranger opening a year gets %v", err)
		}
		months := must1(OpenYear(w.finance, s, "ours", 2026))
		again := must1(OpenYear(w.manager, s, "ours", 2026))
		if len(months) != 12 || months[0].Period != "2026-04" || months[11].Period != "2027-03" || again[3].ID != months[3].ID {
			t.Errorf("the year has %v", months)
		}
		_, err := ClosePeriod(w.finance, s, months[0].ID, 1)
		refused(t, err, errs.State)
		at(t, "2026-05-01T08:00:00Z")
		_, err = ClosePeriod(w.manager, s, months[0].ID, 1)
		refused(t, err, errs.CodeForbidden)
		closed := must1(ClosePeriod(w.finance, s, months[0].ID, 1))
		if closed.Status != "CLOSED" || closed.ClosedOn.String() != "2026-05-01" || closed.Version != 2 {
			t.Errorf("closed is %+v", closed)
		}
		_, err = ClosePeriod(w.finance, s, months[0].ID, 2)
		refused(t, err, errs.State)
		_, err = ReopenPeriod(w.finance, s, months[0].ID, 1)
		refused(t, err, errs.Conflict)
		if open := must1(ReopenPeriod(w.finance, s, months[0].ID, 2)); open.Status != "OPEN" || open.ClosedOn != nil {
			t.Errorf("open is %+v", open)
		}
	})
}

func TestLinesComeAndGo(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := build(t, s)
		l := w.lines[0]
		set(t, w.manager, s, edit(l, "2026-04", Planned, "100", 0), edit(w.lines[1], "2026-04", Planned, "11", 0))
		must(t, s.Archive(w.manager, "BudgetLine", l.ID, 1))
		w.check(t)
		if p := s.Client.BudgetPlan.GetX(w.manager, w.plan.ID); text(p.PlannedTotal) != "11.00" || p.LineCount != 2 {
			t.Errorf("the plan keeps %s and %d lines", text(p.PlannedTotal), p.LineCount)
		}
		_, err := SetCells(w.manager, s, SetCellsInput{Cells: []CellEdit{edit(l, "2026-04", Planned, "5", 1)}})
		refused(t, err, errs.State, "cells.0")
		must(t, s.Restore(w.manager, "BudgetLine", l.ID, 2))
		w.check(t)
		w.status(t, w.plan, "APPROVED")
		if err := s.Archive(w.manager, "BudgetLine", l.ID, 3); errs.CodeOf(err) != errs.State {
			t.Errorf("archiving a line of an approved plan answers %v", err)
		}
		err = s.Tx(w.manager, func(ctx context.Context, c *ent.Client) error {
			return c.BudgetLine.Create().SetName("Late").SetPlanID(w.plan.ID).Exec(ctx)
		})
		refused(t, err, errs.State)
		err = s.Tx(w.manager, func(ctx context.Context, c *ent.Client) error {
			return c.BudgetPlan.UpdateOneID(w.plan.ID).SetCurrency("USD").Exec(ctx)
		})
		refused(t, err, errs.Validation, "currency")
		w.check(t)
	})
}
