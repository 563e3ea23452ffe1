package importer

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/importbatch"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Prospect says what taking an import back would do.
type Prospect struct {
	// May is false for an import that was taken back already and for a viewer who
	// may not write all of its rows.
	May bool
	// Archives tells that the rows it created are archived, not removed.
	Archives          bool
	Removed, Restored int
}

// Foresee returns what Undo would do with an import that the viewer in ctx reads,
// from its audit alone: one statement, however large it was. Undo itself looks at
// every row again, so it may still refuse one that has changed since.
func Foresee(ctx context.Context, s *store.Store, b *ent.ImportBatch) (Prospect, error) {
	v := viewer.From(ctx)
	if v == nil {
		return Prospect{}, store.ErrNoViewer
	}
	p := Prospect{May: b.Status == importbatch.StatusAPPLIED && access.May(v, "ImportBatch", access.Write)}
	p.Archives, _ = b.Report["guarded"].(bool)
	var places []struct {
		EntityType  string    `json:"entity_type"`
		Op          string    `json:"op"`
		PortfolioID *ident.ID `json:"portfolio_id"`
		ProductID   *ident.ID `json:"product_id"`
		VendorID    *ident.ID `json:"vendor_id"`
		Count       int       `json:"count"`
	}
	err := s.ClientOf(ctx).ChangeEvent.Query().Where(changeevent.ChangeSet(b.ChangeSet), changeevent.EntityTypeNEQ("ImportBatch")).
		GroupBy(changeevent.FieldEntityType, changeevent.FieldOp, changeevent.FieldPortfolioID, changeevent.FieldProductID, changeevent.FieldVendorID).
		Aggregate(ent.Count()).Scan(scope.Elevate(ctx), &places)
	if err != nil {
		return p, store.Known(err)
	}
	id := func(i *ident.ID) ident.ID {
		if i == nil {
			return ""
		}
		return *i
	}
	for _, x := range places {
		if x.Op == string(store.OpCreate) {
			p.Removed += x.Count
		} else {
			p.Restored += x.Count
		}
		row := access.Row{Portfolio: id(x.PortfolioID), Product: id(x.ProductID), Vendor: id(x.VendorID)}
		p.May = p.May && (scope.Unrestricted(ctx) || access.For(v, x.EntityType, access.Write).Includes(row))
	}
	return p, nil
}

// TakenBack returns who took an import back, and when; "" is the system.
func TakenBack(ctx context.Context, s *store.Store, b *ent.ImportBatch) (who string, at time.Time, err error) {
	e, err := s.ClientOf(ctx).ChangeEvent.Query().
		Where(changeevent.EntityID(b.ID), changeevent.OpEQ(changeevent.OpUPDATE)).
		Order(changeevent.ByID(sql.OrderDesc())).First(scope.Elevate(ctx))
	if err != nil {
		return "", time.Time{}, store.Known(err)
	}
	if e.ActorKind == changeevent.ActorKindSYSTEM {
		return "", e.At, nil
	}
	return e.ActorName, e.At, nil
}
