package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// Webhook is an address of another system that is told of events. Its secret is kept encrypted; while
// it is being changed the old one signs too.
type Webhook struct{ ent.Schema }

// Mixin of Webhook.
func (Webhook) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "whk"}, mixin.Archivable{}}
}

// Annotations of Webhook.
func (Webhook) Annotations() []schema.Annotation {
	return platform()
}

// Fields of Webhook.
func (Webhook) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(120),
		field.String("url").NotEmpty().MaxLen(2000),
		field.JSON("types", []string{}).Optional(),
		field.String("integration_id").GoType(ident.ID("")).MaxLen(40).Immutable(), // with whose rights it hears
		field.Enum("scheme").Values("HMAC", "ED25519").Default("HMAC").Immutable(),
		field.Bytes("secret").Sensitive(),
		field.Bytes("previous_secret").Optional().Nillable().Sensitive(),
		field.Time("previous_secret_until").Optional().Nillable(),
		field.Bool("active").Default(true),
		line("stopped_because", 300),
		field.Time("failing_since").Optional().Nillable(),
		field.Int64("cursor_tx").Default(0),
		field.String("cursor_id").MaxLen(40).Default(""),
	}
}

// Indexes of Webhook.
func (Webhook) Indexes() []ent.Index {
	return []ent.Index{index.Fields("integration_id")}
}
