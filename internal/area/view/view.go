// Package view keeps the lists that people saved as they arranged them: filters,
// columns and order under a name. A view is its owner's own, shared with a team, or what
// the people of a role see first. It holds no rows and gives no right: whoever opens it
// sees what they may see.
//
// Both doors use it; a job calls Alerts. What a query means is the affair of the page
// door, which hands it over normalised and answers the other door as Lists.
package view

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/savedview"
	"steward/ent/teammembership"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// What may be kept: views of one person on one list, and the size of one.
const (
	Most     = 30
	nameMax  = 120
	queryMax = 4000
)

// Draft is a view as somebody fills it in.
type Draft struct {
	Name   string
	Shared savedview.Shared
	Team   ident.ID // of TEAM
	Role   string   // of ROLE
	Alert  bool     // tell the owner when the number changes
}

// Lists is what the page door knows of lists and the other door asks it.
type Lists interface {
	// Usable returns the query of a list of the type in its one spelling, without what
	// the viewer cannot use, and the names of that. The error is NotFound for a list they
	// cannot see.
	Usable(ctx context.Context, entity, query string) (spelled string, left []string, err error)
	// Look returns what views find for the viewer; those of lists they cannot see are
	// left out.
	Look(ctx context.Context, views ...*ent.SavedView) (map[ident.ID]Look, error)
}

// Look is what a view finds and where.
type Look struct {
	Count int
	Href  string
}

// Install lets a removed view be brought back. It is called once, when the store has
// been opened.
func Install(s *store.Store) {
	s.OnUndo("SavedView", func(ctx context.Context, c *ent.Client, changes []*ent.ChangeEvent) error {
		for _, x := range changes {
			own := scope.Elevate(ctx)
			held, err := c.SavedView.Get(own, x.EntityID)
			if err != nil {
				return err
			}
			if !Changeable(viewer.From(ctx), held) {
				return errs.NotFound()
			}
			if x.Op == "RESTORE" { // the undo of an undo
				if err := c.SavedView.UpdateOne(held).SetArchivedAt(now()).Exec(own); err != nil {
					return err
				}
				continue
			}
			if err := c.SavedView.UpdateOne(held).ClearArchivedAt().Exec(own); err != nil {
				return err
			}
			back := store.Change{Op: store.OpRestore, Entity: "SavedView", ID: held.ID, Version: held.Version + 1, Diff: map[string][2]any{"archived_at": {held.ArchivedAt, nil}}}
			if err := store.Note(ctx, back); err != nil {
				return err
			}
		}
		return nil
	})
}

// List returns the views of a list that the viewer has: what their roles see first,
// what their teams share, their own. One statement.
func List(ctx context.Context, s *store.Store, entity string) ([]*ent.SavedView, error) {
	v := viewer.From(ctx)
	if v == nil || v.Kind != viewer.Person {
		return nil, nil
	}
	found, err := s.ClientOf(ctx).SavedView.Query().Where(savedview.Entity(entity), savedview.ArchivedAtIsNil(), reached(v)).
		Order(savedview.ByPosition(), savedview.ByID()).All(scope.Elevate(ctx))
	slices.SortStableFunc(found, func(a, b *ent.SavedView) int { return rank(a) - rank(b) })
	return found, store.Known(err)
}

// rank puts what a role sees first before what people saved.
func rank(x *ent.SavedView) int {
	if x.Shared == savedview.SharedROLE {
		return 0
	}
	return 1
}

// reached narrows to the views that reach the viewer.
func reached(v *viewer.Viewer) func(*sql.Selector) {
	return func(sel *sql.Selector) {
		b := sql.Dialect(sel.Dialect())
		t := b.Table(teammembership.Table)
		teams := b.Select(t.C(teammembership.FieldTeamID)).From(t).Where(sql.And(sql.EQ(t.C(teammembership.FieldPersonID), v.ID), sql.IsNull(t.C("archived_at"))))
		or := []*sql.Predicate{
			sql.EQ(sel.C(savedview.FieldPersonID), v.ID),
			sql.And(sql.EQ(sel.C(savedview.FieldShared), savedview.SharedTEAM), sql.In(sel.C(savedview.FieldTeamID), teams)),
		}
		if len(v.Roles) > 0 {
			roles := make([]any, len(v.Roles))
			for i, r := range v.Roles {
				roles[i] = r
			}
			or = append(or, sql.And(sql.EQ(sel.C(savedview.FieldShared), savedview.SharedROLE), sql.In(sel.C(savedview.FieldRole), roles...)))
		}
		sel.Where(sql.Or(or...))
	}
}

// Get returns a view that reaches the viewer.
func Get(ctx context.Context, s *store.Store, id ident.ID) (*ent.SavedView, error) {
	return get(ctx, s.ClientOf(ctx), id)
}

func get(ctx context.Context, c *ent.Client, id ident.ID) (*ent.SavedView, error) {
	v := viewer.From(ctx)
	if v == nil || v.Kind != viewer.Person {
		return nil, errs.NotFound()
	}
	x, err := c.SavedView.Query().Where(savedview.ID(id), savedview.ArchivedAtIsNil(), reached(v)).Only(scope.Elevate(ctx))
	return x, store.Known(err)
}

// Some returns those of several views that reach the viewer: one statement.
func Some(ctx context.Context, s *store.Store, ids ...ident.ID) ([]*ent.SavedView, error) {
	v := viewer.From(ctx)
	if v == nil || v.Kind != viewer.Person {
		return nil, nil
	}
	out, err := s.ClientOf(ctx).SavedView.Query().Where(savedview.IDIn(ids...), savedview.ArchivedAtIsNil(), reached(v)).All(scope.Elevate(ctx))
	return out, store.Known(err)
}

// mine returns a view that the viewer may change.
func mine(ctx context.Context, c *ent.Client, id ident.ID) (*ent.SavedView, error) {
	x, err := get(ctx, c, id)
	if err == nil && !Changeable(viewer.From(ctx), x) {
		err = errs.Forbidden()
	}
	return x, err
}

// Changeable reports whether the viewer may change a view that reaches them: their own,
// and what a role sees first for those who decide about that.
func Changeable(v *viewer.Viewer, x *ent.SavedView) bool {
	return x.PersonID == v.ID || x.Shared == savedview.SharedROLE && ForRoles(v)
}

// ForRoles reports whether the viewer decides what a role sees first: those who look
// after the shared words of the installation (portfolio managers) or its settings.
func ForRoles(v *viewer.Viewer) bool {
	return access.May(v, "Tag", access.Write) || access.May(v, "Setting", access.Manage)
}

// Teams returns the teams the viewer belongs to, with which they may share.
func Teams(ctx context.Context, s *store.Store) ([]*ent.Team, error) {
	v := viewer.From(ctx)
	out, err := s.ClientOf(ctx).Team.Query().Where(func(sel *sql.Selector) {
		t := sql.Dialect(sel.Dialect()).Table(teammembership.Table)
		sel.Where(sql.And(sql.IsNull(sel.C("archived_at")), sql.In(sel.C("id"), sql.Dialect(sel.Dialect()).Select(t.C(teammembership.FieldTeamID)).From(t).
			Where(sql.And(sql.EQ(t.C(teammembership.FieldPersonID), v.ID), sql.IsNull(t.C("archived_at")))))))
		sel.OrderBy(sel.C("name"))
	}).All(ctx)
	return out, store.Known(err)
}

// Save keeps a list under a name and returns it. The errors are Validation, State for a
// role that has a view already, and Limit.
func Save(ctx context.Context, s *store.Store, entity, query string, d Draft) (id ident.ID, err error) {
	v := viewer.From(ctx)
	if v == nil || v.Kind != viewer.Person || !access.May(v, entity, access.Read) {
		return "", errs.NotFound()
	}
	if len(query) > queryMax {
		return "", errs.Invalid("query", "error.too_long", "max", queryMax)
	}
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		if d, err = checked(ctx, s, c, entity, "", d); err != nil {
			return err
		}
		own := scope.Elevate(ctx)
		n, err := c.SavedView.Query().Where(savedview.Entity(entity), savedview.PersonID(v.ID), savedview.ArchivedAtIsNil()).Count(own)
		if err != nil {
			return err
		}
		if n >= Most {
			return errs.New(errs.Limit, "view.too_many", "max", Most)
		}
		w := c.SavedView.Create().SetEntity(entity).SetName(d.Name).SetQuery(query).SetShared(d.Shared).SetRole(d.Role).SetAlert(d.Alert).SetPosition(n).SetPersonID(v.ID)
		if d.Team != "" {
			w.SetTeamID(d.Team)
		}
		x, err := w.Save(own)
		if err == nil {
			id = x.ID
		}
		return err
	})
	return id, store.Known(err)
}

// Change renames and shares a view and returns it. The errors are those of Save, and
// NotFound and Forbidden about the view.
func Change(ctx context.Context, s *store.Store, id ident.ID, d Draft) (x *ent.SavedView, err error) {
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		if x, err = mine(ctx, c, id); err != nil {
			return err
		}
		if d, err = checked(ctx, s, c, x.Entity, id, d); err != nil {
			return err
		}
		w := c.SavedView.UpdateOne(x).SetName(d.Name).SetShared(d.Shared).SetRole(d.Role).SetAlert(d.Alert)
		if d.Team != "" {
			w.SetTeamID(d.Team)
		} else {
			w.ClearTeamID()
		}
		if d.Alert != x.Alert {
			w.ClearAlertCount() // what it counts from is known at the next look
		}
		x, err = w.Save(scope.Elevate(ctx))
		return err
	})
	return x, err
}

// Arrange stores what a view looks for now.
func Arrange(ctx context.Context, s *store.Store, id ident.ID, query string) error {
	if len(query) > queryMax {
		return errs.Invalid("query", "error.too_long", "max", queryMax)
	}
	return s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		x, err := mine(ctx, c, id)
		if err != nil {
			return err
		}
		return c.SavedView.UpdateOne(x).SetQuery(query).ClearAlertCount().Exec(scope.Elevate(ctx))
	})
}

// Move puts a view of one's own before, or after, its neighbour.
func Move(ctx context.Context, s *store.Store, id ident.ID, forward bool) error {
	return s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		x, err := mine(ctx, c, id)
		if err != nil {
			return err
		}
		own := scope.Elevate(ctx)
		list, err := c.SavedView.Query().Where(savedview.Entity(x.Entity), savedview.PersonID(x.PersonID), savedview.ArchivedAtIsNil()).
			Order(savedview.ByPosition(), savedview.ByID()).All(own)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(list, func(y *ent.SavedView) bool { return y.ID == id })
		to := at - 1
		if forward {
			to = at + 1
		}
		if at < 0 || to < 0 || to >= len(list) {
			return nil
		}
		list[at], list[to] = list[to], list[at]
		for i, y := range list {
			if y.Position == i {
				continue
			}
			if err := c.SavedView.UpdateOne(y).SetPosition(i).Exec(own); err != nil {
				return err
			}
		}
		return nil
	})
}

// Remove takes a view away and returns the token that brings it back.
func Remove(ctx context.Context, s *store.Store, id ident.ID) (string, error) {
	return s.Do(ctx, func(ctx context.Context, c *ent.Client) error {
		x, err := mine(ctx, c, id)
		if err != nil {
			return err
		}
		return c.SavedView.UpdateOne(x).SetArchivedAt(now()).Exec(scope.Elevate(ctx))
	})
}

// checked returns the draft tidied up, or what is wrong with it.
func checked(ctx context.Context, s *store.Store, c *ent.Client, entity string, self ident.ID, d Draft) (Draft, error) {
	d.Name = strings.Join(strings.Fields(d.Name), " ")
	switch {
	case d.Name == "":
		return d, errs.Invalid("name", "error.required")
	case utf8.RuneCountInString(d.Name) > nameMax:
		return d, errs.Invalid("name", "error.too_long", "max", nameMax)
	}
	if d.Shared == "" {
		d.Shared = savedview.SharedPRIVATE
	}
	switch d.Shared {
	case savedview.SharedPRIVATE:
		d.Team, d.Role = "", ""
	case savedview.SharedTEAM:
		d.Role = ""
		teams, err := Teams(ctx, s)
		if err != nil {
			return d, err
		}
		if !slices.ContainsFunc(teams, func(t *ent.Team) bool { return t.ID == d.Team }) {
			return d, errs.Invalid("shared", "view.not_your_team")
		}
	case savedview.SharedROLE:
		d.Team = ""
		if !ForRoles(viewer.From(ctx)) {
			return d, errs.New(errs.CodeForbidden, "view.no_role_default")
		}
		if _, ok := access.ParseRole(d.Role); !ok {
			return d, errs.Invalid("shared", "view.unknown_role")
		}
		taken, err := c.SavedView.Query().Where(savedview.Entity(entity), savedview.SharedEQ(savedview.SharedROLE), savedview.Role(d.Role),
			savedview.ArchivedAtIsNil(), savedview.IDNEQ(self)).Exist(scope.Elevate(ctx))
		if err == nil && taken {
			err = errs.Invalid("shared", "view.role_taken")
		}
		return d, err
	default:
		return d, errs.Invalid("shared", "error.invalid_value")
	}
	return d, nil
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// First returns the view that the viewer's roles see first, of those that List returned;
// nil without one.
func First(v *viewer.Viewer, list []*ent.SavedView) *ent.SavedView {
	for _, x := range list {
		if x.Shared == savedview.SharedROLE && slices.Contains(v.Roles, x.Role) {
			return x
		}
	}
	return nil
}

// Alerts returns the views whose owners are told when the number of rows changes. Only
// the system may ask.
func Alerts(ctx context.Context, s *store.Store) ([]*ent.SavedView, error) {
	if !viewer.From(ctx).IsSystem() {
		return nil, errs.Forbidden()
	}
	out, err := s.ClientOf(ctx).SavedView.Query().Where(savedview.Alert(true), savedview.ArchivedAtIsNil()).Order(savedview.ByID()).All(ctx)
	return out, store.Known(err)
}

// Counted keeps how many rows a view had when its owner was last told.
func Counted(ctx context.Context, c *ent.Client, id ident.ID, n int) error {
	return c.SavedView.UpdateOneID(id).SetAlertCount(n).Exec(ctx)
}
