package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Environment is a place a product runs in: development, test, production and so on, with one
// owner and, where a partner runs it, one vendor.
type Environment struct{ ent.Schema }

// Mixin of Environment.
func (Environment) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "env"}, mixin.Keyed{Prefix: "ENV"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Environment.
func (Environment) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "environments",
		Icon:   "server",
		Title:  "name",
		List:   []string{"key", "name", "product", "kind", "region", "vendor", "owner"},
		Search: []string{"name", "key", "region"},
		Sort:   "name",
	})
}

// Fields of Environment.
func (Environment) Fields() []ent.Field {
	return []ent.Field{
		ref("portfolio_id"),
		optRef("product_id"),
		optRef("vendor_id"),
		name(),
		field.Enum("kind").Values("DEV", "TEST", "TRAINING", "PREPROD", "PROD", "SHADOW").Default("DEV").Annotations(entgql.OrderField("KIND")),
		line("region", 120),
		field.String("url").Default("").MaxLen(500).Annotations(mixin.URL),
		field.Bool("blue_green").Default(false),
		field.Enum("active_slot").Values("BLUE", "GREEN").Optional().Nillable(),
		line("onboarding_status", 60),
		optRef("owner_id"),
	}
}

// Edges of Environment.
func (Environment) Edges() []ent.Edge {
	return []ent.Edge{
		one("portfolio", Portfolio.Type, "environments", "portfolio_id"),
		maybe("product", Product.Type, "environments", "product_id"),
		maybe("vendor", Vendor.Type, "environments", "vendor_id"),
		points("owner", Person.Type, "owner_id"),
	}
}

// Indexes of Environment.
func (Environment) Indexes() []ent.Index {
	return []ent.Index{listed("name"), sorted("name"), index.Fields("product_id"), index.Fields("vendor_id")}
}
