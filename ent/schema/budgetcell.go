package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/civil"
)

// BudgetCell holds what one line plans, forecasts and has spent in one period. Each value
// may be missing, which is not zero. People write planned and forecast through SetCells only;
// actuals are posted.
type BudgetCell struct{ ent.Schema }

// Mixin of BudgetCell.
func (BudgetCell) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "bce"}}
}

// Annotations of BudgetCell.
func (BudgetCell) Annotations() []schema.Annotation {
	return readOnly(mixin.Describe{
		Path:    "budget-cells",
		Icon:    "table",
		Title:   "period",
		List:    []string{"line", "period", "planned", "forecast", "actual"},
		Search:  []string{"period"},
		Sort:    "period",
		Parent:  "line",
		Inherit: []string{"portfolio_id", "product_id"},
	})
}

// Fields of BudgetCell.
func (BudgetCell) Fields() []ent.Field {
	return []ent.Field{
		ref("line_id"),
		inherited("portfolio_id", false),
		inherited("product_id", true),
		field.String("period").GoType(civil.Period("")).MinLen(7).MaxLen(7).Immutable().Annotations(entgql.Type("Period"), entgql.OrderField("PERIOD")),
		amount("planned"),
		amount("forecast"),
		amount("actual"),
	}
}

// Edges of BudgetCell.
func (BudgetCell) Edges() []ent.Edge {
	return []ent.Edge{
		one("line", BudgetLine.Type, "cells", "line_id"),
	}
}

// Indexes of BudgetCell.
func (BudgetCell) Indexes() []ent.Index {
	return []ent.Index{index.Fields("line_id", "period").Unique(), listed("period")}
}
