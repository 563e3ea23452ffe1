package graph

import (
	"context"
	"errors"
	"time"

	"github.com/vikstrous/dataloadgen"

	"steward/graph/model"
	"steward/internal/area/move"
	"steward/internal/area/okr"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// gather is how long a loader waits for the other rows of the same answer.
const gather = 2 * time.Millisecond

// load returns the value of one id; those of one answer are fetched together, in
// the statements of one. Inside a mutation nothing is gathered or kept: its
// fields run one by one and change what was loaded. Nor is it in a stream, which
// lasts long.
func load[V any](ctx context.Context, name string, id ident.ID, fetch func(context.Context, []ident.ID) (map[ident.ID]V, error)) (V, error) {
	var none V
	c := callOf(ctx)
	if c == nil || c.stream != nil || store.ChangeSet(ctx) != "" {
		found, err := fetch(ctx, []ident.ID{id})
		if err != nil {
			return none, err
		}
		if v, ok := found[id]; ok {
			return v, nil
		}
		return none, errs.NotFound()
	}
	made, _ := c.loaders.LoadOrStore(name, dataloadgen.NewMappedLoader(fetch, dataloadgen.WithWait(gather)))
	v, err := made.(*dataloadgen.Loader[ident.ID, V]).Load(ctx, id)
	if errors.Is(err, dataloadgen.ErrNotFound) {
		return none, errs.NotFound()
	}
	return v, err
}

// record returns what decides about the moves of one record.
func (r *Resolver) record(ctx context.Context, name string, id ident.ID) (move.Record, error) {
	return load(ctx, name, id, func(ctx context.Context, ids []ident.ID) (map[ident.ID]move.Record, error) {
		list, err := move.Load(ctx, r.Store, name, ids...)
		found := make(map[ident.ID]move.Record, len(list))
		for _, x := range list {
			found[x.ID] = x
		}
		return found, err
	})
}

// standing returns how one objective stands.
func (r *Resolver) standing(ctx context.Context, id ident.ID) (okr.Standing, error) {
	return load(ctx, "standing", id, func(ctx context.Context, ids []ident.ID) (map[ident.ID]okr.Standing, error) {
		return okr.Stand(ctx, r.Store, ids...)
	})
}

// available returns the moves that the viewer may make with one record.
func (r *Resolver) available(ctx context.Context, name string, id ident.ID) ([]*model.Action, error) {
	x, err := r.record(ctx, name, id)
	if err != nil {
		return nil, err
	}
	return actions(ctx, x.Machine, x.Actions()), nil
}

func actions(ctx context.Context, m flow.Machine, moves []flow.Move) []*model.Action {
	out := make([]*model.Action, len(moves))
	for i, mv := range moves {
		out[i] = &model.Action{State: mv.To, Verb: mv.Verb, NeedsNote: mv.Needs.Has(flow.Note),
			Label: i18n.T(viewer.From(ctx).Lang, m.MoveKey(mv.Verb))}
	}
	return out
}

// step is the input of a move as the areas take it.
func step[S ~string](id ident.ID, to S, version int, note *string) move.Input {
	return move.Input{ID: id, To: string(to), Version: version, Note: text(note)}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// passed is how many rows a page passes over; null is none.
func passed(offset *int) int {
	if offset == nil {
		return 0
	}
	return max(0, *offset)
}

// pointers turns values into what gqlgen wants of lists.
func pointers[T any](list []T, err error) ([]*T, error) {
	out := make([]*T, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out, err
}
