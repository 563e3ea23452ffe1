package access_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"steward/ent"
	_ "steward/ent/registry"
	"steward/graph"
	"steward/internal/area/attachment"
	"steward/internal/area/budget"
	"steward/internal/area/contract"
	"steward/internal/area/custom"
	"steward/internal/area/okr"
	"steward/internal/area/tag"
	"steward/internal/area/view"
	"steward/internal/area/webhook"
	"steward/internal/platform/auth"
	"steward/internal/platform/entity"
	"steward/internal/platform/outbound"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
	"steward/internal/web"
)

// secret is one text or amount that stands in exactly one field of one row.
type secret struct {
	row   *row
	field string // a column, or "(comment)", "(file)" or "(reason)" of what hangs on the row
}

// row is one record of the world and where it lies.
type row struct {
	e     *entity.Entity
	house string
	id    ident.ID
	place access.Row
	key   string
}

// who is somebody who comes in, with a name for messages; v is nil for nobody.
type who struct {
	name string
	v    *viewer.Viewer
}

// world is both doors over one database with two houses, ours and theirs.
type world struct {
	t       *testing.T
	s       *store.Store
	pages   http.Handler
	api     http.Handler
	schema  *ast.Schema
	as      *viewer.Viewer
	rows    []*row
	first   map[string]*row // "ours/Contract": what later rows of the house point at
	people  []who
	secrets map[string]secret
	batches map[string]ident.ID // import batch of a house
	remarks map[ident.ID]ident.ID
	files   map[ident.ID]ident.ID
	n       int
	granted int // writes that the API let through
}

// Authenticate and Routes make the world its own sign-in.
func (w *world) Authenticate(*http.Request) (*viewer.Viewer, error) {
	if w.as == nil {
		return nil, errs.New(errs.Unauthenticated, "auth.sign_in")
	}
	v := *w.as
	return &v, nil
}

func (w *world) Routes() []auth.Route { return nil }

// each runs a test in a fresh world on both databases.
func each(t *testing.T, f func(*world)) {
	t.Helper()
	testkit.Databases(t, func(t *testing.T, s *store.Store) { f(newWorld(t, s)) })
}

const houses = "ours theirs"

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	contract.Install(s)
	okr.Install(s)
	budget.Install(s)
	custom.Install(s, time.Hour)
	w := &world{t: t, s: s, first: map[string]*row{}, secrets: map[string]secret{}, batches: map[string]ident.ID{}, remarks: map[ident.ID]ident.ID{}, files: map[ident.ID]ident.ID{}}
	quiet := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	tag.Install(s)
	view.Install(s)
	keys, err := auth.NewKeyring([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	hooks := &webhook.Service{Store: s, Keys: keys, Out: outbound.New(outbound.Config{}), Source: "https://steward.example"}
	w.pages = web.New(web.Config{Store: s, Auth: w, Log: quiet})
	limits := graph.Limits{Body: 4 << 20, Points: 1 << 28, Timeout: time.Minute,
		Document: graph.Document{Tokens: 1 << 20, Depth: 40, Fields: 1 << 20, SetSize: 1 << 16, SameField: 1 << 16, Fragments: 100, Directives: 4, Operations: 5}}
	w.api = graph.New(graph.Config{Store: s, Limits: limits, Log: quiet, Lists: web.Lists(s), Webhooks: hooks})
	w.schema = gqlparser.MustLoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	for house := range strings.FieldsSeq(houses) {
		for _, e := range order() {
			w.fill(house, e)
		}
		w.batch(house)
	}
	for _, e := range entity.Registry() {
		for house := range strings.FieldsSeq(houses) {
			if w.first[house+"/"+e.Name] == nil {
				t.Fatalf("the world has no %s of %s: tests would pass it by", e.Name, house)
			}
		}
	}
	w.everybody()
	return w
}

// order lists the registry so that what a row points at comes before it.
func order() []*entity.Entity {
	var out []*entity.Entity
	seen := map[string]bool{}
	var visit func(e *entity.Entity)
	visit = func(e *entity.Entity) {
		if seen[e.Name] {
			return
		}
		seen[e.Name] = true
		for _, f := range e.Fields {
			if to := entity.ByName(f.Ref); f.Creatable && to != nil && to.Registry {
				visit(to)
			}
		}
		for _, x := range e.Edges {
			if to := entity.ByName(x.To); x.Kind == entity.Link && to.Registry {
				visit(to)
			}
		}
		out = append(out, e)
	}
	for _, e := range entity.Registry() {
		visit(e)
	}
	return out
}

// canary returns a new secret text of a field; amount one that is a number.
func (w *world) canary(r *row, field string) string {
	w.n++
	c := fmt.Sprintf("qz%05dq", w.n)
	w.secrets[c] = secret{r, field}
	return c
}

func (w *world) amount(r *row, field string) string {
	w.n++
	c := fmt.Sprintf("73%05d", w.n)
	w.secrets[c] = secret{r, field}
	return c + ".25"
}

// days of fields whose order matters; every other date lies between them.
var days = map[string]string{"start_on": "2026-01-15", "from": "2026-01-15", "publish_planned_on": "2026-02-01", "end_on": "2027-01-15",
	"until": "2027-01-15", "grading_ends_on": "2027-02-15", "planned_end_on": "2027-01-15", "projected_end_on": "2027-02-15", "award_planned_on": "2026-09-01"}

// fixed are values that a rule prescribes.
var fixed = map[string]string{"CustomField.entity": "Product", "TeamMembership.role": "", "FiscalPeriod.fiscal_year": "2031", "BudgetPlan.fiscal_year": "2031"}

// value returns what a field of a new row holds, "" for its default.
func (w *world) value(r *row, f *entity.Field, turn int) string {
	if v := fixed[r.e.Name+"."+f.Name]; v != "" {
		return v
	}
	switch f.Kind {
	case "line", "text":
		return w.canary(r, f.Name)
	case "email":
		return w.canary(r, f.Name) + "@example.org"
	case "url":
		return "https://" + w.canary(r, f.Name) + ".example/"
	case "money":
		return w.amount(r, f.Name)
	case "date":
		if d := days[f.Name]; d != "" {
			return d
		}
		return "2026-06-15"
	case "period":
		return fmt.Sprintf("2031-%02d", 4+turn%9)
	}
	if !f.Required {
		return ""
	}
	switch f.Kind {
	case "int", "decimal":
		return "7"
	case "bp":
		return "5000"
	case "enum":
		return f.Options[0]
	}
	return ""
}

// fill adds one more row of the entity to a house, every field filled, with a
// comment on it and a reason in its history.
func (w *world) fill(house string, e *entity.Entity) *row {
	w.t.Helper()
	r := &row{e: e, house: house}
	turn := 0
	for _, x := range w.rows {
		if x.e == e && x.house == house {
			turn++
		}
	}
	reason := w.canary(r, "(reason)")
	err := w.s.Tx(store.Because(testkit.System(), &reason), func(ctx context.Context, c *ent.Client) error {
		nw := e.New(c)
		for i := range e.Fields {
			f := &e.Fields[i]
			if !f.Creatable && f.Kind != "money" && f.Name != "source" && f.Name != "external_id" {
				continue
			}
			var value any
			if f.Kind == "ref" {
				to := w.first[house+"/"+f.Ref]
				if to == nil {
					continue
				}
				value = to.id
			} else {
				text := w.value(r, f, turn)
				if text == "" {
					continue
				}
				var err error
				if value, err = f.Parse(text, ""); err != nil {
					return fmt.Errorf("%s: %w", f.Name, err)
				}
			}
			if err := nw.Mutation.SetField(f.Name, value); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		for _, x := range e.Edges {
			if to := w.first[house+"/"+x.To]; x.Kind == entity.Link && to != nil {
				e.Link(nw.Mutation, x.Name, []ident.ID{to.id}, nil)
			}
		}
		var err error
		r.id, err = nw.Save(ctx)
		return err
	})
	if err != nil {
		w.t.Fatalf("a %s of %s: %v", e.Name, house, err)
	}
	if w.first[house+"/"+e.Name] == nil {
		w.first[house+"/"+e.Name] = r
	}
	w.rows = append(w.rows, r)
	w.locate(r)
	w.remark(r)
	w.file(r)
	return r
}

// locate says where a row lies, as its stored columns and the products it is
// joined with have it.
func (w *world) locate(r *row) {
	w.t.Helper()
	stored := w.read(r)
	id := func(name string) ident.ID { i, _ := r.e.Value(stored, name).(ident.ID); return i }
	r.key, _ = r.e.Value(stored, "key").(string)
	r.place = access.Row{ID: r.id, Portfolio: id("portfolio_id"), Product: id("product_id"), Vendor: id("vendor_id")}
	if r.e.Via != nil {
		r.place.Product = w.first[r.house+"/Product"].id
	}
}

func (w *world) read(r *row) entity.Row {
	w.t.Helper()
	list, err := r.e.List(testkit.System(), w.s.Client, only(r.id), anyOrder, 1, 0)
	if err != nil || len(list) != 1 {
		w.t.Fatalf("%s %s: %d rows, %v", r.e.Name, r.id, len(list), err)
	}
	return list[0]
}

// remark puts a comment on a row.
func (w *world) remark(r *row) {
	w.t.Helper()
	body := w.canary(r, "(comment)")
	w.do(func(ctx context.Context, c *ent.Client) error {
		n := c.Comment.Create().SetSubjectType(r.e.Name).SetSubjectID(r.id).SetAuthorName("Somebody").SetBody(body)
		if r.place.Portfolio != "" || r.e.Name == "Portfolio" {
			n.SetPortfolioID(max(r.place.Portfolio, map[bool]ident.ID{true: r.id}[r.e.Name == "Portfolio"]))
		}
		switch {
		case r.e.Name == "Product":
			n.SetProductID(r.id)
		case r.place.Product != "" && r.e.Via == nil:
			n.SetProductID(r.place.Product)
		}
		if v := max(r.place.Vendor, map[bool]ident.ID{true: r.id}[r.e.Name == "Vendor"]); v != "" {
			n.SetVendorID(v)
		}
		x, err := n.Save(ctx)
		if err == nil {
			w.remarks[r.id] = x.ID
		}
		return err
	})
}

// file puts a file on a row; name and content are secrets of those who read the row.
func (w *world) file(r *row) {
	w.t.Helper()
	if r.e.ReadOnly { // nobody changes it
		return
	}
	x, err := attachment.Add(testkit.System(), w.s, nil, r.id, w.canary(r, "(file)")+".txt", strings.NewReader(w.canary(r, "(file)")))
	if err != nil {
		w.t.Fatal(r.e.Name, err)
	}
	w.files[r.id] = x.ID
}

// batch adds an import to a house; its secrets are seen by whoever reads imports
// of the portfolio.
func (w *world) batch(house string) {
	w.t.Helper()
	p := w.first[house+"/Portfolio"]
	r := &row{e: entity.ByName("ImportBatch"), house: house, place: access.Row{Portfolio: p.id}}
	w.do(func(ctx context.Context, c *ent.Client) error {
		x, err := c.ImportBatch.Create().SetFormat("csv").SetFiles([]string{w.canary(r, "files") + ".csv"}).SetPortfolioID(p.id).
			SetActorName(w.canary(r, "actor_name")).SetReport(map[string]any{"note": w.canary(r, "report")}).Save(ctx)
		if err == nil {
			r.id, w.batches[house] = x.ID, x.ID
		}
		return err
	})
}

// do writes as the system.
func (w *world) do(f func(context.Context, *ent.Client) error) {
	w.t.Helper()
	if err := w.s.Tx(testkit.System(), f); err != nil {
		w.t.Fatal(err)
	}
}
