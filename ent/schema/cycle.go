package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"steward/ent/mixin"
	"steward/internal/rules/civil"
)

// Cycle is the stretch of time objectives are set for, with the window in which they are
// graded. Staff read all.
type Cycle struct{ ent.Schema }

// Mixin of Cycle.
func (Cycle) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "cyc"}, mixin.Archivable{}}
}

// Annotations of Cycle.
func (Cycle) Annotations() []schema.Annotation {
	return registry(mixin.Describe{
		Path:   "cycles",
		Icon:   "refresh-cw",
		Title:  "name",
		List:   []string{"name", "start_on", "end_on", "grading_ends_on"},
		Search: []string{"name"},
		Sort:   "name",
	})
}

// Fields of Cycle.
func (Cycle) Fields() []ent.Field {
	return []ent.Field{
		name(),
		nameFr(),
		field.Time("start_on").GoType(civil.Date{}).SchemaType(mixin.DateColumn).Annotations(entgql.Type("Date"), entgql.OrderField("START_ON")),
		field.Time("end_on").GoType(civil.Date{}).SchemaType(mixin.DateColumn).Annotations(entgql.Type("Date")),
		day("grading_ends_on"),
		field.Int("check_in_days").Default(14).Positive(),
	}
}

// Edges of Cycle.
func (Cycle) Edges() []ent.Edge {
	return []ent.Edge{
		many("objectives", Objective.Type),
	}
}
