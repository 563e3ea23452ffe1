package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// TeamMembership places a person in a team for a time and a share of their week. Staff read all.
type TeamMembership struct{ ent.Schema }

// Mixin of TeamMembership.
func (TeamMembership) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "tmm"}, mixin.Archivable{}}
}

// Annotations of TeamMembership.
func (TeamMembership) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "team-memberships",
		Icon:   "user-check",
		Title:  "role",
		List:   []string{"team", "person", "role", "share_percent", "from", "until"},
		Search: []string{"role"},
		Sort:   "role",
	})
}

// Fields of TeamMembership.
func (TeamMembership) Fields() []ent.Field {
	return []ent.Field{
		ref("team_id"),
		ref("person_id"),
		field.String("role").NotEmpty().MaxLen(120).Annotations(entgql.OrderField("ROLE")),
		field.Int("share_percent").Default(100).Range(1, 100),
		day("from"),
		day("until"),
	}
}

// Edges of TeamMembership.
func (TeamMembership) Edges() []ent.Edge {
	return []ent.Edge{
		one("team", Team.Type, "memberships", "team_id"),
		one("person", Person.Type, "team_memberships", "person_id"),
	}
}

// Indexes of TeamMembership.
func (TeamMembership) Indexes() []ent.Index {
	return []ent.Index{index.Fields("team_id"), index.Fields("person_id")}
}
