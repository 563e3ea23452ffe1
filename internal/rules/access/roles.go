// Package access is the one table of who may do what in Steward. Guards ask it
// which rows a query may touch, pages ask it which buttons and links to show,
// and the handbook prints it.
//
// A right needs three things at once: a role whose cell in the matrix has the
// letter, a membership that reaches the row within the cell's reach, and a
// membership level that lets the letter through. What the table does not give
// is absent. Rules that need more than that (who submitted a plan may not
// approve it, limits of an expense authority, the fifteen minutes of a comment's
// author) live with the verb or in rules/flow and only narrow what is here.
//
// Pure rules: it knows no database and no HTTP, and anybody may import it.
package access

import "slices"

// Role is a realm role, spelled as the identity provider sends it.
type Role string

// The realm roles. They match the roles of the realm file one to one.
const (
	RoleViewer             Role = "viewer"
	RoleContributor        Role = "contributor"
	RoleProductOwner       Role = "product-owner"
	RolePortfolioManager   Role = "portfolio-manager"
	RoleFinanceOfficer     Role = "finance-officer"
	RoleProcurementOfficer Role = "procurement-officer"
	RoleExpenseAuthority   Role = "expense-authority"
	RoleVendorManager      Role = "vendor-manager"
	RoleServiceManager     Role = "service-manager"
	RoleEngineer           Role = "engineer"
	RolePartner            Role = "partner"
	RoleIntakeReviewer     Role = "intake-reviewer"
	RoleExecutive          Role = "executive"
	RolePeopleLead         Role = "people-lead"
	RoleAuditor            Role = "auditor"
	RoleAppAdmin           Role = "app-admin"
)

// Roles lists every role in the order of the matrix's columns. Do not change it.
var Roles = []Role{
	RoleViewer, RoleContributor, RoleProductOwner, RolePortfolioManager,
	RoleFinanceOfficer, RoleProcurementOfficer, RoleExpenseAuthority, RoleVendorManager,
	RoleServiceManager, RoleEngineer, RolePartner, RoleIntakeReviewer,
	RoleExecutive, RolePeopleLead, RoleAuditor, RoleAppAdmin,
}

// ParseRole returns the role of that name, or false for a name Steward does not
// know: claims of a shared realm carry many.
func ParseRole(name string) (Role, bool) {
	r := Role(name)
	return r, slices.Contains(Roles, r)
}

// Label returns the message id of the role's name, "role.portfolio-manager".
func (r Role) Label() string { return "role." + string(r) }

// About returns the message id of one line that says what the role is for.
func (r Role) About() string { return "role." + string(r) + ".about" }
