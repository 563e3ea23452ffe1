package graph_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/graph"
	"steward/internal/area/budget"
	"steward/internal/area/contract"
	"steward/internal/area/custom"
	"steward/internal/area/okr"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// world is a small house: two portfolios, ours and theirs, with what hangs on them.
type world struct {
	t             testing.TB
	s             *store.Store
	door          http.Handler
	log           *bytes.Buffer
	ours, theirs  *ent.Portfolio
	prod, foreign *ent.Product
	vendor        *ent.Vendor
	contracts     []*ent.Contract // of ours
	secret        *ent.Contract   // of theirs
}

// newWorld builds it on s behind a door with the limits.
func newWorld(t testing.TB, s *store.Store, l graph.Limits) *world {
	t.Helper()
	contract.Install(s)
	okr.Install(s)
	custom.Install(s, time.Hour)
	budget.Install(s)
	w := &world{t: t, s: s, log: &bytes.Buffer{}}
	w.door = graph.New(graph.Config{Store: s, Limits: l, Log: w.logger()})
	w.tx(func(ctx context.Context, c *ent.Client) {
		w.ours = c.Portfolio.Create().SetName("Ours").SetKey("ours").SaveX(ctx)
		w.theirs = c.Portfolio.Create().SetName("Theirs").SetKey("theirs").SaveX(ctx)
		w.vendor = c.Vendor.Create().SetName("OptIT").SaveX(ctx)
		w.prod = c.Product.Create().SetName("CHEFS").SetKey("chefs").SetPortfolioID(w.ours.ID).SaveX(ctx)
		w.foreign = c.Product.Create().SetName("Hidden").SetPortfolioID(w.theirs.ID).SaveX(ctx)
		for i := range 4 {
			p := w.prod
			if i >= 2 {
				p = c.Product.Create().SetName(fmt.Sprint("Product ", i)).SetPortfolioID(w.ours.ID).SaveX(ctx)
			}
			w.contracts = append(w.contracts, c.Contract.Create().SetName(fmt.Sprint("Contract ", i)).SetPortfolioID(w.ours.ID).
				SetVendorID(w.vendor.ID).SetValue(money.Amount(4800000000+i)).SetCurrency("CAD").AddProductIDs(p.ID).SaveX(ctx))
		}
		w.secret = c.Contract.Create().SetName("Confidential").SetPortfolioID(w.theirs.ID).SetVendorID(w.vendor.ID).AddProductIDs(w.foreign.ID).SaveX(ctx)
	})
	return w
}

func (w *world) logger() *slog.Logger { return slog.New(slog.NewTextHandler(w.log, nil)) }

// tx changes the world as the system.
func (w *world) tx(f func(ctx context.Context, c *ent.Client)) {
	w.t.Helper()
	err := w.s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error { f(ctx, c); return nil })
	if err != nil {
		w.t.Fatal(err)
	}
}

// who makes a person with roles.
func who(name string, roles []string, ms ...viewer.Membership) *viewer.Viewer {
	return &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name, Roles: roles, Memberships: ms, Via: viewer.ViaPage, Lang: "en", SessionID: "ses_1", AuthTime: time.Now()}
}

func (w *world) member(level viewer.Level) viewer.Membership {
	return viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.ours.ID, Level: level}
}

// pia manages ours.
func (w *world) pia() *viewer.Viewer {
	return who("pia", []string{"portfolio-manager"}, w.member(viewer.LevelManager))
}

// fia is the finance officer: she reads everything.
func (w *world) fia() *viewer.Viewer { return who("fia", []string{"finance-officer"}) }

// cole contributes to a product and does not see prices.
func (w *world) cole() *viewer.Viewer {
	return who("cole", []string{"contributor"}, viewer.Membership{Scope: viewer.ScopeProduct, ID: w.prod.ID, PortfolioID: w.ours.ID, Level: viewer.LevelContributor})
}

// pat is a partner, of the vendor.
func (w *world) pat() *viewer.Viewer {
	return who("pat", []string{"partner"}, viewer.Membership{Scope: viewer.ScopeVendor, ID: w.vendor.ID, Level: viewer.LevelPartner})
}

// bot is an integration that manages ours.
func (w *world) bot() *viewer.Viewer {
	v := w.pia()
	v.Kind, v.ID, v.TokenID, v.Name = viewer.Integration, "int_bot", "tok_bot", "bot"
	return v
}

// reply is an answer taken apart.
type reply struct {
	Status int
	Header http.Header
	Body   string
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions struct {
			Code, RequestID string
			Fields          []struct{ Path, Message string }
			Current         any
			Who             string
		}
	}
	Extensions struct {
		Cost *struct{ Requested, Remaining int }
	}
}

// send posts a body as it is.
func (w *world) send(v *viewer.Viewer, body string, change ...func(*http.Request)) *reply {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for _, f := range change {
		f(r)
	}
	if v != nil {
		r = r.WithContext(viewer.With(r.Context(), v))
	}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, r)
	b, _ := io.ReadAll(rec.Result().Body)
	out := &reply{Status: rec.Code, Header: rec.Header(), Body: string(b)}
	if err := json.Unmarshal(b, out); err != nil {
		w.t.Fatalf("not JSON: %v: %s", err, b)
	}
	return out
}

// ask sends a query with variables given as name, value pairs.
func (w *world) ask(v *viewer.Viewer, query string, vars ...any) *reply {
	w.t.Helper()
	m := map[string]any{}
	for i := 0; i+1 < len(vars); i += 2 {
		m[vars[i].(string)] = vars[i+1]
	}
	b, err := json.Marshal(map[string]any{"query": query, "variables": m})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.send(v, string(b))
}

// fine fails the test when the answer has errors.
func (r *reply) fine(t testing.TB) *reply {
	t.Helper()
	if len(r.Errors) > 0 || r.Status != http.StatusOK {
		t.Fatalf("refused: %d %s", r.Status, r.Body)
	}
	return r
}

// code fails the test unless the first error has the code.
func (r *reply) code(t testing.TB, want string) *reply {
	t.Helper()
	if len(r.Errors) == 0 || r.Errors[0].Extensions.Code != want {
		t.Fatalf("want %s: %d %s", want, r.Status, r.Body)
	}
	if r.Errors[0].Extensions.RequestID == "" {
		t.Errorf("no request id: %s", r.Body)
	}
	return r
}

// at walks into the data by names and positions: "contracts.edges.0.node.key".
func (r *reply) at(path string) any {
	var v any = r.Data
	for _, p := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			i := 0
			if _, err := fmt.Sscan(p, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}
