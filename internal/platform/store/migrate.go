package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"time"

	"entgo.io/ent/dialect"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"steward/migrations"
)

// Migrate brings the database at url to this program's schema and returns how
// many migrations it applied. Several replicas may call it at once: one applies,
// the others wait.
//
// SQLite changes a table by copying it, which with foreign keys on would delete
// the rows of its children. So its migrations run on a connection of their own
// with foreign keys off, and afterwards every key must still find its row.
func Migrate(ctx context.Context, databaseURL string) (applied int, err error) {
	return apply(ctx, databaseURL, migrations.Files)
}

func apply(ctx context.Context, databaseURL string, all fs.FS) (applied int, err error) {
	db, p, err := migrator(databaseURL, all)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	results, err := p.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	if d, _ := Dialect(databaseURL); d == dialect.SQLite {
		if err := checkForeignKeys(ctx, db); err != nil {
			return 0, err
		}
	}
	return len(results), nil
}

// MigrationStatus is one migration and when it was applied; the time is zero for
// one that is still to come.
type MigrationStatus struct {
	Version int64
	Name    string
	Applied time.Time
}

// Migrations lists all migrations of this program against the database at url.
func Migrations(ctx context.Context, databaseURL string) ([]MigrationStatus, error) {
	db, p, err := migrator(databaseURL, migrations.Files)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	list, err := p.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	out := make([]MigrationStatus, len(list))
	for i, m := range list {
		out[i] = MigrationStatus{m.Source.Version, m.Source.Path, m.AppliedAt}
	}
	return out, nil
}

// Migrated reports whether the database at url has every migration of this program.
func Migrated(ctx context.Context, databaseURL string) (bool, error) {
	list, err := Migrations(ctx, databaseURL)
	for _, m := range list {
		if m.Applied.IsZero() {
			return false, err
		}
	}
	return err == nil, err
}

// NewestMigration returns the version of this program's last migration for a
// dialect, 0 for a dialect that there is none for.
func NewestMigration(d string) (newest int64) {
	folder := "postgres"
	if d == dialect.SQLite {
		folder = "sqlite"
	}
	names, _ := fs.Glob(migrations.Files, folder+"/*.sql") // fails for a bad pattern only
	for _, name := range names {
		if v, err := goose.NumericComponent(name); err == nil {
			newest = max(newest, v)
		}
	}
	return newest
}

func migrator(databaseURL string, all fs.FS) (*sql.DB, *goose.Provider, error) {
	d, err := Dialect(databaseURL)
	if err != nil {
		return nil, nil, err
	}
	if d == dialect.SQLite {
		db, err := connectSQLite(databaseURL, "foreign_keys(0)")
		if err != nil {
			return nil, nil, err
		}
		db.SetMaxOpenConns(1)
		p, err := provider(goose.DialectSQLite3, db, all, "sqlite")
		return db, p, err
	}
	db, _, err := connect(databaseURL, Options{Pool: 3})
	if err != nil {
		return nil, nil, err
	}
	// One lock for all replicas; asked for often, as the default waits seconds.
	l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120), lock.WithUnlockTimeout(1, 10))
	if err != nil {
		return nil, nil, err
	}
	p, err := provider(goose.DialectPostgres, db, all, "postgres", goose.WithSessionLocker(l))
	return db, p, err
}

func provider(d goose.Dialect, db *sql.DB, all fs.FS, folder string, o ...goose.ProviderOption) (*goose.Provider, error) {
	files, err := fs.Sub(all, folder)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(d, db, files, o...)
}

func checkForeignKeys(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		var table, parent string
		var row, key sql.NullInt64
		if err := rows.Scan(&table, &row, &parent, &key); err != nil {
			return err
		}
		return fmt.Errorf("migrate: row %d of %s points at a missing row of %s; restore the backup made before the migration", row.Int64, table, parent)
	}
	return rows.Err()
}
