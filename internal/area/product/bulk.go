package product

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
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
		column := "product_id"
		if e.Name == "Product" {
			column = "id"
		}
		u := sql.Dialect(s.Dialect).Update(e.Table).Set("portfolio_id", string(to)).
			Add("version", 1).Set("updated_at", time.Now().UTC().Truncate(time.Microsecond)).Set("updated_by", string(viewer.From(ctx).ID)).
			Where(sql.And(sql.EQ(column, string(p.ID)), sql.EQ("portfolio_id", string(from))))
		rows, err := changed(ctx, s, u)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := store.Note(ctx, store.Change{
				Op: store.OpUpdate, Entity: e.Name, ID: r.id, Version: r.version, Portfolio: to, Product: p.ID,
				Diff: map[string][2]any{"portfolio_id": {from, to}}, Reason: reason,
			}); err != nil {
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
func changed(ctx context.Context, s *store.Store, u *sql.UpdateBuilder) ([]touched, error) {
	u.Returning("id", "version")
	query, args := u.Query()
	rows, err := s.Raw(ctx).QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []touched
	for rows.Next() {
		var t touched
		if err := rows.Scan(&t.id, &t.version); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}
