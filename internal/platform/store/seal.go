package store

import (
	"context"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/oklog/ulid/v2"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/predicate"
	"steward/internal/platform/scope"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// headID is the one row of AuditHead.
const headID = "head"

// Seal chains the audit rows that have been committed since the last call, in
// commit order, at most 1,000 at a time, and returns how many. Chaining inside
// the business transaction would make all writers wait for each other; so one
// job does it afterwards. On PostgreSQL it takes only rows whose transaction is
// older than every one still running, so no row can slip in behind.
func (s *Store) Seal(ctx context.Context) (int, error) {
	ctx = scope.Elevate(viewer.With(ctx, viewer.NewSystem(viewer.ViaJob, "")))
	n := 0
	err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		if s.Dialect == dialect.Postgres {
			ok, err := s.tryLock(ctx)
			if err != nil || !ok {
				return err
			}
		}
		prev, next := "", int64(1)
		head, err := c.AuditHead.Get(ctx, headID)
		if err == nil {
			prev, next = head.Hash, head.SealID+1
		} else if !ent.IsNotFound(err) {
			return err
		}
		rows, err := s.waiting(ctx, c, next-1)
		if err != nil || len(rows) == 0 {
			return err
		}
		seals := make([]*ent.AuditSealCreate, len(rows))
		for i, row := range rows {
			content, err := canonical(row)
			if err != nil {
				return err
			}
			prev = chain(prev, content)
			seals[i] = c.AuditSeal.Create().SetID(next + int64(i)).SetChangeID(row.ID).SetHash(prev)
		}
		if err := c.AuditSeal.CreateBulk(seals...).Exec(ctx); err != nil {
			return err
		}
		n = len(rows)
		last := next + int64(n) - 1
		if head == nil {
			return c.AuditHead.Create().SetID(headID).SetSealID(last).SetHash(prev).Exec(ctx)
		}
		return c.AuditHead.UpdateOne(head).SetSealID(last).SetHash(prev).SetSealedAt(now()).Exec(ctx)
	})
	return n, err
}

// sealBatch is how many rows are sealed at once.
const sealBatch = 1000

// waiting returns the rows to be sealed next, by transaction and id. On PostgreSQL it goes on
// where the last seal stands, for what is older has its seal: first with the rest of that
// transaction, then with later ones, whose rows are as young as they are short. Rows of longer
// ones, and those of a restored database, whose transactions are counted from the beginning
// again, are found by comparing all rows with all seals. That takes seconds where there are
// millions, so it is done when the program starts and then for a small part of the time.
func (s *Store) waiting(ctx context.Context, c *ent.Client, last int64) ([]*ent.ChangeEvent, error) {
	ask := func(where ...predicate.ChangeEvent) ([]*ent.ChangeEvent, error) {
		return c.ChangeEvent.Query().Where(where...).Order(changeevent.ByTxID(), changeevent.ByID()).Limit(sealBatch).All(ctx)
	}
	began := time.Now()
	if s.Dialect == dialect.Postgres && last > 0 && began.UnixNano() < s.compare.Load() {
		seal, err := c.AuditSeal.Get(ctx, last)
		if err != nil {
			return nil, err
		}
		row, err := c.ChangeEvent.Get(ctx, seal.ChangeID)
		if err != nil && !ent.IsNotFound(err) {
			return nil, err
		}
		if row != nil {
			rows, err := ask(changeevent.TxID(row.TxID), changeevent.IDGT(row.ID), changeevent.IDLT(beyond), s.unsealed())
			if err != nil || len(rows) > 0 {
				return rows, err
			}
			return ask(changeevent.TxIDGT(row.TxID), changeevent.IDGT(youngest(began.Add(-sealShort))), changeevent.IDLT(beyond), s.unsealed())
		}
	}
	rows, err := ask(s.unsealed())
	s.compare.Store(time.Now().Add(max(sealCompare, 100*time.Since(began))).UnixNano())
	return rows, err
}

// Transactions shorter than sealShort are sealed within a second or so, others within
// sealCompare.
const (
	sealShort   = 20 * time.Second
	sealCompare = 30 * time.Second
)

// beyond is more than every id. PostgreSQL takes what has two ends for a small part of a table,
// and goes by the index.
const beyond ident.ID = "chg_8"

// youngest is less than the id of any audit row made since an instant.
func youngest(since time.Time) ident.ID {
	var u ulid.ULID
	_ = u.SetTime(ulid.Timestamp(since)) // fails for times beyond the year 10889 only
	return ident.ID("chg_" + u.String())
}

// tryLock takes the sealing lock of this database until the transaction ends.
func (s *Store) tryLock(ctx context.Context) (ok bool, err error) {
	rows, err := s.Raw(ctx).QueryContext(ctx, "SELECT pg_try_advisory_xact_lock(7234001)")
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&ok)
	}
	return ok, err
}

// unsealed are the audit rows without a seal that may be sealed now.
func (s *Store) unsealed() predicate.ChangeEvent {
	return func(sel *sql.Selector) {
		noSeal(sel)
		if s.Dialect == dialect.Postgres {
			sel.Where(sql.ExprP(sel.C(changeevent.FieldTxID) + " < txid_snapshot_xmin(txid_current_snapshot())"))
		}
	}
}
