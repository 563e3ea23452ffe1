package store

import (
	"context"

	"steward/ent"
	"steward/ent/idempotencykey"
	"steward/internal/platform/scope"
	"steward/internal/rules/errs"
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

// Claim takes the key for the request of the transaction in ctx. Another
// transaction that holds it makes this one wait and then fail with a Conflict;
// the caller then looks again with Remembered.
func (s *Store) Claim(ctx context.Context, owner, key, requestHash string) error {
	return known(s.ClientOf(ctx).IdempotencyKey.Create().SetOwner(owner).SetIdempotencyKey(key).
		SetRequestHash(requestHash).Exec(scope.Elevate(ctx)))
}

// Answer stores what the request of the claimed key was answered, in the same
// transaction: a request that failed is not remembered.
func (s *Store) Answer(ctx context.Context, owner, key, response string) error {
	return known(s.ClientOf(ctx).IdempotencyKey.Update().
		Where(idempotencykey.Owner(owner), idempotencykey.IdempotencyKey(key)).SetResponse(response).Exec(scope.Elevate(ctx)))
}
