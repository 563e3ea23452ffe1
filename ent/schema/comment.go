package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// Comment is a remark on a record. Whoever may read the record reads it and may add one;
// its author may change it for fifteen minutes. The verbs of area/comment write it.
type Comment struct{ ent.Schema }

// Mixin of Comment.
func (Comment) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "com"}, mixin.Archivable{}}
}

// Annotations of Comment.
func (Comment) Annotations() []schema.Annotation {
	return platform()
}

// Fields of Comment.
func (Comment) Fields() []ent.Field {
	return []ent.Field{
		field.String("subject_type").NotEmpty().MaxLen(40).Immutable(),
		field.String("subject_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		field.String("portfolio_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("product_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("vendor_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("author_id").GoType(ident.ID("")).MaxLen(40).Default("").Immutable(),
		field.String("author_name").MaxLen(300).Default("").Immutable(),
		field.Text("body").NotEmpty().MaxLen(20000),
	}
}

// Indexes of Comment.
func (Comment) Indexes() []ent.Index {
	return []ent.Index{index.Fields("subject_id", "created_at", "id")}
}
