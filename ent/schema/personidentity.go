package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// PersonIdentity connects a person with one account of an identity provider. Only the
// sign-in touches it.
type PersonIdentity struct{ ent.Schema }

// Mixin of PersonIdentity.
func (PersonIdentity) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "pid"}}
}

// Annotations of PersonIdentity.
func (PersonIdentity) Annotations() []schema.Annotation {
	return platform()
}

// Fields of PersonIdentity.
func (PersonIdentity) Fields() []ent.Field {
	return []ent.Field{
		ref("person_id"),
		field.String("issuer").NotEmpty().MaxLen(300).Immutable(),
		field.String("subject").NotEmpty().MaxLen(300).Immutable(),
		field.JSON("roles", []string{}).Optional(),
		field.JSON("unmatched_groups", []string{}).Optional(),
	}
}

// Edges of PersonIdentity.
func (PersonIdentity) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("person", Person.Type).Field("person_id").Unique().Required().Immutable(),
	}
}

// Indexes of PersonIdentity.
func (PersonIdentity) Indexes() []ent.Index {
	return []ent.Index{index.Fields("issuer", "subject").Unique(), index.Fields("person_id")}
}
