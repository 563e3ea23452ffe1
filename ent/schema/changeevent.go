package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/ident"
)

// ChangeEvent is one entry of the audit: who changed what, when, through which door, and each
// field before and after. It is written in the transaction of the change and never altered.
type ChangeEvent struct{ ent.Schema }

// Mixin of ChangeEvent.
func (ChangeEvent) Mixin() []ent.Mixin {
	return nil
}

// Annotations of ChangeEvent.
func (ChangeEvent) Annotations() []schema.Annotation {
	return platform()
}

// Fields of ChangeEvent.
func (ChangeEvent) Fields() []ent.Field {
	return []ent.Field{
		mixin.ID("chg"),
		field.Time("at").Default(mixin.Now).Immutable(),
		field.Enum("op").Values("CREATE", "UPDATE", "ARCHIVE", "RESTORE", "DELETE", "LINK", "EVENT").Immutable(),
		field.String("entity_type").MaxLen(40).Immutable(),
		field.String("entity_id").GoType(ident.ID("")).MaxLen(40).Immutable(),
		field.Int("entity_version").Default(0).Immutable(),
		field.String("portfolio_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("product_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.String("vendor_id").GoType(ident.ID("")).MaxLen(40).Optional().Nillable(),
		field.Enum("actor_kind").Values("PERSON", "INTEGRATION", "SYSTEM").Immutable(),
		field.String("actor_id").MaxLen(40).Default("").Immutable(),
		field.String("actor_name").MaxLen(300).Default("").Immutable(),
		field.Enum("via").Values("PAGE", "API", "IMPORT", "JOB", "CLI").Immutable(),
		field.String("token_id").MaxLen(40).Default("").Immutable(),
		field.String("on_behalf_of").MaxLen(300).Default("").Immutable(),
		field.String("request_id").MaxLen(60).Default("").Immutable(),
		field.String("change_set").MaxLen(40).Default("").Immutable(),
		field.String("undoes").MaxLen(40).Default("").Immutable(),
		field.String("reason").MaxLen(2000).Default("").Immutable(),
		field.JSON("diff", map[string][2]any{}).Optional().Immutable(),
		field.Int64("tx_id").Optional().Immutable().Annotations(entsql.DefaultExprs(txID)),
	}
}

// Indexes of ChangeEvent.
func (ChangeEvent) Indexes() []ent.Index {
	return []ent.Index{index.Fields("entity_id", "id"), index.Fields("change_set"), index.Fields("portfolio_id", "id")}
}
