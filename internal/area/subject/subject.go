// Package subject finds the record that something hangs on, a comment, a file or
// a tag, as the viewer sees it now, and says what they may do with it.
//
// The areas of such things use it and ask it again each time: what hangs on a
// record is reached as the record is, wherever it lay before.
package subject

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/product"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Subject is a record that the viewer may see, and where it lies.
type Subject struct {
	Entity  *entity.Entity
	ID      ident.ID
	At      access.Row // whose columns are copied to what hangs on it
	Version int
	places  []access.Row // one for each product of a contract
}

// Find returns the record as the viewer of ctx sees it. The error is NotFound for
// one they may not see, for what is no record, and for what was never there.
func Find(ctx context.Context, c *ent.Client, id ident.ID) (Subject, error) {
	e := entity.OfID(id)
	if e == nil || !e.Registry {
		return Subject{}, errs.NotFound()
	}
	rows, err := e.List(ctx, c, func(sel *sql.Selector) { sel.Where(sql.EQ(sel.C("id"), id)) }, func(*sql.Selector) {}, 1, 0)
	if err != nil {
		return Subject{}, err
	}
	if len(rows) == 0 {
		return Subject{}, errs.NotFound()
	}
	column := func(name string) ident.ID { x, _ := e.Value(rows[0], name).(ident.ID); return x }
	sub := Subject{Entity: e, ID: id, At: access.Row{ID: id, Portfolio: column("portfolio_id"), Product: column("product_id"), Vendor: column("vendor_id")}}
	sub.Version, _ = e.Value(rows[0], "version").(int)
	switch e.Name {
	case "Portfolio":
		sub.At.Portfolio = id
	case "Product":
		sub.At.Product = id
	case "Vendor":
		sub.At.Vendor = id
	}
	sub.places = []access.Row{sub.At}
	if e.Via == nil {
		return sub, nil
	}
	return sub, sub.join(ctx, c, column)
}

// join adds the products through which a contract, or a term of one, is reached.
func (sub *Subject) join(ctx context.Context, c *ent.Client, column func(string) ident.ID) error {
	contract := sub.ID
	if sub.Entity.Via.Column != "id" {
		contract = column(sub.Entity.Via.Column)
	}
	found, err := c.Product.Query().Where(product.HasContractsWith(func(sel *sql.Selector) { sel.Where(sql.EQ(sel.C("id"), contract)) })).
		Select(product.FieldID).All(scope.Elevate(ctx))
	for _, p := range found {
		at := sub.At
		at.Product = p.ID
		sub.places = append(sub.places, at)
	}
	return err
}

// Allows reports whether the viewer may touch rows of the entity, such as
// "Comment", that hang on the record.
func (sub Subject) Allows(v *viewer.Viewer, hanging string, letter access.Letter) bool {
	return slices.ContainsFunc(sub.places, access.ForRecord(v, hanging, sub.Entity.Name, letter).Includes)
}

// Writable reports whether the viewer may change the record itself.
func (sub Subject) Writable(v *viewer.Viewer) bool {
	return !sub.Entity.ReadOnly && slices.ContainsFunc(sub.places, access.For(v, sub.Entity.Name, access.Write).Includes)
}
