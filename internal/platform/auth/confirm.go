package auth

import (
	"context"

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
