package store

import (
	"context"

	"entgo.io/ent/dialect"
)

// Alone makes the transaction of ctx wait until no other one is alone with the same
// name, so that two who look for a row and create what they miss do not both create
// it. SQLite has one writer, so there it does nothing.
func (s *Store) Alone(ctx context.Context, name string) error {
	if s.Dialect != dialect.Postgres {
		return nil
	}
	_, err := s.Raw(ctx).ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 7234002))", name)
	return known(err)
}
