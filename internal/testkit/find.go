package testkit

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"steward/internal/platform/store"
)

// Find returns where a text stands in the database: "table: row" for every row of
// every table of which any column has it. It reads past all guards.
func Find(t testing.TB, s *store.Store, text string) (found []string) {
	t.Helper()
	ctx := context.Background()
	q := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if s.Dialect == "postgres" {
		q = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
	}
	for _, table := range column(t, s, q) {
		rows, err := s.DB.QueryContext(ctx, `SELECT * FROM "`+table[0]+`"`)
		if err != nil {
			t.Fatal(err)
		}
		names, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, len(names)), make([]any, len(names))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for i, v := range values {
				if b, ok := v.([]byte); ok {
					v = string(b)
				}
				if strings.Contains(fmt.Sprint(v), text) {
					found = append(found, fmt.Sprintf("%s.%s: %.200v", table[0], names[i], v))
				}
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// column returns the rows of a query of one column.
func column(t testing.TB, s *store.Store, q string) (out [][1]string) {
	t.Helper()
	rows, err := s.DB.Query(q)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var x [1]string
		if err := rows.Scan(&x[0]); err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}
