package graph

import (
	"context"
	"fmt"
	"slices"

	"steward/graph/model"
	"steward/internal/area/retention"
	"steward/internal/rules/errs"
)

func (r *Resolver) kept(ctx context.Context) (*model.Retention, error) {
	days, version, err := retention.List(ctx, r.Store)
	if err != nil {
		return nil, err
	}
	out := &model.Retention{Version: version}
	for _, c := range retention.Classes {
		out.Classes = append(out.Classes, &model.RetentionClass{Name: c.Name, Days: days[c.Name], Usual: c.Days, Least: c.Least, Most: c.Most})
	}
	return out, nil
}

func (r *Resolver) keep(ctx context.Context, in model.SaveRetentionInput) (*model.Retention, error) {
	days := map[string]int{}
	for i, c := range in.Classes {
		if !slices.ContainsFunc(retention.Classes, func(known retention.Class) bool { return known.Name == c.Name }) {
			return nil, errs.Invalid(fmt.Sprintf("classes.%d.name", i), "error.invalid_value")
		}
		days[c.Name] = c.Days
	}
	if err := retention.Save(ctx, r.Store, in.Version, days); err != nil {
		return nil, err
	}
	return r.kept(ctx)
}
