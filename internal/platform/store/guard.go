package store

import (
	"context"
	"errors"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/intercept"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// ErrNoViewer is the answer to a read or write on nobody's behalf: a fault in
// the program, never the caller's.
var ErrNoViewer = errors.New("store: no viewer in the context")

// ErrNoTransaction is the answer to a write outside Tx, for it could be neither
// audited nor undone together with what belongs to it.
var ErrNoTransaction = errors.New("store: a write outside a transaction")

// actingKey carries the right that a verb acts under.
type actingKey struct{}

// Acting returns a context in which writes need the letter instead of Write: a
// finance officer approves a plan under Approve without any right to edit it.
// Only verbs use it, after they have looked the move up.
func Acting(ctx context.Context, letter access.Letter) context.Context {
	return context.WithValue(ctx, actingKey{}, letter)
}

func acting(ctx context.Context) access.Letter {
	if l, ok := ctx.Value(actingKey{}).(access.Letter); ok {
		return l
	}
	return access.Write
}

type movingKey struct{}

// Moving returns a context in which the state of a record may change. Only the
// verb that found the move in rules/flow uses it.
func Moving(ctx context.Context) context.Context { return context.WithValue(ctx, movingKey{}, true) }

func moving(ctx context.Context) bool { b, _ := ctx.Value(movingKey{}).(bool); return b }

// quiet are the entities whose changes are not audited: the audit itself,
// bookkeeping that the audited write causes, the minutes of sessions (their
// beginning and end are events of their own), what is on its way (jobs, parts of
// files, deliveries, messages to one person), and tags on records, which area/tag
// writes into the history of the record.
var quiet = map[string]bool{
	"ChangeEvent": true, "AuditSeal": true, "AuditHead": true, "OutboxEvent": true, "IdempotencyKey": true,
	"KeyCounter": true, "UndoEntry": true, "Session": true,
	"Job": true, "JobSchedule": true, "Blob": true, "BlobChunk": true, "Upload": true, "WebhookDelivery": true, "StoredDocument": true,
	"Notification": true, "TagLink": true,
}

// guard installs the checks on the client: rows are narrowed on every query,
// every write passes check. GraphQL, pages, imports and jobs share it.
func (s *Store) guard() {
	s.Client.Intercept(intercept.TraverseFunc(func(ctx context.Context, q intercept.Query) error {
		if viewer.From(ctx) == nil {
			return ErrNoViewer
		}
		table := tableOf(q.Type())
		// Order functions run before predicates, so every predicate, also inside
		// EXISTS, sees the viewer.
		q.Order(func(sel *sql.Selector) { sel.WithContext(ctx) })
		q.WhereP(func(sel *sql.Selector) { scope.Apply(sel.WithContext(ctx), table) })
		return nil
	}))
	s.Client.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			v, err := s.write(ctx, m, next)
			return v, known(err)
		})
	})
}

func tableOf(name string) string {
	if e := entity.ByName(name); e != nil {
		return e.Table
	}
	return ""
}

// mutation is what every generated mutation offers beyond ent.Mutation.
type mutation interface {
	ent.Mutation
	ID() (ident.ID, bool)
	Client() *ent.Client
	WhereP(...func(*sql.Selector))
}

// write checks one mutation, runs it, and notes it for the audit. In order: who
// asks and in which transaction; may they touch such rows; is every record it
// points at one of theirs; does the row stay in their reach; key, stamps,
// version; the difference.
func (s *Store) write(ctx context.Context, m0 ent.Mutation, next ent.Mutator) (ent.Value, error) {
	v, u := viewer.From(ctx), unitOf(ctx)
	if v == nil {
		return nil, ErrNoViewer
	}
	if u == nil {
		return nil, ErrNoTransaction
	}
	e := entity.ByName(m0.Type())
	if e == nil {
		return nil, fmt.Errorf("store: %s has no descriptor", m0.Type())
	}
	if quiet[e.Name] {
		if !scope.Unrestricted(ctx) {
			return nil, errs.NotFound()
		}
		return next.Mutate(ctx, m0)
	}
	m := m0.(mutation)
	if !m.Op().Is(ent.OpCreate | ent.OpUpdateOne | ent.OpDeleteOne) {
		return nil, fmt.Errorf("store: %s is written one row at a time or by a set-based verb", e.Name)
	}
	w := &writing{store: s, ctx: ctx, viewer: v, entity: e, m: m}
	if err := w.check(); err != nil {
		return nil, err
	}
	if err := w.stamp(); err != nil {
		return nil, err
	}
	out, err := next.Mutate(ctx, m)
	if err != nil {
		return nil, err
	}
	change := w.change() // with what the rules of the areas derived
	// the reason belongs to this write: the transaction may be an outer one
	change.Reason = reasonOf(ctx)
	if id, ok := m.ID(); ok {
		change.ID = id
	}
	if err := w.propagate(change); err != nil {
		return nil, err
	}
	if len(change.Diff) > 0 || change.Op != OpUpdate {
		u.changes = append(u.changes, change)
	}
	return out, nil
}

// writing is one mutation on its way through the checks.
type writing struct {
	store  *Store
	ctx    context.Context
	viewer *viewer.Viewer
	entity *entity.Entity
	m      mutation
	old    *entity.Row // the row before, for an update or delete
	place  access.Row  // where the row will lie
}

func (w *writing) check() error {
	letter := acting(w.ctx)
	if !scope.Unrestricted(w.ctx) {
		if !w.entity.Registry || !access.May(w.viewer, w.entity.Name, letter) && !w.foundsPortfolio() {
			return w.refuse()
		}
		if w.m.Op().Is(ent.OpDeleteOne) {
			return errs.Forbidden()
		}
	}
	if w.m.Op().Is(ent.OpCreate) {
		if err := w.inherit(); err != nil {
			return err
		}
		if err := w.number(); err != nil {
			return err
		}
	} else {
		w.m.WhereP(func(sel *sql.Selector) {
			sel.Where(sql.NotNull(sel.C("id"))) // ent cannot take a condition that turns out empty, as it does for the system
			scope.ApplyFor(sel.WithContext(w.ctx), w.entity.Table, letter)
		})
		if err := w.load(letter); err != nil {
			return err
		}
	}
	if err := w.edges(); err != nil {
		return err
	}
	if err := w.state(); err != nil {
		return err
	}
	return w.stays(letter)
}

// refuse answers a write without the right: forbidden to those who may read such
// rows, and not found to those for whom there are none.
func (w *writing) refuse() error {
	if w.entity.Registry && access.May(w.viewer, w.entity.Name, access.Read) {
		return errs.Forbidden()
	}
	return errs.NotFound()
}

// load reads the row as it is. One that the viewer may read but not touch is
// forbidden; one they may not read does not exist.
func (w *writing) load(letter access.Letter) error {
	id, _ := w.m.ID()
	if !w.entity.Registry {
		return nil
	}
	touchable := func(sel *sql.Selector) {
		byID(id)(sel)
		scope.ApplyFor(sel.WithContext(w.ctx), w.entity.Table, letter)
	}
	rows, err := w.entity.List(w.ctx, w.m.Client(), touchable, unordered, 1, 0)
	if err != nil {
		return err
	}
	if len(rows) == 1 {
		w.old = &rows[0]
		return nil
	}
	n, err := w.entity.Count(w.ctx, w.m.Client(), byID(id))
	switch {
	case err != nil:
		return err
	case n == 1:
		return errs.Forbidden()
	}
	return errs.NotFound()
}

// edges lets a connection be written only from the side that owns it, and only
// to records the viewer may read. Others look exactly like absent ones.
func (w *writing) edges() error {
	for _, name := range append(w.m.AddedEdges(), append(w.m.RemovedEdges(), w.m.ClearedEdges()...)...) {
		x, ok := w.entity.Edge(name)
		if !ok || x.Kind == entity.Back || x.Kind == entity.Linked {
			return fmt.Errorf("store: %s.%s is written from its other side", w.entity.Name, name)
		}
		to := entity.ByName(x.To)
		seen := map[ident.ID]bool{}
		for _, raw := range append(w.m.AddedIDs(name), w.m.RemovedIDs(name)...) {
			id, _ := raw.(ident.ID)
			if id.Prefix() != to.Prefix {
				return errs.NotFound()
			}
			seen[id] = true
		}
		if len(seen) == 0 || scope.Unrestricted(w.ctx) || !to.Registry {
			continue
		}
		ids := make([]any, 0, len(seen))
		for id := range seen {
			ids = append(ids, id)
		}
		n, err := to.Count(w.ctx, w.m.Client(), func(sel *sql.Selector) { sel.Where(sql.In(sel.C("id"), ids...)) })
		if err != nil {
			return err
		}
		if n != len(seen) {
			return errs.NotFound()
		}
	}
	return nil
}

// state keeps the state of a record to its verbs: a new record starts in its
// first state and only a move changes it.
func (w *writing) state() error {
	if w.entity.Machine == "" || moving(w.ctx) || w.viewer.Via == viewer.ViaImport && scope.Unrestricted(w.ctx) {
		return nil
	}
	field := "status"
	if _, ok := w.entity.Field("stage"); ok {
		field = "stage"
	}
	f, _ := w.entity.Field(field)
	now, set := w.m.Field(field)
	if !set {
		return nil
	}
	from := f.Default
	if w.old != nil {
		from = fmt.Sprint(w.entity.Value(*w.old, field))
	}
	if fmt.Sprint(now) != from {
		return errs.New(errs.State, "error.state_by_verb")
	}
	return nil
}

// stays refuses a row that would lie outside the viewer's reach, and one whose
// product is not of its portfolio.
func (w *writing) stays(letter access.Letter) error {
	w.place = w.placeOf()
	if p := w.place.Product; p != "" && w.place.Portfolio != "" && w.changed("product_id") && w.entity.Parent == "" {
		home, err := w.store.portfolioOf(w.ctx, w.m.Client(), p)
		if err != nil {
			return err
		}
		if home != w.place.Portfolio {
			return errs.Invalid("product_id", "error.product_elsewhere")
		}
	}
	if scope.Unrestricted(w.ctx) || w.m.Op().Is(ent.OpUpdateOne) && !w.changed("product_id") && !w.changed("vendor_id") {
		return nil
	}
	if access.For(w.viewer, w.entity.Name, letter).Includes(w.place) || w.foundsPortfolio() {
		return nil
	}
	return w.refuse()
}

// foundsPortfolio allows a new portfolio, which lies in nobody's reach yet, to
// those who manage the list of portfolios.
func (w *writing) foundsPortfolio() bool {
	return w.entity.Name == "Portfolio" && w.m.Op().Is(ent.OpCreate) && access.May(w.viewer, "Portfolio", access.Manage)
}

// changed reports whether the mutation sets or clears the field.
func (w *writing) changed(field string) bool {
	_, set := w.m.Field(field)
	return set || w.m.FieldCleared(field)
}

// value is the field's value after the mutation.
func (w *writing) value(field string) any {
	if v, ok := w.m.Field(field); ok {
		return v
	}
	if w.old != nil && !w.m.FieldCleared(field) {
		return w.entity.Value(*w.old, field)
	}
	return nil
}

// placeOf says where the row will lie once it is written.
func (w *writing) placeOf() access.Row {
	id := func(field string) ident.ID { i, _ := w.value(field).(ident.ID); return i }
	r := access.Row{Portfolio: id("portfolio_id"), Product: id("product_id"), Vendor: id("vendor_id")}
	r.ID, _ = w.m.ID()
	switch w.entity.Name {
	case "Portfolio":
		r.Portfolio = r.ID
	case "Product":
		r.Product = r.ID
	case "Vendor":
		r.Vendor = r.ID
	}
	return r
}

// stamp writes who, when and which version.
func (w *writing) stamp() error {
	who := string(w.viewer.ID)
	if w.m.Op().Is(ent.OpDeleteOne) || !w.entity.Versioned {
		return nil
	}
	if err := w.m.SetField("updated_by", who); err != nil {
		return err
	}
	if w.m.Op().Is(ent.OpCreate) {
		return w.m.SetField("created_by", who)
	}
	if err := w.m.SetField("updated_at", now()); err != nil {
		return err
	}
	return w.m.AddField("version", 1)
}

// portfolioOf returns the portfolio a product belongs to.
func (s *Store) portfolioOf(ctx context.Context, c *ent.Client, product ident.ID) (ident.ID, error) {
	p, err := c.Product.Get(scope.Elevate(ctx), product)
	if err != nil {
		return "", err
	}
	return p.PortfolioID, nil
}

func byID(id ident.ID) func(*sql.Selector) {
	return func(sel *sql.Selector) { sel.Where(sql.EQ(sel.C("id"), id)) }
}

func unordered(*sql.Selector) {}
