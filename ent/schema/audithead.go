package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"steward/ent/mixin"
)

// AuditHead is the end of the audit's chain, kept apart from the seals so that a
// tail that was cut off is missed. It has one row.
type AuditHead struct{ ent.Schema }

// Annotations of AuditHead.
func (AuditHead) Annotations() []schema.Annotation {
	return platform()
}

// Fields of AuditHead.
func (AuditHead) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").MaxLen(20).Immutable(),
		field.Int64("seal_id"),
		field.String("hash").MaxLen(64),
		field.Time("sealed_at").Default(mixin.Now),
	}
}
