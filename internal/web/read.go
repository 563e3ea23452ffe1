package web

import (
	"context"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/internal/platform/entity"
	"steward/internal/platform/i18n"
	"steward/internal/platform/scope"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	view "steward/views/entity"
)

// find returns the row a page's address names: by id, key, or the short name of a
// portfolio or product. What the viewer may not see is not found, exactly as what
// was never there.
func (s *site) find(ctx context.Context, e *entity.Entity, segment string) (entity.Row, error) {
	column, value := "id", segment
	if !strings.HasPrefix(segment, e.Prefix+"_") {
		if e.KeyPrefix == "" {
			return entity.Row{}, errs.NotFound()
		}
		column, value = "key", strings.ToUpper(segment)
		if !strings.HasPrefix(value, e.KeyPrefix+"-") {
			value = e.KeyPrefix + "-" + value
		}
	}
	if len(value) > 60 || strings.ContainsRune(value, 0) {
		return entity.Row{}, errs.NotFound()
	}
	found, err := e.List(ctx, s.store.ClientOf(ctx), func(sel *sql.Selector) { sel.Where(sql.EQ(sel.C(column), value)) }, anyOrder, 1, 0)
	if err != nil {
		return entity.Row{}, err
	}
	if len(found) == 0 {
		return entity.Row{}, errs.NotFound()
	}
	return found[0], nil
}

// wanted collects the ids of records whose titles a page shows, by type.
type wanted map[string][]ident.ID

func (w wanted) add(id ident.ID) {
	if e := entity.OfID(id); e != nil && e.Registry && !slices.Contains(w[e.Name], id) {
		w[e.Name] = append(w[e.Name], id)
	}
}

// row adds what the fields of a row point at.
func (w wanted) row(e *entity.Entity, row entity.Row, fields []*entity.Field) {
	for _, f := range fields {
		if id, ok := e.Value(row, f.Name).(ident.ID); ok && f.Kind == "ref" {
			w.add(id)
		}
	}
	if id, ok := e.Value(row, e.ParentColumn).(ident.ID); ok && e.ParentColumn != "" {
		w.add(id) // lends its currency
	}
}

// refs reads the wanted records, one statement for each type whatever their
// number. Those the viewer may not see are left out.
func (s *site) refs(ctx context.Context, w wanted) (view.Refs, error) {
	out := view.Refs{}
	show := view.Show{Lang: i18n.From(ctx), Zone: i18n.Zone(ctx)}
	for name, ids := range w {
		e := entity.ByName(name)
		found, err := e.List(ctx, s.store.ClientOf(ctx), byIDs(ids), anyOrder, 0, 0)
		if err != nil {
			return nil, err
		}
		for _, row := range found {
			out[row.ID] = show.RefOf(e, row)
		}
	}
	return out, nil
}

// shower returns what writes values for the reader, with the records of w.
func (s *site) shower(ctx context.Context, w wanted) (view.Show, error) {
	refs, err := s.refs(ctx, w)
	return view.Show{Lang: i18n.From(ctx), Zone: i18n.Zone(ctx), Refs: refs}, err
}

// writable returns which of the rows the viewer may change with the letter. The
// answer is the one the guards will give; it takes a statement only for people
// whose reach is neither everything nor nothing.
func (s *site) writable(ctx context.Context, e *entity.Entity, letter access.Letter, ids ...ident.ID) (map[ident.ID]bool, error) {
	out := map[ident.ID]bool{}
	reach := access.For(viewer.From(ctx), e.Name, letter)
	if e.ReadOnly || reach.Empty() || len(ids) == 0 {
		return out, nil
	}
	if reach.All {
		for _, id := range ids {
			out[id] = true
		}
		return out, nil
	}
	found, err := e.List(ctx, s.store.ClientOf(ctx), func(sel *sql.Selector) {
		byIDs(ids)(sel)
		scope.ApplyFor(sel.WithContext(ctx), e.Table, letter)
	}, anyOrder, 0, 0)
	for _, row := range found {
		out[row.ID] = true
	}
	return out, err
}

// maychange reports whether the viewer may change the one row.
func (s *site) mayChange(ctx context.Context, e *entity.Entity, id ident.ID) (bool, error) {
	ok, err := s.writable(ctx, e, access.Write, id)
	return ok[id], err
}

// mayCreate reports whether the viewer may create rows of the entity at all.
func mayCreate(ctx context.Context, e *entity.Entity) bool {
	return !e.ReadOnly && e.New != nil && access.May(viewer.From(ctx), e.Name, access.Write)
}

// placed returns the scope columns of a row, to compare with a reach.
func placed(e *entity.Entity, row entity.Row) access.Row {
	id := func(name string) ident.ID { i, _ := e.Value(row, name).(ident.ID); return i }
	return access.Row{Portfolio: id("portfolio_id"), Product: id("product_id"), Vendor: id("vendor_id"), ID: row.ID}
}
