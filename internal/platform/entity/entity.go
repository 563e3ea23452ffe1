// Package entity holds the descriptors of Steward's entities: what code that
// treats all of them alike (guards, generic pages, exports, imports, history)
// needs to know. ent/registry, which is generated, fills it when the program
// starts; nothing is written to it afterwards.
package entity

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/internal/platform/scope"
	"steward/internal/rules/ident"
)

// Field describes one column.
type Field struct {
	Name string // column, also its key in forms, imports and exports
	GQL  string // name in GraphQL
	Kind string // line text enum bool int money decimal bp date period time ref id strings json url email currency zone hidden
	Ref  string // entity a ref points at
	Edge string // its edge
	// Options are the values of an enum.
	Options []string
	// Required must be given on create; Nullable may be empty.
	Required, Nullable, Immutable bool
	// Creatable and Updatable fields are in forms; the others belong to verbs or to the system.
	Creatable, Updatable bool
	// List is the position among the columns of a list page, 0 for none.
	List    int
	Search  bool
	Size    int
	Default string
	// Enum turns text into the typed value of an enum and refuses unknown words.
	Enum func(string) (any, error)
}

// EdgeKind says which end of an edge a type is.
type EdgeKind int

// The kinds of edge: the side with the column, its way back, the owning and the
// read side of a many-to-many table.
const (
	Own EdgeKind = iota
	Back
	Link
	Linked
)

// Edge describes one connection to another entity.
type Edge struct {
	Name    string
	Kind    EdgeKind
	To      string
	Column  string   // foreign key, on this table for Own and on the other for Back
	Table   string   // join table of Link and Linked
	Columns []string // its two columns, the owner's first
}

// Row is one record as the generic code sees it: Values stand in the order of
// the entity's Fields, absent ones are nil, enums are text.
type Row struct {
	ID     ident.ID
	Values []any
}

// Write is a create or an update under way: fields are set on the mutation by
// name, Save runs it through all guards.
type Write struct {
	Mutation ent.Mutation
	Save     func(context.Context) (ident.ID, error)
}

// Entity describes one type.
type Entity struct {
	Name, Table, Prefix, KeyPrefix string
	// Registry entities have pages, GraphQL, import and export; platform ones do not.
	Registry                                 bool
	Plural, Path, Icon, Title, Sort, Machine string
	ReadOnly, Archivable, Sourced, Versioned bool
	// Parent is the entity from which the Inherit columns are copied.
	Parent, ParentColumn string
	Inherit              []string
	Via                  *scope.Via
	Fields               []Field
	Edges                []Edge

	// The typed access of registry entities; the store's guards apply to all of it.
	List  func(ctx context.Context, c *ent.Client, where, order func(*sql.Selector), limit, offset int) ([]Row, error)
	Count func(ctx context.Context, c *ent.Client, where func(*sql.Selector)) (int, error)
	// Sum scans into a slice of structs what pick selects, usually grouped, of the rows that where keeps.
	Sum func(ctx context.Context, c *ent.Client, where, pick func(*sql.Selector), into any) error
	New func(c *ent.Client) Write
	// Edit updates the row if it still has the version; 0 is any version.
	Edit func(c *ent.Client, id ident.ID, version int) Write
	// Link adds and removes rows of an owned many-to-many edge.
	Link func(m ent.Mutation, edge string, add, remove []ident.ID)
}

var (
	all      []*Entity
	byName   = map[string]*Entity{}
	byTable  = map[string]*Entity{}
	byPrefix = map[string]*Entity{}
	byPath   = map[string]*Entity{}
)

// Register adds the generated descriptors and tells package scope where their
// rows belong. Only ent/registry calls it, once.
func Register(es ...*Entity) {
	for _, e := range es {
		all = append(all, e)
		byName[e.Name], byTable[e.Table] = e, e
		if e.Prefix != "" {
			byPrefix[e.Prefix] = e
		}
		if e.Path != "" {
			byPath[e.Path] = e
		}
		scope.Register(e.Table, e.placed())
	}
}

// placed says which of the table's columns place its rows.
func (e *Entity) placed() scope.Table {
	t := scope.Table{Entity: e.Name, Via: e.Via}
	has := func(name string) string {
		if _, ok := e.Field(name); ok {
			return name
		}
		return ""
	}
	t.Portfolio, t.Product, t.Vendor = has("portfolio_id"), has("product_id"), has("vendor_id")
	switch e.Name {
	case "Portfolio":
		t.Portfolio = "id"
	case "Product":
		t.Product = "id"
	case "Vendor":
		t.Vendor = "id"
	case "Comment", "Attachment", "TagLink":
		t.SubjectType, t.SubjectID = "subject_type", "subject_id"
	case "ChangeEvent":
		t.SubjectType, t.SubjectID = "entity_type", "entity_id"
	case "ApiToken", "Session":
		t.Owner = "person_id"
	case "UndoEntry":
		t.Owner = "actor_id"
	}
	return t
}

// All returns every entity in the order of their names.
func All() []*Entity { return all }

// Registry returns the entities that have pages, GraphQL, import and export.
func Registry() []*Entity {
	var out []*Entity
	for _, e := range all {
		if e.Registry {
			out = append(out, e)
		}
	}
	return out
}

// ByName returns the entity of that name, or nil.
func ByName(name string) *Entity { return byName[name] }

// ByTable returns the entity stored in the table, or nil.
func ByTable(table string) *Entity { return byTable[table] }

// ByPath returns the entity whose pages start with the path segment, or nil.
func ByPath(path string) *Entity { return byPath[path] }

// OfID returns the entity an id belongs to, or nil.
func OfID(id ident.ID) *Entity { return byPrefix[id.Prefix()] }

// Field returns the field of that name.
func (e *Entity) Field(name string) (*Field, bool) {
	i := e.Index(name)
	if i < 0 {
		return nil, false
	}
	return &e.Fields[i], true
}

// Index returns the position of the field of that name among Fields and in
// Row.Values, or -1.
func (e *Entity) Index(name string) int {
	return slices.IndexFunc(e.Fields, func(f Field) bool { return f.Name == name })
}

// Columns returns the fields of the list page in their order.
func (e *Entity) Columns() []*Field {
	var out []*Field
	for i := range e.Fields {
		if e.Fields[i].List > 0 {
			out = append(out, &e.Fields[i])
		}
	}
	slices.SortFunc(out, func(a, b *Field) int { return a.List - b.List })
	return out
}

// Edge returns the edge of that name.
func (e *Entity) Edge(name string) (Edge, bool) {
	for _, x := range e.Edges {
		if x.Name == name {
			return x, true
		}
	}
	return Edge{}, false
}

// Value returns the value of the named field of row, nil when there is none.
func (e *Entity) Value(r Row, name string) any {
	if i := e.Index(name); i >= 0 && i < len(r.Values) {
		return r.Values[i]
	}
	return nil
}

// Word returns the text of the enum that p points at, or nil.
func Word[T ~string](p *T) any {
	if p == nil {
		return nil
	}
	return string(*p)
}

// Deref returns what p points at, or nil.
func Deref[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}
