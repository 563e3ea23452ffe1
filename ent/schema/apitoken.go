package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// ApiToken is a secret with which a script acts for a person or an integration, never beyond
// the owner's present rights. Only its hash is kept.
type ApiToken struct{ ent.Schema }

// Mixin of ApiToken.
func (ApiToken) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "tok"}}
}

// Annotations of ApiToken.
func (ApiToken) Annotations() []schema.Annotation {
	return platform()
}

// Fields of ApiToken.
func (ApiToken) Fields() []ent.Field {
	return []ent.Field{
		line("name", 120),
		field.String("token_hash").NotEmpty().MaxLen(64).Unique().Immutable().Sensitive(),
		field.String("hint").MaxLen(16).Default("").Immutable(),
		field.JSON("roles", []string{}).Optional(),
		field.JSON("portfolios", []string{}).Optional(),
		field.Bool("all_portfolios").Default(false).Immutable(),
		field.Time("expires_at").Immutable(),
		field.Time("last_used_at").Optional().Nillable(),
		field.Time("revoked_at").Optional().Nillable(),
		optRef("person_id"),
		optRef("integration_id"),
	}
}

// Edges of ApiToken.
func (ApiToken) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("person", Person.Type).Field("person_id").Unique(),
		edge.To("integration", Integration.Type).Field("integration_id").Unique(),
	}
}

// Indexes of ApiToken.
func (ApiToken) Indexes() []ent.Index {
	return []ent.Index{index.Fields("person_id"), index.Fields("integration_id")}
}
