package product

import (
	"context"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// rewrite is the set-based part of MoveToPortfolio: one statement for each table,
// because scope columns cannot be changed one row at a time through the guards and
// a product may own thousands of cells. The rows are noted for the audit here.
func rewrite(ctx context.Context, s *store.Store, p *ent.Product, to ident.ID, reason string) error {
	from := p.PortfolioID
	for _, e := range carried() {
		column, place := "product_id", store.Change{Product: p.ID}
		if e.Name == "Product" {
			column = "id"
		}
		u := sql.Dialect(s.Dialect).Update(e.Table).Set("portfolio_id", string(to)).
			Where(sql.And(sql.EQ(column, string(p.ID)), sql.EQ("portfolio_id", string(from))))
		if e.Versioned {
			u.Add("version", 1).Set("updated_at", time.Now().UTC().Truncate(time.Microsecond)).
				Set("updated_by", string(viewer.From(ctx).ID))
		}
		rows, err := changed(ctx, s, e, u)
		if err != nil {
			return err
		}
		for _, r := range rows {
			c := place
			c.Op, c.Entity, c.ID, c.Version, c.Portfolio = store.OpUpdate, e.Name, r.id, r.version, to
			c.Diff = map[string][2]any{"portfolio_id": {from, to}}
			c.Reason = reason
			if err := store.Note(ctx, c); err != nil {
				return err
			}
		}
	}
	return nil
}

type touched struct {
	id      ident.ID
	version int
}

// changed runs the update and returns the rows it changed.
func changed(ctx context.Context, s *store.Store, e *entity.Entity, u *sql.UpdateBuilder) ([]touched, error) {
	if e.Versioned {
		u.Returning("id", "version")
	} else {
		u.Returning("id")
	}
	query, args := u.Query()
	rows, err := s.Raw(ctx).QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []touched
	for rows.Next() {
		t, into := touched{}, []any{}
		into = append(into, &t.id)
		if e.Versioned {
			into = append(into, &t.version)
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

var _ = dialect.SQLite
