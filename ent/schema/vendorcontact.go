package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// VendorContact is whom to call at a vendor, and about what.
type VendorContact struct{ ent.Schema }

// Mixin of VendorContact.
func (VendorContact) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "vct"}, mixin.Archivable{}}
}

// Annotations of VendorContact.
func (VendorContact) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "vendor-contacts",
		Icon:   "contact",
		Title:  "name",
		List:   []string{"name", "vendor", "purpose", "email", "phone"},
		Search: []string{"name", "email", "purpose"},
		Sort:   "name",
	})
}

// Fields of VendorContact.
func (VendorContact) Fields() []ent.Field {
	return []ent.Field{
		ref("vendor_id"),
		name(),
		line("purpose", 200),
		field.String("email").Default("").MaxLen(320).Annotations(mixin.Email),
		line("phone", 60),
	}
}

// Edges of VendorContact.
func (VendorContact) Edges() []ent.Edge {
	return []ent.Edge{
		one("vendor", Vendor.Type, "contacts", "vendor_id"),
	}
}

// Indexes of VendorContact.
func (VendorContact) Indexes() []ent.Index {
	return []ent.Index{index.Fields("vendor_id", "name", "id")}
}
