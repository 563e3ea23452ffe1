package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/civil"
	"steward/internal/rules/money"
)

// CheckIn is one reading of a key result: the value, how sure its owner is, and why. It is
// never changed; a wrong one is followed by a right one.
type CheckIn struct{ ent.Schema }

// Mixin of CheckIn.
func (CheckIn) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "chk"}}
}

// Annotations of CheckIn.
func (CheckIn) Annotations() []schema.Annotation {
	return readOnly(mixin.Describe{
		Path:    "check-ins",
		Icon:    "check",
		Title:   "on",
		List:    []string{"on", "key_result", "value", "confidence_bp", "comment"},
		Search:  []string{"comment"},
		Sort:    "on",
		Parent:  "key_result",
		Inherit: []string{"portfolio_id", "product_id"},
	})
}

// Fields of CheckIn.
func (CheckIn) Fields() []ent.Field {
	return []ent.Field{
		ref("key_result_id"),
		inherited("portfolio_id", false),
		inherited("product_id", true),
		field.Time("on").GoType(civil.Date{}).SchemaType(mixin.DateColumn).Immutable().Annotations(entgql.Type("Date"), entgql.OrderField("ON")),
		field.Int64("value").GoType(money.Amount(0)).Immutable().Annotations(entgql.Type("Decimal"), mixin.Kind{Value: "decimal"}),
		field.Int("confidence_bp").Range(0, 10000).Immutable().Annotations(mixin.Kind{Value: "bp"}),
		field.Text("comment").Default("").MaxLen(5000).Immutable().Annotations(mixin.Text, entgql.Skip(entgql.SkipWhereInput)),
	}
}

// Edges of CheckIn.
func (CheckIn) Edges() []ent.Edge {
	return []ent.Edge{
		one("key_result", KeyResult.Type, "check_ins", "key_result_id"),
	}
}

// Indexes of CheckIn.
func (CheckIn) Indexes() []ent.Index {
	return []ent.Index{listed("on"), index.Fields("key_result_id", "on")}
}
