package graph_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"steward/ent"
	"steward/graph"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// TestGeneratedWrites: create, update, archive and restore of a registry type.
func TestGeneratedWrites(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		r := w.ask(w.pia(), `mutation{createVendor(input:{name:"Needs only a name"}){id key version name updatedBy}}`).fine(t)
		id := r.at("createVendor.id")
		if r.at("createVendor.version") != 1.0 || r.at("createVendor.key") != "VN-000002" || r.at("createVendor.updatedBy") != "per_pia" {
			t.Errorf("created: %s", r.Body)
		}
		const update = `mutation($id:ID!,$v:Int!,$n:String){updateVendor(id:$id,version:$v,input:{name:$n},reason:"because"){name version}}`
		r = w.ask(w.pia(), update, "id", id, "v", 1, "n", "Renamed").fine(t)
		if r.at("updateVendor.version") != 2.0 || r.at("updateVendor.name") != "Renamed" {
			t.Errorf("updated: %s", r.Body)
		}
		late := who("peter", []string{"portfolio-manager"}, w.member(viewer.LevelManager))
		r = w.ask(late, update, "id", id, "v", 1, "n", "Too late").code(t, "CONFLICT")
		current, _ := r.Errors[0].Extensions.Current.(map[string]any)
		if current["name"] != "Renamed" || current["version"] != 2.0 || r.Errors[0].Extensions.Who != "pia" || !strings.Contains(r.Errors[0].Message, "pia") {
			t.Errorf("a conflict without who and what: %s", r.Body)
		}
		const list = `{vendors{totalCount edges{node{id}}}}`
		r = w.ask(w.pia(), `mutation($id:ID!){archiveVendor(id:$id,version:2){archivedAt version}}`, "id", id).fine(t)
		if r.at("archiveVendor.archivedAt") == nil {
			t.Errorf("archived: %s", r.Body)
		}
		if n := w.ask(w.pia(), list).fine(t).at("vendors.totalCount"); n != 1.0 {
			t.Errorf("the list has %v vendors with one archived", n)
		}
		if n := w.ask(w.pia(), `{vendors(archived:true){totalCount}}`).fine(t).at("vendors.totalCount"); n != 2.0 {
			t.Errorf("with archived ones the list has %v vendors", n)
		}
		if r := w.ask(w.pia(), `{vendor(key:"VN-000002"){id archivedAt}}`).fine(t); r.at("vendor.archivedAt") == nil {
			t.Errorf("an archived vendor by key: %s", r.Body)
		}
		w.ask(w.pia(), `mutation($id:ID!){restoreVendor(id:$id,version:2){id}}`, "id", id).code(t, "CONFLICT")
		w.ask(w.pia(), `mutation($id:ID!){restoreVendor(id:$id,version:3){id}}`, "id", id).fine(t)
		if n := w.ask(w.pia(), list).fine(t).at("vendors.totalCount"); n != 2.0 {
			t.Errorf("restored, the list has %v vendors", n)
		}
		r = w.ask(w.pia(), `query($id:ID!){history(id:$id){entries{op reason via actorName version}}}`, "id", id).fine(t)
		if fmt.Sprint(r.at("history.entries.2.reason")) != "because" || r.at("history.entries.0.via") != "API" {
			t.Errorf("history: %s", r.Body)
		}
		// Archived rows leave nested lists too.
		w.ask(w.pia(), `mutation($id:ID!){archiveProduct(id:$id,version:1){id}}`, "id", string(w.prod.ID)).fine(t)
		if n := w.ask(w.pia(), `{portfolio(key:"PF-OURS"){products{totalCount}}}`).fine(t).at("portfolio.products.totalCount"); n != 2.0 {
			t.Errorf("%v products with one archived", n)
		}
		// Rights.
		w.ask(w.cole(), `mutation{createVendor(input:{name:"x"}){id}}`).code(t, "FORBIDDEN")
		w.ask(w.pat(), `mutation{createProduct(input:{name:"x",portfolioID:"`+string(w.ours.ID)+`"}){id}}`).code(t, "NOT_FOUND")
		w.ask(w.pia(), `mutation{createProduct(input:{name:"x",portfolioID:"`+string(w.theirs.ID)+`"}){id}}`).code(t, "NOT_FOUND")
	})
}

// TestOneTransaction: all fields of a mutation are kept, or none.
func TestOneTransaction(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		r := w.ask(w.pia(), `mutation{a:createVendor(input:{name:"A"}){id} b:createVendor(input:{name:""}){id} c:createVendor(input:{name:"C"}){id}}`).code(t, "VALIDATION")
		if r.Data != nil || strings.Contains(r.Body, "vnd_") {
			t.Errorf("something is answered of what was taken back: %s", r.Body)
		}
		if n := s.Client.Vendor.Query().CountX(testkit.System()); n != 1 {
			t.Errorf("%d vendors", n)
		}
		w.ask(w.pia(), `mutation{a:createVendor(input:{name:"A"}){id} b:createVendor(input:{name:"B"}){id}}`).fine(t)
		sets := map[string]bool{}
		for _, x := range s.Client.ChangeEvent.Query().AllX(testkit.System()) {
			if x.ActorName == "pia" {
				sets[x.ChangeSet] = true
			}
		}
		if n := s.Client.Vendor.Query().CountX(testkit.System()); n != 3 || len(sets) != 1 {
			t.Errorf("%d vendors in %d change sets", n, len(sets))
		}
	})
}

// TestMoneyOnce is the other half of GQ-4, and DA-4 for integrations.
func TestMoneyOnce(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		const create = `createContract(input:{name:"n",portfolioID:"%s"}%s){id}`
		one := fmt.Sprintf(create, w.ours.ID, "")
		w.ask(w.pia(), "mutation{a:"+one+" b:"+one+"}").code(t, "LIMIT")
		w.ask(w.pia(), "mutation{...f ...g} fragment f on Mutation{a:"+one+"} fragment g on Mutation{b:"+one+"}").code(t, "LIMIT")
		w.ask(w.pia(), "mutation{a:"+one+` undo(token:"x"){changes}}`).code(t, "LIMIT")
		w.ask(w.pia(), "mutation{a:"+one+` createVendor(input:{name:"x"}){id}}`).fine(t)
		r := w.ask(w.bot(), "mutation{"+one+"}").code(t, "VALIDATION")
		if f := r.Errors[0].Extensions.Fields; len(f) != 1 || f[0].Path != "idempotencyKey" {
			t.Errorf("%s", r.Body)
		}
		w.ask(w.bot(), "mutation{"+fmt.Sprintf(create, w.ours.ID, `,idempotencyKey:"k1"`)+"}").fine(t)
		w.ask(w.bot(), `mutation{createVendor(input:{name:"no money"}){id}}`).fine(t)
		w.ask(w.bot(), `mutation{setBudgetCells(input:{cells:[]}){undoToken}}`).code(t, "VALIDATION")
		if n := s.Client.Contract.Query().CountX(testkit.System()); n != 7 {
			t.Errorf("%d contracts", n)
		}
	})
}

// TestIdempotency is DA-4: a repeated request has the first one's answer and does
// nothing more, also when eight come at once.
func TestIdempotency(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		const create = `mutation($n:String!,$k:String){createVendor(input:{name:$n},idempotencyKey:$k){id key name}}`
		first := w.ask(w.pia(), create, "n", "One", "k", "key-1").fine(t)
		again := w.ask(w.pia(), create, "n", "One", "k", "key-1").fine(t)
		if fmt.Sprint(first.Data) != fmt.Sprint(again.Data) {
			t.Errorf("two answers:\n%s\n%s", first.Body, again.Body)
		}
		w.ask(w.pia(), create, "n", "Two", "k", "key-1").code(t, "IDEMPOTENCY")
		w.ask(w.pia(), `mutation($k:String){createVendor(input:{name:"One"},idempotencyKey:$k){id}}`, "k", "key-1").code(t, "IDEMPOTENCY")
		if r := w.ask(w.bot(), create, "n", "One", "k", "key-1").fine(t); r.at("createVendor.id") == first.at("createVendor.id") {
			t.Error("somebody else's key was answered")
		}
		// A request that failed is not remembered.
		w.ask(w.pia(), create, "n", "", "k", "key-2").code(t, "VALIDATION")
		w.ask(w.pia(), create, "n", "Good", "k", "key-2").fine(t)
		// Verbs take the key in their input; two writes of one request have their own.
		const remark = `mutation($s:ID!){addComment(input:{subject:$s,body:"b",idempotencyKey:"key-3"}){id}}`
		a := w.ask(w.pia(), remark, "s", string(w.prod.ID)).fine(t)
		b := w.ask(w.pia(), remark, "s", string(w.prod.ID)).fine(t)
		if fmt.Sprint(a.Data) != fmt.Sprint(b.Data) {
			t.Errorf("two remarks: %s %s", a.Body, b.Body)
		}
		w.ask(w.pia(), `mutation{a:createVendor(input:{name:"a"},idempotencyKey:"x"){id} b:createVendor(input:{name:"b"},idempotencyKey:"x"){id}}`).code(t, "VALIDATION")
		two := `mutation{a:createVendor(input:{name:"a"},idempotencyKey:"x"){id} b:createVendor(input:{name:"b"},idempotencyKey:"y"){id}}`
		if x, y := w.ask(w.pia(), two).fine(t), w.ask(w.pia(), two).fine(t); fmt.Sprint(x.Data) != fmt.Sprint(y.Data) {
			t.Errorf("two keys: %s %s", x.Body, y.Body)
		}
		// Eight at once.
		before := s.Client.Vendor.Query().CountX(testkit.System())
		var wg sync.WaitGroup
		replies := make([]*reply, 8)
		for i := range replies {
			wg.Go(func() { replies[i] = w.ask(w.pia(), create, "n", "Eight", "k", "key-8") })
		}
		wg.Wait()
		for _, r := range replies {
			if fmt.Sprint(r.fine(t).Data) != fmt.Sprint(replies[0].Data) {
				t.Errorf("different answers: %s %s", r.Body, replies[0].Body)
			}
		}
		if n := s.Client.Vendor.Query().CountX(testkit.System()); n != before+1 {
			t.Errorf("eight equal requests made %d vendors", n-before)
		}
	})
}

// A repetition that is given the first answer counts as one that went well.
func TestRepetitionIsNoRefusal(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		counted := obs.NewMetrics()
		w.door = graph.New(graph.Config{Store: s, Log: w.logger(), Metrics: graph.NewMetrics(counted.Register)})
		for range 2 {
			w.ask(w.pia(), `mutation{createVendor(input:{name:"One"},idempotencyKey:"k"){id}}`).fine(t)
		}
		w.ask(w.pia(), `mutation{createVendor(input:{name:"Two"},idempotencyKey:"k"){id}}`).code(t, "IDEMPOTENCY")
		scraped := httptest.NewRecorder()
		counted.Ops(false).ServeHTTP(scraped, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		for _, want := range []string{`outcome="ok"} 2`, `outcome="refused"} 1`} {
			if !strings.Contains(scraped.Body.String(), `steward_graphql_operations_total{kind="mutation",operation="",`+want+"\n") {
				t.Errorf("no %s in %s", want, regexp.MustCompile(`(?m)^steward_graphql_operations.*$`).FindAllString(scraped.Body.String(), -1))
			}
		}
	})
}

// TestBudget: the grid, its cells, a clash, undo and the moves of a plan.
func TestBudget(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		var plan *ent.BudgetPlan
		var line *ent.BudgetLine
		w.tx(func(ctx context.Context, c *ent.Client) {
			plan = c.BudgetPlan.Create().SetName("Ours 2026").SetPortfolioID(w.ours.ID).SetFiscalYear(2026).SaveX(ctx)
			line = c.BudgetLine.Create().SetName("Licences").SetPlanID(plan.ID).SaveX(ctx)
		})
		const set = `mutation($l:ID!,$a:Money,$v:Int!){setBudgetCells(input:{cells:[{lineId:$l,period:"2026-04",field:PLANNED,amount:$a,version:$v}],reason:"r"}){
			lines{id cells{period planned forecast actual version} total{planned}} totals{period planned forecast actual} undoToken}}`
		r := w.ask(w.pia(), set, "l", string(line.ID), "a", "12500.00", "v", 0).fine(t)
		if r.at("setBudgetCells.lines.0.cells.0.planned") != "12500.00" || r.at("setBudgetCells.totals.0.planned") != "12500.00" || r.at("setBudgetCells.lines.0.cells.0.version") != 1.0 {
			t.Errorf("cells: %s", r.Body)
		}
		token := r.at("setBudgetCells.undoToken")
		r = w.ask(w.pia(), set, "l", string(line.ID), "a", "1.00", "v", 0).code(t, "CONFLICT")
		if !strings.Contains(r.Body, `"planned":"12500.00"`) || !strings.Contains(r.Body, `"lineId":"`+string(line.ID)) {
			t.Errorf("a clash does not tell: %s", r.Body)
		}
		const grid = `query($p:ID,$f:String,$y:Int){budgetGrid(plan:$p,portfolio:$f,fiscalYear:$y,show:ALL){fiscalYear label length show portfolio{key} periods{period closed}
			plans{key status availableActions{state verb label}} groups{name lines{id name cells{period planned variance version mayPlan}} periods{planned} total{planned}}
			lines{id name} totals{currency lines periods{planned} total{planned}} fiscalYears}}`
		for _, vars := range [][]any{{"p", string(plan.ID)}, {"f", "ours", "y", 2026}, {"f", "PF-OURS", "y", 2026}} {
			r = w.ask(w.pia(), grid, vars...).fine(t)
			if r.at("budgetGrid.groups.0.lines.0.cells.0.planned") != "12500.00" || r.at("budgetGrid.totals.0.total.planned") != "12500.00" || r.at("budgetGrid.lines.0.name") != "Licences" {
				t.Errorf("grid: %s", r.Body)
			}
		}
		r = w.ask(w.pia(), `{budgetTotals(portfolio:"ours",fiscalYear:2026){fiscalYear currency lines planned forecast actual comparable missingPlan missingActual variance}}`).fine(t)
		if r.at("budgetTotals.0.planned") != "12500.00" || r.at("budgetTotals.0.variance") != nil || r.at("budgetTotals.0.missingActual") != 1.0 {
			t.Errorf("totals: %s", r.Body)
		}
		w.ask(w.fia(), `mutation($t:String!){undo(token:$t){changes}}`, "t", token).code(t, "NOT_FOUND")
		r = w.ask(w.pia(), `mutation($t:String!){undo(token:$t){changes undoToken changeSet}}`, "t", token).fine(t)
		if r.at("undo.changes") != 1.0 || r.at("undo.undoToken") == "" {
			t.Errorf("undo: %s", r.Body)
		}
		w.ask(w.pia(), `mutation($t:String!){undo(token:$t){changes}}`, "t", token).code(t, "STATE")
		// An integration posts what the books have.
		r = w.ask(w.bot(), `mutation($l:ID!){postActuals(input:{postings:[{lineId:$l,period:"2026-04",amount:"99.50"}],idempotencyKey:"p1"}){posted}}`, "l", string(line.ID)).fine(t)
		if r.at("postActuals.posted") != 1.0 {
			t.Errorf("posted: %s", r.Body)
		}
		w.ask(w.bot(), set, "l", string(line.ID), "a", "7.00", "v", 9).code(t, "VALIDATION") // no key
		w.ask(w.bot(), `mutation{undo(token:"x"){changes}}`).code(t, "VALIDATION")
		w.ask(w.bot(), `mutation{undo(token:"x",idempotencyKey:"u1"){changes}}`).code(t, "NOT_FOUND")
		plan = s.Client.BudgetPlan.GetX(testkit.System(), plan.ID)
		r = w.ask(w.pia(), `query($k:String!){budgetPlan(key:$k){status version availableActions{state verb label needsNote}}}`, "k", plan.Key).fine(t)
		if r.at("budgetPlan.availableActions.0.verb") != "submit" || r.at("budgetPlan.availableActions.0.label") != "Submit" {
			t.Errorf("actions: %s", r.Body)
		}
		const mv = `mutation($i:ID!,$t:BudgetPlanStatus!,$v:Int!){moveBudgetPlan(input:{id:$i,to:$t,version:$v}){status version availableActions{verb}}}`
		w.ask(w.pia(), mv, "i", string(plan.ID), "t", "APPROVED", "v", plan.Version).code(t, "STATE")
		r = w.ask(w.pia(), mv, "i", string(plan.ID), "t", "SUBMITTED", "v", plan.Version).fine(t)
		if r.at("moveBudgetPlan.status") != "SUBMITTED" || r.at("moveBudgetPlan.availableActions.0.verb") != "recall" {
			t.Errorf("moved: %s", r.Body)
		}
		r = w.ask(w.pia(), `mutation{openFiscalYear(input:{portfolio:"ours",fiscalYear:2026}){id version status}}`)
		if r := r.fine(t); len(r.at("openFiscalYear").([]any)) != 12 {
			t.Errorf("periods: %s", r.Body)
		}
		w.ask(w.fia(), `mutation($i:ID!){closeFiscalPeriod(input:{id:$i,version:1}){status}}`, "i", r.at("openFiscalYear.0.id")).fine(t)
		w.ask(w.fia(), `mutation($i:ID!){reopenFiscalPeriod(input:{id:$i,version:2}){status}}`, "i", r.at("openFiscalYear.0.id")).fine(t)
	})
}

// TestVerbs: the moves of the other types, check-ins, remarks, history, viewer.
func TestVerbs(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		var buy *ent.Procurement
		var objective *ent.Objective
		var result *ent.KeyResult
		var work *ent.Initiative
		w.tx(func(ctx context.Context, c *ent.Client) {
			person := c.Person.Create().SetName("Pia").SetEmail("pia@example.org").SaveX(ctx)
			buy = c.Procurement.Create().SetName("Scanner").SetPortfolioID(w.ours.ID).SaveX(ctx)
			cycle := c.Cycle.Create().SetName("Q").SetStartOn(civil.Date{Year: 2026, Month: 1, Day: 1}).SetEndOn(civil.Date{Year: 2027, Month: 12, Day: 31}).SaveX(ctx)
			objective = c.Objective.Create().SetName("Fewer clicks").SetPortfolioID(w.ours.ID).SetProductID(w.prod.ID).SetCycleID(cycle.ID).SetOwnerID(person.ID).SaveX(ctx)
			result = c.KeyResult.Create().SetName("Clicks").SetObjectiveID(objective.ID).SetTarget(money.Amount(1000000)).SaveX(ctx)
			work = c.Initiative.Create().SetName("Work").SetPortfolioID(w.ours.ID).SetProductID(w.prod.ID).SaveX(ctx)
		})
		// Who asks.
		me := w.pia()
		me.ID = s.Client.Person.Query().FirstIDX(testkit.System())
		r := w.ask(me, `{viewer{kind lang person{id name email} roles portfolios{key}}}`).fine(t)
		if r.at("viewer.person.email") != "pia@example.org" || r.at("viewer.roles.0") != "portfolio-manager" || r.at("viewer.portfolios.0.key") != "PF-OURS" || r.at("viewer.portfolios.1") != nil {
			t.Errorf("viewer: %s", r.Body)
		}
		nora := who("nora", nil)
		nora.ID = me.ID
		if r := w.ask(nora, `{viewer{person{name} roles portfolios{key}}}`).fine(t); r.at("viewer.person.name") != "Pia" {
			t.Errorf("without a role: %s", r.Body)
		}
		if r := w.ask(w.bot(), `{viewer{kind person{id} name}}`).fine(t); r.at("viewer.person") != nil || r.at("viewer.kind") != "INTEGRATION" {
			t.Errorf("an integration: %s", r.Body)
		}
		// Moves.
		const mv = `mutation($i:ID!,$v:Int!){moveProcurement(input:{id:$i,to:IN_PREPARATION,version:$v,note:"n"}){status version availableActions{state verb label}}}`
		r = w.ask(w.pia(), `{procurement(key:"`+buy.Key+`"){status availableActions{state verb label}}}`).fine(t)
		if r.at("procurement.availableActions.0.state") != "IN_PREPARATION" {
			t.Errorf("actions: %s", r.Body)
		}
		r = w.ask(w.pia(), mv, "i", string(buy.ID), "v", 1).fine(t)
		if r.at("moveProcurement.status") != "IN_PREPARATION" || r.at("moveProcurement.version") != 2.0 || r.at("moveProcurement.availableActions.0.verb") != "publish" {
			t.Errorf("moved: %s", r.Body)
		}
		r = w.ask(w.pia(), mv, "i", string(buy.ID), "v", 1).code(t, "CONFLICT")
		if r.Errors[0].Extensions.Current.(map[string]any)["status"] != "IN_PREPARATION" {
			t.Errorf("current: %s", r.Body)
		}
		w.ask(w.pia(), mv, "i", string(buy.ID), "v", 2).code(t, "STATE")
		w.ask(w.pia(), `mutation{updateProcurement(id:"`+string(buy.ID)+`",version:2,input:{status:AWARDED}){id}}`).code(t, "VALIDATION")
		r = w.ask(w.pia(), `mutation{moveContract(input:{id:"`+string(w.contracts[0].ID)+`",to:UNDER_REVIEW,version:1}){id}}`)
		if c := r.Errors[0].Extensions.Code; c != "VALIDATION" { // it lacks its dates
			t.Errorf("a contract without dates: %s", r.Body)
		}
		r = w.ask(w.pia(), `mutation{moveProductStage(input:{id:"`+string(w.prod.ID)+`",to:PROOF_OF_CONCEPT,version:1,note:"go"}){stage}}`).fine(t)
		if r.at("moveProductStage.stage") != "PROOF_OF_CONCEPT" {
			t.Errorf("a stage: %s", r.Body)
		}
		owner := who("otto", []string{"product-owner"}, viewer.Membership{Scope: viewer.ScopeProduct, ID: w.prod.ID, PortfolioID: w.ours.ID, Level: viewer.LevelOwner})
		r = w.ask(owner, `mutation{moveInitiative(input:{id:"`+string(work.ID)+`",to:SUBMITTED,version:1}){status}}`).fine(t)
		if r.at("moveInitiative.status") != "SUBMITTED" {
			t.Errorf("an initiative: %s", r.Body)
		}
		// Objectives.
		r = w.ask(owner, `mutation($k:ID!){checkIn(input:{keyResultId:$k,value:"50",confidence:0.7,comment:"half",on:"2026-02-01"}){current confidenceBp objective{key}}}`, "k", string(result.ID)).fine(t)
		if r.at("checkIn.current") != "50.00" || r.at("checkIn.confidenceBp") != 7000.0 {
			t.Errorf("check-in: %s", r.Body)
		}
		w.ask(owner, `mutation{moveObjective(input:{id:"`+string(objective.ID)+`",to:ACTIVE,version:`+fmt.Sprint(s.Client.Objective.GetX(testkit.System(), objective.ID).Version)+`}){status}}`).fine(t)
		r = w.ask(owner, `{objective(key:"`+objective.Key+`"){status standing{progress missing expected pace confidence} availableActions{verb}}}`).fine(t)
		if r.at("objective.standing.progress") != 5000.0 || r.at("objective.standing.confidence") != 7000.0 {
			t.Errorf("standing: %s", r.Body)
		}
		// Remarks.
		r = w.ask(w.cole(), `mutation($s:ID!){addComment(input:{subject:$s,body:"hello"}){id version editable authorName subjectId}}`, "s", string(w.prod.ID)).fine(t)
		id := r.at("addComment.id")
		if r.at("addComment.editable") != true || r.at("addComment.authorName") != "cole" {
			t.Errorf("a remark: %s", r.Body)
		}
		w.ask(w.pia(), `mutation($i:ID!){editComment(input:{id:$i,version:1,body:"mine now"}){id}}`, "i", id).code(t, "FORBIDDEN")
		w.ask(w.cole(), `mutation($i:ID!){editComment(input:{id:$i,version:1,body:"hello again"}){body}}`, "i", id).fine(t)
		r = w.ask(w.pia(), `query($s:ID!){comments(subject:$s){body editable}}`, "s", string(w.prod.ID)).fine(t)
		if r.at("comments.0.body") != "hello again" || r.at("comments.0.editable") != false {
			t.Errorf("remarks: %s", r.Body)
		}
		// Products that move.
		var third *ent.Portfolio
		w.tx(func(ctx context.Context, c *ent.Client) { third = c.Portfolio.Create().SetName("Third").SaveX(ctx) })
		both := w.pia()
		both.Memberships = append(both.Memberships, viewer.Membership{Scope: viewer.ScopePortfolio, ID: third.ID, Level: viewer.LevelManager})
		v := s.Client.Product.GetX(testkit.System(), w.prod.ID).Version
		r = w.ask(both, `mutation{moveProductToPortfolio(input:{id:"`+string(w.prod.ID)+`",portfolio:"`+string(third.ID)+`",version:`+fmt.Sprint(v)+`,reason:"r"}){portfolio{name}}}`).fine(t)
		if r.at("moveProductToPortfolio.portfolio.name") != "Third" {
			t.Errorf("moved: %s", r.Body)
		}
		if w.ask(w.pia(), `{contractRenewals(from:"2026-01-01",to:"2027-01-01"){state end contract{key}}}`).fine(t).at("contractRenewals.0") != nil {
			t.Error("renewals of drafts")
		}
	})
}
