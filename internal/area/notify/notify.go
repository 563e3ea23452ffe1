// Package notify tells people of what concerns them: a message of the catalogue with
// what to put into it, so that each reads it in their own language, and where to look.
// A message belongs to one person; nobody else reads it.
//
// Other areas, jobs and doors call Tell; the page door shows the messages.
package notify

import (
	"context"
	"fmt"
	"time"

	"steward/ent"
	"steward/ent/notification"
	"steward/ent/predicate"
	"steward/internal/platform/i18n"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Tell leaves a message for a person. message is a key of the catalogue, args the names
// and values it is filled with (kept as JSON), href a path of this site or empty. A
// unique key makes two messages to the same person one: the second is not written. It
// joins the transaction of ctx; the caller has decided that the person may know.
func Tell(ctx context.Context, s *store.Store, person ident.ID, message string, args map[string]any, href, unique string) error {
	if !i18n.Has(i18n.English, message) {
		return fmt.Errorf("notify: %q is no message", message)
	}
	return s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		own := scope.Elevate(ctx)
		w := c.Notification.Create().SetPersonID(person).SetMessage(message).SetArgs(args).SetHref(href)
		if unique != "" {
			told, err := c.Notification.Query().Where(notification.PersonID(person), notification.UniqueKey(unique)).Exist(own)
			if err != nil || told {
				return err
			}
			w.SetUniqueKey(unique)
		}
		return w.Exec(own)
	})
}

// Unread returns how many messages the viewer has not read.
func Unread(ctx context.Context, s *store.Store) (int, error) {
	n, err := s.ClientOf(ctx).Notification.Query().Where(mine(ctx), notification.ReadAtIsNil()).Count(scope.Elevate(ctx))
	return n, store.Known(err)
}

// List returns the messages of the viewer, newest first.
func List(ctx context.Context, s *store.Store, limit, offset int) ([]*ent.Notification, error) {
	out, err := s.ClientOf(ctx).Notification.Query().Where(mine(ctx)).
		Order(ent.Desc(notification.FieldCreatedAt), ent.Desc(notification.FieldID)).Limit(limit).Offset(offset).All(scope.Elevate(ctx))
	return out, store.Known(err)
}

// Read marks one message of the viewer as read and returns it. The error is NotFound
// for another's.
func Read(ctx context.Context, s *store.Store, id ident.ID) (x *ent.Notification, err error) {
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		own := scope.Elevate(ctx)
		if x, err = c.Notification.Query().Where(notification.ID(id), mine(ctx)).Only(own); err != nil {
			return err
		}
		if x.ReadAt != nil {
			return nil
		}
		at := now()
		x.ReadAt = &at
		return c.Notification.Update().Where(notification.ID(id)).SetReadAt(at).Exec(own)
	})
	return x, store.Known(err)
}

// ReadAll marks all messages of the viewer as read and returns how many were not.
func ReadAll(ctx context.Context, s *store.Store) (n int, err error) {
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		n, err = c.Notification.Update().Where(mine(ctx), notification.ReadAtIsNil()).SetReadAt(now()).Save(scope.Elevate(ctx))
		return err
	})
	return n, store.Known(err)
}

// Purge deletes the messages that were read before the day. A job calls it in a
// transaction of its own; area/retention says how long they stay.
func Purge(ctx context.Context, c *ent.Client, before time.Time) (int, error) {
	if !viewer.From(ctx).IsSystem() {
		return 0, errs.Forbidden()
	}
	return c.Notification.Delete().Where(notification.ReadAtLT(before)).Exec(ctx)
}

// mine narrows to the viewer's own messages. Somebody without an id has none.
func mine(ctx context.Context) predicate.Notification {
	v := viewer.From(ctx)
	if v == nil || v.Kind != viewer.Person || v.ID == "" {
		return notification.PersonID("-")
	}
	return notification.PersonID(v.ID)
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
