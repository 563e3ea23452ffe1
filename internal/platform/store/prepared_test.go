package store_test

import (
	"context"
	"testing"

	"entgo.io/ent/dialect"

	"steward/ent"
	"steward/ent/vendor"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/testkit"
)

// TestStatementsArePrepared: what is asked twice is prepared, and a migration that makes a prepared statement
// useless is met by asking again, outside a transaction without anybody noticing.
func TestStatementsArePrepared(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		s.DB.SetMaxOpenConns(1)
		const text = "SELECT * FROM vendors WHERE name = $1"
		columns := func() int {
			t.Helper()
			rows, err := s.DB.QueryContext(ctx, text, "ACME")
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			names, _ := rows.Columns()
			return len(names)
		}
		before := columns()
		columns()
		if s.Dialect == dialect.Postgres {
			var n int
			if err := s.DB.QueryRowContext(ctx, "SELECT COUNT(*) FROM pg_prepared_statements WHERE statement = '"+text+"'").Scan(&n); err != nil || n != 1 {
				t.Errorf("prepared %d times, %v", n, err)
			}
		}
		if _, err := s.DB.ExecContext(ctx, "ALTER TABLE vendors ADD COLUMN later text"); err != nil {
			t.Fatal(err)
		}
		if after := columns(); after != before+1 {
			t.Errorf("%d columns before, %d after one more", before, after)
		}
		columns()
		columns() // prepared anew
		if _, err := s.DB.ExecContext(ctx, "ALTER TABLE vendors DROP COLUMN later"); err != nil {
			t.Fatal(err)
		}
		err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			_, err := s.Raw(ctx).QueryContext(ctx, text, "ACME")
			return store.Known(err)
		})
		if s.Dialect == dialect.Postgres && errs.CodeOf(err) != errs.Unavailable {
			t.Errorf("in a transaction: %v", err)
		}
		if got := columns(); got != before {
			t.Errorf("%d columns after the transaction, want %d", got, before)
		}
		// what is written through prepared statements is what was meant
		for _, name := range []string{"a", "b", "c", "d"} {
			err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
				return c.Vendor.Create().SetName(name).SetCustom(map[string]any{"is": name}).Exec(ctx)
			})
			if err != nil {
				t.Fatal(err)
			}
			if v := s.Client.Vendor.Query().Where(vendor.Name(name)).OnlyX(ctx); v.Custom["is"] != name {
				t.Errorf("%s is stored as %v", name, v.Custom)
			}
		}
	})
}
