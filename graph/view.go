package graph

import (
	"context"
	"strings"

	"steward/ent"
	"steward/ent/savedview"
	"steward/graph/model"
	"steward/internal/area/view"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// savedViews returns a page of the caller's views of a list.
func (r *Resolver) savedViews(ctx context.Context, of string, first, offset *int) ([]*ent.SavedView, error) {
	if e := entity.ByName(of); e == nil || !e.Registry || !access.May(viewer.From(ctx), of, access.Read) {
		return nil, errs.NotFound()
	}
	list, err := view.List(ctx, r.Store, of)
	from := min(passed(offset), len(list))
	return list[from:min(from+*first, len(list))], err
}

// plainly is ctx as queries of lists are read and kept: amounts spelled the same
// whatever the caller's language.
func plainly(ctx context.Context) context.Context {
	return i18n.WithZone(i18n.With(ctx, i18n.English), viewer.From(ctx).Zone)
}

// arranged returns a query as it is kept. The error is Validation where it says what
// no list of the type takes.
func (r *Resolver) arranged(ctx context.Context, of, query string) (string, error) {
	spelled, left, err := r.lists.Usable(plainly(ctx), of, query)
	if err == nil && len(left) > 0 {
		err = errs.Invalid("query", "view.not_usable", "names", strings.Join(left, ", "))
	}
	return spelled, err
}

func (r *Resolver) saveView(ctx context.Context, in model.SaveViewInput) (*ent.SavedView, error) {
	query, err := r.arranged(ctx, in.Type, in.Query)
	if err != nil {
		return nil, err
	}
	d := draft(view.Draft{Name: in.Name}, nil, in.Shared, in.TeamID, in.Role, in.Alert)
	id, err := view.Save(ctx, r.Store, in.Type, query, d)
	if err != nil {
		return nil, err
	}
	return view.Get(ctx, r.Store, id)
}

func (r *Resolver) changeView(ctx context.Context, in model.ChangeViewInput) (*ent.SavedView, error) {
	x, err := view.Get(ctx, r.Store, in.ID)
	if err != nil {
		return nil, err
	}
	if in.Query != nil {
		query, err := r.arranged(ctx, x.Entity, *in.Query)
		if err != nil {
			return nil, err
		}
		if err := view.Arrange(ctx, r.Store, x.ID, query); err != nil {
			return nil, err
		}
	}
	was := view.Draft{Name: x.Name, Shared: x.Shared, Role: x.Role, Alert: x.Alert}
	if x.TeamID != nil {
		was.Team = *x.TeamID
	}
	return view.Change(ctx, r.Store, x.ID, draft(was, in.Name, in.Shared, in.TeamID, in.Role, in.Alert))
}

// draft is d with what is given.
func draft(d view.Draft, name *string, shared *savedview.Shared, team *ident.ID, role *string, alert *bool) view.Draft {
	fill := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	fill(&d.Name, name)
	fill(&d.Role, role)
	if shared != nil {
		d.Shared = *shared
	}
	if team != nil {
		d.Team = *team
	}
	if alert != nil {
		d.Alert = *alert
	}
	return d
}

// look returns what one view finds for the caller, nil for who cannot see the list.
func (r *Resolver) look(ctx context.Context, id ident.ID) (*view.Look, error) {
	return load(ctx, "view", id, func(ctx context.Context, ids []ident.ID) (map[ident.ID]*view.Look, error) {
		views, err := view.Some(ctx, r.Store, ids...)
		if err != nil {
			return nil, err
		}
		found, err := r.lists.Look(plainly(ctx), views...)
		out := map[ident.ID]*view.Look{}
		for _, id := range ids {
			out[id] = nil
			if l, ok := found[id]; ok {
				out[id] = &l
			}
		}
		return out, err
	})
}
