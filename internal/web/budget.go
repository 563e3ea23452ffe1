package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"steward/ent/budgetplan"
	"steward/ent/predicate"
	"steward/internal/area/budget"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/viewer"
	view "steward/views/budget"
	"steward/views/layout"
	"steward/views/ui"
)

// budgetPages are the hand-written pages of budgets, portfolios and products. They
// stand in for the generic pages of the same address.
func (s *site) budgetPages() map[string]handler {
	return map[string]handler{
		"GET /portfolios/{id}/budget":               s.portfolioBudget,
		"GET /portfolios/{id}/budget.xlsx":          s.budgetXLSX,
		"POST /portfolios/{id}/budget/sheet":        s.budgetUpload,
		"POST /portfolios/{id}/budget/sheet/apply":  s.budgetApply,
		"PATCH /portfolios/{id}/budget/cells":       s.setCells,
		"POST /portfolios/{id}/budget/lines":        s.addLine,
		"GET /portfolios/{id}/budget/lines":         s.countedLines,
		"GET /portfolios/{id}/budget/lines/{line}":  s.linePage,
		"POST /portfolios/{id}/budget/lines/{line}": s.saveLine,
		"GET /budget-plans/{id}":                    s.planBudget,
		"GET /budget-plans/{id}/moves/{to}":         s.askMove,
		"GET /portfolios":                           s.portfoliosPage,
		"GET /portfolios/{id}":                      s.portfolioPage,
		"GET /products/{id}":                        s.productPage,
	}
}

// portfolioBudget is the grid of a portfolio's plans in a fiscal year.
func (s *site) portfolioBudget(w http.ResponseWriter, r *http.Request) error {
	in := budget.GridInput{Portfolio: r.PathValue("id"), Show: budget.ViewForecast}
	q := r.URL.Query()
	if fy := q.Get("fy"); fy != "" {
		n, err := strconv.Atoi(fy)
		if err != nil || n < 1900 || n > 2200 {
			return errs.Invalid("fy", "error.not_whole", "value", fy)
		}
		in.FiscalYear = n
	}
	if err := readView(q, &in); err != nil {
		return err
	}
	return s.showGrid(w, r, in, nil)
}

// planBudget is the grid of one plan; its page as a record like any other is at
// ?view=record.
func (s *site) planBudget(w http.ResponseWriter, r *http.Request) error {
	e := entity.ByName("BudgetPlan")
	if r.URL.Query().Get("view") == "record" {
		return s.record(w, r, e)
	}
	row, err := s.find(r.Context(), e, r.PathValue("id"))
	if err != nil {
		return err
	}
	in := budget.GridInput{Plan: &row.ID, Show: budget.ViewForecast}
	if status, _ := e.Value(row, "status").(string); status == "DRAFT" || status == "RETURNED" {
		in.Show = budget.ViewPlan
	}
	if err := readView(r.URL.Query(), &in); err != nil {
		return err
	}
	return s.showGrid(w, r, in, &row)
}

// readView reads ?show=; without it the view stays.
func readView(q url.Values, in *budget.GridInput) error {
	text := q.Get("show")
	if text == "" {
		return nil
	}
	if err := in.Show.UnmarshalGQL(strings.ToUpper(text)); err != nil {
		return errs.Invalid("show", "web.unknown_filter", "name", text)
	}
	return nil
}

// showGrid answers a grid: the whole page, or for htmx the lines of one group or the
// groups from one on.
func (s *site) showGrid(w http.ResponseWriter, r *http.Request, in budget.GridInput, plan *entity.Row) error {
	ctx := r.Context()
	grid, err := budget.Grid(ctx, s.store, in)
	if err != nil {
		return err
	}
	sheet := s.sheet(r, grid)
	if plan != nil {
		sheet.Path = "/budget-plans/" + grid.Plans[0].Key
	}
	group := func(text string) (int, bool) {
		n, err := strconv.Atoi(text)
		return n, err == nil && n >= 0 && n < len(grid.Groups)
	}
	for _, text := range r.URL.Query()["open"] {
		n, ok := group(text)
		if ok && fragment(r) {
			return s.part(w, r, http.StatusOK, view.Rows(sheet, n))
		}
		if ok {
			sheet.Opened = append(sheet.Opened, n)
		}
	}
	if n, ok := group(r.URL.Query().Get("from")); ok {
		sheet.From = n
		if fragment(r) {
			sheet.Folded = true
			return s.part(w, r, http.StatusOK, view.Groups(sheet))
		}
	}
	p := view.Page{Sheet: sheet, Single: plan != nil, AddLine: lineForm(sheet)}
	title := i18n.T(i18n.From(ctx), "budgetpage.title")
	crumbs := s.portfolioCrumbs(ctx, grid.Portfolio)
	if plan != nil {
		title = grid.Plans[0].Name
		crumbs = append(crumbs, layout.Crumb{Label: i18n.T(i18n.From(ctx), "budgetpage.title"), Href: "/portfolios/" + grid.Portfolio.Slug + "/budget?fy=" + strconv.Itoa(grid.FiscalYear)})
		p.Record = sheet.Path + "?view=record"
		e := entity.ByName("BudgetPlan")
		if access.For(viewer.From(ctx), e.Name, access.Write).Includes(placed(e, *plan)) && e.Value(*plan, "archived_at") == nil {
			p.Edit = sheet.Path + "/edit"
		}
	} else if access.For(viewer.From(ctx), "BudgetPlan", access.Write).Includes(access.Row{Portfolio: grid.Portfolio.ID}) {
		p.New = "/budget-plans/new?" + url.Values{"portfolio_id": {grid.Portfolio.ID.String()}, "fiscal_year": {strconv.Itoa(grid.FiscalYear)}}.Encode()
	}
	f := s.frame(r, title, append(crumbs, layout.Crumb{Label: title})...)
	f.Wide, f.Scripts, f.Shortcuts = true, []string{"js/budget-grid.js"}, gridKeys(i18n.From(ctx))
	return s.show(w, r, http.StatusOK, f, view.Show(p))
}

// sheet is a grid with the addresses its page needs.
func (s *site) sheet(r *http.Request, grid *budget.GridView) view.Sheet {
	path := "/portfolios/" + grid.Portfolio.Slug + "/budget"
	out := view.Sheet{GridView: grid, Path: path, Undo: "/undo/", Lines: path + "/lines/"}
	if slices.ContainsFunc(grid.Plans, func(p budget.Plan) bool { return p.MayPlan || p.MayForecast }) {
		out.Save = path + "/cells"
	}
	return out
}

func (s *site) portfolioCrumbs(ctx context.Context, p budget.Portfolio) []layout.Crumb {
	name := p.Name
	if i18n.From(ctx) == i18n.French && p.NameFr != "" {
		name = p.NameFr
	}
	return []layout.Crumb{{Label: name, Href: "/portfolios/" + p.Slug}}
}

// planYear narrows plans to a fiscal year.
func planYear(year int) predicate.BudgetPlan { return budgetplan.FiscalYear(year) }

// gridKeys are the grid's shortcuts for the list of them.
func gridKeys(lang string) []ui.Shortcut {
	var out []ui.Shortcut
	for _, k := range []struct {
		word string
		keys []string
	}{
		{"move", []string{"←", "→", "↑", "↓"}}, {"select", []string{"Shift", "→"}}, {"edit", []string{"F2"}}, {"clear", []string{"Del"}},
		{"paste", []string{"Ctrl", "V"}}, {"right", []string{"Ctrl", "R"}}, {"down", []string{"Ctrl", "D"}}, {"undo", []string{"Ctrl", "Z"}},
	} {
		out = append(out, ui.Shortcut{Keys: k.keys, Does: i18n.T(lang, "budgetpage.key."+k.word)})
	}
	return out
}

// askMove shows the dialog, or without a script the page, that takes a plan to
// another state. The move itself is made by the generic address.
func (s *site) askMove(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	row, err := s.find(ctx, entity.ByName("BudgetPlan"), r.PathValue("id"))
	if err != nil {
		return err
	}
	p, err := s.store.ClientOf(ctx).BudgetPlan.Query().Where(budgetplan.ID(row.ID)).Only(ctx)
	if err != nil {
		return err
	}
	moves := budget.Actions(viewer.From(ctx), p)
	i := slices.IndexFunc(moves, func(m flow.Move) bool { return m.To == r.PathValue("to") })
	if i < 0 {
		return errs.Forbidden()
	}
	a := view.Ask{Plan: budget.Plan{Key: p.Key, Name: p.Name, Version: p.Version}, Move: moves[i], Dialog: targets(r, "dialogs")}
	if a.Dialog {
		return s.part(w, r, http.StatusOK, view.AskMove(a))
	}
	return s.show(w, r, http.StatusOK, s.frame(r, p.Name, layout.Crumb{Label: p.Name, Href: "/budget-plans/" + p.Key}), view.AskMove(a))
}
