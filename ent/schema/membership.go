package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// Membership makes a person a member of one portfolio, product, vendor or team, or of all.
// Rows of source IDP are replaced at each sign-in; rows of source APP were granted here.
type Membership struct{ ent.Schema }

// Mixin of Membership.
func (Membership) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "mem"}, mixin.Archivable{}}
}

// Annotations of Membership.
func (Membership) Annotations() []schema.Annotation {
	return platform()
}

// Fields of Membership.
func (Membership) Fields() []ent.Field {
	return []ent.Field{
		ref("person_id"),
		field.Enum("scope").Values("PORTFOLIO", "PRODUCT", "VENDOR", "TEAM", "ALL").Immutable(),
		field.String("scope_id").GoType(ident.ID("")).MaxLen(40).Default("").Immutable(),
		field.Enum("level").Values("VIEWER", "CONTRIBUTOR", "OWNER", "MANAGER", "PARTNER"),
		field.Enum("granted_by").Values("IDP", "APP").Default("APP").Immutable(),
		line("reason", 500),
		field.Time("until").Optional().Nillable(),
	}
}

// Edges of Membership.
func (Membership) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("person", Person.Type).Field("person_id").Unique().Required().Immutable(),
	}
}

// Indexes of Membership.
func (Membership) Indexes() []ent.Index {
	return []ent.Index{index.Fields("person_id"), index.Fields("scope", "scope_id")}
}
