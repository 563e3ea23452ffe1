package graph_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"steward/ent"
	"steward/ent/contract"
	"steward/ent/portfolio"
	"steward/ent/product"
	"steward/graph"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// TestStatements is GQ-9: how many statements an operation takes does not depend
// on how many rows there are.
func TestStatements(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{Points: 1_000_000})
		id := string(w.contracts[0].ID)
		cases := []struct {
			name, query string
			want        int
		}{
			{"a list", `{contracts{edges{node{key name value}}}}`, 1},
			{"a list with its total and page", `{contracts(first:2){totalCount pageInfo{hasNextPage endCursor} edges{node{key}}}}`, 2},
			{"a page without its total", `{contracts(first:2){pageInfo{hasNextPage endCursor} edges{node{key}}}}`, 1},
			{"the total alone", `{contracts{totalCount}}`, 1},
			{"four levels", `{portfolios{edges{node{key products{edges{node{key contracts{edges{node{key vendor{name}}}}}}}}}}}`, 4},
			{"four levels, two of each", `{portfolios(first:2){edges{node{key products(first:2){edges{node{key contracts(first:2){edges{node{key vendor{name}}}}}}}}}}}`, 4},
			{"four levels, every total", `{portfolios(first:2){totalCount edges{node{key products(first:2){totalCount edges{node{key contracts(first:2){totalCount edges{node{key vendor{name}}}}}}}}}}}`, 7},
			{"nested totals alone", `{portfolios{edges{node{products{totalCount}}}}}`, 2},
			{"a page of many to many with its total", `{contracts(first:2){edges{node{key products(first:1){totalCount edges{node{key}}}}}}}`, 3},
			{"an edge under two names", `{portfolios{edges{node{a:products(first:1){edges{node{key}}} b:products(first:3){edges{node{key}}}}}}}`, 3},
			{"an edge in two orders", `{portfolios{edges{node{a:products(orderBy:[{field:NAME}]){edges{node{key}}} b:products(orderBy:[{field:NAME,direction:DESC}]){edges{node{key}}}}}}}`, 3},
			{"upwards", `{contracts{edges{node{key portfolio{name} vendor{name}}}}}`, 3},
			{"upwards by way of the products", `{contracts{edges{node{key products{edges{node{key portfolio{name}}}} vendor{name}}}}}`, 4},
			{"a node, three deep", `{node(id:"` + id + `"){... on Contract{key products{edges{node{key portfolio{name}}}}}}}`, 3},
			{"a node, three edges deep", `{node(id:"` + string(w.ours.ID) + `"){... on Portfolio{key products{edges{node{key contracts{edges{node{key vendor{name}}}}}}}}}}`, 4},
			{"by key, three deep", `{contract(key:"` + w.contracts[0].Key + `"){key products{edges{node{key portfolio{name}}}}}}`, 3},
			{"nodes of two types", `{nodes(ids:["` + id + `","` + string(w.contracts[1].ID) + `","` + string(w.prod.ID) + `"]){id}}`, 2},
			{"who asks", `{viewer{name roles}}`, 0},
			{"money at a glance", `{portfolioTotals{currency contracted} }`, 2},
			{"budget totals", `{budgetTotals{currency lines}}`, 1},
		}
		count := func() []int {
			var got []int
			for _, c := range cases {
				s.Statements.Reset()
				w.ask(w.fia(), c.query).fine(t)
				got = append(got, s.Statements.N())
			}
			return got
		}
		few := count()
		// A loader gathers what asks within 2 ms: a busy machine makes more than one
		// gathering of a page, but never one for each row.
		gathered := func() {
			t.Helper()
			s.Statements.Reset()
			w.ask(w.fia(), `{contracts{edges{node{key state availableActions{verb}}}}}`).fine(t)
			if n := s.Statements.N(); n < 5 || n > 1+5*4 {
				t.Errorf("the moves of every row took %d statements", n)
			}
		}
		gathered()
		w.tx(func(ctx context.Context, c *ent.Client) {
			for i := range 60 {
				p := c.Product.Create().SetName(fmt.Sprint("More ", i)).SetPortfolioID(w.ours.ID).SaveX(ctx)
				c.Contract.Create().SetName(fmt.Sprint("More ", i)).SetPortfolioID(w.ours.ID).SetVendorID(w.vendor.ID).AddProductIDs(p.ID).SaveX(ctx)
			}
		})
		gathered()
		for i, n := range count() {
			if few[i] != cases[i].want || n != few[i] {
				t.Errorf("%s: %d statements for few rows, %d for many, want %d", cases[i].name, few[i], n, cases[i].want)
			}
		}
	})
}

// TestEdgeUnderTwoNames: nested edges have no filters, so under two names they can
// differ by page and by order only. Both are answered, each as it was asked.
func TestEdgeUnderTwoNames(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		r := w.ask(w.pia(), `{portfolios(first:1){edges{node{a:products(first:2,orderBy:[{field:NAME}]){totalCount edges{node{name}}}
			b:products(first:1,orderBy:[{field:NAME,direction:DESC}]){totalCount edges{node{name}}}}}}}`).fine(t)
		const node = "portfolios.edges.0.node."
		for path, want := range map[string]any{"a.totalCount": 3.0, "a.edges.0.node.name": "CHEFS", "a.edges.1.node.name": "Product 2", "a.edges.2": nil,
			"b.totalCount": 3.0, "b.edges.0.node.name": "Product 3", "b.edges.1": nil} {
			if got := r.at(node + path); got != want {
				t.Errorf("%s is %v, want %v", path, got, want)
			}
		}
		w.ask(w.pia(), `{portfolios{edges{node{a:products(where:{name:"CHEFS"}){totalCount} b:products{totalCount}}}}}`).code(t, "VALIDATION")
	})
}

// TestStatementsOfWrites: a write takes the same whatever it answers with, and its
// answer what a query of the same depth takes below the record.
func TestStatementsOfWrites(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		id := string(w.ours.ID)
		for _, c := range []struct {
			name, query string
			want        int
		}{
			// begin, update, ent's read of the row after it, commit; and what an entity without
			// audit would not need: the row before it, its audit row with the outbox event
			{"an update", `mutation{updatePortfolio(id:"` + id + `",version:1,input:{name:"A"}){key name version}}`, 4 + 2},
			// and three edges: products, contracts, vendors
			{"an update, three edges deep", `mutation{updatePortfolio(id:"` + id + `",version:2,input:{name:"B"}){key products(first:9){edges{node{key contracts{edges{node{key vendor{name}}}}}}}}}`, 7 + 2},
			// begin, the counter of keys, the row, its audit row with the outbox event, commit
			{"a creation", `mutation{createVendor(input:{name:"New"}){key}}`, 5},
			// the key is taken with the audit row
			{"a creation with a key", `mutation{createVendor(input:{name:"Key"},idempotencyKey:"k"){key}}`, 5},
			// one transaction for both, one statement for all that it leaves
			{"two creations", `mutation{a:createVendor(input:{name:"One"}){key} b:createVendor(input:{name:"Two"}){key}}`, 5 + 2},
		} {
			s.Statements.Keep()
			s.Statements.Reset()
			w.ask(w.pia(), c.query).fine(t)
			if n := s.Statements.N(); n != c.want {
				t.Errorf("%s: %d statements, want %d:\n%s", c.name, n, c.want, strings.Join(s.Statements.Log(), "\n"))
			}
		}
	})
}

// TestStatementsOfFilters: GraphQL has no filters and no orders by other records,
// and says so; areas do, and theirs are one statement with the scope inside.
func TestStatementsOfFilters(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		w.ask(w.pia(), `{portfolios(where:{hasProductsWith:[{hasContractsWith:[{name:"x"}]}]}){totalCount}}`).code(t, "VALIDATION")
		w.ask(w.pia(), `{portfolios(orderBy:[{field:PRODUCTS_COUNT}]){totalCount}}`).code(t, "VALIDATION")
		s.Statements.Reset()
		ours := product.HasContractsWith(contract.NameHasPrefix("Contract"))
		found, err := s.Client.Portfolio.Query().Where(portfolio.HasProductsWith(ours)).Order(portfolio.ByProductsCount()).All(viewer.With(t.Context(), w.pia()))
		if err != nil || len(found) != 1 || found[0].ID != w.ours.ID {
			t.Errorf("portfolios whose products have contracts: %v, %v", found, err)
		}
		if n := s.Statements.N(); n != 1 {
			t.Errorf("a filter by records of records took %d statements", n)
		}
	})
}

// TestPages: every connection has a page size, whatever the document says of it.
func TestPages(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		w.tx(func(ctx context.Context, c *ent.Client) {
			for i := range 120 {
				c.Product.Create().SetName(fmt.Sprintf("P %03d", i)).SetPortfolioID(w.ours.ID).SaveX(ctx)
			}
		})
		rows := func(want int, path, query string, vars ...any) {
			t.Helper()
			list, _ := w.ask(w.pia(), query, vars...).fine(t).at(path).([]any)
			if len(list) != want {
				t.Errorf("%s: %d rows, want %d", query, len(list), want)
			}
		}
		const nested = "portfolios.edges.0.node.products.edges"
		rows(50, "products.edges", `{products{edges{node{id}}}}`)
		rows(50, "products.edges", `{products(first:null){edges{node{id}}}}`)
		rows(50, "products.edges", `query($n:Int){products(first:$n){edges{node{id}}}}`)
		rows(50, "products.edges", `query($n:Int){products(first:$n){edges{node{id}}}}`, "n", nil)
		rows(50, "products.edges", `query($n:Int){products(last:$n){edges{node{id}}}}`, "n", nil)
		rows(50, "products.edges", `query($a:Int,$b:Int){products(first:$a,last:$b){edges{node{id}}}}`, "a", nil)
		rows(7, "products.edges", `query($a:Int,$b:Int){products(first:$a,last:$b){edges{node{id}}}}`, "b", 7)
		rows(7, "products.edges", `query($n:Int=7){products(first:$n){edges{node{id}}}}`)
		rows(100, "products.edges", `{products(first:100){edges{node{id}}}}`)
		rows(0, "products.edges", `{products(first:0){edges{node{id}}}}`)
		rows(50, nested, `{portfolios{edges{node{products{edges{node{id}}}}}}}`)
		rows(50, nested, `query($n:Int){portfolios(first:1){edges{node{products(first:$n){edges{node{id}}}}}}}`)
		rows(50, nested, `{portfolios{edges{node{...f}}}} fragment f on Portfolio{products{edges{node{id}}}}`)
		rows(50, nested, `{portfolios{edges{node{... on Node{... on Portfolio{products{edges{node{id}}}}}}}}}`)
		rows(3, nested, `query($n:Int){portfolios{edges{node{products(last:$n){edges{node{id}}}}}}}`, "n", 3)
		rows(50, "portfolio.products.edges", `{portfolio(key:"PF-OURS"){products{edges{node{id}}}}}`)
		rows(50, "viewer.portfolios.0.products.edges", `{viewer{portfolios{products{edges{node{id}}}}}}`)
		// One null variable does not change another page.
		r := w.ask(w.pia(), `query($n:Int){a:products(first:$n){edges{node{id}}} b:products(last:$n,orderBy:[{field:NAME}]){edges{node{name}}}}`).fine(t)
		if a, b := r.at("a.edges"), r.at("b.edges.0.node.name"); len(a.([]any)) != 50 || b == "P 119" {
			t.Errorf("a and b: %s", r.Body[:200])
		}
		// A single object for a list, also nested.
		r = w.ask(w.pia(), `{portfolios{edges{node{products(first:1,orderBy:{field:NAME,direction:DESC}){edges{node{name}}}}}}}`).fine(t)
		if got := r.at(nested + ".0.node.name"); got != "Product 3" {
			t.Errorf("ordered by one object: %v", got)
		}
		cursor := w.ask(w.pia(), `{products(first:1){pageInfo{endCursor} edges{cursor}}}`).fine(t).at("products.pageInfo.endCursor")
		for _, c := range []struct{ code, query string }{
			{"LIMIT", `{products(first:101){totalCount}}`},
			{"LIMIT", `{products(last:101){totalCount}}`},
			{"LIMIT", `{portfolios{edges{node{products(first:101){totalCount}}}}}`},
			{"LIMIT", `query($n:Int=101){products(first:$n){totalCount}}`},
			{"VALIDATION", `{products(first:-1){totalCount}}`},
			{"VALIDATION", `{products(first:1,last:1){totalCount}}`},
			{"VALIDATION", `query($c:Cursor){products(after:$c,last:1){totalCount}}`},
			{"VALIDATION", `query($c:Cursor){products(before:$c,first:1){totalCount}}`},
			{"VALIDATION", `query($c:Cursor){products(before:$c){totalCount}}`},
			{"", `query($c:Cursor){products(after:$c){totalCount}}`},
		} {
			r := w.ask(w.pia(), c.query, "c", cursor)
			if c.code == "" {
				r.fine(t)
			} else {
				r.code(t, c.code)
			}
		}
		if r := w.ask(w.pia(), `query($ids:[ID!]!){nodes(ids:$ids){id}}`, "ids", slices.Repeat([]string{"prd_x"}, 101)).code(t, "LIMIT"); r.at("nodes") != nil {
			t.Error("101 nodes")
		}
	})
}

// TestCursors: paging by every sort key, in both directions and from both ends,
// returns every row once and in one order.
func TestCursors(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		w.tx(func(ctx context.Context, c *ent.Client) {
			for i := range 10 { // names come in threes, so that ties cross pages
				c.Vendor.Create().SetName(fmt.Sprint("V ", i/3)).SaveX(ctx)
			}
		})
		all := func(field, dir string, forward bool, size int) []string {
			by := fmt.Sprintf("orderBy:[{field:%s,direction:%s}]", field, dir)
			if field == "" {
				by = "orderBy:[]"
			}
			q := fmt.Sprintf(`query($c:Cursor){vendors(first:%d,after:$c,%s){pageInfo{hasNextPage endCursor} edges{node{id}}}}`, size, by)
			more, end := "vendors.pageInfo.hasNextPage", "vendors.pageInfo.endCursor"
			if !forward {
				q = fmt.Sprintf(`query($c:Cursor){vendors(last:%d,before:$c,%s){pageInfo{hasPreviousPage startCursor} edges{node{id}}}}`, size, by)
				more, end = "vendors.pageInfo.hasPreviousPage", "vendors.pageInfo.startCursor"
			}
			var ids []string
			var cursor any
			for range 20 {
				r := w.ask(w.fia(), q, "c", cursor).fine(t)
				var page []string
				for _, e := range r.at("vendors.edges").([]any) {
					page = append(page, e.(map[string]any)["node"].(map[string]any)["id"].(string))
				}
				if forward {
					ids = append(ids, page...)
				} else {
					ids = append(page, ids...)
				}
				if r.at(more) != true {
					break
				}
				cursor = r.at(end)
			}
			return ids
		}
		for _, field := range []string{"", "CREATED_AT", "UPDATED_AT", "KEY", "NAME", "STATUS", "STATUS,direction:DESC},{field:NAME"} {
			for _, dir := range []string{"ASC", "DESC"} {
				whole := all(field, dir, true, 100)
				if len(whole) != 11 {
					t.Fatalf("%s %s: %d of 11 rows", field, dir, len(whole))
				}
				for _, size := range []int{1, 2, 3, 4} {
					if got := all(field, dir, true, size); !slices.Equal(got, whole) {
						t.Errorf("%s %s forward by %d:\n%v\n%v", field, dir, size, got, whole)
					}
					if got := all(field, dir, false, size); !slices.Equal(got, whole) {
						t.Errorf("%s %s backward by %d:\n%v\n%v", field, dir, size, got, whole)
					}
				}
			}
		}
	})
}

// TestFaults: what the generated code would answer wrongly is refused in words.
func TestFaults(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		cursor := w.ask(w.pia(), `{products(first:1,orderBy:[{field:NAME}]){pageInfo{endCursor} edges{cursor}}}`).fine(t).at("products.pageInfo.endCursor")
		for _, c := range []struct{ code, query string }{
			{"VALIDATION", `{contracts{edges{node{a:vendor{name} b:vendor{key}}}}}`},
			{"VALIDATION", `{contracts{edges{node{vendor{name} b:vendor{key}}}}}`},
			{"VALIDATION", `{contracts{edges{node{...f b:vendor{key}}}}} fragment f on Contract{vendor{name}}`},
			{"VALIDATION", `{contracts{edges{node{...f}} edges{node{b:vendor{key}}}}} fragment f on Contract{vendor{name}}`},
			{"", `{contracts{edges{node{b:vendor{key}}}}}`},
			{"", `{contracts{edges{node{vendor{key} vendor{name}}}}}`},
			{"VALIDATION", `{contracts{all:edges{node{key}}}}`},
			{"VALIDATION", `{contracts{n:totalCount}}`},
			{"VALIDATION", `{contracts{p:pageInfo{hasNextPage}}}`},
			{"VALIDATION", `{contracts{edges{n:node{key}}}}`},
			{"VALIDATION", `{portfolios{edges{node{products{all:edges{node{key}}}}}}}`},
			{"VALIDATION", `{contracts{pageInfo{endCursor}}}`},
			{"VALIDATION", `{contracts{pageInfo{...f} totalCount}} fragment f on PageInfo{startCursor}`},
			{"", `{contracts{pageInfo{hasNextPage} totalCount}}`},
			{"VALIDATION", `{contracts(after:"nonsense"){totalCount}}`},
			{"VALIDATION", `{portfolios{edges{node{products(after:"nonsense"){edges{node{key}}}}}}}`},
			{"VALIDATION", `query($x:Cursor="eyJ9"){portfolios{edges{node{products(after:$x){edges{node{key}}}}}}}`},
			{"VALIDATION", `query($c:Cursor){products(after:$c,orderBy:[{field:NAME},{field:KEY}]){edges{node{key}}}}`},
			{"VALIDATION", `{contracts @defer{totalCount}}`},
			{"VALIDATION", `{...@defer{contracts{totalCount}}}`},
			{"", `{contracts @include(if:true){totalCount @skip(if:false)}}`},
		} {
			r := w.ask(w.pia(), c.query, "c", cursor)
			if c.code == "" {
				r.fine(t)
			} else {
				r.code(t, c.code)
			}
		}
		r := w.ask(w.pia(), `{contracts(first:1){edges{node{one:vendor{name}}}}}`).fine(t)
		if r.at("contracts.edges.0.node.one.name") != "OptIT" {
			t.Errorf("one alias on an edge: %s", r.Body)
		}
		// Filters in filters.
		where, end := "", ""
		for range 20 {
			where, end = where+"not:{", end+"}"
		}
		w.ask(w.pia(), `{contracts(where:{`+where+`name:"x"`+end+`}){totalCount}}`).code(t, "LIMIT")
		w.ask(w.pia(), `{contracts(where:{or:[`+strings.Repeat(`{name:"x"}`, 200)+`]}){totalCount}}`).code(t, "LIMIT")
		w.ask(w.pia(), `{contracts(where:{or:[`+strings.Repeat(`{name:"x"}`, 199)+`]}){totalCount}}`).fine(t)
	})
}

// TestFoundAtRandom: what random documents and texts have broken once (see
// FuzzDocument here and TestRandomDocuments of internal/e2e/access).
func TestFoundAtRandom(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		// null where there is a default
		w.ask(w.pia(), `query($s:ID!){comments(subject:$s,first:null,offset:null){id} history(id:$s,first:null){next}}`, "s", string(w.prod.ID)).fine(t)
		// a cursor of another order, or of none
		cursor := func(order string) any {
			return w.ask(w.pia(), `{products(first:1,orderBy:`+order+`){edges{cursor}}}`).fine(t).at("products.edges.0.cursor")
		}
		for _, q := range []string{`query($c:Cursor){products(after:$c%s){totalCount edges{node{key}}}}`, `query($c:Cursor){products(last:2,before:$c%s){totalCount edges{node{key}}}}`,
			`query($c:Cursor){portfolios(first:1){edges{node{products(first:2,after:$c%s){edges{node{key}}}}}}}`} {
			named, none := fmt.Sprintf(q, ",orderBy:[{field:NAME}]"), fmt.Sprintf(q, "")
			w.ask(w.pia(), named, "c", cursor("[{field:NAME}]")).fine(t)
			w.ask(w.pia(), none, "c", cursor("[]")).fine(t)
			w.ask(w.pia(), none, "c", cursor("[{field:NAME}]")).code(t, "VALIDATION")
			w.ask(w.pia(), named, "c", cursor("[]")).code(t, "VALIDATION")
		}
		// and, or, not around nothing
		for _, where := range []string{`{not:{}}`, `{or:[{}]}`, `{and:[{name:"x"},{nameIn:[]}]}`} {
			w.ask(w.pia(), `{products(where:`+where+`){totalCount}}`).code(t, "VALIDATION")
		}
		w.ask(w.pia(), `{products(where:{}){totalCount}}`).fine(t)
		// a field set and cleared
		const update = `mutation($id:ID!,$in:UpdateProductInput!){updateProduct(id:$id,version:1,input:$in){id}}`
		for path, in := range map[string]map[string]any{"launchedOn": {"launchedOn": "2026-01-01", "clearLaunchedOn": true}, "ownerID": {"ownerID": "per_pia", "clearOwner": true}} {
			r := w.ask(w.pia(), update, "id", string(w.prod.ID), "in", in).code(t, "VALIDATION")
			if f := r.Errors[0].Extensions.Fields; len(f) != 1 || f[0].Path != path {
				t.Errorf("%s: %s", path, r.Body)
			}
		}
		w.ask(w.pia(), update, "id", string(w.prod.ID), "in", map[string]any{"launchedOn": "2026-01-01", "clearLaunchedOn": false, "clearOwner": true}).fine(t)
		// PostgreSQL stores no NUL, and after that refuses whatever follows in the transaction
		r := w.ask(w.pia(), `mutation{a:createVendor(input:{name:"\u0000"}){id} b:createVendor(input:{name:""}){id} c:createVendor(input:{name:"C"}){id}}`)
		for _, e := range r.Errors {
			if e.Extensions.Code != "VALIDATION" {
				t.Errorf("after a write that failed: %s", r.Body)
			}
		}
		if len(r.Errors) == 0 {
			t.Error("a name of nothing was taken")
		}
	})
}

// TestCost is GQ-3: the bill is about the rows read, and known before they are.
func TestCost(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{RatePoints: 50_000})
		for _, c := range []struct {
			query string
			want  int
		}{
			{`{__typename}`, 1},
			{`{products(first:10){edges{node{key}}}}`, 10},
			{`{products(first:10){totalCount}}`, 1},
			{`{products(first:10){totalCount edges{node{key}}}}`, 11},
			{`{products(first:10){edges{cursor}}}`, 10},
			{`{products{edges{node{key}}}}`, 50},
			{`{portfolios(first:10){edges{node{products(first:10){edges{node{key}}}}}}}`, 110},
			{`{portfolios(first:10){edges{node{...f}}}} fragment f on Portfolio{products(first:10){edges{node{key portfolio{key}}}}}`, 210},
			{`{product(key:"PRD-CHEFS"){key portfolio{key}}}`, 2},
			{`mutation{createVendor(input:{name:"x"}){key}}`, 10},
			{`{portfolioTotals{currency}}`, 50},
		} {
			v := w.fia()
			if strings.HasPrefix(c.query, "mutation") {
				v = w.pia()
			}
			r := w.ask(v, c.query).fine(t)
			if r.Extensions.Cost == nil || r.Extensions.Cost.Requested != c.want {
				t.Errorf("%s costs %+v, want %d", c.query, r.Extensions.Cost, c.want)
			}
		}
		ok := `{a:products(first:98){edges{node{contracts(first:50){edges{node{key}}}}}}}`
		if r := w.ask(w.fia(), ok).fine(t); r.Extensions.Cost.Requested != 98*51 {
			t.Errorf("%+v", r.Extensions.Cost)
		}
		r := w.ask(w.fia(), `{a:products(first:99){edges{node{contracts(first:50){edges{node{key}}}}}}}`).code(t, "LIMIT")
		if r.Extensions.Cost.Requested != 99*51 {
			t.Errorf("%+v", r.Extensions.Cost)
		}
		deep := `{portfolios(first:100){edges{node{products(first:100){edges{node{contracts(first:100){edges{node{products(first:100){edges{node{contracts(first:100){edges{node{products(first:100){edges{node{key}}}}}}}}}}}}}}}}}}}`
		if r := w.ask(w.fia(), deep).code(t, "LIMIT"); r.at("portfolios") != nil {
			t.Error("a hundred to the sixth")
		}
		// Points of a minute: each caller has their own.
		w.door = graph.New(graph.Config{Store: s, Limits: graph.Limits{RatePoints: 120}})
		for range 2 {
			w.ask(w.fia(), `{products{edges{node{key}}}}`).fine(t)
		}
		r = w.ask(w.fia(), `{products{edges{node{key}}}}`).code(t, "LIMIT")
		if r.Status != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" || r.Header.Get("RateLimit-Limit") != "120" {
			t.Errorf("%d %v", r.Status, r.Header)
		}
		if left := w.ask(w.fia(), `{__typename}`).fine(t).Extensions.Cost.Remaining; left < 15 || left > 25 {
			t.Errorf("%d points left", left)
		}
		w.ask(w.pia(), `{products{edges{node{key}}}}`).fine(t)
	})
}

// TestHidden is AZ-5: a field one may not see cannot be read, filtered by, sorted
// by or found out through an edge; the rest of the row can.
func TestHidden(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		r := w.ask(w.cole(), `{contracts(orderBy:[{field:NAME}]){edges{node{key name value}}}}`)
		if len(r.Errors) != 2 || r.Errors[0].Extensions.Code != "FORBIDDEN" || r.at("contracts.edges.0.node.value") != nil || r.at("contracts.edges.0.node.name") != "Contract 0" {
			t.Fatalf("a contributor: %s", r.Body)
		}
		if strings.Contains(r.Body, "480000") {
			t.Errorf("the price shows: %s", r.Body)
		}
		w.ask(w.cole(), `{contracts{edges{node{key name}}}}`).fine(t)
		w.ask(w.cole(), `{node(id:"`+string(w.contracts[0].ID)+`"){...{... on Contract{v:value}}}}`).code(t, "FORBIDDEN")
		filters := []string{`{valueGT:"1"}`, `{not:{value:"1"}}`, `{and:[{or:[{valueIsNil:true}]}]}`, `{valueIn:["1"]}`, `{ceilingLT:"5"}`}
		for _, f := range filters {
			w.ask(w.cole(), `{contracts(where:`+f+`){totalCount}}`).code(t, "FORBIDDEN")
			w.ask(w.pia(), `{contracts(where:`+f+`){totalCount}}`).fine(t)
		}
		w.ask(w.cole(), `query($w:ContractWhereInput){contracts(where:$w){totalCount}}`, "w", map[string]any{"and": []any{map[string]any{"valueGTE": "1"}}}).code(t, "FORBIDDEN")
		w.ask(w.cole(), `{contracts(where:{validity:1}){totalCount}}`).code(t, "VALIDATION")
		if r := w.ask(w.cole(), `{portfolioTotals{currency contracted}}`).fine(t); strings.Contains(r.Body, "192") {
			t.Errorf("the sum of prices shows: %s", r.Body)
		}
		r = w.ask(w.cole(), `{history(id:"`+string(w.contracts[0].ID)+`"){entries{fields{name before after hidden}}}}`).fine(t)
		if strings.Contains(r.Body, "480000") || !strings.Contains(r.Body, `"hidden":true`) {
			t.Errorf("history shows the price: %s", r.Body)
		}
		// the fields of the house are none of a partner's business: not to read, not to ask by, not in the history
		w.ask(w.pia(), `mutation{createCustomField(input:{entity:"Contract",code:"margin",name:"Margin"}){id}}`).fine(t)
		w.ask(w.pia(), `mutation($id:ID!,$v:Int!){updateContract(id:$id,version:$v,input:{custom:{margin:"secret words"}}){custom}}`, "id", w.contracts[0].ID, "v", w.contracts[0].Version).fine(t)
		seen := w.ask(w.pat(), `{contracts{edges{node{key custom}}}}`)
		if len(seen.Errors) == 0 || seen.Errors[0].Extensions.Code != "FORBIDDEN" || strings.Contains(seen.Body, "secret words") || seen.at("contracts.edges.0.node.key") == nil {
			t.Errorf("a partner: %s", seen.Body)
		}
		w.ask(w.pat(), `{contracts(where:{not:{customField:[{code:"margin",op:ANY}]}}){totalCount}}`).code(t, "FORBIDDEN")
		if r := w.ask(w.pat(), `{history(id:"`+string(w.contracts[0].ID)+`"){entries{fields{name before after}}}}`); strings.Contains(r.Body, "secret words") {
			t.Errorf("history shows a partner: %s", r.Body)
		}
		if r := w.ask(w.pia(), `{history(id:"`+string(w.contracts[0].ID)+`"){entries{op actorName fields{name after}}}}`).fine(t); !strings.Contains(r.Body, `{"name":"value","after":"480000.00"}`) {
			t.Errorf("history of a manager: %s", r.Body)
		}
	})
}

// TestEveryRoot asks every root connection and every key root once.
func TestEveryRoot(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		for _, e := range entity.Registry() {
			if !strings.Contains(graph.SDL(), "\ntype "+e.Name+" implements Node") {
				continue
			}
			w.ask(w.fia(), `{x:`+e.Plural+`{totalCount pageInfo{hasNextPage} edges{cursor node{id __typename}}}}`).fine(t)
		}
	})
}
