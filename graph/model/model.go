// Package model holds the GraphQL types that are not entities: inputs, payloads
// and read models of the verbs. models_gen.go is generated from graph/schema.
package model
