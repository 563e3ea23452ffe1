package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Capability is something a component can do for a product, such as "e-mail" or "forms".
// Capabilities form a tree. Staff read all.
type Capability struct{ ent.Schema }

// Mixin of Capability.
func (Capability) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "cap"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Capability.
func (Capability) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "capabilities",
		Icon:   "sparkles",
		Title:  "name",
		List:   []string{"name", "parent"},
		Search: []string{"name", "name_fr", "description"},
		Sort:   "name",
	})
}

// Fields of Capability.
func (Capability) Fields() []ent.Field {
	return []ent.Field{
		name(),
		nameFr(),
		text("description"),
		optRef("parent_id"),
	}
}

// Edges of Capability.
func (Capability) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("children", Capability.Type).Annotations(entgql.RelayConnection(), entgql.Skip(mixin.Unwritable|entgql.SkipWhereInput)).From("parent").Field("parent_id").Unique().Annotations(entgql.Skip(entgql.SkipWhereInput)),
		linked("components", Component.Type, "capabilities"),
	}
}

// Indexes of Capability.
func (Capability) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name", "id")}
}
