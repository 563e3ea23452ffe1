package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// WebhookDelivery is one message to a webhook: what became of it so far.
type WebhookDelivery struct{ ent.Schema }

// Mixin of WebhookDelivery.
func (WebhookDelivery) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "whd"}}
}

// Annotations of WebhookDelivery.
func (WebhookDelivery) Annotations() []schema.Annotation {
	return platform()
}

// Fields of WebhookDelivery.
func (WebhookDelivery) Fields() []ent.Field {
	return []ent.Field{
		field.String("webhook_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		field.String("event_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		field.String("type").MaxLen(80).Default("").Immutable(),
		field.String("subject_id").MaxLen(40).Default("").Immutable(),
		field.Enum("status").Values("WAITING", "DELIVERED", "FAILED", "DROPPED").Default("WAITING"),
		field.Int("attempts").Default(0),
		field.Time("next_at").Default(mixin.Now),
		field.Int("status_code").Default(0),
		line("answer", 500),
		field.Int("millis").Default(0),
		field.Time("ended_at").Optional().Nillable(),
	}
}

// Indexes of WebhookDelivery.
func (WebhookDelivery) Indexes() []ent.Index {
	return []ent.Index{index.Fields("webhook_id", "created_at", "id"), index.Fields("status", "next_at", "id"), index.Fields("webhook_id", "event_id")}
}
