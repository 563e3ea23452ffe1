// Package access proves who sees and changes what, through the real doors and on
// both databases. Its tests build two portfolios that know nothing of one another,
// with a row of every entity in each, and let every role come in: what belongs to
// the other portfolio must be absent in every byte of every answer, no filter and
// no order may tell anything of it, each operation must do exactly what the
// permission table says, and a refused one must leave the database as it was.
//
// It holds no code but tests. What the tests call is generated from the entity
// descriptors and the GraphQL schema, so a new entity, field, edge or operation is
// covered, or fails a test, without a line here.
package access
