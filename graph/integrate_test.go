package graph_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/budgetcell"
	"steward/graph"
	"steward/internal/area/notify"
	"steward/internal/area/takeout"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

const feedPage = `query($a:Cursor,$t:[String!],$n:Int){changes(after:$a,types:$t,first:$n){endCursor hasMore changes{cursor type id op version changeSet node{id __typename ... on Contract{name value}}}}}`

// TestChanges: the feed in pages, with tombstones, for those who may see the records.
func TestChanges(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		follow := func(v *viewer.Viewer, after any, types []string, n int) (list []map[string]any, end any) {
			t.Helper()
			for more := true; more; {
				r := w.ask(v, feedPage, "a", after, "t", types, "n", n).fine(t)
				for _, x := range r.at("changes.changes").([]any) {
					list = append(list, x.(map[string]any))
				}
				if n := len(r.at("changes.changes").([]any)); n > 0 && n < 3 && r.at("changes.hasMore") == true {
					t.Errorf("a page of %d with more behind", n)
				}
				after, more = r.at("changes.endCursor"), r.at("changes.hasMore") == true
			}
			return list, after
		}
		all, end := follow(w.pia(), nil, []string{"Contract"}, 3)
		if len(all) != 4 {
			t.Fatalf("pia sees %d contracts being made: %v", len(all), all)
		}
		for _, x := range all {
			if x["op"] != "CREATE" || x["id"] == w.secret.ID.String() || x["node"].(map[string]any)["id"] != x["id"] || x["node"].(map[string]any)["value"] == nil {
				t.Errorf("%v", x)
			}
		}
		id := w.contracts[0].ID.String()
		w.ask(w.pia(), `mutation($id:ID!){updateContract(id:$id,version:1,input:{name:"New"}){id} }`, "id", id).fine(t)
		w.ask(w.pia(), `mutation($id:ID!){archiveContract(id:$id,version:2){id}}`, "id", id).fine(t)
		w.tx(func(ctx context.Context, c *ent.Client) { c.Contract.UpdateOneID(w.secret.ID).SetName("X").ExecX(ctx) })
		next, last := follow(w.pia(), end, nil, 100)
		if len(next) != 2 || next[0]["op"] != "UPDATE" || next[1]["op"] != "ARCHIVE" || next[1]["version"] != 3.0 || next[1]["node"].(map[string]any)["name"] != "New" {
			t.Errorf("then: %v", next)
		}
		if rest, again := follow(w.pia(), last, nil, 100); len(rest) != 0 || again != last {
			t.Errorf("after the end: %v", rest)
		}
		// A removed row leaves its tombstone, without a record.
		var gone *ent.Tag
		w.tx(func(ctx context.Context, c *ent.Client) { gone = c.Tag.Create().SetName("T").SaveX(ctx) })
		w.tx(func(ctx context.Context, c *ent.Client) { c.Tag.DeleteOneID(gone.ID).ExecX(ctx) })
		next, _ = follow(w.pia(), last, nil, 100)
		if len(next) != 2 || next[1]["op"] != "DELETE" || next[0]["node"] != nil || next[1]["node"] != nil {
			t.Errorf("a removed tag: %v", next)
		}
		// What somebody may not see of a record they do not see here.
		r := w.ask(w.cole(), feedPage, "t", []string{"Contract"})
		if len(r.Errors) == 0 || r.Errors[0].Extensions.Code != "FORBIDDEN" || strings.Contains(r.Body, "480000") {
			t.Errorf("cole: %s", r.Body)
		}
		for _, x := range []any{"nonsense", w.ask(w.pia(), `{vendors(first:1){pageInfo{endCursor} edges{node{id}}}}`).fine(t).at("vendors.pageInfo.endCursor")} {
			w.ask(w.pia(), feedPage, "a", x).code(t, "VALIDATION")
		}
		w.ask(w.pia(), feedPage, "t", []string{"Session"}).code(t, "VALIDATION")
		w.ask(w.pia(), feedPage, "n", 101).code(t, "LIMIT")

		for _, n := range []int{1, 4} { // as many statements for one record as for four, and two less without
			s.Statements.Reset()
			w.ask(w.pia(), feedPage, "t", []string{"Contract"}, "n", n).fine(t)
			if got := s.Statements.N(); got != 3 {
				t.Errorf("a page of %d: %d statements", n, got)
			}
		}
	})
}

// TestUpsert: a source's row is made once, changed where it differs, and left alone
// where it does not.
func TestUpsert(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		const up = `mutation($x:String!,$in:CreateVendorInput!,$v:Int,$k:String){upsertVendor(source:"sap",externalId:$x,version:$v,input:$in,reason:"nightly",idempotencyKey:$k){id key version name origin source externalID}}`
		in := func(kv ...any) map[string]any {
			m := map[string]any{}
			for i := 0; i < len(kv); i += 2 {
				m[kv[i].(string)] = kv[i+1]
			}
			return m
		}
		a := w.ask(w.bot(), up, "x", "4711", "in", in("name", "Acme")).fine(t)
		if a.at("upsertVendor.origin") != "IMPORTED" || a.at("upsertVendor.source") != "sap" || a.at("upsertVendor.externalID") != "4711" {
			t.Errorf("made: %s", a.Body)
		}
		events := func() int { return s.Client.ChangeEvent.Query().CountX(testkit.System()) }
		before := events()
		if b := w.ask(w.bot(), up, "x", "4711", "in", in("name", "Acme")).fine(t); fmt.Sprint(b.Data) != fmt.Sprint(a.Data) || events() != before {
			t.Errorf("the same again: %s, %d changes more", b.Body, events()-before)
		}
		c := w.ask(w.bot(), up, "x", "4711", "in", in("name", "Acme Inc."), "v", 1).fine(t)
		if c.at("upsertVendor.id") != a.at("upsertVendor.id") || c.at("upsertVendor.version") != 2.0 || c.at("upsertVendor.name") != "Acme Inc." || events() != before+1 {
			t.Errorf("changed: %s", c.Body)
		}
		w.ask(w.bot(), up, "x", "4711", "in", in("name", "Late"), "v", 1).code(t, "CONFLICT")
		w.ask(w.bot(), up, "x", "unknown", "in", in("name", "Late"), "v", 1).code(t, "NOT_FOUND")
		w.ask(w.bot(), up, "x", "", "in", in("name", "N")).code(t, "VALIDATION")
		w.ask(w.cole(), up, "x", "4711", "in", in("name", "N")).code(t, "FORBIDDEN")
		h := w.ask(w.pia(), `query($id:ID!){history(id:$id){entries{op reason actorKind}}}`, "id", a.at("upsertVendor.id")).fine(t)
		if h.at("history.entries.0.reason") != "nightly" || h.at("history.entries.0.actorKind") != "INTEGRATION" {
			t.Errorf("history: %s", h.Body)
		}
		found := w.ask(w.bot(), `{vendors(where:{source:"sap",externalIDIn:["4711"],updatedAtGT:"2020-01-01T00:00:00Z"}){totalCount}}`).fine(t)
		if found.at("vendors.totalCount") != 1.0 {
			t.Errorf("by its id in the source: %s", found.Body)
		}

		// Custom fields that are not given stay and make no difference.
		w.ask(w.pia(), `mutation{a:createCustomField(input:{entity:"Vendor",code:"seats",name:"Seats",kind:NUMBER}){id} b:createCustomField(input:{entity:"Vendor",code:"note",name:"Note",kind:TEXT}){id}}`).fine(t)
		w.ask(w.bot(), up, "x", "4711", "in", in("name", "Acme Inc.", "custom", in("seats", 12, "note", "n"))).fine(t)
		for _, c := range []struct {
			custom  map[string]any
			version float64
		}{{in("seats", 12), 3}, {in("note", "n", "seats", 12), 3}, {in("seats", 13), 4}, {in("note", nil), 5}, {in("note", nil), 5}} {
			if r := w.ask(w.bot(), up, "x", "4711", "in", in("name", "Acme Inc.", "custom", c.custom)).fine(t); r.at("upsertVendor.version") != c.version {
				t.Errorf("%v: %s", c.custom, r.Body)
			}
		}

		// Links are set as given, and what is fixed at the creation is refused.
		const contract = `mutation($in:CreateContractInput!,$k:String!){upsertContract(source:"sap",externalId:"C1",input:$in,idempotencyKey:$k){id version products{edges{node{id}}}}}`
		w.ask(w.bot(), `mutation{upsertContract(source:"s",externalId:"e",input:{name:"n",portfolioID:"`+w.ours.ID.String()+`"}){id}}`).code(t, "VALIDATION")
		ours := in("name", "C", "portfolioID", w.ours.ID, "productIDs", []ident.ID{w.prod.ID}, "value", "12.50")
		w.ask(w.bot(), contract, "in", ours, "k", "1").fine(t)
		if r := w.ask(w.bot(), contract, "in", ours, "k", "2").fine(t); r.at("upsertContract.version") != 1.0 {
			t.Errorf("the same contract again: %s", r.Body)
		}
		var second ident.ID
		for _, p := range s.Client.Product.Query().AllX(testkit.System()) {
			if p.PortfolioID == w.ours.ID && p.ID != w.prod.ID {
				second = p.ID
			}
		}
		ours["productIDs"] = []ident.ID{second}
		if r := w.ask(w.bot(), contract, "in", ours, "k", "3").fine(t); fmt.Sprint(r.at("upsertContract.products.edges.0.node.id")) != second.String() || len(r.at("upsertContract.products.edges").([]any)) != 1 {
			t.Errorf("other links: %s", r.Body)
		}
		ours["portfolioID"] = w.theirs.ID
		w.ask(w.bot(), contract, "in", ours, "k", "4").code(t, "VALIDATION")

		// Eight at once make one row.
		var wg sync.WaitGroup
		ids := make([]any, 8)
		for i := range ids {
			wg.Go(func() {
				ids[i] = w.ask(w.bot(), up, "x", "race", "in", in("name", "Race")).fine(t).at("upsertVendor.id")
			})
		}
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Errorf("several rows: %v", ids)
			}
		}
	})
}

// TestStoredDocuments: a document is sent by its hash, in both spellings.
func TestStoredDocuments(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		const text = `query Names($n:Int){vendors(first:$n){edges{node{name}}}}`
		sum := sha256.Sum256([]byte(text))
		hash := hex.EncodeToString(sum[:])
		apollo := `{"variables":{"n":1},"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}}`
		r := w.send(w.pia(), apollo).code(t, "VALIDATION")
		if r.Status != http.StatusBadRequest || !strings.Contains(r.Body, "PERSISTED_QUERY_NOT_FOUND") {
			t.Errorf("not stored: %d %s", r.Status, r.Body)
		}
		const keep = `mutation($t:String!){storeDocument(text:$t,name:"names"){id documentId name text}}`
		w.ask(w.pia(), keep, "t", text).code(t, "FORBIDDEN")
		r = w.ask(w.bot(), keep, "t", text).fine(t)
		if r.at("storeDocument.documentId") != "sha256:"+hash || r.at("storeDocument.name") != "names" {
			t.Errorf("stored: %s", r.Body)
		}
		if again := w.ask(who("ada", []string{"app-admin"}), keep, "t", text).fine(t); again.at("storeDocument.id") != r.at("storeDocument.id") {
			t.Errorf("stored twice: %s", again.Body)
		}
		for _, bad := range []string{"{nothing}", "{", "query{" + strings.Repeat("vendors{totalCount}", 30) + "}"} {
			if r := w.ask(w.bot(), keep, "t", bad); len(r.Errors) == 0 {
				t.Errorf("kept %.20s", bad)
			}
		}
		for _, body := range []string{apollo, `{"documentId":"sha256:` + hash + `","variables":{"n":1}}`, `{"documentId":"sha256:` + strings.ToUpper(hash) + `","variables":{"n":1}}`} {
			if r := w.send(w.pia(), body).fine(t); r.at("vendors.edges.0.node.name") != "OptIT" {
				t.Errorf("%s: %s", body, r.Body)
			}
		}
		s.Statements.Reset()
		w.send(w.pia(), apollo).fine(t)
		if n := s.Statements.N(); n != 1 {
			t.Errorf("%d statements with the document in memory", n)
		}
		w.send(w.pia(), `{"query":"{viewer{name}}","extensions":{"persistedQuery":{"sha256Hash":"`+hash+`"}}}`).code(t, "VALIDATION")
		w.send(w.pia(), `{"documentId":"md5:1"}`).code(t, "VALIDATION")
		w.send(w.pia(), `{"documentId":"sha256:","query":null}`).code(t, "VALIDATION")

		// Where tokens may run stored documents alone.
		w.door = graph.New(graph.Config{Store: s, Log: w.logger(), StoredOnly: true})
		w.send(w.bot(), apollo).fine(t)
		w.ask(w.bot(), text, "n", 1).fine(t)
		if r := w.ask(w.bot(), `{viewer{name}}`).code(t, "FORBIDDEN"); r.Status != http.StatusForbidden {
			t.Errorf("%d", r.Status)
		}
		w.ask(w.pia(), `{viewer{name}}`).fine(t)
	})
}

// TestRateHeaders: every answer says how much of the minute is left.
func TestRateHeaders(t *testing.T) {
	w := newWorld(t, testkit.OpenURL(t, testkit.SQLiteURL(t)), graph.Limits{RatePoints: 600})
	r := w.ask(w.bot(), `{viewer{name}}`).fine(t)
	if r.Header.Get("RateLimit-Limit") != "600" || r.Header.Get("RateLimit-Remaining") != "598" || r.Header.Get("RateLimit-Reset") != "1" {
		t.Errorf("%v", r.Header)
	}
	if r := w.send(w.bot(), "[]"); r.Header.Get("RateLimit-Remaining") == "" {
		t.Errorf("refused: %v", r.Header)
	}
	if !strings.HasPrefix(graph.SDL(), "# ") || !strings.Contains(graph.SDL()[:600], "six months") {
		t.Error("the schema does not say how long what is deprecated stays")
	}
}

// events is an open stream.
type events struct {
	t      *testing.T
	body   *bufio.Reader
	status int
	close  func()
}

// stream opens one; again returns who asks from then on.
func (w *world) stream(site *httptest.Server, v *viewer.Viewer, last, query string, vars map[string]any) *events {
	w.t.Helper()
	body, _ := json.Marshal(map[string]any{"query": query, "variables": vars})
	ctx, cancel := context.WithCancel(context.Background())
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, site.URL+"/graphql", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("X-Test-Viewer", v.ID.String())
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := site.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { cancel(); resp.Body.Close() })
	return &events{t: w.t.(*testing.T), body: bufio.NewReader(resp.Body), status: resp.StatusCode, close: cancel}
}

// next waits for an event and returns its kind, id and data.
func (e *events) next() (kind, id string, data reply) {
	e.t.Helper()
	for {
		line, err := e.body.ReadString('\n')
		if err != nil {
			return "closed", "", data
		}
		switch name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":"); {
		case name == "event":
			kind = strings.TrimSpace(value)
		case name == "id":
			id = strings.TrimSpace(value)
		case name == "data" && strings.TrimSpace(value) != "":
			if err := json.Unmarshal([]byte(value), &data); err != nil {
				e.t.Fatal(err)
			}
		case line == "\n" && kind != "":
			return kind, id, data
		}
	}
}

// house serves the door for people by their names, whose sessions can be ended.
type house struct {
	mu      sync.Mutex
	people  map[string]*viewer.Viewer
	closing chan struct{}
}

func (h *house) who(r *http.Request) (*viewer.Viewer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	v := h.people[r.Header.Get("X-Test-Viewer")]
	if v == nil {
		return nil, errs.New(errs.Unauthenticated, "error.unauthenticated")
	}
	c := *v
	return &c, nil
}

func (h *house) set(v *viewer.Viewer, id ident.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.people[id.String()] = v
}

// serve opens a door on a real connection.
func (w *world) serve(l graph.Limits) (*httptest.Server, *house) {
	h := &house{people: map[string]*viewer.Viewer{}, closing: make(chan struct{})}
	for _, v := range []*viewer.Viewer{w.pia(), w.fia(), w.cole(), w.bot()} {
		h.people[v.ID.String()] = v
	}
	door := graph.New(graph.Config{Store: w.s, Limits: l, Log: w.logger(), Again: h.who, Closing: h.closing})
	site := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if v, err := h.who(r); err == nil {
			r = r.WithContext(viewer.With(r.Context(), v))
		}
		door.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(site.Close)
	return site, h
}

const changeStream = `subscription($t:[String!]){changes(types:$t){cursor type id op version node{id ... on Vendor{name}}}}`

// TestStream: changes arrive as they happen, a client that comes back misses none, and
// a stream lasts no longer than the right to it.
func TestStream(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		site, h := w.serve(graph.Limits{Streams: 3})
		rename := func(name string) {
			w.tx(func(ctx context.Context, c *ent.Client) { c.Vendor.UpdateOneID(w.vendor.ID).SetName(name).ExecX(ctx) })
		}
		one := w.stream(site, w.pia(), "", changeStream, map[string]any{"t": []string{"Vendor"}})
		rename("A")
		w.tx(func(ctx context.Context, c *ent.Client) {
			c.Product.UpdateOneID(w.prod.ID).SetName("not asked for").ExecX(ctx)
		})
		kind, id, r := one.next()
		if kind != "next" || id == "" || r.at("changes.node.name") != "A" || r.at("changes.op") != "UPDATE" {
			t.Fatalf("first: %s %s %v", kind, id, r)
		}
		one.close()
		rename("B")
		rename("C")
		two := w.stream(site, w.pia(), id, changeStream, map[string]any{"t": []string{"Vendor"}})
		rename("D")
		for want := 3.0; want <= 5; want++ {
			if kind, _, r := two.next(); kind != "next" || r.at("changes.version") != want {
				t.Fatalf("after coming back, version %v: %s %v", want, kind, r)
			}
		}
		// Rights are looked at again: what is no longer Pia's does not come, and the end of
		// her session ends the stream.
		contracts := w.stream(site, w.pia(), "", changeStream, map[string]any{"t": []string{"Contract"}})
		fewer := w.pia()
		fewer.Memberships[0].ID = w.theirs.ID
		h.set(fewer, "per_pia")
		time.Sleep(1100 * time.Millisecond) // an answer to "may they still" holds for a second
		w.tx(func(ctx context.Context, c *ent.Client) {
			c.Contract.UpdateOneID(w.contracts[0].ID).SetName("ours").ExecX(ctx)
		})
		w.tx(func(ctx context.Context, c *ent.Client) {
			c.Contract.UpdateOneID(w.secret.ID).SetName("theirs").ExecX(ctx)
		})
		if kind, _, r := contracts.next(); kind != "next" || r.at("changes.id") != w.secret.ID.String() {
			t.Errorf("with other rights: %s %v", kind, r)
		}
		h.set(nil, "per_pia")
		time.Sleep(1100 * time.Millisecond)
		rename("E")
		if kind, _, r := two.next(); kind != "next" || len(r.Errors) != 1 || r.Errors[0].Extensions.Code != "UNAUTHENTICATED" {
			t.Errorf("after the session's end: %s %v", kind, r)
		}
		if kind, _, _ := two.next(); kind != "complete" {
			t.Errorf("then: %s", kind)
		}
		if kind, _, _ := two.next(); kind != "closed" {
			t.Errorf("then: %s", kind)
		}
		// A server that stops ends its streams.
		fia := w.stream(site, w.fia(), "", changeStream, nil)
		close(h.closing)
		if kind, _, _ := fia.next(); kind != "complete" {
			t.Errorf("at the stop: %s", kind)
		}
	})
}

// TestStreamRefusals: what is wrong is said before the stream begins.
func TestStreamRefusals(t *testing.T) {
	w := newWorld(t, testkit.OpenURL(t, testkit.SQLiteURL(t)), graph.Limits{})
	site, _ := w.serve(graph.Limits{Streams: 2})
	w.ask(w.pia(), changeStream).code(t, "VALIDATION") // without Accept
	for _, c := range []struct {
		last, query string
		status      int
	}{
		{"vnd_1", changeStream, 422}, {"obx_gone", changeStream, 422},
		{"", `subscription{changes(types:["Session"]){id}}`, 422}, {"", `subscription{importProgress(job:"job_1"){done}}`, 422},
		{"", `subscription{budgetChanged{at}}`, 422}, {"", `subscription{nothing}`, 422},
		{"", `subscription{budgetChanged(plan:"bpl_1"){at}}`, 422},
	} {
		if e := w.stream(site, w.pia(), c.last, c.query, nil); e.status != c.status {
			t.Errorf("%s %s: %d", c.last, c.query, e.status)
		}
	}
	// A query over the same transport is one event.
	q := w.stream(site, w.pia(), "", `{viewer{name}}`, nil)
	if kind, _, r := q.next(); kind != "next" || r.at("viewer.name") != "pia" {
		t.Errorf("a query: %s %v", kind, r)
	}
	if kind, _, _ := q.next(); kind != "complete" {
		t.Errorf("then: %s", kind)
	}
	w.stream(site, w.pia(), "", changeStream, nil)
	last := w.stream(site, w.pia(), "", changeStream, nil)
	if e := w.stream(site, w.pia(), "", changeStream, nil); e.status != http.StatusTooManyRequests {
		t.Errorf("the third stream: %d", e.status)
	}
	if e := w.stream(site, w.fia(), "", changeStream, nil); e.status != 200 {
		t.Errorf("somebody else's: %d", e.status)
	}
	last.close()
	for e := (*events)(nil); e == nil || e.status != 200; { // once the server has noticed
		time.Sleep(50 * time.Millisecond)
		e = w.stream(site, w.pia(), "", changeStream, nil)
	}
	if e := w.stream(site, who("nobody", nil), "", changeStream, nil); e.status != http.StatusUnauthorized {
		t.Errorf("nobody: %d", e.status)
	}
}

// TestOtherStreams: budgets, jobs and messages.
func TestOtherStreams(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		site, _ := w.serve(graph.Limits{})
		var plan *ent.BudgetPlan
		var line, other *ent.BudgetLine
		w.tx(func(ctx context.Context, c *ent.Client) {
			make := func() (*ent.BudgetPlan, *ent.BudgetLine) {
				p := c.BudgetPlan.Create().SetName("Plan").SetPortfolioID(w.ours.ID).SetFiscalYear(2026).SaveX(ctx)
				return p, c.BudgetLine.Create().SetName("Line").SetPlanID(p.ID).SaveX(ctx)
			}
			plan, line = make()
			_, other = make()
		})
		const budget = `subscription($p:ID!){budgetChanged(plan:$p){changeSet actorName lines{id name}}}`
		b := w.stream(site, w.pia(), "", budget, map[string]any{"p": plan.ID})
		w.tx(func(ctx context.Context, c *ent.Client) {
			c.BudgetLine.UpdateOneID(other.ID).SetName("elsewhere").ExecX(ctx)
		})
		const cells = `mutation($l:ID!,$k:String!){setBudgetCells(input:{cells:[{lineId:$l,period:"2026-04",field:PLANNED,amount:"10",version:0},{lineId:$l,period:"2026-05",field:PLANNED,amount:"10",version:0}],idempotencyKey:$k}){undoToken}}`
		w.ask(w.pia(), cells, "l", line.ID, "k", "1").fine(t)
		kind, id, r := b.next()
		for kind == "next" && r.at("budgetChanged.actorName") == "Steward" {
			kind, id, r = b.next() // the making of the line: a transaction of another database may hold the feed up
		}
		if kind != "next" || id == "" || r.at("budgetChanged.actorName") != "pia" || len(r.at("budgetChanged.lines").([]any)) != 1 || r.at("budgetChanged.lines.0.id") != line.ID.String() {
			t.Errorf("budget: %s %v", kind, r)
		}
		if n := s.Client.BudgetCell.Query().Where(budgetcell.LineID(line.ID)).CountX(testkit.System()); n != 2 {
			t.Errorf("%d cells", n)
		}

		// A job, until it has ended; it is its asker's alone.
		work, err := job.Enqueue(viewer.With(context.Background(), w.pia()), s, "work", nil, job.Options{})
		if err != nil {
			t.Fatal(err)
		}
		const progress = `subscription($j:ID!){importProgress(job:$j){status done total}}`
		j := w.stream(site, w.pia(), "", progress, map[string]any{"j": work})
		if kind, _, r := j.next(); kind != "next" || r.at("importProgress.status") != "READY" {
			t.Errorf("job: %s %v", kind, r)
		}
		half := make(chan struct{})
		go job.New(s, job.Config{Kinds: []job.Kind{{Name: "work", Do: func(ctx context.Context, x *job.Run) error {
			if err := x.Report(ctx, job.Progress{Done: 1, Total: 2}); err != nil {
				return err
			}
			<-half
			return nil
		}}}}).Once(context.Background())
		for done := false; !done; {
			_, _, r := j.next()
			done = r.at("importProgress.done") == 1.0
		}
		close(half)
		for done := false; !done; {
			kind, _, r := j.next()
			if done = kind == "complete"; !done && kind != "next" {
				t.Fatalf("job: %s %v", kind, r)
			}
		}
		if r := w.ask(w.pia(), `query($j:ID!){job(id:$j){status}}`, "j", work).fine(t); r.at("job.status") != "DONE" {
			t.Errorf("%s", r.Body)
		}
		w.ask(w.fia(), `query($j:ID!){job(id:$j){status}}`, "j", work).code(t, "NOT_FOUND")

		// Messages to one person, in their words; coming back, the ones since.
		tell := func(to ident.ID, name string) {
			if err := notify.Tell(testkit.System(), s, to, "notify.view_changed", map[string]any{"name": name, "before": 1, "after": 2}, "/x", ""); err != nil {
				t.Fatal(err)
			}
		}
		const notes = `subscription{notifications{id text href}}`
		n := w.stream(site, w.pia(), "", notes, nil)
		tell("per_fia", "hers")
		tell("per_pia", "first")
		kind, last, r := n.next()
		if kind != "next" || !strings.Contains(fmt.Sprint(r.at("notifications.text")), "first") || last != r.at("notifications.id") {
			t.Errorf("message: %s %v", kind, r)
		}
		n.close()
		tell("per_pia", "second")
		n = w.stream(site, w.pia(), last, notes, nil)
		if kind, _, r := n.next(); kind != "next" || !strings.Contains(fmt.Sprint(r.at("notifications.text")), "second") {
			t.Errorf("after coming back: %s %v", kind, r)
		}
	})
}

// TestExport: a bulk export through GraphQL, its files and who may fetch them.
func TestExport(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		work := func() {
			r := job.New(s, job.Config{Kinds: []job.Kind{{Name: takeout.Kind, Do: func(ctx context.Context, x *job.Run) error { return takeout.Do(ctx, x, s) }}}})
			for more := true; more; {
				var err error
				if more, err = r.Once(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		}
		const start = `mutation($p:String,$t:[String!]){startExport(portfolio:$p,types:$t){id status files{type} expiresAt}}`
		r := w.ask(w.pia(), start, "p", "PF-OURS", "t", []string{"Contract", "Product"}).fine(t)
		if r.at("startExport.status") != "READY" || r.at("startExport.expiresAt") != nil {
			t.Errorf("%s", r.Body)
		}
		id := r.at("startExport.id")
		if again := w.ask(w.pia(), start, "p", w.ours.ID, "t", []string{"Product", "Contract"}).fine(t); again.at("startExport.id") != id {
			t.Errorf("the same one again: %s", again.Body)
		}
		work()
		const find = `query($id:ID!){export(id:$id){status done total error files{type rows size sha256 href} expiresAt}}`
		r = w.ask(w.pia(), find, "id", id).fine(t)
		if r.at("export.status") != "DONE" || r.at("export.done") != 7.0 || r.at("export.files.0.type") != "Contract" || r.at("export.files.0.rows") != 4.0 || r.at("export.expiresAt") == nil {
			t.Fatalf("%s", r.Body)
		}
		mux := http.NewServeMux()
		mux.Handle("GET /exports/{id}/{file}", graph.Downloads(s))
		get := func(v *viewer.Viewer, path, part string) *httptest.ResponseRecorder {
			q := httptest.NewRequest(http.MethodGet, path, nil)
			if part != "" {
				q.Header.Set("Range", part)
			}
			if v != nil {
				q = q.WithContext(viewer.With(q.Context(), v))
			}
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, q)
			return rec
		}
		href := r.at("export.files.0.href").(string)
		whole := get(w.pia(), href, "")
		sum := sha256.Sum256(whole.Body.Bytes())
		lines := strings.Split(strings.TrimSpace(whole.Body.String()), "\n")
		if whole.Code != 200 || hex.EncodeToString(sum[:]) != r.at("export.files.0.sha256") || len(lines) != 4 || fmt.Sprint(whole.Body.Len()) != r.at("export.files.0.size") {
			t.Errorf("%d %s", whole.Code, whole.Body)
		}
		found := false
		for _, line := range lines {
			var x struct {
				ID, Name, Value string
				Products        []string
			}
			if err := json.Unmarshal([]byte(line), &x); err != nil {
				t.Error(err)
			}
			found = found || x.ID == w.contracts[0].ID.String() && x.Name == "Contract 0" && x.Value == "480000.00" && fmt.Sprint(x.Products) == fmt.Sprint([]string{w.prod.ID.String()})
		}
		if !found {
			t.Errorf("the first contract is not as it is: %s", whole.Body)
		}
		if part := get(w.pia(), href, "bytes=10-19"); part.Code != http.StatusPartialContent || part.Body.String() != whole.Body.String()[10:20] {
			t.Errorf("a part: %d %q", part.Code, part.Body)
		}
		var m struct{ ChangesAfter string }
		if err := json.Unmarshal(get(w.pia(), "/exports/"+id.(string)+"/manifest.json", "").Body.Bytes(), &m); err != nil || m.ChangesAfter == "" {
			t.Errorf("manifest: %v", err)
		}
		w.ask(w.pia(), feedPage, "a", m.ChangesAfter).fine(t)
		// Nobody else's, not with fewer rights, not without any.
		fewer := w.pia()
		fewer.Memberships = nil
		for who, v := range map[string]*viewer.Viewer{"fia": w.fia(), "pia with fewer rights": fewer} {
			if got := get(v, href, ""); got.Code != 404 || strings.Contains(got.Body.String(), "Contract") {
				t.Errorf("%s: %d %s", who, got.Code, got.Body)
			}
		}
		if got := get(nil, href, ""); got.Code != 401 {
			t.Errorf("nobody: %d", got.Code)
		}
		w.ask(w.fia(), find, "id", id).code(t, "NOT_FOUND")
		if got := get(w.pia(), "/exports/"+id.(string)+"/Vendor.jsonl", ""); got.Code != 404 {
			t.Errorf("a type that was not asked for: %d", got.Code)
		}
		// Field rights hold in the files.
		r = w.ask(w.cole(), start, "t", []string{"Contract"}).fine(t)
		work()
		if got := get(w.cole(), "/exports/"+r.at("startExport.id").(string)+"/Contract.jsonl", ""); got.Code != 200 || strings.Contains(got.Body.String(), "480000") || strings.Contains(got.Body.String(), `"value"`) || !strings.Contains(got.Body.String(), "Contract 0") {
			t.Errorf("cole: %d %s", got.Code, got.Body)
		}
		w.ask(who("engineer", []string{"engineer"}, w.member(viewer.LevelContributor)), start).code(t, "FORBIDDEN")
		w.ask(w.pia(), start, "p", "PF-THEIRS").code(t, "NOT_FOUND")
		w.ask(w.pia(), start, "t", []string{"Session"}).code(t, "VALIDATION")
		if n := s.Client.ChangeEvent.Query().AllX(testkit.System()); !strings.Contains(fmt.Sprint(n), "Exported 4 rows.") {
			t.Error("no word of it in the audit")
		}
	})
}
