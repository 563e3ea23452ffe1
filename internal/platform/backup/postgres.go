package backup

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/lib/pq"

	"steward/internal/platform/store"
)

// copyPostgres has pg_dump write what one transaction sees, and counts the rows in that same transaction, so
// that the counts are exact however much is written meanwhile.
func copyPostgres(ctx context.Context, databaseURL, file string, m *Manifest, step Step) error {
	dump, err := program("pg_dump")
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, databaseURL, store.Options{Pool: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	tx, err := s.DB.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it has read only
	if _, err := tx.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
		return err
	}
	var snapshot string
	if err := tx.QueryRowContext(ctx, "SELECT pg_export_snapshot()").Scan(&snapshot); err != nil {
		return err
	}
	if err := m.describe(ctx, tx, step); err != nil {
		return err
	}
	return watched(file, "copying", 0, step, func() error {
		return child(ctx, databaseURL, dump, "--format=custom", "--no-owner", "--no-privileges", "--no-password", "--snapshot="+snapshot, "--file="+file)
	})
}

// loadPostgres has pg_restore fill an empty database, all or nothing.
func loadPostgres(ctx context.Context, databaseURL, file string, step Step) error {
	restore, err := program("pg_restore")
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, databaseURL, store.Options{Pool: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	var tables int
	// what an extension brought along is nobody's data
	if err := s.DB.QueryRowContext(ctx, `SELECT COUNT(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')`).Scan(&tables); err != nil {
		return err
	}
	if tables > 0 {
		return errNotEmpty(fmt.Sprintf("the database, with %d tables and views,", tables))
	}
	cfg, err := pq.NewConfig(databaseURL)
	if err != nil {
		return errors.New("the database URL is not understood")
	}
	step("restoring", 0, 0)
	name := "dbname='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(cfg.Database) + "'"
	if err := child(ctx, databaseURL, restore, "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password", "--dbname="+name, file); err != nil {
		return err
	}
	step("collecting statistics", 0, 0)
	_, err = s.DB.ExecContext(ctx, "ANALYZE")
	return err
}

// program finds one of PostgreSQL's own programs.
func program(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not in PATH: install PostgreSQL's client programs, of the server's version or a later one", name)
	}
	return path, nil
}

// child runs one of PostgreSQL's programs against the database. Where that is, and the password, travel in
// the environment: every user of a machine can read command lines.
func child(ctx context.Context, databaseURL, path string, args ...string) error {
	env, err := environment(databaseURL)
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, path, args...)
	c.Env = env
	var said bytes.Buffer
	c.Stdout, c.Stderr = &said, &said
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w: %s", err, strings.Join(strings.Fields(said.String()), " "))
	}
	return nil
}

// environment returns this process's own with the database in it, as libpq reads it.
func environment(databaseURL string) ([]string, error) {
	cfg, err := pq.NewConfig(databaseURL)
	if err != nil { // the driver's message may quote the password
		return nil, errors.New("the database URL is not understood")
	}
	hosts, ports, addresses := []string{cfg.Host}, []string{strconv.Itoa(int(cfg.Port))}, []string{""}
	if cfg.Hostaddr.IsValid() {
		addresses[0] = cfg.Hostaddr.String()
	}
	for _, m := range cfg.Multi {
		hosts, ports = append(hosts, m.Host), append(ports, strconv.Itoa(int(m.Port)))
		address := ""
		if m.Hostaddr.IsValid() {
			address = m.Hostaddr.String()
		}
		addresses = append(addresses, address)
	}
	set := map[string]string{
		"PGHOST": strings.Join(hosts, ","), "PGPORT": strings.Join(ports, ","), "PGDATABASE": cfg.Database, "PGUSER": cfg.User,
		"PGPASSWORD": cfg.Password, "PGPASSFILE": cfg.Passfile, "PGSSLMODE": string(cfg.SSLMode), "PGSSLCERT": cfg.SSLCert,
		"PGSSLKEY": cfg.SSLKey, "PGSSLROOTCERT": cfg.SSLRootCert, "PGOPTIONS": cfg.Options, "PGAPPNAME": "steward backup",
		"PGTARGETSESSIONATTRS": string(cfg.TargetSessionAttrs),
	}
	if strings.Trim(strings.Join(addresses, ""), " ") != "" {
		set["PGHOSTADDR"] = strings.Join(addresses, ",")
	}
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "PG") {
			env = append(env, e)
		}
	}
	for name, value := range set {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env, nil
}
