package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// CalendarFeed is an address at which a calendar program reads dates with one person's rights. Only
// the hash of its token is kept.
type CalendarFeed struct{ ent.Schema }

// Mixin of CalendarFeed.
func (CalendarFeed) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "cal"}}
}

// Annotations of CalendarFeed.
func (CalendarFeed) Annotations() []schema.Annotation {
	return platform()
}

// Fields of CalendarFeed.
func (CalendarFeed) Fields() []ent.Field {
	return []ent.Field{
		field.String("person_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		line("name", 120),
		field.JSON("kinds", []string{}).Optional(),
		field.String("token_hash").NotEmpty().MaxLen(64).Unique().Immutable().Sensitive(),
		field.String("hint").MaxLen(16).Default("").Immutable(),
		field.String("language").MaxLen(5).Default("en").Immutable(),
		field.Time("last_used_at").Optional().Nillable(),
		field.Time("revoked_at").Optional().Nillable(),
	}
}

// Indexes of CalendarFeed.
func (CalendarFeed) Indexes() []ent.Index {
	return []ent.Index{index.Fields("person_id")}
}
