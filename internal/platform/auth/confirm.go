package auth

import (
	"context"
	"time"

	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// Confirmed returns nil when the identity provider has confirmed the viewer's
// session within the last hour. Doors ask it before an approval: while the
// provider is silent people go on reading and editing, but nothing is approved
// on rights that may have been taken away. The error is Unavailable; viewers
// without a session (tokens, the system) get Forbidden, for they never approve.
func (a *Auth) Confirmed(ctx context.Context) error {
	v := viewer.From(ctx)
	if v == nil || v.SessionID == "" {
		return errs.Forbidden()
	}
	s, err := a.store.ClientOf(ctx).Session.Get(system(ctx), v.SessionID)
	switch {
	case err != nil:
		return store.Known(err)
	case a.now().Sub(s.IdpCheckedAt) > ConfirmedFor:
		return errs.New(errs.Unavailable, "auth.unconfirmed")
	}
	return nil
}

// Fresh reports whether the viewer proved who they are within the last within.
// Where it says no, send the browser to FreshLoginURL: role grants, new tokens
// and large approvals want it.
func (a *Auth) Fresh(ctx context.Context, within time.Duration) bool {
	v := viewer.From(ctx)
	return v != nil && v.SessionID != "" && a.now().Sub(v.AuthTime) <= within
}
