package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"steward/ent"
	"steward/ent/budgetline"
	"steward/internal/area/budget"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	view "steward/views/budget"
	"steward/views/layout"
	"steward/views/ui"
)

func cellPath(i int) string { return fmt.Sprintf("cells.%d", i) }

// lineForm is the form of a new line, nil when no plan of the sheet takes one.
func lineForm(sheet view.Sheet) *view.LineForm {
	f := view.LineForm{Action: strings.TrimSuffix(sheet.Lines, "/"), Text: map[string]string{}}
	for _, p := range sheet.Plans {
		if p.MayPlan {
			f.Plans = append(f.Plans, ui.Option{Value: p.ID.String(), Label: p.Name})
		}
	}
	if len(f.Plans) == 0 {
		return nil
	}
	return &f
}

// lineFields are what the form of a new line asks for.
var lineFields = []string{"plan_id", "name", "name_fr", "group_name", "category", "cost_class", "code"}

// addLine makes a line at the end of a plan.
func (s *site) addLine(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	e := entity.ByName("BudgetLine")
	if err := mayWrite(ctx, e); err != nil {
		return err
	}
	var fields []*entity.Field
	for _, name := range lineFields {
		f, _ := e.Field(name)
		fields = append(fields, f)
	}
	t, err := readForm(r, fields)
	for _, name := range []string{"plan_id", "name"} {
		if err == nil && strings.TrimSpace(t.text[name]) == "" {
			err = errs.Invalid(name, "error.required")
		}
	}
	plan := ident.ID(t.text["plan_id"])
	var token, key string
	if err == nil {
		token, err = s.store.Do(ctx, func(ctx context.Context, c *ent.Client) error {
			p, err := c.BudgetPlan.Get(ctx, plan)
			if err != nil {
				return err
			}
			key = p.Key
			last, err := c.BudgetLine.Query().Where(budgetline.PlanID(plan)).Aggregate(ent.Max(budgetline.FieldPosition)).Int(ctx)
			if err != nil {
				last = 0 // the first line
			}
			made := e.New(c)
			if err := t.set(e, made.Mutation, true); err != nil {
				return err
			}
			if err := made.Mutation.SetField(budgetline.FieldPosition, last+1); err != nil {
				return err
			}
			_, err = made.Save(ctx)
			return err
		})
	}
	if err != nil {
		return s.lineRefused(w, r, plan, t, err)
	}
	s.flash(w, "entity.created", token)
	to := back(r)
	if to == "/" {
		to = "/budget-plans/" + key
	}
	return leave(w, r, to)
}

// lineRefused shows the form of a new line again with what is wrong.
func (s *site) lineRefused(w http.ResponseWriter, r *http.Request, plan ident.ID, t typed, err error) error {
	known := errs.As(store.Known(err))
	if known.Code == errs.CodeNotFound || known.Code == errs.Internal || known.Code == errs.Unavailable {
		return err
	}
	grid, gerr := budget.Grid(r.Context(), s.store, budget.GridInput{Plan: &plan})
	if gerr != nil {
		return err
	}
	f := lineForm(s.sheet(r, grid))
	if f == nil {
		return err
	}
	f.Text, f.Errors = t.text, i18n.Fields(i18n.From(r.Context()), known)
	if len(f.Errors) == 0 {
		f.Failure = i18n.ErrorC(r.Context(), known)
	}
	if fragment(r) {
		return s.part(w, r, statuses[known.Code], view.AddLine(*f))
	}
	title := i18n.T(i18n.From(r.Context()), "budgetpage.add_line")
	return s.show(w, r, statuses[known.Code], s.frame(r, title, layout.Crumb{Label: title}), ui.Group(ui.PageHead(ui.Heading{Title: title}), view.AddLine(*f)))
}

// lineOf reads the grid of a line's plan and finds the line in it.
func (s *site) lineOf(r *http.Request) (view.LinePage, error) {
	ctx := r.Context()
	row, err := s.store.ClientOf(ctx).BudgetLine.Get(ctx, ident.ID(r.PathValue("line")))
	if err != nil {
		return view.LinePage{}, err
	}
	grid, err := budget.Grid(ctx, s.store, budget.GridInput{Plan: &row.PlanID})
	if err != nil {
		return view.LinePage{}, err
	}
	if !strings.EqualFold(grid.Portfolio.Slug, r.PathValue("id")) {
		return view.LinePage{}, errs.NotFound()
	}
	p := view.LinePage{Sheet: s.sheet(r, grid)}
	for _, g := range grid.Groups {
		for _, l := range g.Lines {
			if l.ID == row.ID {
				p.Line = l
			}
		}
	}
	if p.Line.ID == "" { // archived lines are not in grids
		return p, errs.NotFound()
	}
	p.Back = p.Path + "?fy=" + strconv.Itoa(grid.FiscalYear)
	p.History = "/budget-lines/" + row.ID.String() + "/history"
	where := access.Row{Portfolio: row.PortfolioID}
	if row.ProductID != nil {
		where.Product = *row.ProductID
	}
	if access.For(viewer.From(ctx), "BudgetLine", access.Write).Includes(where) {
		p.Details = "/budget-lines/" + row.ID.String() + "/edit"
	}
	return p, nil
}

// linePage shows one line with all its periods, to read or to fill in.
func (s *site) linePage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.lineOf(r)
	if err != nil {
		return err
	}
	return s.showLine(w, r, http.StatusOK, p)
}

func (s *site) showLine(w http.ResponseWriter, r *http.Request, status int, p view.LinePage) error {
	crumbs := append(s.portfolioCrumbs(r.Context(), p.Portfolio), layout.Crumb{Label: i18n.T(i18n.From(r.Context()), "budgetpage.title"), Href: p.Back}, layout.Crumb{Label: p.Line.Name})
	return s.show(w, r, status, s.frame(r, p.Line.Name, crumbs...), view.ShowLine(p))
}

// saveLine writes the amounts of the form that differ from what the form showed,
// each based on the version it showed.
func (s *site) saveLine(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p, err := s.lineOf(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return errs.New(errs.Validation, "error.validation").Wrap(err)
	}
	in := budget.SetCellsInput{Reason: r.PostFormValue("reason"), NoTotals: true}
	var names []string
	wrong := errs.New(errs.Validation, "error.validation")
	p.Text = map[string]string{"reason": in.Reason}
	for _, c := range p.Line.Cells {
		for _, f := range []budget.Field{budget.Planned, budget.Forecast} {
			name := view.Name(f, c)
			if !r.PostForm.Has(name) {
				continue
			}
			text := strings.TrimSpace(r.PostFormValue(name))
			p.Text[name] = text
			if text == view.Typed(ctx, f, c) {
				continue
			}
			version, _ := strconv.Atoi(r.PostFormValue("version." + string(c.Period)))
			edit := budget.CellEdit{LineID: p.Line.ID, Period: c.Period, Field: f, Version: version}
			if text != "" {
				a, err := money.ParseInputFor(text, i18n.From(ctx), p.Line.Currency)
				if err != nil {
					e := errs.As(err)
					wrong = wrong.With(errs.Field{Path: name, Key: e.Key, Args: e.Args})
					continue
				}
				edit.Amount = &a
			}
			in.Cells, names = append(in.Cells, edit), append(names, name)
		}
	}
	var token string
	switch {
	case len(wrong.Fields) > 0:
		err = wrong
	case len(in.Cells) > 0:
		var out *budget.SetCellsResult
		if out, err = budget.SetCells(ctx, s.store, in); err == nil {
			token = out.UndoToken
		}
	}
	if err == nil {
		s.flash(w, "entity.saved", token)
		return leave(w, r, p.Back)
	}
	return s.lineFormRefused(w, r, p, names, err)
}

// lineFormRefused shows the form again: what was typed, what is wrong with it, and
// for a conflict what stands there now; sent again, what was typed then counts.
func (s *site) lineFormRefused(w http.ResponseWriter, r *http.Request, p view.LinePage, names []string, err error) error {
	ctx := r.Context()
	e := errs.As(store.Known(err))
	if e.Code == errs.CodeNotFound || e.Code == errs.Internal || e.Code == errs.Unavailable {
		return err
	}
	lang := i18n.From(ctx)
	p.Failure = i18n.ErrorC(ctx, e)
	for _, f := range i18n.Fields(lang, e) {
		if rest, ok := strings.CutPrefix(f.Path, "cells."); ok {
			at, _, _ := strings.Cut(rest, ".")
			if i, err := strconv.Atoi(at); err == nil && i < len(names) {
				f.Path = names[i]
			}
		}
		p.Errors = append(p.Errors, f)
	}
	clashes, _ := e.Current.([]budget.Clash)
	for _, c := range clashes {
		for _, name := range names {
			f, period, _ := strings.Cut(name, ".")
			if civil.Period(period) != c.Period {
				continue
			}
			theirs := c.Planned
			if budget.Field(f) == budget.Forecast {
				theirs = c.Forecast
			}
			text := "–"
			if theirs != nil {
				text = i18n.Money(lang, *theirs, p.Line.Currency)
			}
			p.Errors = append(p.Errors, i18n.FieldError{Path: name, Text: i18n.T(lang, "budgetpage.clash", "who", c.By, "value", text)})
		}
	}
	return s.showLine(w, r, statuses[e.Code], p)
}

// counted reads the budget lines that the totals of a fiscal year count in a
// portfolio, of one product where it is given. The figures of pages and the list
// they lead to are both made of it.
func (s *site) counted(ctx context.Context, portfolio ident.ID, product *ident.ID, year int) ([]*ent.BudgetLine, error) {
	q := s.store.ClientOf(ctx).BudgetLine.Query().Where(budgetline.ArchivedAtIsNil(), budgetline.PortfolioID(portfolio), budgetline.HasPlanWith(budget.Counted(), planYear(year)))
	if product != nil {
		q.Where(budgetline.ProductID(*product))
	}
	lines, err := q.WithPlan(func(q *ent.BudgetPlanQuery) { q.WithProduct() }).Order(budgetline.ByPlanID(), budgetline.ByPosition(), budgetline.ByID()).All(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(lines, func(a, b *ent.BudgetLine) int { return strings.Compare(a.Edges.Plan.Name, b.Edges.Plan.Name) })
	return lines, nil
}
