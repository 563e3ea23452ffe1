package importer

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"entgo.io/ent/dialect"

	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// lookUp finds the rows that are referred to and not part of the import.
func (c *comparison) lookUp() error {
	want := map[*Kind]map[string]bool{}
	note := func(v any) {
		if r, ok := v.(Ref); ok && r.Kind.Lookup {
			if want[r.Kind] == nil {
				want[r.Kind] = map[string]bool{}
			}
			want[r.Kind][r.ID] = true
		}
	}
	for _, records := range c.staged.records {
		for _, r := range records {
			for _, v := range r.Values {
				note(v)
			}
			for _, refs := range r.Links {
				for _, v := range refs {
					note(v)
				}
			}
			for _, v := range r.Tags {
				note(v)
			}
		}
	}
	for k, set := range want {
		ids, err := findRows(c.ctx, c.store, tableOf(k.Entity), k.Match, Sorted(set))
		if err != nil {
			return err
		}
		c.names[k] = ids
	}
	return nil
}

// findRows returns the ids of the rows whose column, the first that fits exactly
// one row the viewer may read, equals a name.
func findRows(ctx context.Context, s *store.Store, t *table, columns, names []string) (map[string]ident.ID, error) {
	out := map[string]ident.ID{}
	for _, column := range columns {
		if !t.has(column) {
			continue
		}
		many := map[string]bool{}
		for chunk := range slices.Chunk(names, idChunk) {
			where, scoped := readable(ctx, s, t.Table, len(chunk)+1)
			q := `SELECT id, "` + column + `" FROM ` + t.Table + ` WHERE "` + column + `" IN (` + marks(1, len(chunk)) + `)` + where
			err := query(ctx, s, q, append(args(chunk), scoped...), func(scan func(...any) error) error {
				var id, name string
				if err := scan(&id, &name); err != nil {
					return err
				}
				if have, ok := out[name]; ok && have != ident.ID(id) {
					many[name] = true
				}
				out[name] = ident.ID(id)
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		for name := range many {
			delete(out, name)
		}
		names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { _, ok := out[n]; return ok || many[n] })
	}
	return out, nil
}

// readable returns the SQL that narrows a table to the rows the viewer of ctx may
// read, with placeholders from number on, and its arguments.
func readable(ctx context.Context, s *store.Store, name string, number int) (string, []any) {
	if scope.Unrestricted(ctx) {
		return "", nil
	}
	p := scope.Predicate(viewer.From(ctx), s.Dialect, name, func(c string) string { return `"` + name + `"."` + c + `"` }, access.Read)
	if p == nil {
		return "", nil
	}
	p.SetDialect(dialect.Postgres) // numbered placeholders work on both databases
	p.SetTotal(number - 1)
	q, a := p.Query()
	for i, v := range a {
		if id, ok := v.(ident.ID); ok {
			a[i] = string(id)
		}
	}
	return " AND (" + q + ")", a
}

// query runs a SELECT and gives each row to each.
func query(ctx context.Context, s *store.Store, q string, a []any, each func(scan func(...any) error) error) error {
	rows, err := s.Raw(ctx).QueryContext(ctx, spell(s.Dialect, q), a...)
	if err != nil {
		return store.Known(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return store.Known(rows.Err())
}

// load reads whole rows of a table and gives each to take.
func (c *comparison) load(t *table, where string, a []any, take func(row []any)) error {
	return c.rows(t, `SELECT `+quoted(t.names())+` FROM `+t.Table+` WHERE `+where+c.hold(), a, take)
}

// loadSource is load for the rows of a source with some of its ids. PostgreSQL is made to look
// each up by itself: while the table is being filled it knows nothing of its contents, takes
// thousands of ids for all there are, and would compare every row with every one of them.
func (c *comparison) loadSource(t *table, source string, ids []string, take func(row []any)) error {
	if c.store.Dialect != dialect.Postgres {
		return c.load(t, `source = $1 AND external_id IN (`+marks(2, len(ids))+`)`, append([]any{source}, args(ids)...), take)
	}
	wanted, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	q := `SELECT found.* FROM jsonb_array_elements_text($1::jsonb) AS wanted (id) CROSS JOIN LATERAL (SELECT ` + quoted(t.names()) + ` FROM ` + t.Table +
		` WHERE source = $2 AND external_id = wanted.id LIMIT 1` + c.hold() + `) AS found`
	return c.rows(t, q, []any{string(wanted), source}, take)
}

// hold is the end of a query whose rows nobody else may write until the transaction ends.
func (c *comparison) hold() string {
	if c.lock && c.store.Dialect == dialect.Postgres {
		return " FOR UPDATE"
	}
	return ""
}

// rows runs a query for all columns of a table.
func (c *comparison) rows(t *table, q string, a []any, take func(row []any)) error {
	return query(c.ctx, c.store, q, a, func(scan func(...any) error) error {
		raw, to := make([]any, len(t.columns)), make([]any, len(t.columns))
		for i := range raw {
			to[i] = &raw[i]
		}
		if err := scan(to...); err != nil {
			return err
		}
		for i := range raw {
			raw[i] = t.stored(i, raw[i])
		}
		take(raw)
		return nil
	})
}

// chosenPortfolio finds the portfolio a person named for the whole import, by
// its key or the part of it that stands in addresses.
func chosenPortfolio(ctx context.Context, s *store.Store, key string) (string, error) {
	t := tableOf("Portfolio")
	tried := []string{key, strings.ToUpper(key), t.KeyPrefix + "-" + strings.ToUpper(key)}
	ids, err := findRows(ctx, s, t, []string{"key"}, tried)
	if err != nil {
		return "", err
	}
	for _, k := range tried {
		if _, ok := ids[k]; ok {
			return k, nil
		}
	}
	return "", errs.New(errs.Validation, "import.error.portfolio", "key", key)
}
