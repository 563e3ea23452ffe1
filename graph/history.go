package graph

import (
	"context"

	"steward/graph/model"
	"steward/internal/area/audit"
	"steward/internal/platform/entity"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// history returns a page of a record's changes. A record that the viewer cannot
// see has none, and neither has one that does not exist: both are not found.
func (r *Resolver) history(ctx context.Context, id ident.ID, first *int, after *string) (*model.History, error) {
	e := entity.OfID(id)
	if e == nil {
		return nil, errs.NotFound()
	}
	if e.Registry {
		if _, err := r.node(ctx, id); err != nil {
			return nil, err
		}
	}
	page, err := audit.List(ctx, r.Store, audit.Filter{ID: id, After: text(after), Limit: *first})
	if err != nil {
		return nil, err
	}
	out := &model.History{Next: page.Next, Entries: make([]*model.HistoryEntry, len(page.Entries))}
	for i, x := range page.Entries {
		ev := x.Event
		fields := make([]*audit.FieldChange, len(x.Fields))
		for j := range x.Fields {
			x.Fields[j].Name = inputPath(x.Fields[j].Name)
			fields[j] = &x.Fields[j]
		}
		out.Entries[i] = &model.HistoryEntry{ID: ev.ID, At: ev.At, Op: string(ev.Op), Version: ev.EntityVersion,
			ActorKind: string(ev.ActorKind), ActorID: ev.ActorID, ActorName: ev.ActorName, Via: string(ev.Via),
			Reason: ev.Reason, ChangeSet: ev.ChangeSet, Undoes: ev.Undoes, Fields: fields}
	}
	return out, nil
}
