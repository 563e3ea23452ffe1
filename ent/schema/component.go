package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Component is a part that products are assembled from: a service, library, database or
// exchange, ours or somebody else's. Parts may have parts, without cycles. Staff read all.
type Component struct{ ent.Schema }

// Mixin of Component.
func (Component) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "cmp"}, mixin.Keyed{Prefix: "CMP"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Component.
func (Component) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "components",
		Icon:   "puzzle",
		Title:  "name",
		List:   []string{"key", "name", "kind", "lifecycle", "support_ends_on"},
		Search: []string{"name", "key", "summary"},
		Sort:   "name",
	})
}

// Fields of Component.
func (Component) Fields() []ent.Field {
	return []ent.Field{
		name(),
		nameFr(),
		text("summary"),
		field.Enum("kind").Values("SERVICE", "LIBRARY", "DATABASE", "INFRASTRUCTURE", "DATA_EXCHANGE", "EXTERNAL").Default("SERVICE").Annotations(entgql.OrderField("KIND")),
		field.Enum("lifecycle").Values("EXPERIMENTAL", "PRODUCTION", "DEPRECATED").Default("EXPERIMENTAL").Annotations(entgql.OrderField("LIFECYCLE")),
		field.String("repo_url").Default("").MaxLen(500).Annotations(mixin.URL),
		line("release", 60),
		day("support_ends_on"),
		optRef("team_id"),
	}
}

// Edges of Component.
func (Component) Edges() []ent.Edge {
	return []ent.Edge{
		maybe("team", Team.Type, "components", "team_id"),
		links("capabilities", Capability.Type, "component_capabilities", "component_id", "capability_id"),
		links("parts", Component.Type, "component_parts", "component_id", "part_id"),
		linked("part_of", Component.Type, "parts"),
		linked("products", Product.Type, "components"),
	}
}

// Indexes of Component.
func (Component) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name", "id")}
}
