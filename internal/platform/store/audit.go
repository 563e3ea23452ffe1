package store

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/rules/custom"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Op is what a change did.
type Op string

// The kinds of change.
const (
	OpCreate  Op = "CREATE"
	OpUpdate  Op = "UPDATE"
	OpArchive Op = "ARCHIVE"
	OpRestore Op = "RESTORE"
	OpDelete  Op = "DELETE"
	OpEvent   Op = "EVENT" // something that happened without a row changing: an export, a refused move
)

// Change is one row's change, as the audit keeps it.
type Change struct {
	Op      Op
	Entity  string
	ID      ident.ID
	Version int // of the row afterwards
	// Where the row lies, so that whoever may read it may read its history.
	Portfolio, Product, Vendor ident.ID
	// Diff holds each changed field's value before and after, as JSON would show
	// them. Edges are "+name" and "-name" with the ids added and removed, custom fields
	// "custom.code".
	Diff map[string][2]any
	// Reason overrides the reason of the context.
	Reason string
	// By overrides the viewer of the transaction: who signs in is known only in it.
	By *viewer.Viewer
}

// unaudited are the fields whose change says nothing; a change of nothing else
// leaves no audit row.
var unaudited = map[string]bool{"last_used_at": true, "updated_at": true, "updated_by": true, "created_at": true, "created_by": true, "version": true}

// change works out what the mutation does to the row.
func (w *writing) change() Change {
	c := Change{Op: OpUpdate, Entity: w.entity.Name, Version: 1, Diff: map[string][2]any{}}
	c.Portfolio, c.Product, c.Vendor = w.place.Portfolio, w.place.Product, w.place.Vendor
	switch {
	case w.m.Op().Is(ent.OpCreate):
		c.Op = OpCreate
	case w.m.Op().Is(ent.OpDeleteOne):
		c.Op = OpDelete
	}
	if w.old != nil {
		if v, ok := w.entity.Value(*w.old, "version").(int); ok {
			c.Version = v + 1
		}
	}
	for i, f := range w.entity.Fields {
		if unaudited[f.Name] {
			continue
		}
		var before any
		if w.old != nil {
			before = w.old.Values[i]
		}
		after := w.value(f.Name)
		if c.Op == OpDelete {
			after = nil
		}
		if !w.changed(f.Name) && c.Op != OpDelete {
			continue
		}
		if c.Op == OpCreate && blank(after) || same(before, after) {
			continue
		}
		if f.Kind == "secret" || sensitive(f.Name) {
			before, after = nil, "•••"
		}
		if f.Name == "custom" && w.entity.Registry {
			perField(c.Diff, before, after)
			continue
		}
		c.Diff[f.Name] = [2]any{before, after}
	}
	if d, ok := c.Diff["archived_at"]; ok && c.Op == OpUpdate {
		c.Op = OpRestore
		if d[1] != nil {
			c.Op = OpArchive
		}
	}
	for _, name := range w.m.AddedEdges() {
		if x, _ := w.entity.Edge(name); x.Kind == entity.Link {
			c.Diff["+"+name] = [2]any{nil, w.m.AddedIDs(name)}
		}
	}
	for _, name := range w.m.RemovedEdges() {
		if x, _ := w.entity.Edge(name); x.Kind == entity.Link {
			c.Diff["-"+name] = [2]any{w.m.RemovedIDs(name), nil}
		}
	}
	return c
}

// perField notes each value of a custom field under its own name, not all of them as
// one.
func perField(diff map[string][2]any, before, after any) {
	was, _ := before.(map[string]any)
	is, _ := after.(map[string]any)
	for _, values := range []map[string]any{was, is} {
		for code := range values {
			if !same(was[code], is[code]) {
				diff[custom.Prefix+code] = [2]any{was[code], is[code]}
			}
		}
	}
}

// sensitive names the columns whose content no audit row may hold.
func sensitive(field string) bool {
	return strings.HasSuffix(field, "secret") || strings.HasSuffix(field, "password") || strings.HasSuffix(field, "_hash") || strings.HasSuffix(field, "_token")
}

// same compares two values as they are stored: what prints alike in JSON is alike.
func same(a, b any) bool {
	if a == nil || b == nil {
		return blank(a) && blank(b) && a == nil && b == nil
	}
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

func blank(v any) bool {
	return v == nil || reflect.ValueOf(v).IsZero()
}

// Note adds a change to the audit of the transaction in ctx. Set-based verbs and
// events call it; ordinary writes are noted by the guard.
func Note(ctx context.Context, changes ...Change) error {
	u := unitOf(ctx)
	if u == nil {
		return ErrNoTransaction
	}
	u.changes = append(u.changes, changes...)
	return nil
}

// record writes the audit rows of a transaction, its outbox event and its right
// to be undone, just before it commits.
func (s *Store) record(ctx context.Context, u *unit) error {
	if len(u.changes) == 0 && u.flushed == nil {
		return nil
	}
	v := viewer.From(ctx)
	if v == nil {
		return ErrNoViewer
	}
	ctx = scope.Elevate(ctx)
	c := u.tx.Client()
	if err := u.write(ctx, c, v); err != nil {
		return err
	}
	if err := s.announce(ctx, c, u); err != nil {
		return err
	}
	if u.undo != "" {
		return c.UndoEntry.Create().SetTokenHash(hashOf(u.undo)).SetChangeSet(u.set).SetActorID(string(v.ID)).
			SetExpiresAt(now().Add(undoDays * 24 * time.Hour)).Exec(ctx)
	}
	return nil
}

// flushed is what is known of changes that are written already.
type flushed struct {
	first Change
	kinds map[string]int
}

// Flush writes the audit rows of what the transaction of ctx has noted so far, and lets them go: an
// import of a million rows cannot hold theirs in memory. The event is still one, at the commit.
func (s *Store) Flush(ctx context.Context) error {
	u, v := unitOf(ctx), viewer.From(ctx)
	switch {
	case u == nil:
		return ErrNoTransaction
	case v == nil:
		return ErrNoViewer
	}
	return known(u.write(scope.Elevate(ctx), u.tx.Client(), v))
}

// write stores the audit rows of the changes and counts them.
func (u *unit) write(ctx context.Context, c *ent.Client, v *viewer.Viewer) error {
	if len(u.changes) == 0 {
		return nil
	}
	if u.flushed == nil {
		u.flushed = &flushed{first: u.changes[0], kinds: map[string]int{}}
	}
	at, reason := now(), reasonOf(ctx)
	for start := 0; start < len(u.changes); start += 500 {
		batch := u.changes[start:min(start+500, len(u.changes))]
		rows := make([]*ent.ChangeEventCreate, len(batch))
		for i, x := range batch {
			rows[i] = changeRow(c, v, u, x, at, reason)
		}
		if err := c.ChangeEvent.CreateBulk(rows...).Exec(ctx); err != nil {
			return err
		}
	}
	for _, x := range u.changes {
		u.flushed.kinds[x.Entity+"."+string(x.Op)]++
	}
	u.changes = nil
	return nil
}

func changeRow(c *ent.Client, v *viewer.Viewer, u *unit, x Change, at time.Time, reason string) *ent.ChangeEventCreate {
	if x.Reason != "" {
		reason = x.Reason
	}
	if x.By != nil {
		v = x.By
	}
	r := c.ChangeEvent.Create().SetAt(at).SetOp(changeevent.Op(x.Op)).SetEntityType(x.Entity).SetEntityID(x.ID).
		SetEntityVersion(x.Version).SetActorKind(changeevent.ActorKind(v.Kind)).SetActorID(string(v.ID)).
		SetActorName(v.Name).SetVia(changeevent.Via(v.Via)).SetTokenID(string(v.TokenID)).SetOnBehalfOf(v.OnBehalfOf).
		SetRequestID(v.RequestID).SetChangeSet(u.set).SetUndoes(u.undoes).SetReason(reason).SetDiff(x.Diff)
	if x.Portfolio != "" {
		r.SetPortfolioID(x.Portfolio)
	}
	if x.Product != "" {
		r.SetProductID(x.Product)
	}
	if x.Vendor != "" {
		r.SetVendorID(x.Vendor)
	}
	return r
}

// Changes is the type of the outbox event that every transaction with changes has.
const Changes = "steward.changes.v1"

// announce writes one outbox event for the change set: what changed and where,
// never the values; whoever wants those asks with their own rights. Of sessions and
// refusals nobody outside hears, or whoever is refused could send messages.
func (s *Store) announce(ctx context.Context, c *ent.Client, u *unit) error {
	first := u.flushed.first
	if len(u.flushed.kinds) == 1 && u.flushed.kinds["Session.EVENT"] > 0 {
		return nil
	}
	payload := map[string]any{"changes": u.flushed.kinds}
	o := c.OutboxEvent.Create().SetType(Changes).SetSubjectType(first.Entity).
		SetSubjectID(string(first.ID)).SetChangeSet(u.set).SetPayload(payload)
	if first.Portfolio != "" {
		o.SetPortfolioID(first.Portfolio)
	}
	return o.Exec(ctx)
}

func newChangeSet() string { return string(ident.New("chs")) }

// History returns the audit rows of one record that the viewer may read, newest
// first.
func (s *Store) History(ctx context.Context, id ident.ID, limit, offset int) ([]*ent.ChangeEvent, error) {
	return s.ClientOf(ctx).ChangeEvent.Query().Where(changeevent.EntityID(id)).
		Order(changeevent.ByAt(sql.OrderDesc()), changeevent.ByID(sql.OrderDesc())).
		Limit(limit).Offset(offset).All(ctx)
}

// LastChange returns who changed a record last, for a conflict message; errors
// leave it empty.
func (s *Store) LastChange(ctx context.Context, id ident.ID) *ent.ChangeEvent {
	list, err := s.History(ctx, id, 1, 0)
	if err != nil || len(list) == 0 {
		return nil
	}
	return list[0]
}

// Stale explains why an update found no row: somebody changed it since (a
// conflict that names them and carries the row as it is now), or it is not there.
func (s *Store) Stale(ctx context.Context, name string, id ident.ID, err error) error {
	err = known(err)
	if err == nil || errs.CodeOf(err) != errs.CodeNotFound {
		return err
	}
	e := entity.ByName(name)
	rows, lerr := e.List(ctx, s.ClientOf(ctx), byID(id), unordered, 1, 0)
	if lerr != nil || len(rows) == 0 {
		return err
	}
	current := map[string]any{}
	for i, f := range e.Fields {
		if !HiddenField(ctx, e.Name, f.Name) {
			current[f.GQL] = rows[0].Values[i]
		}
	}
	who, when := "", time.Time{}
	if last := s.LastChange(ctx, id); last != nil {
		who, when = last.ActorName, last.At
	}
	return errs.Stale(who, when, current)
}
