package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// Upload is a file that somebody is about to import: its content, how its columns are read, and
// what the last rehearsal found. It is gone when the import is applied or given up, or after a day.
type Upload struct{ ent.Schema }

// Mixin of Upload.
func (Upload) Mixin() []ent.Mixin {
	return []ent.Mixin{mixin.Base{Prefix: "upl"}}
}

// Annotations of Upload.
func (Upload) Annotations() []schema.Annotation {
	return platform()
}

// Fields of Upload.
func (Upload) Fields() []ent.Field {
	return []ent.Field{
		field.String("blob_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		field.String("name").NotEmpty().MaxLen(255).Immutable(),
		line("format", 60),
		field.JSON("settings", map[string]string{}).Optional(),
		field.JSON("mapping", map[string]string{}).Optional(),
		field.JSON("report", map[string]any{}).Optional(),
		field.String("portfolio_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("person_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		field.String("job_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
	}
}

// Indexes of Upload.
func (Upload) Indexes() []ent.Index {
	return []ent.Index{index.Fields("person_id", "created_at", "id")}
}
