package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// IdempotencyKey remembers the answer to a write, so that a repeated request gets the same
// answer and changes nothing.
type IdempotencyKey struct{ ent.Schema }

// Mixin of IdempotencyKey.
func (IdempotencyKey) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "idk"}}
}

// Annotations of IdempotencyKey.
func (IdempotencyKey) Annotations() []schema.Annotation {
	return platform()
}

// Fields of IdempotencyKey.
func (IdempotencyKey) Fields() []ent.Field {
	return []ent.Field{
		field.String("owner").NotEmpty().MaxLen(60).Immutable(),
		field.String("idempotency_key").NotEmpty().MaxLen(200).Immutable(),
		field.String("request_hash").MaxLen(64).Immutable(),
		field.Text("response").Default(""),
	}
}

// Indexes of IdempotencyKey.
func (IdempotencyKey) Indexes() []ent.Index {
	return []ent.Index{index.Fields("owner", "idempotency_key").Unique(), index.Fields("created_at")}
}
