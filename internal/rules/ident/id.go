// Package ident holds the identifier every stored thing carries. An ID says
// what it identifies ("prd_01J…" is a product), so links, audit rows and
// GraphQL's node(id) need no second field for the type.
//
// Anybody may import it; it imports nothing of Steward.
package ident

import (
	"crypto/rand"
	"database/sql/driver"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/oklog/ulid/v2"
)

// ID is "<prefix>_<ULID>": unguessable, sortable by creation time, self-describing.
type ID string

// New makes a fresh ID of the kind named by prefix.
func New(prefix string) ID {
	return ID(prefix + "_" + ulid.MustNew(ulid.Now(), rand.Reader).String())
}

// Prefix returns the part before the underscore, which names the kind.
func (id ID) Prefix() string { p, _, _ := strings.Cut(string(id), "_"); return p }

// String returns the ID as it is stored and shown.
func (id ID) String() string { return string(id) }

// MarshalGQL writes the ID as a GraphQL string.
func (id ID) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(id))) }

// UnmarshalGQL reads an ID given as a GraphQL string, or an ID, which is how the
// generated node lookup passes one on; any other kind of value is an error.
func (id *ID) UnmarshalGQL(v any) error {
	switch v := v.(type) {
	case string:
		*id = ID(v)
	case ID:
		*id = v
	default:
		return fmt.Errorf("an ID is a string")
	}
	return nil
}

// Scan reads an ID from a text column; NULL is an error.
func (id *ID) Scan(src any) error {
	switch v := src.(type) {
	case string:
		*id = ID(v)
	case []byte:
		*id = ID(v)
	default:
		return fmt.Errorf("ident: cannot read an ID from %T", src)
	}
	return nil
}

// Value stores the ID as text.
func (id ID) Value() (driver.Value, error) { return string(id), nil }
