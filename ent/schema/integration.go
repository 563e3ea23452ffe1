package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"steward/ent/mixin"
)

// Integration is another system that reads or writes through GraphQL: what it may do and in
// which portfolios. Its client id is the azp of its access tokens.
type Integration struct{ ent.Schema }

// Mixin of Integration.
func (Integration) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "int"}, mixin.Archivable{}}
}

// Annotations of Integration.
func (Integration) Annotations() []schema.Annotation {
	return platform()
}

// Fields of Integration.
func (Integration) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(120).Unique(),
		field.String("client_id").Optional().Nillable().MaxLen(200).Unique(),
		text("purpose"),
		line("contact", 300),
		field.JSON("roles", []string{}).Optional(),
		field.JSON("portfolios", []string{}).Optional(),
		field.Bool("active").Default(true),
		field.Time("expires_at").Optional().Nillable(),
		field.Time("last_used_at").Optional().Nillable(),
		optRef("owner_id"),
	}
}

// Edges of Integration.
func (Integration) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("owner", Person.Type).Field("owner_id").Unique(),
	}
}
