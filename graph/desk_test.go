package graph_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"steward/ent"
	"steward/graph"
	"steward/internal/area/notify"
	"steward/internal/area/tag"
	"steward/internal/area/view"
	"steward/internal/area/webhook"
	"steward/internal/platform/auth"
	"steward/internal/platform/entity"
	"steward/internal/platform/outbound"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
	"steward/internal/web"
)

// desk opens the door with all that pages have, too.
func (w *world) desk() {
	w.t.Helper()
	tag.Install(w.s)
	view.Install(w.s)
	keys, err := auth.NewKeyring([]byte(strings.Repeat("k", 32)))
	if err != nil {
		w.t.Fatal(err)
	}
	w.door = graph.New(graph.Config{Store: w.s, Log: w.logger(), Lists: web.Lists(w.s),
		Webhooks: &webhook.Service{Store: w.s, Keys: keys, Out: outbound.New(outbound.Config{}), Source: "https://steward.example"}})
}

// present is somebody who signed in a while ago.
func present(v *viewer.Viewer, ago time.Duration) *viewer.Viewer {
	v.SessionID, v.AuthTime = "ses_1", time.Now().Add(-ago)
	return v
}

func ada() *viewer.Viewer { return present(who("ada", []string{"app-admin"}), time.Minute) }
func aud() *viewer.Viewer { return who("aud", []string{"auditor"}) }

// vendors makes some and returns their ids.
func (w *world) vendors(n int) []ident.ID {
	ids := make([]ident.ID, n)
	w.tx(func(ctx context.Context, c *ent.Client) {
		for i := range ids {
			ids[i] = c.Vendor.Create().SetName(fmt.Sprintf("Vendor %03d", i)).SaveX(ctx).ID
		}
	})
	return ids
}

// TestTags: tags are read with the record, put on and taken off as the record may be
// changed, and narrow lists; whoever sees no tags learns nothing of them.
func TestTags(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		w.desk()
		r := w.ask(w.pia(), `mutation{a:createTag(input:{name:"Urgent"}){id} b:createTag(input:{name:"Legacy"}){id}}`).fine(t)
		urgent, legacy := r.at("a.id"), r.at("b.id")
		v := w.vendors(3)
		const mark = `mutation($r:[ID!]!,$a:[ID!],$d:[ID!]){tagRecords(input:{records:$r,add:$a,remove:$d}){undoToken}}`
		on := []any{v[0], v[1], v[0]}
		r = w.ask(w.pia(), mark, "r", on, "a", []any{urgent, legacy, urgent}).fine(t)
		undo := r.at("tagRecords.undoToken")
		w.ask(w.pia(), mark, "r", []any{v[1]}, "d", []any{legacy}).fine(t)

		const list = `{vendors(first:20,orderBy:[{field:NAME}],where:{nameContainsFold:"Vendor "}){edges{node{name version tags{name}}}}}`
		r = w.ask(w.pia(), list).fine(t)
		for path, want := range map[string]any{"0.node.tags.0.name": "Legacy", "0.node.tags.1.name": "Urgent", "1.node.tags.0.name": "Urgent", "1.node.tags.1.name": nil, "2.node.tags.0.name": nil, "0.node.version": 1.0} {
			if got := r.at("vendors.edges." + path); got != want {
				t.Errorf("%s is %v, want %v", path, got, want)
			}
		}
		if got := w.ask(w.pat(), `query($id:ID!){node(id:$id){... on Vendor{name tags{name}}}}`, "id", w.vendor.ID).fine(t); len(got.at("node.tags").([]any)) != 0 {
			t.Errorf("a partner: %s", got.Body)
		}
		const tagged = `query($t:[ID!]){vendors(where:{nameContainsFold:"Vendor ",tagged:$t}){totalCount} not:vendors(where:{nameContainsFold:"Vendor ",not:{tagged:$t}}){totalCount}}`
		r = w.ask(aud(), tagged, "t", []any{urgent, legacy}).fine(t)
		if r.at("vendors.totalCount") != 2.0 || r.at("not.totalCount") != 1.0 {
			t.Errorf("narrowed: %s", r.Body)
		}
		w.ask(w.pat(), tagged, "t", []any{urgent}).code(t, "VALIDATION")
		w.ask(w.pia(), tagged, "t", []any{v[0]}).code(t, "VALIDATION")

		w.ask(aud(), mark, "r", []any{v[0]}, "d", []any{urgent}).code(t, "FORBIDDEN")
		w.ask(w.pat(), mark, "r", []any{w.vendor.ID}, "a", []any{urgent}).code(t, "NOT_FOUND")
		w.ask(w.pia(), mark, "r", []any{w.secret.ID}, "a", []any{urgent}).code(t, "NOT_FOUND")
		w.ask(w.pia(), mark, "r", []any{v[0], w.prod.ID}, "a", []any{urgent}).code(t, "VALIDATION")
		w.ask(w.pia(), mark, "r", []any{v[0]}, "a", []any{"tag_0"}).code(t, "VALIDATION")
		w.ask(w.pia(), mark, "r", []any{v[0]}).code(t, "VALIDATION")
		w.ask(w.pia(), mark, "r", []any{}, "a", []any{urgent}).code(t, "VALIDATION")
		many := make([]any, 1001)
		for i := range many {
			many[i] = v[0]
		}
		w.ask(w.pia(), mark, "r", many, "a", []any{urgent}).code(t, "LIMIT")

		w.ask(w.pia(), `mutation($t:String!){undo(token:$t){changes}}`, "t", undo).fine(t)
		if got := w.ask(w.pia(), list).fine(t); strings.Contains(got.Body, "Urgent") || strings.Contains(got.Body, "Legacy") {
			t.Errorf("after the undo: %s", got.Body)
		}

		statements := func(n int) int {
			s.Statements.Reset()
			w.ask(w.pia(), fmt.Sprintf(`{vendors(first:%d,where:{nameContainsFold:"Vendor "}){edges{node{id tags{name}}}}}`, n)).fine(t)
			return int(s.Statements.N())
		}
		w.ask(w.pia(), mark, "r", []any{v[0], v[1], v[2]}, "a", []any{urgent}).fine(t)
		if one, all := statements(1), statements(3); one != all {
			t.Errorf("%d statements for one record, %d for three", one, all)
		}
	})
}

// TestTaggedTypes: every type that takes tags has them here, and no other.
func TestTaggedTypes(t *testing.T) {
	schema := load(t, graph.SDL())
	for _, e := range entity.Registry() {
		has := func(d *ast.Definition, field string) bool { return d != nil && d.Fields.ForName(field) != nil }
		if has(schema.Types[e.Name], "tags") != tag.Fits(e) || has(schema.Types[e.Name+"WhereInput"], "tagged") != tag.Fits(e) {
			t.Errorf("%s: it takes tags: %v", e.Name, tag.Fits(e))
		}
	}
}

// TestChangeRecords: one change for many, with one undo, or none and each that stood
// in the way.
func TestChangeRecords(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		w.desk()
		v := w.vendors(3)
		const change = `mutation($in:ChangeRecordsInput!){changeRecords(input:$in){changed undoToken refused{id code reason}}}`
		in := func(kv ...any) map[string]any {
			m := map[string]any{"change": "SET", "field": "risk", "value": "HIGH"}
			for i := 0; i < len(kv); i += 2 {
				m[kv[i].(string)] = kv[i+1]
			}
			return m
		}
		rows := func(versions ...int) []any {
			var out []any
			for i, n := range versions {
				row := map[string]any{"id": v[i]}
				if n > 0 {
					row["version"] = n
				}
				out = append(out, row)
			}
			return out
		}
		risk := func(i int) string {
			x := s.Client.Vendor.GetX(testkit.System(), v[i])
			if x.Risk == nil {
				return ""
			}
			return string(*x.Risk)
		}
		r := w.ask(w.pia(), change, "in", in("rows", rows(1, 1, 0), "reason", "audit finding")).fine(t)
		if r.at("changeRecords.changed") != 3.0 || risk(2) != "HIGH" {
			t.Fatalf("%s", r.Body)
		}
		again := w.ask(w.pia(), change, "in", in("rows", rows(0, 0))).fine(t)
		if again.at("changeRecords.changed") != 0.0 || again.at("changeRecords.undoToken") != nil {
			t.Errorf("the same again: %s", again.Body)
		}
		w.ask(w.pia(), `mutation($t:String!){undo(token:$t){changes}}`, "t", r.at("changeRecords.undoToken")).fine(t)
		if risk(0)+risk(1)+risk(2) != "" {
			t.Errorf("after the undo: %s %s %s", risk(0), risk(1), risk(2))
		}

		// the second is no longer what was seen: nothing changes, or only the others
		r = w.ask(w.pia(), change, "in", in("rows", rows(0, 1, 0))).code(t, "CONFLICT")
		if f := r.Errors[0].Extensions.Fields; len(f) != 1 || f[0].Path != "rows.1" || risk(0) != "" {
			t.Errorf("%s", r.Body)
		}
		r = w.ask(w.pia(), change, "in", in("rows", rows(0, 1, 0), "skip", true)).fine(t)
		if r.at("changeRecords.changed") != 2.0 || r.at("changeRecords.refused.0.code") != "CONFLICT" || r.at("changeRecords.refused.0.id") != v[1].String() || risk(1) != "" || risk(2) != "HIGH" {
			t.Errorf("%s", r.Body)
		}
		r = w.ask(w.pia(), change, "in", map[string]any{"change": "ARCHIVE", "rows": rows(0, 0)}).fine(t)
		if r.at("changeRecords.changed") != 2.0 {
			t.Errorf("%s", r.Body)
		}
		w.ask(w.pia(), change, "in", map[string]any{"change": "RESTORE", "rows": rows(0, 0)}).fine(t)

		for code, bad := range map[string][]map[string]any{
			"VALIDATION": {in("rows", rows(0), "value", "NONSENSE"), in("rows", rows(0), "field", "name"), in("rows", rows(0), "field", "nothing"), in("rows", []any{}),
				in("rows", []any{map[string]any{"id": v[0]}, map[string]any{"id": w.prod.ID}})},
			"NOT_FOUND": {in("rows", []any{map[string]any{"id": "vnd_01ARZ3NDEKTSV4RRFFQ69G5FAV"}}), in("rows", []any{map[string]any{"id": "ses_1"}})},
		} {
			for _, x := range bad {
				w.ask(w.pia(), change, "in", x).code(t, code)
			}
		}
		foreign := map[string]any{"change": "SET", "field": "reference", "value": "x", "rows": []any{map[string]any{"id": w.contracts[0].ID}, map[string]any{"id": w.secret.ID}}}
		w.ask(w.pia(), change, "in", foreign).code(t, "NOT_FOUND")
		w.ask(w.fia(), change, "in", in("rows", rows(0))).code(t, "FORBIDDEN")
		w.ask(w.bot(), change, "in", in("rows", rows(0))).code(t, "VALIDATION")
		w.ask(w.bot(), change, "in", in("rows", rows(0), "idempotencyKey", "k")).fine(t)
		// custom fields are set and emptied like others
		w.ask(w.pia(), `mutation{createCustomField(input:{entity:"Vendor",code:"seats",name:"Seats",kind:NUMBER}){id}}`).fine(t)
		seats := func(value any) map[string]any { return in("rows", rows(0, 0), "field", "custom.seats", "value", value) }
		if r := w.ask(w.pia(), change, "in", seats("12.5")).fine(t); r.at("changeRecords.changed") != 2.0 || s.Client.Vendor.GetX(testkit.System(), v[1]).Custom["seats"] != "12.50" {
			t.Errorf("%s", r.Body)
		}
		if r := w.ask(w.pia(), change, "in", seats("12.50")).fine(t); r.at("changeRecords.changed") != 0.0 {
			t.Errorf("so already: %s", r.Body)
		}
		if r := w.ask(w.pia(), change, "in", seats("many")).code(t, "VALIDATION"); r.Errors[0].Extensions.Fields[0].Path != "value" {
			t.Errorf("%s", r.Body)
		}
		w.ask(w.pia(), change, "in", in("rows", rows(0), "field", "custom.nothing")).code(t, "VALIDATION")
		w.ask(w.pia(), change, "in", seats(nil)).fine(t)
		if len(s.Client.Vendor.GetX(testkit.System(), v[0]).Custom) != 0 {
			t.Error("not emptied")
		}
		if r := w.ask(w.pia(), change, "in", in("rows", rows(0, 0, 0))); r.Extensions.Cost == nil || r.Extensions.Cost.Requested != 13 {
			t.Errorf("three rows cost %s", r.Body)
		}
	})
}

// TestSavedViews: kept, counted with the reader's rights, shared, taken away and
// brought back.
func TestSavedViews(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		w.desk()
		v := w.vendors(5)
		var team *ent.Team
		w.tx(func(ctx context.Context, c *ent.Client) {
			for _, id := range v[:2] {
				c.Vendor.UpdateOneID(id).SetRisk("HIGH").ExecX(ctx)
			}
			team = c.Team.Create().SetName("Desk").SaveX(ctx)
			for _, name := range []string{"pia", "cole"} {
				p := c.Person.Create().SetID(ident.ID("per_" + name)).SetName(name).SetEmail(name + "@example.org").SaveX(ctx)
				c.TeamMembership.Create().SetTeamID(team.ID).SetPersonID(p.ID).SetRole("MEMBER").SaveX(ctx)
			}
		})
		const save = `mutation($in:SaveViewInput!){saveView(input:$in){id version type name query shared teamId role alert personId editable href count}}`
		in := func(kv ...any) map[string]any {
			m := map[string]any{"type": "Vendor", "name": "Risky", "query": "f.risk=HIGH&sort=-name"}
			for i := 0; i < len(kv); i += 2 {
				m[kv[i].(string)] = kv[i+1]
			}
			return m
		}
		r := w.ask(w.pia(), save, "in", in()).fine(t)
		id := r.at("saveView.id")
		for path, want := range map[string]any{"count": 2.0, "query": "f.risk=HIGH&sort=-name", "href": "/vendors?f.risk=HIGH&sort=-name&view=" + fmt.Sprint(id), "shared": "PRIVATE", "editable": true, "type": "Vendor"} {
			if got := r.at("saveView." + path); got != want {
				t.Errorf("%s is %v, want %v", path, got, want)
			}
		}
		for _, query := range []string{"f.risk=NONSENSE", "f.nothing=1", "page=2", "f.risk=%zz"} {
			r := w.ask(w.pia(), save, "in", in("query", query)).code(t, "VALIDATION")
			if f := r.Errors[0].Extensions.Fields; len(f) != 1 || f[0].Path != "query" {
				t.Errorf("%s: %s", query, r.Body)
			}
		}
		w.ask(w.pia(), save, "in", in("type", "Session")).code(t, "NOT_FOUND")
		w.ask(w.pia(), save, "in", in("shared", "TEAM", "teamId", "tea_1")).code(t, "VALIDATION")
		w.ask(w.cole(), save, "in", in("shared", "ROLE", "role", "viewer")).code(t, "FORBIDDEN")
		w.ask(w.bot(), save, "in", in()).code(t, "NOT_FOUND")

		const list = `query($t:String!){savedViews(type:$t){id name count editable}}`
		if r := w.ask(w.cole(), list, "t", "Vendor").fine(t); len(r.at("savedViews").([]any)) != 0 {
			t.Errorf("another's: %s", r.Body)
		}
		const change = `mutation($in:ChangeViewInput!){changeView(input:$in){name query shared teamId alert count}}`
		r = w.ask(w.pia(), change, "in", map[string]any{"id": id, "shared": "TEAM", "teamId": team.ID, "query": "q=vendor"}).fine(t)
		if r.at("changeView.name") != "Risky" || r.at("changeView.query") != "q=vendor" || r.at("changeView.count") != 5.0 || r.at("changeView.teamId") != team.ID.String() {
			t.Errorf("%s", r.Body)
		}
		w.ask(w.pia(), change, "in", map[string]any{"id": id, "query": "nonsense=1"}).code(t, "VALIDATION")
		r = w.ask(w.cole(), list, "t", "Vendor").fine(t)
		if r.at("savedViews.0.name") != "Risky" || r.at("savedViews.0.editable") != false || r.at("savedViews.0.count") != 5.0 {
			t.Errorf("shared: %s", r.Body)
		}
		w.ask(w.cole(), change, "in", map[string]any{"id": id, "name": "Mine"}).code(t, "FORBIDDEN")
		w.ask(w.fia(), change, "in", map[string]any{"id": id, "name": "Mine"}).code(t, "NOT_FOUND")
		w.ask(w.pat(), list, "t", "BudgetPlan").code(t, "NOT_FOUND")
		w.ask(w.pia(), list, "t", "Nothing").code(t, "NOT_FOUND")

		// the numbers of all views take the statements of one
		statements := func() int {
			s.Statements.Reset()
			w.ask(w.pia(), list, "t", "Vendor").fine(t)
			return int(s.Statements.N())
		}
		one := statements()
		for i := range 3 {
			w.ask(w.pia(), save, "in", in("name", fmt.Sprint("V", i))).fine(t)
		}
		if four := statements(); four != one {
			t.Errorf("%d statements for one view, %d for four", one, four)
		}
		if r := w.ask(w.pia(), `{savedViews(type:"Vendor",first:2,offset:3){name} all:savedViews(type:"Vendor",first:null,offset:null){name}}`).fine(t); len(r.at("all").([]any)) != 4 || len(r.at("savedViews").([]any)) != 1 {
			t.Errorf("the end of the list: %s", r.Body)
		}

		const remove = `mutation($id:ID!){removeView(input:{id:$id}){undoToken}}`
		w.ask(w.cole(), remove, "id", id).code(t, "FORBIDDEN")
		r = w.ask(w.pia(), remove, "id", id).fine(t)
		w.ask(w.pia(), change, "in", map[string]any{"id": id, "name": "X"}).code(t, "NOT_FOUND")
		w.ask(w.pia(), `mutation($t:String!){undo(token:$t){changes}}`, "t", r.at("removeView.undoToken")).fine(t)
		w.ask(w.pia(), change, "in", map[string]any{"id": id, "name": "X"}).fine(t)
	})
}

// TestNotifications: one's own, in one's words, and nobody else's.
func TestNotifications(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		for i := range 3 {
			if err := notify.Tell(testkit.System(), s, "per_pia", "notify.view_changed", map[string]any{"name": "Risky", "before": 1, "after": 2 + i}, "/x", ""); err != nil {
				t.Fatal(err)
			}
		}
		const list = `{notifications(first:2){id text href readAt} rest:notifications(first:2,offset:2){id} all:notifications(offset:null){id} unreadNotifications}`
		r := w.ask(w.pia(), list).fine(t)
		id := r.at("notifications.0.id")
		if r.at("unreadNotifications") != 3.0 || len(r.at("rest").([]any)) != 1 || r.at("notifications.0.text") != "“Risky” now finds 4; it was 1." || r.at("notifications.0.readAt") != nil {
			t.Errorf("%s", r.Body)
		}
		const read = `mutation($id:ID!){readNotification(input:{id:$id}){readAt}}`
		w.ask(w.fia(), read, "id", id).code(t, "NOT_FOUND")
		if r := w.ask(w.pia(), read, "id", id).fine(t); r.at("readNotification.readAt") == nil {
			t.Errorf("%s", r.Body)
		}
		if r := w.ask(w.fia(), `mutation{readAllNotifications}`).fine(t); r.at("readAllNotifications") != 0.0 {
			t.Errorf("%s", r.Body)
		}
		for name, v := range map[string]*viewer.Viewer{"fia": w.fia(), "bot": w.bot()} {
			if r := w.ask(v, list).fine(t); strings.Contains(r.Body, "Risky") || r.at("unreadNotifications") != 0.0 {
				t.Errorf("%s: %s", name, r.Body)
			}
		}
		if r := w.ask(w.pia(), `mutation{readAllNotifications}`).fine(t); r.at("readAllNotifications") != 2.0 {
			t.Errorf("%s", r.Body)
		}
	})
}

// TestWebhooks: administrators make them after a recent sign-in and see the secret once;
// auditors look, nobody else does.
func TestWebhooks(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		w.desk()
		var service *ent.Integration
		w.tx(func(ctx context.Context, c *ent.Client) {
			service = c.Integration.Create().SetName("warehouse").SetRoles([]string{"portfolio-manager"}).SetPortfolios([]string{w.ours.ID.String()}).SaveX(ctx)
		})
		const add = `mutation($s:ID!,$u:String!){addWebhook(input:{name:"Warehouse",url:$u,types:["steward.contract.*"],integrationId:$s}){secret webhook{id name url types scheme active version}}}`
		const url = "https://warehouse.example/in"
		r := w.ask(ada(), add, "s", service.ID, "u", url).fine(t)
		id, secret := r.at("addWebhook.webhook.id"), fmt.Sprint(r.at("addWebhook.secret"))
		if !strings.HasPrefix(secret, "whsec_") || r.at("addWebhook.webhook.scheme") != "HMAC" || r.at("addWebhook.webhook.active") != true {
			t.Errorf("%s", r.Body)
		}
		w.ask(present(ada(), time.Hour), add, "s", service.ID, "u", url).code(t, "UNAUTHENTICATED")
		w.ask(ada(), add, "s", service.ID, "u", "http://10.0.0.1/in").code(t, "VALIDATION")
		w.ask(aud(), add, "s", service.ID, "u", url).code(t, "FORBIDDEN")
		w.ask(w.pia(), add, "s", service.ID, "u", url).code(t, "NOT_FOUND")
		token := ada()
		token.TokenID, token.Memberships = "tok_1", []viewer.Membership{{Scope: viewer.ScopeAll, Level: "BOUND"}}
		w.ask(token, add, "s", service.ID, "u", url).code(t, "NOT_FOUND")
		// an answer that is kept would tell the secret again
		r = w.ask(ada(), `mutation($s:ID!){addWebhook(input:{name:"X",url:"https://x.example/",integrationId:$s}){secret} tagRecords(input:{records:[],idempotencyKey:"k"}){undoToken}}`, "s", service.ID).code(t, "VALIDATION")
		if !strings.Contains(r.Body, "secret") || s.Client.IdempotencyKey.Query().CountX(testkit.System()) != 0 {
			t.Errorf("%s", r.Body)
		}

		const one = `query($id:ID!){webhook(id:$id){id name url types integrationId scheme active stoppedBecause failingSince previousSecretUntil version} webhooks{id name} webhookDeliveries(webhook:$id){id type subjectId status attempts nextAt statusCode answer millis createdAt endedAt}}`
		const by = `mutation($id:ID!){%s(input:{id:$id}){id active}}`
		r = w.ask(ada(), fmt.Sprintf(by, "testWebhook"), "id", id).fine(t)
		if r = w.ask(aud(), one, "id", id).fine(t); r.at("webhookDeliveries.0.type") != webhook.Ping || r.at("webhookDeliveries.0.status") != "WAITING" || r.at("webhooks.0.id") != id {
			t.Errorf("%s", r.Body)
		}
		message := r.at("webhookDeliveries.0.id")
		if strings.Contains(r.Body, strings.TrimPrefix(secret, "whsec_")) {
			t.Errorf("the secret is told again: %s", r.Body)
		}
		w.ask(w.pia(), one, "id", id).code(t, "NOT_FOUND")
		w.ask(w.bot(), `{webhooks{id}}`).code(t, "NOT_FOUND")
		if r = w.ask(ada(), fmt.Sprintf(by, "pauseWebhook"), "id", id).fine(t); r.at("pauseWebhook.active") != false {
			t.Errorf("%s", r.Body)
		}
		w.ask(ada(), fmt.Sprintf(by, "testWebhook"), "id", id).code(t, "STATE")
		if r = w.ask(ada(), fmt.Sprintf(by, "resumeWebhook"), "id", id).fine(t); r.at("resumeWebhook.active") != true {
			t.Errorf("%s", r.Body)
		}
		const rotate = `mutation($id:ID!){rotateWebhookSecret(input:{id:$id}){secret webhook{previousSecretUntil}}}`
		r = w.ask(ada(), rotate, "id", id).fine(t)
		if r.at("rotateWebhookSecret.secret") == secret || r.at("rotateWebhookSecret.webhook.previousSecretUntil") == nil {
			t.Errorf("%s", r.Body)
		}
		w.ask(present(ada(), time.Hour), rotate, "id", id).code(t, "UNAUTHENTICATED")
		const since = `mutation($id:ID!,$t:Time!){replayWebhook(input:{id:$id,since:$t})}`
		if r = w.ask(ada(), since, "id", id, "t", time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)).fine(t); r.at("replayWebhook") != 1.0 {
			t.Errorf("%s", r.Body)
		}
		const again = `mutation($id:ID!){replayWebhookDelivery(input:{id:$id})}`
		w.ask(ada(), again, "id", message).fine(t)
		w.ask(ada(), again, "id", "whd_1").code(t, "NOT_FOUND")
		w.ask(aud(), again, "id", message).code(t, "FORBIDDEN")
		const end = `mutation($id:ID!){removeWebhook(input:{id:$id})}`
		w.ask(aud(), end, "id", id).code(t, "FORBIDDEN")
		w.ask(ada(), end, "id", id).fine(t)
		w.ask(ada(), one, "id", id).code(t, "NOT_FOUND")
		w.door = graph.New(graph.Config{Store: s, Log: w.logger()})
		w.ask(ada(), `{webhooks{id}}`).code(t, "NOT_FOUND")
	})
}

// TestCalendarFeeds: made after a recent sign-in, with an address that is told once, and
// ended by their person alone.
func TestCalendarFeeds(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		const add = `mutation($k:[String!]!){addCalendarFeed(input:{name:"Phone",kinds:$k}){path feed{id name kinds hint language lastUsedAt}}}`
		kinds := []any{"contracts", "cycles"}
		pia := present(w.pia(), time.Minute)
		pia.Lang = "fr"
		r := w.ask(pia, add, "k", kinds).fine(t)
		path, id := fmt.Sprint(r.at("addCalendarFeed.path")), r.at("addCalendarFeed.feed.id")
		if !strings.HasPrefix(path, "/feeds/"+fmt.Sprint(r.at("addCalendarFeed.feed.hint"))) || !strings.HasSuffix(path, ".ics") || r.at("addCalendarFeed.feed.language") != "fr" {
			t.Errorf("%s", r.Body)
		}
		w.ask(pia, add, "k", []any{"birthdays"}).code(t, "VALIDATION")
		w.ask(present(w.pia(), time.Hour), add, "k", kinds).code(t, "UNAUTHENTICATED")
		w.ask(w.bot(), add, "k", kinds).code(t, "FORBIDDEN")
		const list = `{calendarFeeds{id name kinds hint}}`
		if r := w.ask(w.pia(), list).fine(t); r.at("calendarFeeds.0.id") != id || strings.Contains(r.Body, path) {
			t.Errorf("%s", r.Body)
		}
		if r := w.ask(w.fia(), list).fine(t); len(r.at("calendarFeeds").([]any)) != 0 {
			t.Errorf("another's: %s", r.Body)
		}
		const revoke = `mutation($id:ID!){revokeCalendarFeed(input:{id:$id})}`
		w.ask(w.fia(), revoke, "id", id).code(t, "NOT_FOUND")
		w.ask(w.pia(), revoke, "id", id).fine(t)
		if r := w.ask(w.pia(), list).fine(t); len(r.at("calendarFeeds").([]any)) != 0 {
			t.Errorf("after its end: %s", r.Body)
		}
	})
}

// TestRetention: administrators say how long things are kept, within what is allowed.
func TestRetention(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		const save = `mutation($v:Int!,$c:[RetentionClassInput!]!){saveRetention(input:{version:$v,classes:$c}){version classes{name days}}}`
		r := w.ask(ada(), `{retention{version classes{name days usual least most}}}`).fine(t)
		version := r.at("retention.version")
		jobs := func(days int) []any { return []any{map[string]any{"name": "jobs", "days": days}} }
		saved := w.ask(ada(), save, "v", version, "c", jobs(30)).fine(t)
		if !strings.Contains(saved.Body, `{"name":"jobs","days":30}`) || saved.at("saveRetention.version") == version {
			t.Errorf("%s", saved.Body)
		}
		w.ask(ada(), save, "v", version, "c", jobs(40)).code(t, "CONFLICT")
		now := saved.at("saveRetention.version")
		w.ask(ada(), save, "v", now, "c", jobs(4000)).code(t, "VALIDATION")
		w.ask(ada(), save, "v", now, "c", []any{map[string]any{"name": "everything", "days": 1}}).code(t, "VALIDATION")
		for _, v := range []*viewer.Viewer{w.pia(), aud(), w.bot()} {
			w.ask(v, `{retention{version}}`).code(t, "NOT_FOUND")
			w.ask(v, save, "v", now, "c", jobs(40)).code(t, "NOT_FOUND")
		}
		token := ada()
		token.TokenID, token.Memberships = "tok_1", []viewer.Membership{{Scope: viewer.ScopeAll, Level: "BOUND"}}
		w.ask(token, save, "v", now, "c", jobs(40)).code(t, "NOT_FOUND")
	})
}

// AN-17: a large approval without a recent sign-in is refused, and the answer says why; a
// token approves nothing.
func TestLargeApproval(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, graph.Limits{})
		var buy *ent.Procurement
		if err := s.Tx(store.Moving(testkit.System()), func(ctx context.Context, c *ent.Client) (err error) {
			buy, err = c.Procurement.Create().SetName("File").SetPortfolioID(w.ours.ID).SetStatus("RECOMMENDED").SetEstimate(1_000_000_0000).Save(ctx)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		const sign = `mutation($id:ID!){moveProcurement(input:{id:$id,to:SIGNED_OFF,version:1}){status}}`
		eva := func(ago time.Duration) *viewer.Viewer {
			return present(who("eva", []string{"expense-authority"}, w.member(viewer.LevelManager)), ago)
		}
		if r := w.ask(eva(11*time.Minute), sign, "id", buy.ID).code(t, "UNAUTHENTICATED"); !strings.Contains(r.Errors[0].Message, "sign in again") {
			t.Errorf("%s", r.Body)
		}
		token := eva(0)
		token.TokenID = "tok_1"
		w.ask(token, sign, "id", buy.ID).code(t, "FORBIDDEN")
		w.ask(eva(time.Minute), sign, "id", buy.ID).fine(t)
	})
}
