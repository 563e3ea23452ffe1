// Package budget draws budgets: the grid of a plan or a portfolio, the head with
// the states of its plans, the forms of lines. It turns the read model of
// internal/area/budget into rows that are ready to draw and never asks for data.
//
// The page door (internal/web) uses it.
package budget

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"steward/internal/area/budget"
	"steward/internal/platform/i18n"
	"steward/internal/rules/fiscal"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/views/ui"
)

func t(ctx context.Context, key string, args ...any) string { return i18n.C(ctx, key, args...) }

// A page opens with at most 6,000 elements, of which its frame and the tools of the
// grid take about 700, and each plan of its list about 10. What is left goes to the
// headings of groups, at most half, and to the lines of the first groups: the others
// arrive folded, and the groups after those are brought by a link.
const (
	mostElements = 5300
	planSize     = 10
	// Large is how many lines a group may have to be open when the page opens.
	Large = 100
)

// Sheet is a grid with what its page needs beside it.
type Sheet struct {
	*budget.GridView
	Path   string // of the page, without its query
	Save   string // path that takes PATCHes of cells; empty when there is none to take
	Opened []int  // groups to draw with their lines although they are large or far down
	From   int    // the first group to draw
	Folded bool   // all groups arrive folded
	Undo   string // start of the path that takes changes back
	Lines  string // start of the lines' paths; their ids follow
}

// figure is a kind of amount a line has a row of.
type figure string

const (
	planned  figure = "PLANNED"
	forecast figure = "FORECAST"
	actual   figure = "ACTUAL"
	// outlook is the forecast view: what was spent in closed periods, what is
	// forecast in the others.
	outlook figure = "OUTLOOK"
	// plan is the plan view: what is planned, held against what was spent.
	plan figure = "PLAN"
)

// figures are the rows each line has in a view.
func (s Sheet) figures() []figure {
	switch s.Show {
	case budget.ViewPlan:
		return []figure{plan}
	case budget.ViewForecast:
		return []figure{outlook}
	}
	return []figure{planned, forecast, actual}
}

func (s Sheet) all() bool { return s.Show == budget.ViewAll || s.Show == "" }

// field is the name under which the script knows rows of the figure.
func (f figure) field() string {
	switch f {
	case outlook:
		return string(forecast)
	case plan:
		return string(planned)
	}
	return string(f)
}

// of returns the amount of a cell that the figure shows.
func (f figure) of(c budget.Cell) *money.Amount {
	switch f {
	case planned, plan:
		return c.Planned
	case forecast:
		return c.Forecast
	case actual:
		return c.Actual
	}
	if posted(c) {
		return c.Actual
	}
	return c.Forecast
}

// posted reports whether the forecast view shows what was spent.
func posted(c budget.Cell) bool { return c.Closed && c.Actual != nil }

// may reports whether the reader can change the amount.
func (f figure) may(c budget.Cell) bool {
	switch f {
	case planned, plan:
		return c.MayPlan
	case forecast:
		return c.MayForecast
	case outlook:
		return c.MayForecast && !posted(c)
	}
	return false
}

// compared is what the amount is held against: the plan for a forecast, what was
// spent for a plan.
func (f figure) compared(c budget.Cell) *money.Amount {
	switch f {
	case plan:
		return c.Actual
	case outlook:
		return c.Planned
	}
	return nil
}

// totals of a row: the figure's own, the one it is compared with, the difference.
type totals struct{ own, other, variance *money.Amount }

func (a *totals) add(b totals) {
	a.own, a.other, a.variance = plus(a.own, b.own), plus(a.other, b.other), plus(a.variance, b.variance)
}

// plus adds amounts of which either may be missing; a sum out of range is missing.
func plus(a, b *money.Amount) *money.Amount {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	sum, err := money.Add(*a, *b)
	if err != nil {
		return nil
	}
	return &sum
}

// line returns the totals of a line in a figure. A forecast is compared with the
// plan of the year as a whole, what was spent with the plan of the same periods.
func (f figure) line(l budget.Line) totals {
	var out totals
	switch f {
	case plan:
		out = totals{l.Total.Planned, l.Total.Actual, l.Total.Variance}
	case planned:
		out = totals{own: l.Total.Planned}
	case actual:
		out = totals{l.Total.Actual, nil, l.Total.Variance}
	case forecast:
		out = totals{own: l.Total.Forecast}
	case outlook:
		out = totals{own: l.Total.Forecast, other: l.Total.Planned}
		for _, c := range l.Cells {
			if posted(c) {
				out.own = plus(out.own, c.Actual)
				out.own = plus(out.own, minus(c.Forecast))
			}
		}
	}
	if f == forecast || f == outlook {
		if out.own != nil && l.Total.Planned != nil {
			d := *out.own - *l.Total.Planned
			out.variance = &d
		}
	}
	return out
}

func minus(a *money.Amount) *money.Amount {
	if a == nil {
		return nil
	}
	b := -*a
	return &b
}

// outside is what a total holds beyond the cells of the line: amounts of periods
// its plan does not have, which only imports leave.
func (f figure) outside(l budget.Line) *money.Amount {
	var in *money.Amount
	for _, c := range l.Cells {
		in = plus(in, f.of(c))
	}
	own := f.line(l).own
	if own == nil || in != nil && *own == *in {
		return nil
	}
	return plus(own, minus(in))
}

// sums is what a figure adds up to over lines: by column and in all. A cell over
// several columns counts in all, not in a column.
type sums struct {
	columns []*money.Amount
	totals  totals
}

func (s Sheet) sums(f figure, groups ...budget.Group) sums {
	out := sums{columns: make([]*money.Amount, len(s.Columns))}
	for _, g := range groups {
		for _, l := range g.Lines {
			x := 0
			for _, c := range l.Cells {
				if c.Span == 1 && x < len(out.columns) {
					out.columns[x] = plus(out.columns[x], f.of(c))
				}
				x += c.Span
			}
			out.totals.add(f.line(l))
		}
	}
	return out
}

// in returns the groups of a currency.
func (s Sheet) in(currency string) []budget.Group {
	var out []budget.Group
	for _, g := range s.Groups {
		if g.Currency == currency {
			out = append(out, g)
		}
	}
	return out
}

func (s Sheet) planOf(id ident.ID) budget.Plan {
	i := slices.IndexFunc(s.Plans, func(p budget.Plan) bool { return p.ID == id })
	if i < 0 {
		return budget.Plan{}
	}
	return s.Plans[i]
}

// several reports whether the grid has lines of more than one plan.
func (s Sheet) several() bool { return len(s.Plans) > 1 }

// productName is what a plan's lines are called by in the product column.
func productName(ctx context.Context, s Sheet, p budget.Plan) string {
	if p.ProductID == nil {
		return named(ctx, s.Portfolio.Name, s.Portfolio.NameFr)
	}
	return named(ctx, p.ProductName, p.ProductNameFr)
}

// named is a name in the language of ctx where it has one.
func named(ctx context.Context, name, french string) string {
	if i18n.From(ctx) == i18n.French && french != "" {
		return french
	}
	return name
}

// groupName is the heading of a group: its own, its category, or that it has none.
func groupName(ctx context.Context, s Sheet, g budget.Group) string {
	switch {
	case g.Name != "":
		return g.Name
	case g.Category != "":
		return category(ctx, g.Category)
	case s.several():
		return productName(ctx, s, s.planOf(g.PlanID))
	}
	return t(ctx, "budgetpage.no_group")
}

func category(ctx context.Context, value string) string {
	return t(ctx, "budgetpage.category."+value)
}

// lineSize and headSize are how many elements a line and the heading of a group
// are drawn with, about: the cells of each figure, what stands around them, and
// the names.
func (s Sheet) lineSize() int { return len(s.figures())*(len(s.Columns)+6) + 2 }
func (s Sheet) headSize() int { return s.lineSize() + 4 }

// room is how many elements groups and lines may have together.
func (s Sheet) room() int { return mostElements - planSize*len(s.Plans) }

// until returns the group after the last one drawn.
func (s Sheet) until() int {
	end := s.From + max(1, s.room()/2/s.headSize())
	for _, i := range s.Opened {
		end = max(end, i+1)
	}
	return min(end, len(s.Groups))
}

// folded reports whether a group is drawn without its lines at first.
func (s Sheet) folded(i int) bool {
	if slices.Contains(s.Opened, i) {
		return false
	}
	room := s.room() - (s.until()-s.From)*s.headSize()
	for _, g := range s.Groups[s.From : i+1] {
		if len(g.Lines) <= Large {
			room -= len(g.Lines) * s.lineSize()
		}
	}
	return s.Folded || len(s.Groups[i].Lines) > Large || room < 0
}

// left is how many groups are not drawn, and how many lines they have.
func (s Sheet) left() (groups, lines int) {
	for _, g := range s.Groups[s.until():] {
		groups++
		lines += len(g.Lines)
	}
	return groups, lines
}

// quarter is a head over the columns of a fiscal quarter.
type quarter struct {
	Label  string
	Span   int
	Closed bool
}

func (s Sheet) quarters(ctx context.Context) []quarter {
	calendar := fiscal.Calendar{StartMonth: time.Month(s.Portfolio.StartMonth)}
	var out []quarter
	for _, c := range s.Columns {
		label := calendar.QuarterLabel(c.Period, i18n.From(ctx))
		if n := len(out); n > 0 && out[n-1].Label == label {
			out[n-1].Span++
			out[n-1].Closed = out[n-1].Closed && c.Closed
			continue
		}
		out = append(out, quarter{Label: label, Span: 1, Closed: c.Closed})
	}
	return out
}

// columnName is the head of a column: its month, or from which month to which.
func columnName(ctx context.Context, c budget.Column) string {
	lang := i18n.From(ctx)
	first := i18n.MonthShort(lang, c.Period)
	if c.Months <= 1 {
		return first
	}
	return first + "–" + i18n.MonthShort(lang, c.Period.Add(c.Months-1))
}

// periods lists the columns for the script.
func (s Sheet) periods() string {
	list := make([]string, len(s.Columns))
	for i, c := range s.Columns {
		list[i] = string(c.Period)
	}
	return strings.Join(list, " ")
}

// figureName is the word for a figure.
func figureName(ctx context.Context, f figure) string {
	return t(ctx, "budgetpage.figure."+string(f))
}

// amount is a number of the grid: no currency, no decimals where it is whole.
func amount(ctx context.Context, a *money.Amount) string {
	if a == nil {
		return ""
	}
	s := money.Format(*a, "", i18n.From(ctx)) // with the sign that spreadsheets read, too
	return strings.TrimSuffix(strings.TrimSuffix(s, ".00"), ",00")
}

// whole is an amount as sums and cells that cannot be edited show it: rounded to
// whole units, half to even. The exact one stands above the grid.
func whole(ctx context.Context, a *money.Amount) string {
	if a == nil {
		return ""
	}
	units, rest := *a/money.One, *a%money.One
	if rest = max(rest, -rest); 2*rest > money.One || 2*rest == money.One && units%2 != 0 {
		if *a < 0 {
			units--
		} else {
			units++
		}
	}
	rounded := units * money.One
	return amount(ctx, &rounded)
}

// text is what a cell shows of its amount.
func (f figure) text(ctx context.Context, c budget.Cell) string {
	if f.may(c) {
		return amount(ctx, f.of(c))
	}
	return whole(ctx, f.of(c))
}

// plain is the exact amount for the script, as short as it can be.
func plain(a *money.Amount) string {
	return strings.TrimSuffix(a.String(), ".00")
}

// high is how far off its plan a forecast is marked, besides 5 %.
const high = 500 * money.One

// classes of a cell that holds the figure.
func (f figure) class(c budget.Cell, current bool) string {
	out := []string{"c"}
	if !f.may(c) {
		out = append(out, "lk")
	}
	if c.Closed {
		out = append(out, "cl")
	}
	if f == outlook && posted(c) {
		out = append(out, "ac")
	}
	if current {
		out = append(out, "cur")
	}
	if v := f.of(c); f == outlook && v != nil && c.Planned != nil {
		off, size := *v-*c.Planned, max(*c.Planned, -*c.Planned)
		if max(off, -off) >= high && max(off, -off) > size/20 {
			if off > 0 {
				out = append(out, "hi")
			} else {
				out = append(out, "lo")
			}
		}
	}
	return strings.Join(out, " ")
}

// current reports whether one of the columns from x on is the running period.
func (s Sheet) current(x, span int) bool {
	return slices.ContainsFunc(s.Columns[x:min(x+span, len(s.Columns))], func(c budget.Column) bool { return c.Current })
}

// starts returns the column each cell of a line begins in.
func starts(l budget.Line) []int {
	out := make([]int, len(l.Cells))
	x := 0
	for i, c := range l.Cells {
		out[i] = x
		x += max(c.Span, 1)
	}
	return out
}

// varianceTone is over, under or neither.
func varianceTone(a *money.Amount) string {
	switch {
	case a == nil || *a == 0:
		return ""
	case *a > 0:
		return "over"
	}
	return "under"
}

// spanName is the period a line's form calls a cell by.
func spanName(ctx context.Context, s Sheet, x int, c budget.Cell) string {
	first := s.Columns[x]
	if c.Span <= 1 {
		return columnName(ctx, first)
	}
	last := s.Columns[min(x+c.Span, len(s.Columns))-1]
	return columnName(ctx, budget.Column{Period: first.Period, Months: first.Period.Until(last.Period) + max(last.Months, 1)})
}

// words are what the script says, by its own names for them.
func words(ctx context.Context, s Sheet) string {
	out := map[string]string{"compared": t(ctx, "budgetpage.js.compared_plan")}
	if s.Show == budget.ViewPlan {
		out["compared"] = t(ctx, "budgetpage.js.compared_actual")
	}
	for _, name := range []string{
		"count", "selection", "was", "closed", "locked", "computed", "outside", "undone", "redone", "filled",
		"pasted", "copied", "will_write", "will_skip", "line", "saving", "saved", "saved_one", "saved_many", "retrying", "signed_out", "kept", "kept_some",
		"refused_one", "refused_many", "failed", "conflict", "changed_by", "theirs", "mine", "undo", "undo_failed", "spread_none", "over", "under",
		"number", "ambiguous", "currency", "decimals", "range", "formula", "division", "percent",
	} {
		out[name] = t(ctx, "budgetpage.js."+name)
	}
	b, _ := json.Marshal(out) // texts always encode
	return string(b)
}

// address of the page with another year or view.
func (s Sheet) address(year int, show budget.View) string {
	return s.Path + "?fy=" + i18n.Year(year) + "&show=" + strings.ToLower(string(show))
}

// views are the links between the three ways to see the grid.
func (s Sheet) views(ctx context.Context) []ui.Tab {
	var out []ui.Tab
	for _, v := range []budget.View{budget.ViewPlan, budget.ViewForecast, budget.ViewAll} {
		out = append(out, ui.Tab{Label: t(ctx, "budgetpage.view."+string(v)), Href: s.address(s.FiscalYear, v), Current: v == s.Show})
	}
	return out
}

// years are the links to the other fiscal years.
func (s Sheet) years(ctx context.Context) []ui.Tab {
	calendar := fiscal.Calendar{StartMonth: time.Month(s.Portfolio.StartMonth)}
	var out []ui.Tab
	for _, y := range s.FiscalYears {
		out = append(out, ui.Tab{Label: calendar.Label(y, i18n.From(ctx)), Href: s.address(y, s.Show), Current: y == s.FiscalYear})
	}
	return out
}
