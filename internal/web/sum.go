package web

import (
	"context"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/money"
	view "steward/views/entity"
)

// summed is how many columns of amounts a list adds up at most.
const summed = 6

// sums adds up the amounts of all rows a list shows, on this page and the others,
// for each currency by itself: one statement. A list without amounts, or one whose
// rows do not say their currency, has none.
func (s *site) sums(ctx context.Context, l *listing) ([]view.Sum, error) {
	var fields []*entity.Field
	for _, f := range l.columns {
		if f.Kind == "money" && len(fields) < summed {
			fields = append(fields, f)
		}
	}
	of, parent := l.entity, false
	if _, own := of.Field("currency"); !own && of.ParentColumn != "" {
		of, parent = entity.ByName(of.Parent), true
	}
	if _, ok := of.Field("currency"); !ok || len(fields) == 0 {
		return nil, nil
	}
	var found []struct {
		Currency string        `sql:"currency"`
		S0       *money.Amount `sql:"s0"`
		S1       *money.Amount `sql:"s1"`
		S2       *money.Amount `sql:"s2"`
		S3       *money.Amount `sql:"s3"`
		S4       *money.Amount `sql:"s4"`
		S5       *money.Amount `sql:"s5"`
	}
	err := l.entity.Sum(ctx, s.store.ClientOf(ctx), l.where, func(sel *sql.Selector) {
		currency := sel.C("currency")
		if parent {
			p := sql.Dialect(sel.Dialect()).Table(of.Table).As("parent")
			sel.Join(p).On(sel.C(l.entity.ParentColumn), p.C("id"))
			currency = p.C("currency")
		}
		sel.Select(sql.As(currency, "currency"))
		for i, f := range fields {
			sel.AppendSelect(sql.As(sql.Sum(sel.C(f.Name)), "s"+strconv.Itoa(i)))
		}
		sel.GroupBy(currency).OrderBy(currency)
	}, &found)
	if err != nil {
		return nil, store.Known(err)
	}
	var out []view.Sum
	for _, x := range found {
		sum := view.Sum{Currency: x.Currency, Amounts: map[string]*money.Amount{}}
		for i, a := range []*money.Amount{x.S0, x.S1, x.S2, x.S3, x.S4, x.S5} {
			if i < len(fields) && a != nil {
				sum.Amounts[fields[i].Name] = a
			}
		}
		if len(sum.Amounts) > 0 {
			out = append(out, sum)
		}
	}
	return out, nil
}
