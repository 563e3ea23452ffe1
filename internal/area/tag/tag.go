// Package tag marks records with tags. Whoever may change a record may mark it; the
// marks are seen as the record is, asked each time. They lie beside the records and not
// in them, so a mark neither changes a record's version nor conflicts with its editors.
//
// Both doors, imports and bulk changes use it. Install lets a mark be undone.
package tag

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	enttag "steward/ent/tag"
	"steward/ent/taglink"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Most is how many tags a record takes.
const Most = 20

// Edge is the name under which the history of a record keeps its tags.
const Edge = "tags"

// Install lets the tags put on or taken off a record be undone. It is called once, when
// the store has been opened.
func Install(s *store.Store) {
	s.OnUndoHanging(Edge, func(ctx context.Context, on ident.ID, add, remove []ident.ID) error {
		e := entity.OfID(on)
		if e == nil {
			return errs.NotFound()
		}
		return Mark(ctx, s, e, []ident.ID{on}, add, remove)
	})
}

// Fits reports whether records of the type can be marked: those that can be changed,
// except the tags themselves.
func Fits(e *entity.Entity) bool { return e.Registry && !e.ReadOnly && e.Name != "Tag" }

// Seen reports whether the viewer sees tags at all; partners do not.
func Seen(ctx context.Context, e *entity.Entity) bool {
	return Fits(e) && access.May(viewer.From(ctx), "Tag", access.Read)
}

// Of returns the tags of records that the caller has read as the viewer, by record, in
// the order of their names: at most two statements, whatever the number of records.
func Of(ctx context.Context, s *store.Store, e *entity.Entity, ids ...ident.ID) (map[ident.ID][]*ent.Tag, error) {
	out := map[ident.ID][]*ent.Tag{}
	if len(ids) == 0 || !Seen(ctx, e) {
		return out, nil
	}
	c := s.ClientOf(ctx)
	links, err := c.TagLink.Query().Where(taglink.SubjectIDIn(ids...)).All(scope.Elevate(ctx))
	if err != nil || len(links) == 0 {
		return out, store.Known(err)
	}
	var wanted []ident.ID
	for _, l := range links {
		wanted = append(wanted, l.TagID)
	}
	slices.Sort(wanted)
	tags, err := c.Tag.Query().Where(enttag.IDIn(slices.Compact(wanted)...)).Order(enttag.ByName()).All(ctx)
	for _, t := range tags {
		for _, l := range links {
			if l.TagID == t.ID {
				out[l.SubjectID] = append(out[l.SubjectID], t)
			}
		}
	}
	return out, store.Known(err)
}

// With is the condition of records that carry one of the tags.
func With(tags ...ident.ID) func(*sql.Selector) {
	return func(sel *sql.Selector) {
		b := sql.Dialect(sel.Dialect())
		t := b.Table(taglink.Table)
		values := make([]any, len(tags))
		for i, id := range tags {
			values[i] = id
		}
		sel.Where(sql.In(sel.C("id"), b.Select(t.C(taglink.FieldSubjectID)).From(t).Where(sql.In(t.C(taglink.FieldTagID), values...))))
	}
}

// Any is the condition of records of the type that carry a tag at all.
func Any(e *entity.Entity) func(*sql.Selector) {
	return func(sel *sql.Selector) {
		b := sql.Dialect(sel.Dialect())
		t := b.Table(taglink.Table)
		sel.Where(sql.In(sel.C("id"), b.Select(t.C(taglink.FieldSubjectID)).From(t).Where(sql.EQ(t.C(taglink.FieldSubjectType), e.Name))))
	}
}

// Mark puts tags on records of one type and takes others off them, in one transaction
// and, up to 500 records, in the same few statements whatever their number. What a
// record has already, or has not, is left as it is. The errors are NotFound for a record
// or a tag the viewer cannot see, Forbidden for a record they may not change, and Limit.
func Mark(ctx context.Context, s *store.Store, e *entity.Entity, on, add, remove []ident.ID) error {
	if !Seen(ctx, e) {
		return errs.NotFound()
	}
	return s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		if err := known(ctx, c, add); err != nil {
			return err
		}
		rows, err := writable(ctx, c, e, on)
		if err != nil {
			return err
		}
		links, err := c.TagLink.Query().Where(taglink.SubjectIDIn(on...)).All(scope.Elevate(ctx))
		if err != nil {
			return err
		}
		has := map[ident.ID][]ident.ID{}
		for _, l := range links {
			has[l.SubjectID] = append(has[l.SubjectID], l.TagID)
		}
		var fresh []*ent.TagLinkCreate
		var gone []ident.ID
		for _, l := range links {
			if slices.Contains(remove, l.TagID) {
				gone = append(gone, l.ID)
			}
		}
		for _, row := range rows {
			more := slices.DeleteFunc(slices.Clone(add), func(t ident.ID) bool { return slices.Contains(has[row.ID], t) })
			less := slices.DeleteFunc(slices.Clone(remove), func(t ident.ID) bool { return !slices.Contains(has[row.ID], t) })
			if len(has[row.ID])+len(more)-len(less) > Most {
				return errs.New(errs.Limit, "tag.too_many", "max", Most)
			}
			at := place(e, row)
			for _, t := range more {
				fresh = append(fresh, link(c, e, row.ID, at, t))
			}
			if err := note(ctx, e, row, at, more, less); err != nil {
				return err
			}
		}
		return write(scope.Elevate(ctx), c, fresh, gone)
	})
}

// part is how many rows one statement writes: each takes ten parameters or so.
const part = 500

func write(ctx context.Context, c *ent.Client, fresh []*ent.TagLinkCreate, gone []ident.ID) error {
	for list := range slices.Chunk(fresh, part) {
		if err := c.TagLink.CreateBulk(list...).Exec(ctx); err != nil {
			return err
		}
	}
	if len(gone) == 0 {
		return nil
	}
	_, err := c.TagLink.Delete().Where(taglink.IDIn(gone...)).Exec(ctx)
	return err
}

// known refuses tags that the viewer cannot see or that are no longer in use.
func known(ctx context.Context, c *ent.Client, tags []ident.ID) error {
	if len(tags) == 0 {
		return nil
	}
	n, err := c.Tag.Query().Where(enttag.IDIn(tags...), enttag.ArchivedAtIsNil()).Count(ctx)
	if err == nil && n != len(tags) {
		err = errs.Invalid("tag", "tag.unknown")
	}
	return err
}

// writable returns the records if the viewer may change all of them.
func writable(ctx context.Context, c *ent.Client, e *entity.Entity, on []ident.ID) ([]entity.Row, error) {
	rows, err := e.List(ctx, c, func(sel *sql.Selector) {
		in(on)(sel)
		scope.ApplyFor(sel.WithContext(ctx), e.Table, access.Write)
	}, func(*sql.Selector) {}, 0, 0)
	if err != nil || len(rows) == len(on) {
		return rows, err
	}
	n, err := e.Count(ctx, c, in(on))
	switch {
	case err != nil:
		return nil, err
	case n == len(on):
		return nil, errs.Forbidden()
	}
	return nil, errs.NotFound()
}

func in(ids []ident.ID) func(*sql.Selector) {
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	return func(sel *sql.Selector) { sel.Where(sql.In(sel.C("id"), values...)) }
}

// place is where a record lies, as the audit keeps it.
func place(e *entity.Entity, row entity.Row) access.Row {
	column := func(name string) ident.ID { x, _ := e.Value(row, name).(ident.ID); return x }
	at := access.Row{ID: row.ID, Portfolio: column("portfolio_id"), Product: column("product_id"), Vendor: column("vendor_id")}
	switch e.Name {
	case "Portfolio":
		at.Portfolio = row.ID
	case "Product":
		at.Product = row.ID
	case "Vendor":
		at.Vendor = row.ID
	}
	return at
}

func link(c *ent.Client, e *entity.Entity, on ident.ID, at access.Row, tag ident.ID) *ent.TagLinkCreate {
	w := c.TagLink.Create().SetSubjectType(e.Name).SetSubjectID(on).SetTagID(tag)
	if at.Portfolio != "" {
		w.SetPortfolioID(at.Portfolio)
	}
	if at.Product != "" {
		w.SetProductID(at.Product)
	}
	if at.Vendor != "" {
		w.SetVendorID(at.Vendor)
	}
	return w
}

// note writes into the history of the record which tags came and went.
func note(ctx context.Context, e *entity.Entity, row entity.Row, at access.Row, more, less []ident.ID) error {
	diff := map[string][2]any{}
	if len(more) > 0 {
		diff["+"+Edge] = [2]any{nil, more}
	}
	if len(less) > 0 {
		diff["-"+Edge] = [2]any{less, nil}
	}
	if len(diff) == 0 {
		return nil
	}
	version, ok := e.Value(row, "version").(int)
	if !ok {
		return fmt.Errorf("tag: %s has no version", e.Name)
	}
	return store.Note(ctx, store.Change{Op: store.OpUpdate, Entity: e.Name, ID: row.ID, Version: version,
		Portfolio: at.Portfolio, Product: at.Product, Vendor: at.Vendor, Diff: diff})
}
