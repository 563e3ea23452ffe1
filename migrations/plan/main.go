// Command plan writes the next versioned migration of each database: the
// difference between the migrations so far and ent/schema. `make migration
// name=…` runs it. PostgreSQL is started for the purpose and thrown away. After a
// statement that moves data was written into a new migration by hand, `make
// migration-sum` takes note of it.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"

	"steward/ent/migrate"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: plan NAME | plan -sum")
	}
	do := func() error { return plan(context.Background(), os.Args[1]) }
	if os.Args[1] == "-sum" {
		do = sum
	}
	if err := do(); err != nil {
		log.Fatal("plan: ", err)
	}
}

// sum writes the checksums of the migrations as they are.
func sum() error {
	for _, driver := range []string{"sqlite", "postgres"} {
		dir, err := sqltool.NewGooseDir("migrations/" + driver)
		if err != nil {
			return err
		}
		sums, err := dir.Checksum()
		if err != nil {
			return err
		}
		if err := atlas.WriteSumFile(dir, sums); err != nil {
			return err
		}
	}
	return nil
}

func plan(ctx context.Context, name string) error {
	tmp, err := os.MkdirTemp("", "plan")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := diff(ctx, "sqlite", "file:"+filepath.Join(tmp, "dev.db")+"?_pragma=foreign_keys(1)", dialect.SQLite, name); err != nil {
		return err
	}
	url, stop, err := postgres(tmp)
	if err != nil {
		return err
	}
	defer stop()
	return diff(ctx, "postgres", url, dialect.Postgres, name)
}

// postgres starts an empty server below dir.
func postgres(dir string) (url string, stop func(), err error) {
	if err := os.Chmod(dir, 0o711); err != nil {
		return "", nil, err
	}
	run := func(verb string) ([]byte, error) {
		c := exec.Command("scripts/postgres.sh", verb)
		c.Env = append(os.Environ(), "PG_HOME="+filepath.Join(dir, "pg"), "PG_FSYNC=off")
		c.Stderr = os.Stderr
		return c.Output()
	}
	out, err := run("start")
	return strings.TrimSpace(string(out)), func() { _, _ = run("destroy") }, err
}

func diff(ctx context.Context, driver, dsn, d, name string) error {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	dir, err := sqltool.NewGooseDir("migrations/" + driver)
	if err != nil {
		return err
	}
	m, err := schema.NewMigrate(entsql.OpenDB(d, db), schema.WithDir(dir), schema.WithFormatter(sqltool.GooseFormatter),
		schema.WithMigrationMode(schema.ModeReplay), schema.WithDialect(d), schema.WithForeignKeys(true),
		schema.WithDropColumn(true), schema.WithDropIndex(true), schema.WithErrNoPlan(true))
	if err != nil {
		return err
	}
	err = m.NamedDiff(ctx, name, migrate.Tables...)
	if errors.Is(err, atlas.ErrNoPlan) {
		fmt.Println(driver + ": nothing to change")
		return nil
	}
	if err == nil {
		fmt.Println(driver + ": planned")
	}
	return err
}
