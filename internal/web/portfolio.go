package web

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"steward/ent"
	"steward/ent/budgetplan"
	"steward/ent/importbatch"
	"steward/ent/procurement"
	"steward/ent/product"
	"steward/internal/area/audit"
	"steward/internal/area/budget"
	"steward/internal/area/contract"
	"steward/internal/area/portfolio"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	budgetview "steward/views/budget"
	view "steward/views/entity"
	"steward/views/layout"
	page "steward/views/portfolio"
	"steward/views/ui"
)

// noticeDays is how far ahead the pages of portfolios look for what is to be decided.
const noticeDays = 90

// recent is how many of the latest changes a page shows.
const recent = 8

// place is a portfolio or product whose page is drawn, with the year its money is
// shown for.
type place struct {
	home    *ent.Portfolio
	product *ident.ID
	slug    string // the product's, for addresses
	year    int
	label   string // of the year
	today   civil.Date
}

func (s *site) placeOf(ctx context.Context, home *ent.Portfolio) place {
	zone, err := time.LoadLocation(home.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	p := place{home: home, today: civil.DateOf(s.Now().In(zone))}
	calendar := fiscal.Calendar{StartMonth: time.Month(home.FiscalYearStartMonth)}
	p.year = calendar.YearOf(p.today)
	p.label = calendar.Label(p.year, i18n.From(ctx))
	return p
}

// lines is the address of the list of budget lines that a figure counts.
func (p place) lines(year int) string {
	q := url.Values{"fy": {strconv.Itoa(year)}}
	if p.product != nil {
		q.Set("product", p.slug)
	}
	return "/portfolios/" + store.Slug(p.home.Key) + "/budget/lines?" + q.Encode()
}

// portfolioPage shows a portfolio; as a record like any other it is at ?view=record.
func (s *site) portfolioPage(w http.ResponseWriter, r *http.Request) error {
	ctx, e := r.Context(), entity.ByName("Portfolio")
	if r.URL.Query().Get("view") == "record" {
		return s.record(w, r, e)
	}
	row, err := s.find(ctx, e, r.PathValue("id"))
	if err != nil {
		return err
	}
	home, err := s.store.ClientOf(ctx).Portfolio.Get(ctx, row.ID)
	if err != nil {
		return err
	}
	at := s.placeOf(ctx, home)
	v, lang := viewer.From(ctx), i18n.From(ctx)
	need := wanted{}
	fields := seen(v, e)
	need.row(e, row, fields)
	show, err := s.shower(ctx, need)
	if err != nil {
		return err
	}
	if show.Own, err = ownOf(ctx, e); err != nil {
		return err
	}
	href := view.Href(e, row)
	p := page.Page{Title: show.Title(e, row), Sub: view.Name(lang, e, 1) + " " + home.Key, Record: href + "?view=record", History: href + "/history"}
	p.Facts = factsOf(show, e, row, fields)
	if access.For(v, "Portfolio", access.Write).Includes(access.Row{Portfolio: home.ID, ID: home.ID}) && home.ArchivedAt == nil {
		p.Edit = href + "/edit"
	}
	if access.For(v, "Product", access.Write).Includes(access.Row{Portfolio: home.ID}) && home.ArchivedAt == nil {
		p.NewProduct = "/products/new?portfolio_id=" + home.ID.String()
	}
	for _, part := range []func(context.Context, *page.Page, place) error{s.portfolioMoney, s.portfolioProducts, s.portfolioDeadlines, s.portfolioProcurements, s.portfolioWarnings} {
		if err := part(ctx, &p, at); err != nil {
			return err
		}
	}
	if p.Changes, err = s.latest(ctx, audit.Filter{Portfolio: home.ID, Limit: recent}); err != nil {
		return err
	}
	if p.Talk, err = s.talk(ctx, row.ID, href); err != nil {
		return err
	}
	if p.Files, err = s.files(ctx, row.ID, href); err != nil {
		return err
	}
	f := s.frame(r, p.Title, layout.Crumb{Label: view.Name(lang, e, 2), Href: "/" + e.Path}, layout.Crumb{Label: p.Title})
	return s.show(w, r, http.StatusOK, f, page.Show(p))
}

// factsOf are the fields of a row but those said elsewhere on its page; long texts
// are left to the record's own page.
func factsOf(show view.Show, e *entity.Entity, row entity.Row, fields []*entity.Field) []ui.Fact {
	var out []ui.Fact
	for _, f := range fields {
		if !hiddenFact(e, f) && f.Kind != "text" && f.Name != "name_fr" && f.Name != "created_at" && f.Name != "origin" && show.Text(e, f, e.Value(row, f.Name), "") != "" {
			out = append(out, ui.Fact{Label: view.Label(show.Lang, e, f), Content: show.Cell(e, f, row)})
		}
	}
	return append(out, show.Facts(e, row)...)
}

// portfolioMoney fills in the figures and the years. Each figure leads to the rows
// that it counts.
func (s *site) portfolioMoney(ctx context.Context, p *page.Page, at place) error {
	v, lang := viewer.From(ctx), i18n.From(ctx)
	if access.May(v, "BudgetLine", access.Read) {
		slug := store.Slug(at.home.Key)
		p.Budget = "/portfolios/" + slug + "/budget"
		totals, err := budget.Totals(ctx, s.store, &at.home.Key, nil)
		if err != nil {
			return err
		}
		p.Figures = append(p.Figures, s.yearFigures(ctx, at, totals)...)
		calendar := fiscal.Calendar{StartMonth: time.Month(at.home.FiscalYearStartMonth)}
		for _, t := range totals {
			p.Years = append(p.Years, yearOf(t, calendar.Label(t.FiscalYear, lang), fmt.Sprintf("/portfolios/%s/budget?fy=%d&show=all", slug, t.FiscalYear)))
		}
	}
	totals, err := portfolio.Totals(ctx, s.store, &at.home.Key)
	if err != nil {
		return err
	}
	p.Figures = append(p.Figures, totalFigures(ctx, totals, at.home.DefaultCurrency, url.Values{"f.portfolio_id": {at.home.ID.String()}})...)
	return nil
}

func yearOf(t budget.YearTotals, label, href string) page.Year {
	return page.Year{Label: label, Currency: t.Currency, Href: href, Planned: t.Planned, Forecast: t.Forecast, Actual: t.Actual,
		Variance: t.Variance, Lines: t.Lines, Compared: t.Comparable, NoPlan: t.MissingPlan, NotActual: t.MissingActual}
}

// totalFigures are the money of initiatives and contracts, of those kinds that there
// are; in narrows the lists that the figures lead to as it narrowed the totals.
func totalFigures(ctx context.Context, totals []portfolio.CurrencyTotals, own string, in url.Values) []ui.Figure {
	lang := i18n.From(ctx)
	planned, contracted, projected := map[string]*money.Amount{}, map[string]*money.Amount{}, []string{}
	for _, t := range totals {
		if t.Planned != nil {
			planned[t.Currency] = t.Planned
		}
		if t.Projected != nil {
			projected = append(projected, i18n.T(lang, "portfoliopage.projected", "amount", i18n.Money(lang, *t.Projected, t.Currency)))
		}
		if t.Contracted != nil {
			contracted[t.Currency] = t.Contracted
		}
	}
	list := func(path string) func(string) string {
		return func(currency string) string {
			q := maps.Clone(in)
			q.Set("f.currency", currency)
			return path + "?" + q.Encode()
		}
	}
	var out []ui.Figure
	if len(planned) > 0 {
		out = append(out, figureOf(lang, i18n.T(lang, "portfoliopage.initiatives"), own, planned, list("/initiatives"), projected...))
	}
	if len(contracted) > 0 {
		out = append(out, figureOf(lang, i18n.T(lang, "portfoliopage.contracted"), own, contracted, list("/contracts")))
	}
	return out
}

// portfoliosPage is the list of portfolios below what all of them come to.
func (s *site) portfoliosPage(w http.ResponseWriter, r *http.Request) error {
	return s.listBelow(w, r, entity.ByName("Portfolio"), s.everything)
}

// everything adds up all portfolios that the reader sees, to stand over their list.
func (s *site) everything(ctx context.Context) (templ.Component, error) {
	v, lang := viewer.From(ctx), i18n.From(ctx)
	totals, err := portfolio.Totals(ctx, s.store, nil)
	if err != nil {
		return nil, err
	}
	figures := totalFigures(ctx, totals, "", url.Values{})
	var years []page.Year
	if access.May(v, "BudgetLine", access.Read) {
		found, err := budget.Totals(ctx, s.store, nil, nil)
		if err != nil {
			return nil, err
		}
		calendar, err := portfolio.Calendar(ctx, s.store)
		if err != nil {
			return nil, err
		}
		for _, t := range found {
			href := "/budget-plans?" + url.Values{"f.fiscal_year": {strconv.Itoa(t.FiscalYear)}, "f.currency": {t.Currency}}.Encode()
			years = append(years, yearOf(t, calendar.Label(t.FiscalYear, lang), href))
		}
	}
	return page.Everything(figures, years), nil
}

// yearFigures are what is planned, forecast and spent in the running year.
func (s *site) yearFigures(ctx context.Context, at place, totals []budget.YearTotals) []ui.Figure {
	lang := i18n.From(ctx)
	var out []ui.Figure
	for _, f := range []struct {
		word string
		of   func(budget.YearTotals) *money.Amount
	}{
		{"PLANNED", func(t budget.YearTotals) *money.Amount { return t.Planned }},
		{"FORECAST", func(t budget.YearTotals) *money.Amount { return t.Forecast }},
		{"ACTUAL", func(t budget.YearTotals) *money.Amount { return t.Actual }},
	} {
		amounts := map[string]*money.Amount{}
		for _, t := range totals {
			if a := f.of(t); t.FiscalYear == at.year && a != nil {
				amounts[t.Currency] = a
			}
		}
		label := i18n.T(lang, "budgetpage.figure."+f.word) + ", " + at.label
		out = append(out, figureOf(lang, label, at.home.DefaultCurrency, amounts, func(string) string { return at.lines(at.year) }))
	}
	return out
}

// figureOf is a figure in one currency, the portfolio's own where it has one; the
// others stand below it, since they are never added, and after them the notes.
func figureOf(lang, label, own string, amounts map[string]*money.Amount, href func(currency string) string, notes ...string) ui.Figure {
	f := ui.Figure{Label: label, Value: "–", Href: href(own)}
	var currencies []string
	for c := range amounts {
		currencies = append(currencies, c)
	}
	slices.Sort(currencies)
	if i := slices.Index(currencies, own); i > 0 {
		currencies[0], currencies[i] = currencies[i], currencies[0]
	}
	if len(currencies) == 0 {
		return f
	}
	first := currencies[0]
	f.Value, f.Href = i18n.MoneyShort(lang, *amounts[first], first), href(first)
	full := []string{i18n.Money(lang, *amounts[first], first)}
	for _, c := range currencies[1:] {
		full = append(full, i18n.Money(lang, *amounts[c], c))
	}
	f.Foot = ui.Text(strings.Join(append([]string{strings.Join(full, " + ")}, notes...), " · "))
	return f
}

// portfolioProducts lists the products with their money of the year.
func (s *site) portfolioProducts(ctx context.Context, p *page.Page, at place) error {
	if !access.May(viewer.From(ctx), "Product", access.Read) {
		return nil
	}
	c, lang := s.store.ClientOf(ctx), i18n.From(ctx)
	found, err := c.Product.Query().Where(product.PortfolioID(at.home.ID), product.ArchivedAtIsNil()).WithOwner().WithTeam().
		Order(product.ByName(), product.ByID()).All(ctx)
	if err != nil {
		return err
	}
	spent := map[ident.ID]*ent.BudgetPlan{}
	if p.Budget != "" {
		plans, err := c.BudgetPlan.Query().Where(budgetplan.PortfolioID(at.home.ID), planYear(at.year), budgetplan.ProductIDNotNil(), budget.Counted()).All(ctx)
		if err != nil {
			return err
		}
		for _, b := range plans {
			if old := spent[*b.ProductID]; old == nil || b.Currency == at.home.DefaultCurrency {
				spent[*b.ProductID] = b
			}
		}
	}
	e := entity.ByName("Product")
	criticality, _ := e.Field("criticality")
	for _, x := range found {
		line := page.Product{Href: "/products/" + store.Slug(x.Key), Name: nameIn(lang, x.Name, x.NameFr), Key: x.Key,
			Stage: i18n.T(lang, flow.ProductStage.StateKey(x.Stage.String())), StageTone: view.ToneOf(x.Stage.String())}
		if x.Criticality != nil {
			line.Criticality = view.Option(lang, e, criticality, x.Criticality.String())
		}
		if x.Edges.Owner != nil {
			line.Owner = x.Edges.Owner.Name
		}
		if x.Edges.Team != nil {
			line.Team = x.Edges.Team.Name
		}
		if b := spent[x.ID]; b != nil {
			line.Planned, line.Actual, line.Currency = b.PlannedTotal, b.ActualTotal, b.Currency
		}
		p.Products = append(p.Products, line)
	}
	return nil
}

func nameIn(lang, name, french string) string {
	if lang == i18n.French && french != "" {
		return french
	}
	return name
}

// portfolioDeadlines lists the contracts to decide about in the next days, and
// counts them.
func (s *site) portfolioDeadlines(ctx context.Context, p *page.Page, at place) error {
	if !access.May(viewer.From(ctx), "Contract", access.Read) {
		return nil
	}
	due, err := contract.Renewals(ctx, s.store, at.today, at.today.AddDays(noticeDays))
	if err != nil {
		return err
	}
	lang := i18n.From(ctx)
	for _, d := range due {
		if d.Contract.PortfolioID == at.home.ID {
			p.Deadlines = append(p.Deadlines, deadline(lang, at, d.Contract, d.State, d.DecideBy, d.End))
		}
	}
	p.Figures = append(p.Figures, ui.Figure{Label: i18n.T(lang, "portfoliopage.renewals_due"), Value: i18n.Int(lang, len(p.Deadlines)), Href: "#renewals",
		Foot: ui.Text(i18n.T(lang, "portfoliopage.renewals_note"))})
	return nil
}

func deadline(lang string, at place, n *ent.Contract, state string, decide, end civil.Date) page.Deadline {
	d := page.Deadline{Href: "/contracts/" + n.Key, Name: n.Name, Key: n.Key, State: i18n.T(lang, flow.Contract.StateKey(state)),
		DecideBy: i18n.Date(lang, decide), End: i18n.Date(lang, end)}
	if !decide.IsZero() {
		d.Days = at.today.DaysUntil(decide)
	}
	if n.Edges.Vendor != nil {
		d.Vendor = n.Edges.Vendor.Name
	}
	if n.Value != nil {
		d.Value = i18n.MoneyShort(lang, *n.Value, n.Currency)
	}
	return d
}

// portfolioProcurements lists what is being bought.
func (s *site) portfolioProcurements(ctx context.Context, p *page.Page, at place) error {
	if !access.May(viewer.From(ctx), "Procurement", access.Read) {
		return nil
	}
	found, err := s.store.ClientOf(ctx).Procurement.Query().Where(procurement.PortfolioID(at.home.ID), procurement.ArchivedAtIsNil(),
		procurement.StatusNotIn(procurement.StatusCONTRACTED, procurement.StatusCANCELLED, procurement.StatusUNSUCCESSFUL)).
		Order(procurement.ByName(), procurement.ByID()).All(ctx)
	if err != nil {
		return err
	}
	lang := i18n.From(ctx)
	hidden := store.HiddenField(ctx, "Procurement", procurement.FieldEstimate)
	for _, x := range found {
		line := page.Procurement{Href: "/procurements/" + x.Key, Name: x.Name, State: i18n.T(lang, flow.Procurement.StateKey(x.Status.String())), Tone: view.ToneOf(x.Status.String())}
		if x.Estimate != nil && !hidden {
			line.Estimate = i18n.MoneyShort(lang, *x.Estimate, x.Currency)
		}
		if x.AwardPlannedOn != nil {
			line.Due = i18n.Date(lang, *x.AwardPlannedOn)
		}
		p.Procurements = append(p.Procurements, line)
	}
	return nil
}

// portfolioWarnings says which of the last imports left something to look at.
func (s *site) portfolioWarnings(ctx context.Context, p *page.Page, at place) error {
	if !access.May(viewer.From(ctx), "ImportBatch", access.Read) {
		return nil
	}
	found, err := s.store.ClientOf(ctx).ImportBatch.Query().Where(importbatch.PortfolioID(at.home.ID), importbatch.StatusEQ(importbatch.StatusAPPLIED)).
		Order(ent.Desc(importbatch.FieldCreatedAt, importbatch.FieldID)).Limit(3).All(ctx)
	if err != nil {
		return err
	}
	lang := i18n.From(ctx)
	for _, b := range found {
		counts, _ := b.Report["counts"].(map[string]any)
		n, _ := counts["warnings"].(float64)
		if n > 0 {
			p.Warnings = append(p.Warnings, page.Warning{Href: "/admin/imports/" + b.ID.String(), Text: i18n.T(lang, "portfoliopage.import", "n", int(n), "format", b.Format), When: i18n.Time(lang, b.CreatedAt, i18n.Zone(ctx))})
		}
	}
	return nil
}

// latest are changes of several records, newest first, each with what it was about.
func (s *site) latest(ctx context.Context, f audit.Filter) ([]ui.Change, error) {
	found, err := audit.List(ctx, s.store, f)
	if err != nil {
		return nil, err
	}
	need := wanted{}
	for _, x := range found.Entries {
		if e := entity.ByName(x.Event.EntityType); e != nil {
			wantedByDiff(need, e, diffOf(x))
		}
	}
	show, err := s.shower(ctx, need)
	if err != nil {
		return nil, err
	}
	var out []ui.Change
	for _, x := range found.Entries {
		e := entity.ByName(x.Event.EntityType)
		if e == nil || !e.Registry {
			continue
		}
		ev := *x.Event
		ev.Diff = diffOf(x)
		c := changeOf(ctx, show, e, &ev, "")
		op := ev.Op.String()
		if ev.Undoes != "" {
			op = "UNDO"
		}
		c.What = i18n.T(show.Lang, "portfoliopage.change."+op, "kind", view.Name(show.Lang, e, 1), "name", x.Title)
		switch { // the rest is in the record's own history
		case op == "CREATE":
			c.Fields = nil
		case len(c.Fields) > 3:
			c.Fields = c.Fields[:3]
		}
		out = append(out, c)
	}
	return out, nil
}

// countedLines lists the budget lines that the figures of a fiscal year count.
func (s *site) countedLines(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	if err := mayRead(viewer.From(ctx), entity.ByName("BudgetLine")); err != nil {
		return err
	}
	home, err := portfolio.ByKey(ctx, s.store, r.PathValue("id"))
	if err != nil {
		return err
	}
	at := s.placeOf(ctx, home)
	if fy := q.Get("fy"); fy != "" {
		if at.year, err = strconv.Atoi(fy); err != nil {
			return errs.Invalid("fy", "error.not_whole", "value", fy)
		}
	}
	lang := i18n.From(ctx)
	c := budgetview.Counted{Title: i18n.T(lang, "budgetpage.counted"), Grid: fmt.Sprintf("/portfolios/%s/budget?fy=%d", store.Slug(home.Key), at.year)}
	year := fiscal.Calendar{StartMonth: time.Month(home.FiscalYearStartMonth)}.Label(at.year, lang)
	c.Sub = nameIn(lang, home.Name, home.NameFr) + " · " + i18n.T(lang, "budgetpage.fiscal_year", "year", year)
	if slug := q.Get("product"); slug != "" {
		e := entity.ByName("Product")
		row, err := s.find(ctx, e, slug)
		if err != nil {
			return err
		}
		at.product = &row.ID
		c.Sub += " · " + view.Show{Lang: lang}.Title(e, row)
	}
	lines, err := s.counted(ctx, home.ID, at.product, at.year)
	if err != nil {
		return err
	}
	for _, l := range lines {
		b := l.Edges.Plan
		c.Add(budgetview.CountedLine{Href: "/portfolios/" + store.Slug(home.Key) + "/budget/lines/" + l.ID.String(), Name: nameIn(lang, l.Name, l.NameFr),
			Plan: b.Name, PlanHref: "/budget-plans/" + b.Key, Currency: b.Currency, Planned: l.PlannedTotal, Forecast: l.ForecastTotal, Actual: l.ActualTotal})
	}
	crumbs := s.portfolioCrumbs(ctx, budget.Portfolio{Name: home.Name, NameFr: home.NameFr, Slug: store.Slug(home.Key)})
	return s.show(w, r, http.StatusOK, s.frame(r, c.Title, append(crumbs, layout.Crumb{Label: c.Title})...), budgetview.ShowCounted(c))
}
