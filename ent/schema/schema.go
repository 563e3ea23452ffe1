// Package schema declares Steward's entities: one file for each noun, fields,
// edges, indexes and annotations, no logic. `make gen` turns it into everything
// else below ent/, the GraphQL schema and the page descriptors.
//
// Two kinds of entity: registry (pages, GraphQL, import, export; they carry a
// mixin.Describe) and platform (none of these; graph.Skip).
package schema

import (
	"entgo.io/contrib/entgql"
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"steward/ent/mixin"
	"steward/internal/rules/civil"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// registry returns the annotations of an entity that people and integrations work with.
func registry(d mixin.Describe) []schema.Annotation {
	return []schema.Annotation{
		d, entgql.RelayConnection(), entgql.QueryField(), entgql.MultiOrder(),
		entgql.Mutations(entgql.MutationCreate(), entgql.MutationUpdate()),
	}
}

// readOnly is registry without generated writes: verbs own every change.
func readOnly(d mixin.Describe) []schema.Annotation {
	return []schema.Annotation{d, entgql.RelayConnection(), entgql.QueryField(), entgql.MultiOrder()}
}

// platform returns the annotations of an entity that has no door of its own.
func platform() []schema.Annotation {
	return []schema.Annotation{entgql.Skip(entgql.SkipAll)}
}

// name is the one-line text people know a row by.
func name() ent.Field {
	return field.String("name").NotEmpty().MaxLen(300).Annotations(entgql.OrderField("NAME"))
}

// nameFr is the French name where the name is read in both languages.
func nameFr() ent.Field { return line("name_fr", 300) }

// line is an optional one-line text; empty when absent.
func line(n string, max int) ent.Field { return field.String(n).Default("").MaxLen(max) }

// text is an optional text of several lines; empty when absent.
func text(n string) ent.Field {
	return field.Text(n).Default("").MaxLen(20000).
		Annotations(mixin.Text, entgql.Skip(entgql.SkipWhereInput))
}

// amount is an optional exact amount of the row's currency.
func amount(n string) ent.Field {
	return field.Int64(n).GoType(money.Amount(0)).Optional().Nillable().Annotations(entgql.Type("Money"))
}

// heldAmount is an amount kept by the system in the transaction of the write.
func heldAmount(n string) ent.Field {
	return field.Int64(n).GoType(money.Amount(0)).Optional().Nillable().
		Annotations(entgql.Type("Money"), entgql.Skip(mixin.Unwritable))
}

// quantity is an optional exact number with up to four decimals.
func quantity(n string) ent.Field {
	return field.Int64(n).GoType(money.Amount(0)).Optional().Nillable().
		Annotations(entgql.Type("Decimal"), mixin.Kind{Value: "decimal"})
}

// currency is the ISO 4217 code of the row's amounts.
func currency() ent.Field {
	return field.String("currency").MinLen(3).MaxLen(3).Default("CAD").Annotations(mixin.Currency)
}

// day is an optional calendar day.
func day(n string) ent.Field {
	return field.Time(n).GoType(civil.Date{}).SchemaType(mixin.DateColumn).Optional().Nillable().
		Annotations(entgql.Type("Date"))
}

// ref is the column of a required edge; it does not change.
func ref(n string) ent.Field { return field.String(n).GoType(ident.ID("")).MaxLen(40).Immutable() }

// optRef is the column of an edge that may be empty and may change.
func optRef(n string) ent.Field {
	return field.String(n).GoType(ident.ID("")).MaxLen(40).Optional().Nillable()
}

// inherited marks a scope column that is copied from the parent row.
func inherited(n string, nullable bool) ent.Field {
	f := field.String(n).GoType(ident.ID("")).MaxLen(40).
		Annotations(mixin.Hidden, entgql.Type("ID"), entgql.Skip(mixin.Unwritable))
	if nullable {
		return f.Optional().Nillable()
	}
	return f.Default("")
}

// status is a field that only verbs change; the first value is the initial state.
func status(values ...string) ent.Field {
	return field.Enum("status").Values(values...).Default(values[0]).
		Annotations(entgql.OrderField("STATUS"), entgql.Skip(mixin.Unwritable))
}

// state is status under another name.
func state(n, order string, values ...string) ent.Field {
	return field.Enum(n).Values(values...).Default(values[0]).
		Annotations(entgql.OrderField(order), entgql.Skip(mixin.Unwritable))
}

// many is the inverse side of a to-one edge: read through GraphQL as a
// connection, never written (the owner of the column is), never filtered by.
func many(n string, t any) ent.Edge {
	return edge.To(n, t).Annotations(entgql.RelayConnection(), mixin.Restrict,
		entgql.Skip(mixin.Unwritable|entgql.SkipWhereInput))
}

// one is the owning side of a required to-one edge.
func one(n string, t any, back, column string) ent.Edge {
	return edge.From(n, t).Ref(back).Field(column).Unique().Required().Immutable().
		Annotations(entgql.Skip(entgql.SkipWhereInput))
}

// maybe is the owning side of a to-one edge that may be empty.
func maybe(n string, t any, back, column string) ent.Edge {
	return edge.From(n, t).Ref(back).Field(column).Unique().
		Annotations(entgql.Skip(entgql.SkipWhereInput))
}

// points is a to-one edge without a way back.
func points(n string, t any, column string) ent.Edge {
	return edge.To(n, t).Field(column).Unique().
		Annotations(entgql.Skip(entgql.SkipWhereInput), entsql.OnDelete(entsql.Restrict))
}

// links is the owning side of a many-to-many edge.
func links(n string, t any, table, own, other string) ent.Edge {
	return edge.To(n, t).
		StorageKey(edge.Table(table), edge.Columns(own, other)).
		Annotations(entgql.RelayConnection(), entgql.Skip(entgql.SkipWhereInput))
}

// linked is the read side of a many-to-many edge.
func linked(n string, t any, back string) ent.Edge {
	return edge.From(n, t).Ref(back).
		Annotations(entgql.RelayConnection(), entgql.Skip(mixin.Unwritable|entgql.SkipWhereInput))
}

// listed is the index behind a list page of a scoped entity: the scope column,
// the sort column and the tie-breaker of the keyset.
func listed(sort string) ent.Index { return index.Fields("portfolio_id", sort, "id") }

// sorted is the index of a list that goes over many portfolios, or all: the rows are
// read in their order until there are enough, instead of all of them and then sorted.
func sorted(sort string) ent.Index { return index.Fields(sort, "id") }

// txID is the database's number of the writing transaction. Rows are read in
// commit order by taking only those of transactions that have ended; SQLite has
// one writer, so there the order of writing is the order of commit.
var txID = map[string]string{dialect.Postgres: "txid_current()", dialect.SQLite: "0"}
