package store

import (
	"cmp"
	"context"
	"encoding/json"
	"iter"
	"reflect"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/internal/platform/entity"
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
	// Written is the Diff as JSON where there is one already: an import makes millions.
	Written []byte
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

// few is how many audit rows go into one statement with all else that a transaction leaves
// when it commits; more are written by themselves.
const few = 20

// record writes the audit rows of a transaction, its outbox event, its right to be
// undone and the answer to its keys, just before it commits: in one call, unless there
// are many rows.
func (s *Store) record(ctx context.Context, u *unit) error {
	t := &together{}
	if len(u.changes) > 0 || u.flushed != nil {
		v := viewer.From(ctx)
		if v == nil {
			return ErrNoViewer
		}
		if len(u.changes) > few {
			if err := s.flush(ctx, u, v); err != nil {
				return err
			}
		} else if err := u.audit(ctx, v, t); err != nil {
			return err
		}
		if err := u.announce(t); err != nil {
			return err
		}
		if u.undo != "" {
			at := now()
			t.insert("undo_entries", []string{"id", "created_at", "updated_at", "token_hash", "change_set", "actor_id", "expires_at"},
				[]any{string(ident.New("und")), at, at, hashOf(u.undo), u.set, string(v.ID), at.Add(undoDays * 24 * time.Hour)})
		}
	}
	for _, c := range u.claims {
		c.store(t)
	}
	return t.send(ctx, s)
}

// flushed is what is known of changes that are written already.
type flushed struct {
	first Change
	kinds map[string]int
}

// count remembers a change for the event of the transaction.
func (u *unit) count(x Change) {
	if u.flushed == nil {
		u.flushed = &flushed{first: x, kinds: map[string]int{}}
	}
	u.flushed.kinds[x.Entity+"."+string(x.Op)]++
}

// Flush writes the audit rows of what the transaction of ctx has noted so far, and lets them go: an
// import of a million rows cannot hold theirs in memory. The event is still one, at the commit.
func (s *Store) Flush(ctx context.Context) error { return s.NoteMany(ctx, nil) }

// NoteMany is Note for a great many changes: their audit rows are written at once, one
// after another as they are made, after those noted before.
func (s *Store) NoteMany(ctx context.Context, changes iter.Seq[Change]) error {
	u, v := unitOf(ctx), viewer.From(ctx)
	switch {
	case u == nil:
		return ErrNoTransaction
	case v == nil:
		return ErrNoViewer
	}
	if len(u.changes) > 0 {
		if err := s.flush(ctx, u, v); err != nil {
			return known(err)
		}
	}
	if changes == nil {
		return nil
	}
	return known(s.auditMany(ctx, u, v, changes))
}

// flush writes the audit rows of what was noted.
func (s *Store) flush(ctx context.Context, u *unit, v *viewer.Viewer) error {
	changes := u.changes
	u.changes = nil
	return s.auditMany(ctx, u, v, slices.Values(changes))
}

func (s *Store) auditMany(ctx context.Context, u *unit, v *viewer.Viewer, changes iter.Seq[Change]) error {
	w := newAuditor(ctx, u, v)
	err := s.Insert(ctx, changeevent.Table, changeColumns, func(yield func([]any) bool) {
		for x := range changes {
			u.count(x)
			row, err := w.row(x)
			if err != nil {
				w.err = err
				return
			}
			if !yield(row) {
				return
			}
		}
	})
	return cmp.Or(w.err, err)
}

// audit adds the audit rows of what was noted to the statement of the commit.
func (u *unit) audit(ctx context.Context, v *viewer.Viewer, t *together) error {
	if len(u.changes) == 0 {
		return nil
	}
	w := newAuditor(ctx, u, v)
	rows := make([][]any, len(u.changes))
	for i, x := range u.changes {
		u.count(x)
		row, err := w.row(x)
		if err != nil {
			return err
		}
		rows[i] = slices.Clone(row)
	}
	u.changes = nil
	t.insert(changeevent.Table, changeColumns, rows...)
	return nil
}

// changeColumns are the columns of an audit row, without the number of the transaction,
// which is the database's.
var changeColumns = changeevent.Columns[:len(changeevent.Columns)-1]

// auditor makes the audit rows of one transaction.
type auditor struct {
	viewer *viewer.Viewer
	unit   *unit
	at     time.Time
	reason string
	values [20]any // the row that was made last
	err    error

	checked *viewer.Viewer
}

func newAuditor(ctx context.Context, u *unit, v *viewer.Viewer) *auditor {
	return &auditor{viewer: v, unit: u, at: now(), reason: reasonOf(ctx)}
}

// row returns the values of changeColumns. They are the same slice each time.
func (w *auditor) row(x Change) ([]any, error) {
	v, reason := w.viewer, w.reason
	if x.Reason != "" {
		reason = x.Reason
	}
	if x.By != nil {
		v = x.By
	}
	if err := w.check(v, reason, x); err != nil {
		return nil, err
	}
	diff := x.Written
	if diff == nil {
		var err error
		if diff, err = json.Marshal(x.Diff); err != nil {
			return nil, err
		}
	}
	w.values = [...]any{string(ident.New("chg")), w.at, string(x.Op), x.Entity, string(x.ID), int64(x.Version), orNull(x.Portfolio), orNull(x.Product), orNull(x.Vendor),
		string(v.Kind), string(v.ID), v.Name, string(v.Via), string(v.TokenID), v.OnBehalfOf, v.RequestID, w.unit.set, w.unit.undoes, reason, string(diff)}
	return w.values[:], nil
}

// check refuses what does not fit its column: a reason is a person's own words, a request's
// id its client's. Whose change it is stays the same from row to row.
func (w *auditor) check(v *viewer.Viewer, reason string, x Change) error {
	fits := func(name string, err error) error {
		if err == nil {
			return nil
		}
		return errs.Invalid(name, "error.invalid_value").Wrap(err)
	}
	if v != w.checked {
		err := cmp.Or(fits("actor_kind", changeevent.ActorKindValidator(changeevent.ActorKind(v.Kind))), fits("actor_id", changeevent.ActorIDValidator(string(v.ID))),
			fits("actor_name", changeevent.ActorNameValidator(v.Name)), fits("via", changeevent.ViaValidator(changeevent.Via(v.Via))), fits("token_id", changeevent.TokenIDValidator(string(v.TokenID))),
			fits("on_behalf_of", changeevent.OnBehalfOfValidator(v.OnBehalfOf)), fits("request_id", changeevent.RequestIDValidator(v.RequestID)))
		if err != nil {
			return err
		}
		w.checked = v
	}
	return cmp.Or(fits("reason", changeevent.ReasonValidator(reason)), fits("op", changeevent.OpValidator(changeevent.Op(x.Op))), fits("entity_type", changeevent.EntityTypeValidator(x.Entity)), fits("entity_id", changeevent.EntityIDValidator(string(x.ID))))
}

// orNull is an id as it is stored where there may be none.
func orNull(id ident.ID) any {
	if id == "" {
		return nil
	}
	return string(id)
}

// Changes is the type of the outbox event that every transaction with changes has.
const Changes = "steward.changes.v1"

// TraceOf is where an outbox event's payload says in which trace the changes were made, if in any.
const TraceOf = "trace"

// announce adds the one outbox event of the change set: what changed and where,
// never the values; whoever wants those asks with their own rights. Of sessions and
// refusals nobody outside hears, or whoever is refused could send messages.
func (u *unit) announce(t *together) error {
	first := u.flushed.first
	if len(u.flushed.kinds) == 1 && u.flushed.kinds["Session.EVENT"] > 0 {
		return nil
	}
	about := map[string]any{"changes": u.flushed.kinds}
	if u.trace != "" {
		about[TraceOf] = u.trace
	}
	payload, err := json.Marshal(about)
	if err != nil {
		return err
	}
	at := now()
	t.insert("outbox_events", []string{"id", "created_at", "updated_at", "type", "subject_type", "subject_id", "portfolio_id", "change_set", "payload"},
		[]any{string(ident.New("obx")), at, at, Changes, first.Entity, string(first.ID), orNull(first.Portfolio), u.set, string(payload)})
	return nil
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
