package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// Procurement takes a need to a contract through seven stages: who moves it, by when and for
// how much. Only its moves change the status.
type Procurement struct{ ent.Schema }

// Mixin of Procurement.
func (Procurement) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "prc"}, mixin.Keyed{Prefix: "PR"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Procurement.
func (Procurement) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:    "procurements",
		Icon:    "shopping-cart",
		Title:   "name",
		List:    []string{"key", "name", "product", "method", "status", "estimate", "currency", "award_planned_on", "officer"},
		Search:  []string{"name", "key", "ocid"},
		Sort:    "name",
		Machine: "Procurement",
	})
}

// Fields of Procurement.
func (Procurement) Fields() []ent.Field {
	return []ent.Field{
		ref("portfolio_id"),
		optRef("product_id"),
		name(),
		text("description"),
		field.Enum("method").Values("OPEN", "SELECTIVE", "LIMITED", "DIRECT").Default("OPEN").Annotations(entgql.OrderField("METHOD")),
		field.Enum("category").Values("GOODS", "SERVICES", "WORKS").Default("SERVICES").Annotations(entgql.OrderField("CATEGORY")),
		status("PLANNED", "IN_PREPARATION", "PUBLISHED", "EVALUATION", "RECOMMENDED", "SIGNED_OFF", "AWARDED", "CONTRACTED", "CANCELLED", "UNSUCCESSFUL"),
		field.Time("status_since").Default(mixin.Now).Annotations(entgql.Skip(mixin.Unwritable)),
		amount("estimate"),
		currency(),
		day("publish_planned_on"),
		day("award_planned_on"),
		line("ocid", 120),
		optRef("requester_id"),
		optRef("officer_id"),
		field.String("contract_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable().Annotations(entgql.Skip(mixin.Unwritable)),
	}
}

// Edges of Procurement.
func (Procurement) Edges() []ent.Edge {
	return []ent.Edge{
		one("portfolio", Portfolio.Type, "procurements", "portfolio_id"),
		maybe("product", Product.Type, "procurements", "product_id"),
		points("requester", Person.Type, "requester_id"),
		points("officer", Person.Type, "officer_id"),
		edge.To("contract", Contract.Type).Field("contract_id").Unique().Annotations(entgql.Skip(mixin.Unwritable | entgql.SkipWhereInput)),
	}
}

// Indexes of Procurement.
func (Procurement) Indexes() []ent.Index {
	return []ent.Index{listed("name"), sorted("name"), index.Fields("product_id"), index.Fields("portfolio_id", "status")}
}
