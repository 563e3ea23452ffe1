package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// SavedView is a list as somebody arranged it: filters, columns, order. It is its owner's own, or
// shared with a team, or what a role sees first.
type SavedView struct{ ent.Schema }

// Mixin of SavedView.
func (SavedView) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "svw"}, mixin.Archivable{}}
}

// Annotations of SavedView.
func (SavedView) Annotations() []schema.Annotation {
	return platform()
}

// Fields of SavedView.
func (SavedView) Fields() []ent.Field {
	return []ent.Field{
		field.String("entity").NotEmpty().MaxLen(40).Immutable(),
		field.String("name").NotEmpty().MaxLen(120),
		field.String("query").MaxLen(4000).Default(""),
		field.Enum("shared").Values("PRIVATE", "TEAM", "ROLE").Default("PRIVATE"),
		field.String("team_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		line("role", 60),
		field.Bool("alert").Default(false),
		field.Int("alert_count").Optional().Nillable(),
		field.Int("position").Default(0),
		field.String("person_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
	}
}

// Indexes of SavedView.
func (SavedView) Indexes() []ent.Index {
	return []ent.Index{index.Fields("entity", "person_id"), index.Fields("entity", "shared")}
}
