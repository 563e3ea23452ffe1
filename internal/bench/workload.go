package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
)

// request is one question in both languages: a GraphQL document or a page for the product, a path for the limit.
type request struct {
	document []byte
	fresh    func() []byte // of writes, which are never the same twice
	path     string
	page     string // of the product, instead of a document
}

// workload is a kind of question with many parameters.
type workload struct {
	name     string
	values   int // that a usual answer has at least
	requests func(context.Context, *world) ([]request, error)
}

const (
	listQuery   = `query($p: ID!) { contracts(first: 50, where: {portfolioID: $p}, orderBy: [{field: NAME}]) { edges { node { id name status value currency portfolio { name } vendor { name } } } } }`
	treeQuery   = `query($k: String!) { portfolio(key: $k) { id name key products(first: 40) { edges { node { id name stage contracts(first: 5) { edges { node { id name reference startOn endOn value vendor { id name } } } } } } } } }`
	pageQuery   = `query($c: Cursor) { budgetLines(first: 50, after: $c, orderBy: [{field: NAME}]) { edges { node { id name code plannedTotal actualTotal } } } }`
	recordQuery = `query($k: String!) { product(key: $k) { id key name stage criticality summary portfolio { id name } } }`
	totalsQuery = `query($k: String!) { budgetTotals(portfolio: $k) { fiscalYear currency lines planned actual } }`
	writeQuery  = `mutation($l: ID!, $p: Period!, $a: Money!, $v: Int!, $i: String!) { setBudgetCells(input: {cells: [{lineId: $l, period: $p, field: FORECAST, amount: $a, version: $v}], idempotencyKey: $i}) { lines { id cells { period forecast version } } } }`
)

func workloads() []workload {
	return []workload{
		{"list", 300, func(context.Context, *world) ([]request, error) {
			return each(own, func(i int) request {
				return ask(listQuery, map[string]any{"p": rowID("pfo", i+1)}, "/list?p="+rowID("pfo", i+1))
			}), nil
		}},
		{"tree", 500, func(context.Context, *world) ([]request, error) {
			return each(own, func(i int) request {
				return ask(treeQuery, map[string]any{"k": portfolioKey(i + 1)}, "/tree?k="+portfolioKey(i+1))
			}), nil
		}},
		{"page 1", 200, page(1)},
		{"page 1,000", 200, page(1000)},
		{"record", 6, func(context.Context, *world) ([]request, error) {
			return each(own*products, func(i int) request {
				key := fmt.Sprintf("PRD-B%d", i+1)
				return ask(recordQuery, map[string]any{"k": key}, "/record?k="+key)
			}), nil
		}},
		{"totals", 4, func(context.Context, *world) ([]request, error) {
			return each(own, func(i int) request {
				return ask(totalsQuery, map[string]any{"k": portfolioKey(i + 1)}, "/totals?k="+portfolioKey(i+1))
			}), nil
		}},
		{"cell saved", 0, writes},
		{"grid page", 0, func(context.Context, *world) ([]request, error) { // one is a page, the other a bare table
			return each(written, func(i int) request {
				return request{page: fmt.Sprintf("/budget-plans/BP-B%d", i+1), path: "/grid?p=" + rowID("bpl", i+1)}
			}), nil
		}},
	}
}

func each(n int, f func(int) request) []request {
	out := make([]request, n)
	for i := range out {
		out[i] = f(i)
	}
	return out
}

func ask(query string, variables map[string]any, path string) request {
	b, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		panic(err)
	}
	return request{document: b, path: path}
}

// page asks for a page of the long list of budget lines; its cursor and the row before it are found first.
func page(n int) func(context.Context, *world) ([]request, error) {
	return func(ctx context.Context, w *world) ([]request, error) {
		if n == 1 {
			return []request{ask(pageQuery, nil, "/page?name=&id=")}, nil
		}
		const step = 100 // rows at once on the way there
		query := `query($c: Cursor) { budgetLines(first: 100, after: $c, orderBy: [{field: NAME}]) { edges { node { id name } } pageInfo { endCursor } } }`
		var cursor *string
		var last struct{ ID, Name string }
		for range (n - 1) * 50 / step {
			b, err := w.product.ask(ctx, http.DefaultClient, ask(query, map[string]any{"c": cursor}, ""))
			if err != nil {
				return nil, err
			}
			var a struct {
				Data struct {
					BudgetLines struct {
						Edges []struct {
							Node struct{ ID, Name string }
						}
						PageInfo struct{ EndCursor string }
					}
				}
			}
			if err := json.Unmarshal(b, &a); err != nil {
				return nil, err
			}
			edges := a.Data.BudgetLines.Edges
			if len(edges) == 0 {
				return nil, fmt.Errorf("there are fewer than %d pages", n)
			}
			cursor, last = &a.Data.BudgetLines.PageInfo.EndCursor, edges[len(edges)-1].Node
		}
		return []request{ask(pageQuery, map[string]any{"c": cursor}, "/page?name="+url.QueryEscape(last.Name)+"&id="+last.ID)}, nil
	}
}

// writes saves one amount of one cell. Each request of the product takes the next cell, whose version is
// known because nobody has written it; the limit goes round in the rest.
func writes(ctx context.Context, w *world) ([]request, error) {
	var cells []struct{ line, period string }
	rows, err := w.db.QueryContext(ctx, "SELECT line_id, period FROM budget_cells WHERE version = 1 AND portfolio_id <= $1 ORDER BY id", rowID("pfo", own))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c struct{ line, period string }
		if err := rows.Scan(&c.line, &c.period); err != nil {
			return nil, err
		}
		cells = append(cells, c)
	}
	if err := rows.Err(); err != nil || len(cells) < 1000 {
		return nil, fmt.Errorf("%d cells: %w", len(cells), err)
	}
	half := len(cells) / 2
	var next atomic.Int64
	fresh := func() []byte {
		n := int(next.Add(1)) - 1
		c := cells[n%half]
		b, err := json.Marshal(map[string]any{"query": writeQuery, "variables": map[string]any{"l": c.line, "p": c.period, "a": fmt.Sprintf("%d.50", 1000+n%9000), "v": 1 + n/half, "i": "bench-" + strconv.Itoa(n)}})
		if err != nil {
			panic(err)
		}
		return b
	}
	return each(1000, func(i int) request {
		c := cells[half+i*(len(cells)-half)/1000]
		return request{fresh: fresh, path: fmt.Sprintf("/write?l=%s&p=%s&a=%d", c.line, c.period, (1000+i)*10000+5000)}
	}), nil
}
