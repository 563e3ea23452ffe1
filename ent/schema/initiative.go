package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Initiative is a piece of work with a beginning and an end, what other systems call a
// project: planned and actual dates and costs of one product or portfolio.
type Initiative struct{ ent.Schema }

// Mixin of Initiative.
func (Initiative) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "ini"}, mixin.Keyed{Prefix: "INI"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Initiative.
func (Initiative) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:    "initiatives",
		Icon:    "rocket",
		Title:   "name",
		List:    []string{"key", "name", "product", "kind", "status", "planned", "projected", "actual", "currency", "planned_end_on"},
		Search:  []string{"name", "key"},
		Sort:    "name",
		Machine: "Initiative",
	})
}

// Fields of Initiative.
func (Initiative) Fields() []ent.Field {
	return []ent.Field{
		ref("portfolio_id"),
		optRef("product_id"),
		name(),
		text("summary"),
		field.Enum("kind").Values("MAJOR", "MINOR").Default("MAJOR").Annotations(entgql.OrderField("KIND")),
		status("DRAFT", "SUBMITTED", "SCREENED", "RANKED", "SCHEDULED", "APPROVED", "DECLINED", "PARKED"),
		line("published_status", 120),
		day("start_on"),
		day("planned_end_on"),
		day("projected_end_on"),
		day("actual_end_on"),
		amount("planned"),
		amount("projected"),
		amount("actual"),
		amount("lifecycle_cost"),
		currency(),
		optRef("sponsor_id"),
	}
}

// Edges of Initiative.
func (Initiative) Edges() []ent.Edge {
	return []ent.Edge{
		one("portfolio", Portfolio.Type, "initiatives", "portfolio_id"),
		maybe("product", Product.Type, "initiatives", "product_id"),
		points("sponsor", Person.Type, "sponsor_id"),
	}
}

// Indexes of Initiative.
func (Initiative) Indexes() []ent.Index {
	return []ent.Index{listed("name"), sorted("name"), index.Fields("product_id")}
}
