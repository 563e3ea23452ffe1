package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// Vendor is a company that sells to us or runs something for us. Staff read all; its own
// partner users read it and nothing of other vendors.
type Vendor struct{ ent.Schema }

// Mixin of Vendor.
func (Vendor) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "vnd"}, mixin.Keyed{Prefix: "VN"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Vendor.
func (Vendor) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "vendors",
		Icon:   "building",
		Title:  "name",
		List:   []string{"key", "name", "status", "risk", "website"},
		Search: []string{"name", "key", "registration_id"},
		Sort:   "name",
	})
}

// Fields of Vendor.
func (Vendor) Fields() []ent.Field {
	return []ent.Field{
		name(),
		field.String("name_norm").Default("").MaxLen(300).Annotations(mixin.Hidden, entgql.Skip(entgql.SkipAll)),
		line("registration_id", 120),
		field.Enum("status").Values("PROSPECT", "SHORTLISTED", "ACTIVE", "SUSPENDED", "EXITED").Default("ACTIVE").Annotations(entgql.OrderField("STATUS")),
		field.Enum("risk").Values("LOW", "MEDIUM", "HIGH").Optional().Nillable(),
		field.String("website").Default("").MaxLen(500).Annotations(mixin.URL),
		text("note"),
	}
}

// Edges of Vendor.
func (Vendor) Edges() []ent.Edge {
	return []ent.Edge{
		many("contacts", VendorContact.Type),
		many("contracts", Contract.Type),
		many("people", Person.Type),
		many("environments", Environment.Type),
	}
}

// Indexes of Vendor.
func (Vendor) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name", "id"), index.Fields("name_norm")}
}
