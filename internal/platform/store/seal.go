package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

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
			if prev, err = chain(prev, row); err != nil {
				return err
			}
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

// chain returns SHA-256(previous hash, row).
func chain(prev string, x *ent.ChangeEvent) (string, error) {
	row, err := json.Marshal([]any{
		x.ID, x.At.UTC(), x.Op, x.EntityType, x.EntityID, x.EntityVersion, x.ActorKind, x.ActorID, x.ActorName,
		x.Via, x.TokenID, x.OnBehalfOf, x.RequestID, x.ChangeSet, x.Undoes, x.Reason, x.Diff,
	})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(prev), row...))
	return hex.EncodeToString(sum[:]), nil
}

// AuditReport is the outcome of VerifyAudit.
type AuditReport struct {
	Sealed   int    // rows whose seal was checked
	Unsealed int    // rows not sealed yet
	Head     string // hash of the last seal
	// Broken names the first row that does not fit: altered, missing, out of
	// order, or cut off at the end. Empty when all is well.
	Broken string
	// Why says in a word what is wrong with it.
	Why string
}

// VerifyAudit recomputes the whole chain and compares it with the stored seals
// and the head. knownHead, where given, is a hash printed earlier: it must still
// be in the chain, which also shows a tail cut off together with its head.
func (s *Store) VerifyAudit(ctx context.Context, knownHead string) (AuditReport, error) {
	return s.verifyAudit(ctx, 1, "", knownHead)
}

// VerifyAuditTail is VerifyAudit of the last n seals alone: it takes the seal
// before them as right.
func (s *Store) VerifyAuditTail(ctx context.Context, n int64) (AuditReport, error) {
	ctx = scope.Elevate(viewer.With(ctx, viewer.NewSystem(viewer.ViaCLI, "")))
	head, err := s.Client.AuditHead.Get(ctx, headID)
	if ent.IsNotFound(err) || err == nil && head.SealID <= n {
		return s.VerifyAudit(ctx, "")
	}
	if err != nil {
		return AuditReport{}, known(err)
	}
	before := head.SealID - n
	seal, err := s.Client.AuditSeal.Get(ctx, before)
	if ent.IsNotFound(err) {
		return AuditReport{Broken: fmt.Sprintf("seal %d", before), Why: "missing"}, nil
	}
	if err != nil {
		return AuditReport{}, known(err)
	}
	return s.verifyAudit(ctx, before+1, seal.Hash, "")
}

// verifyAudit recomputes the chain from the seal next on, which follows the hash
// prev. Rows may be sealed meanwhile: the head is read after the seals, and while
// it knows of more, so are they.
func (s *Store) verifyAudit(ctx context.Context, next int64, prev, knownHead string) (AuditReport, error) {
	ctx = scope.Elevate(viewer.With(ctx, viewer.NewSystem(viewer.ViaCLI, "")))
	var r AuditReport
	var head *ent.AuditHead
	seen, behind := knownHead == "", int64(0)
	for {
		seals, err := s.Client.AuditSeal.Query().Where(auditseal.IDGTE(next)).Order(auditseal.ByID()).Limit(1000).All(ctx)
		if err != nil {
			return r, known(err)
		}
		if len(seals) == 0 {
			if head, err = s.Client.AuditHead.Get(ctx, headID); err != nil && !ent.IsNotFound(err) {
				return r, known(err)
			}
			if head != nil && head.SealID >= next && behind != next {
				behind = next
				continue
			}
			break
		}
		rows, err := s.sealedRows(ctx, seals)
		if err != nil {
			return r, err
		}
		for _, seal := range seals {
			row := rows[string(seal.ChangeID)]
			switch {
			case seal.ID != next:
				r.Broken, r.Why = fmt.Sprintf("seal %d", next), "missing"
			case row == nil:
				r.Broken, r.Why = string(seal.ChangeID), "missing"
			default:
				if prev, err = chain(prev, row); err != nil {
					return r, err
				}
				if prev != seal.Hash {
					r.Broken, r.Why = string(seal.ChangeID), "altered"
				}
			}
			if r.Broken != "" {
				return r, nil
			}
			seen = seen || prev == knownHead
			next++
			r.Sealed++
		}
	}
	r.Head = prev
	if head != nil && head.Hash != prev || head == nil && r.Sealed > 0 || !seen {
		r.Broken, r.Why = fmt.Sprintf("seal %d", next), "cut off"
		return r, nil
	}
	var err error
	r.Unsealed, err = s.Client.ChangeEvent.Query().Where(func(sel *sql.Selector) {
		t := sql.Dialect(sel.Dialect()).Table(auditseal.Table).As("seal")
		sel.Where(sql.NotExists(sql.Dialect(sel.Dialect()).Select().From(t).Where(sql.ColumnsEQ(t.C(auditseal.FieldChangeID), sel.C(changeevent.FieldID)))))
	}).Count(ctx)
	return r, known(err)
}

func (s *Store) sealedRows(ctx context.Context, seals []*ent.AuditSeal) (map[string]*ent.ChangeEvent, error) {
	out := map[string]*ent.ChangeEvent{}
	for start := 0; start < len(seals); start += 500 {
		batch := seals[start:min(start+500, len(seals))]
		rows, err := s.Client.ChangeEvent.Query().Where(func(sel *sql.Selector) {
			ids := make([]any, len(batch))
			for i, x := range batch {
				ids[i] = x.ChangeID
			}
			sel.Where(sql.In(sel.C(changeevent.FieldID), ids...))
		}).All(ctx)
		if err != nil {
			return nil, known(err)
		}
		for _, row := range rows {
			out[string(row.ID)] = row
		}
	}
	return out, nil
}
