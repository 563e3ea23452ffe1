package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// ClientAccount is an organisation that uses our products. Its risk decides which stage of a
// product it may be served from. Staff read all.
type ClientAccount struct{ ent.Schema }

// Mixin of ClientAccount.
func (ClientAccount) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "cli"}, mixin.Keyed{Prefix: "CL"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of ClientAccount.
func (ClientAccount) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "clients",
		Icon:   "handshake",
		Title:  "name",
		List:   []string{"key", "name", "organization", "risk", "live_on"},
		Search: []string{"name", "name_fr", "key"},
		Sort:   "name",
	})
}

// Fields of ClientAccount.
func (ClientAccount) Fields() []ent.Field {
	return []ent.Field{
		name(),
		nameFr(),
		field.Enum("risk").Values("LOW", "HIGH").Default("LOW").Annotations(entgql.OrderField("RISK")),
		day("live_on"),
		line("contact", 300),
		text("note"),
		optRef("organization_id"),
	}
}

// Edges of ClientAccount.
func (ClientAccount) Edges() []ent.Edge {
	return []ent.Edge{
		maybe("organization", Organization.Type, "clients", "organization_id"),
		linked("products", Product.Type, "clients"),
	}
}

// Indexes of ClientAccount.
func (ClientAccount) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name", "id")}
}
