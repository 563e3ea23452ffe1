package access_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// TestForeignEqualsAbsent (AZ-2, AZ-11): a record that somebody may not see and one
// that never was get the same status and the same bytes, whatever is asked of them;
// and asking changes nothing.
func TestForeignEqualsAbsent(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		before := w.dump()
		n := 0
		for _, p := range w.people {
			if p.v == nil {
				continue
			}
			for _, r := range w.rows {
				if sees(p.v, r) {
					continue
				}
				random := string(ident.New(r.e.Prefix))
				for _, ask := range w.questions(r) {
					n++
					a, b := w.ask(p.v, ask, "id", r.id, "k", w.fresh()), w.ask(p.v, ask, "id", random, "k", w.fresh())
					if a.status != b.status || plain(a.body, r.id.String()) != plain(b.body, random) {
						t.Errorf("%s, %s of %s, %s:\n%.300s\n%.300s", p.name, r.e.Name, r.house, ask, a.body, b.body)
					}
				}
				if r.key != "" {
					if field, doc := w.byKey(r); field != "" {
						never := strings.Repeat("X", len(r.key))
						a, b := w.ask(p.v, doc), w.ask(p.v, strings.Replace(doc, r.key, never, 1))
						if plain(a.body, r.key) != plain(b.body, never) {
							t.Errorf("%s, %s of %s by key:\n%.300s\n%.300s", p.name, r.e.Name, r.house, a.body, b.body)
						}
					}
				}
				w.pagesOfAbsent(p, r, random)
			}
		}
		if n < 1000 {
			t.Errorf("only %d questions: the world hides too little", n)
		}
		differ(t, "after all that was refused", before, w.dump())
	})
}

// questions are the documents that take the id of a record.
func (w *world) questions(r *row) []string {
	name := r.e.Name
	out := []string{
		"query($id: ID!) {node(id: $id) {id}}", "query($id: ID!) {nodes(ids: [$id]) {id}}", `query($id: ID!) {nodes(ids: [$id, $id]) {id}}`,
		"query($id: ID!) {history(id: $id) {next entries {id}}}", "query($id: ID!) {comments(subject: $id) {id}}",
		`mutation($id: ID!, $k: String) {addComment(input: {subject: $id, body: "x", idempotencyKey: $k}) {id}}`,
	}
	if w.mutation("update" + name) {
		out = append(out, fmt.Sprintf("mutation($id: ID!, $k: String) {update%s(id: $id, version: 1, input: {}, idempotencyKey: $k) {id}}", name))
	}
	for _, verb := range []string{"archive", "restore"} {
		if w.mutation(verb + name) {
			out = append(out, fmt.Sprintf("mutation($id: ID!, $k: String) {%s%s(id: $id, version: 1, idempotencyKey: $k) {id}}", verb, name))
		}
	}
	switch name {
	case "BudgetPlan":
		out = append(out, "query($id: ID!) {budgetGrid(plan: $id, show: ALL) {fiscalYear}}")
	case "Product":
		out = append(out, fmt.Sprintf(`mutation($id: ID!, $k: String) {moveProductToPortfolio(input: {id: $id, portfolio: %q, version: 1, reason: "x", idempotencyKey: $k}) {id}}`, w.first["ours/Portfolio"].id))
	case "KeyResult":
		out = append(out, `mutation($id: ID!, $k: String) {checkIn(input: {keyResultId: $id, value: "1", confidence: 0.5, idempotencyKey: $k}) {id}}`)
	case "BudgetLine":
		out = append(out, `mutation($id: ID!, $k: String) {setBudgetCells(input: {cells: [{lineId: $id, period: "2031-05", field: PLANNED, amount: "1", version: 0}], idempotencyKey: $k}) {undoToken}}`,
			`mutation($id: ID!, $k: String) {postActuals(input: {postings: [{lineId: $id, period: "2031-05", amount: "1"}], idempotencyKey: $k}) {posted}}`)
	case "FiscalPeriod":
		out = append(out, "mutation($id: ID!, $k: String) {closeFiscalPeriod(input: {id: $id, version: 1, idempotencyKey: $k}) {id}}")
	}
	for field, to := range map[string]string{"moveBudgetPlan": "SUBMITTED", "moveProcurement": "IN_PREPARATION", "moveContract": "UNDER_REVIEW", "moveObjective": "ACTIVE", "moveInitiative": "SUBMITTED"} {
		if field == "move"+name {
			out = append(out, fmt.Sprintf("mutation($id: ID!, $k: String) {%s(input: {id: $id, to: %s, version: 1, idempotencyKey: $k}) {id}}", field, to))
		}
	}
	return out
}

// careful are those for whom every page is compared; for the others the API stands.
var careful = map[string]bool{string(access.RolePortfolioManager): true, string(access.RolePartner): true, string(access.RoleContributor): true, "member without a role": true}

func (w *world) pagesOfAbsent(p who, r *row, random string) {
	w.t.Helper()
	if !careful[p.name] || p.v.Kind != viewer.Person {
		return
	}
	edge := "products"
	for _, x := range r.e.Edges {
		if len(x.Columns) > 0 {
			edge = x.Name
		}
	}
	for rest, body := range map[string]url.Values{
		"GET ": nil, "GET /edit": nil, "GET /history": nil, "GET /cells/name": nil, "GET /budget": nil,
		"POST ": form("version", "1", "name", "x"), "POST /archive": form("version", "1"), "POST /restore": form("version", "1"),
		"POST /comments": form("body", "x"), "POST /files": form(), "POST /cells/name": form("version", "1", "name", "x"),
		"POST /moves/SUBMITTED": form("version", "1", "note", "x"), "POST /links/" + edge: form("add", w.first["ours/Product"].id.String()),
	} {
		method, rest, _ := strings.Cut(rest, " ")
		a, aBody := w.page(p.v, method, "/"+r.e.Path+"/"+r.id.String()+rest, body)
		b, bBody := w.page(p.v, method, "/"+r.e.Path+"/"+random+rest, body)
		if a != b || plain(aBody, r.id.String()) != plain(bBody, random) {
			w.t.Errorf("%s, page %s /%s/…%s of %s: %d and %d", p.name, method, r.e.Path, rest, r.house, a, b)
		}
		if a < 300 {
			w.t.Errorf("%s, page %s /%s/…%s of %s: %d", p.name, method, r.e.Path, rest, r.house, a)
		}
	}
}
