package store

import (
	"context"
	"database/sql/driver"
	"iter"
	"slices"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
)

// maxParams keeps statements below the bound of both databases (SQLite 32,766,
// PostgreSQL 65,535).
const maxParams = 30_000

// Insert adds many rows to a table in the transaction of ctx, past the guards: by COPY
// on PostgreSQL, which takes them while they are made, and by INSERTs of many rows on
// SQLite. Values are what drivers take: text, int64, bool, time.Time and nil; a row may
// be used again for the next one. Only this package and the importer call it, and both
// leave audit rows themselves.
func (s *Store) Insert(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) error {
	if unitOf(ctx) == nil {
		return ErrNoTransaction
	}
	if s.Dialect == dialect.Postgres {
		_, err := s.Raw(ctx).ExecContext(ctx, `COPY `+table+` ("`+strings.Join(columns, `", "`)+`") FROM STDIN`, &copying{rows})
		return known(err)
	}
	begin := `INSERT INTO ` + table + ` ("` + strings.Join(columns, `", "`) + `") VALUES `
	row := "(?" + strings.Repeat(",?", len(columns)-1) + ")" // numbered marks are names to SQLite, which looks each up among all others
	most := maxParams / len(columns)
	var args []any
	send := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := s.Raw(ctx).ExecContext(ctx, begin+row+strings.Repeat(","+row, len(args)/len(columns)-1), args...)
		args = args[:0]
		return known(err)
	}
	for r := range rows {
		if args = append(args, r...); len(args) == most*len(columns) {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

// copying are the rows of a COPY on their way through database/sql, as the one argument
// of the statement.
type copying struct{ rows iter.Seq[[]any] }

// CheckNamedValue lets the rows of a COPY through; all else is lib/pq's.
func (p *preparing) CheckNamedValue(v *driver.NamedValue) error {
	if _, ok := v.Value.(*copying); ok {
		return nil
	}
	return p.pqConn.CheckNamedValue(v)
}

// copy sends the rows of a COPY. The caller has to roll back when it fails: what was sent is there.
func (p *preparing) copy(ctx context.Context, q string, c *copying) (driver.Result, error) {
	st, err := p.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	defer st.Close() // ends the COPY where it was broken off; the second time it does nothing
	var values []driver.Value
	n := 0
	for row := range c.rows {
		values = values[:0]
		for _, v := range row {
			values = append(values, v)
		}
		if _, err := st.Exec(values); err != nil { //nolint:staticcheck // lib/pq takes rows in this way only
			return nil, err
		}
		if n++; n%1000 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return st.Exec(nil) //nolint:staticcheck // no row is the end
}

// together gathers statements that need nothing of one another's result, to be sent in
// one call: PostgreSQL takes them as parts of one statement, SQLite one after another.
type together struct {
	parts []string
	args  []any
}

// mark adds an argument and returns the placeholder for it.
func (t *together) mark(v any) string {
	t.args = append(t.args, v)
	return "$" + strconv.Itoa(len(t.args))
}

// insert adds rows to a table.
func (t *together) insert(table string, columns []string, rows ...[]any) {
	var q strings.Builder
	q.WriteString(`INSERT INTO ` + table + ` (` + strings.Join(columns, `, `) + `) VALUES `)
	for i, row := range rows {
		if i > 0 {
			q.WriteString(", ")
		}
		for k, v := range row {
			q.WriteString([]string{"(", ", "}[min(k, 1)])
			q.WriteString(t.mark(v))
		}
		q.WriteByte(')')
	}
	t.parts = append(t.parts, q.String())
}

// send asks the database; without statements it does nothing.
func (t *together) send(ctx context.Context, s *Store) error {
	if len(t.parts) == 0 {
		return nil
	}
	q := strings.Join(t.parts, ";\n")
	if last := len(t.parts) - 1; s.Dialect == dialect.Postgres && last > 0 {
		named := slices.Clone(t.parts[:last])
		for i, part := range named {
			named[i] = "p" + strconv.Itoa(i) + " AS (" + part + ")"
		}
		q = "WITH " + strings.Join(named, ",\n") + "\n" + t.parts[last]
	}
	_, err := s.Raw(ctx).ExecContext(ctx, q, t.args...)
	return err
}
