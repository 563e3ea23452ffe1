package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"steward/ent/mixin"
)

// Setting is what administrators decide at run time and every replica reads: how long things are
// kept, how much may be stored.
type Setting struct{ ent.Schema }

// Mixin of Setting.
func (Setting) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "set"}}
}

// Annotations of Setting.
func (Setting) Annotations() []schema.Annotation {
	return platform()
}

// Fields of Setting.
func (Setting) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(80).Unique().Immutable(),
		field.JSON("value", map[string]any{}).Optional(),
	}
}
