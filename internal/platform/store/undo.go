package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/undoentry"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/rules/custom"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// undoDays is how long a change may be taken back.
const undoDays = 30

// Inverse takes the changes of one entity back where setting the fields is not
// enough, because totals hang on them.
type Inverse func(ctx context.Context, c *ent.Client, changes []*ent.ChangeEvent) error

// OnUndo names the inverse of an entity's changes. Areas call it when they are
// put together.
func (s *Store) OnUndo(name string, f Inverse) { s.inverses[name] = f }

// Hang puts something on a record, such as tags, and takes something off it, under the
// viewer's rights.
type Hang func(ctx context.Context, on ident.ID, add, remove []ident.ID) error

// OnUndoHanging names what takes back the changes "+name" and "-name" of any record,
// where name is no edge of it: what hangs on it lies in a table of its own.
func (s *Store) OnUndoHanging(name string, f Hang) { s.hanging[name] = f }

// hangs returns the part of a change that is about what hangs on the record.
func (s *Store) hangs(x *ent.ChangeEvent) []string {
	var out []string
	for name := range x.Diff {
		if s.hanging[strings.TrimLeft(name, "+-")] != nil {
			out = append(out, name)
		}
	}
	return out
}

// unhang takes that part back.
func (s *Store) unhang(ctx context.Context, x *ent.ChangeEvent) error {
	for _, name := range s.hangs(x) {
		f, d := s.hanging[name[1:]], x.Diff[name]
		if err := f(ctx, x.EntityID, idList(d[0]), idList(d[1])); err != nil {
			return err
		}
		delete(x.Diff, name)
	}
	return nil
}

// Undoable makes the transaction of ctx one that its actor may take back and
// returns the token for it. It is worth something only after the commit.
func Undoable(ctx context.Context) string {
	u := unitOf(ctx)
	if u == nil {
		return ""
	}
	if u.undo == "" {
		b := make([]byte, 24)
		_, _ = rand.Read(b)
		u.undo = base64.RawURLEncoding.EncodeToString(b)
	}
	return u.undo
}

// Do is Tx for a change that may be taken back; it returns the undo token.
func (s *Store) Do(ctx context.Context, fn func(ctx context.Context, c *ent.Client) error) (token string, err error) {
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		token = Undoable(ctx)
		return fn(ctx, c)
	})
	return token, err
}

// Undone tells what an undo did.
type Undone struct {
	ChangeSet string // the set that was taken back
	Changes   int    // how many rows
	Token     string // takes the undo itself back
}

// Undo takes back the change set that a token stands for: the inverse of each of
// its changes, newest first, under the actor's present rights. The token works
// once, for thirty days, for its actor. Where a row has changed since, nothing is
// done and the conflict names the rows.
func (s *Store) Undo(ctx context.Context, token string) (Undone, error) {
	var out Undone
	err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		v := viewer.From(ctx)
		own := scope.Elevate(ctx)
		entry, err := c.UndoEntry.Query().Where(undoentry.TokenHash(hashOf(token))).Where(s.Lock()).Only(own)
		if err != nil || entry.ActorID != string(v.ID) {
			return errs.NotFound()
		}
		if entry.UsedAt != nil || entry.ExpiresAt.Before(now()) {
			return errs.New(errs.State, "error.undo_used")
		}
		if err := c.UndoEntry.UpdateOne(entry).SetUsedAt(now()).Exec(own); err != nil {
			return err
		}
		out = Undone{ChangeSet: entry.ChangeSet, Token: Undoable(ctx)}
		out.Changes, err = s.takeBack(ctx, c, entry.ChangeSet)
		return err
	})
	return out, err
}

// UndoChangeSet takes back a change set by its id: an import, by whoever may
// write what it wrote.
func (s *Store) UndoChangeSet(ctx context.Context, set string) (int, error) {
	n := 0
	err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) (err error) {
		n, err = s.takeBack(ctx, c, set)
		return err
	})
	return n, err
}

// Undoes marks the transaction of ctx as one that takes the change set back, for
// verbs that undo in their own way.
func Undoes(ctx context.Context, set string) {
	if u := unitOf(ctx); u != nil {
		u.undoes = set
	}
}

func (s *Store) takeBack(ctx context.Context, c *ent.Client, set string) (int, error) {
	Undoes(ctx, set)
	changes, err := c.ChangeEvent.Query().Where(changeevent.ChangeSet(set)).
		Order(changeevent.ByID(sql.OrderDesc())).All(scope.Elevate(ctx))
	if err != nil {
		return 0, err
	}
	if len(changes) == 0 {
		return 0, errs.NotFound()
	}
	if err := s.untouched(ctx, c, changes); err != nil {
		return 0, err
	}
	for start := 0; start < len(changes); {
		end := start + 1
		for end < len(changes) && changes[end].EntityType == changes[start].EntityType {
			end++
		}
		batch := changes[start:end]
		if inverse := s.inverses[batch[0].EntityType]; inverse != nil {
			err = inverse(ctx, c, batch)
		} else {
			for _, x := range batch {
				if err = s.reverse(ctx, c, x); err != nil {
					break
				}
			}
		}
		if err != nil {
			return 0, err
		}
		start = end
	}
	return len(changes), nil
}

// untouched refuses when a row has changed after the change set.
func (s *Store) untouched(ctx context.Context, c *ent.Client, changes []*ent.ChangeEvent) error {
	last := map[ident.ID]int{}
	kind := map[ident.ID]string{}
	for _, x := range changes {
		if n := len(s.hangs(x)); n > 0 && n == len(x.Diff) {
			continue // the record itself was not changed
		}
		last[x.EntityID] = max(last[x.EntityID], x.EntityVersion)
		kind[x.EntityID] = x.EntityType
	}
	conflict := errs.New(errs.Conflict, "error.undo_changed")
	for id, version := range last {
		e := entity.ByName(kind[id])
		if e == nil || !e.Versioned || e.List == nil {
			continue
		}
		rows, err := e.List(ctx, c, byID(id), unordered, 1, 0)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return errs.NotFound()
		}
		if have, _ := e.Value(rows[0], "version").(int); have != version {
			conflict = conflict.With(errs.Field{Path: string(id), Key: "error.changed_since"})
		}
	}
	if len(conflict.Fields) > 0 {
		slices.SortFunc(conflict.Fields, func(a, b errs.Field) int { return strings.Compare(a.Path, b.Path) })
		return conflict
	}
	return nil
}

// reverse sets one row back through the guards.
func (s *Store) reverse(ctx context.Context, c *ent.Client, x *ent.ChangeEvent) error {
	e := entity.ByName(x.EntityType)
	if e == nil || e.Edit == nil || Op(x.Op) == OpEvent {
		return nil
	}
	if len(s.hangs(x)) > 0 {
		if err := s.unhang(ctx, x); err != nil || len(x.Diff) == 0 {
			return err
		}
	}
	if e.Machine != "" {
		if _, ok := x.Diff["status"]; ok && Op(x.Op) == OpUpdate {
			return errs.New(errs.State, "error.undo_move")
		}
		if _, ok := x.Diff["stage"]; ok && Op(x.Op) == OpUpdate {
			return errs.New(errs.State, "error.undo_move")
		}
	}
	w := e.Edit(c, x.EntityID, 0)
	if Op(x.Op) == OpCreate {
		if !e.Archivable {
			return errs.New(errs.State, "error.undo_create")
		}
		if err := w.Mutation.SetField("archived_at", now()); err != nil {
			return err
		}
	} else {
		own := map[string]any{} // of custom fields; nil takes a value away
		for name, d := range x.Diff {
			if code, ok := strings.CutPrefix(name, custom.Prefix); ok {
				own[code] = d[0]
				continue
			}
			if err := restore(e, w, name, d[0], d[1]); err != nil {
				return err
			}
		}
		if len(own) > 0 {
			if err := w.Mutation.SetField("custom", own); err != nil {
				return err
			}
		}
	}
	_, err := w.Save(ctx)
	return err
}

func restore(e *entity.Entity, w entity.Write, name string, before, after any) error {
	if edge, ok := strings.CutPrefix(name, "+"); ok {
		e.Link(w.Mutation, edge, nil, idList(after))
		return nil
	}
	if edge, ok := strings.CutPrefix(name, "-"); ok {
		e.Link(w.Mutation, edge, idList(before), nil)
		return nil
	}
	f, ok := e.Field(name)
	if !ok || f.Immutable {
		return nil
	}
	if before == nil && (f.Nullable || f.Kind == "json" || f.Kind == "strings") {
		return w.Mutation.ClearField(name)
	}
	value, err := f.FromJSON(before)
	if err != nil {
		return err
	}
	return w.Mutation.SetField(name, value)
}

func idList(v any) []ident.ID {
	list, _ := v.([]any)
	out := make([]ident.ID, 0, len(list))
	for _, x := range list {
		if s, ok := x.(string); ok {
			out = append(out, ident.ID(s))
		}
	}
	return out
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
