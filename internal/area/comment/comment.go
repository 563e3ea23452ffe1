// Package comment keeps the remarks on records. A comment is seen as the record it
// hangs on is: whoever may read the record reads its comments and may add one.
package comment

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"steward/ent"
	entcomment "steward/ent/comment"
	"steward/internal/area/subject"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// EditableFor is how long the author may change a comment.
const EditableFor = 15 * time.Minute

// bodyMax is the length of a comment in characters.
const bodyMax = 20000

// Add puts a comment on a record and returns it. The errors are NotFound for a
// record the viewer cannot see, Forbidden for one they may not comment on, and
// Validation naming "body" when it is empty or longer than 20,000 characters.
func Add(ctx context.Context, s *store.Store, on ident.ID, body string) (*ent.Comment, error) {
	body, err := text(body)
	if err != nil {
		return nil, err
	}
	var out *ent.Comment
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		sub, err := subject.Find(ctx, c, on)
		if err != nil {
			return err
		}
		v := viewer.From(ctx)
		if !sub.Allows(v, "Comment", access.Write) {
			return errs.Forbidden()
		}
		w := c.Comment.Create().SetSubjectType(sub.Entity.Name).SetSubjectID(sub.ID).
			SetAuthorID(v.ID).SetAuthorName(v.Name).SetBody(body)
		if sub.At.Portfolio != "" {
			w.SetPortfolioID(sub.At.Portfolio)
		}
		if sub.At.Product != "" {
			w.SetProductID(sub.At.Product)
		}
		if sub.At.Vendor != "" {
			w.SetVendorID(sub.At.Vendor)
		}
		out, err = w.Save(scope.Elevate(ctx))
		return err
	})
	return fresh(ctx, s, out, err)
}

// fresh returns the comment read anew, so that it does not hang on a transaction
// that has ended.
func fresh(ctx context.Context, s *store.Store, x *ent.Comment, err error) (*ent.Comment, error) {
	if err != nil {
		return nil, store.Known(err)
	}
	x, err = s.ClientOf(ctx).Comment.Get(scope.Elevate(ctx), x.ID)
	return x, store.Known(err)
}

// Edit changes a comment of one's own within fifteen minutes and returns it. The
// errors are NotFound for one on a record the viewer cannot see, Forbidden for
// another's or when the time is over, Conflict for a stale version, and Validation
// as with Add.
func Edit(ctx context.Context, s *store.Store, id ident.ID, version int, body string) (*ent.Comment, error) {
	body, err := text(body)
	if err != nil {
		return nil, err
	}
	var out *ent.Comment
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		own := scope.Elevate(ctx)
		x, err := c.Comment.Query().Where(entcomment.ID(id), entcomment.ArchivedAtIsNil()).Where(s.Lock()).Only(own)
		if err != nil {
			return err
		}
		if _, err := subject.Find(ctx, c, x.SubjectID); err != nil {
			return err
		}
		v := viewer.From(ctx)
		switch {
		case x.AuthorID != v.ID || v.ID == "":
			return errs.Forbidden()
		case !Editable(v, x):
			return errs.New(errs.CodeForbidden, "comment.too_late")
		case version != x.Version:
			return errs.Stale(x.AuthorName, x.UpdatedAt, map[string]any{"body": x.Body, "version": x.Version})
		}
		out, err = c.Comment.UpdateOne(x).SetBody(body).Save(own)
		return err
	})
	return fresh(ctx, s, out, err)
}

// Editable reports whether the viewer may still change the comment.
func Editable(v *viewer.Viewer, x *ent.Comment) bool {
	return v != nil && v.ID != "" && x.AuthorID == v.ID && x.ArchivedAt == nil && time.Now().UTC().Sub(x.CreatedAt) < EditableFor
}

// List returns the comments on a record, oldest first; limit 0 is all. The error is
// NotFound for a record the viewer cannot see.
func List(ctx context.Context, s *store.Store, on ident.ID, limit, offset int) ([]*ent.Comment, error) {
	c := s.ClientOf(ctx)
	sub, err := subject.Find(ctx, c, on)
	if err != nil {
		return nil, store.Known(err)
	}
	if !sub.Allows(viewer.From(ctx), "Comment", access.Read) {
		return nil, errs.NotFound()
	}
	// Seen as the record is seen now, wherever it lay when the comment was made.
	q := c.Comment.Query().Where(entcomment.SubjectID(on), entcomment.ArchivedAtIsNil()).
		Order(entcomment.ByCreatedAt(), entcomment.ByID()).Offset(offset)
	if limit > 0 {
		q.Limit(limit)
	}
	out, err := q.All(scope.Elevate(ctx))
	return out, store.Known(err)
}

func text(body string) (string, error) {
	switch body = strings.TrimSpace(body); {
	case body == "":
		return "", errs.Invalid("body", "error.required")
	case utf8.RuneCountInString(body) > bodyMax:
		return "", errs.Invalid("body", "error.too_long", "max", bodyMax)
	}
	return body, nil
}
