package graph

import (
	"context"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/graph/model"
	"steward/internal/area/custom"
)

// customFilter returns the conditions on custom fields of records of a type.
func customFilter[P ~func(*sql.Selector)](ctx context.Context, r *Resolver, name string, filters []*model.CustomFieldFilter) ([]P, error) {
	var out []P
	for _, f := range filters {
		values := make([]any, len(f.Values))
		for i, v := range f.Values {
			values[i] = v
		}
		p, err := custom.Filter(ctx, r.Store, name, f.Code, custom.Op(strings.ToLower(f.Op.String())), values...)
		if err != nil {
			return nil, err
		}
		out = append(out, P(p))
	}
	return out, nil
}
