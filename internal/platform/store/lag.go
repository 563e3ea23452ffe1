package store

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/auditseal"
	"steward/ent/changeevent"
	"steward/internal/platform/scope"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// sealsLooked is how many seals SealLag looks back: rows of one time are not sealed in the order of their ids.
const sealsLooked = 1000

// SealLag returns how long the oldest audit row without a seal has waited for it, 0 when there is none. It
// costs the same however long the record of changes is: it looks behind the newest rows that have a seal.
func (s *Store) SealLag(ctx context.Context) (time.Duration, error) {
	ctx = scope.Elevate(viewer.With(ctx, viewer.NewSystem(viewer.ViaJob, "")))
	seals, err := s.Client.AuditSeal.Query().Order(auditseal.ByID(sql.OrderDesc())).Limit(sealsLooked).Select(auditseal.FieldChangeID).All(ctx)
	if err != nil {
		return 0, known(err)
	}
	newest := ident.ID("")
	for _, x := range seals {
		newest = max(newest, x.ChangeID)
	}
	oldest, err := s.Client.ChangeEvent.Query().Where(changeevent.IDGT(newest), noSeal).Order(changeevent.ByID()).Select(changeevent.FieldAt).First(ctx)
	switch {
	case ent.IsNotFound(err):
		return 0, nil
	case err != nil:
		return 0, known(err)
	}
	return max(0, now().Sub(oldest.At)), nil
}

// noSeal keeps the audit rows without a seal.
func noSeal(sel *sql.Selector) {
	t := sql.Dialect(sel.Dialect()).Table(auditseal.Table).As("seal")
	sel.Where(sql.NotExists(sql.Dialect(sel.Dialect()).Select().From(t).Where(sql.ColumnsEQ(t.C(auditseal.FieldChangeID), sel.C(changeevent.FieldID)))))
}
