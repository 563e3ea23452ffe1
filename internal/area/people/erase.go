package people

import (
	"context"
	"strings"

	"steward/ent"
	"steward/ent/apitoken"
	"steward/ent/calendarfeed"
	"steward/ent/personidentity"
	"steward/internal/platform/auth"
	"steward/internal/platform/event"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Data returns everything that is kept about a person: all of the rows that are
// their own, and of every other row that names them where it is. People get their
// own, those who look after people anybody's; to others nobody is there. That it was
// taken out is in the record of changes.
func Data(ctx context.Context, s *store.Store, id ident.ID) (map[string][]map[string]any, error) {
	v := viewer.From(ctx)
	p, err := s.ClientOf(ctx).Person.Get(ctx, id)
	if err != nil {
		return nil, store.Known(err)
	}
	if !MayTakeOut(v, id) {
		return nil, errs.Forbidden()
	}
	var out map[string][]map[string]any
	err = s.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
		out, err = s.About(ctx, id, known(p)...)
		n := 0
		for _, rows := range out {
			n += len(rows)
		}
		if err != nil {
			return err
		}
		return store.Note(ctx, event.Change(event.PersonExported, store.Change{Entity: "Person", ID: id}, map[string]any{"rows": n}))
	})
	return out, store.Known(err)
}

// MayTakeOut reports whether the viewer gets what is kept about the person.
func MayTakeOut(v *viewer.Viewer, id ident.ID) bool {
	lead := access.May(v, "Person", access.Manage) || v.Has(string(access.RolePeopleLead))
	return v.IsSystem() || v.Kind == viewer.Person && v.TokenID == "" && (v.ID == id || lead)
}

// known are the texts by which a person is found beside their id: a full name of
// several words and an e-mail address are nobody else's.
func known(p *ent.Person) (out []string) {
	if strings.Contains(p.Name, " ") {
		out = append(out, p.Name)
	}
	if p.Email != "" {
		out = append(out, p.Email)
	}
	return out
}

// Erased is what an erasure came to.
type Erased struct {
	Pseudonym string
	Values    int // replaced, outside the record of changes
	Rows      int // of the record of changes
}

// Erase takes a person out of Steward: they are shut out, their identities,
// sessions, feeds and notices are deleted, and wherever their name or e-mail address
// stands, in whatever text, it is replaced by a pseudonym. What they did and wrote
// stays, as the pseudonym's. The record of changes is redacted in the same way and
// says so itself; it goes on to verify. Only administrators may, with a recent
// proof of who they are. The errors are NotFound, Forbidden (oneself included),
// auth.ErrNotFresh and Validation naming "reason".
func Erase(ctx context.Context, s *store.Store, id ident.ID, reason string) (out Erased, err error) {
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		p, err := c.Person.Get(ctx, id)
		if err != nil {
			return err
		}
		if !access.May(viewer.From(ctx), "Person", access.Manage) {
			return errs.Forbidden()
		}
		if _, err := other(ctx, c, id); err != nil {
			return err
		}
		if err := why("reason", reason); err != nil {
			return err
		}
		if err := auth.Fresh(ctx); err != nil {
			return err
		}
		text := string(id)
		mark := strings.ToLower(text[len(text)-6:])
		out.Pseudonym = "Erased person " + mark
		words := store.Words{{From: p.Name, To: out.Pseudonym, Whole: !strings.Contains(p.Name, " ")}}
		if p.Email != "" {
			words = append(words, store.Word{From: p.Email, To: "erased-" + mark + "@invalid"})
		}
		reason = words.In(reason)
		ctx = store.Because(ctx, &reason)
		if p.Active {
			if err := auth.Deactivate(ctx, c, id); err != nil {
				return err
			}
		}
		out.Values, out.Rows, err = erase(scope.Elevate(ctx), s, c, id, words)
		return err
	})
	return out, store.Known(err)
}

func erase(ctx context.Context, s *store.Store, c *ent.Client, id ident.ID, words store.Words) (values, rows int, err error) {
	emptied := []ident.ID{id}
	identities, err := c.PersonIdentity.Query().Where(personidentity.PersonID(id)).All(ctx)
	if err != nil {
		return 0, 0, err
	}
	for _, i := range identities {
		emptied = append(emptied, i.ID)
		if len(i.Subject) > 5 { // it may be any word of the provider's: only where it is all of a text is it theirs
			words = append(words, store.Word{From: i.Subject, To: "erased", Whole: true})
		}
	}
	feeds, err := c.CalendarFeed.Query().Where(calendarfeed.PersonID(id)).IDs(ctx)
	if err != nil {
		return 0, 0, err
	}
	tokens, err := c.ApiToken.Query().Where(apitoken.PersonID(id)).IDs(ctx)
	if err != nil {
		return 0, 0, err
	}
	emptied = append(append(emptied, feeds...), tokens...)
	for table, column := range map[string]string{"person_identities": "person_id", "sessions": "person_id", "calendar_feeds": "person_id",
		"notifications": "person_id", "undo_entries": "actor_id"} {
		if _, err := s.DeleteOf(ctx, table, column, id); err != nil {
			return 0, 0, err
		}
	}
	if values, err = s.Forget(ctx, words); err != nil {
		return 0, 0, err
	}
	if err := s.Blank(ctx, id); err != nil {
		return 0, 0, err
	}
	redacted, err := s.Redact(ctx, words, emptied)
	if err != nil {
		return 0, 0, err
	}
	for _, about := range store.Redaction(redacted) {
		about["values"] = values
		if err := store.Note(ctx, event.Change(event.PersonErased, store.Change{Entity: "Person", ID: id}, about)); err != nil {
			return 0, 0, err
		}
	}
	return values, len(redacted), nil
}
