package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Dependency says that a product or component relies on, serves or exchanges data with
// another component or an outside organisation, and how badly it would miss it. Staff read all.
type Dependency struct{ ent.Schema }

// Mixin of Dependency.
func (Dependency) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "dep"}, mixin.Archivable{}}
}

// Annotations of Dependency.
func (Dependency) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "dependencies",
		Icon:   "workflow",
		Title:  "name",
		List:   []string{"name", "product", "component", "direction", "strength", "on_component", "organization"},
		Search: []string{"name", "description"},
		Sort:   "name",
	})
}

// Fields of Dependency.
func (Dependency) Fields() []ent.Field {
	return []ent.Field{
		name(),
		text("description"),
		field.Enum("direction").Values("UPSTREAM", "DOWNSTREAM", "EXCHANGE").Default("UPSTREAM").Annotations(entgql.OrderField("DIRECTION")),
		field.Enum("strength").Values("HARD", "SOFT").Default("HARD").Annotations(entgql.OrderField("STRENGTH")),
		line("contact", 300),
		optRef("product_id"),
		optRef("component_id"),
		optRef("on_component_id"),
		optRef("organization_id"),
	}
}

// Edges of Dependency.
func (Dependency) Edges() []ent.Edge {
	return []ent.Edge{
		points("product", Product.Type, "product_id"),
		points("component", Component.Type, "component_id"),
		points("on_component", Component.Type, "on_component_id"),
		points("organization", Organization.Type, "organization_id"),
	}
}

// Indexes of Dependency.
func (Dependency) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name", "id"), index.Fields("product_id")}
}
