package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/civil"
)

// Product is a digital product or service run for clients: it has one accountable team,
// an owner and a stage between idea and retirement. Members of the portfolio read it,
// its owner and the portfolio manager write; only a decided move changes the stage.
type Product struct{ ent.Schema }

// Mixin of Product.
func (Product) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "prd"}, mixin.Keyed{Prefix: "PRD"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Product.
func (Product) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:    "products",
		Icon:    "box",
		Title:   "name",
		List:    []string{"key", "name", "portfolio", "stage", "criticality", "owner", "team"},
		Search:  []string{"name", "name_fr", "key", "summary"},
		Sort:    "name",
		Machine: "ProductStage",
	})
}

// Fields of Product.
func (Product) Fields() []ent.Field {
	return []ent.Field{
		ref("portfolio_id"),
		name(),
		nameFr(),
		text("summary"),
		text("summary_fr"),
		state("stage", "STAGE", "IDEA", "PROOF_OF_CONCEPT", "PILOT", "PRODUCTION", "ENTERPRISE", "RETIRING", "RETIRED", "UNKNOWN"),
		field.Time("stage_since").GoType(civil.Date{}).SchemaType(mixin.DateColumn).Optional().Nillable().Annotations(entgql.Type("Date"), entgql.Skip(mixin.Unwritable)),
		field.Enum("criticality").Values("LOW", "MEDIUM", "HIGH", "MISSION").Optional().Nillable(),
		field.Bool("public").Default(false),
		field.Enum("time_class").Values("TOLERATE", "INVEST", "MIGRATE", "ELIMINATE").Optional().Nillable(),
		day("launched_on"),
		day("retired_on"),
		optRef("team_id"),
		optRef("owner_id"),
		optRef("sponsor_id"),
	}
}

// Edges of Product.
func (Product) Edges() []ent.Edge {
	return []ent.Edge{
		one("portfolio", Portfolio.Type, "products", "portfolio_id"),
		maybe("team", Team.Type, "products", "team_id"),
		points("owner", Person.Type, "owner_id"),
		points("sponsor", Person.Type, "sponsor_id"),
		links("components", Component.Type, "product_components", "product_id", "component_id"),
		links("clients", ClientAccount.Type, "product_clients", "product_id", "client_account_id"),
		many("initiatives", Initiative.Type),
		many("environments", Environment.Type),
		many("budget_plans", BudgetPlan.Type),
		many("procurements", Procurement.Type),
		many("objectives", Objective.Type),
		linked("contracts", Contract.Type, "products"),
	}
}

// Indexes of Product.
func (Product) Indexes() []ent.Index {
	return []ent.Index{listed("name"), sorted("name"), index.Fields("team_id")}
}
