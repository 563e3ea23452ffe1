package auth

import (
	"context"
	"errors"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/session"
	"steward/internal/platform/store"
)

// CanRead reports whether the keyring opens the newest sealed token of a session: false without an error when
// there is none, an error when it was sealed with a key that the ring lacks.
func (k *Keyring) CanRead(ctx context.Context, s *store.Store) (found bool, err error) {
	x, err := s.Client.Session.Query().Where(session.IDTokenNotNil(), session.EndedAtIsNil()).
		Order(session.ByCreatedAt(sql.OrderDesc())).First(ctx)
	switch {
	case ent.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, store.Known(err)
	case !held(x.IDToken):
		return false, nil
	}
	if _, err := k.Open(*x.IDToken, purpose(x.ID, "id")); err != nil {
		return true, errors.New("it does not decrypt what is stored: the database was written with another key")
	}
	return true, nil
}
