package bulk

import (
	"context"
	"encoding/json"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// many gives records the value that the guards have let pass for another record of the
// type, in one statement, and notes each for the audit. The rows were found under the
// viewer's right to write and are locked.
func (x Change) many(ctx context.Context, s *store.Store, rows []entity.Row) error {
	name, value, err := x.column()
	if err != nil {
		return err
	}
	column := value
	if x.Kind == Set && x.Field.Kind == "strings" && value != nil {
		if column, err = json.Marshal(value); err != nil {
			return err
		}
		column = string(column.([]byte))
	}
	ids := make([]any, len(rows))
	for i, row := range rows {
		ids[i] = string(row.ID)
	}
	u := sql.Dialect(s.Dialect).Update(x.Entity.Table).Add("version", 1).Set("updated_at", now()).Set("updated_by", string(viewer.From(ctx).ID)).Where(sql.In("id", ids...))
	if column == nil {
		u.SetNull(name)
	} else {
		u.Set(name, column)
	}
	query, args := u.Query()
	done, err := s.Raw(ctx).ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if err == nil && int(n) != len(rows) {
		err = fmt.Errorf("bulk: %d of %d rows were written", n, len(rows))
	}
	if err != nil {
		return err
	}
	changes := make([]store.Change, len(rows))
	for i, row := range rows {
		changes[i] = x.noted(row, name, value)
	}
	return store.Note(ctx, changes...)
}

// noted is the change of one record as the audit keeps it.
func (x Change) noted(row entity.Row, name string, value any) store.Change {
	e := x.Entity
	column := func(name string) ident.ID { id, _ := e.Value(row, name).(ident.ID); return id }
	at := access.Row{Portfolio: column("portfolio_id"), Product: column("product_id"), Vendor: column("vendor_id")}
	switch e.Name {
	case "Portfolio":
		at.Portfolio = row.ID
	case "Product":
		at.Product = row.ID
	case "Vendor":
		at.Vendor = row.ID
	}
	out := store.Change{Op: store.OpUpdate, Entity: e.Name, ID: row.ID, Portfolio: at.Portfolio, Product: at.Product, Vendor: at.Vendor,
		Diff: map[string][2]any{name: {e.Value(row, name), value}}}
	switch x.Kind {
	case Archive:
		out.Op = store.OpArchive
	case Restore:
		out.Op = store.OpRestore
	}
	version, _ := e.Value(row, "version").(int)
	out.Version = version + 1
	return out
}
