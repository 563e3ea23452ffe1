package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/internal/area/budget"
	"steward/internal/area/contract"
	"steward/internal/area/move"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/views/desk"
	view "steward/views/entity"
	"steward/views/layout"
	"steward/views/ui"
)

// pileRows is how many things of a kind "My work" lists; the rest is in the lists.
const pileRows = 20

// home is "My work": what waits for the reader, oldest first, with amount, date and
// one button each.
func (s *site) home(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	v, lang := viewer.From(ctx), i18n.From(ctx)
	title := i18n.T(lang, "nav.home")
	if !slices.ContainsFunc(v.Roles, func(r string) bool { _, ok := access.ParseRole(r); return ok }) {
		return s.show(w, r, http.StatusOK, s.frame(r, title), layout.NoRole(v.Name))
	}
	local := s.Now().In(i18n.Zone(ctx))
	today := civil.DateOf(local)
	h := desk.Home{Greeting: i18n.T(lang, "desk.hello", "name", v.Name), Day: i18n.DateLong(lang, today)}
	for _, read := range []func(context.Context, civil.Date) (desk.Pile, error){s.plansToDecide, s.procurementsToMove, s.contractsToDecide, s.initiativesToMove, s.renewals, s.drafts} {
		p, err := read(ctx, today)
		if err != nil {
			return err
		}
		if len(p.Items) > 0 {
			h.Piles = append(h.Piles, p)
		}
	}
	return s.show(w, r, http.StatusOK, s.frame(r, title, layout.Crumb{Label: title}), desk.HomePage(h))
}

// inState lists the unarchived rows of an entity in one of the states, oldest
// change first.
func (s *site) inState(ctx context.Context, e *entity.Entity, limit int, states ...string) ([]entity.Row, error) {
	if len(states) == 0 || !access.May(viewer.From(ctx), e.Name, access.Read) {
		return nil, nil
	}
	values := make([]any, len(states))
	for i, state := range states {
		values[i] = state
	}
	changed, _ := e.Field("updated_at")
	return e.List(ctx, s.store.ClientOf(ctx), func(sel *sql.Selector) {
		sel.Where(sql.And(sql.IsNull(sel.C("archived_at")), sql.In(sel.C("status"), values...)))
	}, func(sel *sql.Selector) { ordered(sel, changed, false) }, limit, 0)
}

// plansToDecide are the submitted plans that the reader may approve or return.
func (s *site) plansToDecide(ctx context.Context, _ civil.Date) (desk.Pile, error) {
	e := entity.ByName("BudgetPlan")
	p := desk.Pile{ID: "plans", Title: i18n.C(ctx, "desk.plans")}
	if len(flow.BudgetPlan.Available("SUBMITTED", viewer.From(ctx).Roles)) == 0 {
		return p, nil
	}
	found, err := s.inState(ctx, e, pileRows, "SUBMITTED")
	if err != nil || len(found) == 0 {
		return p, err
	}
	plans, err := s.budgetPlans(ctx, idsOf(found))
	if err != nil {
		return p, err
	}
	for _, row := range found {
		steps := budget.Actions(viewer.From(ctx), plans[row.ID])
		if slices.ContainsFunc(steps, func(m flow.Move) bool { return m.To == "APPROVED" || m.To == "RETURNED" }) {
			p.Items = append(p.Items, s.item(ctx, e, row, "planned_total", i18n.C(ctx, "desk.decide")))
		}
	}
	return p, nil
}

// toMove are the rows of an entity with a step that is the reader's to take.
func (s *site) toMove(ctx context.Context, name, id, title string, m flow.Machine, amount string) (desk.Pile, error) {
	e := entity.ByName(name)
	p := desk.Pile{ID: id, Title: title}
	var states []string
	for _, state := range m.States() {
		for _, mv := range m.Available(state, viewer.From(ctx).Roles) {
			if !backward(mv.To) && !slices.Contains(states, state) && !access.ForMove(viewer.From(ctx), name, mv.Roles).Empty() {
				states = append(states, state)
			}
		}
	}
	found, err := s.inState(ctx, e, 100, states...)
	if err != nil || len(found) == 0 {
		return p, err
	}
	records, err := move.Load(ctx, s.store, name, idsOf(found)...)
	if err != nil {
		return p, err
	}
	next := map[ident.ID]flow.Move{}
	for _, rec := range records {
		for _, mv := range rec.Actions() {
			if _, ok := next[rec.ID]; !ok && !backward(mv.To) {
				next[rec.ID] = mv
			}
		}
	}
	for _, row := range found {
		if mv, ok := next[row.ID]; ok && len(p.Items) < pileRows {
			p.Items = append(p.Items, s.item(ctx, e, row, amount, i18n.C(ctx, m.MoveKey(mv.Verb))))
		}
	}
	return p, nil
}

// backward reports whether a state is those that end something or send it back; that one could do so
// is not work that waits.
func backward(to string) bool {
	return slices.Contains([]string{"CANCELLED", "UNSUCCESSFUL", "RETURNED", "TERMINATED", "SUSPENDED", "PARKED", "DECLINED", "CLOSED", "RENEWED"}, to)
}

func (s *site) procurementsToMove(ctx context.Context, today civil.Date) (desk.Pile, error) {
	p, err := s.toMove(ctx, "Procurement", "procurements", i18n.C(ctx, "desk.procurements"), flow.Procurement, "estimate")
	return p, err
}

func (s *site) contractsToDecide(ctx context.Context, _ civil.Date) (desk.Pile, error) {
	return s.toMove(ctx, "Contract", "contracts", i18n.C(ctx, "desk.contracts"), flow.Contract, "value")
}

func (s *site) initiativesToMove(ctx context.Context, _ civil.Date) (desk.Pile, error) {
	return s.toMove(ctx, "Initiative", "initiatives", i18n.C(ctx, "desk.initiatives"), flow.Initiative, "planned")
}

// item is one row as work: its amount where the reader may see it, and the date it
// is due by where it has one.
func (s *site) item(ctx context.Context, e *entity.Entity, row entity.Row, amount, do string) desk.Item {
	show := view.Show{Lang: i18n.From(ctx), Zone: i18n.Zone(ctx)}
	key, _ := e.Value(row, "key").(string)
	i := desk.Item{Icon: e.Icon, Title: show.Title(e, row), Sub: view.Name(show.Lang, e, 1) + " " + key, Href: view.Href(e, row), Do: do}
	if a, ok := e.Value(row, amount).(money.Amount); ok && !access.FieldHidden(viewer.From(ctx), e.Name, amount) {
		i.Amount = i18n.MoneyShort(show.Lang, a, show.Currency(e, row))
	}
	for _, name := range []string{"award_planned_on", "decide_by_on", "planned_end_on"} {
		if d, ok := e.Value(row, name).(civil.Date); ok {
			i.Due, i.Tone = due(ctx, d, civil.DateOf(s.Now().In(i18n.Zone(ctx))))
			break
		}
	}
	return i
}

// due writes a date with the days that are left, and how pressing that is.
func due(ctx context.Context, d, today civil.Date) (string, ui.Tone) {
	days := int(d.Time().Sub(today.Time()) / (24 * time.Hour))
	text := i18n.DateShort(i18n.From(ctx), d)
	switch {
	case days < 0:
		return i18n.C(ctx, "desk.late", "n", -days, "date", text), ui.Bad
	case days <= 30:
		return i18n.C(ctx, "desk.left", "n", days, "date", text), ui.Warn
	}
	return i18n.C(ctx, "desk.left", "n", days, "date", text), ui.Neutral
}

// renewals are the contracts to decide about within ninety days, for those who may
// change contracts.
func (s *site) renewals(ctx context.Context, today civil.Date) (desk.Pile, error) {
	p := desk.Pile{ID: "renewals", Title: i18n.C(ctx, "desk.renewals"), Sub: i18n.C(ctx, "desk.renewals_text")}
	if !access.May(viewer.From(ctx), "Contract", access.Write) {
		return p, nil
	}
	list, err := contract.Renewals(ctx, s.store, today.AddDays(-30), today.AddDays(90))
	if err != nil {
		return p, err
	}
	e := entity.ByName("Contract")
	for _, x := range list[:min(len(list), pileRows)] {
		i := desk.Item{Icon: e.Icon, Title: x.Contract.Name, Sub: x.Contract.Key, Href: "/contracts/" + x.Contract.Key, Do: i18n.C(ctx, "desk.open")}
		if vendor := x.Contract.Edges.Vendor; vendor != nil {
			i.Sub += " · " + vendor.Name
		}
		if x.Contract.Value != nil {
			i.Amount = i18n.MoneyShort(i18n.From(ctx), *x.Contract.Value, x.Contract.Currency)
		}
		i.Due, i.Tone = due(ctx, x.DecideBy, today)
		p.Items = append(p.Items, i)
	}
	return p, nil
}

// drafts are what the reader began and has not handed in.
func (s *site) drafts(ctx context.Context, _ civil.Date) (desk.Pile, error) {
	v := viewer.From(ctx)
	p := desk.Pile{ID: "drafts", Title: i18n.C(ctx, "desk.drafts")}
	for name, amount := range map[string]string{"BudgetPlan": "planned_total", "Contract": "value", "Initiative": "planned", "Objective": ""} {
		e := entity.ByName(name)
		if !access.May(v, name, access.Read) {
			continue
		}
		changed, _ := e.Field("updated_at")
		found, err := e.List(ctx, s.store.ClientOf(ctx), func(sel *sql.Selector) {
			sel.Where(sql.And(sql.IsNull(sel.C("archived_at")), sql.EQ(sel.C("status"), "DRAFT"), sql.EQ(sel.C("created_by"), v.ID.String())))
		}, func(sel *sql.Selector) { ordered(sel, changed, true) }, pileRows, 0)
		if err != nil {
			return p, err
		}
		for _, row := range found {
			p.Items = append(p.Items, s.item(ctx, e, row, amount, i18n.C(ctx, "desk.go_on")))
		}
	}
	slices.SortFunc(p.Items, func(a, b desk.Item) int { return strings.Compare(a.Title, b.Title) })
	return p, nil
}
