package auth

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/apitoken"
	"steward/ent/predicate"
	"steward/ent/session"
	"steward/internal/platform/event"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// endWhere ends the sessions and says of each in the record of changes whose it was
// and why it ended.
func endWhere(ctx context.Context, c *ent.Client, now time.Time, why string, which ...predicate.Session) (int, error) {
	which = append(which, session.EndedAtIsNil())
	ended, err := c.Session.Query().Where(which...).Select(session.FieldID, session.FieldPersonID).All(ctx)
	if err != nil || len(ended) == 0 {
		return 0, err
	}
	for _, s := range ended {
		about := map[string]any{"why": why, "person": s.PersonID}
		if err := store.Note(ctx, event.Change(event.SessionEnded, store.Change{Entity: "Session", ID: s.ID}, about)); err != nil {
			return 0, err
		}
	}
	return c.Session.Update().Where(which...).
		SetEndedAt(now).SetEndedWhy(why).ClearRefreshToken().ClearIDToken().Save(ctx)
}

// stamp is the clock of the functions that run inside somebody else's transaction.
func stamp() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// allowed returns nil when the viewer may write rows of the entity that belong
// to the person (or, without one, to nobody), and what to answer otherwise.
func allowed(ctx context.Context, entity string, letter access.Letter, personID ident.ID) error {
	v := viewer.From(ctx)
	if v == nil {
		return store.ErrNoViewer
	}
	if !access.For(v, entity, letter).Includes(access.Row{Person: personID}) {
		return errs.Forbidden()
	}
	return nil
}

// Sessions returns a person's live sessions, the last seen first, for the page
// on which people see where they are signed in. Others' are absent.
func Sessions(ctx context.Context, c *ent.Client, personID ident.ID) ([]*ent.Session, error) {
	return c.Session.Query().Where(session.PersonID(personID), session.EndedAtIsNil(), session.ExpiresAtGT(stamp())).
		Order(session.ByLastSeenAt(sql.OrderDesc()), session.ByID()).All(ctx)
}

// EndSessions ends a person's sessions, all of them or only those named, and
// returns how many it ended. It works inside the caller's transaction. People
// end their own, administrators anybody's; the error is Forbidden for others.
func EndSessions(ctx context.Context, c *ent.Client, personID ident.ID, why string, only ...ident.ID) (int, error) {
	if err := allowed(ctx, "Session", access.Write, personID); err != nil {
		return 0, err
	}
	which := []predicate.Session{session.PersonID(personID)}
	if len(only) > 0 {
		which = append(which, session.IDIn(only...))
	}
	return endWhere(scope.Elevate(ctx), c, stamp(), why, which...)
}

// Deactivate shuts somebody out at once: in the caller's transaction the person
// becomes inactive, their sessions end and their API tokens are revoked, so
// that no request that begins after the commit is answered. Only
// administrators may; the error is NotFound for somebody who does not exist.
func Deactivate(ctx context.Context, c *ent.Client, personID ident.ID) error {
	if err := allowed(ctx, "Person", access.Manage, ""); err != nil {
		return err
	}
	p, err := c.Person.Get(ctx, personID)
	if ent.IsNotFound(err) {
		return errs.NotFound()
	}
	if err != nil {
		return err
	}
	if err := c.Person.UpdateOne(p).SetActive(false).Exec(ctx); err != nil {
		return err
	}
	if _, err := EndSessions(ctx, c, personID, "deactivated"); err != nil {
		return err
	}
	ctx = scope.Elevate(ctx)
	tokens, err := c.ApiToken.Query().Where(apitoken.PersonID(personID), apitoken.RevokedAtIsNil()).All(ctx)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if err := c.ApiToken.UpdateOne(t).SetRevokedAt(stamp()).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
