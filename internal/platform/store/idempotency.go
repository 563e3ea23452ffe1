package store

import (
	"cmp"
	"context"

	"steward/ent"
	"steward/ent/idempotencykey"
	"steward/internal/platform/scope"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// Remembered returns the answer stored for the owner's key, false when there is
// none yet. A key used for another request is an Idempotency error.
func (s *Store) Remembered(ctx context.Context, owner, key, requestHash string) (string, bool, error) {
	k, err := s.Client.IdempotencyKey.Query().
		Where(idempotencykey.Owner(owner), idempotencykey.IdempotencyKey(key)).Only(scope.Elevate(ctx))
	if ent.IsNotFound(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, known(err)
	}
	if k.RequestHash != requestHash {
		return "", false, errs.New(errs.Idempotency, "error.idempotency_reused")
	}
	return k.Response, k.Response != "", nil
}

// Claim takes the key for the request of the transaction in ctx. It is written with the
// answer when the transaction commits, which fails with a Conflict when another request
// has taken it: the caller then looks with Remembered. The same it does after any other
// error, as a repetition mostly fails on what the first one has done.
func (s *Store) Claim(ctx context.Context, owner, key, requestHash string) error {
	u := unitOf(ctx)
	if u == nil {
		return ErrNoTransaction
	}
	if err := cmp.Or(idempotencykey.OwnerValidator(owner), idempotencykey.IdempotencyKeyValidator(key), idempotencykey.RequestHashValidator(requestHash)); err != nil {
		return errs.Invalid("idempotencyKey", "error.invalid_value").Wrap(err)
	}
	u.claims = append(u.claims, claim{owner: owner, key: key, hash: requestHash})
	return nil
}

// Answer says what the request of a claimed key was answered. A request that failed is not
// remembered.
func (s *Store) Answer(ctx context.Context, owner, key, response string) error {
	u := unitOf(ctx)
	if u == nil {
		return ErrNoTransaction
	}
	for i := range u.claims {
		if c := &u.claims[i]; c.owner == owner && c.key == key {
			c.response = response
		}
	}
	return nil
}

// claim is a key that a transaction takes, with what its request was answered.
type claim struct{ owner, key, hash, response string }

// store adds the statement that takes it.
func (c claim) store(t *together) {
	at := now()
	t.insert(idempotencykey.Table, []string{"id", "created_at", "updated_at", "owner", "idempotency_key", "request_hash", "response"},
		[]any{string(ident.New("idk")), at, at, c.owner, c.key, c.hash, c.response})
}
