package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// BudgetPlan is the budget of one portfolio or product for one fiscal year. Lines belong to
// it; its state decides which of their cells may be edited; the totals on it are kept in the
// transaction of every write below it.
type BudgetPlan struct{ ent.Schema }

// Mixin of BudgetPlan.
func (BudgetPlan) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "bpl"}, mixin.Keyed{Prefix: "BP"}, mixin.Archivable{}, mixin.Sourced{}}
}

// Annotations of BudgetPlan.
func (BudgetPlan) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:    "budget-plans",
		Icon:    "wallet",
		Title:   "name",
		List:    []string{"key", "name", "portfolio", "product", "fiscal_year", "status", "planned_total", "forecast_total", "actual_total", "currency"},
		Search:  []string{"name", "key"},
		Sort:    "name",
		Machine: "BudgetPlan",
	})
}

// Fields of BudgetPlan.
func (BudgetPlan) Fields() []ent.Field {
	return []ent.Field{
		ref("portfolio_id"),
		field.String("product_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable().Immutable(),
		name(),
		field.Int("fiscal_year").Range(1900, 2200).Immutable().Annotations(entgql.OrderField("FISCAL_YEAR")),
		field.Enum("period_length").Values("MONTH", "QUARTER", "YEAR").Default("MONTH").Immutable(),
		currency(),
		status("DRAFT", "SUBMITTED", "RETURNED", "APPROVED", "REVISED", "CLOSED"),
		field.Int("version_no").Default(1).Annotations(entgql.Skip(mixin.Unwritable)),
		field.Bool("current").Default(true).Annotations(entgql.Skip(mixin.Unwritable)),
		field.String("reason").Default("").MaxLen(2000).Annotations(mixin.Text, entgql.Skip(entgql.SkipWhereInput)),
		field.String("submitted_by").GoType(ident.ID("")).MaxLen(40).Optional().Nillable().Annotations(mixin.Hidden, entgql.Type("ID"), entgql.Skip(mixin.Unwritable)),
		field.String("revision_of_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable().Immutable().Annotations(entgql.Skip(mixin.Unwritable)),
		heldAmount("planned_total"),
		heldAmount("forecast_total"),
		heldAmount("actual_total"),
		field.Int("line_count").Default(0).Annotations(mixin.Hidden, entgql.Skip(mixin.Unwritable)),
		// with the amounts, what totals over many plans are added up from
		counted("planned_count"),
		counted("forecast_count"),
		counted("actual_count"),
		counted("comparable_count"),
		field.Int64("variance_total").GoType(money.Amount(0)).Optional().Nillable().Annotations(mixin.Hidden, entgql.Skip(entgql.SkipAll)),
	}
}

// counted is how many of a plan's lines have an amount, kept by the system in the transaction of the write.
func counted(n string) ent.Field {
	return field.Int(n).Default(0).Annotations(mixin.Hidden, entgql.Skip(entgql.SkipAll))
}

// Edges of BudgetPlan.
func (BudgetPlan) Edges() []ent.Edge {
	return []ent.Edge{
		one("portfolio", Portfolio.Type, "budget_plans", "portfolio_id"),
		edge.From("product", Product.Type).Ref("budget_plans").Field("product_id").Unique().Immutable().Annotations(entgql.Skip(entgql.SkipWhereInput)),
		edge.To("revisions", BudgetPlan.Type).Annotations(entgql.RelayConnection(), entgql.Skip(mixin.Unwritable|entgql.SkipWhereInput)).From("revision_of").Field("revision_of_id").Unique().Immutable().Annotations(entgql.Skip(mixin.Unwritable | entgql.SkipWhereInput)),
		many("lines", BudgetLine.Type),
	}
}

// Indexes of BudgetPlan.
func (BudgetPlan) Indexes() []ent.Index {
	return []ent.Index{listed("name"), sorted("name"), index.Fields("portfolio_id", "fiscal_year"), index.Fields("product_id")}
}
