package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// StoredDocument is a GraphQL document that a client may send by its hash.
type StoredDocument struct{ ent.Schema }

// Mixin of StoredDocument.
func (StoredDocument) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "gqd"}}
}

// Annotations of StoredDocument.
func (StoredDocument) Annotations() []schema.Annotation {
	return platform()
}

// Fields of StoredDocument.
func (StoredDocument) Fields() []ent.Field {
	return []ent.Field{
		field.String("hash").MinLen(64).MaxLen(64).Unique().Immutable(),
		field.Text("text").NotEmpty().Immutable(),
		line("name", 120),
		field.String("integration_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable().Immutable(),
		field.Time("last_used_at").Optional().Nillable(),
	}
}
