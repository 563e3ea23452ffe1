package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"time"

	"steward/ent"
	"steward/ent/predicate"
	"steward/ent/session"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// errNobody is the answer to a request without usable credentials. It says
// nothing about why: a stolen cookie learns no more than a missing one.
var errNobody = errs.New(errs.Unauthenticated, "auth.sign_in")

// create stores a new session and returns the secret for the browser's cookie,
// which is stored nowhere but there.
func (a *Auth) create(ctx context.Context, c *ent.Client, r *http.Request, p *ent.Person, id *idToken, refreshToken string) (string, *ent.Session, error) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	secret := base64.RawURLEncoding.EncodeToString(b[:])
	now := a.now()
	proved := time.Unix(id.AuthTime, 0).UTC() // a provider that does not say when has proved nothing recently
	if proved.After(now) {
		proved = now
	}
	key := ident.New("ses")
	q := c.Session.Create().SetID(key).SetPersonID(p.ID).SetTokenHash(hashOf(secret)).SetIssuer(a.cfg.StoredIssuer).SetSubject(id.Subject).SetSid(first(id.Session, 200)).
		SetIDToken(a.cfg.Keys.Seal([]byte(id.Raw), purpose(key, "id"))).SetAuthTime(proved).SetLastSeenAt(now).SetIdpCheckedAt(now).
		SetExpiresAt(now.Add(a.cfg.Absolute)).SetUserAgent(first(r.UserAgent(), 300)).SetAddress(address(r))
	if refreshToken != "" {
		q.SetRefreshToken(a.cfg.Keys.Seal([]byte(refreshToken), purpose(key, "refresh")))
	}
	s, err := q.Save(ctx)
	return secret, s, err
}

// purpose binds a sealed token to its session and column.
func purpose(id ident.ID, column string) string { return "session " + column + " " + id.String() }

// held reports whether a sealed column has content; NULL is read as empty.
func held(sealed *[]byte) bool { return sealed != nil && len(*sealed) > 0 }

// find returns the live session of a cookie with its person, or errNobody.
func (a *Auth) find(ctx context.Context, secret string) (*ent.Session, error) {
	if len(secret) != 43 { // ours are 32 bytes in base64
		return nil, errNobody
	}
	s, err := a.store.Client.Session.Query().Where(session.TokenHash(hashOf(secret))).Only(ctx)
	switch {
	case ent.IsNotFound(err), errs.CodeOf(err) == errs.CodeNotFound:
		return nil, errNobody
	case err != nil:
		return nil, err
	case !a.live(s):
		return nil, errNobody
	}
	return s, nil
}

// live reports whether a session has neither been ended nor run out.
func (a *Auth) live(s *ent.Session) bool {
	now := a.now()
	return s.EndedAt == nil && now.Before(s.ExpiresAt) && now.Sub(s.LastSeenAt) <= a.cfg.Idle
}

// touch writes when the session was last seen, at most once a minute and in its
// own column, and only while it lives: a slow request revives nothing.
func (a *Auth) touch(ctx context.Context, s *ent.Session) error {
	now := a.now()
	if now.Sub(s.LastSeenAt) < seenEvery {
		return nil
	}
	return a.store.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		return c.Session.Update().Where(session.ID(s.ID), session.EndedAtIsNil(), session.LastSeenAtLT(now.Add(-seenEvery+time.Nanosecond))).
			SetLastSeenAt(now).Exec(ctx)
	})
}

// end makes sessions tombstones: they keep why they ended until their absolute
// end and lose the tokens they held. It returns how many it ended.
func (a *Auth) end(ctx context.Context, c *ent.Client, why string, which ...predicate.Session) (int, error) {
	return endWhere(ctx, c, a.now(), why, which...)
}

func (a *Auth) endByToken(ctx context.Context, c *ent.Client, secret, why string) error {
	_, err := a.end(ctx, c, why, session.TokenHash(hashOf(secret)))
	return err
}
