package backup

import (
	"slices"
	"strings"
	"testing"
)

// TestEnvironment: pg_dump is told everything by its environment, several hosts included, and nothing of this
// process's own PG settings gets between.
func TestEnvironment(t *testing.T) {
	t.Setenv("PGDATABASE", "elsewhere")
	env, err := environment("postgres://u:p%40ss@/books?host=a,b&port=5432,5433&sslmode=verify-full&target_session_attrs=read-write&statement_timeout=5")
	if err != nil {
		t.Fatal(err)
	}
	var pg []string
	for _, e := range env {
		if strings.HasPrefix(e, "PG") {
			pg = append(pg, e)
		}
	}
	for _, want := range []string{"PGHOST=a,b", "PGPORT=5432,5433", "PGDATABASE=books", "PGUSER=u", "PGPASSWORD=p@ss", "PGSSLMODE=verify-full", "PGTARGETSESSIONATTRS=read-write"} {
		if !slices.Contains(pg, want) {
			t.Errorf("no %s in %q", want, pg)
		}
	}
	if slices.ContainsFunc(pg, func(e string) bool { return e == "PGDATABASE=elsewhere" || strings.HasPrefix(e, "PGHOSTADDR") }) {
		t.Errorf("%q", pg)
	}
	if _, err := environment("postgres://u:secret@a:port/x"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a URL that cannot be read: %v", err)
	}
}
