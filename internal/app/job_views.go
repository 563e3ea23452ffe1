package app

import (
	"context"
	"strconv"

	"steward/ent"
	"steward/internal/area/notify"
	"steward/internal/area/view"
	"steward/internal/platform/auth"
	"steward/internal/platform/i18n"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/web"
)

// watchViews counts the rows of the saved views that have an alert, each with the rights its owner has now, and
// tells the owner when the number is another than at the last look. The first look only notes it.
func watchViews(ctx context.Context, x *job.Run, s *store.Store) error {
	list, err := view.Alerts(ctx, s)
	if err != nil {
		return err
	}
	told := 0
	for _, v := range list {
		n, href, err := countFor(ctx, s, v)
		switch errs.CodeOf(err) {
		case errs.Unauthenticated, errs.CodeNotFound: // who is gone, or sees the list no more, is told nothing
			continue
		}
		if err != nil {
			return err
		}
		if v.AlertCount != nil && *v.AlertCount == n {
			continue
		}
		if err := x.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			if v.AlertCount != nil {
				told++
				// the version makes it one message for each change, should the job be done twice
				key := "view:" + v.ID.String() + ":" + strconv.Itoa(v.Version)
				if err := notify.Tell(ctx, s, v.PersonID, "notify.view_changed", map[string]any{"name": v.Name, "before": *v.AlertCount, "after": n}, href, key); err != nil {
					return err
				}
			}
			return view.Counted(ctx, c, v.ID, n)
		}); err != nil {
			return err
		}
	}
	return x.Done(ctx, map[string]any{"views": len(list), "told": told}, nil)
}

// countFor counts the rows of a view as its owner would see them now.
func countFor(ctx context.Context, s *store.Store, x *ent.SavedView) (int, string, error) {
	owner, err := ownerNow(ctx, s, x.PersonID)
	if err != nil {
		return 0, "", err
	}
	ctx = i18n.WithZone(i18n.With(viewer.With(ctx, owner), i18n.English), owner.Zone) // stored values are spelled alike in both languages
	looks, err := web.Lists(s).Look(ctx, x)
	look, seen := looks[x.ID]
	if err == nil && !seen {
		err = errs.NotFound()
	}
	return look.Count, look.Href, err
}

// ownerNow is somebody with all they may do now.
func ownerNow(ctx context.Context, s *store.Store, id ident.ID) (*viewer.Viewer, error) {
	was := &viewer.Viewer{Kind: viewer.Person, ID: id, Via: viewer.ViaJob}
	for _, r := range access.Roles {
		was.Roles = append(was.Roles, string(r))
	}
	return auth.Still(ctx, s, was)
}
