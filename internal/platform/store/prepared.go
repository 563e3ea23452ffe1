package store

import (
	"context"
	"database/sql/driver"
	"errors"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/lib/pq"
)

// preparedKept is how many statements each connection keeps prepared. One costs the database some tens of
// kilobytes; the texts that requests send again and again are fewer.
const preparedKept = 100

// connector opens connections to PostgreSQL that keep prepared what they are asked again: planning takes
// longer than carrying out most of Steward's statements.
type connector struct{ *pq.Connector }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	dc, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	p := &preparing{pqConn: dc.(pqConn)}
	p.once, _ = lru.New[string, struct{}](preparedKept) // fails for a size below one only
	p.stmts, _ = lru.NewWithEvict(preparedKept, func(_ string, s driver.Stmt) { _ = s.Close() })
	return p, nil
}

// pqConn is what lib/pq's connections are to database/sql.
type pqConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// preparing is a connection that prepares a statement when it comes for the second time. Texts that differ each
// time, a list of ids in them, say, drive nothing out.
type preparing struct {
	pqConn
	once  *lru.Cache[string, struct{}]
	stmts *lru.Cache[string, driver.Stmt]
	tx    bool // in a transaction
}

// prepared returns the statement of a text, or nil while it is not worth one.
func (p *preparing) prepared(ctx context.Context, q string, args []driver.NamedValue) (driver.Stmt, error) {
	if len(args) == 0 { // several statements in one text are sent that way, and cannot be prepared
		return nil, nil
	}
	if s, ok := p.stmts.Get(q); ok {
		return s, nil
	}
	if seen, _ := p.once.ContainsOrAdd(q, struct{}{}); !seen {
		return nil, nil
	}
	s, err := p.PrepareContext(ctx, q)
	if err == nil {
		p.once.Remove(q)
		p.stmts.Add(q, s)
	}
	return s, err
}

func (p *preparing) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := p.prepared(ctx, q, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.pqConn.QueryContext(ctx, q, args)
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(ctx, args)
	if p.outdated(q, err) {
		return p.pqConn.QueryContext(ctx, q, args)
	}
	return rows, err
}

func (p *preparing) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 1 {
		if c, ok := args[0].Value.(*copying); ok {
			return p.copy(ctx, q, c)
		}
	}
	s, err := p.prepared(ctx, q, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return p.pqConn.ExecContext(ctx, q, args)
	}
	result, err := s.(driver.StmtExecContext).ExecContext(ctx, args)
	if p.outdated(q, err) {
		return p.pqConn.ExecContext(ctx, q, args)
	}
	return result, err
}

// outdated forgets a statement that a migration has made useless, or that somebody between here and the
// database does not know, and reports whether it can be sent as it is instead. In a transaction it cannot: that
// has ended with the error, and whoever asked has to ask again.
func (p *preparing) outdated(q string, err error) bool {
	var e *pq.Error
	if !errors.As(err, &e) || !stale(e) {
		return false
	}
	p.stmts.Remove(q)
	return !p.tx
}

// stale says that a prepared statement is of no use any more: its result has changed, or it is not there.
func stale(e *pq.Error) bool { return e.Code == "0A000" || e.Code == "26000" }

func (p *preparing) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	t, err := p.pqConn.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	p.tx = true
	return preparingTx{t, p}, nil
}

type preparingTx struct {
	driver.Tx
	conn *preparing
}

func (t preparingTx) Commit() error   { t.conn.tx = false; return t.Tx.Commit() }
func (t preparingTx) Rollback() error { t.conn.tx = false; return t.Tx.Rollback() }
