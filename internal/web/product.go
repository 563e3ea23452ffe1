package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"steward/ent"
	entcontract "steward/ent/contract"
	"steward/ent/objective"
	"steward/ent/portfolio"
	"steward/ent/product"
	"steward/internal/area/audit"
	"steward/internal/area/budget"
	"steward/internal/area/contract"
	"steward/internal/area/move"
	"steward/internal/area/okr"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	rules "steward/internal/rules/okr"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
	"steward/views/layout"
	portfolioview "steward/views/portfolio"
	page "steward/views/product"
	"steward/views/ui"
)

// shownOf are the lists of a product's page, in their order.
var shownOf = []string{"initiatives", "environments", "components", "clients", "procurements"}

// productPage shows a product; as a record like any other it is at ?view=record.
func (s *site) productPage(w http.ResponseWriter, r *http.Request) error {
	ctx, e := r.Context(), entity.ByName("Product")
	if r.URL.Query().Get("view") == "record" {
		return s.record(w, r, e)
	}
	row, err := s.find(ctx, e, r.PathValue("id"))
	if err != nil {
		return err
	}
	v, lang := viewer.From(ctx), i18n.From(ctx)
	fields := seen(v, e)
	need := wanted{}
	need.row(e, row, fields)
	// The page shows some of the lists; contracts and objectives have cards of their own.
	part := *e
	part.Edges = nil
	for _, name := range shownOf {
		if x, ok := e.Edge(name); ok {
			part.Edges = append(part.Edges, x)
		}
	}
	related, err := s.related(ctx, &part, row, need)
	if err != nil {
		return err
	}
	for i := range related {
		related[i].Post = "" // links are changed on the record's own page
	}
	show, err := s.shower(ctx, need)
	if err != nil {
		return err
	}
	if show.Own, err = ownOf(ctx, e); err != nil {
		return err
	}
	href := view.Href(e, row)
	p := page.Page{Title: show.Title(e, row), Sub: view.Name(lang, e, 1), Show: show, Related: related, Record: href + "?view=record", History: href + "/history"}
	p.Sub, p.Facts = subOf(show, e, row), factsOf(show, e, row, fields)
	p.Version, _ = e.Value(row, "version").(int)
	p.Archived = e.Value(row, "archived_at") != nil
	summary := "summary"
	if fr, _ := e.Value(row, "summary_fr").(string); lang == i18n.French && fr != "" {
		summary = "summary_fr"
	}
	p.Summary, _ = e.Value(row, summary).(string)
	if change, err := s.mayChange(ctx, e, row.ID); err != nil {
		return err
	} else if change && !p.Archived {
		p.Edit = href + "/edit"
	}
	if err := s.productStage(ctx, &p, e, row); err != nil {
		return err
	}
	home, err := s.store.ClientOf(ctx).Portfolio.Query().Where(portfolio.HasProductsWith(product.ID(row.ID))).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return err
	}
	if home != nil { // a product's people need not reach its portfolio
		at := s.placeOf(ctx, home)
		at.product, at.slug = &row.ID, view.Segment(e, row)
		if err := s.productMoney(ctx, &p, at); err != nil {
			return err
		}
		if err := s.productContracts(ctx, &p, at); err != nil {
			return err
		}
	}
	if err := s.productObjectives(ctx, &p, row.ID); err != nil {
		return err
	}
	if p.Changes, err = s.latest(ctx, audit.Filter{ID: row.ID, Limit: recent}); err != nil {
		return err
	}
	if p.Talk, err = s.talk(ctx, row.ID, href); err != nil {
		return err
	}
	if p.Files, err = s.files(ctx, row.ID, href); err != nil {
		return err
	}
	if p.Tags, err = s.tagBox(ctx, e, row, p.Edit != ""); err != nil {
		return err
	}
	f := s.frame(r, p.Title, layout.Crumb{Label: view.Name(lang, e, 2), Href: "/" + e.Path}, layout.Crumb{Label: p.Title})
	return s.show(w, r, http.StatusOK, f, page.Show(p))
}

// subOf says in one line where a product belongs and who answers for it.
func subOf(show view.Show, e *entity.Entity, row entity.Row) string {
	out, _ := e.Value(row, "key").(string)
	for _, name := range []string{"portfolio_id", "team_id", "owner_id"} {
		if id, ok := e.Value(row, name).(ident.ID); ok && show.Refs[id].Title != "" {
			out += " · " + show.Refs[id].Title
		}
	}
	return out
}

// productStage fills in the way from an idea to the end and the steps to take.
func (s *site) productStage(ctx context.Context, p *page.Page, e *entity.Entity, row entity.Row) error {
	found, err := move.Load(ctx, s.store, "Product", row.ID)
	if err != nil || len(found) == 0 {
		return err
	}
	lang, state := i18n.From(ctx), found[0].State
	word := func(stage string) string { return i18n.T(lang, flow.ProductStage.StateKey(stage)) }
	p.Stage, p.StageTone = word(state), view.ToneOf(state)
	order := []string{"IDEA", "PROOF_OF_CONCEPT", "PILOT", "PRODUCTION", "ENTERPRISE", "RETIRING", "RETIRED"}
	now := slices.Index(order, state)
	for i, stage := range order {
		step := ui.Step{Label: word(stage)}
		switch {
		case i < now:
			step.State = ui.StepDone
		case i == now:
			step.State = ui.StepNow
			if since, ok := e.Value(row, "stage_since").(civil.Date); ok {
				step.Sub = i18n.T(lang, "productpage.since", "day", since)
			}
		}
		p.Steps = append(p.Steps, step)
	}
	for _, m := range found[0].Actions() {
		p.Moves = append(p.Moves, page.Move{To: m.To, Label: i18n.T(lang, flow.ProductStage.MoveKey(m.Verb)), Stage: word(m.To),
			Post: view.Href(e, row) + "/moves/" + m.To, Note: m.Needs.Has(flow.Note), Forward: m.Verb == "advance"})
	}
	return nil
}

// productMoney fills in what the product's budget comes to this year: the sums of
// the very lines that the figures lead to.
func (s *site) productMoney(ctx context.Context, p *page.Page, at place) error {
	if !access.May(viewer.From(ctx), "BudgetLine", access.Read) {
		return nil
	}
	lines, err := s.counted(ctx, at.home.ID, at.product, at.year)
	if err != nil {
		return err
	}
	by := map[string]*budget.YearTotals{}
	var totals []budget.YearTotals
	for _, l := range lines {
		t := by[l.Edges.Plan.Currency]
		if t == nil {
			t = &budget.YearTotals{FiscalYear: at.year, Currency: l.Edges.Plan.Currency}
			by[t.Currency] = t
		}
		for _, x := range []struct {
			to **money.Amount
			a  *money.Amount
		}{{&t.Planned, l.PlannedTotal}, {&t.Forecast, l.ForecastTotal}, {&t.Actual, l.ActualTotal}} {
			if err := addTo(x.to, x.a); err != nil {
				return err
			}
		}
		p.Budget = "/budget-plans/" + l.Edges.Plan.Key
	}
	for _, t := range by {
		totals = append(totals, *t)
	}
	p.Figures = s.yearFigures(ctx, at, totals)
	return nil
}

func addTo(to **money.Amount, a *money.Amount) error {
	if a == nil {
		return nil
	}
	if *to == nil {
		v := *a
		*to = &v
		return nil
	}
	sum, err := money.Add(**to, *a)
	*to = &sum
	return err
}

// productContracts lists the contracts that cover the product, those to be decided
// next first.
func (s *site) productContracts(ctx context.Context, p *page.Page, at place) error {
	if !access.May(viewer.From(ctx), "Contract", access.Read) {
		return nil
	}
	found, err := s.store.ClientOf(ctx).Contract.Query().Where(entcontract.ArchivedAtIsNil(), entcontract.HasProductsWith(product.ID(*at.product))).
		WithVendor().Order(entcontract.ByDecideByOn(), entcontract.ByName(), entcontract.ByID()).All(ctx)
	if err != nil {
		return err
	}
	hidden := store.HiddenField(ctx, "Contract", entcontract.FieldValue)
	for _, n := range found {
		if hidden {
			n.Value = nil
		}
		state, d := contract.State(n, at.today), contract.Dates(n, at.today)
		var decide, end civil.Date
		if d.End != nil {
			end = *d.End
		}
		if d.DecideBy != nil && (state == "ACTIVE" || state == "EXPIRING") {
			decide = *d.DecideBy
		}
		p.Contracts = append(p.Contracts, deadline(i18n.From(ctx), at, n, state, decide, end))
	}
	open := func(d portfolioview.Deadline) bool { return d.DecideBy != "" }
	slices.SortStableFunc(p.Contracts, func(a, b portfolioview.Deadline) int {
		switch {
		case open(a) && open(b):
			return a.Days - b.Days
		case open(a):
			return -1
		case open(b):
			return 1
		}
		return 0
	})
	return nil
}

// productObjectives lists the objectives under way with how far they have come.
func (s *site) productObjectives(ctx context.Context, p *page.Page, id ident.ID) error {
	if !access.May(viewer.From(ctx), "Objective", access.Read) {
		return nil
	}
	ids, err := s.store.ClientOf(ctx).Objective.Query().Where(objective.ProductID(id), objective.ArchivedAtIsNil(), objective.StatusNEQ(objective.StatusCANCELLED)).
		Order(objective.ByName(), objective.ByID()).Limit(10).IDs(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	standing, err := okr.Stand(ctx, s.store, ids...)
	if err != nil {
		return err
	}
	lang := i18n.From(ctx)
	for _, id := range ids {
		st, ok := standing[id]
		if !ok {
			continue
		}
		o := page.Objective{Href: "/objectives/" + st.Objective.Key, Name: nameIn(lang, st.Objective.Name, st.Objective.NameFr),
			State: i18n.T(lang, flow.Objective.StateKey(st.Objective.Status.String())), Progress: st.Progress, Expected: st.Expected, Tone: toneOf(st.Pace)}
		number := func(a money.Amount) string { // a reading, not money: only the decimals it has
			return strings.TrimSuffix(strings.TrimSuffix(i18n.Money(lang, a, ""), ".00"), ",00")
		}
		for _, k := range st.Results {
			result := page.Result{Name: nameIn(lang, k.Name, k.NameFr), Progress: "–", Now: strings.TrimSpace("– / " + number(k.Target) + " " + k.Unit)}
			if k.Current != nil {
				result.Now = strings.TrimSpace(number(*k.Current) + " / " + number(k.Target) + " " + k.Unit)
			}
			if k.ProgressBp != nil {
				result.Progress = i18n.Percent(lang, float64(*k.ProgressBp)/10000, 0)
			}
			o.Results = append(o.Results, result)
		}
		p.Objectives = append(p.Objectives, o)
	}
	return nil
}

// toneOf is the tone of a pace or a grade.
func toneOf(c rules.Colour) ui.Tone {
	switch c {
	case rules.Green:
		return ui.OK
	case rules.Amber:
		return ui.Warn
	case rules.Red:
		return ui.Bad
	}
	return ui.Neutral
}
