// Package store opens Steward's database and guards it. It is the only place
// that makes an ent client and the only one that sends raw SQL, so what it
// installs holds on every path: rows are narrowed to the viewer's, writes need a
// transaction, a right, the version they were based on, and leave an audit row.
//
// Areas and doors use Client inside Tx; they never see the database itself.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"steward/ent"
	_ "steward/ent/registry" // the descriptors the guards work from
	"steward/internal/platform/obs"
	"steward/internal/rules/errs"
)

// Store is one database with its guards.
type Store struct {
	// Client reads and writes through the guards: a viewer in the context for
	// both, a transaction of Tx for writes.
	Client *ent.Client
	// DB is the pool, for probes, metrics and tests.
	DB *sql.DB
	// Dialect is dialect.SQLite or dialect.Postgres.
	Dialect string
	// URL the store was opened with.
	URL string
	// Statements counts what is sent to the database.
	Statements *Counter

	inverses map[string]Inverse
	hanging  map[string]Hang
	gate     *gate
	kept     sync.Map     // see Kept
	compare  atomic.Int64 // when Seal compares all rows again
}

// Open connects to the database at url. It does not migrate; see Migrate.
func Open(ctx context.Context, databaseURL string, o Options) (*Store, error) {
	db, d, err := connect(databaseURL, o)
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("the database does not answer: %w", err)
	}
	s := &Store{DB: db, Dialect: d, URL: databaseURL, Statements: &Counter{}, inverses: map[string]Inverse{}, hanging: map[string]Hang{}}
	s.gate = newGate(db.Stats().MaxOpenConnections, o.Wait)
	s.Client = ent.NewClient(ent.Driver(counted{entsql.OpenDB(d, db), s.Statements, s.gate}))
	s.guard()
	return s, nil
}

// Close ends all connections.
func (s *Store) Close() error { return s.DB.Close() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.DB.PingContext(ctx) }

// unit is one transaction under way: its change set and what is to be written
// when it commits.
type unit struct {
	tx      *ent.Tx
	set     string
	changes []Change
	flushed *flushed // what of the changes is written already; nil for nothing
	after   []func()
	undo    string // token under which the change set may be taken back
	undoes  string
	trace   string      // that it belongs to, see obs.Traceparent
	claims  []claim     // of the requests it answers
	kept    map[any]any // see KeptInTx
}

type unitKey struct{}

func unitOf(ctx context.Context) *unit { u, _ := ctx.Value(unitKey{}).(*unit); return u }

// Tx runs fn in one transaction: everything it writes is kept, with its audit
// rows and one outbox event, or nothing is. A Tx inside a Tx joins it. The
// context given to fn carries the transaction; the client is bound to it.
func (s *Store) Tx(ctx context.Context, fn func(ctx context.Context, c *ent.Client) error) (err error) {
	if u := unitOf(ctx); u != nil {
		return fn(ctx, u.tx.Client())
	}
	ctx, b, err := s.Begin(ctx)
	if err != nil {
		return err
	}
	defer b.Rollback()
	if err := fn(ctx, b.unit.tx.Client()); err != nil {
		return known(err)
	}
	return b.Commit(ctx)
}

// Batch is a transaction whose end is in other hands: the GraphQL door keeps one
// open while the fields of a mutation run.
type Batch struct {
	store *Store
	unit  *unit
	done  bool
}

// Begin opens a transaction and returns the context that carries it.
func (s *Store) Begin(ctx context.Context) (context.Context, *Batch, error) {
	tx, err := s.Client.Tx(ctx)
	if err != nil {
		return nil, nil, known(err)
	}
	u := &unit{tx: tx, set: newChangeSet(), trace: obs.Traceparent(ctx)}
	ctx = context.WithValue(ctx, unitKey{}, u)
	return ent.NewTxContext(ent.NewContext(ctx, tx.Client()), tx), &Batch{store: s, unit: u}, nil
}

// Commit writes the audit of the changes and ends the transaction. Afterwards,
// and only if it succeeded, the functions given to After run.
func (b *Batch) Commit(ctx context.Context) error {
	if b.done {
		return errors.New("store: the transaction has ended")
	}
	if err := b.store.record(ctx, b.unit); err != nil {
		return known(err)
	}
	b.done = true
	if err := b.unit.tx.Commit(); err != nil {
		return known(err)
	}
	for _, f := range b.unit.after {
		f()
	}
	return nil
}

// Rollback forgets everything since Begin; after Commit it does nothing.
func (b *Batch) Rollback() {
	if !b.done {
		b.done = true
		_ = b.unit.tx.Rollback()
	}
}

// After runs f once the transaction of ctx has been committed; without one, now.
func After(ctx context.Context, f func()) {
	if u := unitOf(ctx); u != nil {
		u.after = append(u.after, f)
		return
	}
	f()
}

// ClientOf returns the client bound to the transaction of ctx, or the store's own.
func (s *Store) ClientOf(ctx context.Context) *ent.Client {
	if u := unitOf(ctx); u != nil {
		return u.tx.Client()
	}
	return s.Client
}

// ChangeSet returns the id under which the transaction of ctx is audited; it is
// empty outside one.
func ChangeSet(ctx context.Context) string {
	if u := unitOf(ctx); u != nil {
		return u.set
	}
	return ""
}

// Lock makes the rows of a query wait for other writers of them. SQLite has one
// writer at a time, so there it does nothing.
func (s *Store) Lock() func(*entsql.Selector) {
	return func(sel *entsql.Selector) {
		if s.Dialect == dialect.Postgres {
			sel.ForUpdate()
		}
	}
}

// Conn runs raw SQL of this package and of the importer: in the transaction of
// ctx where there is one. It is not narrowed to the viewer's rows.
type Conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Raw returns the connection for raw SQL. Placeholders are $1, $2, … on both
// databases. Only this package, the importer and the search may call it; a lint
// says so.
func (s *Store) Raw(ctx context.Context) Conn { return s.ClientOf(ctx) }

// now is the clock of stamps.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// reasonKey carries why a change is made.
type reasonKey struct{}

// Because returns a context in which changes are audited with the reason; nil or
// empty leaves ctx as it is.
func Because(ctx context.Context, reason *string) context.Context {
	if reason == nil || *reason == "" {
		return ctx
	}
	return context.WithValue(ctx, reasonKey{}, *reason)
}

func reasonOf(ctx context.Context) string { s, _ := ctx.Value(reasonKey{}).(string); return s }

// known turns what the databases and ent say into Steward's errors; others pass.
func known(err error) error {
	var e *errs.Error
	switch {
	case err == nil, errors.As(err, &e):
		return err
	case ent.IsNotFound(err):
		return errs.NotFound().Wrap(err)
	}
	return databaseError(err)
}

// Known turns what the databases and ent say into Steward's errors: not found,
// conflicts with another record, bad values, not available; others pass as they
// are and count as internal.
func Known(err error) error { return known(err) }
