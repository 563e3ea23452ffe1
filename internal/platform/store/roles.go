package store

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"entgo.io/ent/dialect"
)

// roleName is what a database role may be called here: nothing that would need quotes.
var roleName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// GrantRoles gives two database roles that own nothing what they need of the schema
// that the owner has just migrated (AU-4). The role of the servers reads and writes
// all tables, but can only add to the record of changes and cannot touch its seals.
// The role of the worker, which runs the jobs, also seals, and deletes what has been
// kept long enough; it cannot alter the record either. Giving the same again changes
// nothing. PostgreSQL only.
func GrantRoles(ctx context.Context, databaseURL, app, worker string) error {
	for _, role := range []string{app, worker} {
		if !roleName.MatchString(role) {
			return fmt.Errorf("the database role %q is not understood: small letters, digits and _", role)
		}
	}
	db, d, err := connect(databaseURL, Options{Pool: 1})
	if err != nil {
		return err
	}
	defer db.Close()
	if d != dialect.Postgres {
		return fmt.Errorf("database roles need PostgreSQL")
	}
	var schema string
	if err := db.QueryRowContext(ctx, "SELECT quote_ident(current_schema())").Scan(&schema); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	//lint:sql the names were checked above, the schema is quoted
	fill := strings.NewReplacer("{schema}", schema, "{both}", app+", "+worker, "{worker}", worker)
	for _, q := range []string{
		"GRANT USAGE ON SCHEMA {schema} TO {both}",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {both}",
		"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {both}",
		"REVOKE ALL ON change_events, audit_seals, audit_heads, goose_db_version FROM {both}",
		"GRANT SELECT ON audit_seals, audit_heads, goose_db_version TO {both}",
		"GRANT SELECT, INSERT ON change_events TO {both}",
		"GRANT DELETE ON change_events TO {worker}",
		"GRANT INSERT, DELETE ON audit_seals TO {worker}",
		"GRANT INSERT, UPDATE ON audit_heads TO {worker}",
	} {
		q = fill.Replace(q)
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	return tx.Commit()
}
