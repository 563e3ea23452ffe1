package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// RoleGrant gives a person a role inside Steward, besides those the identity provider names.
// It has a reason and may end. Nobody grants anything to themselves.
type RoleGrant struct{ ent.Schema }

// Mixin of RoleGrant.
func (RoleGrant) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "rgr"}, mixin.Archivable{}}
}

// Annotations of RoleGrant.
func (RoleGrant) Annotations() []schema.Annotation {
	return platform()
}

// Fields of RoleGrant.
func (RoleGrant) Fields() []ent.Field {
	return []ent.Field{
		ref("person_id"),
		field.String("role").NotEmpty().MaxLen(60).Immutable(),
		line("reason", 500),
		field.Time("until").Optional().Nillable(),
	}
}

// Edges of RoleGrant.
func (RoleGrant) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("person", Person.Type).Field("person_id").Unique().Required().Immutable(),
	}
}

// Indexes of RoleGrant.
func (RoleGrant) Indexes() []ent.Index {
	return []ent.Index{index.Fields("person_id")}
}
