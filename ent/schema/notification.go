package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// Notification tells one person of something: a message of the catalogue with what to put into it, so
// that each reads it in their language, and where to look.
type Notification struct{ ent.Schema }

// Mixin of Notification.
func (Notification) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "ntf"}}
}

// Annotations of Notification.
func (Notification) Annotations() []schema.Annotation {
	return platform()
}

// Fields of Notification.
func (Notification) Fields() []ent.Field {
	return []ent.Field{
		field.String("person_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		field.String("message").NotEmpty().MaxLen(80).Immutable(),
		field.JSON("args", map[string]any{}).Optional().Immutable(),
		field.String("href").MaxLen(2000).Default("").Immutable(),
		field.String("unique_key").MaxLen(200).Optional().Nillable().Immutable(), // the same thing is told once
		field.Time("read_at").Optional().Nillable(),
	}
}

// Indexes of Notification.
func (Notification) Indexes() []ent.Index {
	return []ent.Index{index.Fields("person_id", "created_at", "id"), index.Fields("person_id", "unique_key").Unique()}
}
