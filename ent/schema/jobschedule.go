package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"steward/ent/mixin"
)

// JobSchedule says when a kind of job is due next. What is to be done, and how often, is in the
// program; the row is there so that one of several processes makes the job, once.
type JobSchedule struct{ ent.Schema }

// Mixin of JobSchedule.
func (JobSchedule) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "jsc"}}
}

// Annotations of JobSchedule.
func (JobSchedule) Annotations() []schema.Annotation {
	return platform()
}

// Fields of JobSchedule.
func (JobSchedule) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(60).Unique().Immutable(),
		field.Time("next_at"),
		field.Time("last_at").Optional().Nillable(),
	}
}
