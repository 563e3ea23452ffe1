package store

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"testing/fstest"

	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"steward/ent/migrate"
)

// rebuild is what the planner writes when SQLite cannot alter a column: copy
// into a new table, drop the old one, rename.
var rebuild = fstest.MapFS{
	"sqlite/1_init.sql": {Data: []byte(`-- +goose Up
CREATE TABLE parents (id integer PRIMARY KEY, name text);
CREATE TABLE children (id integer PRIMARY KEY, parent_id integer NOT NULL REFERENCES parents (id) ON DELETE CASCADE);
INSERT INTO parents VALUES (1, 'a'), (2, 'b');
INSERT INTO children VALUES (10, 1), (20, 2);`)},
	"sqlite/2_rebuild.sql": {Data: []byte(`-- +goose Up
PRAGMA foreign_keys = off;
CREATE TABLE new_parents (id integer PRIMARY KEY, name text NOT NULL DEFAULT '');
INSERT INTO new_parents SELECT id, name FROM parents;
DROP TABLE parents;
ALTER TABLE new_parents RENAME TO parents;
PRAGMA foreign_keys = on;`)},
	"sqlite/3_orphan.sql": {Data: []byte(`-- +goose Up
DELETE FROM parents WHERE id = 2;`)},
}

func only(names ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for _, n := range names {
		out[n] = rebuild[n]
	}
	return out
}

func count(t *testing.T, db *sql.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRebuildingASQLiteTableKeepsItsChildren(t *testing.T) {
	ctx := context.Background()
	url := "sqlite:" + filepath.Join(t.TempDir(), "rebuild.db")
	if n, err := apply(ctx, url, only("sqlite/1_init.sql", "sqlite/2_rebuild.sql")); err != nil || n != 2 {
		t.Fatalf("applied %d, %v", n, err)
	}
	db, err := connectSQLite(url, "foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if n := count(t, db, "children"); n != 2 {
		t.Errorf("%d of 2 children are left", n)
	}
	if _, err := apply(ctx, url, rebuild); err == nil {
		t.Error("a migration that leaves orphans passed")
	}
}

// TestRebuildTrap is the trap itself: the same migration on an ordinary
// connection loses the children. If it stops doing so, the care above is not
// needed any more.
func TestRebuildTrap(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "trap.db")
	db, err := connectSQLite(url, "foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	p, err := provider("sqlite3", db, only("sqlite/1_init.sql", "sqlite/2_rebuild.sql"), "sqlite")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Up(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "children"); n != 0 {
		t.Errorf("%d children survived on a connection with foreign keys on", n)
	}
}

// drift returns the statements that would bring the database to ent/schema.
func drift(t *testing.T, db *sql.DB, d string) string {
	t.Helper()
	var buf bytes.Buffer
	w := &schema.WriteDriver{Writer: &buf, Driver: entsql.OpenDB(d, db)}
	m, err := schema.NewMigrate(w, schema.WithForeignKeys(true), schema.WithDropColumn(true), schema.WithDropIndex(true))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Create(context.Background(), migrate.Tables...); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

// Drift is used by the test of both databases, which lives outside the package.
var Drift = drift
