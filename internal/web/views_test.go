package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"steward/ent"
	"steward/ent/savedview"
	"steward/internal/area/notify"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// saveView saves a list and returns where that leads.
func (w *world) saveView(v *viewer.Viewer, entity, query, name string, more ...string) *url.URL {
	w.t.Helper()
	form := sum(append([]string{"entity", entity, "query", query, "name", name}, more...)...)
	to, err := url.Parse(w.post(v, "/views", form).want(303).Header.Get("Location"))
	if err != nil {
		w.t.Fatal(err)
	}
	return to
}

// A list is saved as it is arranged, stands over the list with its number, and is its
// owner's alone until it is shared.
func TestSavedViews(t *testing.T) {
	each(t, func(w *world) {
		w.vendors(9)
		to := w.saveView(w.pia, "Vendor", "f.risk=HIGH&sort=name&page=2&edit=1&nonsense=1", "  Risky   ones ")
		if got := to.Query(); to.Path != "/vendors" || len(got) != 2 || got.Get("f.risk") != "HIGH" {
			t.Fatalf("saved as %s", to)
		}
		id := to.Query().Get("view")
		p := w.get(w.pia, to.String()).want(200).page()
		p.Want(".tabs a[aria-current=page]", "Risky ones 3")
		p.WantCount("tbody tr", 3)
		p = w.get(w.pia, "/vendors").want(200).page()
		p.Want(".tabs", "Risky ones 3")
		p.Want(".tabs a[aria-current=page]", "10")
		if w.get(w.otto, "/vendors").want(200).page(); strings.Contains(w.get(w.otto, "/vendors").body, "Risky") {
			t.Error("another's view is shown")
		}
		w.get(w.otto, "/views/"+id).want(404)
		w.post(w.otto, "/views/"+id+"/remove", sum()).want(404)
		w.post(w.otto, "/views/"+id, sum("name", "Mine")).want(404)

		// Arranged otherwise, the view can be brought into line.
		p = w.get(w.pia, "/vendors?f.risk=LOW&view="+id).want(200).page()
		p.WantCount(".viewbar form[action='/views/"+id+"'] input[name=query][value='f.risk=LOW']", 1)
		w.post(w.pia, "/views/"+id, sum("query", "f.risk=LOW")).want(303)
		w.post(w.pia, "/views/"+id, sum("name", "Calm")).want(303)
		w.get(w.pia, "/vendors").want(200).page().Want(".tabs", "Calm 3")

		// What is wrong comes back in the form.
		w.post(w.pia, "/views", sum("entity", "Vendor", "query", "", "name", " ")).want(422).page().Want(".field.err", "required")
		w.post(w.pia, "/views", sum("entity", "Nothing", "query", "", "name", "x")).want(404)
		w.post(w.pat, "/views", sum("entity", "BudgetPlan", "query", "", "name", "x")).want(404)
		w.post(w.pia, "/views/"+id, sum("name", "x", "shared", "team:tea_1")).want(422).page().Want(".field.err", "team that you belong to")

		// Order, removal, and bringing it back.
		second := w.saveView(w.pia, "Vendor", "f.risk=HIGH", "Second").Query().Get("view")
		w.post(w.pia, "/views/"+second+"/move/earlier", sum()).want(303)
		if got := strings.Join(w.get(w.pia, "/vendors").want(200).page().Texts(".tabs a"), "|"); !strings.Contains(got, "Second 3|Calm 3") {
			t.Errorf("order %q", got)
		}
		gone := w.post(w.pia, "/views/"+second+"/remove", sum()).want(303)
		if strings.Contains(w.get(w.pia, "/vendors").body, "Second") {
			t.Error("a removed view is shown")
		}
		w.post(w.pia, undoOf(t, gone), sum()).want(303)
		w.get(w.pia, "/vendors").want(200).page().Want(".tabs", "Second 3")
		w.lang = "fr"
		w.get(w.pia, "/views/"+second).want(200).page().Want("button", "Supprimer la vue")
	})
}

// attrs are the values of an attribute of all elements that a selector finds.
func attrs(p *testkit.HTML, selector, name string) []string {
	var out []string
	for _, n := range p.All(selector) {
		for _, a := range n.Attr {
			if a.Key == name {
				out = append(out, a.Val)
			}
		}
	}
	return out
}

// idOf is the record that a box of a list stands for.
func idOf(pick string) ident.ID { id, _, _ := strings.Cut(pick, ":"); return ident.ID(id) }

// undoOf returns the path that takes a change back, from the message that came with it.
func undoOf(t *testing.T, a answer) string {
	t.Helper()
	for _, c := range a.Cookies() {
		if c.Name == "flash" {
			return "/undo/" + c.Value[strings.LastIndex(c.Value, ".")+1:]
		}
	}
	t.Fatal("no message came with the change")
	return ""
}

// A team shares views; a role opens its list with one, and has a way back to all.
func TestSharedViews(t *testing.T) {
	each(t, func(w *world) {
		w.vendors(9)
		var team *ent.Team
		w.do(func(ctx context.Context, c *ent.Client) error {
			team = c.Team.Create().SetName("Desk").SaveX(ctx)
			c.TeamMembership.Create().SetTeamID(team.ID).SetPersonID(w.pia.ID).SetRole("MEMBER").SaveX(ctx)
			c.TeamMembership.Create().SetTeamID(team.ID).SetPersonID(w.otto.ID).SetRole("MEMBER").SaveX(ctx)
			return nil
		})
		id := w.saveView(w.pia, "Vendor", "f.risk=HIGH", "Desk view", "shared", "team:"+team.ID.String()).Query().Get("view")
		w.get(w.otto, "/vendors").want(200).page().Want(".tabs", "Desk view 3")
		w.post(w.otto, "/views/"+id, sum("name", "Mine")).want(403)
		if strings.Contains(w.get(w.fia, "/vendors").body, "Desk view") {
			t.Error("shown beyond the team")
		}

		w.post(w.otto, "/views", sum("entity", "Vendor", "query", "f.risk=LOW", "name", "x", "shared", "role:finance-officer")).want(403)
		first := w.saveView(w.pia, "Vendor", "f.risk=LOW", "Finance first", "shared", "role:finance-officer")
		w.post(w.pia, "/views", sum("entity", "Vendor", "query", "", "name", "y", "shared", "role:finance-officer")).want(422).page().Want(".field.err", "already")
		to := w.get(w.fia, "/vendors").want(303).Header.Get("Location")
		if to != first.String() {
			t.Errorf("opens %s, want %s", to, first)
		}
		p := w.get(w.fia, to).want(200).page()
		p.Want(".tabs a[aria-current=page]", "Finance first 3")
		p.WantCount(".tabs a[href='/vendors?view=all']", 1)
		w.get(w.fia, "/vendors?view=all").want(200).page().WantCount("tbody tr", 10)
		w.get(w.otto, "/vendors").want(200)
		w.get(w.fia, "/vendors", "HX-Request", "true", "HX-Target", "div#list").want(200)
	})
}

// What a view asks for and its reader cannot use is left out and said: here a value that
// is none any more, and a column that its team does not see.
func TestViewWithPartsLeftOut(t *testing.T) {
	each(t, func(w *world) {
		var x *ent.SavedView
		w.do(func(ctx context.Context, c *ent.Client) error {
			x = c.SavedView.Create().SetEntity("Contract").SetName("Old").SetQuery("cols=name%2Cgone&f.status=WRONG&f.nothing=1").SetShared(savedview.SharedPRIVATE).SetPersonID(w.pia.ID).SaveX(ctx)
			return nil
		})
		p := w.get(w.pia, "/contracts").want(200).page()
		p.Want(".tabs", "Old 1")
		p = w.get(w.pia, "/contracts?cols=name&view="+x.ID.String()).want(200).page()
		p.Want(".banner", "left out", "cols", "status", "nothing")
		p.WantCount(".viewbar form[action='/views/"+x.ID.String()+"']", 1)
	})
}

// The numbers of all views of a list take one statement.
func TestStatementsOfViews(t *testing.T) {
	each(t, func(w *world) {
		w.vendors(3)
		statements := func() int64 {
			w.s.Statements.Reset()
			w.get(w.pia, "/vendors").want(200)
			return int64(w.s.Statements.N())
		}
		none := statements()
		w.saveView(w.pia, "Vendor", "f.risk=HIGH", "One")
		one := statements()
		for i := range 9 {
			w.saveView(w.pia, "Vendor", "f.risk=LOW&q=vendor", fmt.Sprint("V", i))
		}
		if ten := statements(); ten != one || one != none+1 {
			t.Errorf("%d statements without a view, %d with one, %d with ten", none, one, ten)
		}
	})
}

// Rows are chosen, then what they are given; all are changed or none, with one undo.
func TestBulk(t *testing.T) {
	each(t, func(w *world) {
		w.vendors(60)
		p := w.get(w.pia, "/vendors?q=vendor").want(200).page()
		p.WantCount("tbody .pick input[form=bulk]", 50)
		p.WantCount("#bulk input[name=all]", 1)
		picks := attrs(p, "tbody .pick input", "value")
		p.WantCount("#bulk option[value='set.risk']", 1)
		p.WantNone("#bulk option[value='set.name']")
		w.get(w.aud, "/vendors").want(200).page().WantNone("#bulk")
		w.get(w.pia, "/vendors?edit=1").want(200).page().WantNone("#bulk")
		w.get(w.pia, "/vendors?archived=1").want(200)

		form := func(more ...string) url.Values { return sum(append([]string{"query", "q=vendor"}, more...)...) }
		some := form("do", "set.risk", "pick", picks[0], "pick", picks[1])
		p = w.post(w.pia, "/vendors/bulk", some).want(200).page()
		p.Want("h1", "Risk: Vendors")
		p.WantCount("select[name=risk]", 1)
		p.Want("button", "Change 2 rows")
		some.Set("go", "1")
		w.post(w.pia, "/vendors/bulk", some).want(422)
		some.Set("risk", "NONSENSE")
		w.post(w.pia, "/vendors/bulk", some).want(422)
		some.Set("risk", "HIGH")
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.UpdateOneID(idOf(picks[0])).SetWebsite("https://x.example").Exec(ctx)
		})
		p = w.post(w.pia, "/vendors/bulk", some).want(http.StatusConflict).page()
		p.Want("#refused li", "Vendor 000", "Somebody has changed it")
		p.Want("button[name=skip]", "Change only the other 1")
		some.Set("skip", "1")
		done := w.post(w.pia, "/vendors/bulk", some).want(303)
		if to := done.Header.Get("Location"); to != "/vendors?q=vendor" {
			t.Errorf("leads to %s", to)
		}
		if v := w.s.Client.Vendor.GetX(testkit.System(), idOf(picks[1])); *v.Risk != "HIGH" || v.Version != 2 {
			t.Errorf("%+v", v)
		}
		w.post(w.pia, undoOf(t, done), sum()).want(303)
		if v := w.s.Client.Vendor.GetX(testkit.System(), idOf(picks[1])); *v.Risk == "HIGH" {
			t.Error("not undone")
		}

		// all that match, over all pages
		p = w.post(w.pia, "/vendors/bulk", form("do", "archive", "all", "1")).want(200).page()
		p.WantCount("input[name=pick]", 60)
		all := form("do", "archive", "go", "1")
		all["pick"] = attrs(p, "input[name=pick]", "value")
		gone := w.post(w.pia, "/vendors/bulk", all).want(303)
		w.get(w.pia, "/vendors?q=vendor").want(200).page().Want(".empty", "Nothing matches")
		w.get(w.pia, "/vendors?q=vendor&archived=1").want(200).page().WantCount("#bulk option[value=restore]", 1)
		w.post(w.pia, undoOf(t, gone), sum()).want(303)
		w.get(w.pia, "/vendors?q=vendor").want(200).page().Want("nav.pager", "of 60")

		// who may not
		w.post(w.aud, "/vendors/bulk", some).want(403)
		w.post(w.pat, "/budget-plans/bulk", some).want(404)
		w.post(w.pia, "/vendors/bulk", form("do", "set.name", "pick", picks[0])).want(422)
		w.post(w.pia, "/vendors/bulk", form("do", "archive", "pick", "prd_1:1")).want(422)
		w.post(w.pia, "/vendors/bulk", form("do", "", "pick", picks[0])).want(303)
		w.lang = "fr"
		w.post(w.pia, "/vendors/bulk", form("do", "archive", "pick", picks[0])).want(200).page().Want("button", "Modifier 1 ligne")
	})
}

// Tags stand on the record and in its list, narrow the list, and go on many rows at once.
func TestTags(t *testing.T) {
	each(t, func(w *world) {
		w.vendors(3)
		var urgent *ent.Tag
		w.do(func(ctx context.Context, c *ent.Client) error {
			urgent = c.Tag.Create().SetName("Urgent").SetNameFr("Pressant").SetTone("RED").SaveX(ctx)
			return nil
		})
		at := "/vendors/" + w.vendor.ID.String()
		w.get(w.pia, at).want(200).page().WantCount("#tags-card form[action$='/tags']", 1)
		w.get(w.aud, at).want(200).page().WantNone("#tags-card")
		w.post(w.aud, at+"/tags", sum("add", urgent.ID.String())).want(403)
		marked := w.post(w.pia, at+"/tags", sum("add", urgent.ID.String())).want(303)
		w.get(w.aud, at).want(200).page().Want("#tags-card .badge.bad", "Urgent")
		w.get(w.pat, at).want(200).page().WantNone("#tags-card")
		w.get(w.pia, at+"/history").want(200).page().Want("#history", "Tags", "Urgent")
		p := w.get(w.pia, "/vendors?tag="+urgent.ID.String()).want(200).page()
		p.WantCount("tbody tr", 1)
		p.Want("tbody th .badge", "Urgent")
		p.Want(".chip.on", "Tag: Urgent")
		w.get(w.pia, "/vendors?tag=prd_1").want(422)
		w.get(w.pat, "/vendors?tag="+urgent.ID.String()).want(422)
		if got := w.get(w.pia, "/vendors.csv?format=raw").want(200).body; !strings.Contains(got, ",tags\r\n") || !strings.Contains(got, ",Urgent\r\n") {
			t.Errorf("the file says %s", got)
		}
		if got := w.get(w.pia, "/vendors.json?q=vendor").want(200).body; strings.Contains(got, "tags") {
			t.Errorf("a column of nothing: %s", got)
		}
		if got := w.get(w.pia, "/vendors.json").want(200).body; !strings.Contains(got, `"tags":["Urgent"]`) || !strings.Contains(got, `"tags":[]`) {
			t.Errorf("the file says %s", got)
		}
		w.get(w.pia, "/vendors.xlsx").want(200)
		w.lang = "fr"
		w.get(w.pia, at).want(200).page().Want("#tags-card .badge", "Pressant")
		w.lang = "en"
		w.post(w.pia, undoOf(t, marked), sum()).want(303)
		w.get(w.aud, at).want(200).page().WantNone("#tags-card")
	})
}

// The bell says how many messages are new; each is read in the reader's language, and
// by nobody else.
func TestNotifications(t *testing.T) {
	each(t, func(w *world) {
		w.get(w.pia, "/me/notifications/unread", "HX-Request", "true").want(204)
		w.get(w.pia, "/me/notifications").want(200).page().Want(".empty", "Nothing new")
		for i := range 2 {
			if err := notify.Tell(testkit.System(), w.s, w.pia.ID, "notify.view_changed", map[string]any{"name": "Risky", "before": 1, "after": 2 + i}, "/vendors?q=x", fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		w.get(w.pia, "/vendors").want(200).page().WantCount("#bell[hx-get='/me/notifications/unread']", 1)
		w.get(w.pia, "/me/notifications/unread", "HX-Request", "true").want(200).page().Want("#bell .count", "2")
		p := w.get(w.pia, "/me/notifications").want(200).page()
		p.Want("#notifications", "“Risky” now finds 2; it was 1.")
		open := attrs(p, "#notifications form", "action")[1]
		w.post(w.otto, open, sum()).want(404)
		if to := w.post(w.pia, open, sum()).want(303).Header.Get("Location"); to != "/vendors?q=x" {
			t.Errorf("leads to %s", to)
		}
		w.get(w.pia, "/me/notifications/unread", "HX-Request", "true").want(200).page().Want("#bell .count", "1")
		w.lang = "fr"
		w.get(w.pia, "/me/notifications").want(200).page().Want("#notifications", "« Risky » trouve maintenant 3")
		w.post(w.pia, "/me/notifications", sum()).want(303)
		w.get(w.pia, "/me/notifications/unread", "HX-Request", "true").want(204)
		w.get(w.otto, "/me/notifications").want(200).page().Want(".empty", "Rien de nouveau")
	})
}

// A search of one word goes no further than the list it searches: neither to rows of
// others nor to archived ones.
func TestSearchStaysInTheList(t *testing.T) {
	each(t, func(w *world) {
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.Create().SetName("Retired").SetArchivedAt(w.vendor.CreatedAt).Exec(ctx)
		})
		for _, path := range []string{"/vendors?q=retired", "/vendors/options?q=retired"} {
			if strings.Contains(w.get(w.pia, path).body, "Retired") {
				t.Errorf("%s shows what is archived", path)
			}
		}
		for _, path := range []string{"/contracts?q=hidden", "/contracts/options?q=hidden", "/contracts.csv?q=hidden", "/products?q=hidden", "/products/options?q=hidden", "/portfolios/options?q=hidden", "/budget-lines/options?q=squad"} {
			if a := w.get(w.otto, path); a.StatusCode != 404 && strings.Contains(a.body, "Hidden") {
				t.Errorf("%s shows what lies elsewhere", path)
			}
			if a := w.get(w.pia, path).want(200); strings.Contains(strings.ReplaceAll(a.body, "“hidden”", ""), "Hidden ") {
				t.Errorf("%s shows what lies elsewhere", path)
			}
		}
	})
}

// Many rows are given one value of a custom field, where its reader knows of it.
func TestBulkCustomField(t *testing.T) {
	each(t, func(w *world) {
		w.vendors(3)
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.CustomField.Create().SetEntity("Vendor").SetCode("class").SetName("Class").SetNameFr("Classe").SetKind("CHOICE").SetChoices([]string{"A", "B"}).Exec(ctx)
		})
		p := w.get(w.pia, "/vendors?q=vendor").want(200).page()
		p.Want("#bulk option[value='set.custom.class']", "Class")
		picks := attrs(p, "tbody .pick input", "value")
		form := sum("query", "q=vendor", "do", "set.custom.class", "pick", picks[0], "pick", picks[1])
		p = w.post(w.pia, "/vendors/bulk", form).want(200).page()
		p.Want("h1", "Class: Vendors")
		p.WantCount("select[name='custom.class'] option[value=B]", 1)
		form.Set("go", "1")
		form.Set("custom.class", "C")
		w.post(w.pia, "/vendors/bulk", form).want(422).page().WantCount("select[name='custom.class']", 1)
		form.Set("custom.class", "B")
		done := w.post(w.pia, "/vendors/bulk", form).want(303)
		class := func(i int) any { return w.s.Client.Vendor.GetX(testkit.System(), idOf(picks[i])).Custom["class"] }
		if class(0) != "B" || class(1) != "B" || class(2) != nil {
			t.Errorf("%v %v %v", class(0), class(1), class(2))
		}
		w.post(w.pia, undoOf(t, done), sum()).want(303)
		if class(0) != nil || class(1) != nil {
			t.Error("not undone")
		}
		w.lang = "fr"
		w.get(w.pia, "/vendors").want(200).page().Want("#bulk option[value='set.custom.class']", "Classe")
	})
}
