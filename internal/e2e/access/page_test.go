package access_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"steward/ent"
	"steward/ent/membership"
	"steward/internal/area/budget"
	"steward/internal/platform/entity"
	"steward/internal/rules/access"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// routes are the patterns of the page door and where they are proved. A new one
// fails TestEveryRouteIsKnown until it has a line here and a test there.
var routes = map[string]string{
	// crawled by TestCanary
	"GET /{$}": "crawl", "GET /me": "crawl", "GET /explorer": "crawl", "GET /admin/audit": "crawl", "GET /admin/imports": "crawl", "GET /admin/imports/{id}": "crawl",
	"GET /admin/users": "crawl", "GET /admin/users/{id}": "crawl", "GET /admin/integrations": "crawl", "GET /comments/{id}": "crawl", "GET /sign-in": "crawl",
	"GET ": "crawl", "GET .csv": "crawl", "GET .json": "crawl", "GET .xlsx": "crawl", "GET /options": "crawl", "GET /new": "crawl", "GET /{id}": "crawl", "GET /{id}/edit": "crawl",
	"GET /{id}/history": "crawl", "GET /{id}/cells/{field}": "crawl", "GET /portfolios/{id}/budget": "crawl", "GET /portfolios/{id}/budget.xlsx": "crawl", "GET /portfolios/{id}/budget/lines": "crawl",
	"GET /portfolios/{id}/budget/lines/{line}": "crawl", "GET /budget-plans/{id}": "crawl", "GET /budget-plans/{id}/moves/{to}": "crawl",
	"GET /portfolios": "crawl", "GET /portfolios/{id}": "crawl", "GET /products/{id}": "crawl",
	"GET /attachments/{id}": "crawl", "GET /attachments/{id}/preview": "own", "GET /attachments/{id}/remove": "crawl",
	// refused by TestPagesRefuse and TestForeignEqualsAbsent
	"POST ": "refuse", "POST /{id}": "refuse", "POST /{id}/archive": "refuse", "POST /{id}/restore": "refuse", "POST /{id}/cells/{field}": "refuse",
	"PATCH /{id}/cells/{field}": "refuse", "POST /{id}/moves/{to}": "refuse", "POST /{id}/links/{edge}": "refuse", "POST /{id}/comments": "refuse", "POST /{id}/files": "refuse",
	"POST /attachments/{id}/remove": "refuse", "POST /attachments/{id}/restore": "refuse",
	"POST /admin/imports/{id}/undo": "refuse", "PATCH /portfolios/{id}/budget/cells": "refuse", "POST /portfolios/{id}/budget/sheet": "refuse", "POST /portfolios/{id}/budget/sheet/apply": "refuse", "POST /portfolios/{id}/budget/lines": "refuse", "POST /portfolios/{id}/budget/lines/{line}": "refuse",
	// about people's rights: TestRightsOfPeople
	"POST /admin/users/{id}/roles": "rights", "POST /admin/roles/{id}/confirm": "rights", "POST /admin/roles/{id}/revoke": "rights",
	"POST /admin/users/{id}/members": "rights", "POST /admin/members/{id}/remove": "rights", "POST /admin/users/{id}/active": "rights",
	"POST /admin/integrations/tokens": "rights", "POST /admin/tokens/{id}/revoke": "rights", "POST /comments/{id}": "rights",
	// of oneself and of nobody: internal/web and internal/area/people prove them
	"GET /me/session": "own", "POST /me/profile": "own", "POST /me/sessions/{id}/end": "own", "POST /me/tokens": "own", "POST /me/tokens/{id}/revoke": "own", "POST /undo/{token}": "own",
	"POST /me/language": "open", "POST /me/theme": "open", "POST /me/density": "open", "POST /csp-reports": "open", "GET /static/": "open",
	// files that somebody sent, which are theirs alone: internal/web TestUploadIsItsSenders
	"GET /imports/new": "own", "POST /imports": "own", "GET /imports/{id}": "own", "GET /imports/{id}/progress": "own", "GET /imports/{id}/faults.csv": "own", "POST /imports/{id}/format": "own",
	"POST /imports/{id}/check": "own", "POST /imports/{id}/apply": "own", "POST /imports/{id}/cancel": "own", "POST /imports/{id}/discard": "own",
	"POST /{id}/tags": "refuse", // TestPagesRefuse; internal/area/tag TestWhoMayMark
	// of oneself, a team or a role, and changes that ask for each row: internal/area/bulk, view and notify, internal/web TestBulk, TestSavedViews, TestNotifications
	"POST /bulk": "own", "POST /views": "own", "GET /views/{id}": "own", "POST /views/{id}": "own", "POST /views/{id}/move/{to}": "own", "POST /views/{id}/remove": "own",
	"GET /me/notifications": "crawl", "POST /me/notifications": "own", "GET /me/notifications/unread": "own", "POST /me/notifications/{id}": "own",
	// of administrators of the application alone: internal/web TestJobsPage, internal/platform/job TestDeadLetters
	// of auditors: internal/app TestAuditExport
	"GET /admin/audit.jsonl": "own",
	// about one person: internal/area/people TestDataOfOnePerson, TestErase; internal/web TestPersonPages
	"GET /admin/users/{id}/data.json": "own", "POST /admin/users/{id}/erase": "rights", "GET /me/data.json": "own",
	// of administrators alone: internal/web TestSettings, internal/area/retention
	"GET /admin/settings": "crawl", "POST /admin/settings": "rights", "POST /admin/settings/approvals": "rights",
	"GET /admin/jobs": "crawl", "POST /admin/jobs/{id}/again": "rights", "POST /admin/jobs/{id}/give-up": "rights",
	// calendar feeds: internal/web TestFeeds, internal/area/calendar
	"GET /feeds/{file}": "open", "POST /me/feeds": "own", "POST /me/feeds/{id}/revoke": "own",
	// the same: internal/web TestWebhooks, internal/area/webhook TestWhoMay
	"GET /admin/webhooks": "own", "GET /admin/webhooks/{id}": "own", "POST /admin/webhooks": "own", "POST /admin/webhooks/{id}/rotate": "own", "POST /admin/webhooks/{id}/test": "own",
	"POST /admin/webhooks/{id}/pause": "own", "POST /admin/webhooks/{id}/resume": "own", "POST /admin/webhooks/{id}/archive": "own",
	"POST /admin/webhooks/{id}/replay": "own", "POST /admin/webhooks/{id}/replay/{message}": "own",
}

var pattern = regexp.MustCompile(`"((?:GET|POST|PATCH|PUT|DELETE) ?[^" ]*)"\s*[:,]`)

// TestEveryRouteIsKnown (AZ-1): the page door has no route that these tests pass by.
func TestEveryRouteIsKnown(t *testing.T) {
	files, err := filepath.Glob("../../web/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no sources of the page door", err)
	}
	n := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pattern.FindAllStringSubmatch(string(source), -1) {
			if strings.Contains(m[1], " ") {
				if n++; routes[m[1]] == "" {
					t.Errorf("%s: the route %q is proved by no test here", filepath.Base(file), m[1])
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d routes found", n)
	}
}

// form makes values from pairs.
func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// TestPagesRefuse (AZ-1, AZ-11): what the permission table does not give, the pages
// refuse as the API does, with nothing written.
func TestPagesRefuse(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		before := w.dump()
		n := 0
		refused := func(p who, want, path string, body url.Values) {
			n++
			status, _ := w.page(p.v, "POST", path, body)
			ok := status == map[string]int{forbidden: 403, absent: 404}[want]
			switch {
			case p.v == nil:
				ok = status == 303
			case p.v.Kind != viewer.Person:
				ok = status == 403
			}
			if !ok {
				t.Errorf("%s, POST %s: %d, want %s", p.name, path, status, want)
			}
		}
		for _, p := range w.people {
			for house := range strings.FieldsSeq(houses) {
				for _, e := range entity.Registry() {
					r := w.first[house+"/"+e.Name]
					base := "/" + e.Path + "/" + r.id.String()
					want := expected(p.v, r, access.Write)
					if !sees(p.v, r) {
						want = absent // a page looks the record up first
					}
					if p.v != nil && p.v.Kind == viewer.Person && (want == fine || e.ReadOnly) {
						continue
					}
					refused(p, want, base, form("version", "1", "name", "changed"))
					refused(p, want, base+"/files", form())
					refused(p, want, base+"/tags", form("add", "tag_none"))
					if file, ok := w.files[r.id]; ok {
						refused(p, want, "/attachments/"+file.String()+"/remove", form())
						refused(p, absent, "/attachments/"+file.String()+"/restore", form()) // it was not removed
					}
					if e.Archivable {
						refused(p, want, base+"/archive", form("version", "1"))
					}
					for _, x := range e.Edges {
						if to := w.first["ours/"+x.To]; len(x.Columns) > 0 && x.Kind == entity.Link {
							refused(p, want, base+"/links/"+x.Name, form("version", "1", "add", to.id.String()))
						}
					}
					if f, ok := e.Field("name"); ok && f.Updatable {
						refused(p, want, base+"/cells/name", form("version", "1", "name", "changed"))
					}
				}
			}
		}
		for _, p := range w.people {
			for house, batch := range w.batches {
				at := access.Row{Portfolio: w.first[house+"/Portfolio"].id}
				want := absent
				if p.v != nil && access.For(p.v, "ImportBatch", access.Read).Includes(at) {
					want = forbidden
				}
				if p.v == nil || p.v.Kind != viewer.Person || !access.For(p.v, "ImportBatch", access.Write).Includes(at) {
					refused(p, want, "/admin/imports/"+batch.String()+"/undo", form())
				}
			}
			n += w.refusedBudget(p) + w.refusedMoves(p)
		}
		if n < 1000 {
			t.Errorf("only %d writes were tried", n)
		}
		differ(t, "after all that was refused", before, w.dump())
		// the same requests are good ones for those who may
		pm := w.of(access.RolePortfolioManager)
		for what, status := range w.budgetWrites(pm, "ours", w.first["ours/BudgetLine"], w.first["ours/BudgetPlan"]) {
			if status >= 400 {
				t.Errorf("%s, budget page of ours, %s: %d", pm.name, what, status)
			}
		}
	})
}

// refusedBudget tries the writes of the budget page on lines that are not for the
// person to write, under the address of either portfolio.
func (w *world) refusedBudget(p who) (n int) {
	w.t.Helper()
	for house := range strings.FieldsSeq(houses) {
		line, plan := w.first[house+"/BudgetLine"], w.first[house+"/BudgetPlan"]
		if p.v != nil && p.v.Kind == viewer.Person && access.For(p.v, "BudgetLine", access.Write).Includes(line.place) {
			continue
		}
		for door := range strings.FieldsSeq(houses) {
			for what, status := range w.budgetWrites(p, door, line, plan) {
				if n++; status < 400 && !(p.v == nil && status == 303) {
					w.t.Errorf("%s, budget page of %s, %s of %s: %d", p.name, door, what, house, status)
				}
			}
		}
	}
	return n
}

// budgetWrites are the answers to each write of the budget page.
func (w *world) budgetWrites(p who, door string, line, plan *row) map[string]int {
	w.t.Helper()
	base := "/portfolios/" + slug(w.first[door+"/Portfolio"]) + "/budget/"
	cells := fmt.Sprintf(`{"cells": [{"lineId": %q, "period": "2031-12", "field": "PLANNED", "amount": "5", "version": 0}]}`, line.id)
	return map[string]int{
		"cells":     first(w.send(p.v, "PATCH", base+"cells", "application/json", cells)),
		"new line":  first(w.page(p.v, "POST", base+"lines", form("plan_id", plan.id.String(), "name", "x", "category", "SERVICES"))),
		"a sheet":   first(w.page(p.v, "POST", base+"sheet/apply", form("cells", strings.Replace(cells, "2031-12", "2031-10", 1), "fy", "2031"))),
		"its cells": first(w.page(p.v, "POST", base+"lines/"+line.id.String(), form(string(budget.Planned)+".2031-11", "5", "version.2031-11", "0"))),
	}
}

func first(status int, _ string) int { return status }

// refusedMoves tries the moves that the person's roles do not make.
func (w *world) refusedMoves(p who) (n int) {
	w.t.Helper()
	for _, r := range w.rows {
		m, ok := flow.Named(r.e.Machine)
		if !ok {
			continue
		}
		for _, step := range m.Moves {
			if step.From != m.Initial[0] || p.v != nil && p.v.Kind == viewer.Person && access.ForMove(p.v, r.e.Name, step.Roles).Includes(r.place) {
				continue
			}
			n++
			status, _ := w.page(p.v, "POST", "/"+r.e.Path+"/"+r.id.String()+"/moves/"+step.To, form("version", "1", "note", "because"))
			if p.v != nil && status != 403 && status != 404 || p.v == nil && status != 303 {
				w.t.Errorf("%s, page: %s of %s to %s: %d", p.name, r.e.Name, r.house, step.To, status)
			}
		}
	}
	return n
}

// TestRightsOfPeople (AZ-1, AZ-11): nobody hands out a role, a membership or a token,
// or shuts somebody out, but those whom the table lets; a manager looks after the
// members of their own portfolio and of no other.
func TestRightsOfPeople(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		target := w.person("target", nil)
		member := map[string]ident.ID{}
		w.do(func(ctx context.Context, c *ent.Client) error {
			for house := range strings.FieldsSeq(houses) {
				m, err := c.Membership.Create().SetPersonID(target.ID).SetScope(membership.ScopePORTFOLIO).SetScopeID(w.first[house+"/Portfolio"].id).
					SetLevel(membership.LevelVIEWER).Save(ctx)
				if err != nil {
					return err
				}
				member[house] = m.ID
			}
			return nil
		})
		var grant ident.ID
		w.do(func(ctx context.Context, c *ent.Client) error {
			g, err := c.RoleGrant.Create().SetPersonID(target.ID).SetRole(string(access.RoleViewer)).Save(ctx)
			if err == nil {
				grant = g.ID
			}
			return err
		})
		user := "/admin/users/" + target.ID.String()
		type act struct {
			path string
			body url.Values
			on   string
			at   access.Row
		}
		acts := []act{
			{user + "/roles", form("role", "auditor", "reason", "x"), "RoleGrant", access.Row{}},
			{"/admin/roles/" + grant.String() + "/confirm", form(), "RoleGrant", access.Row{}},
			{"/admin/roles/" + grant.String() + "/revoke", form("reason", "x"), "RoleGrant", access.Row{}},
			{user + "/active", form("version", "1", "reason", "x"), "Person", access.Row{}},
			{"/admin/integrations/tokens", form("service", "x", "name", "x", "roles", "viewer", "days", "3"), "ApiToken", access.Row{}},
			{user + "/members", form("where", "ALL:", "level", "VIEWER", "reason", "x"), "Membership", access.Row{}},
		}
		for house := range strings.FieldsSeq(houses) {
			p := w.first[house+"/Portfolio"].id
			acts = append(acts, act{user + "/members", form("where", "PORTFOLIO:"+p.String(), "level", "CONTRIBUTOR", "reason", "x"), "Membership", access.Row{Portfolio: p}},
				act{"/admin/members/" + member[house].String() + "/remove", form("reason", "x"), "Membership", access.Row{Portfolio: p}})
		}
		for id := range w.remarks {
			acts = append(acts, act{"/comments/" + w.remarks[id].String(), form("version", "1", "body", "x"), "", access.Row{}})
			if len(acts) > 15 {
				break
			}
		}
		before, n := w.dump(), 0
		for _, p := range w.people {
			for _, a := range acts {
				letter := access.Write
				if a.on == "Person" {
					letter = access.Manage
				}
				if p.v != nil && a.on != "" && (access.For(p.v, a.on, letter).Includes(a.at) || access.For(p.v, a.on, letter).All) {
					continue
				}
				n++
				status, _ := w.page(p.v, "POST", a.path, a.body)
				if status < 400 && p.v != nil || p.v == nil && status != 303 {
					t.Errorf("%s, POST %s %v: %d", p.name, a.path, a.body, status)
				}
			}
			if after := w.dump(); differ(t, "after what "+p.name+" tried", before, after) {
				before = after
			}
		}
		if n < 150 {
			t.Errorf("only %d acts were tried", n)
		}
	})
}
