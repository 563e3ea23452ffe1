package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// Attachment is a file on a record. Whoever may read the record may fetch it, asked each time; who
// may write the record may add one.
type Attachment struct{ ent.Schema }

// Mixin of Attachment.
func (Attachment) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "att"}, mixin.Archivable{}}
}

// Annotations of Attachment.
func (Attachment) Annotations() []schema.Annotation {
	return platform()
}

// Fields of Attachment.
func (Attachment) Fields() []ent.Field {
	return []ent.Field{
		field.String("subject_type").NotEmpty().MaxLen(40).Immutable(),
		field.String("subject_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		field.String("portfolio_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("product_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("vendor_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("blob_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		field.String("name").NotEmpty().MaxLen(255).Immutable(),
		field.String("media_type").NotEmpty().MaxLen(120).Immutable(),
		field.Int64("size").Immutable(),
		field.Enum("status").Values("HELD", "READY", "QUARANTINED").Default("HELD"), // held until the scanner has answered
		line("finding", 200),
		field.String("actor_name").MaxLen(300).Default("").Immutable(),
	}
}

// Indexes of Attachment.
func (Attachment) Indexes() []ent.Index {
	return []ent.Index{index.Fields("subject_id", "created_at", "id"), index.Fields("portfolio_id", "size"), index.Fields("blob_id")}
}
