package access

import (
	"maps"
	"slices"
)

// Class says what decides whether a row of an entity is within somebody's reach.
type Class string

// The scope classes.
const (
	// ClassPortfolio rows lie in a portfolio, and where it applies in a product.
	ClassPortfolio Class = "portfolio"
	// ClassVendor rows lie in a portfolio and belong to a vendor.
	ClassVendor Class = "portfolio+vendor"
	// ClassShared rows are read by all staff; partners see those of their vendor.
	ClassShared Class = "shared"
	// ClassRecord rows are seen as the record they hang on is: ask ForRecord.
	ClassRecord Class = "as-record"
	// ClassOwn rows belong to one person.
	ClassOwn Class = "own"
	// ClassSystem rows have no GraphQL, no generic page and no import.
	ClassSystem Class = "system"
)

// Joined stands in Columns.Product where rows and products meet in a join table,
// the one that the entity's description in ent/schema names.
const Joined = "(joined)"

// Columns names the columns of an entity that are compared with a Reach; an
// empty name means that the entity cannot be reached that way.
type Columns struct{ Portfolio, Product, Vendor, Person string }

// Entity is one line of the entity table.
type Entity struct {
	Name     string // the GraphQL and ent type name
	Class    Class
	Resource Resource // the row of the matrix
	Columns  Columns
}

var (
	inPortfolio = Columns{Portfolio: "portfolio_id"}
	inProduct   = Columns{Portfolio: "portfolio_id", Product: "product_id"}
	ofVendor    = Columns{Vendor: "vendor_id"}
	onRecord    = Columns{Portfolio: "portfolio_id", Product: "product_id", Vendor: "vendor_id"}
	ofContract  = Columns{Portfolio: "portfolio_id", Product: Joined, Vendor: "vendor_id"}
)

// Entities has one line for every stored type; a type without a line can be
// neither read nor written. Do not change it.
var Entities = index([]Entity{
	{"Portfolio", ClassPortfolio, ResourcePortfolio, Columns{Portfolio: "id"}},
	{"Product", ClassPortfolio, ResourcePortfolio, Columns{Portfolio: "portfolio_id", Product: "id"}},
	{"Initiative", ClassPortfolio, ResourceInitiative, inProduct},
	{"BudgetPlan", ClassPortfolio, ResourceBudget, inProduct},
	{"BudgetLine", ClassPortfolio, ResourceBudget, inProduct},
	{"BudgetCell", ClassPortfolio, ResourceBudget, inProduct},
	{"FiscalPeriod", ClassPortfolio, ResourcePeriod, inPortfolio},
	{"Procurement", ClassPortfolio, ResourceProcurement, inProduct},
	{"Objective", ClassPortfolio, ResourceOKR, inProduct},
	{"KeyResult", ClassPortfolio, ResourceOKR, inProduct},
	{"CheckIn", ClassPortfolio, ResourceOKR, inProduct},
	{"Environment", ClassPortfolio, ResourceEnvironment, onRecord}, // a partner reads the environments its vendor runs
	{"ImportBatch", ClassPortfolio, ResourceImport, inPortfolio},

	{"Contract", ClassVendor, ResourceContract, ofContract},
	{"ContractTerm", ClassVendor, ResourceTerm, ofContract},

	{"Vendor", ClassShared, ResourceVendor, Columns{Vendor: "id"}},
	{"VendorContact", ClassShared, ResourceVendor, ofVendor},
	{"Person", ClassShared, ResourcePerson, ofVendor},
	{"Team", ClassShared, ResourcePerson, Columns{}},
	{"TeamMembership", ClassShared, ResourcePerson, Columns{}},
	{"Organization", ClassShared, ResourceOrganization, Columns{}},
	{"ClientAccount", ClassShared, ResourceOrganization, Columns{}},
	{"Component", ClassShared, ResourceComponent, Columns{}},
	{"Capability", ClassShared, ResourceComponent, Columns{}},
	{"Dependency", ClassShared, ResourceComponent, Columns{Product: "product_id"}},
	{"Tag", ClassShared, ResourceTag, Columns{}},
	{"Cycle", ClassShared, ResourceTag, Columns{}},
	{"CustomField", ClassShared, ResourceTag, Columns{}},

	{"Comment", ClassRecord, ResourceComment, onRecord},
	{"Attachment", ClassRecord, ResourceComment, onRecord}, // to add one, the record itself must be writable
	{"TagLink", ClassRecord, ResourceComment, onRecord},
	{"ChangeEvent", ClassRecord, ResourceAudit, onRecord},
	{"UndoEntry", ClassRecord, ResourceUndo, Columns{Person: "actor_id"}}, // the verb it takes back is checked when it is used

	{"Session", ClassOwn, ResourceSession, Columns{Person: "person_id"}},
	{"ApiToken", ClassOwn, ResourceGrant, Columns{Person: "person_id"}},

	{"SavedView", ClassSystem, ResourceSystem, Columns{}}, // one person's, a team's or a role's: area/view decides
	{"Upload", ClassSystem, ResourceSystem, Columns{}},    // one person's: exchange/upload decides
	{"CalendarFeed", ClassSystem, ResourceSystem, Columns{}},
	{"Notification", ClassSystem, ResourceSystem, Columns{}}, // one person's: area/notify decides
	{"Membership", ClassSystem, ResourceMember, Columns{Portfolio: "scope_id"}},
	{"RoleGrant", ClassSystem, ResourceGrant, Columns{}},
	{"Integration", ClassSystem, ResourceGrant, Columns{}},
	{"PersonIdentity", ClassSystem, ResourceSystem, Columns{}},
	{"OutboxEvent", ClassSystem, ResourceSystem, Columns{}},
	{"IdempotencyKey", ClassSystem, ResourceSystem, Columns{}},
	{"KeyCounter", ClassSystem, ResourceSystem, Columns{}},
	{"AuditHead", ClassSystem, ResourceSystem, Columns{}},
	{"AuditSeal", ClassSystem, ResourceSystem, Columns{}},
	{"Job", ClassSystem, ResourceOperation, Columns{}},
	{"JobSchedule", ClassSystem, ResourceOperation, Columns{}},
	{"Blob", ClassSystem, ResourceSystem, Columns{}},
	{"BlobChunk", ClassSystem, ResourceSystem, Columns{}},
	{"HeaderMapping", ClassSystem, ResourceSystem, Columns{}},
	{"Webhook", ClassSystem, ResourceGrant, Columns{}},
	{"WebhookDelivery", ClassSystem, ResourceGrant, Columns{}},
	{"StoredDocument", ClassSystem, ResourceSystem, Columns{}},
	{"Setting", ClassSystem, ResourceOperation, Columns{}},
})

func index(list []Entity) map[string]Entity {
	m := make(map[string]Entity, len(list))
	for _, e := range list {
		m[e.Name] = e
	}
	return m
}

// Lookup returns the line of an entity, or false for a type the table lacks.
func Lookup(name string) (Entity, bool) {
	e, ok := Entities[name]
	return e, ok
}

// Names returns the names of all entities in alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(Entities)) }
