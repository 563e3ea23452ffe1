package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/budget"
	"steward/internal/area/contract"
	"steward/internal/area/custom"
	"steward/internal/area/okr"
	"steward/internal/area/tag"
	"steward/internal/area/view"
	"steward/internal/platform/auth"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
	"steward/internal/web"
)

// world is the page door over a real database with two portfolios that know
// nothing of one another.
type world struct {
	t *testing.T
	s *store.Store
	h http.Handler
	// as is who asks; nil is nobody.
	as   *viewer.Viewer
	lang string

	ours, theirs                                  *ent.Portfolio
	product, theirProduct                         *ent.Product
	vendor                                        *ent.Vendor
	contract, theirContract                       *ent.Contract
	plan                                          *ent.BudgetPlan
	line                                          *ent.BudgetLine
	procurement                                   *ent.Procurement
	component                                     *ent.Component
	pia, otto, fia, paul, aud, ada, vic, pat, eva *viewer.Viewer
}

// Authenticate and Routes make the world its own sign-in: whoever the test says.
func (w *world) Authenticate(*http.Request) (*viewer.Viewer, error) {
	if w.as == nil {
		return nil, errs.New(errs.Unauthenticated, "auth.sign_in")
	}
	v := *w.as
	return &v, nil
}

func (w *world) Routes() []auth.Route {
	login := func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, r.URL.RawQuery) }
	return []auth.Route{{Pattern: "GET /auth/login", Handler: login}}
}

// each runs a test in a fresh world on both databases.
func each(t *testing.T, f func(*world)) {
	t.Helper()
	testkit.Databases(t, func(t *testing.T, s *store.Store) { f(newWorld(t, s)) })
}

// emptyWorld is the page door over a database without rows.
func emptyWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	contract.Install(s)
	okr.Install(s)
	custom.Install(s, time.Hour)
	budget.Install(s)
	tag.Install(s)
	view.Install(s)
	w := &world{t: t, s: s, lang: "en"}
	w.h = web.New(w.config())
	return w
}

func (w *world) config() web.Config {
	return web.Config{Store: w.s, Auth: w, Log: slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})), Metrics: obs.NewMetrics(), IssuerOrigin: "https://id.example.org"}
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := emptyWorld(t, s)
	err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		w.ours = c.Portfolio.Create().SetName("Common Components").SetKey("CC").SaveX(ctx)
		w.theirs = c.Portfolio.Create().SetName("Hidden Portfolio").SetKey("ZQX").SaveX(ctx)
		w.product = c.Product.Create().SetName("Forms").SetNameFr("Formulaires").SetKey("FORMS").SetPortfolio(w.ours).SaveX(ctx)
		w.theirProduct = c.Product.Create().SetName("Hidden product").SetPortfolio(w.theirs).SaveX(ctx)
		w.vendor = c.Vendor.Create().SetName("OptIT").SetWebsite("https://optit.example").SaveX(ctx)
		w.contract = c.Contract.Create().SetName("Squad").SetPortfolio(w.ours).SetVendor(w.vendor).SetValue(money.Amount(1_284_500 * 10000)).
			SetStartOn(civil.MustDate("2026-01-01")).SetEndOn(civil.MustDate("2026-12-31")).AddProducts(w.product).SaveX(ctx)
		w.theirContract = c.Contract.Create().SetName("Hidden contract").SetPortfolio(w.theirs).SetVendor(w.vendor).SaveX(ctx)
		w.plan = c.BudgetPlan.Create().SetName("Forms 2026").SetPortfolio(w.ours).SetProduct(w.product).SetFiscalYear(2026).SaveX(ctx)
		w.line = c.BudgetLine.Create().SetName("Squad fees").SetPlan(w.plan).SetContract(w.contract).SaveX(ctx)
		w.procurement = c.Procurement.Create().SetName("Second squad").SetPortfolio(w.ours).SetProduct(w.product).SetEstimate(money.Amount(420_000 * 10000)).SaveX(ctx)
		w.component = c.Component.Create().SetName("Mailer").SaveX(ctx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	in := func(of viewer.Scope, id ident.ID, level viewer.Level) viewer.Membership {
		return viewer.Membership{Scope: of, ID: id, Level: level, PortfolioID: w.ours.ID}
	}
	w.pia = w.person("Pia", "portfolio-manager", in(viewer.ScopePortfolio, w.ours.ID, viewer.LevelManager))
	w.otto = w.person("Otto", "product-owner", in(viewer.ScopeProduct, w.product.ID, viewer.LevelOwner))
	w.vic = w.person("Vic", "contributor", in(viewer.ScopeProduct, w.product.ID, viewer.LevelContributor))
	w.fia = w.person("Fia", "finance-officer", in(viewer.ScopeAll, "", viewer.LevelManager))
	w.paul = w.person("Paul", "procurement-officer", in(viewer.ScopePortfolio, w.ours.ID, viewer.LevelManager))
	w.eva = w.person("Eva", "expense-authority", in(viewer.ScopePortfolio, w.ours.ID, viewer.LevelManager))
	w.aud = w.person("Aud", "auditor")
	w.ada = w.person("Ada", "app-admin")
	w.pat = w.person("Pat", "partner", viewer.Membership{Scope: viewer.ScopeVendor, ID: w.vendor.ID, Level: viewer.LevelPartner})
	return w
}

// person makes somebody with a role.
func (w *world) person(name, role string, ms ...viewer.Membership) *viewer.Viewer {
	w.t.Helper()
	var p *ent.Person
	w.do(func(ctx context.Context, c *ent.Client) error {
		p = c.Person.Create().SetName(name).SetEmail(strings.ToLower(name) + "@example.org").SaveX(ctx)
		return nil
	})
	return &viewer.Viewer{Kind: viewer.Person, ID: p.ID, Name: name, Roles: []string{role}, Memberships: ms, Via: viewer.ViaPage, Lang: "en", Zone: time.UTC, SessionID: ident.New("ses"), AuthTime: time.Now()}
}

// do writes as the system.
func (w *world) do(f func(context.Context, *ent.Client) error) {
	w.t.Helper()
	if err := w.s.Tx(testkit.System(), f); err != nil {
		w.t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
	t    *testing.T
}

func (a answer) page() *testkit.HTML { a.t.Helper(); return testkit.ParseHTML(a.t, a.body) }

// want says which status the answer has.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Fatalf("%s %s: %d, want %d\n%s", a.Request.Method, a.Request.URL, a.StatusCode, status, a.body)
	}
	return a
}

// ask sends a request as the person; headers come in pairs.
func (w *world) ask(v *viewer.Viewer, method, path string, form url.Values, headers ...string) answer {
	w.t.Helper()
	w.as = v
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, path, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", w.lang)
	if w.lang != "en" {
		r.AddCookie(&http.Cookie{Name: "lang", Value: w.lang})
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Cookie" {
			r.Header.Add("Cookie", headers[i+1])
			continue
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	a := answer{Response: rec.Result(), body: rec.Body.String(), t: w.t}
	a.Request = r
	return a
}

func (w *world) get(v *viewer.Viewer, path string, headers ...string) answer {
	w.t.Helper()
	return w.ask(v, "GET", path, nil, headers...)
}

func (w *world) post(v *viewer.Viewer, path string, form url.Values, headers ...string) answer {
	w.t.Helper()
	return w.ask(v, "POST", path, form, headers...)
}

// sum returns form values from pairs.
func sum(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}
