package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Tag is a word that records can be marked with. Staff read all; portfolio managers keep
// the list short.
type Tag struct{ ent.Schema }

// Mixin of Tag.
func (Tag) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "tag"}, mixin.Archivable{}}
}

// Annotations of Tag.
func (Tag) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "tags",
		Icon:   "tag",
		Title:  "name",
		List:   []string{"name", "tone", "description"},
		Search: []string{"name", "name_fr", "description"},
		Sort:   "name",
	})
}

// Fields of Tag.
func (Tag) Fields() []ent.Field {
	return []ent.Field{
		name(),
		nameFr(),
		field.Enum("tone").Values("NEUTRAL", "BLUE", "GREEN", "ORANGE", "RED", "VIOLET").Default("NEUTRAL"),
		text("description"),
	}
}

// Indexes of Tag.
func (Tag) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name").Unique()}
}
