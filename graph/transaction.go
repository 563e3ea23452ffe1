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
// A request that failed is not remembered. Mostly it is the first time, so nobody
// looks before there is a reason: a repetition fails, at the latest on its key.
func (d *door) mutate(ctx context.Context, c *call, next graphql.ResponseHandler) *graphql.Response {
	resp, ok := d.attempt(ctx, c, next)
	if ok || len(c.plan.keys) == 0 {
		return resp
	}
	for _, key := range c.plan.keys {
		data, known, err := d.store.Remembered(ctx, string(c.viewer.ID), key, fingerprint(graphql.GetOperationContext(ctx)))
		switch {
		case errs.CodeOf(err) == errs.Idempotency:
			c.refused.Clear()
			return d.failed(ctx, err)
		case known:
			c.refused.Clear() // it was carried out when it was asked first
			c.outcome.Store(wentWell)
			return &graphql.Response{Data: json.RawMessage(data)}
		}
	}
	return resp
}

// attempt runs the fields and reports whether everything is stored.
func (d *door) attempt(ctx context.Context, c *call, next graphql.ResponseHandler) (*graphql.Response, bool) {
	keys, owner, hash := c.plan.keys, string(c.viewer.ID), ""
	if len(keys) > 0 {
		hash = fingerprint(graphql.GetOperationContext(ctx))
	}
	tx, b, err := d.store.Begin(ctx)
	if err != nil {
		return d.failed(ctx, err), false
	}
	defer b.Rollback()
	for _, key := range keys {
		if err := d.store.Claim(tx, owner, key, hash); err != nil {
			return d.failed(ctx, err), false
		}
	}
	resp := next(tx)
	if resp == nil || len(resp.Errors) > 0 {
		if resp != nil {
			resp.Data = nil
		}
		return resp, false
	}
	for _, key := range keys {
		if err := d.store.Answer(tx, owner, key, string(resp.Data)); err != nil {
			return d.failed(ctx, err), false
		}
	}
	if err := b.Commit(tx); err != nil {
		b.Rollback()
		return d.failed(ctx, err), false
	}
	return resp, true
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
