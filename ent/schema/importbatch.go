package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// ImportBatch is one file import: the files, the report, and the change set with which it can
// be taken back.
type ImportBatch struct{ ent.Schema }

// Mixin of ImportBatch.
func (ImportBatch) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "imb"}}
}

// Annotations of ImportBatch.
func (ImportBatch) Annotations() []schema.Annotation {
	return platform()
}

// Fields of ImportBatch.
func (ImportBatch) Fields() []ent.Field {
	return []ent.Field{
		field.String("format").NotEmpty().MaxLen(60).Immutable(),
		field.JSON("files", []string{}).Optional(),
		field.String("change_set").MaxLen(40).Default("").Immutable(),
		field.Enum("status").Values("APPLIED", "UNDONE").Default("APPLIED"),
		field.JSON("report", map[string]any{}).Optional(),
		field.String("portfolio_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable().Immutable(),
		field.String("actor_name").MaxLen(300).Default("").Immutable(),
	}
}

// Indexes of ImportBatch.
func (ImportBatch) Indexes() []ent.Index {
	return []ent.Index{index.Fields("change_set"), index.Fields("portfolio_id", "created_at", "id")}
}
