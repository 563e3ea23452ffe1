package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/savedview"
	saved "steward/internal/area/view"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
	"steward/views/layout"
	"steward/views/ui"
)

// allRows is the value of the parameter "view" that asks for a list as it is, where the
// reader's role sees a saved view first.
const allRows = "all"

// viewPages are the routes of saved views.
func (s *site) viewPages() map[string]handler {
	return map[string]handler{
		"POST /views":                  s.saveView,
		"GET /views/{id}":              s.viewForm,
		"POST /views/{id}":             s.changeView,
		"POST /views/{id}/move/{to}":   s.moveView,
		"POST /views/{id}/remove":      s.removeView,
		"GET /me/notifications":        s.notices,
		"POST /me/notifications":       s.readNotices,
		"GET /me/notifications/unread": s.unread,
		"POST /me/notifications/{id}":  s.openNotice,
	}
}

// arrangement is the part of the address of a list that says what it shows and how, in
// one spelling: what a saved view keeps.
func arrangement(e *entity.Entity, q url.Values) url.Values {
	out := url.Values{}
	for name, list := range q {
		if !arranges(name) {
			continue
		}
		for _, v := range list {
			if v != "" {
				out.Add(name, v)
			}
		}
	}
	if out.Get("sort") == e.Sort {
		out.Del("sort")
	}
	return out
}

// arranges reports whether a parameter of a list's address says what it shows and how.
func arranges(name string) bool {
	return slices.Contains([]string{"q", "sort", "cols", "archived", "tag"}, name) || strings.HasPrefix(name, "f.")
}

// asked reads a list from the parameters of its address.
func asked(ctx context.Context, e *entity.Entity, q url.Values) (*listing, error) {
	r := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/" + e.Path, RawQuery: q.Encode()}}
	return readListing(r.WithContext(ctx), e)
}

// ownKnown keeps the custom fields of one entity, for reading several addresses of its
// lists without looking them up each time.
type ownKnown struct {
	entity *entity.Entity
	own    view.Own
}

type ownKey struct{}

func withOwn(ctx context.Context, e *entity.Entity, own view.Own) context.Context {
	return context.WithValue(ctx, ownKey{}, ownKnown{e, own})
}

// usable returns what of an arrangement the viewer can use now, and the names of what
// they cannot: a column that is gone or hidden from them, a value that is none.
func usable(ctx context.Context, e *entity.Entity, q url.Values) (url.Values, []string) {
	out, left := url.Values{}, []string(nil)
	if own, err := ownOf(ctx, e); err == nil {
		ctx = withOwn(ctx, e, own)
	}
	for name, list := range arrangement(e, q) {
		if name == "cols" {
			list = strings.FieldsFunc(strings.Join(list, ","), func(r rune) bool { return r == ',' })
		}
		for _, v := range list {
			l, err := asked(ctx, e, url.Values{name: {v}})
			if err != nil {
				left = append(left, strings.TrimPrefix(name, "f."))
				continue
			}
			out.Add(name, spelled(l, v))
		}
	}
	slices.Sort(left)
	return out, slices.Compact(left)
}

// spelled is the value of a parameter as every reader understands it: an amount is kept
// without the grouping of the language it was typed in.
func spelled(l *listing, text string) string {
	for _, c := range l.filters {
		if kind := c.field.Kind; (kind == "money" || kind == "decimal") && c.op != "none" {
			return entity.Text(c.values[0])
		}
	}
	return text
}

// storedQuery reads what a view keeps.
func storedQuery(x *ent.SavedView) url.Values {
	q, _ := url.ParseQuery(x.Query) // written by ourselves
	return q
}

// viewHref is the address of a list as a view shows it.
func viewHref(e *entity.Entity, q url.Values, id ident.ID) string {
	values := maps.Clone(q)
	if values == nil {
		values = url.Values{}
	}
	values.Set("view", id.String())
	return ui.Query{Path: "/" + e.Path, Values: values}.String()
}

// firstView leads those who open a list without more to what their role sees first.
func (s *site) firstView(r *http.Request, e *entity.Entity, list []*ent.SavedView) string {
	x := saved.First(viewer.From(r.Context()), list)
	if x == nil || r.URL.RawQuery != "" || fragment(r) {
		return ""
	}
	q, _ := usable(r.Context(), e, storedQuery(x))
	return viewHref(e, q, x.ID)
}

// showViews puts the saved views of a list over it, each with its number, and the ways to
// save the list as it is arranged. All numbers take one statement.
func (s *site) showViews(r *http.Request, l *listing, page *view.List, list []*ent.SavedView) error {
	ctx := r.Context()
	lang, e, open := i18n.From(ctx), l.entity, l.values.Get("view")
	ctx = withOwn(ctx, e, l.own)
	present, _ := usable(ctx, e, l.values)
	page.Saving = view.ViewTools{Post: "/views", Entity: e.Name, Query: present.Encode()}
	var tabs []ui.Tab
	var asks []*listing
	current := false
	for _, x := range list {
		q, left := usable(ctx, e, storedQuery(x))
		ask, err := asked(ctx, e, q)
		if err != nil {
			return err
		}
		asks = append(asks, ask)
		tab := ui.Tab{Label: x.Name, Href: viewHref(e, q, x.ID), Current: x.ID.String() == open}
		if x.Shared != savedview.SharedPRIVATE {
			tab.Icon = "users"
		}
		tabs = append(tabs, tab)
		if !tab.Current {
			continue
		}
		current, page.Saving.Current = true, x.Name
		if saved.Changeable(viewer.From(ctx), x) {
			page.Saving.Manage = "/views/" + x.ID.String()
			if q.Encode() != present.Encode() || len(left) > 0 {
				page.Saving.Update = page.Saving.Manage
			}
		}
		if len(left) > 0 {
			page.Notices = append(page.Notices, ui.Notice{Tone: ui.Warn, Title: i18n.T(lang, "view.left_out"), Text: i18n.T(lang, "view.left_out_text", "names", strings.Join(left, ", "))})
		}
	}
	counts, err := countAll(ctx, s.store, e, asks)
	if err != nil {
		return err
	}
	for i := range counts {
		tabs[i].Count = &counts[i]
	}
	if current {
		for i := range page.Views {
			page.Views[i].Current, page.Views[i].Count = false, nil
		}
		page.Views[0].Href = "/" + e.Path
	}
	if saved.First(viewer.From(ctx), list) != nil {
		all, err := url.Parse(page.Views[0].Href)
		if err == nil {
			q := all.Query()
			q.Set("view", allRows)
			page.Views[0].Href = ui.Query{Path: all.Path, Values: q}.String()
		}
	}
	page.Views = slices.Concat(page.Views[:1], tabs, page.Views[1:])
	return nil
}

// countAll returns how many rows each of several lists of one type has: one statement.
func countAll(ctx context.Context, s *store.Store, e *entity.Entity, lists []*listing) ([]int, error) {
	if len(lists) == 0 {
		return nil, nil
	}
	fields := make([]reflect.StructField, len(lists))
	for i := range lists {
		n := strconv.Itoa(i)
		fields[i] = reflect.StructField{Name: "N" + n, Type: reflect.TypeFor[int](), Tag: reflect.StructTag(`sql:"n` + n + `"`)}
	}
	found := reflect.New(reflect.SliceOf(reflect.StructOf(fields)))
	everything := func(*sql.Selector) {}
	err := e.Sum(ctx, s.ClientOf(ctx), everything, func(sel *sql.Selector) {
		sel.Select()
		for i, l := range lists {
			sel.AppendSelectExprAs(l.counted(sel), "n"+strconv.Itoa(i))
		}
	}, found.Interface())
	if err != nil {
		return nil, store.Known(err)
	}
	out := make([]int, len(lists))
	for i := range out {
		out[i] = int(found.Elem().Index(0).Field(i).Int())
	}
	return out, nil
}

// counted is how many of the rows of a query the list shows.
func (l *listing) counted(sel *sql.Selector) sql.Querier {
	probe := sql.Dialect(sel.Dialect()).Select().From(sel.Table()).WithContext(sel.Context())
	l.where(probe)
	p := probe.P()
	return sql.ExprFunc(func(b *sql.Builder) {
		if p == nil {
			b.WriteString("COUNT(*)")
			return
		}
		b.WriteString("COUNT(CASE WHEN ").Join(p).WriteString(" THEN 1 END)")
	})
}

// Lists answers the other door about saved views.
func Lists(s *store.Store) saved.Lists { return lists{s} }

type lists struct{ store *store.Store }

// Usable returns a query as the page door would keep it.
func (l lists) Usable(ctx context.Context, name, query string) (spelled string, left []string, err error) {
	e, err := entityOfView(ctx, name)
	if err != nil {
		return "", nil, err
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		return "", nil, errs.Invalid("query", "error.invalid_value")
	}
	can, left := usable(withStore(ctx, l.store), e, q)
	for given := range q {
		if !arranges(given) {
			left = append(left, given)
		}
	}
	slices.Sort(left)
	return can.Encode(), left, nil
}

// Look counts the rows of views, those of one type in one statement.
func (l lists) Look(ctx context.Context, views ...*ent.SavedView) (map[ident.ID]saved.Look, error) {
	ctx = withStore(ctx, l.store)
	out, of := map[ident.ID]saved.Look{}, map[*entity.Entity][]*ent.SavedView{}
	for _, x := range views {
		if e, err := entityOfView(ctx, x.Entity); err == nil {
			of[e] = append(of[e], x)
		}
	}
	for e, views := range of {
		asks, hrefs := make([]*listing, len(views)), make([]string, len(views))
		for i, x := range views {
			q, _ := usable(ctx, e, storedQuery(x))
			ask, err := asked(ctx, e, q)
			if err != nil {
				return nil, err
			}
			asks[i], hrefs[i] = ask, viewHref(e, q, x.ID)
		}
		counts, err := countAll(ctx, l.store, e, asks)
		if err != nil {
			return nil, err
		}
		for i, x := range views {
			out[x.ID] = saved.Look{Count: counts[i], Href: hrefs[i]}
		}
	}
	return out, nil
}

// entityOfView returns the type of the list that a form names.
func entityOfView(ctx context.Context, name string) (*entity.Entity, error) {
	e := entity.ByName(name)
	if e == nil || !e.Registry {
		return nil, errs.NotFound()
	}
	return e, mayRead(viewer.From(ctx), e)
}

// saveView keeps a list as it is arranged under a name.
func (s *site) saveView(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	e, err := entityOfView(ctx, r.PostFormValue("entity"))
	if err != nil {
		return err
	}
	q, _ := url.ParseQuery(r.PostFormValue("query"))
	q, left := usable(ctx, e, q)
	d := draftOf(r)
	id, err := saved.Save(ctx, s.store, e.Name, q.Encode(), d)
	if err != nil {
		return s.viewRefused(w, r, e, nil, q, err)
	}
	said := "entity.view_saved"
	if len(left) > 0 {
		said = "entity.view_saved_less"
	}
	s.flash(w, said, "")
	return leave(w, r, viewHref(e, q, id))
}

// draftOf reads the form of a view.
func draftOf(r *http.Request) saved.Draft {
	d := saved.Draft{Name: r.PostFormValue("name"), Alert: r.PostFormValue("alert") == "true", Shared: savedview.SharedPRIVATE}
	switch kind, of, _ := strings.Cut(r.PostFormValue("shared"), ":"); kind {
	case "team":
		d.Shared, d.Team = savedview.SharedTEAM, ident.ID(of)
	case "role":
		d.Shared, d.Role = savedview.SharedROLE, of
	}
	return d
}

// viewForm is the page on which a view is renamed, shared, moved and removed.
func (s *site) viewForm(w http.ResponseWriter, r *http.Request) error {
	x, e, err := s.ownView(r)
	if err != nil {
		return err
	}
	return s.showView(w, r, e, x, x.Name, sharedOf(saved.Draft{Shared: x.Shared, Team: deref(x.TeamID), Role: x.Role}), x.Alert, nil, nil, http.StatusOK)
}

func deref(id *ident.ID) ident.ID {
	if id == nil {
		return ""
	}
	return *id
}

func sharedOf(d saved.Draft) string {
	switch d.Shared {
	case savedview.SharedTEAM:
		return "team:" + d.Team.String()
	case savedview.SharedROLE:
		return "role:" + d.Role
	}
	return ""
}

// ownView returns the view of an address that the viewer may change, and its list.
func (s *site) ownView(r *http.Request) (*ent.SavedView, *entity.Entity, error) {
	ctx := r.Context()
	x, err := saved.Get(ctx, s.store, ident.ID(r.PathValue("id")))
	if err != nil {
		return nil, nil, err
	}
	e, err := entityOfView(ctx, x.Entity)
	if err == nil && !saved.Changeable(viewer.From(ctx), x) {
		err = errs.Forbidden()
	}
	return x, e, err
}

func (s *site) viewRefused(w http.ResponseWriter, r *http.Request, e *entity.Entity, x *ent.SavedView, q url.Values, err error) error {
	known := errs.As(store.Known(err))
	if known.Code != errs.Validation && known.Code != errs.Limit {
		return err
	}
	d := draftOf(r)
	return s.showView(w, r, e, x, d.Name, sharedOf(d), d.Alert, q, known, http.StatusUnprocessableEntity)
}

// showView draws the form of a view; x is nil for a new one, whose query is q.
func (s *site) showView(w http.ResponseWriter, r *http.Request, e *entity.Entity, x *ent.SavedView, name, shared string, alert bool, q url.Values, wrong *errs.Error, status int) error {
	ctx := r.Context()
	lang, v := i18n.From(ctx), viewer.From(ctx)
	f := view.ViewForm{Action: "/views", Cancel: ui.Query{Path: "/" + e.Path, Values: q}.String(), Entity: e.Name, Query: q.Encode(), Name: name, Shared: shared, Alert: alert, Errors: map[string]string{}}
	title := i18n.T(lang, "view.save_as")
	if x != nil {
		kept, _ := usable(ctx, e, storedQuery(x))
		at := "/views/" + x.ID.String()
		f.Action, f.Cancel, f.Entity, f.Query = at, viewHref(e, kept, x.ID), "", ""
		f.Remove, f.Earlier, f.Later = at+"/remove", at+"/move/earlier", at+"/move/later"
		title = x.Name
	}
	if wrong != nil {
		f.Errors = i18n.FieldTexts(lang, wrong)
		if len(f.Errors) == 0 {
			f.Failure = i18n.Error(lang, wrong)
		}
	}
	f.Options = []ui.Option{{Value: "", Label: i18n.T(lang, "view.private")}}
	teams, err := saved.Teams(ctx, s.store)
	if err != nil {
		return err
	}
	for _, t := range teams {
		f.Options = append(f.Options, ui.Option{Value: "team:" + t.ID.String(), Label: i18n.T(lang, "view.team", "name", t.Name)})
	}
	if saved.ForRoles(v) {
		for _, role := range access.Roles {
			f.Options = append(f.Options, ui.Option{Value: "role:" + string(role), Label: i18n.T(lang, "view.role", "role", i18n.T(lang, "role."+string(role)))})
		}
	}
	list := view.Name(lang, e, 2)
	return s.show(w, r, status, s.frame(r, title, layout.Crumb{Label: list, Href: "/" + e.Path}, layout.Crumb{Label: title}), view.ViewPage(title, f))
}

// changeView renames and shares a view, or stores the arrangement that a list has now.
func (s *site) changeView(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	x, e, err := s.ownView(r)
	if err != nil {
		return err
	}
	q, _ := usable(ctx, e, storedQuery(x))
	if _, arrange := r.PostForm["query"]; arrange || r.PostFormValue("query") != "" {
		sent, _ := url.ParseQuery(r.PostFormValue("query"))
		q, _ = usable(ctx, e, sent)
		err = saved.Arrange(ctx, s.store, x.ID, q.Encode())
	} else {
		_, err = saved.Change(ctx, s.store, x.ID, draftOf(r))
	}
	if err != nil {
		return s.viewRefused(w, r, e, x, nil, err)
	}
	s.flash(w, "entity.view_saved", "")
	return leave(w, r, viewHref(e, q, x.ID))
}

// moveView puts a view before or after its neighbour.
func (s *site) moveView(w http.ResponseWriter, r *http.Request) error {
	x, _, err := s.ownView(r)
	if err != nil {
		return err
	}
	to := r.PathValue("to")
	if to != "earlier" && to != "later" {
		return errs.NotFound()
	}
	if err := saved.Move(r.Context(), s.store, x.ID, to == "later"); err != nil {
		return err
	}
	s.flash(w, "entity.view_moved", "")
	return leave(w, r, "/views/"+x.ID.String())
}

// removeView takes a view away; the message offers to take that back.
func (s *site) removeView(w http.ResponseWriter, r *http.Request) error {
	x, e, err := s.ownView(r)
	if err != nil {
		return err
	}
	token, err := saved.Remove(r.Context(), s.store, x.ID)
	if err != nil {
		return err
	}
	s.flash(w, "entity.view_removed", token)
	return leave(w, r, "/"+e.Path+"?view="+allRows)
}
