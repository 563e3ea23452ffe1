package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// Job is a piece of work to be done once, by whichever process gets it first. Who works holds a
// lease; the fence grows with each one, and a write that names an old fence is refused, so a
// process that was stopped and wakes up again does no harm.
type Job struct{ ent.Schema }

// Mixin of Job.
func (Job) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "job"}}
}

// Annotations of Job.
func (Job) Annotations() []schema.Annotation {
	return platform()
}

// Fields of Job.
func (Job) Fields() []ent.Field {
	return []ent.Field{
		field.String("kind").NotEmpty().MaxLen(60).Immutable(),
		field.String("unique_key").MaxLen(200).Optional().Nillable(), // two jobs with one key are one job; empty once it has ended
		field.Enum("status").Values("READY", "RUNNING", "DONE", "DEAD").Default("READY"),
		field.JSON("input", map[string]any{}).Optional(),
		field.JSON("output", map[string]any{}).Optional(),
		field.JSON("progress", map[string]any{}).Optional(),
		text("error"),
		field.Time("run_at").Default(mixin.Now),
		field.Int("attempts").Default(0),
		field.Int("max_attempts").Default(5),
		field.Int64("fence").Default(0),
		line("worker", 200),
		field.Time("lease_until").Optional().Nillable(),
		field.Time("started_at").Optional().Nillable(),
		field.Time("ended_at").Optional().Nillable(),
		field.String("actor_id").MaxLen(40).Default("").Immutable(),
		field.String("actor_name").MaxLen(300).Default("").Immutable(),
		field.String("portfolio_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
	}
}

// Indexes of Job.
func (Job) Indexes() []ent.Index {
	return []ent.Index{index.Fields("unique_key").Unique(), index.Fields("status", "run_at", "id"), index.Fields("kind", "created_at", "id")}
}
