package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/money"
)

// KeyResult is a number that tells whether an objective is met: from a baseline to a target.
// The current value comes from check-ins.
type KeyResult struct{ ent.Schema }

// Mixin of KeyResult.
func (KeyResult) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "krs"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of KeyResult.
func (KeyResult) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:    "key-results",
		Icon:    "gauge",
		Title:   "name",
		List:    []string{"name", "objective", "baseline", "target", "current", "unit", "weight", "progress_bp"},
		Search:  []string{"name"},
		Sort:    "name",
		Parent:  "objective",
		Inherit: []string{"portfolio_id", "product_id"},
	})
}

// Fields of KeyResult.
func (KeyResult) Fields() []ent.Field {
	return []ent.Field{
		ref("objective_id"),
		inherited("portfolio_id", false),
		inherited("product_id", true),
		name(),
		nameFr(),
		field.Enum("kind").Values("INCREASE", "DECREASE", "MAINTAIN").Default("INCREASE"),
		field.Int64("baseline").GoType(money.Amount(0)).Default(0).Annotations(entgql.Type("Decimal"), mixin.Kind{Value: "decimal"}),
		field.Int64("target").GoType(money.Amount(0)).Annotations(entgql.Type("Decimal"), mixin.Kind{Value: "decimal"}),
		field.Int64("current").GoType(money.Amount(0)).Optional().Nillable().Annotations(entgql.Type("Decimal"), mixin.Kind{Value: "decimal"}, entgql.Skip(mixin.Unwritable)),
		line("unit", 40),
		field.Int("weight").Default(1).Range(1, 10),
		field.Int("progress_bp").Optional().Nillable().Annotations(entgql.Skip(mixin.Unwritable), mixin.Kind{Value: "bp"}),
		field.Int("confidence_bp").Optional().Nillable().Annotations(entgql.Skip(mixin.Unwritable), mixin.Kind{Value: "bp"}),
		optRef("owner_id"),
	}
}

// Edges of KeyResult.
func (KeyResult) Edges() []ent.Edge {
	return []ent.Edge{
		one("objective", Objective.Type, "key_results", "objective_id"),
		points("owner", Person.Type, "owner_id"),
		many("check_ins", CheckIn.Type),
	}
}

// Indexes of KeyResult.
func (KeyResult) Indexes() []ent.Index {
	return []ent.Index{listed("name"), sorted("name"), index.Fields("objective_id")}
}
