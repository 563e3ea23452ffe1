// Package feed reads what has changed in the order in which it was committed. Who
// follows it from place to place meets every change once, however many write at the
// same time on however many servers.
//
// The order is that of the outbox, which has one row for each transaction. On
// PostgreSQL numbers of transactions are given when they begin to write and not when
// they commit, so only what is older than every transaction still running is read; a
// long one holds the feed up until it has ended. SQLite has one writer, and the
// numbers of its rows follow the commits.
//
// The doors use it. What it returns is narrowed to what the viewer may see.
package feed

import (
	"context"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/outboxevent"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// Place is a place in the feed: behind a change, or behind all of a transaction. The
// zero Place is the beginning.
type Place struct {
	Event  ident.ID // of the outbox
	Change ident.ID // the last one of it that lies before the place; "" is all of it
	order  int64    // of the transaction, which Find and Now know
	set    string   // its changes
}

// String writes the place as clients keep it.
func (p Place) String() string {
	if p.Change == "" {
		return p.Event.String()
	}
	return p.Event.String() + "~" + p.Change.String()
}

// Parse reads what String has written; whether there is such a place is found out by
// Find.
func Parse(text string) (Place, bool) {
	event, change, inside := strings.Cut(text, "~")
	p := Place{Event: ident.ID(event), Change: ident.ID(change)}
	return p, p.Event.Prefix() == "obx" && (!inside || p.Change.Prefix() == "chg")
}

// Change is one change of one record.
type Change struct {
	Place
	Type      string
	ID        ident.ID
	Op        string
	Version   int
	At        time.Time
	ChangeSet string
	ActorName string
}

// Types returns the names of the types whose changes the feed has.
func Types() []string {
	var out []string
	for _, e := range entity.Registry() {
		out = append(out, e.Name)
	}
	return out
}

// order is the column that transactions are ordered by: SQLite's number of a row.
func order(s *store.Store) string {
	if s.Dialect == dialect.Postgres {
		return outboxevent.FieldTxID
	}
	return "rowid"
}

// Find looks a place up. The error is Validation, for the field after, where there is
// none such (any more).
func Find(ctx context.Context, s *store.Store, p Place) (Place, error) {
	if p.Event == "" {
		return p, nil
	}
	found, err := last(ctx, s, func(sel *sql.Selector) { sel.Where(sql.EQ(sel.C(outboxevent.FieldID), p.Event)) })
	if err == nil && found.Event == "" {
		err = errs.Invalid("after", "feed.place_gone")
	}
	found.Change = p.Change
	return found, err
}

// Now returns the place behind everything that can be read now.
func Now(ctx context.Context, s *store.Store) (Place, error) {
	return last(ctx, s, func(sel *sql.Selector) {
		if s.Dialect == dialect.Postgres {
			sel.Where(sql.ExprP(sel.C(outboxevent.FieldTxID) + " < txid_snapshot_xmin(txid_current_snapshot())"))
		}
	})
}

// last returns the last transaction of those that where keeps, the zero Place for none.
func last(ctx context.Context, s *store.Store, where func(*sql.Selector)) (Place, error) {
	var rows []struct {
		ID    ident.ID `sql:"id"`
		Set   string   `sql:"change_set"`
		Place int64    `sql:"place"`
	}
	err := s.ClientOf(ctx).OutboxEvent.Query().Where(outboxevent.Type(store.Changes), where).Limit(1).Modify(func(sel *sql.Selector) {
		column := sel.C(order(s))
		sel.Select(sel.C(outboxevent.FieldID), sel.C(outboxevent.FieldChangeSet)).AppendSelectAs(column, "place").
			OrderBy(sql.Desc(column), sql.Desc(sel.C(outboxevent.FieldID)))
	}).Scan(scope.Elevate(ctx), &rows)
	if err != nil || len(rows) == 0 {
		return Place{}, store.Known(err)
	}
	return Place{Event: rows[0].ID, order: rows[0].Place, set: rows[0].Set}, nil
}

// Before reports whether the place lies before the end of another's transaction.
func (p Place) Before(o Place) bool {
	return p.order < o.order || p.order == o.order && p.Event < o.Event
}

// Read returns at most limit changes of the types (all of Types for none) between two
// places that Find, Now or Read has returned, as far as the viewer may see them, the
// place to go on from, and whether there is more before the end.
func Read(ctx context.Context, s *store.Store, after, end Place, types []string, limit int) (list []Change, next Place, more bool, err error) {
	if limit <= 0 {
		return nil, after, after.Before(end), nil
	}
	if len(types) == 0 {
		types = Types()
	}
	r := reader{ctx, s, types}
	if after.Change != "" { // the rest of a transaction that was read in part
		if list, err = r.rest(after, limit+1); err != nil {
			return nil, after, false, err
		}
	}
	if len(list) <= limit && after.Before(end) {
		between, err := r.between(after, end, limit+1-len(list))
		if err != nil {
			return nil, after, false, err
		}
		list = append(list, between...)
	}
	switch {
	case len(list) > limit:
		return list[:limit], list[limit-1].Place, true, nil
	case after.Before(end):
		return list, end, false, nil
	}
	after.Change = ""
	return list, after, false, nil
}

// kindsMost is from how many transactions on their types are no longer told apart.
const kindsMost = 500

// Kinds returns the types that changed between two places, whoever may see them; all
// says that they are too many to look through.
func Kinds(ctx context.Context, s *store.Store, after, end Place) (types map[string]bool, all bool, err error) {
	rows, err := s.ClientOf(ctx).OutboxEvent.Query().Where(outboxevent.Type(store.Changes), func(sel *sql.Selector) {
		sel.Where(sql.And(behind(sel.C(order(s)), sel.C(outboxevent.FieldID), after), upTo(sel.C(order(s)), sel.C(outboxevent.FieldID), end)))
	}).Limit(kindsMost).Select(outboxevent.FieldPayload).All(scope.Elevate(ctx))
	if err != nil || len(rows) == kindsMost {
		return nil, true, store.Known(err)
	}
	types = map[string]bool{}
	for _, x := range rows {
		kinds, _ := x.Payload["changes"].(map[string]any)
		for kind := range kinds {
			name, _, _ := strings.Cut(kind, ".")
			types[name] = true
		}
	}
	return types, false, nil
}

// behind and upTo are the transactions behind a place and those up to another.
func behind(place, id string, p Place) *sql.Predicate {
	return sql.And(sql.GTE(place, p.order), sql.Or(sql.GT(place, p.order), sql.GT(id, p.Event)))
}

func upTo(place, id string, p Place) *sql.Predicate {
	return sql.And(sql.LTE(place, p.order), sql.Or(sql.LT(place, p.order), sql.LTE(id, p.Event)))
}

type reader struct {
	ctx   context.Context
	store *store.Store
	types []string
}

// columns are all of a change but its values: those are asked for with the record.
var columns = []string{changeevent.FieldID, changeevent.FieldAt, changeevent.FieldOp, changeevent.FieldEntityType, changeevent.FieldEntityID,
	changeevent.FieldEntityVersion, changeevent.FieldChangeSet, changeevent.FieldActorName}

func (r reader) query(limit int) *ent.ChangeEventQuery {
	return r.store.ClientOf(r.ctx).ChangeEvent.Query().Where(changeevent.EntityTypeIn(r.types...), changeevent.OpNEQ(changeevent.OpEVENT)).Limit(limit)
}

// rest reads on in the transaction of a place.
func (r reader) rest(p Place, limit int) ([]Change, error) {
	rows, err := r.query(limit).Where(changeevent.ChangeSet(p.set), changeevent.IDGT(p.Change)).
		Order(changeevent.ByID()).Select(columns...).All(r.ctx)
	if err != nil {
		return nil, store.Known(err)
	}
	list := make([]Change, len(rows))
	for i, x := range rows {
		list[i] = change(x, p)
	}
	return list, nil
}

// between reads the transactions behind a place up to another.
func (r reader) between(after, end Place, limit int) ([]Change, error) {
	o := sql.Dialect(r.store.Dialect).Table(outboxevent.Table).As("o")
	place, id := o.C(order(r.store)), o.C(outboxevent.FieldID)
	q := r.query(limit).Where(func(sel *sql.Selector) {
		sel.Join(o).On(sel.C(changeevent.FieldChangeSet), o.C(outboxevent.FieldChangeSet))
		sel.Where(sql.And(sql.EQ(o.C(outboxevent.FieldType), store.Changes),
			behind(place, id, after), upTo(place, id, end)))
	}).Order(func(sel *sql.Selector) { sel.OrderBy(place, id, sel.C(changeevent.FieldID)) })
	q.Modify(func(sel *sql.Selector) { sel.AppendSelectAs(id, "o_id").AppendSelectAs(place, "o_place") })
	rows, err := q.Select(columns...).All(r.ctx)
	if err != nil {
		return nil, store.Known(err)
	}
	list := make([]Change, len(rows))
	for i, x := range rows {
		event, err := x.Value("o_id")
		if err != nil {
			return nil, err
		}
		number, err := x.Value("o_place")
		if err != nil {
			return nil, err
		}
		p := Place{set: x.ChangeSet}
		if err := p.Event.Scan(event); err != nil {
			return nil, err
		}
		p.order, _ = number.(int64)
		list[i] = change(x, p)
	}
	return list, nil
}

func change(x *ent.ChangeEvent, p Place) Change {
	p.Change = x.ID
	return Change{Place: p, Type: x.EntityType, ID: x.EntityID, Op: string(x.Op), Version: x.EntityVersion, At: x.At,
		ChangeSet: x.ChangeSet, ActorName: x.ActorName}
}
