package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// BlobChunk is one part of a blob.
type BlobChunk struct{ ent.Schema }

// Mixin of BlobChunk.
func (BlobChunk) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "blc"}}
}

// Annotations of BlobChunk.
func (BlobChunk) Annotations() []schema.Annotation {
	return platform()
}

// Fields of BlobChunk.
func (BlobChunk) Fields() []ent.Field {
	return []ent.Field{
		field.String("blob_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		field.Int("seq").Immutable(),
		field.Bytes("data").Immutable(),
	}
}

// Indexes of BlobChunk.
func (BlobChunk) Indexes() []ent.Index {
	return []ent.Index{index.Fields("blob_id", "seq").Unique()}
}
