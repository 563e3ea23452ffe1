package store

import (
	"context"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/auditseal"
	"steward/ent/changeevent"
	"steward/ent/predicate"
	"steward/internal/platform/scope"
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
		rows, err := c.ChangeEvent.Query().Where(s.unsealed()).
			Order(changeevent.ByTxID(), changeevent.ByID()).Limit(1000).All(ctx)
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
		t := sql.Dialect(sel.Dialect()).Table(auditseal.Table).As("seal")
		sel.Where(sql.NotExists(sql.Dialect(sel.Dialect()).Select().From(t).Where(sql.ColumnsEQ(t.C(auditseal.FieldChangeID), sel.C(changeevent.FieldID)))))
		if s.Dialect == dialect.Postgres {
			sel.Where(sql.ExprP(sel.C(changeevent.FieldTxID) + " < txid_snapshot_xmin(txid_current_snapshot())"))
		}
	}
}
