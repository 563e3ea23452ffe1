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

// FiscalPeriod is one month, quarter or year of a portfolio's calendar, open or closed.
// Nothing is posted to a closed one. Finance officers open and close.
type FiscalPeriod struct{ ent.Schema }

// Mixin of FiscalPeriod.
func (FiscalPeriod) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "fpe"}}
}

// Annotations of FiscalPeriod.
func (FiscalPeriod) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "fiscal-periods",
		Icon:   "calendar",
		Title:  "period",
		List:   []string{"portfolio", "fiscal_year", "period", "length", "status", "closed_on"},
		Search: []string{"period"},
		Sort:   "period",
	})
}

// Fields of FiscalPeriod.
func (FiscalPeriod) Fields() []ent.Field {
	return []ent.Field{
		ref("portfolio_id"),
		field.Int("fiscal_year").Range(1900, 2200).Immutable().Annotations(entgql.OrderField("FISCAL_YEAR")),
		field.String("period").GoType(civil.Period("")).MinLen(7).MaxLen(7).Immutable().Annotations(entgql.Type("Period"), entgql.OrderField("PERIOD")),
		field.Enum("length").Values("MONTH", "QUARTER", "YEAR").Default("MONTH").Immutable(),
		status("OPEN", "CLOSED"),
		field.Time("closed_on").GoType(civil.Date{}).SchemaType(mixin.DateColumn).Optional().Nillable().Annotations(entgql.Type("Date"), entgql.Skip(mixin.Unwritable)),
	}
}

// Edges of FiscalPeriod.
func (FiscalPeriod) Edges() []ent.Edge {
	return []ent.Edge{
		one("portfolio", Portfolio.Type, "fiscal_periods", "portfolio_id"),
	}
}

// Indexes of FiscalPeriod.
func (FiscalPeriod) Indexes() []ent.Index {
	return []ent.Index{index.Fields("portfolio_id", "period", "length").Unique()}
}
