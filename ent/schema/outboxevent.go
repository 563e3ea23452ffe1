package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// OutboxEvent is a fact for other systems, written in the transaction of the change and
// delivered afterwards in commit order.
type OutboxEvent struct{ ent.Schema }

// Mixin of OutboxEvent.
func (OutboxEvent) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "obx"}}
}

// Annotations of OutboxEvent.
func (OutboxEvent) Annotations() []schema.Annotation {
	return platform()
}

// Fields of OutboxEvent.
func (OutboxEvent) Fields() []ent.Field {
	return []ent.Field{
		field.String("type").NotEmpty().MaxLen(80).Immutable(),
		field.String("subject_type").MaxLen(40).Default("").Immutable(),
		field.String("subject_id").MaxLen(40).Default("").Immutable(),
		field.String("portfolio_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable().Immutable(),
		field.String("change_set").MaxLen(40).Default("").Immutable(),
		field.JSON("payload", map[string]any{}).Optional(),
		field.Int64("tx_id").Optional().Annotations(entsql.DefaultExprs(txID)),
	}
}

// Indexes of OutboxEvent.
func (OutboxEvent) Indexes() []ent.Index {
	return []ent.Index{index.Fields("tx_id", "id")}
}
