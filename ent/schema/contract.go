package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/civil"
)

// Contract is an agreement with a vendor: what it covers, what it is worth, when it ends and
// by when that must be decided. Members of the portfolio and of the products it covers read
// it; its vendor's partners read their own. After approval its money and dates are fixed.
type Contract struct{ ent.Schema }

// Mixin of Contract.
func (Contract) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "ctr"}, mixin.Keyed{Prefix: "CT"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Contract.
func (Contract) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:    "contracts",
		Icon:    "file-text",
		Title:   "name",
		List:    []string{"key", "name", "vendor", "status", "value", "currency", "end_on", "decide_by_on"},
		Search:  []string{"name", "key", "reference"},
		Sort:    "name",
		Machine: "Contract",
		Via:     &mixin.Via{Table: "contract_products", Row: "contract_id", Product: "product_id", Column: "id"},
	})
}

// Fields of Contract.
func (Contract) Fields() []ent.Field {
	return []ent.Field{
		ref("portfolio_id"),
		optRef("vendor_id"),
		name(),
		line("reference", 200),
		line("framework_reference", 200),
		optRef("framework_id"),
		field.Enum("kind").Values("SUPPORT", "LICENCE", "SERVICES", "HARDWARE", "CLOUD", "OTHER").Default("SUPPORT").Annotations(entgql.OrderField("KIND")),
		status("DRAFT", "UNDER_REVIEW", "APPROVED", "RENEWED", "SUSPENDED", "TERMINATED"),
		line("published_status", 120),
		line("pricing_model", 120),
		line("competed", 60),
		text("description"),
		amount("value"),
		amount("ceiling"),
		currency(),
		day("start_on"),
		field.Int("initial_months").Optional().Nillable().NonNegative(),
		day("end_on"),
		field.Enum("renewal_mode").Values("NONE", "EXPRESS", "TACIT").Default("NONE"),
		field.Int("renewal_months").Optional().Nillable().Positive(),
		field.Int("notice_months").Default(0).NonNegative(),
		field.Int("decision_lead_days").Default(30).NonNegative(),
		field.Time("notice_by_on").GoType(civil.Date{}).SchemaType(mixin.DateColumn).Optional().Nillable().Annotations(entgql.Type("Date"), entgql.Skip(mixin.Unwritable)),
		field.Time("decide_by_on").GoType(civil.Date{}).SchemaType(mixin.DateColumn).Optional().Nillable().Annotations(entgql.Type("Date"), entgql.Skip(mixin.Unwritable)),
		line("support_hours", 200),
	}
}

// Edges of Contract.
func (Contract) Edges() []ent.Edge {
	return []ent.Edge{
		one("portfolio", Portfolio.Type, "contracts", "portfolio_id"),
		maybe("vendor", Vendor.Type, "contracts", "vendor_id"),
		edge.To("call_offs", Contract.Type).Annotations(entgql.RelayConnection(), entgql.Skip(mixin.Unwritable|entgql.SkipWhereInput)).From("framework").Field("framework_id").Unique().Annotations(entgql.Skip(entgql.SkipWhereInput)),
		links("products", Product.Type, "contract_products", "contract_id", "product_id"),
		many("terms", ContractTerm.Type),
		many("budget_lines", BudgetLine.Type),
	}
}

// Indexes of Contract.
func (Contract) Indexes() []ent.Index {
	return []ent.Index{listed("name"), sorted("name"), index.Fields("vendor_id"), index.Fields("portfolio_id", "decide_by_on"), index.Fields("reference")}
}
