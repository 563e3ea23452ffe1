package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"sync"
	"sync/atomic"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"steward/internal/platform/obs"
)

// Counter counts the statements a store sends; tests assert with it how many an
// operation needs. Keep also keeps their text.
type Counter struct {
	n    atomic.Int64
	mu   sync.Mutex
	keep bool
	log  []string
}

// N returns the number of statements since the last Reset, BEGIN and COMMIT included.
func (c *Counter) N() int { return int(c.n.Load()) }

// Reset starts counting anew.
func (c *Counter) Reset() { c.n.Store(0); c.mu.Lock(); c.log = nil; c.mu.Unlock() }

// Keep makes the counter remember the text of statements.
func (c *Counter) Keep() { c.mu.Lock(); c.keep = true; c.mu.Unlock() }

// Log returns the remembered statements.
func (c *Counter) Log() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.log...)
}

func (c *Counter) add(q string) {
	c.n.Add(1)
	c.mu.Lock()
	if c.keep {
		c.log = append(c.log, q)
	}
	c.mu.Unlock()
}

// textJSON sends JSON as text: with binary_parameters lib/pq would send the
// bytes in binary form, which jsonb refuses.
func textJSON(args any) {
	if as, ok := args.([]any); ok {
		for i, a := range as {
			if r, ok := a.(json.RawMessage); ok {
				as[i] = string(r)
			}
		}
	}
}

// counted is ent's driver with the counter, the trace, the gate and textJSON in front.
type counted struct {
	*entsql.Driver
	c    *Counter
	gate *gate
}

// told tells the trace of ctx, if there is one, of a statement: from before the wait for a connection until
// what it returns is called, when err is how it ended.
func told(ctx context.Context, name, q string, err *error) func() {
	if name == dialect.Postgres {
		name = "postgresql" // as OpenTelemetry calls it
	}
	end := obs.Statement(ctx, name, q)
	return func() { end(*err) }
}

func (d counted) Exec(ctx context.Context, q string, args, v any) (err error) {
	defer told(ctx, d.Dialect(), q, &err)()
	textJSON(args)
	leave, err := d.gate.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	d.c.add(q)
	return d.Driver.Exec(ctx, q, args, v)
}

func (d counted) Query(ctx context.Context, q string, args, v any) (err error) {
	defer told(ctx, d.Dialect(), q, &err)()
	textJSON(args)
	leave, err := d.gate.enter(ctx)
	if err != nil {
		return err
	}
	d.c.add(q)
	if err := d.Driver.Query(ctx, q, args, v); err != nil {
		leave()
		return err
	}
	rows := v.(*entsql.Rows) // ent's driver takes nothing else
	rows.ColumnScanner = leaving{rows.ColumnScanner, leave}
	return nil
}

// ExecContext and QueryContext serve raw statements outside a transaction.
func (d counted) ExecContext(ctx context.Context, q string, args ...any) (r sql.Result, err error) {
	defer told(ctx, d.Dialect(), q, &err)()
	textJSON(args)
	leave, err := d.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	d.c.add(q)
	return d.Driver.ExecContext(ctx, q, args...)
}

func (d counted) QueryContext(ctx context.Context, q string, args ...any) (rows *sql.Rows, err error) {
	defer told(ctx, d.Dialect(), q, &err)()
	textJSON(args)
	leave, err := d.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave() // nothing tells when the rows are closed: whoever asks reads them at once
	d.c.add(q)
	return d.Driver.QueryContext(ctx, q, args...)
}

func (d counted) Tx(ctx context.Context) (dialect.Tx, error) { return d.BeginTx(ctx, nil) }

func (d counted) BeginTx(ctx context.Context, o *sql.TxOptions) (_ dialect.Tx, err error) {
	defer told(ctx, d.Dialect(), "BEGIN", &err)()
	leave, err := d.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	t, err := d.Driver.BeginTx(ctx, o)
	if err != nil {
		leave()
		return nil, err
	}
	d.c.add("BEGIN")
	return countedTx{t, d.c, leave, d.Dialect(), ctx}, nil
}

type countedTx struct {
	dialect.Tx
	c     *Counter
	leave func()          // gives the connection back
	name  string          // of the dialect
	begun context.Context // whose trace its end belongs to
}

func (t countedTx) Exec(ctx context.Context, q string, args, v any) (err error) {
	defer told(ctx, t.name, q, &err)()
	textJSON(args)
	t.c.add(q)
	return t.Tx.Exec(ctx, q, args, v)
}

func (t countedTx) Query(ctx context.Context, q string, args, v any) (err error) {
	defer told(ctx, t.name, q, &err)()
	textJSON(args)
	t.c.add(q)
	return t.Tx.Query(ctx, q, args, v)
}

func (t countedTx) Commit() (err error) {
	defer told(t.begun, t.name, "COMMIT", &err)()
	defer t.leave()
	t.c.add("COMMIT")
	return t.Tx.Commit()
}

func (t countedTx) Rollback() (err error) {
	defer told(t.begun, t.name, "ROLLBACK", &err)()
	defer t.leave()
	t.c.add("ROLLBACK")
	return t.Tx.Rollback()
}

// ExecContext and QueryContext serve the raw statements of this package.
func (t countedTx) ExecContext(ctx context.Context, q string, args ...any) (r sql.Result, err error) {
	defer told(ctx, t.name, q, &err)()
	textJSON(args)
	t.c.add(q)
	return t.Tx.(interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
	}).ExecContext(ctx, q, args...)
}

func (t countedTx) QueryContext(ctx context.Context, q string, args ...any) (rows *sql.Rows, err error) {
	defer told(ctx, t.name, q, &err)()
	textJSON(args)
	t.c.add(q)
	return t.Tx.(interface {
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	}).QueryContext(ctx, q, args...)
}
