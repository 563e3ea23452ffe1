package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Team is a group of people that builds, runs or supports products. A membership of a
// team reaches the products it is accountable for. Staff read all.
type Team struct{ ent.Schema }

// Mixin of Team.
func (Team) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "tea"}, mixin.Keyed{Prefix: "TM"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Team.
func (Team) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "teams",
		Icon:   "users",
		Title:  "name",
		List:   []string{"key", "name", "kind", "duties"},
		Search: []string{"name", "name_fr", "key"},
		Sort:   "name",
	})
}

// Fields of Team.
func (Team) Fields() []ent.Field {
	return []ent.Field{
		name(),
		nameFr(),
		field.Enum("kind").Values("DELIVERY", "MAINTENANCE", "SUPPORT", "PLATFORM", "VENDOR").Default("DELIVERY").Annotations(entgql.OrderField("KIND")),
		line("duties", 60),
		text("purpose"),
	}
}

// Edges of Team.
func (Team) Edges() []ent.Edge {
	return []ent.Edge{
		many("memberships", TeamMembership.Type),
		many("products", Product.Type),
		many("components", Component.Type),
	}
}

// Indexes of Team.
func (Team) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name", "id")}
}
