package backup

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	"github.com/lib/pq"

	"steward/internal/platform/store"
)

func errNotEmpty(what string) error {
	return fmt.Errorf("%s is not empty: a backup is restored into an empty database only", what)
}

// Fits says whether this program can restore the copy into the database at databaseURL: one of the same kind,
// from a Steward that is not newer.
func (m *Manifest) Fits(databaseURL string) error {
	d, err := store.Dialect(databaseURL)
	if err != nil {
		return err
	}
	if d != m.Dialect {
		return fmt.Errorf("this is a backup of %s: it cannot be restored into %s", m.Dialect, d)
	}
	if newest := store.NewestMigration(d); m.Schema > newest {
		return fmt.Errorf("the backup was written by Steward %s, whose schema (%d) is newer than this program's (%d): use that version", m.Steward, m.Schema, newest)
	}
	return nil
}

// Load fills the database at databaseURL, which must hold nothing, with a copy that fits and is not damaged.
func (m *Manifest) Load(ctx context.Context, databaseURL, file string, step Step) error {
	if m.Dialect == dialect.SQLite {
		return loadSQLite(ctx, databaseURL, file, step)
	}
	return loadPostgres(ctx, databaseURL, file, step)
}

// Missing lists the tables that do not have the rows the manifest counts, one sentence each. It is asked
// before newer migrations move any.
func (m *Manifest) Missing(ctx context.Context, s *store.Store, step Step) (found []string, err error) {
	rows, err := countRows(ctx, s.DB, s.Dialect, step)
	if err != nil {
		return nil, err
	}
	for _, table := range sorted(m.Rows) {
		switch n, there := rows[table]; {
		case !there:
			found = append(found, fmt.Sprintf("the table %s is missing", table))
		case n != m.Rows[table]:
			found = append(found, fmt.Sprintf("the table %s has %d rows, the manifest counts %d", table, n, m.Rows[table]))
		}
	}
	for _, table := range sorted(rows) {
		if !has(m.Rows, table) {
			found = append(found, fmt.Sprintf("the table %s is not in the manifest", table))
		}
	}
	return found, nil
}

// countRows counts the rows of every table.
func countRows(ctx context.Context, q asker, d string, step Step) (map[string]int64, error) {
	list := "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	if d == dialect.SQLite {
		list = "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
	}
	tables, err := texts(ctx, q, list)
	if err != nil {
		return nil, err
	}
	rows := make(map[string]int64, len(tables))
	for i, table := range tables {
		step("counting rows", int64(i+1), int64(len(tables)))
		var n int64
		if err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+pq.QuoteIdentifier(table)).Scan(&n); err != nil {
			return nil, err
		}
		rows[table] = n
	}
	return rows, nil
}

// DanglingKeys lists the foreign keys that do not hold, one sentence each. PostgreSQL compares every row when
// a restore adds a key, so there it is keys that were never compared.
func DanglingKeys(ctx context.Context, s *store.Store) ([]string, error) {
	if s.Dialect == dialect.SQLite {
		return texts(ctx, s.DB, `SELECT 'row ' || COALESCE(rowid, '') || ' of ' || "table" || ' points at a missing row of ' || parent FROM pragma_foreign_key_check() LIMIT 100`)
	}
	return texts(ctx, s.DB, `SELECT 'the foreign key ' || conname || ' of ' || conrelid::regclass || ' does not hold' FROM pg_constraint
WHERE contype = 'f' AND NOT convalidated ORDER BY 1 LIMIT 100`)
}

// texts returns the one column of a query.
func texts(ctx context.Context, q asker, query string) (list []string, err error) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}

func sorted(rows map[string]int64) []string {
	names := make([]string, 0, len(rows))
	for name := range rows {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
