package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"steward/internal/area/bulk"
	"steward/internal/area/tag"
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

// namesShown is how many of the chosen rows a bulk change names.
const namesShown = 10

// bulkBar is what can be done with chosen rows of the list, nil for nothing.
func (l *listing) bulkBar(ctx context.Context, total int) *view.BulkBar {
	v, e, lang := viewer.From(ctx), l.entity, i18n.From(ctx)
	if e.ReadOnly || e.Edit == nil || l.values.Get("edit") == "1" || !access.May(v, e.Name, access.Write) {
		return nil
	}
	bar := &view.BulkBar{Action: "/" + e.Path + "/bulk", Query: arrangement(e, l.values).Encode(), Total: total, Most: bulk.Most}
	add := func(label string, options ...ui.Option) {
		if len(options) > 0 {
			bar.Groups = append(bar.Groups, view.BulkGroup{Label: i18n.T(lang, label), Options: options})
		}
	}
	option := func(value, key string) ui.Option { return ui.Option{Value: value, Label: i18n.T(lang, key)} }
	if l.archived {
		add("bulk.archive_group", option(string(bulk.Restore), "entity.restore"))
		return bar
	}
	var fields []ui.Option
	show := view.Show{Lang: lang, Own: l.own}
	for _, f := range bulkFields(v, e, l.own) {
		fields = append(fields, ui.Option{Value: "set." + f.Name, Label: show.Label(e, f)})
	}
	add("bulk.set_group", fields...)
	if tag.Seen(ctx, e) {
		add("tag.many", option(string(bulk.Tag), "tag.add"), option(string(bulk.Untag), "bulk.untag"))
	}
	if e.Archivable {
		add("bulk.archive_group", option(string(bulk.Archive), "entity.archive"))
	}
	return bar
}

func bulkFields(v *viewer.Viewer, e *entity.Entity, own view.Own) []*entity.Field {
	return append(filter(formFields(v, e, false), func(f *entity.Field) bool { return bulk.Fits(e, f) }), own.Columns(true)...)
}

// choice is what a form of a list asks for: the rows and what to do with them.
type choice struct {
	bulk.Change
	do    string
	own   view.Own
	query url.Values
	picks []string
}

// back is the address of the list.
func (c choice) back() string { return ui.Query{Path: "/" + c.Entity.Path, Values: c.query}.String() }

// bulk changes chosen rows of a list: first it asks what they are to be given, and then,
// sent again from there, it makes the change.
func (s *site) bulk(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	ctx := r.Context()
	v := viewer.From(ctx)
	if err := mayRead(v, e); err != nil {
		return err
	}
	if e.ReadOnly || e.Edit == nil || !access.May(v, e.Name, access.Write) {
		return errs.Forbidden()
	}
	c, err := s.readChoice(r, e)
	if err != nil {
		return err
	}
	if len(c.Rows) == 0 || c.Kind == "" {
		s.flash(w, "entity.bulk_none", "")
		return leave(w, r, c.back())
	}
	if r.PostFormValue("go") != "1" {
		return s.askBulk(w, r, c, http.StatusOK, nil, bulk.Result{})
	}
	if err := c.readValue(r); err != nil {
		return s.askBulk(w, r, c, http.StatusUnprocessableEntity, err, bulk.Result{})
	}
	done, err := bulk.Apply(ctx, s.store, c.Change)
	switch known := errs.As(store.Known(err)); {
	case err != nil && (known.Code == errs.Validation || known.Code == errs.Conflict || known.Code == errs.Limit || known.Code == errs.State):
		return s.askBulk(w, r, c, http.StatusUnprocessableEntity, err, done)
	case err != nil:
		return err
	case done.Token == "" && len(done.Refused) > 0:
		return s.askBulk(w, r, c, http.StatusConflict, nil, done)
	case done.Token == "":
		s.flash(w, "entity.bulk_nothing", "")
	default:
		s.flash(w, "entity.bulk_done", done.Token)
	}
	return leave(w, r, c.back())
}

// readChoice reads which rows a form means and what is to be done.
func (s *site) readChoice(r *http.Request, e *entity.Entity) (choice, error) {
	ctx := r.Context()
	if err := r.ParseForm(); err != nil {
		return choice{}, errs.New(errs.Validation, "error.validation").Wrap(err)
	}
	query, _ := url.ParseQuery(r.PostForm.Get("query"))
	c := choice{Change: bulk.Change{Entity: e, Rows: map[ident.ID]int{}, Skip: r.PostForm.Get("skip") == "1"}, do: r.PostForm.Get("do"), picks: r.PostForm["pick"]}
	c.query, _ = usable(ctx, e, query)
	own, err := ownOf(ctx, e)
	if err != nil {
		return c, err
	}
	c.own = own
	if r.PostForm.Get("all") == "1" {
		var err error
		if c.picks, err = s.pickAll(ctx, e, c.query); err != nil {
			return c, err
		}
	}
	for _, p := range c.picks {
		id, version, _ := strings.Cut(p, ":")
		n, err := strconv.Atoi(version)
		if ident.ID(id).Prefix() != e.Prefix || len(id) > 40 || err != nil || n < 1 {
			return c, errs.Invalid("pick", "bulk.no_rows")
		}
		c.Rows[ident.ID(id)] = n
	}
	if len(c.Rows) > bulk.Most {
		return c, errs.New(errs.Limit, "bulk.too_many", "max", bulk.Most)
	}
	return c, c.readAction(ctx)
}

func (c *choice) readAction(ctx context.Context) error {
	name, set := strings.CutPrefix(c.do, "set.")
	if set {
		c.Kind = bulk.Set
		for _, f := range bulkFields(viewer.From(ctx), c.Entity, c.own) {
			if f.Name == name {
				c.Field = f
				return nil
			}
		}
		return errs.Invalid("do", "web.unknown_field", "name", name)
	}
	if c.do != "" && !slices.Contains([]bulk.Kind{bulk.Tag, bulk.Untag, bulk.Archive, bulk.Restore}, bulk.Kind(c.do)) {
		return errs.Invalid("do", "web.unknown_field", "name", c.do)
	}
	c.Kind = bulk.Kind(c.do)
	return nil
}

// pickAll chooses all rows that a list shows, as they are now.
func (s *site) pickAll(ctx context.Context, e *entity.Entity, query url.Values) ([]string, error) {
	l, err := asked(ctx, e, query)
	if err != nil {
		return nil, err
	}
	found, err := e.List(ctx, s.store.ClientOf(ctx), l.where, l.order, bulk.Most+1, 0)
	if err != nil {
		return nil, err
	}
	if len(found) > bulk.Most {
		return nil, errs.New(errs.Limit, "bulk.too_many", "max", bulk.Most)
	}
	var out []string
	for _, row := range found {
		out = append(out, row.ID.String()+":"+strconv.Itoa(versionOf(e, row)))
	}
	return out, nil
}

func versionOf(e *entity.Entity, row entity.Row) int {
	n, _ := e.Value(row, "version").(int)
	return n
}

// readValue reads what the rows are to be given.
func (c *choice) readValue(r *http.Request) error {
	switch c.Kind {
	case bulk.Tag, bulk.Untag:
		if c.Tag = ident.ID(r.PostFormValue("tag")); c.Tag == "" {
			return errs.Invalid("tag", "error.required")
		}
	case bulk.Set:
		var t typed
		var err error
		if view.IsOwn(c.Field) {
			t = typed{map[string]string{}, map[string]any{}}
			err = readOwn(r, c.own, t, nil)
		} else {
			t, err = readForm(r, []*entity.Field{c.Field})
		}
		if err != nil {
			return err
		}
		value, sent := t.values[c.Field.Name]
		if !sent {
			return errs.Invalid(c.Field.Name, "error.required")
		}
		c.Value = value
	}
	return nil
}

// askBulk is the page on which a change is completed, and to which it comes back with
// what was wrong and which rows stood in the way.
func (s *site) askBulk(w http.ResponseWriter, r *http.Request, c choice, status int, wrong error, done bulk.Result) error {
	ctx := r.Context()
	lang, e := i18n.From(ctx), c.Entity
	p := view.BulkPage{Icon: e.Icon, Action: "/" + e.Path + "/bulk", Do: c.do, Query: c.query.Encode(), Picks: c.picks, Cancel: c.back()}
	ids := make([]ident.ID, 0, len(c.Rows))
	for _, pick := range c.picks {
		id, _, _ := strings.Cut(pick, ":")
		ids = append(ids, ident.ID(id))
	}
	named := slices.Clone(ids[:min(namesShown, len(ids))])
	for _, x := range done.Refused {
		named = append(named, x.ID)
	}
	rows, err := e.List(ctx, s.store.ClientOf(ctx), byIDs(named), anyOrder, 0, 0)
	if err != nil {
		return err
	}
	show, err := s.shower(ctx, wanted{"Tag": linkIDs(r, "tag")})
	if err != nil {
		return err
	}
	byID := map[ident.ID]entity.Row{}
	for _, row := range rows {
		byID[row.ID] = row
	}
	for _, id := range ids[:min(namesShown, len(ids))] {
		if row, ok := byID[id]; ok {
			p.Names = append(p.Names, show.Title(e, row))
		}
	}
	p.More = len(ids) - len(p.Names)
	for _, x := range done.Refused {
		refused := view.BulkRefusal{Name: i18n.T(lang, "bulk.unknown"), Why: reason(lang, x.Err)}
		if row, ok := byID[x.ID]; ok {
			refused.Name, refused.Href = show.Title(e, row), view.Href(e, row)
		}
		p.Refused = append(p.Refused, refused)
	}
	things := view.Name(lang, e, 2)
	p.Title = i18n.T(lang, "bulk.title_of", "what", c.label(lang), "things", things)
	p.Button = i18n.T(lang, "bulk.apply", "n", len(ids))
	p.Danger = c.Kind == bulk.Archive
	if n := len(ids) - len(done.Refused); len(done.Refused) > 0 {
		p.Notice = &ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "bulk.nothing_done"), Text: i18n.T(lang, "bulk.in_the_way", "n", len(done.Refused)), Alert: true}
		if n > 0 {
			p.Skip = i18n.T(lang, "bulk.skip", "n", n)
		}
	}
	texts := map[string]string{}
	if wrong != nil {
		known := errs.As(store.Known(wrong))
		texts = i18n.FieldTexts(lang, known)
		p.Notice = &ui.Notice{Tone: ui.Bad, Title: i18n.T(lang, "bulk.nothing_done"), Text: reason(lang, known), Alert: true}
	}
	switch c.Kind {
	case bulk.Set:
		in := view.Input{Entity: e, Field: c.Field, Value: r.PostFormValue(c.Field.Name), Err: texts[c.Field.Name], Focus: true}
		if own, ok := c.own.Of(c.Field.Name); ok {
			in.Label, in.Hint = own.In(lang), own.Help
		}
		if id := ident.ID(in.Value); c.Field.Kind == "ref" && id != "" {
			more := wanted{}
			more.add(id)
			mine, err := s.shower(ctx, more)
			if err != nil {
				return err
			}
			in.Text = mine.Refs[id].Title
		}
		p.Input = &in
	case bulk.Tag, bulk.Untag:
		id := r.PostFormValue("tag")
		p.Tag = &ui.Field{Name: "tag", Label: i18n.T(lang, "tag.one"), Value: id, Text: show.Refs[ident.ID(id)].Title, Search: "/tags/options", Required: true, Focus: true, Err: texts["tag"]}
	}
	return s.show(w, r, status, s.frame(r, p.Title, layout.Crumb{Label: things, Href: p.Cancel}, layout.Crumb{Label: p.Title}), view.BulkChange(p))
}

// label says what a change is about.
func (c choice) label(lang string) string {
	switch c.Kind {
	case bulk.Set:
		return view.Show{Lang: lang, Own: c.own}.Label(c.Entity, c.Field)
	case bulk.Tag:
		return i18n.T(lang, "tag.add")
	case bulk.Untag:
		return i18n.T(lang, "bulk.untag")
	case bulk.Archive:
		return i18n.T(lang, "entity.archive")
	}
	return i18n.T(lang, "entity.restore")
}

// reason says in one line why something was refused.
func reason(lang string, wrong *errs.Error) string {
	if list := i18n.Fields(lang, wrong); len(list) > 0 {
		return list[0].Text
	}
	return i18n.Error(lang, wrong)
}
