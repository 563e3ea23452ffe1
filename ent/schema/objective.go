package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Objective is what a portfolio or product wants to achieve in a cycle, measured by its key
// results. Committed objectives are promises, aspirational ones are stretches.
type Objective struct{ ent.Schema }

// Mixin of Objective.
func (Objective) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "obj"}, mixin.Keyed{Prefix: "OBJ"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Objective.
func (Objective) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:    "objectives",
		Icon:    "target",
		Title:   "name",
		List:    []string{"key", "name", "cycle", "product", "kind", "status", "owner", "grade_bp"},
		Search:  []string{"name", "key"},
		Sort:    "name",
		Machine: "Objective",
	})
}

// Fields of Objective.
func (Objective) Fields() []ent.Field {
	return []ent.Field{
		ref("portfolio_id"),
		optRef("product_id"),
		ref("cycle_id"),
		name(),
		nameFr(),
		text("why"),
		field.Enum("kind").Values("COMMITTED", "ASPIRATIONAL").Default("ASPIRATIONAL").Annotations(entgql.OrderField("KIND")),
		status("DRAFT", "ACTIVE", "GRADED", "CLOSED", "CANCELLED"),
		field.Int("grade_bp").Optional().Nillable().Range(0, 10000).Annotations(entgql.Skip(mixin.Unwritable), mixin.Kind{Value: "bp"}),
		optRef("owner_id"),
		optRef("parent_id"),
	}
}

// Edges of Objective.
func (Objective) Edges() []ent.Edge {
	return []ent.Edge{
		one("portfolio", Portfolio.Type, "objectives", "portfolio_id"),
		maybe("product", Product.Type, "objectives", "product_id"),
		one("cycle", Cycle.Type, "objectives", "cycle_id"),
		points("owner", Person.Type, "owner_id"),
		edge.To("children", Objective.Type).Annotations(entgql.RelayConnection(), entgql.Skip(mixin.Unwritable|entgql.SkipWhereInput)).From("parent").Field("parent_id").Unique().Annotations(entgql.Skip(entgql.SkipWhereInput)),
		many("key_results", KeyResult.Type),
	}
}

// Indexes of Objective.
func (Objective) Indexes() []ent.Index {
	return []ent.Index{listed("name"), sorted("name"), index.Fields("product_id"), index.Fields("cycle_id")}
}
