package graph

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/graph/model"
	"steward/internal/area/bulk"
	"steward/internal/area/tag"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// tagsOf returns the tags of one record that the caller has read.
func (r *Resolver) tagsOf(ctx context.Context, name string, id ident.ID) ([]*ent.Tag, error) {
	return load(ctx, "tags "+name, id, func(ctx context.Context, ids []ident.ID) (map[ident.ID][]*ent.Tag, error) {
		found, err := tag.Of(ctx, r.Store, entity.ByName(name), ids...)
		for _, id := range ids {
			if found[id] == nil {
				found[id] = []*ent.Tag{}
			}
		}
		return found, err
	})
}

// tagFilter returns the condition of records of a type that carry one of the tags.
func tagFilter[P ~func(*sql.Selector)](ctx context.Context, name string, ids []ident.ID) ([]P, error) {
	if ids == nil {
		return nil, nil
	}
	if !tag.Seen(ctx, entity.ByName(name)) || len(ids) > tag.Most || slices.ContainsFunc(ids, func(id ident.ID) bool { return id.Prefix() != "tag" }) {
		return nil, errs.Invalid("tagged", "tag.unknown")
	}
	return []P{P(tag.With(ids...))}, nil
}

// tagRecords puts tags on records of one type and takes others off them.
func (r *Resolver) tagRecords(ctx context.Context, in model.TagRecordsInput) (*model.TagRecordsPayload, error) {
	if len(in.Records) > bulk.Most {
		return nil, errs.New(errs.Limit, "bulk.too_many", "max", bulk.Most)
	}
	e, err := typeOf("records", in.Records)
	if err != nil {
		return nil, err
	}
	if len(in.Add)+len(in.Remove) == 0 {
		return nil, errs.Invalid("add", "error.required")
	}
	if err := tag.Mark(store.Because(ctx, in.Reason), r.Store, e, once(in.Records), once(in.Add), once(in.Remove)); err != nil {
		return nil, err
	}
	return &model.TagRecordsPayload{UndoToken: store.Undoable(ctx)}, nil
}

// typeOf returns the one type of the records at a path of the input.
func typeOf(path string, ids []ident.ID) (*entity.Entity, error) {
	if len(ids) == 0 {
		return nil, errs.Invalid(path, "bulk.no_rows")
	}
	e := entity.OfID(ids[0])
	if e == nil || !e.Registry {
		return nil, errs.NotFound()
	}
	if slices.ContainsFunc(ids, func(id ident.ID) bool { return id.Prefix() != e.Prefix }) {
		return nil, errs.Invalid(path, "graph.one_type")
	}
	return e, nil
}

// once leaves out what is named again.
func once(ids []ident.ID) []ident.ID {
	out := slices.Clone(ids)
	slices.Sort(out)
	return slices.Compact(out)
}
