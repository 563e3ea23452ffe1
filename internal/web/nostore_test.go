package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/exchange/tabular"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/seed"
	"steward/internal/testkit"
	"steward/internal/web"
)

// Browsers and proxies keep no answer of any route (SE-9). The routes come from the
// router itself, so a new one is asked too; the demo has a record for each.
func TestNothingIsStored(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := emptyWorld(t, s)
		if _, err := seed.Demo(context.Background(), s, time.Date(2026, 11, 21, 18, 0, 0, 0, time.UTC), nil); err != nil {
			t.Fatal(err)
		}
		everywhere := viewer.Membership{Scope: viewer.ScopeAll, Level: viewer.LevelManager}
		who := w.person("Pia", "portfolio-manager", everywhere)
		who.Roles = append(who.Roles, "app-admin", "finance-officer", "auditor")
		fill := w.placeholders(who)
		pages, data := 0, 0
		for _, pattern := range web.Patterns(w.config()) {
			method, path, ok := strings.Cut(pattern, " ")
			if !ok {
				method, path = http.MethodGet, pattern
			}
			path = fill(path)
			if path == "/static/" {
				continue // immutable, and no data; see below
			}
			for _, header := range []string{"", "true"} { // a page, a fragment
				var form url.Values
				if method != http.MethodGet {
					form = url.Values{}
				}
				a := w.ask(who, method, path, form, "HX-Request", header)
				if got := a.Header.Get("Cache-Control"); got != "no-store" {
					t.Errorf("%s: %d with Cache-Control %q", pattern, a.StatusCode, got)
				}
				if a.StatusCode >= 500 {
					t.Errorf("%s: %d", pattern, a.StatusCode)
				}
				pages++
				if a.StatusCode == 200 && method == http.MethodGet {
					data++
				} else if method == http.MethodGet && strings.HasSuffix(pattern, "/{id}") && a.StatusCode != 200 {
					t.Errorf("%s: %d at %s: there is no record to look at", pattern, a.StatusCode, path)
				}
			}
		}
		t.Logf("%d answers, %d of them with data", pages, data)
		if data < 400 {
			t.Errorf("only %d answers had data", data)
		}
		for _, path := range []string{"/no/such/page", "/contracts?f.status=x&sort=nothing"} {
			if got := w.get(who, path).Header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s: %q", path, got)
			}
		}
		if got := w.get(who, "/contracts").want(200).page().Attr("link[rel=stylesheet]", "href"); !strings.Contains(w.get(nil, got).Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s may not be kept", got)
		}
	})
}

// placeholders returns what puts a record that is there into each route.
func (w *world) placeholders(v *viewer.Viewer) func(path string) string {
	w.t.Helper()
	first := func(e *entity.Entity) ident.ID {
		rows, err := e.List(testkit.System(), w.s.Client, anywhere, anywhere, 1, 0)
		if err != nil || len(rows) == 0 {
			w.t.Fatalf("no %s: %v", e.Name, err)
		}
		return rows[0].ID
	}
	batch, _ := w.imported(v, tabular.Format{}, "name\nAcme\n", "entity", "Vendor")
	sent := ident.ID(strings.TrimPrefix(w.sendFile(v, "vendors.csv", "name\nBeta\n"), "/imports/"))
	var comment, kept ident.ID
	w.do(func(ctx context.Context, c *ent.Client) error {
		kept = c.SavedView.Create().SetEntity("Vendor").SetName("Kept").SetPersonID(v.ID).SaveX(ctx).ID
		comment = c.Comment.Create().SetSubjectType("Vendor").SetSubjectID(first(entity.ByName("Vendor"))).SetAuthorID(v.ID).SetAuthorName(v.Name).SetBody("x").SaveX(ctx).ID
		return nil
	})
	file := w.file(v, "Vendor", first(entity.ByName("Vendor")))
	line := w.s.Client.BudgetLine.Query().WithPlan(func(q *ent.BudgetPlanQuery) { q.WithPortfolio() }).FirstX(testkit.System())
	return func(path string) string {
		e := entityAt(path)
		id := ident.New("xxx")
		switch {
		case strings.HasPrefix(path, "/portfolios/{id}/budget"):
			id = ident.ID(store.Slug(line.Edges.Plan.Edges.Portfolio.Key))
		case e != nil && strings.Contains(path, "{id}"):
			id = first(e)
		case strings.HasPrefix(path, "/admin/imports/"):
			id = batch.ID
		case strings.HasPrefix(path, "/imports/"):
			id = sent
		case strings.HasPrefix(path, "/views/"):
			id = kept
		case strings.HasPrefix(path, "/admin/users/"):
			id = v.ID
		case strings.HasPrefix(path, "/comments/"):
			id = comment
		case strings.HasPrefix(path, "/attachments/"):
			id = file
		}
		field := "name"
		if e != nil && e.Title != "" {
			field = e.Title
		}
		return strings.NewReplacer("{$}", "", "{id}", id.String(), "{line}", line.ID.String(), "{to}", "CANCELLED", "{field}", field, "{edge}", "products", "{token}", "x").Replace(path)
	}
}

// entityAt is the registry entity whose pages a path belongs to.
func entityAt(path string) *entity.Entity {
	for _, e := range entity.Registry() {
		if rest, ok := strings.CutPrefix(path, "/"+e.Path); ok && (rest == "" || rest[0] == '/' || rest[0] == '.') {
			return e
		}
	}
	return nil
}
