// Package model holds the GraphQL types that are not entities: inputs, payloads
// and read models of the verbs. models_gen.go is generated from graph/schema.
package model

import (
	"time"

	"entgo.io/contrib/entgql"

	"steward/internal/rules/ident"
)

// Change is one change of the feed; its node is loaded when it is asked for.
type Change struct {
	Cursor    entgql.Cursor[ident.ID]
	Type      string
	ID        ident.ID
	Op        string
	Version   int
	At        time.Time
	ChangeSet string
}

// BudgetChange is what one change set did to a budget; its lines are loaded when
// they are asked for.
type BudgetChange struct {
	Cursor    entgql.Cursor[ident.ID]
	At        time.Time
	ChangeSet string
	ActorName string
	LineIDs   []ident.ID
}

// StoredDocument is a document that can be sent by its hash; gqlgen would take
// the row of the same name, whose hash is not the id that requests name.
type StoredDocument struct {
	ID         ident.ID
	DocumentID string
	Name, Text string
}

// Notification is a message in the words of its reader.
type Notification struct {
	ID     ident.ID
	At     time.Time
	Text   string
	Href   string
	ReadAt *time.Time
}
