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

// Person is somebody Steward knows: staff, contractor or a vendor's employee. A person
// signs in through a PersonIdentity; an e-mail address identifies nobody. Staff read all,
// partners only people of their own vendor.
type Person struct{ ent.Schema }

// Mixin of Person.
func (Person) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "per"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Person.
func (Person) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "people",
		Icon:   "user",
		Title:  "name",
		List:   []string{"name", "email", "employment", "vendor", "active"},
		Search: []string{"name", "email", "title"},
		Sort:   "name",
	})
}

// Fields of Person.
func (Person) Fields() []ent.Field {
	return []ent.Field{
		name(),
		field.String("email").Default("").MaxLen(320).Annotations(mixin.Email),
		line("title", 200),
		field.Enum("employment").Values("EMPLOYEE", "CONTRACTOR", "VENDOR").Default("EMPLOYEE").Annotations(entgql.OrderField("EMPLOYMENT")),
		field.String("time_zone").Default("America/Vancouver").MaxLen(64).Annotations(mixin.Zone),
		field.Enum("language").Values("en", "fr").Optional().Nillable(), // nil: as the browser asks
		field.Bool("active").Default(true).Annotations(entgql.Skip(mixin.Unwritable)),
		optRef("vendor_id"),
		optRef("manager_id"),
	}
}

// Edges of Person.
func (Person) Edges() []ent.Edge {
	return []ent.Edge{
		maybe("vendor", Vendor.Type, "people", "vendor_id"),
		edge.To("reports", Person.Type).Annotations(entgql.RelayConnection(), entgql.Skip(mixin.Unwritable|entgql.SkipWhereInput)).From("manager").Field("manager_id").Unique().Annotations(entgql.Skip(entgql.SkipWhereInput)),
		many("team_memberships", TeamMembership.Type),
	}
}

// Indexes of Person.
func (Person) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name", "id"), index.Fields("vendor_id")}
}
