package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Blob is the content of an uploaded file, in chunks that the database keeps, so that it is where
// the rest is: in every replica's reach and in one backup. A store elsewhere would keep the same
// row and no chunks.
type Blob struct{ ent.Schema }

// Mixin of Blob.
func (Blob) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "blb"}}
}

// Annotations of Blob.
func (Blob) Annotations() []schema.Annotation {
	return platform()
}

// Fields of Blob.
func (Blob) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("size").Default(0),
		field.String("sha256").MaxLen(64).Default(""),
		field.Bool("complete").Default(false), // all chunks are there
	}
}

// Indexes of Blob.
func (Blob) Indexes() []ent.Index {
	return []ent.Index{index.Fields("complete", "created_at")}
}
