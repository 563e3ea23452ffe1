package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"steward/internal/platform/event"
	"steward/internal/platform/obs"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// Authenticate returns who makes the request: a person by the session cookie,
// or a token's owner or an integration by "Authorization: Bearer". A bearer
// token wins over a cookie. The error has the code Unauthenticated where there
// is no usable proof, whatever is wrong with it, and Unavailable where it could
// not be checked.
func (a *Auth) Authenticate(r *http.Request) (*viewer.Viewer, error) {
	return a.answerable(r, true)
}

// Again returns who made a request that is not finished yet, as of now: a stream asks it
// before it goes on. It is Authenticate, but does not count as use of the session, which
// would otherwise never become idle.
func (a *Auth) Again(r *http.Request) (*viewer.Viewer, error) { return a.answerable(r, false) }

func (a *Auth) answerable(r *http.Request, used bool) (*viewer.Viewer, error) {
	ctx := system(r.Context())
	v, err := a.authenticate(ctx, r, used)
	if err != nil {
		return nil, err
	}
	v.RequestID = obs.RequestID(ctx)
	if req := obs.RequestFrom(ctx); req != nil {
		req.SetPerson(v.ID.String())
	}
	return v, nil
}

func (a *Auth) authenticate(ctx context.Context, r *http.Request, used bool) (*viewer.Viewer, error) {
	// A token in an address ends up in logs and histories: it is burnt, not used.
	if q := r.URL.RawQuery; strings.Contains(q, "access_token=") || strings.Contains(q, TokenPrefix) {
		a.log.WarnContext(ctx, "credentials refused", "reason", "a token in the address")
		a.cfg.Events.Refused(ctx, event.CredentialsRefused, address(r), map[string]any{"why": "a token in the address"})
		return nil, errNobody
	}
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return nil, errNobody
		}
		v, err := a.bearer(ctx, strings.TrimSpace(token))
		switch {
		case errors.Is(err, errIdP):
			return nil, errs.New(errs.Unavailable, "auth.unavailable").Wrap(err)
		case errs.CodeOf(err) == errs.Unauthenticated:
			a.log.WarnContext(ctx, "credentials refused", "reason", err.Error())
			a.cfg.Events.Refused(ctx, event.CredentialsRefused, address(r), nil) // why may hold what was sent
			return nil, errNobody
		}
		return v, err
	}
	cookie, err := r.Cookie(a.cookieName(sessionCookie))
	if err != nil {
		return nil, errNobody
	}
	s, err := a.find(ctx, cookie.Value)
	if err != nil {
		return nil, err
	}
	if err := a.recheck(ctx, s); err != nil {
		return nil, err
	}
	if used {
		if err := a.touch(ctx, s); err != nil {
			return nil, err
		}
	}
	v, err := a.person(ctx, s.PersonID)
	if err != nil {
		return nil, err
	}
	v.Via, v.SessionID, v.AuthTime = viewer.ViaPage, s.ID, s.AuthTime
	return v, nil
}

// refusal is a bearer token that is no good; why is for the log only.
func refusal(why error) error { return errNobody.Wrap(why) }

func (a *Auth) bearer(ctx context.Context, token string) (*viewer.Viewer, error) {
	switch {
	case strings.HasPrefix(token, TokenPrefix):
		return a.byAPIToken(ctx, token)
	case token == "" || len(token) > bearerMax || a.cfg.Issuer == "":
		return nil, refusal(errors.New("no token that could be checked"))
	}
	return a.byAccessToken(ctx, token)
}
