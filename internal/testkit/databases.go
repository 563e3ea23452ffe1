package testkit

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
)

// Databases runs the test on SQLite and on PostgreSQL, each time on a fresh
// database with every migration applied. `make check` leaves PostgreSQL out and
// says so.
func Databases(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, OpenURL(t, SQLiteURL(t))) })
	if OnlySQLite() {
		return
	}
	t.Run("postgres", func(t *testing.T) { test(t, OpenURL(t, PostgresURL(t))) })
}

// OpenURL opens a store for the test and closes it when the test ends.
func OpenURL(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

var migrated struct {
	sync.Once
	file []byte
	err  error
}

// SQLiteURL returns the URL of a fresh migrated SQLite database.
func SQLiteURL(t testing.TB) string {
	t.Helper()
	migrated.Do(func() {
		path := filepath.Join(t.TempDir(), "template.db")
		if _, migrated.err = store.Migrate(context.Background(), "sqlite:"+path); migrated.err == nil {
			migrated.file, migrated.err = os.ReadFile(path)
		}
	})
	if migrated.err != nil {
		t.Fatal(migrated.err)
	}
	path := filepath.Join(t.TempDir(), "steward.db")
	if err := os.WriteFile(path, migrated.file, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// PostgresURL returns the URL of a fresh migrated PostgreSQL database.
func PostgresURL(t testing.TB) string {
	t.Helper()
	p := Postgres(t)
	return p.FreshDB(t, p.Template(t, schemaKey(t), func(url string) error {
		_, err := store.Migrate(context.Background(), url)
		return err
	}))
}

// schemaKey names the schema of the migrations as they are, so that a server
// shared by several test programs never hands out an older one.
func schemaKey(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Root(t), "migrations", "postgres", "atlas.sum"))
	if err != nil {
		t.Fatal(err)
	}
	return "schema " + string(b)
}

// System returns a context in which the system acts, for building test data.
func System() context.Context {
	return viewer.With(context.Background(), viewer.NewSystem(viewer.ViaJob, ""))
}
