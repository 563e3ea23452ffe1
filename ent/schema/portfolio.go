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

// Portfolio is a set of products managed together: one manager, one fiscal calendar, one
// default currency. A parent groups portfolios and passes on neither rights nor totals.
// Members of the portfolio read it by their role; its manager writes.
type Portfolio struct{ ent.Schema }

// Mixin of Portfolio.
func (Portfolio) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "pfo"}, mixin.Keyed{Prefix: "PF"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of Portfolio.
func (Portfolio) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "portfolios",
		Icon:   "folder",
		Title:  "name",
		List:   []string{"key", "name", "organization", "manager", "default_currency"},
		Search: []string{"name", "name_fr", "key"},
		Sort:   "name",
	})
}

// Fields of Portfolio.
func (Portfolio) Fields() []ent.Field {
	return []ent.Field{
		name(),
		nameFr(),
		text("purpose"),
		field.Int("fiscal_year_start_month").Default(4).Range(1, 12),
		field.String("default_currency").MinLen(3).MaxLen(3).Default("CAD").Annotations(mixin.Currency),
		field.String("time_zone").Default("America/Vancouver").MaxLen(64).Annotations(mixin.Zone),
		optRef("organization_id"),
		optRef("manager_id"),
		optRef("parent_id"),
	}
}

// Edges of Portfolio.
func (Portfolio) Edges() []ent.Edge {
	return []ent.Edge{
		maybe("organization", Organization.Type, "portfolios", "organization_id"),
		points("manager", Person.Type, "manager_id"),
		edge.To("children", Portfolio.Type).Annotations(entgql.RelayConnection(), entgql.Skip(mixin.Unwritable|entgql.SkipWhereInput)).From("parent").Field("parent_id").Unique().Annotations(entgql.Skip(entgql.SkipWhereInput)),
		many("products", Product.Type),
		many("initiatives", Initiative.Type),
		many("contracts", Contract.Type),
		many("budget_plans", BudgetPlan.Type),
		many("procurements", Procurement.Type),
		many("objectives", Objective.Type),
		many("environments", Environment.Type),
		many("fiscal_periods", FiscalPeriod.Type),
	}
}

// Indexes of Portfolio.
func (Portfolio) Indexes() []ent.Index {
	return []ent.Index{index.Fields("name", "id")}
}
