package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"sync"
	"sync/atomic"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
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

// counted is ent's driver with the counter, the gate and textJSON in front.
type counted struct {
	*entsql.Driver
	c    *Counter
	gate *gate
}

func (d counted) Exec(ctx context.Context, q string, args, v any) error {
	textJSON(args)
	leave, err := d.gate.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	d.c.add(q)
	return d.Driver.Exec(ctx, q, args, v)
}

func (d counted) Query(ctx context.Context, q string, args, v any) error {
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
func (d counted) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	textJSON(args)
	leave, err := d.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	d.c.add(q)
	return d.Driver.ExecContext(ctx, q, args...)
}

func (d counted) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
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

func (d counted) BeginTx(ctx context.Context, o *sql.TxOptions) (dialect.Tx, error) {
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
	return countedTx{t, d.c, leave}, nil
}

type countedTx struct {
	dialect.Tx
	c     *Counter
	leave func() // gives the connection back
}

func (t countedTx) Exec(ctx context.Context, q string, args, v any) error {
	textJSON(args)
	t.c.add(q)
	return t.Tx.Exec(ctx, q, args, v)
}

func (t countedTx) Query(ctx context.Context, q string, args, v any) error {
	textJSON(args)
	t.c.add(q)
	return t.Tx.Query(ctx, q, args, v)
}

func (t countedTx) Commit() error {
	defer t.leave()
	t.c.add("COMMIT")
	return t.Tx.Commit()
}

func (t countedTx) Rollback() error {
	defer t.leave()
	t.c.add("ROLLBACK")
	return t.Tx.Rollback()
}

// ExecContext and QueryContext serve the raw statements of this package.
func (t countedTx) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	textJSON(args)
	t.c.add(q)
	return t.Tx.(interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
	}).ExecContext(ctx, q, args...)
}

func (t countedTx) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	textJSON(args)
	t.c.add(q)
	return t.Tx.(interface {
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	}).QueryContext(ctx, q, args...)
}
