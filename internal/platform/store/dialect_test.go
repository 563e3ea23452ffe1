package store_test

import (
	"context"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"

	"steward/ent"
	"steward/ent/initiative"
	"steward/ent/product"
	"steward/ent/vendor"
	"steward/internal/platform/store"
	"steward/internal/rules/money"
	"steward/internal/testkit"
)

func TestMigrationsMatchTheSchema(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		if out := store.Drift(t, s.DB, s.Dialect); out != "" {
			t.Errorf("make migration would write:\n%s", out)
		}
		if _, err := s.DB.Exec("ALTER TABLE vendors ADD COLUMN stray text"); err != nil {
			t.Fatal(err)
		}
		if out := store.Drift(t, s.DB, s.Dialect); out == "" {
			t.Error("a stray column is not noticed")
		}
	})
}

// TestTheDatabasesAgree holds the differences between the two databases that the
// connection settings and the types take away.
func TestTheDatabasesAgree(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			p := c.Portfolio.Create().SetName("P").SaveX(ctx)
			c.Vendor.Create().SetName("Éclair SARL").SetCustom(map[string]any{"region": "Nord"}).SaveX(ctx)
			c.Vendor.Create().SetName("ACME").SaveX(ctx)
			for _, a := range []string{"0.1", "9.5", "100", "1234.5"} {
				amount, err := money.Parse(a)
				if err != nil {
					return err
				}
				c.Initiative.Create().SetName(a).SetPortfolioID(p.ID).SetPlanned(amount).SaveX(ctx)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		c := s.Client
		if n := c.Vendor.Query().Where(vendor.NameContainsFold("éCLAIR")).CountX(ctx); n != 1 {
			t.Errorf("folding finds %d of 1", n)
		}
		if n := c.Vendor.Query().Where(vendor.NameContains("acme")).CountX(ctx); n != 0 {
			t.Errorf("LIKE does not mind case: %d", n)
		}
		nine, _ := money.Parse("9.9")
		if n := c.Initiative.Query().Where(initiative.PlannedGT(nine)).CountX(ctx); n != 2 {
			t.Errorf("%d amounts over 9.9, not 2", n)
		}
		var sum []struct{ Sum int64 }
		c.Initiative.Query().Aggregate(ent.Sum(initiative.FieldPlanned)).ScanX(ctx, &sum)
		if want, _ := money.Parse("1344.1"); sum[0].Sum != int64(want) {
			t.Errorf("the sum is %d", sum[0].Sum)
		}
		v := c.Vendor.Query().Where(vendor.Name("ACME")).OnlyX(ctx)
		there := v.CreatedAt.In(time.FixedZone("far", -8*3600))
		if n := c.Vendor.Query().Where(vendor.CreatedAtLTE(there), vendor.Name("ACME")).CountX(ctx); n != 1 {
			t.Error("a time of another zone compares wrongly")
		}
		if !v.CreatedAt.Equal(v.CreatedAt.Truncate(time.Microsecond)) {
			t.Error("times are finer than PostgreSQL keeps")
		}
		if n := c.Vendor.Query().Where(func(sel *sql.Selector) {
			sel.Where(sqljson.ValueEQ(vendor.FieldCustom, "Nord", sqljson.Path("region")))
		}).CountX(ctx); n != 1 {
			t.Errorf("a custom field is found %d times", n)
		}
		lock := c.Product.Query().Where(product.Name("x"), s.Lock())
		if _, err := lock.All(ctx); err != nil {
			t.Errorf("locking %s: %v", s.Dialect, err)
		}
		if s.Dialect == dialect.SQLite {
			var mode, sync string
			_ = s.DB.QueryRow("PRAGMA journal_mode").Scan(&mode)
			_ = s.DB.QueryRow("PRAGMA synchronous").Scan(&sync)
			if mode != "wal" || sync != "2" {
				t.Errorf("SQLite runs with journal %s and synchronous %s", mode, sync)
			}
		}
	})
}
