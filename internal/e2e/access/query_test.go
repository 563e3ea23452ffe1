package access_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect/sql"
	"github.com/vektah/gqlparser/v2/ast"

	"steward/internal/rules/ident"
)

func only(id ident.ID) func(*sql.Selector) {
	return func(s *sql.Selector) { s.Where(sql.EQ(s.C("id"), id)) }
}

func anyOrder(*sql.Selector) {}

// leaf reports whether a type has no selection.
func (w *world) leaf(t *ast.Type) bool {
	d := w.schema.Types[t.Name()]
	return d == nil || d.Kind == ast.Scalar || d.Kind == ast.Enum
}

// selection writes out all of a type: its scalars and, to the depth, its edges.
func (w *world) selection(name string, depth int) string {
	var b strings.Builder
	for _, f := range w.schema.Types[name].Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		needs := false
		for _, a := range f.Arguments {
			needs = needs || a.Type.NonNull && a.DefaultValue == nil
		}
		switch {
		case needs:
		case w.leaf(f.Type):
			b.WriteString(f.Name + " ")
		case depth <= 0:
		case f.Arguments.ForName("first") != nil: // edges and node lie two deeper
			fmt.Fprintf(&b, "%s(first: 20) {%s} ", f.Name, w.selection(f.Type.Name(), depth+1))
		default:
			if inner := w.selection(f.Type.Name(), depth-1); inner != "" {
				fmt.Fprintf(&b, "%s {%s} ", f.Name, inner)
			}
		}
	}
	return strings.TrimSpace(b.String())
}

// lists returns the document that reads all rows of each type that has a list.
func (w *world) lists() map[string]string {
	out := map[string]string{}
	for _, f := range w.schema.Query.Fields {
		if strings.HasSuffix(f.Type.Name(), "Connection") {
			of := strings.TrimSuffix(f.Type.Name(), "Connection")
			archived := ""
			if f.Arguments.ForName("archived") != nil {
				archived = ", archived: true"
			}
			out[f.Name] = fmt.Sprintf("{%s(first: 100%s) {totalCount pageInfo {hasNextPage endCursor} edges {cursor node {%s}}}}", f.Name, archived, w.selection(of, 1))
		}
	}
	return out
}

// byKey returns the document that reads a record by its key, "" for types without.
func (w *world) byKey(r *row) (field, doc string) {
	for _, f := range w.schema.Query.Fields {
		if f.Type.Name() == r.e.Name && f.Arguments.ForName("key") != nil {
			return f.Name, fmt.Sprintf("{%s(key: %q) {%s}}", f.Name, r.key, w.selection(r.e.Name, 1))
		}
	}
	return "", ""
}

// otherQueries are the root fields that are not lists of a type, with documents
// that use them to the full. id is any record, key that of a portfolio, plan a plan.
func (w *world) otherQueries(r *row, portfolio, plan *row) map[string]string {
	out := map[string]string{
		"node":             fmt.Sprintf("{node(id: %q) {id ... on %s {%s}}}", r.id, r.e.Name, w.selection(r.e.Name, 1)),
		"nodes":            fmt.Sprintf("{nodes(ids: [%q, %q]) {id ... on %s {%s}}}", r.id, portfolio.id, r.e.Name, w.selection(r.e.Name, 0)),
		"history":          fmt.Sprintf("{history(id: %q, first: 100) {%s}}", r.id, w.selection("History", 3)),
		"comments":         fmt.Sprintf("{comments(subject: %q) {%s}}", r.id, w.selection("Comment", 0)),
		"viewer":           fmt.Sprintf("{viewer {%s}}", w.selection("Viewer", 2)),
		"budgetTotals":     fmt.Sprintf("{budgetTotals {%[1]s} one: budgetTotals(portfolio: %[2]q, fiscalYear: 2031) {%[1]s}}", w.selection("BudgetTotals", 0), portfolio.key),
		"portfolioTotals":  fmt.Sprintf("{portfolioTotals {%[1]s} one: portfolioTotals(portfolio: %[2]q) {%[1]s}}", w.selection("PortfolioTotals", 0), portfolio.key),
		"budgetGrid":       fmt.Sprintf("{budgetGrid(plan: %[2]q, show: ALL) {%[1]s} one: budgetGrid(portfolio: %[3]q, fiscalYear: 2031, show: ALL) {%[1]s}}", w.selection("BudgetGrid", 4), plan.id, portfolio.key),
		"changes":          fmt.Sprintf("{changes(first: 100) {%s}}", w.selection("ChangePage", 2)),
		"savedViews":       fmt.Sprintf("{savedViews(type: %q) {%s}}", r.e.Name, w.selection("SavedView", 0)),
		"notifications":    fmt.Sprintf("{notifications {%s} unreadNotifications}", w.selection("Notification", 0)),
		"webhooks":         fmt.Sprintf("{webhooks {%s}}", w.selection("Webhook", 0)),
		"calendarFeeds":    fmt.Sprintf("{calendarFeeds {%s}}", w.selection("CalendarFeed", 0)),
		"retention":        fmt.Sprintf("{retention {%s}}", w.selection("Retention", 1)),
		"job":              fmt.Sprintf("{job(id: %q) {%s}}", r.id, w.selection("JobProgress", 1)),
		"export":           fmt.Sprintf("{export(id: %q) {%s}}", r.id, w.selection("Export", 2)),
		"contractRenewals": fmt.Sprintf(`{contractRenewals(from: "2026-01-01", to: "2032-01-01") {%s}}`, w.selection("ContractRenewal", 2)),
	}
	out["unreadNotifications"] = out["notifications"]
	out["webhook"] = fmt.Sprintf("{webhook(id: %q) {%s}}", r.id, w.selection("Webhook", 0))
	out["webhookDeliveries"] = fmt.Sprintf("{webhookDeliveries(webhook: %q) {%s}}", r.id, w.selection("WebhookDelivery", 0))
	if field, doc := w.byKey(r); field != "" {
		out[field] = doc
	}
	return out
}

// TestEveryQueryIsAsked: a root field that no test asks would be one that no test
// finds leaking.
func TestEveryQueryIsAsked(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		lists, other := w.lists(), w.otherQueries(w.rows[0], w.first["ours/Portfolio"], w.first["ours/BudgetPlan"])
		for _, r := range w.rows {
			if field, doc := w.byKey(r); field != "" {
				other[field] = doc
			}
		}
		for _, f := range w.schema.Query.Fields {
			if lists[f.Name] == "" && other[f.Name] == "" && !strings.HasPrefix(f.Name, "__") {
				t.Errorf("no test asks for %s", f.Name)
			}
		}
		sys := w.of("auditor").v
		for name, doc := range lists {
			if a := w.ask(sys, doc); a.status != 200 || a.Data == nil {
				t.Errorf("%s: %d %.300s", name, a.status, a.body)
			}
		}
		for name, doc := range other {
			// no record is any of the first; the auditor does not read settings
			nothing := slices.Contains([]string{"job", "export", "webhook", "retention"}, name)
			if a := w.ask(sys, doc); a.status != 200 || (a.Data == nil) != nothing {
				t.Errorf("%s: %d %.300s", name, a.status, a.body)
			}
		}
	})
}
