package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Organization is a ministry, agency, division or outside body: the owner of portfolios and the
// home of clients. It may have a parent; parents form no cycle. Staff read all of them,
// portfolio managers and intake reviewers write.
type Organization struct{ ent.Schema }

// Mixin of Organization.
func (Organization) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "org"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Organization.
func (Organization) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "organizations",
		Icon:   "landmark",
		Title:  "name",
		List:   []string{"name", "code", "kind", "parent"},
		Search: []string{"name", "name_fr", "code"},
		Sort:   "name",
	})
}

// Fields of Organization.
func (Organization) Fields() []ent.Field {
	return []ent.Field{
		name(),
		nameFr(),
		line("code", 60),
		field.Enum("kind").Values("MINISTRY", "AGENCY", "DIVISION", "EXTERNAL").Default("MINISTRY").Annotations(entgql.OrderField("KIND")),
		optRef("parent_id"),
	}
}

// Edges of Organization.
func (Organization) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("units", Organization.Type).Annotations(entgql.RelayConnection(), entgql.Skip(mixin.Unwritable|entgql.SkipWhereInput)).From("parent").Field("parent_id").Unique().Annotations(entgql.Skip(entgql.SkipWhereInput)),
		many("portfolios", Portfolio.Type),
		many("clients", ClientAccount.Type),
	}
}

// Indexes of Organization.
func (Organization) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name", "id")}
}
