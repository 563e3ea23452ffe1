package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
)

// KeyCounter numbers the human keys of one type. The row is locked while a number is taken.
type KeyCounter struct{ ent.Schema }

// Mixin of KeyCounter.
func (KeyCounter) Mixin() []ent.Mixin {
	return nil
}

// Annotations of KeyCounter.
func (KeyCounter) Annotations() []schema.Annotation {
	return platform()
}

// Fields of KeyCounter.
func (KeyCounter) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(20).Immutable(),
		field.Int64("next").Default(1),
	}
}
