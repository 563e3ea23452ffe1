package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// TagLink marks a record with a tag. It is seen as the record is.
type TagLink struct{ ent.Schema }

// Mixin of TagLink.
func (TagLink) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "tgl"}}
}

// Annotations of TagLink.
func (TagLink) Annotations() []schema.Annotation {
	return platform()
}

// Fields of TagLink.
func (TagLink) Fields() []ent.Field {
	return []ent.Field{
		field.String("subject_type").NotEmpty().MaxLen(40).Immutable(),
		field.String("subject_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		field.String("portfolio_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("product_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("vendor_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("tag_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
	}
}

// Indexes of TagLink.
func (TagLink) Indexes() []ent.Index {
	return []ent.Index{index.Fields("subject_id", "tag_id").Unique(), index.Fields("tag_id", "subject_type")}
}
