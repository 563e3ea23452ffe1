package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/auditseal"
	"steward/ent/changeevent"
	"steward/internal/platform/scope"
	"steward/internal/rules/viewer"
)

// canonical is what a seal covers of an audit row.
func canonical(x *ent.ChangeEvent) ([]byte, error) {
	return json.Marshal([]any{
		x.ID, x.At.UTC(), x.Op, x.EntityType, x.EntityID, x.EntityVersion, x.ActorKind, x.ActorID, x.ActorName,
		x.Via, x.TokenID, x.OnBehalfOf, x.RequestID, x.ChangeSet, x.Undoes, x.Reason, x.Diff,
	})
}

// chain returns SHA-256(previous hash, row).
func chain(prev string, row []byte) string { return digest(append([]byte(prev), row...)) }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// AuditReport is the outcome of VerifyAudit.
type AuditReport struct {
	Sealed   int    // rows whose seal was checked
	Unsealed int    // rows not sealed yet
	Redacted int    // sealed rows from which a person was erased, as the record itself says
	Purged   int64  // seals before the first one kept, as the record itself says
	Head     string // hash of the last seal
	// Broken names the first row that does not fit: altered, missing, out of
	// order, or cut off at the end. Empty when all is well.
	Broken string
	// Why says in a word what is wrong with it.
	Why string
}

// amendments are the changes of the record that the record itself tells of, in rows
// that are sealed like any other: from which rows a person was erased (with the
// digest of what is left), and up to which seal old rows were deleted.
type amendments struct {
	redacted    map[string]map[string]bool // id of a row → digests of what it may now be
	checkpoints map[int64]string           // seal → its hash
}

// Where a row of the record tells of an amendment.
const (
	redactedKey   = "redacted"
	checkpointKey = "checkpoint"
)

// take adds what a row tells.
func (a *amendments) take(x *ent.ChangeEvent) {
	if Op(x.Op) != OpEvent {
		return
	}
	if rows, ok := x.Diff[redactedKey][1].(map[string]any); ok {
		for id, left := range rows {
			if a.redacted[id] == nil {
				a.redacted[id] = map[string]bool{}
			}
			a.redacted[id][fmt.Sprint(left)] = true
		}
	}
	if point, ok := x.Diff[checkpointKey][1].(map[string]any); ok {
		if seal, ok := point["seal"].(float64); ok {
			a.checkpoints[int64(seal)] = fmt.Sprint(point["hash"])
		}
	}
}

func newAmendments() amendments {
	return amendments{map[string]map[string]bool{}, map[int64]string{}}
}

func (s *Store) amendments(ctx context.Context) (amendments, error) {
	a := newAmendments()
	rows, err := s.Client.ChangeEvent.Query().Where(changeevent.OpEQ(changeevent.OpEVENT), changeevent.EntityTypeIn("Person", "Setting")).All(ctx)
	for _, x := range rows {
		a.take(x)
	}
	return a, known(err)
}

// checker follows the chain row by row, from the database or from a file.
type checker struct {
	AuditReport
	amended amendments
	prev    string
	next    int64
	wanted  string // a hash that must be in the chain; empty for none
	seen    bool
}

// start begins at the first seal there is: the very first, or the one after a
// checkpoint.
func (c *checker) start(first int64) {
	if c.next > 1 || first <= 1 {
		return
	}
	hash, ok := c.amended.checkpoints[first-1]
	if !ok {
		return // then seal 1 is missing
	}
	c.prev, c.next, c.Purged = hash, first, first-1
	c.seen = c.seen || hash == c.wanted
}

// row checks one sealed row, nil for one that is not there, and reports whether the
// chain still fits.
func (c *checker) row(seal int64, id, hash string, x *ent.ChangeEvent) (bool, error) {
	switch {
	case seal != c.next:
		c.Broken, c.Why = fmt.Sprintf("seal %d", c.next), "missing"
		return false, nil
	case x == nil:
		c.Broken, c.Why = id, "missing"
		return false, nil
	}
	content, err := canonical(x)
	if err != nil {
		return false, err
	}
	switch {
	case chain(c.prev, content) == hash:
	case c.amended.redacted[id][digest(content)]:
		c.Redacted++
	default:
		c.Broken, c.Why = id, "altered"
		return false, nil
	}
	c.prev = hash
	c.seen = c.seen || hash == c.wanted
	c.next++
	c.Sealed++
	return true, nil
}

// end compares the end of the chain with the head.
func (c *checker) end(head string) {
	c.Head = c.prev
	if c.Broken == "" && (head != c.prev || c.wanted != "" && !c.seen) {
		c.Broken, c.Why = fmt.Sprintf("seal %d", c.next), "cut off"
	}
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
	first, err := s.Client.AuditSeal.Query().Order(auditseal.ByID()).First(ctx)
	if err == nil && head.SealID-n < first.ID {
		return s.VerifyAudit(ctx, "")
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
	c := &checker{next: next, prev: prev, wanted: knownHead}
	var err error
	if c.amended, err = s.amendments(ctx); err != nil {
		return c.AuditReport, err
	}
	var head *ent.AuditHead
	for behind := int64(0); ; {
		seals, err := s.Client.AuditSeal.Query().Where(auditseal.IDGTE(c.next)).Order(auditseal.ByID()).Limit(1000).All(ctx)
		if err != nil {
			return c.AuditReport, known(err)
		}
		if len(seals) == 0 {
			if head, err = s.Client.AuditHead.Get(ctx, headID); err != nil && !ent.IsNotFound(err) {
				return c.AuditReport, known(err)
			}
			if head != nil && head.SealID >= c.next && behind != c.next {
				behind = c.next
				continue
			}
			break
		}
		c.start(seals[0].ID)
		rows, err := s.sealedRows(ctx, seals)
		if err != nil {
			return c.AuditReport, err
		}
		for _, seal := range seals {
			if ok, err := c.row(seal.ID, string(seal.ChangeID), seal.Hash, rows[string(seal.ChangeID)]); !ok {
				return c.AuditReport, err
			}
		}
	}
	c.end(hashOfHead(head, c.Sealed, c.prev))
	if c.Broken != "" {
		return c.AuditReport, nil
	}
	c.Unsealed, err = s.Client.ChangeEvent.Query().Where(func(sel *sql.Selector) {
		t := sql.Dialect(sel.Dialect()).Table(auditseal.Table).As("seal")
		sel.Where(sql.NotExists(sql.Dialect(sel.Dialect()).Select().From(t).Where(sql.ColumnsEQ(t.C(auditseal.FieldChangeID), sel.C(changeevent.FieldID)))))
	}).Count(ctx)
	return c.AuditReport, known(err)
}

// hashOfHead is what the head says; before the first seal there is none.
func hashOfHead(head *ent.AuditHead, sealed int, prev string) string {
	switch {
	case head != nil:
		return head.Hash
	case sealed == 0:
		return prev
	}
	return "no head"
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
