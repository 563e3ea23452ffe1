package mixin

// Prefix carries the id prefix of a type to the generator.
type Prefix struct{ Value string }

// Name of the annotation in the ent graph.
func (Prefix) Name() string { return "Prefix" }

// KeyPrefix carries the prefix of a type's human keys to the generator.
type KeyPrefix struct{ Value string }

// Name of the annotation in the ent graph.
func (KeyPrefix) Name() string { return "KeyPrefix" }

// Describe says how a registry entity appears on the generic pages. The words
// are not here: labels are the messages "entity.<Name>" and "field.<name>" of
// internal/platform/i18n, so that both languages live in one place.
type Describe struct {
	// Path is the first segment of the entity's pages: /contracts.
	Path string
	// Icon names the symbol in the sprite.
	Icon string
	// Title is the field that names a row in links and headings.
	Title string
	// List are the columns of the list page, in order.
	List []string
	// Search are the text columns that the search box looks at.
	Search []string
	// Sort is the column a list is ordered by until the reader chooses.
	Sort string
	// Parent is the edge to the row from which scope columns are copied on
	// create and kept in step later; empty for rows that state them.
	Parent string
	// Inherit are the columns copied from Parent.
	Inherit []string
	// Machine names the rules/flow table that owns the status field.
	Machine string
	// Via names the many-to-many table through which a product reaches the row.
	Via *Via
}

// Name of the annotation in the ent graph.
func (Describe) Name() string { return "Describe" }

// Via is a many-to-many table that connects rows with products: whoever may
// reach a product through a product membership reaches the rows joined to it.
type Via struct {
	// Table and its column that holds the row's id, and the one with the product's.
	Table, Row, Product string
	// Column of the entity that is compared with Row.
	Column string
}

// Kind says how a field is shown and typed where its Go type does not tell.
type Kind struct{ Value string }

// Name of the annotation in the ent graph.
func (Kind) Name() string { return "Kind" }

// The kinds that annotations name; the generator derives all others.
var (
	// Text is a text of several lines, Markdown allowed.
	Text = Kind{"text"}
	// URL is an https address.
	URL = Kind{"url"}
	// Email is an e-mail address.
	Email = Kind{"email"}
	// Hidden keeps a field off the pages; GraphQL may still show it.
	Hidden = Kind{"hidden"}
	// Zone is a time zone of the IANA list.
	Zone = Kind{"zone"}
	// Currency is an ISO 4217 code.
	Currency = Kind{"currency"}
)
