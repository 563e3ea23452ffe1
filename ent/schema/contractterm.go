package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
)

// ContractTerm is one stretch of a contract at one price. Renewing adds a term and keeps the
// ones before it.
type ContractTerm struct{ ent.Schema }

// Mixin of ContractTerm.
func (ContractTerm) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "ctt"}, mixin.Archivable{}}
}

// Annotations of ContractTerm.
func (ContractTerm) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:    "contract-terms",
		Icon:    "calendar-range",
		Title:   "name",
		List:    []string{"contract", "name", "from", "until", "price", "ended_reason"},
		Search:  []string{"name", "ended_reason"},
		Sort:    "name",
		Parent:  "contract",
		Inherit: []string{"portfolio_id", "vendor_id"},
		Via:     &mixin.Via{Table: "contract_products", Row: "contract_id", Product: "product_id", Column: "contract_id"},
	})
}

// Fields of ContractTerm.
func (ContractTerm) Fields() []ent.Field {
	return []ent.Field{
		ref("contract_id"),
		inherited("portfolio_id", false),
		inherited("vendor_id", true),
		name(),
		day("from"),
		day("until"),
		amount("price"),
		currency(),
		line("ended_reason", 200),
	}
}

// Edges of ContractTerm.
func (ContractTerm) Edges() []ent.Edge {
	return []ent.Edge{
		one("contract", Contract.Type, "terms", "contract_id"),
	}
}

// Indexes of ContractTerm.
func (ContractTerm) Indexes() []ent.Index {
	return []ent.Index{listed("name"), sorted("name"), index.Fields("contract_id")}
}
