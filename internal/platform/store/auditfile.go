package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"steward/ent"
	"steward/ent/auditseal"
	"steward/ent/changeevent"
	"steward/internal/platform/scope"
	"steward/internal/rules/ident"
)

// auditFormat is the first line of an exported record of changes.
type auditFormat struct {
	Steward string    `json:"steward"` // what the file is
	Format  int       `json:"format"`
	At      time.Time `json:"exportedAt"`
}

// sealedRow is a line of the file: an audit row and its seal.
type sealedRow struct {
	Seal          int64             `json:"seal"`
	Hash          string            `json:"hash"`
	ID            ident.ID          `json:"id"`
	At            time.Time         `json:"at"`
	Op            string            `json:"op"`
	EntityType    string            `json:"entityType"`
	EntityID      ident.ID          `json:"entityId"`
	EntityVersion int               `json:"entityVersion"`
	ActorKind     string            `json:"actorKind"`
	ActorID       string            `json:"actorId"`
	ActorName     string            `json:"actorName"`
	Via           string            `json:"via"`
	TokenID       string            `json:"tokenId,omitempty"`
	OnBehalfOf    string            `json:"onBehalfOf,omitempty"`
	RequestID     string            `json:"requestId,omitempty"`
	ChangeSet     string            `json:"changeSet"`
	Undoes        string            `json:"undoes,omitempty"`
	Reason        string            `json:"reason,omitempty"`
	Diff          map[string][2]any `json:"diff"`
}

// auditEnd is the last line: without it, or with another head, the file was cut.
type auditEnd struct {
	Head string `json:"head"`
	Rows int    `json:"rows"`
}

const auditFile = "record of changes"

// ExportAudit writes the sealed record of changes as JSON Lines and returns the hash
// at its head, which signs the file: whoever knows the head, from the log or from
// elsewhere, can tell with VerifyAuditFile that no line was altered, moved or left
// out. It reads everything; callers look at the viewer's right first.
func (s *Store) ExportAudit(ctx context.Context, to io.Writer) (end AuditReport, err error) {
	ctx = scope.Elevate(ctx)
	out := bufio.NewWriter(to)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(auditFormat{auditFile, 1, now()}); err != nil {
		return end, err
	}
	last, hash := int64(0), ""
	for {
		seals, err := s.ClientOf(ctx).AuditSeal.Query().Where(auditseal.IDGT(last)).Order(auditseal.ByID()).Limit(1000).All(ctx)
		if err != nil {
			return end, known(err)
		}
		if len(seals) == 0 {
			break
		}
		rows, err := s.sealedRows(ctx, seals)
		if err != nil {
			return end, err
		}
		for _, seal := range seals {
			x := rows[string(seal.ChangeID)]
			if x == nil {
				return end, fmt.Errorf("the record of changes lacks the row of seal %d: run steward audit verify", seal.ID)
			}
			if err := lines.Encode(lineOf(seal, x)); err != nil {
				return end, err
			}
			last, hash = seal.ID, seal.Hash
			end.Sealed++
		}
	}
	end.Head = hash
	return end, errors.Join(lines.Encode(auditEnd{hash, end.Sealed}), out.Flush())
}

func lineOf(seal *ent.AuditSeal, x *ent.ChangeEvent) sealedRow {
	return sealedRow{seal.ID, seal.Hash, x.ID, x.At.UTC(), string(x.Op), x.EntityType, x.EntityID, x.EntityVersion, string(x.ActorKind), x.ActorID, x.ActorName,
		string(x.Via), x.TokenID, x.OnBehalfOf, x.RequestID, x.ChangeSet, x.Undoes, x.Reason, x.Diff}
}

func (l *sealedRow) event() *ent.ChangeEvent {
	return &ent.ChangeEvent{ID: l.ID, At: l.At, Op: changeevent.Op(l.Op), EntityType: l.EntityType, EntityID: l.EntityID, EntityVersion: l.EntityVersion,
		ActorKind: changeevent.ActorKind(l.ActorKind), ActorID: l.ActorID, ActorName: l.ActorName, Via: changeevent.Via(l.Via), TokenID: l.TokenID,
		OnBehalfOf: l.OnBehalfOf, RequestID: l.RequestID, ChangeSet: l.ChangeSet, Undoes: l.Undoes, Reason: l.Reason, Diff: l.Diff}
}

// VerifyAuditFile is VerifyAudit of a file that ExportAudit wrote; it needs no
// database. The error says that it is no such file.
func VerifyAuditFile(file io.ReadSeeker, knownHead string) (AuditReport, error) {
	c := &checker{next: 1, wanted: knownHead, amended: newAmendments()}
	_, err := eachLine(file, func(l *sealedRow) (bool, error) { c.amended.take(l.event()); return true, nil })
	if err != nil {
		return c.AuditReport, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return c.AuditReport, err
	}
	end, err := eachLine(file, func(l *sealedRow) (bool, error) {
		c.start(l.Seal)
		return c.row(l.Seal, string(l.ID), l.Hash, l.event())
	})
	switch {
	case err != nil || c.Broken != "":
		return c.AuditReport, err
	case end == nil:
		c.end("no end")
	default:
		c.end(end.Head)
	}
	return c.AuditReport, nil
}

// errNoAuditFile says that a file is something else.
var errNoAuditFile = errors.New("this is no record of changes that Steward wrote")

// eachLine calls f for each row of an exported record until it returns false. The
// end is nil for a file without its last line.
func eachLine(file io.Reader, f func(*sealedRow) (bool, error)) (*auditEnd, error) {
	in := json.NewDecoder(bufio.NewReader(file))
	var head auditFormat
	if err := in.Decode(&head); err != nil || head.Steward != auditFile || head.Format != 1 {
		return nil, errNoAuditFile
	}
	for {
		var line struct {
			sealedRow
			auditEnd
		}
		switch err := in.Decode(&line); {
		case errors.Is(err, io.EOF):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("a line of the file cannot be read: %w", err)
		case line.Seal == 0:
			return &line.auditEnd, nil
		}
		if ok, err := f(&line.sealedRow); !ok {
			return nil, err
		}
	}
}
