package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
	"steward/views/layout"
	"steward/views/ui"
)

// few is how many rows of a related list a record's page shows.
const few = 5

// record shows one row with what belongs to it.
func (s *site) record(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	row, err := s.find(r.Context(), e, r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.showRecord(w, r, e, row, http.StatusOK)
}

// showRecord draws the page of a row; a refused step shows it again under its
// status with the reason on top.
func (s *site) showRecord(w http.ResponseWriter, r *http.Request, e *entity.Entity, row entity.Row, status int, banners ...ui.Notice) error {
	ctx := r.Context()
	v := viewer.From(ctx)
	fields := seen(v, e)
	need := wanted{}
	need.row(e, row, fields)
	related, err := s.related(ctx, e, row, need)
	if err != nil {
		return err
	}
	show, err := s.shower(ctx, need)
	if err != nil {
		return err
	}
	if show.Own, err = ownOf(ctx, e); err != nil {
		return err
	}
	p := view.Record{Entity: e, Show: show, Row: row, Href: view.Href(e, row), Related: related, Banners: banners}
	p.Version, _ = e.Value(row, "version").(int)
	own := func(f *entity.Field) bool { return !slices.Contains(bookkeeping, f.Name) }
	later := filter(fields, func(f *entity.Field) bool { return !own(f) })
	for _, f := range slices.Concat(filter(fields, own), later) {
		if len(later) > 0 && f == later[0] {
			p.Facts = append(p.Facts, show.Facts(e, row)...)
		}
		if hiddenFact(e, f) {
			continue
		}
		fact := ui.Fact{Label: view.Label(show.Lang, e, f), Content: show.Cell(e, f, row)}
		if f.Kind == "text" {
			fact.Value = show.Text(e, f, e.Value(row, f.Name), "")
			p.Texts = append(p.Texts, fact)
			continue
		}
		if text := show.Text(e, f, e.Value(row, f.Name), ""); text != "" || f.Required || f.List > 0 {
			p.Facts = append(p.Facts, fact)
		}
	}
	if at := show.Text(e, &entity.Field{Kind: "time"}, e.Value(row, "updated_at"), ""); at != "" {
		p.Stamp = i18n.T(show.Lang, "entity.changed_at", "when", at)
	}
	change, err := s.mayChange(ctx, e, row.ID)
	if err != nil {
		return err
	}
	archived := e.Value(row, "archived_at") != nil
	if change && !archived {
		p.Edit = p.Href + "/edit"
	}
	if change && e.Archivable {
		if archived {
			p.Restore = p.Href + "/restore"
		} else {
			p.Archive = p.Href + "/archive"
		}
	}
	if !change {
		for i := range p.Related {
			p.Related[i].Post = ""
		}
	}
	stands, err := s.stand(ctx, e, row)
	if err != nil {
		return err
	}
	p.State, p.Moves = stands.state, moves(ctx, e, row, stands.steps)
	if p.Talk, err = s.talk(ctx, row.ID, p.Href); err != nil {
		return err
	}
	if p.Files, err = s.files(ctx, row.ID, p.Href); err != nil {
		return err
	}
	if p.Tags, err = s.tagBox(ctx, e, row, change && !archived); err != nil {
		return err
	}
	list := view.Name(show.Lang, e, 2)
	title := show.Title(e, row)
	return s.show(w, r, status, s.frame(r, title, layout.Crumb{Label: list, Href: "/" + e.Path}, layout.Crumb{Label: title}), view.RecordPage(p))
}

// bookkeeping are the facts that come last: they say where a record came from.
var bookkeeping = []string{"created_at", "origin", "source", "external_id"}

func filter(list []*entity.Field, keep func(*entity.Field) bool) []*entity.Field {
	var out []*entity.Field
	for _, f := range list {
		if keep(f) {
			out = append(out, f)
		}
	}
	return out
}

// hiddenFact reports whether a field is said elsewhere on the page already.
func hiddenFact(e *entity.Entity, f *entity.Field) bool {
	return f.Name == e.Title || f.Name == "key" || f.Name == "updated_at" || f == view.StateField(e)
}

// related reads the lists of what belongs to a row: the first few of each, and the
// number where there are more. What they point at is added to need, so that it is
// read once for the whole page.
func (s *site) related(ctx context.Context, e *entity.Entity, row entity.Row, need wanted) ([]view.Related, error) {
	var out []view.Related
	v, lang := viewer.From(ctx), i18n.From(ctx)
	for _, x := range e.Edges {
		to := entity.ByName(x.To)
		if x.Kind == entity.Own || to == nil || !to.Registry || !access.May(v, to.Name, access.Read) {
			continue
		}
		l := view.Related{ID: "rel-" + x.Name, Label: view.EdgeLabel(lang, e, x), Entity: to}
		where := joined(x, row.ID)
		limit := few + 1
		if x.Kind == entity.Back {
			where = func(sel *sql.Selector) { sel.Where(sql.EQ(sel.C(x.Column), row.ID)) }
			l.All = "/" + to.Path + "?f." + x.Column + "=" + row.ID.String()
			if mayCreate(ctx, to) && creatable(to, x.Column) {
				l.New = "/" + to.Path + "/new?" + x.Column + "=" + row.ID.String()
			}
		} else {
			limit = 100 // links have no list of their own
		}
		if x.Kind == entity.Link {
			l.Post, l.Search = view.Href(e, row)+"/links/"+x.Name, "/"+to.Path+"/options"
		}
		unarchived := where
		if to.Archivable && x.Kind == entity.Back {
			unarchived = func(sel *sql.Selector) { where(sel); sel.Where(sql.IsNull(sel.C("archived_at"))) }
		}
		c := s.store.ClientOf(ctx)
		sort, _ := to.Field(to.Sort)
		found, err := to.List(ctx, c, unarchived, func(sel *sql.Selector) { ordered(sel, sort, false) }, limit, 0)
		if err != nil {
			return nil, err
		}
		if l.Total = len(found); x.Kind == entity.Back && len(found) > few {
			if l.Total, err = to.Count(ctx, c, unarchived); err != nil {
				return nil, err
			}
			found = found[:few]
		}
		derived(to, found, s.today(ctx))
		l.Columns, l.Rows = relatedColumns(v, lang, to, x), found
		var fields []*entity.Field
		for _, c := range l.Columns {
			fields = append(fields, c.Field)
		}
		for _, r := range found {
			need.row(to, r, fields)
		}
		out = append(out, l)
	}
	return out, nil
}

// joined narrows the far end of a many-to-many edge to the rows joined with id.
func joined(x entity.Edge, id ident.ID) func(*sql.Selector) {
	mine, far := x.Columns, 1
	if x.Kind == entity.Linked {
		far = 0
	}
	return func(sel *sql.Selector) {
		t := sql.Dialect(sel.Dialect()).Table(x.Table)
		sel.Where(sql.In(sel.C("id"), sql.Dialect(sel.Dialect()).Select(t.C(mine[far])).From(t).Where(sql.EQ(t.C(mine[1-far]), id))))
	}
}

func creatable(e *entity.Entity, column string) bool {
	f, ok := e.Field(column)
	return ok && f.Creatable
}

// relatedColumns are the title and up to three more columns of a related list,
// without the one that says what the page says already.
func relatedColumns(v *viewer.Viewer, lang string, to *entity.Entity, x entity.Edge) []view.Column {
	title, _ := to.Field(to.Title)
	out := []view.Column{{Field: title, Label: view.Label(lang, to, title)}}
	for _, f := range to.Columns() {
		if len(out) < 4 && f != title && f.Name != x.Column && f.Name != "key" && f.Kind != "text" && f.Kind != "currency" && !access.FieldHidden(v, to.Name, f.Name) {
			out = append(out, view.Column{Field: f, Label: view.Label(lang, to, f)})
		}
	}
	return out
}

// moves are the buttons of the steps the viewer may take with a row now.
func moves(ctx context.Context, e *entity.Entity, row entity.Row, steps []flow.Move) []view.Move {
	m, _ := flow.Named(e.Machine)
	var out []view.Move
	for i, step := range steps {
		back := strings.Contains(" RETURNED CANCELLED TERMINATED SUSPENDED DECLINED UNSUCCESSFUL ", " "+step.To+" ")
		out = append(out, view.Move{
			To: step.To, Label: i18n.T(i18n.From(ctx), m.MoveKey(step.Verb)), Post: view.Href(e, row) + "/moves/" + step.To,
			Note: step.Needs.Has(flow.Note), Danger: back, Primary: i == 0 && !back,
		})
	}
	return out
}

// link adds and removes ends of a many-to-many edge.
func (s *site) link(w http.ResponseWriter, r *http.Request, e *entity.Entity) error {
	ctx := r.Context()
	row, err := s.find(ctx, e, r.PathValue("id"))
	if err != nil {
		return err
	}
	x, ok := e.Edge(r.PathValue("edge"))
	if !ok || x.Kind != entity.Link || e.Link == nil {
		return s.nothingHere(w, r)
	}
	add, remove := linkIDs(r, "add"), linkIDs(r, "remove")
	if len(add)+len(remove) == 0 {
		return leave(w, r, view.Href(e, row))
	}
	token, err := s.store.Do(ctx, func(ctx context.Context, c *ent.Client) error {
		change := e.Edit(c, row.ID, 0)
		e.Link(change.Mutation, x.Name, add, remove)
		_, err := change.Save(ctx)
		return err
	})
	if err != nil {
		return err
	}
	s.flash(w, "entity.saved", token)
	return leave(w, r, view.Href(e, row))
}

func linkIDs(r *http.Request, name string) []ident.ID {
	var out []ident.ID
	_ = r.ParseForm() // a body that cannot be read has no ids
	for _, id := range r.PostForm[name] {
		if id != "" {
			out = append(out, ident.ID(id))
		}
	}
	return out
}
