package budget

import (
	"cmp"
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/budgetcell"
	"steward/ent/budgetline"
	"steward/ent/budgetplan"
	"steward/ent/fiscalperiod"
	"steward/ent/product"
	"steward/internal/area/portfolio"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Grid reads a grid with at most six statements, however large it is. It fails with
// errs.NotFound when the viewer has no such plan or portfolio or reads no budgets at all; a
// portfolio without plans in the year gives a grid without lines.
func Grid(ctx context.Context, s *store.Store, in GridInput) (*GridView, error) {
	g := &GridView{Show: in.Show, FiscalYear: in.FiscalYear}
	if g.Show == "" {
		g.Show = ViewAll
	}
	if (in.Plan == nil) == (in.Portfolio == "") {
		return nil, errs.Invalid("plan", "budget.plan_or_portfolio")
	}
	v := viewer.From(ctx)
	if v == nil {
		return nil, store.ErrNoViewer
	}
	if !scope.Unrestricted(ctx) && !access.May(v, "BudgetPlan", access.Read) {
		return nil, errs.NotFound()
	}
	r := &reading{ctx: ctx, client: s.ClientOf(ctx), viewer: v, grid: g}
	find := func() error { return r.portfolio(s, in.Portfolio) }
	if in.Plan != nil {
		find = func() error { return r.plan(*in.Plan) }
	}
	for _, step := range []func() error{find, r.periods, r.lines, r.cells} {
		if err := step(); err != nil {
			return nil, store.Known(err)
		}
	}
	r.addUp()
	return g, r.err
}

// reading is a grid on its way out of the database.
type reading struct {
	adder
	ctx    context.Context
	client *ent.Client
	viewer *viewer.Viewer
	grid   *GridView

	calendar fiscal.Calendar
	plans    []*ent.BudgetPlan
	closed   fiscal.Closed
	rows     []*ent.BudgetLine
	at       map[ident.ID][2]int // a line's group and its place there
	outside  map[ident.ID][]*ent.BudgetCell
}

// portfolio finds the current plans of a portfolio's year: three statements, one of them for
// the names of products.
func (r *reading) portfolio(s *store.Store, key string) error {
	p, err := portfolio.ByKey(r.ctx, s, key)
	if err != nil {
		return err
	}
	r.place(p)
	if r.grid.FiscalYear == 0 {
		r.grid.FiscalYear = r.calendar.YearOf(r.grid.Portfolio.today())
	}
	all, err := r.client.BudgetPlan.Query().
		Where(budgetplan.PortfolioID(p.ID), budgetplan.Current(true), budgetplan.ArchivedAtIsNil()).
		WithProduct(func(q *ent.ProductQuery) {
			q.Select(product.FieldID, product.FieldKey, product.FieldName, product.FieldNameFr)
		}).
		Order(budgetplan.ByFiscalYear(), budgetplan.ByName(), budgetplan.ByID()).All(r.ctx)
	for _, p := range all {
		r.grid.FiscalYears = append(r.grid.FiscalYears, p.FiscalYear)
		if p.FiscalYear == r.grid.FiscalYear {
			r.plans = append(r.plans, p)
		}
	}
	r.grid.FiscalYears = slices.Compact(r.grid.FiscalYears)
	// Own plans have no product, and "" comes before every name.
	slices.SortStableFunc(r.plans, func(a, b *ent.BudgetPlan) int {
		return cmp.Or(cmp.Compare(productName(a), productName(b)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return err
}

func productName(p *ent.BudgetPlan) string {
	switch {
	case p.ProductID == nil:
		return ""
	case p.Edges.Product == nil:
		return string(*p.ProductID)
	}
	return p.Edges.Product.Name
}

// plan finds one plan, of any version, with its portfolio and product.
func (r *reading) plan(id ident.ID) error {
	p, err := r.client.BudgetPlan.Query().Where(budgetplan.ID(id)).WithPortfolio().
		WithProduct(func(q *ent.ProductQuery) {
			q.Select(product.FieldID, product.FieldKey, product.FieldName, product.FieldNameFr)
		}).Only(r.ctx)
	if err != nil {
		return err
	}
	if p.Edges.Portfolio == nil {
		return errs.NotFound()
	}
	r.place(p.Edges.Portfolio)
	r.plans = []*ent.BudgetPlan{p}
	r.grid.FiscalYear, r.grid.FiscalYears = p.FiscalYear, []int{p.FiscalYear}
	return nil
}

func (r *reading) place(p *ent.Portfolio) {
	r.grid.Portfolio = Portfolio{p.ID, p.Key, store.Slug(p.Key), p.Name, p.NameFr, p.TimeZone, p.FiscalYearStartMonth}
	r.calendar = calendarOf(p.FiscalYearStartMonth)
}

// periods makes the columns, of the finest plan's length, and says which are closed.
func (r *reading) periods() error {
	g := r.grid
	g.Length = fiscal.Month
	if len(r.plans) > 0 {
		g.Length = fiscal.Year
	}
	for _, p := range r.plans {
		if l := fiscal.Length(p.PeriodLength); l.Months() < g.Length.Months() {
			g.Length = l
		}
	}
	books, err := r.client.FiscalPeriod.Query().
		Where(fiscalperiod.PortfolioID(g.Portfolio.ID), fiscalperiod.FiscalYear(g.FiscalYear)).All(r.ctx)
	if err != nil {
		return err
	}
	r.closed = fiscal.Closed{}
	rows := map[civil.Period]*ent.FiscalPeriod{}
	for _, b := range books {
		if b.Status == fiscalperiod.StatusCLOSED {
			closes(r.closed, b.Period, fiscal.Length(b.Length))
		}
		if string(b.Length) == string(g.Length) {
			rows[b.Period] = b
		}
	}
	current := r.calendar.Start(g.Portfolio.today().Period(), g.Length)
	for _, p := range r.calendar.Periods(g.FiscalYear, g.Length) {
		c := Column{Period: p, Months: g.Length.Months(), Closed: !r.closed.Open(p, g.Length), Current: p == current}
		if b := rows[p]; b != nil {
			c.PeriodID, c.Version = &b.ID, b.Version
		}
		g.Columns = append(g.Columns, c)
	}
	touch := reach(r.ctx, "BudgetCell", access.Write)
	for _, p := range r.plans {
		mine := touch.Includes(rowOf(p.PortfolioID, p.ProductID)) && p.ArchivedAt == nil
		x := Plan{ID: p.ID, Key: p.Key, Name: p.Name, ProductID: p.ProductID, Currency: p.Currency, Length: fiscal.Length(p.PeriodLength),
			Status: string(p.Status), VersionNo: p.VersionNo, Version: p.Version, Imported: p.Origin == budgetplan.OriginIMPORTED,
			MayPlan: mine && slices.Contains(planning, string(p.Status)), MayForecast: mine && slices.Contains(forecasting, string(p.Status)),
			Actions: Actions(r.viewer, p)}
		if e := p.Edges.Product; e != nil {
			x.ProductKey, x.ProductName, x.ProductNameFr = e.Key, e.Name, e.NameFr
		}
		g.Plans = append(g.Plans, x)
	}
	return nil
}

// lines reads the rows and puts them into their groups.
func (r *reading) lines() error {
	if len(r.plans) == 0 {
		return nil
	}
	order := map[ident.ID]int{}
	for i, p := range r.plans {
		order[p.ID] = i
	}
	var err error
	r.rows, err = r.client.BudgetLine.Query().Where(r.inPlans(budgetline.FieldPlanID), budgetline.ArchivedAtIsNil()).
		Select(budgetline.FieldID, budgetline.FieldPlanID, budgetline.FieldName, budgetline.FieldNameFr, budgetline.FieldCode,
			budgetline.FieldGroupName, budgetline.FieldPosition, budgetline.FieldCategory, budgetline.FieldCostClass,
			budgetline.FieldUnit, budgetline.FieldQuantityPlanned).All(r.ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(r.rows, func(a, b *ent.BudgetLine) int {
		return cmp.Or(cmp.Compare(order[a.PlanID], order[b.PlanID]), cmp.Compare(a.Position, b.Position),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	type heading struct {
		plan           ident.ID
		name, category string
	}
	groups := map[heading]int{}
	blank := map[ident.ID][]Cell{} // of each plan
	r.at = make(map[ident.ID][2]int, len(r.rows))
	g := r.grid
	for _, l := range r.rows {
		x := Line{ID: l.ID, PlanID: l.PlanID, Name: l.Name, NameFr: l.NameFr, Code: l.Code, Unit: l.Unit,
			Quantity: l.QuantityPlanned, Currency: g.Plans[order[l.PlanID]].Currency}
		if l.Category != nil {
			x.Category = string(*l.Category)
		}
		if l.CostClass != nil {
			x.CostClass = string(*l.CostClass)
		}
		h := heading{plan: l.PlanID, name: l.GroupName}
		if h.name == "" {
			h.category = x.Category
		}
		i, ok := groups[h]
		if !ok {
			i = len(g.Groups)
			groups[h] = i
			g.Groups = append(g.Groups, Group{PlanID: h.plan, Name: h.name, Category: h.category, Currency: x.Currency})
		}
		if _, ok := blank[l.PlanID]; !ok {
			blank[l.PlanID] = r.blank(g.Plans[order[l.PlanID]])
		}
		x.Cells = slices.Clone(blank[l.PlanID])
		r.at[l.ID] = [2]int{i, len(g.Groups[i].Lines)}
		g.Groups[i].Lines = append(g.Groups[i].Lines, x)
	}
	return nil
}

// blank returns the cells of a line before anything is known of them.
func (r *reading) blank(p Plan) []Cell {
	periods := r.calendar.Periods(r.grid.FiscalYear, p.Length)
	cells := make([]Cell, len(periods))
	for i, period := range periods {
		open := r.closed.Open(period, p.Length)
		cells[i] = Cell{Period: period, Span: p.Length.Months() / r.grid.Length.Months(), Closed: !open,
			MayPlan: p.MayPlan, MayForecast: p.MayForecast && open}
	}
	return cells
}

// inPlans narrows lines to those of the grid's plans.
func (r *reading) inPlans(column string) func(*sql.Selector) {
	ids := make([]any, len(r.plans))
	for i, p := range r.plans {
		ids[i] = p.ID
	}
	return func(s *sql.Selector) { s.Where(sql.In(s.C(column), ids...)) }
}

// cells reads the amounts of all lines in one statement.
func (r *reading) cells() error {
	r.outside = map[ident.ID][]*ent.BudgetCell{}
	if len(r.rows) == 0 {
		return nil
	}
	list, err := r.client.BudgetCell.Query().Where(func(s *sql.Selector) {
		lines := sql.Dialect(s.Dialect()).Select(budgetline.FieldID).From(sql.Table(budgetline.Table))
		r.inPlans(budgetline.FieldPlanID)(lines)
		s.Where(sql.In(s.C(budgetcell.FieldLineID), lines.Where(sql.IsNull(lines.C(budgetline.FieldArchivedAt)))))
	}).Select(budgetcell.FieldID, budgetcell.FieldLineID, budgetcell.FieldPeriod, budgetcell.FieldVersion,
		budgetcell.FieldPlanned, budgetcell.FieldForecast, budgetcell.FieldActual).All(r.ctx)
	if err != nil {
		return err
	}
	first := r.calendar.First(r.grid.FiscalYear)
	for _, c := range list {
		at, ok := r.at[c.LineID]
		if !ok {
			continue
		}
		cells := r.grid.Groups[at[0]].Lines[at[1]].Cells
		length := 12 / len(cells)
		months := first.Until(c.Period)
		if i := months / length; months >= 0 && months%length == 0 && i < len(cells) {
			x := &cells[i]
			x.Planned, x.Forecast, x.Actual, x.Version = c.Planned, c.Forecast, c.Actual, c.Version
			x.Variance = r.variance(c.Planned, c.Actual)
			continue
		}
		r.outside[c.LineID] = append(r.outside[c.LineID], c)
	}
	return nil
}
