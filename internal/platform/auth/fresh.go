package auth

import (
	"context"
	"time"

	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// DefaultFresh is how long ago somebody may have proved who they are for what
// wants a recent proof.
const DefaultFresh = 10 * time.Minute

// ErrNotFresh is the answer to somebody who must prove again who they are. The
// page door sends them to FreshLoginURL.
var ErrNotFresh = errs.New(errs.Unauthenticated, "auth.not_fresh")

type freshKey struct{}

// WithFresh returns a context in which a proof is recent for the duration; zero
// leaves DefaultFresh. The doors call it.
func WithFresh(ctx context.Context, within time.Duration) context.Context {
	if within == 0 {
		return ctx
	}
	return context.WithValue(ctx, freshKey{}, within)
}

// Fresh returns nil when the viewer proved recently who they are. Verbs that hand
// out rights (a role, a token, a webhook) call it, after they have looked at the
// viewer's own right: a browser that was left open, or a stolen cookie, must not be
// enough for them. The error is ErrNotFresh for an old session and Forbidden for
// tokens and integrations, which prove nothing about a person. The command line is
// fresh.
func Fresh(ctx context.Context) error {
	within, ok := ctx.Value(freshKey{}).(time.Duration)
	if !ok {
		within = DefaultFresh
	}
	switch v := viewer.From(ctx); {
	case v == nil:
		return store.ErrNoViewer
	case v.IsSystem():
		return nil
	case v.Kind != viewer.Person, v.SessionID == "", v.TokenID != "":
		return errs.New(errs.CodeForbidden, "auth.fresh_session")
	case stamp().Sub(v.AuthTime) > within:
		return ErrNotFresh
	}
	return nil
}
