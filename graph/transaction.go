package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"steward/internal/rules/errs"
)

// mutate runs all fields of a mutation in one transaction: any error takes
// everything back. A request with idempotency keys is answered at most once; the
// same one again gets the first answer, another one with a used key is refused.
// A request that failed is not remembered.
func (d *door) mutate(ctx context.Context, c *call, next graphql.ResponseHandler) *graphql.Response {
	keys, owner, hash := c.plan.keys, string(c.viewer.ID), ""
	if len(keys) > 0 {
		hash = fingerprint(graphql.GetOperationContext(ctx))
	}
	tx, b, err := d.store.Begin(ctx)
	if err != nil {
		return d.failed(ctx, err)
	}
	defer b.Rollback()
	for _, key := range keys {
		// mostly it is the first time, so the key is taken without a look at what it has
		if err := d.store.Claim(tx, owner, key, hash); err != nil {
			b.Rollback()
			if resp := d.remembered(ctx, keys, owner, hash); resp != nil {
				return resp
			}
			return d.failed(ctx, errs.New(errs.Unavailable, "error.unavailable").Wrap(err))
		}
	}
	resp := next(tx)
	if resp == nil || len(resp.Errors) > 0 {
		if resp != nil {
			resp.Data = nil
		}
		return resp
	}
	for _, key := range keys {
		if err := d.store.Answer(tx, owner, key, string(resp.Data)); err != nil {
			return d.failed(ctx, err)
		}
	}
	if err := b.Commit(tx); err != nil {
		return d.failed(ctx, err)
	}
	return resp
}

// remembered returns the answer the keys already have, nil when they have none.
func (d *door) remembered(ctx context.Context, keys []string, owner, hash string) *graphql.Response {
	for _, key := range keys {
		data, ok, err := d.store.Remembered(ctx, owner, key, hash)
		if err != nil {
			return d.failed(ctx, err)
		}
		if ok {
			return &graphql.Response{Data: json.RawMessage(data)}
		}
	}
	return nil
}

func (d *door) failed(ctx context.Context, err error) *graphql.Response {
	return &graphql.Response{Errors: gqlerror.List{d.present(ctx, err)}}
}

// fingerprint tells one request from another: document, operation, variables.
func fingerprint(oc *graphql.OperationContext) string {
	b, err := json.Marshal([]any{oc.RawQuery, oc.OperationName, oc.Variables})
	if err != nil { // variables came from JSON, so they go back to it
		b = []byte(oc.RawQuery)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
