package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// CustomField defines a field that an organisation adds to one entity. Values live in the
// custom column of the rows.
type CustomField struct{ ent.Schema }

// Mixin of CustomField.
func (CustomField) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "cfd"}, mixin.Archivable{}}
}

// Annotations of CustomField.
func (CustomField) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "custom-fields",
		Icon:   "sliders-horizontal",
		Title:  "name",
		List:   []string{"entity", "code", "name", "kind", "required"},
		Search: []string{"name", "code", "entity"},
		Sort:   "name",
	})
}

// Fields of CustomField.
func (CustomField) Fields() []ent.Field {
	return []ent.Field{
		field.String("entity").NotEmpty().MaxLen(40).Immutable().Annotations(entgql.OrderField("ENTITY")),
		field.String("code").NotEmpty().MaxLen(40).Immutable(),
		name(),
		nameFr(),
		field.Enum("kind").Values("TEXT", "NUMBER", "DATE", "YES_NO", "CHOICE", "LINK").Default("TEXT"),
		field.JSON("choices", []string{}).Optional().Annotations(entgql.Skip(entgql.SkipWhereInput)),
		field.Bool("required").Default(false),
		text("help"),
	}
}

// Indexes of CustomField.
func (CustomField) Indexes() []ent.Index {
	return []ent.Index{index.Fields("entity", "code").Unique()}
}
