package people

import (
	"context"
	"slices"
	"strings"
	"time"

	"steward/ent"
	"steward/ent/person"
	"steward/internal/platform/i18n"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// Profile is what a person chooses for themselves.
type Profile struct {
	Language string // "en", "fr", or "" for what the browser asks for
	TimeZone string // an IANA name
	Version  int
}

// Own returns the caller's own row, which they read whatever their roles are. The
// error is NotFound for callers that are no person.
func Own(ctx context.Context, s *store.Store) (*ent.Person, error) {
	p, err := s.ClientOf(ctx).Person.Get(scope.Elevate(ctx), viewer.From(ctx).ID)
	return p, store.Known(err)
}

// SaveProfile keeps the caller's own language and time zone: their own row and these
// two columns only, which nobody needs a role for. The errors are Validation naming
// "language" or "time_zone", and Conflict for a stale version.
func SaveProfile(ctx context.Context, s *store.Store, in Profile) error {
	if in.Language != "" && !slices.Contains(i18n.Languages(), in.Language) {
		return errs.Invalid("language", "error.not_in_list", "value", in.Language, "options", strings.Join(i18n.Languages(), ", "))
	}
	if _, err := time.LoadLocation(in.TimeZone); err != nil || in.TimeZone == "" || in.TimeZone == "Local" {
		return errs.Invalid("time_zone", "error.not_zone", "value", in.TimeZone)
	}
	id := viewer.From(ctx).ID
	return store.Known(s.Tx(scope.Elevate(ctx), func(ctx context.Context, c *ent.Client) error {
		q := c.Person.UpdateOneID(id).Where(person.Version(in.Version)).SetTimeZone(in.TimeZone)
		if in.Language == "" {
			q.ClearLanguage()
		} else {
			q.SetLanguage(person.Language(in.Language))
		}
		return s.Stale(ctx, "Person", id, q.Exec(ctx))
	}))
}
