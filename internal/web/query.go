package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/internal/area/tag"
	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
)

// listing is what the address of a list asks for. Every name in it was looked up
// among the fields the viewer may see; anything else is refused, so that neither a
// filter nor an order tells what a column hides.
type listing struct {
	entity   *entity.Entity
	values   url.Values
	columns  []*entity.Field
	own      view.Own // the custom fields of the entity
	filters  []condition
	words    string
	tags     []ident.ID
	archived bool
	sort     *entity.Field
	down     bool
	page     int
}

// condition is one filter: a field, how it is compared, and with what.
type condition struct {
	field  *entity.Field
	op     string // "" is one of values; gte, lte, none; contains of custom fields
	texts  []string
	values []any
	where  func(*sql.Selector) // of a custom field
}

// rows is how many rows a page of a list has.
const rows = 50

// seen returns the fields of an entity that the viewer may see on pages, in order.
func seen(v *viewer.Viewer, e *entity.Entity) []*entity.Field {
	var out []*entity.Field
	for i := range e.Fields {
		if f := &e.Fields[i]; shown(f) && !access.FieldHidden(v, e.Name, f.Name) {
			out = append(out, f)
		}
	}
	return out
}

// shown reports whether pages show a field at all; the others are bookkeeping.
func shown(f *entity.Field) bool {
	switch f.Name {
	case "version", "created_by", "updated_by", "archived_at", "custom":
		return false
	}
	return f.Kind != "hidden" && f.Kind != "json"
}

// filterable reports whether lists can be narrowed by a field.
func filterable(f *entity.Field) bool {
	switch f.Kind {
	case "enum", "ref", "bool", "date", "time", "money", "decimal", "int", "bp", "period", "currency", "words", "yesno", "choice", "link":
		return true
	}
	return false
}

// sortable reports whether lists can be ordered by a field: by what it says, not
// by the id of a record it points at.
func sortable(f *entity.Field) bool {
	switch f.Kind {
	case "ref", "id", "text", "strings", "json", "hidden":
		return false
	}
	return !view.IsOwn(f)
}

// readListing reads the address of a list.
func readListing(r *http.Request, e *entity.Entity) (*listing, error) {
	v := viewer.From(r.Context())
	q := r.URL.Query()
	l := &listing{entity: e, values: q, words: strings.TrimSpace(q.Get("q")), page: 1}
	var err error
	if l.own, err = ownOf(r.Context(), e); err != nil {
		return nil, err
	}
	fields := append(seen(v, e), l.own.Columns(false)...)
	named := func(name string) *entity.Field { return columnOf(fields, name) }
	for _, c := range e.Columns() {
		if f := named(c.Name); f != nil {
			l.columns = append(l.columns, f)
		}
	}
	if chosen := strings.FieldsFunc(strings.Join(q["cols"], ","), func(r rune) bool { return r == ',' }); len(chosen) > 0 {
		l.columns = nil
		for _, name := range chosen {
			f := named(name)
			if f == nil {
				return nil, errs.Invalid("cols", "web.unknown_field", "name", name)
			}
			l.columns = append(l.columns, f)
		}
	}
	l.archived = e.Archivable && q.Get("archived") == "1"
	order := q.Get("sort")
	if order == "" {
		order = e.Sort
	}
	name, down := strings.CutPrefix(order, "-")
	if l.sort, l.down = named(name), down; l.sort == nil || !sortable(l.sort) {
		return nil, errs.Invalid("sort", "web.unknown_field", "name", name)
	}
	if len(l.words) > 200 {
		return nil, errs.Invalid("q", "error.too_long", "max", 200)
	}
	if p := q.Get("page"); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 1_000_000 {
			return nil, errs.Invalid("page", "error.not_whole", "value", p)
		}
		l.page = n
	}
	for _, key := range slices.Sorted(keys(q)) {
		rest, ok := strings.CutPrefix(key, "f.")
		if !ok {
			continue
		}
		name, op := filterName(rest)
		f := named(name)
		if own, ok := l.own.Of(name); ok {
			c, err := ownCondition(r.Context(), f, own, op, q[key])
			if err != nil {
				return nil, err
			}
			if len(c.texts) > 0 {
				l.filters = append(l.filters, c)
			}
			continue
		}
		if f == nil || !filterable(f) {
			return nil, errs.Invalid(key, "web.unknown_field", "name", name)
		}
		if !slices.Contains([]string{"", "gte", "lte", "none"}, op) {
			return nil, errs.Invalid(key, "web.unknown_filter", "name", op)
		}
		c, err := readCondition(r.Context(), f, op, q[key])
		if err != nil {
			return nil, err
		}
		if len(c.texts) > 0 {
			l.filters = append(l.filters, c)
		}
	}
	l.tags, err = tagFilter(r.Context(), e, q["tag"])
	return l, err
}

func keys(v url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range v {
			if !yield(k) {
				return
			}
		}
	}
}

// readCondition reads the values of a filter; empty ones, as an untouched field of
// the panel sends, are left out.
func readCondition(ctx context.Context, f *entity.Field, op string, texts []string) (condition, error) {
	c := condition{field: f, op: op}
	for _, text := range texts {
		if strings.TrimSpace(text) == "" {
			continue
		}
		var value any
		var err error
		switch {
		case op == "none":
		case f.Kind == "time":
			value, err = instant(ctx, f, text, op)
		case f.Kind == "money" || f.Kind == "decimal":
			if value, err = money.Parse(text); err != nil {
				value, err = f.Parse(text, i18n.From(ctx))
			}
		default:
			value, err = f.Parse(text, i18n.From(ctx))
		}
		if err != nil {
			return c, err
		}
		c.texts, c.values = append(c.texts, text), append(c.values, value)
	}
	return c, nil
}

// instant reads a day on the reader's clock: its beginning, or for an upper bound
// its last microsecond.
func instant(ctx context.Context, f *entity.Field, text, op string) (any, error) {
	d, err := civil.ParseDate(text)
	if err != nil {
		return nil, errs.Invalid(f.Name, "error.not_date", "value", text)
	}
	start := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, i18n.Zone(ctx))
	if op == "lte" {
		return start.AddDate(0, 0, 1).Add(-time.Microsecond).UTC(), nil
	}
	return start.UTC(), nil
}

// narrowed reports whether the list is anything less than all there is.
func (l *listing) narrowed() bool {
	return l.words != "" || len(l.filters) > 0 || len(l.tags) > 0 || l.archived || l.page > 1
}

// where narrows a query to what the list shows. Conditions on one field are
// alternatives, those on different fields all hold.
func (l *listing) where(sel *sql.Selector) {
	var all []*sql.Predicate
	if l.entity.Archivable {
		if l.archived {
			all = append(all, sql.NotNull(sel.C("archived_at")))
		} else {
			all = append(all, sql.IsNull(sel.C("archived_at")))
		}
	}
	for _, c := range l.filters {
		if c.where != nil {
			c.where(sel)
			continue
		}
		column := sel.C(c.field.Name)
		switch c.op {
		case "gte":
			all = append(all, sql.GTE(column, c.values[0]))
		case "lte":
			all = append(all, sql.LTE(column, c.values[0]))
		case "none":
			all = append(all, sql.IsNull(column))
		default:
			all = append(all, sql.In(column, c.values...))
		}
	}
	if p := matching(sel, l.entity, l.words); p != nil {
		all = append(all, p)
	}
	if len(l.tags) > 0 {
		tag.With(l.tags...)(sel)
	}
	for _, p := range all {
		sel.Where(p)
	}
}

// matching finds rows by words: each word is in one of the columns that are
// searched, whatever its case.
func matching(sel *sql.Selector, e *entity.Entity, words string) *sql.Predicate {
	var all []*sql.Predicate
	for word := range strings.FieldsSeq(words) {
		var or []*sql.Predicate
		for _, f := range e.Fields {
			if f.Search {
				or = append(or, sql.ContainsFold(sel.C(f.Name), word))
			}
		}
		if len(or) == 0 {
			return sql.False()
		}
		all = append(all, sql.Or(or...))
	}
	switch len(all) {
	case 0:
		return nil
	case 1: // ent writes an AND of one OR without parentheses, and what is added would bind to its last part alone
		return all[0]
	}
	return sql.And(all...)
}

// order sorts a query as the list says. Rows without a value come last either way,
// on both databases, and the id makes the order one.
func (l *listing) order(sel *sql.Selector) { ordered(sel, l.sort, l.down) }

func ordered(sel *sql.Selector, f *entity.Field, down bool) {
	column := sel.C(f.Name)
	if f.Nullable {
		sel.OrderExprFunc(func(b *sql.Builder) {
			b.WriteString("CASE WHEN ").Ident(column).WriteString(" IS NULL THEN 1 ELSE 0 END")
		})
	}
	if down {
		sel.OrderBy(sql.Desc(column), sql.Desc(sel.C("id")))
		return
	}
	sel.OrderBy(sql.Asc(column), sql.Asc(sel.C("id")))
}

func byIDs(ids []ident.ID) func(*sql.Selector) {
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	return func(sel *sql.Selector) { sel.Where(sql.In(sel.C("id"), values...)) }
}

func anyOrder(*sql.Selector) {}

// unarchived narrows to rows that are in use.
func unarchived(sel *sql.Selector) { sel.Where(sql.IsNull(sel.C("archived_at"))) }

// orderBy sorts by a field, upwards.
func orderBy(f *entity.Field) func(*sql.Selector) {
	return func(sel *sql.Selector) { ordered(sel, f, false) }
}
