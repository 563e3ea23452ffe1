package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// BudgetLine is one row of a budget: what the money is for, of which class and category.
// Its amounts are cells; its totals are kept in the transaction that writes a cell.
type BudgetLine struct{ ent.Schema }

// Mixin of BudgetLine.
func (BudgetLine) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "bln"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of BudgetLine.
func (BudgetLine) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:    "budget-lines",
		Icon:    "list",
		Title:   "name",
		List:    []string{"name", "plan", "category", "cost_class", "planned_total", "forecast_total", "actual_total"},
		Search:  []string{"name", "code"},
		Sort:    "name",
		Parent:  "plan",
		Inherit: []string{"portfolio_id", "product_id"},
	})
}

// Fields of BudgetLine.
func (BudgetLine) Fields() []ent.Field {
	return []ent.Field{
		ref("plan_id"),
		inherited("portfolio_id", false),
		inherited("product_id", true),
		name(),
		nameFr(),
		line("code", 120),
		line("group_name", 200),
		field.Int("position").Default(0).Annotations(entgql.OrderField("POSITION")),
		field.Enum("category").Values("STAFFING", "TRAINING", "SOFTWARE", "HARDWARE", "CLOUD", "SERVICES", "FACILITIES", "CONTINGENCY").Optional().Nillable(),
		field.Enum("cost_class").Values("CAPITAL", "OPERATING").Optional().Nillable(),
		field.JSON("coding", map[string]any{}).Optional().Annotations(entgql.Type("JSON"), mixin.Hidden, entgql.Skip(entgql.SkipWhereInput)),
		line("unit", 20),
		quantity("quantity_planned"),
		quantity("quantity_actual"),
		field.JSON("outlook", map[string]any{}).Optional().Annotations(entgql.Type("JSON"), mixin.Hidden, entgql.Skip(entgql.SkipWhereInput|mixin.Unwritable)),
		text("note"),
		optRef("contract_id"),
		heldAmount("planned_total"),
		heldAmount("forecast_total"),
		heldAmount("actual_total"),
	}
}

// Edges of BudgetLine.
func (BudgetLine) Edges() []ent.Edge {
	return []ent.Edge{
		one("plan", BudgetPlan.Type, "lines", "plan_id"),
		maybe("contract", Contract.Type, "budget_lines", "contract_id"),
		many("cells", BudgetCell.Type),
	}
}

// Indexes of BudgetLine.
func (BudgetLine) Indexes() []ent.Index {
	return []ent.Index{listed("name"), sorted("name"), index.Fields("plan_id", "position", "id")}
}
