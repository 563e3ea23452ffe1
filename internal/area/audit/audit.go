// Package audit reads what happened: who changed what, when and why. Everybody sees
// the changes of the records they can see; values of fields they may not see are
// left out, those of the past as well (security.md, AU-5).
package audit

import (
	"context"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// The number of entries on a page.
const (
	DefaultLimit = 50
	MaxLimit     = 100
)

// Filter narrows the audit; what is empty does not.
type Filter struct {
	Entity    string   // type name, "Contract"
	ID        ident.ID // of one record
	Actor     string   // id of a person or integration
	Op        string   // CREATE UPDATE ARCHIVE RESTORE DELETE EVENT
	Via       string   // PAGE API IMPORT JOB CLI
	Portfolio ident.ID
	ChangeSet string
	From, To  *time.Time // from the first instant, up to but without the second
	After     string     // Next of the page before
	Limit     int        // 0: DefaultLimit
}

// Page is a stretch of the audit, newest first.
type Page struct {
	Entries []Entry
	Next    string // for Filter.After; empty on the last page
}

// Entry is one change of one record.
type Entry struct {
	// Event is the row; its Diff is taken out, see Fields.
	Event *ent.ChangeEvent
	// Title and Path name the record and its page, empty where the viewer cannot see
	// it now (any more).
	Title, Path string
	// Fields lists what changed, in alphabetical order.
	Fields []FieldChange
}

// FieldChange is one field before and after, as JSON has them; nil is absent. Name
// is the column, or an edge with "+" or "-" in front and the ids added or removed.
// Hidden says that the viewer may not see the values, which are then left out.
type FieldChange struct {
	Name          string
	Before, After any
	Hidden        bool
}

// List returns a page of the audit as the viewer may see it. The errors are Limit
// for more than 100 entries and Validation for a filter that is none.
func List(ctx context.Context, s *store.Store, f Filter) (Page, error) {
	if f.Limit == 0 {
		f.Limit = DefaultLimit
	}
	if f.Limit < 0 || f.Limit > MaxLimit {
		return Page{}, errs.New(errs.Limit, "error.limit")
	}
	c := s.ClientOf(ctx)
	q := c.ChangeEvent.Query().Order(changeevent.ByAt(sql.OrderDesc()), changeevent.ByID(sql.OrderDesc())).Limit(f.Limit + 1)
	if err := f.narrow(q); err != nil {
		return Page{}, err
	}
	rows, err := q.All(ctx)
	if err != nil {
		return Page{}, store.Known(err)
	}
	var out Page
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		out.Next = cursor(rows[f.Limit-1])
	}
	v, hidden := viewer.From(ctx), map[string]bool{}
	for _, row := range rows {
		out.Entries = append(out.Entries, entryOf(v, row, hidden))
	}
	return out, name(ctx, c, out.Entries)
}

// narrow adds the filter to the query.
func (f Filter) narrow(q *ent.ChangeEventQuery) error {
	if f.Entity != "" {
		q.Where(changeevent.EntityType(f.Entity))
	}
	if f.ID != "" {
		q.Where(changeevent.EntityID(f.ID))
	}
	if f.Actor != "" {
		q.Where(changeevent.ActorID(f.Actor))
	}
	if f.Portfolio != "" {
		q.Where(changeevent.PortfolioID(f.Portfolio))
	}
	if f.ChangeSet != "" {
		q.Where(changeevent.ChangeSet(f.ChangeSet))
	}
	if f.From != nil {
		q.Where(changeevent.AtGTE(f.From.UTC()))
	}
	if f.To != nil {
		q.Where(changeevent.AtLT(f.To.UTC()))
	}
	if f.Op != "" {
		op := changeevent.Op(f.Op)
		if changeevent.OpValidator(op) != nil {
			return errs.Invalid("op", "audit.unknown_op")
		}
		q.Where(changeevent.OpEQ(op))
	}
	if f.Via != "" {
		via := changeevent.Via(f.Via)
		if changeevent.ViaValidator(via) != nil {
			return errs.Invalid("via", "audit.unknown_via")
		}
		q.Where(changeevent.ViaEQ(via))
	}
	if f.After != "" {
		at, id, ok := parse(f.After)
		if !ok {
			return errs.Invalid("after", "error.cursor")
		}
		q.Where(changeevent.Or(changeevent.AtLT(at), changeevent.And(changeevent.AtEQ(at), changeevent.IDLT(id))))
	}
	return nil
}

// cursor names the place of a row in the order of pages.
func cursor(row *ent.ChangeEvent) string {
	return row.At.UTC().Format(time.RFC3339Nano) + "~" + string(row.ID)
}

func parse(after string) (at time.Time, id ident.ID, ok bool) {
	instant, rest, found := strings.Cut(after, "~")
	at, err := time.Parse(time.RFC3339Nano, instant)
	return at, ident.ID(rest), found && err == nil
}

// entryOf takes the values out that the viewer may not see. A field that is hidden
// in any row the viewer may read is hidden in all of the audit: a row's place in
// the past does not tell through which role it is read now.
func entryOf(v *viewer.Viewer, row *ent.ChangeEvent, hidden map[string]bool) Entry {
	out := Entry{Event: row}
	for field, d := range row.Diff {
		key := row.EntityType + "." + field
		secret, known := hidden[key]
		if !known {
			secret = !v.IsSystem() && access.FieldHidden(v, row.EntityType, strings.TrimLeft(field, "+-"))
			hidden[key] = secret
		}
		change := FieldChange{Name: field, Hidden: secret}
		if !secret {
			change.Before, change.After = d[0], d[1]
		}
		out.Fields = append(out.Fields, change)
	}
	slices.SortFunc(out.Fields, func(a, b FieldChange) int { return strings.Compare(a.Name, b.Name) })
	row.Diff = nil
	return out
}

// name fills in the titles of the records the viewer can see now, one statement for
// each type.
func name(ctx context.Context, c *ent.Client, entries []Entry) error {
	of := map[*entity.Entity][]any{}
	for _, x := range entries {
		if e := entity.ByName(x.Event.EntityType); e != nil && e.Registry {
			of[e] = append(of[e], x.Event.EntityID)
		}
	}
	titles, paths := map[ident.ID]string{}, map[ident.ID]string{}
	for e, ids := range of {
		rows, err := e.List(ctx, c, func(sel *sql.Selector) { sel.Where(sql.In(sel.C("id"), ids...)) }, func(*sql.Selector) {}, 0, 0)
		if err != nil {
			return store.Known(err)
		}
		for _, r := range rows {
			titles[r.ID], paths[r.ID] = title(e, r), path(e, r)
		}
	}
	for i, x := range entries {
		entries[i].Title, entries[i].Path = titles[x.Event.EntityID], paths[x.Event.EntityID]
	}
	return nil
}

func title(e *entity.Entity, r entity.Row) string {
	return entity.Text(e.Value(r, e.Title))
}

// path is the address of a record's page.
func path(e *entity.Entity, r entity.Row) string {
	key, _ := e.Value(r, "key").(string)
	switch {
	case key == "":
		return "/" + e.Path + "/" + string(r.ID)
	case e.Name == "Portfolio" || e.Name == "Product":
		return "/" + e.Path + "/" + store.Slug(key)
	}
	return "/" + e.Path + "/" + key
}
