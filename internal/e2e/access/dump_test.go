package access_test

import (
	"crypto/sha256"
	"fmt"
	"sort"
	"strings"
	"testing"

	"steward/internal/platform/entity"
	"steward/internal/testkit"
)

// dump is the whole database: a count and a checksum for each table.
func (w *world) dump() map[string]string {
	w.t.Helper()
	out := map[string]string{}
	read := func(table string) {
		q := "SELECT * FROM " + table //lint:sql names come from the generated descriptors
		if table == "change_events" { // that something was refused is told there, and is no trace of what was asked for
			q += " WHERE NOT (op = 'EVENT' AND entity_type = 'Session')"
		}
		rows, err := w.s.Raw(testkit.System()).QueryContext(testkit.System(), q)
		if err != nil {
			w.t.Fatal(err)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			w.t.Fatal(err)
		}
		var sums []string
		for rows.Next() {
			values, at := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				at[i] = &values[i]
			}
			if err := rows.Scan(at...); err != nil {
				w.t.Fatal(err)
			}
			sums = append(sums, fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%q", fmt.Sprint(values...)))))
		}
		if err := rows.Err(); err != nil {
			w.t.Fatal(err)
		}
		sort.Strings(sums)
		out[table] = fmt.Sprintf("%d rows, %x", len(sums), sha256.Sum256([]byte(strings.Join(sums, ""))))
	}
	for _, e := range entity.All() {
		read(e.Table)
		for _, x := range e.Edges {
			if x.Kind == entity.Link && out[x.Table] == "" {
				read(x.Table)
			}
		}
	}
	return out
}

// differ reports, as errors, the tables that two dumps do not agree on.
func differ(t *testing.T, when string, before, after map[string]string) bool {
	t.Helper()
	found := false
	for table, was := range before {
		if after[table] != was {
			found = true
			t.Errorf("%s: %s was %.20s, is %.20s", when, table, was, after[table])
		}
	}
	return found
}
