package budget

import (
	"context"

	"steward/ent"
	"steward/ent/budgetplan"
	"steward/internal/area/approval"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
)

// Actions returns the moves that the viewer can make with a plan in its present state, in
// the order of the table: by role and reach, and by what the move asks of the person (not
// whoever submitted it, only whoever submitted it, no token).
func Actions(v *viewer.Viewer, p *ent.BudgetPlan) []flow.Move {
	var out []flow.Move
	for _, m := range flow.BudgetPlan.Moves {
		if m.From == string(p.Status) && p.ArchivedAt == nil && may(v, p, m) == nil {
			out = append(out, m)
		}
	}
	return out
}

// may returns why the viewer cannot make the move; nil when they can. A note is not asked
// for here. The system acts without roles, but not where a person must.
func may(v *viewer.Viewer, p *ent.BudgetPlan, m flow.Move) error {
	row := rowOf(p.PortfolioID, p.ProductID)
	mine := p.SubmittedBy != nil && *p.SubmittedBy == v.ID
	switch {
	case m.Needs.Has(flow.Person) && (v.Kind != viewer.Person || access.Bounded(v)):
		if !access.May(v, "BudgetPlan", access.Read) || !m.By(v.Roles) {
			return errs.Forbidden()
		}
		return errs.New(errs.CodeForbidden, "error.person_only")
	case !access.ForMove(v, "BudgetPlan", m.Roles).Includes(row):
		return errs.Forbidden()
	case m.Needs.Has(flow.SecondPerson) && mine:
		return errs.New(errs.CodeForbidden, "error.second_person")
	case m.Needs.Has(flow.Submitter) && !mine:
		return errs.New(errs.CodeForbidden, "error.submitter_only")
	}
	return nil
}

// Moved is what a move left: the plan and, after a revision, the new version of it.
type Moved struct{ Plan, Revision *ent.BudgetPlan }

// Move takes a plan to another state: submit, recall, approve, return, revise or close, as
// the table in rules/flow says. It fails with errs.NotFound for a plan the viewer does not
// see, errs.Conflict when version is not the present one, errs.State when the table has no
// such move, Forbidden when this viewer may not make it, Validation when it takes a note and
// there is none, and auth.ErrNotFresh for an approval above the second threshold without a
// recent sign-in. Whoever submitted a plan neither approves nor returns it.
//
// Revising leaves the plan as REVISED and makes the next version of it, a draft with the same
// lines and cells, which from then on is the current one; totals go on counting the revised
// plan until the draft is submitted (see Counted).
func Move(ctx context.Context, s *store.Store, id ident.ID, to string, version int, note string) (*Moved, error) {
	out := &Moved{}
	err := s.Tx(store.Because(ctx, &note), func(ctx context.Context, c *ent.Client) error {
		p, err := c.BudgetPlan.Query().Where(budgetplan.ID(id)).Where(s.Lock()).Only(ctx)
		if err != nil {
			return err
		}
		if p.Version != version {
			return s.Stale(ctx, "BudgetPlan", id, errs.NotFound())
		}
		v := viewer.From(ctx)
		m, ok := flow.BudgetPlan.Find(string(p.Status), to)
		if !ok {
			return errs.New(errs.State, "error.state", "machine", flow.BudgetPlan.Name, "from", string(p.Status), "to", to)
		}
		if p.ArchivedAt != nil {
			return errs.New(errs.State, "budget.plan_archived", "plan", p.Key)
		}
		if err := may(v, p, m); err != nil {
			return err
		}
		if m.Needs.Has(flow.Note) && note == "" {
			return errs.Invalid("note", "error.reason_required")
		}
		if m.Needs.Has(flow.Recent) {
			if err := approval.Recent(ctx, s, commitment(p)); err != nil {
				return err
			}
		}
		ctx = store.Moving(store.Acting(ctx, letterOf(m)))
		out.Plan, out.Revision, err = move(ctx, s, c, p, m, note)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// commitment is what approving a plan commits to: all that is planned in it.
func commitment(p *ent.BudgetPlan) *money.Amount {
	if p.PlannedTotal == nil {
		return new(money.Amount)
	}
	return p.PlannedTotal
}

// WantsProof reports whether the viewer could take a plan to a state, were it not long since
// they proved who they are. A form asks before it is sent.
func WantsProof(ctx context.Context, s *store.Store, id ident.ID, to string) (bool, error) {
	p, err := s.ClientOf(ctx).BudgetPlan.Get(ctx, id)
	if err != nil {
		return false, store.Known(err)
	}
	m, ok := flow.BudgetPlan.Find(string(p.Status), to)
	if !ok || !m.Needs.Has(flow.Recent) || may(viewer.From(ctx), p, m) != nil {
		return false, nil
	}
	return approval.Above(ctx, s, commitment(p))
}

// letterOf is the right under which a move writes the plan.
func letterOf(m flow.Move) access.Letter {
	switch m.Verb {
	case "approve", "return", "close":
		return access.Approve
	}
	return access.Submit
}

func move(ctx context.Context, s *store.Store, c *ent.Client, p *ent.BudgetPlan, m flow.Move, note string) (plan, revision *ent.BudgetPlan, err error) {
	v := viewer.From(ctx)
	u := c.BudgetPlan.UpdateOne(p).SetStatus(budgetplan.Status(m.To))
	switch m.Verb {
	case "submit":
		u.SetSubmittedBy(v.ID)
	case "recall":
		u.ClearSubmittedBy()
	case "revise":
		u.SetCurrent(false)
	}
	if plan, err = u.Save(ctx); err != nil || m.Verb != "revise" {
		return plan, nil, err
	}
	n := c.BudgetPlan.Create().SetPortfolioID(p.PortfolioID).SetNillableProductID(p.ProductID).SetName(p.Name).
		SetFiscalYear(p.FiscalYear).SetPeriodLength(p.PeriodLength).SetCurrency(p.Currency).
		SetVersionNo(p.VersionNo + 1).SetReason(note).SetRevisionOfID(p.ID)
	if p.Custom != nil {
		n.SetCustom(p.Custom)
	}
	if revision, err = n.Save(ctx); err != nil {
		return nil, nil, err
	}
	lines, err := copyRows(ctx, s, p, revision)
	if err != nil {
		return nil, nil, err
	}
	// One audit row for each line; its cells are those of the line it names.
	notes := make([]store.Change, len(lines))
	for i, l := range lines {
		notes[i] = store.Change{Op: store.OpCreate, Entity: "BudgetLine", ID: l.New, Version: 1, Portfolio: p.PortfolioID,
			Diff: map[string][2]any{"plan_id": {nil, revision.ID}, "external_id": {nil, l.Old}}}
		if p.ProductID != nil {
			notes[i].Product = *p.ProductID
		}
	}
	if err := store.Note(ctx, notes...); err != nil {
		return nil, nil, err
	}
	revision, err = c.BudgetPlan.Get(scope.Elevate(ctx), revision.ID) // with the totals copied
	return plan, revision, err
}
