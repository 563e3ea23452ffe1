// Package bulk makes one change to many records of a list: one field, a tag, archiving
// or bringing back. All of them are changed in one transaction with one right to undo,
// or none is and each that stood in the way is named.
//
// Each record is asked the same as if it were changed alone: may this person change it,
// is it still the version they saw, do the rules of its area allow it. Both doors
// use it.
package bulk

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/internal/area/tag"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/custom"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Most is how many records one change takes.
const Most = 1000

// Kind is what is done to the records.
type Kind string

// The kinds.
const (
	Set     Kind = "set"
	Tag     Kind = "tag"
	Untag   Kind = "untag"
	Archive Kind = "archive"
	Restore Kind = "restore"
)

// Change is one change to many records.
type Change struct {
	Entity *entity.Entity
	Kind   Kind
	Rows   map[ident.ID]int // the version of each that the person saw; 0 is as it is now
	Field  *entity.Field    // of Set; one named "custom.size" is the custom field size
	Value  any              // typed as the field is, or as custom fields are kept; nil is empty
	Tag    ident.ID         // of Tag and Untag
	Skip   bool             // leave out what cannot be changed instead of changing nothing
}

// Refusal is a record that cannot be changed, and why.
type Refusal struct {
	ID  ident.ID
	Err *errs.Error
}

// Result says what became of a change. Without a token nothing was changed.
type Result struct {
	Token   string
	Done    int // records changed; those that had the value already are not counted
	Refused []Refusal
}

// Apply makes the change. Where records stand in the way and Skip is off, Done is 0 and
// Refused names them. The errors are about the change as a whole: NotFound and Forbidden
// for records of a type the viewer may not change, Limit for too many, Validation.
func Apply(ctx context.Context, s *store.Store, x Change) (Result, error) {
	if err := x.valid(ctx); err != nil {
		return Result{}, err
	}
	var out Result
	err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		out = Result{Token: store.Undoable(ctx)}
		rows, err := out.find(ctx, s, c, x)
		if err != nil {
			return err
		}
		if out.stopped(x) {
			return errNothing
		}
		rows = slices.DeleteFunc(rows, func(row entity.Row) bool { return x.already(row) })
		if len(rows) == 0 {
			return errNothing
		}
		if err := out.write(ctx, s, c, x, rows); err != nil {
			return err
		}
		if out.stopped(x) || out.Done == 0 {
			return errNothing
		}
		return nil
	})
	if err == errNothing {
		out.Token, out.Done, err = "", 0, nil
	}
	if err != nil {
		return Result{}, store.Known(err)
	}
	slices.SortFunc(out.Refused, func(a, b Refusal) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out, nil
}

// errNothing takes the transaction back without being anybody's fault.
var errNothing = errs.New(errs.State, "bulk.nothing")

func (out *Result) stopped(x Change) bool { return len(out.Refused) > 0 && !x.Skip }

func (out *Result) refuse(id ident.ID, err error) {
	out.Refused = append(out.Refused, Refusal{id, errs.As(store.Known(err))})
}

// valid refuses what is no change at all.
func (x Change) valid(ctx context.Context) error {
	v, e := viewer.From(ctx), x.Entity
	switch {
	case !access.May(v, e.Name, access.Read):
		return errs.NotFound()
	case e.ReadOnly || e.Edit == nil:
		return errs.Forbidden()
	case len(x.Rows) == 0:
		return errs.Invalid("rows", "bulk.no_rows")
	case len(x.Rows) > Most:
		return errs.New(errs.Limit, "bulk.too_many", "max", Most)
	case (x.Kind == Archive || x.Kind == Restore) && !e.Archivable:
		return errs.NotFound()
	case x.Kind == Set && (x.Field == nil || !Fits(e, x.Field) || access.FieldHidden(v, e.Name, x.columnName())):
		return errs.NotFound()
	case x.Kind == Set:
		_, err := x.stored()
		return err
	case (x.Kind == Tag || x.Kind == Untag) && x.Tag == "":
		return errs.Invalid("value", "error.required")
	}
	return nil
}

// Fits reports whether a field may be given one value in many records: a custom field, or
// what can be edited in a cell, but not the name or the key, which tell records apart.
func Fits(e *entity.Entity, f *entity.Field) bool {
	if strings.HasPrefix(f.Name, custom.Prefix) {
		_, has := e.Field("custom")
		return has && e.Name != "CustomField"
	}
	return f.Updatable && !f.Immutable && f.Name != e.Title && f.Name != "name_fr" && f.Name != "key"
}

// find reads the records as they are and refuses those that are out of reach or no
// longer what the person saw: at most two statements.
func (out *Result) find(ctx context.Context, s *store.Store, c *ent.Client, x Change) ([]entity.Row, error) {
	ids := make([]any, 0, len(x.Rows))
	for id := range x.Rows {
		ids = append(ids, id)
	}
	in := func(sel *sql.Selector) { sel.Where(sql.In(sel.C("id"), ids...)) }
	found, err := x.Entity.List(ctx, c, func(sel *sql.Selector) {
		in(sel)
		scope.ApplyFor(sel.WithContext(ctx), x.Entity.Table, access.Write)
		s.Lock()(sel)
	}, func(sel *sql.Selector) { sel.OrderBy(sel.C("id")) }, 0, 0)
	if err != nil {
		return nil, err
	}
	var rows []entity.Row
	mine := map[ident.ID]bool{}
	for _, row := range found {
		mine[row.ID] = true
		if have, _ := x.Entity.Value(row, "version").(int); x.Rows[row.ID] != 0 && x.Rows[row.ID] != have {
			out.refuse(row.ID, errs.New(errs.Conflict, "bulk.changed"))
			continue
		}
		rows = append(rows, row)
	}
	if len(found) == len(ids) {
		return rows, nil
	}
	readable, err := x.Entity.List(ctx, c, in, func(*sql.Selector) {}, 0, 0)
	reads := map[ident.ID]bool{}
	for _, row := range readable {
		reads[row.ID] = true
	}
	for id := range x.Rows {
		switch {
		case mine[id]:
		case reads[id]:
			out.refuse(id, errs.Forbidden())
		default:
			out.refuse(id, errs.NotFound())
		}
	}
	return rows, err
}

// already reports whether a record is what the change would make of it.
func (x Change) already(row entity.Row) bool {
	archived := x.Entity.Value(row, "archived_at") != nil
	switch x.Kind {
	case Archive:
		return archived
	case Restore:
		return !archived
	case Set:
		value, _ := x.stored()
		if code, own := x.own(); own {
			have, _ := x.Entity.Value(row, "custom").(map[string]any)
			return same(have[code], value)
		}
		return same(x.Entity.Value(row, x.Field.Name), value)
	}
	return false
}

func same(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

// write changes the records. A tag, and a value to which no rule of its own applies, are
// written in a few statements whatever the number of records; the rest one by one.
func (out *Result) write(ctx context.Context, s *store.Store, c *ent.Client, x Change, rows []entity.Row) error {
	switch x.Kind {
	case Tag:
		out.Done = len(rows)
		return tag.Mark(ctx, s, x.Entity, idsOf(rows), []ident.ID{x.Tag}, nil)
	case Untag:
		out.Done = len(rows)
		return tag.Mark(ctx, s, x.Entity, idsOf(rows), nil, []ident.ID{x.Tag})
	}
	alone := len(rows)
	if !x.ruled(s) {
		alone = 1 // it goes through all guards, and with it the value that the others get too
	}
	for _, row := range rows[:alone] {
		err := x.one(ctx, c, row)
		if store.Aborted(err) {
			break // an earlier refusal has ended the transaction
		}
		if err != nil {
			out.refuse(row.ID, err)
			continue
		}
		out.Done++
	}
	if rest := rows[alone:]; len(rest) > 0 && out.Done == alone {
		if err := x.many(ctx, s, rest); err != nil {
			return err
		}
		out.Done += len(rest)
	}
	return nil
}

func idsOf(rows []entity.Row) []ident.ID {
	out := make([]ident.ID, len(rows))
	for i, row := range rows {
		out[i] = row.ID
	}
	return out
}

// ruled reports whether a write of such a record may be refused, or change more, for
// reasons of that record alone: an area has installed a rule on the type, or the field
// says where the record lies or stands.
func (x Change) ruled(s *store.Store) bool {
	client := reflect.ValueOf(s.Client).Elem().FieldByName(x.Entity.Name)
	hooks := client.MethodByName("Hooks").Call(nil)[0].Len()
	if hooks > 1 { // the first are the store's guards
		return true
	}
	if x.Kind != Set {
		return false
	}
	if _, own := x.own(); own {
		return true
	}
	return slices.Contains([]string{"portfolio_id", "product_id", "vendor_id", x.Entity.ParentColumn, "status", "stage"}, x.Field.Name)
}

// one changes a record through the guards.
func (x Change) one(ctx context.Context, c *ent.Client, row entity.Row) error {
	version, _ := x.Entity.Value(row, "version").(int)
	w := x.Entity.Edit(c, row.ID, version)
	name, value, err := x.column()
	switch {
	case err != nil:
		return err
	case value == nil:
		err = w.Mutation.ClearField(name)
	default:
		err = w.Mutation.SetField(name, value)
	}
	if err != nil {
		return err
	}
	_, err = w.Save(ctx)
	return err
}

// column is what is written: nil is NULL.
func (x Change) column() (name string, value any, err error) {
	switch x.Kind {
	case Archive:
		return "archived_at", now(), nil
	case Restore:
		return "archived_at", nil, nil
	}
	value, err = x.stored()
	if code, own := x.own(); own {
		value = map[string]any{code: value} // the rules merge it with what the record has
	}
	return x.columnName(), value, err
}

// own returns the code of the custom field that is set, if it is one.
func (x Change) own() (code string, ok bool) {
	if x.Field == nil {
		return "", false
	}
	return strings.CutPrefix(x.Field.Name, custom.Prefix)
}

// columnName is the column of the field that is set.
func (x Change) columnName() string {
	if _, own := x.own(); own {
		return "custom"
	}
	return x.Field.Name
}

// stored is the value as the column takes it: nothing is NULL where it may be, and empty
// in a column of words.
func (x Change) stored() (any, error) {
	f := x.Field
	switch {
	case x.Value != nil:
		return x.Value, nil
	case strings.HasPrefix(f.Name, custom.Prefix):
		return nil, nil
	case f.Required:
		return nil, errs.Invalid("value", "error.required")
	case f.Nullable || f.Kind == "strings":
		return nil, nil
	case f.Kind == "line" || f.Kind == "text" || f.Kind == "url" || f.Kind == "email":
		return "", nil
	}
	return nil, errs.Invalid("value", "error.required")
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
