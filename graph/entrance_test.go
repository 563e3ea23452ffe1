package graph_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/graph"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// untouched fails the test when a body is read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body was read before the caller was known")
	return 0, io.EOF
}

// TestEntrance is GQ-1, GQ-6, GQ-10 and the first half of GQ-4.
func TestEntrance(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		header := func(name, value string) func(*http.Request) {
			return func(r *http.Request) { r.Header.Set(name, value) }
		}
		method := func(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }
		hidden := func(r *http.Request) { r.ContentLength = -1 }
		good := `{"query":"{__typename}"}`
		for _, c := range []struct {
			name   string
			viewer *viewer.Viewer
			body   string
			change []func(*http.Request)
			status int
			code   string
		}{
			{"an ordinary one", w.pia(), good, nil, 200, ""},
			{"with a charset", w.pia(), good, []func(*http.Request){header("Content-Type", "application/json; charset=utf-8")}, 200, ""},
			{"nobody", nil, good, []func(*http.Request){func(r *http.Request) { r.Body = io.NopCloser(untouched{t}) }}, 401, "UNAUTHENTICATED"},
			{"nobody with too much", nil, strings.Repeat("x", 1<<20), []func(*http.Request){func(r *http.Request) { r.Body = io.NopCloser(untouched{t}) }}, 401, "UNAUTHENTICATED"},
			{"too large", w.pia(), strings.Repeat("secretword", 30<<10), nil, 413, "LIMIT"},
			{"too large, size not told", w.pia(), strings.Repeat("secretword", 30<<10), []func(*http.Request){hidden}, 413, "LIMIT"},
			{"GET", w.pia(), good, []func(*http.Request){method("GET")}, 405, "VALIDATION"},
			{"a form", w.pia(), "query=%7B__typename%7D", []func(*http.Request){header("Content-Type", "application/x-www-form-urlencoded")}, 415, "VALIDATION"},
			{"plain text", w.pia(), good, []func(*http.Request){header("Content-Type", "text/plain")}, 415, "VALIDATION"},
			{"multipart", w.pia(), good, []func(*http.Request){header("Content-Type", "multipart/form-data; boundary=x")}, 415, "VALIDATION"},
			{"the bare query", w.pia(), "{__typename}", []func(*http.Request){header("Content-Type", "application/graphql")}, 415, "VALIDATION"},
			{"no type", w.pia(), good, []func(*http.Request){header("Content-Type", "")}, 415, "VALIDATION"},
			{"a web socket", w.pia(), good, []func(*http.Request){header("Upgrade", "websocket")}, 415, "VALIDATION"},
			{"a batch", w.pia(), " [" + good + "," + good + "]", nil, 400, "VALIDATION"},
			{"not JSON", w.pia(), "not json secretword", nil, 400, "VALIDATION"},
			{"JSON of other things", w.pia(), `{"query":{"secretword":1}}`, nil, 400, "VALIDATION"},
			{"two values", w.pia(), good + good, nil, 400, "VALIDATION"},
			{"nothing", w.pia(), "", nil, 400, "VALIDATION"},
			{"no query", w.pia(), `{"variables":{"a":"secretword"}}`, nil, 400, "VALIDATION"},
		} {
			r := w.send(c.viewer, c.body, c.change...)
			code := ""
			if len(r.Errors) > 0 {
				code = r.Errors[0].Extensions.Code
			}
			if r.Status != c.status || code != c.code {
				t.Errorf("%s: %d %q, want %d %q: %s", c.name, r.Status, code, c.status, c.code, r.Body)
			}
			if strings.Contains(r.Body, "secretword") {
				t.Errorf("%s: the body came back: %s", c.name, r.Body)
			}
			if got := r.Header.Get("Cache-Control"); got != "no-store" { // SE-9
				t.Errorf("%s: Cache-Control %q", c.name, got)
			}
			if c.viewer != nil && r.Extensions.Cost == nil {
				t.Errorf("%s: no cost: %s", c.name, r.Body)
			}
		}
	})
}

// TestTime is GQ-5: a request that takes too long is stopped, a hundred of them
// leave no connection behind, and the next one is answered.
func TestTime(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{Timeout: time.Nanosecond})
		for range 100 {
			r := w.ask(w.pia(), `{contracts{totalCount edges{node{name vendor{name}}}}}`).code(t, "UNAVAILABLE")
			if r.Status != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
				t.Fatalf("%d %v", r.Status, r.Header)
			}
		}
		w.ask(w.pia(), `mutation{createVendor(input:{name:"Late"}){id}}`).code(t, "UNAVAILABLE")
		deadline := time.Now().Add(5 * time.Second)
		for s.DB.Stats().InUse > 0 && time.Now().Before(deadline) {
			time.Sleep(10 * time.Millisecond)
		}
		if n := s.DB.Stats().InUse; n > 0 {
			t.Errorf("%d connections are still in use", n)
		}
		w.door = graph.New(graph.Config{Store: s})
		w.ask(w.pia(), `{contracts{totalCount}}`).fine(t)
		if n := s.Client.Vendor.Query().CountX(testkit.System()); n != 1 {
			t.Errorf("%d vendors, a late write was kept", n)
		}
	})
}

// TestIntrospection is GQ-7.
func TestIntrospection(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		token := w.pia()
		token.TokenID = "tok_1"
		both := who("both", []string{"partner", "viewer"}, w.member(viewer.LevelViewer))
		for _, q := range []string{`{__schema{types{name}}}`, `{__type(name:"Vendor"){name}}`, `{... on Query{x:__schema{types{name}}}}`} {
			for _, v := range []*viewer.Viewer{w.pia(), w.fia(), w.bot(), token} {
				w.ask(v, q).fine(t)
			}
			for _, v := range []*viewer.Viewer{w.pat(), both, who("nora", nil)} {
				if r := w.ask(v, q).code(t, "FORBIDDEN"); strings.Contains(r.Body, "Vendor") {
					t.Errorf("%s reads the schema: %s", v.Name, r.Body)
				}
			}
		}
		w.ask(w.pat(), `{__typename contracts{edges{node{__typename key}}}}`).fine(t)
		for _, q := range []string{`{vendor(key:"x"){nam}}`, `{vendors(wher:{name:"x"}){totalCount}}`, `{vendors(where:{nam:"x"}){totalCount}}`,
			`{vendors(orderBy:[{field:NAM}]){totalCount}}`, `query($x:VendorWhereInpu){vendors(where:$x){totalCount}}`, `{...{... on Vendo{id}}}`, `{vendors}`} {
			if r := w.ask(w.pia(), q).code(t, "VALIDATION"); strings.Contains(r.Body, "ean") { // did you mean
				t.Errorf("a suggestion: %s", r.Body)
			}
		}
	})
}

// TestErrors is GQ-8: stable codes and nothing of the inside.
func TestErrors(t *testing.T) {
	inside := []string{"SQL", "sql", "pq:", "constraint", "UNIQUE", "panic", "nil pointer", "ent.", "runtime", "vendors", "goroutine"}
	clean := func(t *testing.T, r *reply) {
		t.Helper()
		for _, x := range inside {
			if strings.Contains(strings.ReplaceAll(r.Body, `"vendors"`, ""), x) {
				t.Errorf("%q shows: %s", x, r.Body)
			}
		}
	}
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		w.ask(w.pia(), `mutation{createVendor(input:{name:"A", key:"same"}){key}}`).fine(t)
		clean(t, w.ask(w.pia(), `mutation{createVendor(input:{name:"B", key:"same"}){key}}`).code(t, "CONFLICT"))
		r := w.ask(w.pia(), `mutation{createVendor(input:{name:""}){key}}`).code(t, "VALIDATION")
		if f := r.Errors[0].Extensions.Fields; len(f) != 1 || f[0].Path != "name" || f[0].Message == "" {
			t.Errorf("fields are %v", f)
		}
		clean(t, r)
		fr := w.pia()
		fr.Lang = "fr"
		if r := w.ask(fr, `{node(id:"vnd_x"){id}}`).code(t, "NOT_FOUND"); !strings.Contains(r.Body, "Il n") && !strings.Contains(r.Body, "enregistrement") {
			t.Errorf("not in French: %s", r.Body)
		}
		r = w.ask(w.pia(), `mutation($v:Money){createContract(input:{name:"x",portfolioID:"`+string(w.ours.ID)+`",value:$v}){key}}`, "v", "a lot").code(t, "VALIDATION")
		if f := r.Errors[0].Extensions.Fields; len(f) != 1 || f[0].Path != "value" {
			t.Errorf("an amount that is none: %s", r.Body)
		}
		r = w.ask(w.pia(), `{contracts(where:{createdAtGT:"yesterday"}){totalCount}}`).code(t, "VALIDATION")
		if f := r.Errors[0].Extensions.Fields; len(f) != 1 || f[0].Path != "where.createdAtGT" {
			t.Errorf("an instant that is none: %s", r.Body)
		}
		w.ask(w.pia(), `{vendors(first:99999999999999999999999){totalCount}}`).code(t, "VALIDATION")
		// A panic is answered with an id that the log knows.
		w.door = graph.New(graph.Config{Log: w.logger()})
		r = w.ask(w.pia(), `{vendors{edges{node{id}}}}`).code(t, "INTERNAL")
		clean(t, r)
		if id := r.Errors[0].Extensions.RequestID; !strings.Contains(w.log.String(), id) || !strings.Contains(w.log.String(), "stack=") {
			t.Errorf("the log does not explain %s: %s", id, w.log)
		}
		// A database that is gone.
		w.door = graph.New(graph.Config{Store: s, Log: w.logger()})
		s.Close()
		r = w.ask(w.pia(), `{vendors{edges{node{id}}}}`)
		if c := r.Errors[0].Extensions.Code; c != "INTERNAL" && c != "UNAVAILABLE" {
			t.Errorf("a closed database answers %s", r.Body)
		}
		clean(t, r)
	})
}

// TestSameBytes: what one may not see and what does not exist differ in the
// request's id only, whatever the type.
func TestSameBytes(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		var dependency *ent.Procurement
		w.tx(func(ctx context.Context, c *ent.Client) {
			dependency = c.Procurement.Create().SetName("Theirs").SetPortfolioID(w.theirs.ID).SaveX(ctx)
		})
		answer := func(query string, vars ...any) string {
			r := w.ask(w.pia(), query, vars...).code(t, "NOT_FOUND")
			if r.Extensions.Cost != nil {
				t.Errorf("a cost: %s", r.Body)
			}
			return strings.ReplaceAll(r.Body, r.Errors[0].Extensions.RequestID, "ID")
		}
		const node = `query($id:ID!){node(id:$id){id}}`
		want := answer(node, "id", "ctr_01ARZ3NDEKTSV4RRFFQ69G5FAV")
		for _, id := range []string{string(w.secret.ID), string(w.foreign.ID), string(w.theirs.ID), string(dependency.ID),
			"prd_01ARZ3NDEKTSV4RRFFQ69G5FAV", "pfl_01ARZ3NDEKTSV4RRFFQ69G5FAV", "xyz_1", "nonsense", "", "oev_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
			if got := answer(node, "id", id); got != want {
				t.Errorf("%s differs:\n%s\n%s", id, got, want)
			}
		}
		pairs := [][2]string{
			{`{x:contract(key:"` + w.secret.Key + `"){id}}`, `{x:contract(key:"CT-999999"){id}}`},
			{`{x:contract(key:"` + w.secret.Key + `"){id}}`, `{x:product(key:"PRD-999999"){id}}`},
			{`mutation{x:updateProduct(id:"` + string(w.foreign.ID) + `",version:1,input:{name:"n"}){id}}`, `mutation{x:updateProduct(id:"prd_01ARZ3NDEKTSV4RRFFQ69G5FAV",version:1,input:{name:"n"}){id}}`},
			{`mutation{x:archiveProduct(id:"` + string(w.foreign.ID) + `",version:1){id}}`, `mutation{x:archiveProduct(id:"prd_01ARZ3NDEKTSV4RRFFQ69G5FAV",version:1){id}}`},
			{`mutation{x:moveContract(input:{id:"` + string(w.secret.ID) + `",to:UNDER_REVIEW,version:1}){id}}`, `mutation{x:moveContract(input:{id:"ctr_01ARZ3NDEKTSV4RRFFQ69G5FAV",to:UNDER_REVIEW,version:1}){id}}`},
			{`mutation{x:addComment(input:{subject:"` + string(w.secret.ID) + `",body:"b"}){id}}`, `mutation{x:addComment(input:{subject:"ctr_01ARZ3NDEKTSV4RRFFQ69G5FAV",body:"b"}){id}}`},
			{`{x:history(id:"` + string(w.secret.ID) + `"){next}}`, `{x:history(id:"ctr_01ARZ3NDEKTSV4RRFFQ69G5FAV"){next}}`},
			{`{x:comments(subject:"` + string(w.secret.ID) + `"){id}}`, `{x:comments(subject:"ctr_01ARZ3NDEKTSV4RRFFQ69G5FAV"){id}}`},
		}
		for _, p := range pairs {
			if a, b := answer(p[0]), answer(p[1]); a != b {
				t.Errorf("hidden and absent differ:\n%s\n%s", a, b)
			}
		}
		r := w.ask(w.pia(), `query($ids:[ID!]!){nodes(ids:$ids){id}}`, "ids", []string{string(w.prod.ID), string(w.foreign.ID), "prd_01ARZ3NDEKTSV4RRFFQ69G5FAV"})
		if r.at("nodes.0.id") != string(w.prod.ID) || r.at("nodes.1") != nil || len(r.Errors) != 2 || r.Errors[0].Message != r.Errors[1].Message {
			t.Errorf("nodes: %s", r.Body)
		}
	})
}
