package budget

import (
	"context"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"steward/internal/area/budget"
	"steward/internal/platform/i18n"
	"steward/internal/rules/money"
)

// attrs are what the script needs of a cell: its exact amount, what that is
// compared with, the version to send back, and how many columns it covers.
func (f figure) attrs(c budget.Cell) templ.Attributes {
	a := value(f.of(c), nil)
	if p := f.compared(c); p != nil {
		a["data-p"] = plain(p)
	}
	if c.Version > 0 && f.may(c) {
		a["data-n"] = strconv.Itoa(c.Version)
	}
	if c.Span > 1 {
		a["colspan"] = strconv.Itoa(c.Span)
	}
	return a
}

// value is an exact amount for the script; outside is the part of a total that
// none of the row's cells holds.
func value(a, outside *money.Amount) templ.Attributes {
	out := templ.Attributes{}
	if a != nil {
		out["data-v"] = plain(a)
	}
	if outside != nil {
		out["data-o"] = plain(outside)
	}
	return out
}

// varianceAttrs are what the script needs to work a variance out again: the plan
// of the year where the row does not hold it.
func varianceAttrs(f figure, sum totals) templ.Attributes {
	out := value(sum.variance, nil)
	if f == outlook && sum.other != nil {
		out["data-p"] = plain(sum.other)
	}
	return out
}

func showName(v budget.View) string {
	if v == "" {
		v = budget.ViewAll
	}
	return strings.ToLower(string(v))
}

func gridClass(s Sheet) string {
	out := "bgrid"
	if s.several() {
		out += " products"
	}
	if s.all() {
		out += " figures"
	}
	switch longest := s.longest(); {
	case longest >= 100_000_000*money.One:
		out += " wider"
	case longest >= 1_000_000*money.One:
		out += " wide"
	}
	return out
}

// longest is the amount that takes the most room in a month's column.
func (s Sheet) longest() (most money.Amount) {
	for _, total := range s.Totals {
		for _, f := range s.figures() {
			for _, a := range s.sums(f, s.in(total.Currency)...).columns {
				if a != nil {
					most = max(most, *a, -*a)
				}
			}
		}
	}
	return most
}

func headClass(c budget.Column) string {
	switch {
	case c.Closed:
		return " lk"
	case c.Current:
		return " cur"
	}
	return ""
}

func currentClass(s Sheet, x int) string {
	if s.Columns[x].Current {
		return " cur"
	}
	return ""
}

// lastClass marks the last row of a line that has several.
func lastClass(s Sheet, n int) string {
	if n == len(s.figures())-1 {
		return "last"
	}
	return ""
}

func rowspan(s Sheet) string { return strconv.Itoa(len(s.figures())) }

func yearColumns(s Sheet) string {
	if s.all() {
		return "2"
	}
	return "3"
}

// quantity is how much of something a line buys: "3.5 FTE".
func quantity(ctx context.Context, l budget.Line) string {
	text := amount(ctx, l.Quantity)
	if dot := strings.LastIndexAny(text, ".,"); dot >= 0 && i18n.From(ctx) != "" {
		text = strings.TrimRight(text, "0")
	}
	return strings.TrimSpace(text + " " + l.Unit)
}

// linePath is the page of a line.
func (s Sheet) linePath(l budget.Line) string { return s.Lines + string(l.ID) }

// opening is the address that answers the lines of a group, or the page with the
// group open where there is no script.
func (s Sheet) opening(i int) string {
	return s.address(s.FiscalYear, s.Show) + "&open=" + strconv.Itoa(i)
}

// further is the address that answers the groups after those drawn, or the page
// from there on where there is no script.
func (s Sheet) further() string {
	return s.address(s.FiscalYear, s.Show) + "&from=" + strconv.Itoa(s.until())
}

// width is how many columns the table has.
func (s Sheet) width() int {
	n := 1 + len(s.Columns) + 3
	if s.several() {
		n++
	}
	return n // of all figures the name of one stands in the place of the second total
}

// savedAtFirst is what stands in the save bar before anything was changed.
func savedAtFirst(ctx context.Context, s Sheet) string {
	if s.Save == "" {
		return t(ctx, "budgetpage.read_only")
	}
	return t(ctx, "budgetpage.js.saved")
}
