package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// HeaderMapping remembers which column of a source's files is which field, so that the next file of
// the same shape is read without asking.
type HeaderMapping struct{ ent.Schema }

// Mixin of HeaderMapping.
func (HeaderMapping) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "hdm"}}
}

// Annotations of HeaderMapping.
func (HeaderMapping) Annotations() []schema.Annotation {
	return platform()
}

// Fields of HeaderMapping.
func (HeaderMapping) Fields() []ent.Field {
	return []ent.Field{
		field.String("format").NotEmpty().MaxLen(60).Immutable(),
		field.String("shape").NotEmpty().MaxLen(64).Immutable(), // a hash of the header line
		field.JSON("mapping", map[string]string{}).Optional(),
		field.String("actor_name").MaxLen(300).Default(""),
	}
}

// Indexes of HeaderMapping.
func (HeaderMapping) Indexes() []ent.Index {
	return []ent.Index{index.Fields("format", "shape").Unique()}
}
