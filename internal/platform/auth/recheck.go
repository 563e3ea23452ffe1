package auth

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"golang.org/x/oauth2"

	"steward/ent"
	"steward/ent/personidentity"
	"steward/ent/session"
	"steward/internal/rules/ident"
)

// attempt is this server's share in asking about one session.
type attempt struct {
	mu   sync.Mutex
	next time.Time // no asking before this, after no answer
}

// recheck asks the identity provider again about a session when five minutes
// have passed: a refusal ends it (errNobody), new roles and memberships hold at
// once. No answer changes nothing; see Confirmed for what is then refused.
//
// Only one request may ask, because refresh tokens are good once and a second
// use ends the session at the provider. Within this server that is the
// attempt's lock, across servers the session's row lock; whoever does not get
// it goes on with what is known.
func (a *Auth) recheck(ctx context.Context, s *ent.Session) error {
	now := a.now()
	if now.Sub(s.IdpCheckedAt) < recheckEvery || !held(s.RefreshToken) || s.Issuer != a.cfg.StoredIssuer {
		return nil
	}
	at, found := a.attempts.Get(s.ID)
	if !found {
		at = &attempt{}
		if before, ok, _ := a.attempts.PeekOrAdd(s.ID, at); ok {
			at = before
		}
	}
	if !at.mu.TryLock() {
		return nil
	}
	defer at.mu.Unlock()
	if now.Before(at.next) {
		return nil
	}
	// A browser that goes away must not leave a used refresh token stored.
	ctx = context.WithoutCancel(ctx)
	var verdict error
	err := a.locked(ctx, s.ID, func(ctx context.Context, c *ent.Client) (err error) {
		verdict, err = a.ask(ctx, c, s.ID)
		return err
	})
	switch {
	case err != nil:
		return err
	case errors.Is(verdict, errIdP):
		at.next = now.Add(retryEvery)
		return nil
	}
	return verdict
}

// locked runs f while no other server works on the session. On PostgreSQL it
// holds the row's lock, and does nothing where another server has it. SQLite
// has one server only, whose lock is the attempt's; there f runs outside a
// transaction, which would stop all writers while the provider thinks.
func (a *Auth) locked(ctx context.Context, id ident.ID, f func(context.Context, *ent.Client) error) error {
	if a.store.Dialect != dialect.Postgres {
		return f(ctx, a.store.Client)
	}
	return a.store.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		n, err := c.Session.Query().Where(session.ID(id)).ForUpdate(sql.WithLockAction(sql.SkipLocked)).IDs(ctx)
		if err != nil || len(n) == 0 {
			return err
		}
		return f(ctx, c)
	})
}

// ask refreshes the session's tokens and takes over what the answer says. The
// verdict is nil, errNobody for a session that has ended or now ends, or errIdP
// for no answer. An err undoes everything.
func (a *Auth) ask(ctx context.Context, c *ent.Client, id ident.ID) (verdict, err error) {
	s, err := c.Session.Get(ctx, id) // as it is now, under the lock
	switch {
	case err != nil:
		return nil, err
	case s.EndedAt != nil:
		return errNobody, nil
	case a.now().Sub(s.IdpCheckedAt) < recheckEvery || !held(s.RefreshToken):
		return nil, nil // another server has just asked
	}
	old, err := a.cfg.Keys.Open(*s.RefreshToken, purpose(s.ID, "refresh"))
	if err != nil { // the key file was changed and the old key removed
		return errNobody, a.endSession(ctx, s, "key changed")
	}
	d, err := a.discover(ctx)
	if err != nil {
		return errIdP, nil
	}
	answer, err := a.tokens(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		return a.oauth(d).TokenSource(ctx, &oauth2.Token{RefreshToken: string(old), Expiry: time.Unix(1, 0)}).Token()
	})
	if err != nil {
		status, code, ok := refused(err)
		switch {
		case ok && status == http.StatusBadRequest:
			a.log.WarnContext(ctx, "session ended", "reason", "the provider refused the refresh", "error", first(code, 60), "session", s.ID, "person", s.PersonID)
			return errNobody, a.endSession(ctx, s, "refused by the provider")
		case ok: // our own credentials are wrong: that is not the person's fault
			a.log.ErrorContext(ctx, "recheck failed", "reason", "the token endpoint does not accept this client", "status", status, "error", first(code, 60))
		}
		return errIdP, nil
	}
	token, err := a.checkIDToken(ctx, d, answer, "")
	unanswered := errors.Is(err, errIdP) // the new tokens are there, the keys to check them are not
	if !unanswered && (err != nil || token.Subject != s.Subject || s.Sid != "" && token.Session != "" && token.Session != s.Sid) {
		a.log.WarnContext(ctx, "session ended", "reason", "the refreshed ID token does not fit", "session", s.ID, "person", s.PersonID)
		return errNobody, a.endSession(ctx, s, "refresh did not fit")
	}
	err = a.store.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		q := c.Session.Update().Where(session.ID(s.ID), session.EndedAtIsNil()).
			SetRefreshToken(a.cfg.Keys.Seal([]byte(answer.RefreshToken), purpose(s.ID, "refresh")))
		if !unanswered {
			q.SetIdpCheckedAt(a.now()).SetIDToken(a.cfg.Keys.Seal([]byte(token.Raw), purpose(s.ID, "id")))
		}
		n, err := q.Save(ctx)
		switch {
		case err != nil:
			return err
		case n == 0: // ended meanwhile, and stays so
			verdict = errNobody
			return nil
		case unanswered:
			verdict = errIdP
			return nil
		}
		identity, err := c.PersonIdentity.Query().Where(personidentity.Issuer(s.Issuer), personidentity.Subject(s.Subject)).Only(ctx)
		if err != nil {
			return err
		}
		return a.sync(ctx, c, identity, &token.claims)
	})
	return verdict, err
}

// endSession ends one session in a transaction.
func (a *Auth) endSession(ctx context.Context, s *ent.Session, why string) error {
	return a.store.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		_, err := a.end(ctx, c, why, session.ID(s.ID))
		return err
	})
}
