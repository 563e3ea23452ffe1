package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Session is one sign-in of one browser. An ended session stays as a tombstone until its
// absolute end, so that no request that began earlier can revive it.
type Session struct{ ent.Schema }

// Mixin of Session.
func (Session) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "ses"}}
}

// Annotations of Session.
func (Session) Annotations() []schema.Annotation {
	return platform()
}

// Fields of Session.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		ref("person_id"),
		field.String("token_hash").NotEmpty().MaxLen(64).Unique().Sensitive(),
		line("issuer", 300),
		line("subject", 300),
		line("sid", 200),
		field.Bytes("refresh_token").Optional().Nillable().Sensitive(),
		field.Bytes("id_token").Optional().Nillable().Sensitive(),
		field.Time("auth_time"),
		field.Time("last_seen_at"),
		field.Time("expires_at").Immutable(),
		field.Time("idp_checked_at"),
		field.Time("ended_at").Optional().Nillable(),
		line("ended_why", 60),
		line("user_agent", 300),
		line("address", 64),
	}
}

// Edges of Session.
func (Session) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("person", Person.Type).Field("person_id").Unique().Required().Immutable(),
	}
}

// Indexes of Session.
func (Session) Indexes() []ent.Index {
	return []ent.Index{index.Fields("person_id"), index.Fields("sid")}
}
