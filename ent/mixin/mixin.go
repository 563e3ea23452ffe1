// Package mixin holds the traits that Steward's entities share: identity and
// stamps (Base), a human key (Keyed), a soft end (Archivable), the system of
// origin (Sourced) and the columns that place a row in a portfolio (InPortfolio).
//
// Only ent/schema uses it. It imports entgo.io and rules packages, never
// generated code, so a broken generation can always be repeated. The checks that
// go with these columns (row scope, version, stamps, audit) are installed for
// all entities at once by internal/platform/store.
package mixin

import (
	"time"

	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"entgo.io/ent/schema/mixin"

	"steward/internal/rules/ident"
)

// Now is the clock of default values: UTC, cut to the microseconds that
// PostgreSQL keeps, so that a value read back equals the one written.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Unwritable keeps a field out of the generated create and update inputs:
// either the system fills it or a verb owns it.
const Unwritable = entgql.SkipMutationCreateInput | entgql.SkipMutationUpdateInput

// ID is the primary key every entity has: "<prefix>_<ULID>".
func ID(prefix string) ent.Field {
	return field.String("id").GoType(ident.ID("")).MaxLen(40).NotEmpty().Immutable().
		DefaultFunc(func() ident.ID { return ident.New(prefix) })
}

// Base gives a row its id, stamps, version and the values of custom fields.
type Base struct {
	mixin.Schema
	// Prefix starts every id of the type.
	Prefix string
}

// Fields of Base. The version starts at 1 and grows by one with each update;
// an update names the version it was based on.
func (b Base) Fields() []ent.Field {
	return []ent.Field{
		ID(b.Prefix),
		field.Int("version").Default(1).Annotations(entgql.Skip(Unwritable | entgql.SkipWhereInput)),
		field.Time("created_at").Immutable().Default(Now).
			Annotations(entgql.OrderField("CREATED_AT"), entgql.Skip(Unwritable)),
		field.String("created_by").Immutable().Default("").MaxLen(40).
			Annotations(entgql.Skip(Unwritable|entgql.SkipWhereInput)),
		field.Time("updated_at").Default(Now).
			Annotations(entgql.OrderField("UPDATED_AT"), entgql.Skip(Unwritable)),
		field.String("updated_by").Default("").MaxLen(40).
			Annotations(entgql.Skip(Unwritable|entgql.SkipWhereInput)),
		field.JSON("custom", map[string]any{}).Optional().
			Annotations(entgql.Type("JSON"), entgql.Skip(entgql.SkipWhereInput)),
	}
}

// Annotations of Base carry the id prefix to the generator.
func (b Base) Annotations() []schema.Annotation { return []schema.Annotation{Prefix{Value: b.Prefix}} }

// Keyed gives a row a human key such as PRD-000123. The store numbers it when
// none is given; it is unique for ever, archived rows included, and never changes.
type Keyed struct {
	mixin.Schema
	// Prefix starts every key of the type.
	Prefix string
}

// Fields of Keyed.
func (Keyed) Fields() []ent.Field {
	return []ent.Field{
		field.String("key").MaxLen(40).Immutable().Unique().DefaultFunc(func() string { return "" }).
			Annotations(entgql.OrderField("KEY"), entgql.Skip(entgql.SkipMutationUpdateInput)),
	}
}

// Annotations of Keyed carry the key prefix to the generator.
func (k Keyed) Annotations() []schema.Annotation {
	return []schema.Annotation{KeyPrefix{Value: k.Prefix}}
}

// Archivable gives a row a soft end: it leaves lists and totals, stays readable
// by its key, and can be restored.
type Archivable struct{ mixin.Schema }

// Fields of Archivable.
func (Archivable) Fields() []ent.Field {
	return []ent.Field{
		field.Time("archived_at").Optional().Nillable().Annotations(entgql.Skip(Unwritable)),
	}
}

// Sourced remembers where a row came from, so that an import finds it again.
// Rows without an id of their own in the source are found by a hash of their
// content and their ordinal among equal rows.
type Sourced struct{ mixin.Schema }

// Fields of Sourced.
func (Sourced) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("origin").Values("ENTERED", "IMPORTED").Default("ENTERED").
			Annotations(entgql.Skip(Unwritable)),
		field.String("source").Optional().Nillable().MaxLen(80).Annotations(entgql.Skip(Unwritable)),
		field.String("external_id").Optional().Nillable().MaxLen(300).Annotations(entgql.Skip(Unwritable)),
	}
}

// Indexes of Sourced: one row for each id of a source. NULLs are distinct, so
// rows entered by hand do not meet here.
func (Sourced) Indexes() []ent.Index {
	return []ent.Index{index.Fields("source", "external_id").Unique()}
}

// DateColumn stores civil.Date as a calendar day on both databases.
var DateColumn = map[string]string{dialect.Postgres: "date", dialect.SQLite: "date"}

// Restrict refuses to delete a row that others point at.
var Restrict = entsql.OnDelete(entsql.Restrict)
