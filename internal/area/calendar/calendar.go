// Package calendar gives people addresses at which a calendar program reads dates: when contracts end
// and must be decided about, when procurements are planned, when cycles and initiatives end. A feed is
// read with its person's rights at that moment, shows titles and dates and nothing else, and ends when
// it is revoked or its person is no longer active.
//
// The page door calls the verbs on behalf of a person, and Find on behalf of the system.
package calendar

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"steward/ent"
	"steward/ent/calendarfeed"
	"steward/internal/platform/auth"
	"steward/internal/platform/i18n"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

const (
	tokenBytes = 32
	hintLength = 6
	feedsMost  = 20 // of one person
	usedEvery  = time.Minute
)

// Input is a new feed.
type Input struct {
	Name     string
	Kinds    []string // of Kinds
	Language string
}

// Create makes a feed of the viewer's own and returns its token, which is stored nowhere and cannot be
// had again. It wants a recent proof of who they are.
func Create(ctx context.Context, s *store.Store, in Input) (token string, f *ent.CalendarFeed, err error) {
	v, err := person(ctx)
	if err != nil {
		return "", nil, err
	}
	in.Name = strings.TrimSpace(in.Name)
	switch {
	case in.Name == "":
		return "", nil, errs.Invalid("name", "error.required")
	case len([]rune(in.Name)) > 120:
		return "", nil, errs.Invalid("name", "error.too_long", "max", 120)
	case len(in.Kinds) == 0 || slices.ContainsFunc(in.Kinds, func(k string) bool { return !slices.Contains(Kinds, k) }):
		return "", nil, errs.Invalid("kinds", "feed.no_kind")
	}
	if err := auth.Fresh(ctx); err != nil {
		return "", nil, err
	}
	if !slices.Contains(i18n.Languages(), in.Language) {
		in.Language = i18n.English
	}
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	token = base64.RawURLEncoding.EncodeToString(b[:])
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		own := scope.Elevate(ctx)
		n, err := c.CalendarFeed.Query().Where(calendarfeed.PersonID(v.ID), calendarfeed.RevokedAtIsNil()).Count(own)
		if err != nil {
			return err
		}
		if n >= feedsMost {
			return errs.Invalid("name", "feed.too_many", "max", feedsMost)
		}
		f, err = c.CalendarFeed.Create().SetPersonID(v.ID).SetName(in.Name).SetKinds(in.Kinds).SetLanguage(in.Language).
			SetTokenHash(hash(token)).SetHint(token[:hintLength]).Save(own)
		return err
	})
	if err != nil {
		return "", nil, store.Known(err)
	}
	return token, f, nil
}

// List returns the viewer's feeds that have not been revoked, oldest first.
func List(ctx context.Context, s *store.Store) ([]*ent.CalendarFeed, error) {
	v, err := person(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.ClientOf(ctx).CalendarFeed.Query().Where(calendarfeed.PersonID(v.ID), calendarfeed.RevokedAtIsNil()).
		Order(calendarfeed.ByCreatedAt(), calendarfeed.ByID()).All(scope.Elevate(ctx))
	return list, store.Known(err)
}

// Revoke ends a feed of the viewer's own; NotFound for any other.
func Revoke(ctx context.Context, s *store.Store, id ident.ID) error {
	v, err := person(ctx)
	if err != nil {
		return err
	}
	return store.Known(s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		own := scope.Elevate(ctx)
		f, err := c.CalendarFeed.Query().Where(calendarfeed.ID(id), calendarfeed.PersonID(v.ID), calendarfeed.RevokedAtIsNil()).Only(own)
		if err != nil {
			return err
		}
		return c.CalendarFeed.UpdateOne(f).SetRevokedAt(now()).Exec(own)
	}))
}

// person returns the viewer, where it is somebody who is signed in: tokens make no tokens.
func person(ctx context.Context) (*viewer.Viewer, error) {
	v := viewer.From(ctx)
	if v == nil || v.Kind != viewer.Person || v.TokenID != "" {
		return nil, errs.Forbidden()
	}
	return v, nil
}

// Find returns the feed of a token and notes, at most once a minute, that it was read. The error is
// NotFound for a token that is not known or was revoked; it takes as long. Only the system may ask.
func Find(ctx context.Context, s *store.Store, token string) (*ent.CalendarFeed, error) {
	if !viewer.From(ctx).IsSystem() {
		return nil, errs.NotFound()
	}
	wanted := hash(token)
	f, err := s.ClientOf(ctx).CalendarFeed.Query().Where(calendarfeed.TokenHash(wanted)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, store.Known(err)
	}
	stored := hash("") // somebody unknown is compared too
	if err == nil {
		stored = f.TokenHash
	}
	if subtle.ConstantTimeCompare([]byte(stored), []byte(wanted)) != 1 || err != nil || f.RevokedAt != nil {
		return nil, errs.NotFound()
	}
	if f.LastUsedAt == nil || now().Sub(*f.LastUsedAt) >= usedEvery {
		err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			return c.CalendarFeed.UpdateOneID(f.ID).SetLastUsedAt(now()).Exec(ctx)
		})
	}
	return f, store.Known(err)
}

// hash is how a token is stored: it is random, so neither salt nor a slow function adds anything.
func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
