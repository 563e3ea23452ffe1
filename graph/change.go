package graph

import (
	"context"
	"slices"

	"entgo.io/contrib/entgql"
	"github.com/99designs/gqlgen/graphql"

	"steward/ent"
	"steward/graph/model"
	"steward/internal/platform/entity"
	"steward/internal/platform/feed"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// placeCursor writes a place in the feed as the cursors of lists are written.
func placeCursor(p feed.Place) entgql.Cursor[ident.ID] { return cursorOf(p.String()) }

func cursorOf(place string) entgql.Cursor[ident.ID] {
	return entgql.Cursor[ident.ID]{ID: ident.ID(place)}
}

// place reads a cursor of the feed; one of a list is refused.
func (r *Resolver) place(ctx context.Context, after *entgql.Cursor[ident.ID]) (feed.Place, error) {
	if after == nil {
		return feed.Place{}, nil
	}
	p, ok := feed.Parse(after.ID.String())
	if !ok {
		return p, errs.Invalid("after", "error.cursor")
	}
	return feed.Find(ctx, r.Store, p)
}

// feedTypes checks the names of types that a client follows.
func feedTypes(types []string) error {
	known := feed.Types()
	for _, name := range types {
		if !slices.Contains(known, name) {
			return errs.Invalid("types", "error.not_in_list", "value", name, "options", "Contract, Product, …")
		}
	}
	return nil
}

// changes returns a page of the change feed.
func (r *Resolver) changes(ctx context.Context, after *entgql.Cursor[ident.ID], types []string, first int) (*model.ChangePage, error) {
	if err := feedTypes(types); err != nil {
		return nil, err
	}
	from, err := r.place(ctx, after)
	if err != nil {
		return nil, err
	}
	end, err := feed.Now(ctx, r.Store)
	if err != nil {
		return nil, err
	}
	list, next, more, err := feed.Read(ctx, r.Store, from, end, types, first)
	if err != nil {
		return nil, err
	}
	page := &model.ChangePage{Changes: make([]*model.Change, len(list)), HasMore: more}
	for i, x := range list {
		page.Changes[i] = changeOf(x)
	}
	if next != (feed.Place{}) {
		c := placeCursor(next)
		page.EndCursor = &c
	}
	return page, nil
}

func changeOf(x feed.Change) *model.Change {
	return &model.Change{Cursor: placeCursor(x.Place), Type: x.Type, ID: x.ID, Op: x.Op, Version: x.Version, At: x.At, ChangeSet: x.ChangeSet}
}

// changed returns the record of a change as it is now, nil where it is no longer
// there or never was the caller's to see.
func (r *Resolver) changed(ctx context.Context, x *model.Change) (ent.Noder, error) {
	e := entity.ByName(x.Type)
	if e == nil || x.Op == string(store.OpDelete) {
		return nil, nil
	}
	n, err := load(ctx, "node "+e.Name, x.ID, func(ctx context.Context, ids []ident.ID) (map[ident.ID]ent.Noder, error) {
		return r.present(ctx, e.Table, slices.Compact(slices.Sorted(slices.Values(ids)))) // the loader goes by the order of ids
	})
	if absent(err) {
		return nil, nil
	}
	return n, err
}

// present returns those of the records that the viewer can see. The generated lookup
// leaves an error in the answer for each of the others.
func (r *Resolver) present(ctx context.Context, table string, ids []ident.ID) (map[ident.ID]ent.Noder, error) {
	ctx = graphql.WithFreshResponseContext(ctx)
	list, err := r.client(ctx).Noders(ctx, ids, ent.WithFixedNodeType(table))
	found := map[ident.ID]ent.Noder{}
	for i, n := range list {
		if n != nil {
			found[ids[i]] = n
		}
	}
	for _, e := range graphql.GetErrors(ctx) {
		if err == nil && e.Extensions["code"] != string(errs.CodeNotFound) {
			err = e
		}
	}
	if absent(err) {
		return found, nil
	}
	return found, err
}

// absent reports whether an error says that something is not there.
func absent(err error) bool { return errs.CodeOf(store.Known(err)) == errs.CodeNotFound }
