package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"steward/ent/mixin"
)

// UndoEntry is the right to take one change back: by its actor, within thirty days, once.
type UndoEntry struct{ ent.Schema }

// Mixin of UndoEntry.
func (UndoEntry) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "und"}}
}

// Annotations of UndoEntry.
func (UndoEntry) Annotations() []schema.Annotation {
	return platform()
}

// Fields of UndoEntry.
func (UndoEntry) Fields() []ent.Field {
	return []ent.Field{
		field.String("token_hash").MinLen(64).MaxLen(64).Unique().Immutable().Sensitive(),
		field.String("change_set").NotEmpty().MaxLen(40).Immutable(),
		field.String("actor_id").MaxLen(40).Default("").Immutable(),
		field.Time("expires_at").Immutable(),
		field.Time("used_at").Optional().Nillable(),
	}
}
