package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// AuditSeal chains the audit: one row for each ChangeEvent in commit order, its hash covering
// the entry and the hash before it. Only the sealing job writes it.
type AuditSeal struct{ ent.Schema }

// Mixin of AuditSeal.
func (AuditSeal) Mixin() []ent.Mixin {
	return nil
}

// Annotations of AuditSeal.
func (AuditSeal) Annotations() []schema.Annotation {
	return platform()
}

// Fields of AuditSeal.
func (AuditSeal) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id").Positive().Immutable(),
		field.String("change_id").GoType(ident.ID("")).MaxLen(40).Unique().Immutable(),
		field.String("hash").MinLen(64).MaxLen(64).Immutable(),
		field.Time("sealed_at").Default(mixin.Now).Immutable(),
	}
}
