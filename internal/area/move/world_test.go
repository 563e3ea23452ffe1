package move_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"

	"entgo.io/ent/dialect/sql"
)

// world is two portfolios; the records under test lie in a product of the first.
type world struct {
	*testing.T
	s            *store.Store
	ours, theirs *ent.Portfolio
	product      *ent.Product
	vendor       *ent.Vendor
	cycle        *ent.Cycle
	today        civil.Date
	n            int
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{T: t, s: s}
	w.tx(func(ctx context.Context, c *ent.Client) {
		w.ours = c.Portfolio.Create().SetName("Ours").SetTimeZone("UTC").SaveX(ctx)
		w.theirs = c.Portfolio.Create().SetName("Theirs").SetTimeZone("UTC").SaveX(ctx)
		w.product = c.Product.Create().SetName("CHEFS").SetPortfolioID(w.ours.ID).SaveX(ctx)
		w.vendor = c.Vendor.Create().SetName("OptIT").SaveX(ctx)
	})
	w.today = today()
	w.tx(func(ctx context.Context, c *ent.Client) {
		w.cycle = c.Cycle.Create().SetName("Now").SetStartOn(w.today.AddDays(-30)).SetEndOn(w.today.AddDays(60)).SaveX(ctx)
	})
	return w
}

// tx writes as the system, states included: that is how a record comes into one.
func (w *world) tx(f func(ctx context.Context, c *ent.Client)) {
	w.Helper()
	err := w.s.Tx(store.Moving(testkit.System()), func(ctx context.Context, c *ent.Client) error { f(ctx, c); return nil })
	if err != nil {
		w.Fatal(err)
	}
}

// make returns a new record of the entity in a state, which for a contract may be
// one that its dates give it.
func (w *world) make(name, state string, portfolio *ent.Portfolio, product *ent.Product) (id ident.ID) {
	w.Helper()
	w.n++
	title := fmt.Sprintf("%s %d", name, w.n)
	e := entity.ByName(name)
	field := "status"
	if name == "Product" {
		field = "stage"
	}
	stored, start, end := state, w.today.AddDays(-100), w.today.AddDays(200)
	if name == "Contract" {
		switch state {
		case "APPROVED":
			start = w.today.AddDays(10)
		case "ACTIVE":
			stored = "APPROVED"
		case "EXPIRING":
			stored, end = "APPROVED", w.today.AddDays(5)
		case "EXPIRED":
			stored, end = "APPROVED", w.today.AddDays(-5)
		}
	}
	w.tx(func(ctx context.Context, c *ent.Client) {
		b := e.New(c)
		set := func(column string, x any) {
			if err := b.Mutation.SetField(column, x); err != nil {
				w.Fatal(err)
			}
		}
		f, _ := e.Field(field)
		typed, err := f.Enum(stored)
		if err != nil {
			w.Fatal(err)
		}
		set("name", title)
		set("portfolio_id", portfolio.ID)
		set(field, typed)
		if name != "Product" && name != "Contract" && product != nil {
			set("product_id", product.ID)
		}
		switch name {
		case "Objective":
			set("cycle_id", w.cycle.ID)
		case "Contract":
			set("vendor_id", w.vendor.ID)
			set("value", money.Amount(1_000_0000))
			set("start_on", start)
			set("end_on", end)
			if product != nil {
				b.Mutation.(*ent.ContractMutation).AddProductIDs(product.ID)
			}
		case "Procurement":
			set("estimate", money.Amount(1_000_0000))
		}
		if id, err = b.Save(ctx); err != nil {
			w.Fatal(err)
		}
		if name == "Objective" {
			c.KeyResult.Create().SetObjectiveID(id).SetName("Clients").SetTarget(10_0000).SaveX(ctx)
		}
	})
	return id
}

// row reads a record as the system.
func (w *world) row(name string, id ident.ID) entity.Row {
	w.Helper()
	rows, err := entity.ByName(name).List(testkit.System(), w.s.Client, func(sel *sql.Selector) { sel.Where(sql.EQ(sel.C("id"), id)) }, func(*sql.Selector) {}, 1, 0)
	if err != nil || len(rows) != 1 {
		w.Fatalf("%s %s: %d rows, %v", name, id, len(rows), err)
	}
	return rows[0]
}

// events counts the audit and the outbox.
func (w *world) events() [2]int {
	return [2]int{w.s.Client.ChangeEvent.Query().CountX(testkit.System()), w.s.Client.OutboxEvent.Query().CountX(testkit.System())}
}

func (w *world) portfolio(level viewer.Level) viewer.Membership {
	return viewer.Membership{Scope: viewer.ScopePortfolio, ID: w.ours.ID, Level: level}
}

func (w *world) owner() viewer.Membership {
	return viewer.Membership{Scope: viewer.ScopeProduct, ID: w.product.ID, Level: viewer.LevelOwner, PortfolioID: w.ours.ID}
}

func (w *world) partner() viewer.Membership {
	return viewer.Membership{Scope: viewer.ScopeVendor, ID: w.vendor.ID, Level: viewer.LevelPartner}
}

// everywhere are memberships that let a role do all it can on the records under test.
func (w *world) everywhere() []viewer.Membership {
	return []viewer.Membership{w.portfolio(viewer.LevelManager), w.owner(), w.partner()}
}

func who(name string, roles []string, ms ...viewer.Membership) *viewer.Viewer {
	return &viewer.Viewer{Kind: viewer.Person, ID: ident.ID("per_" + name), Name: name, Roles: roles, Memberships: ms, Via: viewer.ViaPage, Lang: "en", SessionID: "ses_1", AuthTime: time.Now()}
}

func as(v *viewer.Viewer) context.Context { return viewer.With(context.Background(), v) }
