package access

import (
	"fmt"
	"slices"
	"strings"
)

// Letter is one thing a grant lets its holder do with a row.
type Letter byte

// The letters. Every other letter brings Read with it in the same reach: nobody
// changes, decides or manages what they cannot see.
const (
	Read    Letter = 'r'
	Write   Letter = 'w' // create and edit drafts
	Submit  Letter = 's'
	Approve Letter = 'a' // approve or decide
	Execute Letter = 'x' // execute or operate
	Manage  Letter = 'm' // manage settings
)

// Letters lists every letter from the weakest on. Do not change it.
var Letters = []Letter{Read, Write, Submit, Approve, Execute, Manage}

// String returns the letter as the matrix spells it.
func (l Letter) String() string { return string(rune(l)) }

// Kind says how far a grant reaches at most; memberships decide where it does.
type Kind byte

// The kinds of reach.
const (
	InPortfolio Kind = 'P' // rows of one's portfolios, or of one's products
	InProduct   Kind = 'T' // rows of one's own products (and those of one's teams), never a whole portfolio
	OfVendor    Kind = 'V' // rows of the vendor one is a partner of
	Self        Kind = 'S' // one's own rows
	Everywhere  Kind = '*' // an implicit membership in everything
	AsRecord    Kind = '=' // wherever the same role reads the record the row hangs on
)

// Resource is a row of the matrix. Several entities may share one.
type Resource string

// The rows. ResourceSystem has no grant at all: only the system touches it.
const (
	ResourcePortfolio    Resource = "portfolio" // portfolio, product
	ResourceInitiative   Resource = "initiative"
	ResourceEnvironment  Resource = "environment"
	ResourceComponent    Resource = "component" // component, capability, dependency
	ResourceBudget       Resource = "budget"
	ResourcePeriod       Resource = "period"
	ResourceProcurement  Resource = "procurement"
	ResourceContract     Resource = "contract"
	ResourceTerm         Resource = "term"
	ResourceOKR          Resource = "okr"
	ResourceVendor       Resource = "vendor"
	ResourceOrganization Resource = "organization" // organization, client
	ResourcePerson       Resource = "person"       // person, team
	ResourceTag          Resource = "tag"          // tag, custom field, cycle
	ResourceImport       Resource = "import"
	ResourceComment      Resource = "comment"
	ResourceAudit        Resource = "audit"
	ResourceUndo         Resource = "undo"
	ResourceMember       Resource = "member"
	ResourceGrant        Resource = "grant" // integration, token, webhook, role grant
	ResourceSession      Resource = "session"
	ResourceExport       Resource = "export"
	ResourceOperation    Resource = "operation" // jobs and settings of the installation
	ResourceSystem       Resource = ""
)

// matrix is the permission table: a cell is letters and a reach, or several of
// them. It follows section 5 of the security design and the rows that the design
// decisions add. Where those give a letter without a reach, the role's reach in
// the first row is meant (an expense authority approves in P, an executive and
// the officers everywhere).
//
//   - portfolio: a partner is named products (rV), yet a product belongs to no
//     vendor, so the grant reaches no row; names arrive with the contract.
//   - component to tag are shared: every staff role reads them. P and T there ask
//     for any such membership, because the row itself lies in no portfolio.
//   - grant: a role counts everywhere, so only an administrator hands one out;
//     a portfolio manager looks after the members of the portfolio.
//   - audit and export: "=" is as far as the role reads the record.
//   - export of people's data by a people lead is limited to rows of their own
//     reports; there are none yet, so the cell is empty.
const matrix = `
resource     | view | contr | owner | pfmgr | financ | procur | expens | vendor | servic | engin | partn | intake | exec | people | audit | admin
portfolio    | rP   | wT    | wT    | wP    | r*     | r*     | rP     | r*     | rP     | rT    | rV    | r*     | r*   |        | r*    | m*
initiative   | rP   | wT    | wsT   | wsP   | r*     | r*     | rP     | r*     | rP     | rT    |       | r*     | a*   |        | r*    |
environment  | rP   | wT    | wT    | wP    | r*     | r*     | rP     | r*     | rP     | rT    | rV    | r*     | r*   |        | r*    |
budget       |      | rT    | wsT   | wsP   | wa*    | rP     | aP     |        |        |       |       |        | r*   |        | r*    |
period       | r*   | r*    | r*    | r* wP | wsx*   | r*     | r* aP  | r*     | r*     | r*    |       | r*     | r*   |        | r*    |
procurement  |      | wT    | wsT   | wsP   | r*     | ws*    | aP     | r*     |        |       |       |        | a*   |        | r*    |
contract     |      | rT    | rT    | wsP   | r*     | ws*    | aP     | r*     | rP     |       | rV    |        | r*   |        | r*    |
term         |      | rT    | rT    | wP    | r*     | w*     | rP     | w*     | rP     |       | rV    |        | r*   |        | r*    |
okr          | rP   | wT    | waT   | waP   |        |        |        |        |        | wT    |       |        | r*   |        | r*    |
component    | r*   | r* wT | r* wT | r* wP | r*     | r*     | r*     | r*     | r*     | r* wT |       | r*     | r*   | r*     | r*    | r*
vendor       | r*   | r*    | r*    | r* wP | r*     | w*     | r*     | w*     | r*     | r*    | rV    | r*     | r*   | r*     | r*    | r*
organization | r*   | r*    | r*    | r* wP | r*     | r*     | r*     | r*     | r*     | r*    |       | w*     | r*   | r*     | r*    | r*
person       | r*   | r*    | r*    | r* wP | r*     | r*     | r*     | r*     | r*     | r*    | rV    | r*     | r*   | w*     | r*    | wm*
tag          | r*   | r*    | r*    | r* wP | r*     | r*     | r*     | r*     | r*     | r*    |       | r*     | r*   | r*     | r*    | r*
import       | rP   | wT    | wT    | wP    | w*     | w*     | rP     | w*     | rP     | wT    |       | w*     | r*   |        | r*    |
comment      | rw=  | rw=   | rw=   | rw=   | rw=    | rw=    | rw=    | rw=    | rw=    | rw=   | rw=   | rw=    | rw=  | rw=    | rw=   | rw=
audit        | r=   | r=    | r=    | r=    | r=     | r=     | r=     | r=     | r=     | r=    | r=    |        |      |        | r*    | r*
undo         | wS   | wS    | wS    | wS    | wS     | wS     | wS     | wS     | wS     | wS    |       | wS     | wS   | wS     | wS    | wS
member       |      |       |       | wmP   |        |        |        |        |        |       |       |        |      |        | r*    | wm*
grant        |      |       |       |       |        |        |        |        |        |       |       |        |      |        | r*    | wm*
operation    |      |       |       |       |        |        |        |        |        |       |       |        |      |        |       | wm*
session      |      |       |       |       |        |        |        |        |        |       |       |        |      |        |       | wm*
export       | r=   | r=    | r=    | r=    | r=     | r=     | r=     | r=     | r=     |       | r=    | r=     | r=   |        | r=    |
`

// columns are the headings of matrix, in the order of Roles.
var columns = []string{
	"view", "contr", "owner", "pfmgr", "financ", "procur", "expens", "vendor",
	"servic", "engin", "partn", "intake", "exec", "people", "audit", "admin",
}

// Grant is one entry of a cell: letters within a reach.
type Grant struct {
	Letters string // as written in the matrix, "wsa"
	Kind    Kind
}

// Allows reports whether the grant gives the letter; any letter gives Read.
func (g Grant) Allows(l Letter) bool {
	return l == Read || strings.IndexByte(g.Letters, byte(l)) >= 0
}

// Grants returns what the matrix gives a role on a resource, and nil for an
// empty cell. The slice is shared; do not change it.
func Grants(role Role, res Resource) []Grant { return cells[res][role] }

// Resources returns the rows of the matrix in order.
func Resources() []Resource { return slices.Clone(rows) }

var rows, cells = mustParse(matrix)

// mustParse is parse for the built-in table, which no program can start without.
func mustParse(text string) ([]Resource, map[Resource]map[Role][]Grant) {
	order, table, err := parse(text)
	if err != nil {
		panic(err)
	}
	return order, table
}

// parse reads a table in the form of matrix. It fails on a wrong heading, a row
// of the wrong width or twice, an unknown letter or an unknown reach.
func parse(text string) ([]Resource, map[Resource]map[Role][]Grant, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if head := split(lines[0]); !slices.Equal(head[1:], columns) {
		return nil, nil, fmt.Errorf("access: heading %v", head)
	}
	var order []Resource
	table := map[Resource]map[Role][]Grant{}
	for _, line := range lines[1:] {
		parts := split(line)
		res := Resource(parts[0])
		if len(parts) != len(Roles)+1 || table[res] != nil {
			return nil, nil, fmt.Errorf("access: row %q has %d cells or stands twice", res, len(parts)-1)
		}
		order, table[res] = append(order, res), map[Role][]Grant{}
		for i, cell := range parts[1:] {
			for _, entry := range strings.Fields(cell) {
				g := Grant{entry[:len(entry)-1], Kind(entry[len(entry)-1])}
				if g.Letters == "" || strings.Trim(g.Letters, "rwsaxm") != "" || !strings.ContainsRune("PTVS*=", rune(g.Kind)) {
					return nil, nil, fmt.Errorf("access: %s, %s: %q is not letters and a reach", res, Roles[i], entry)
				}
				table[res][Roles[i]] = append(table[res][Roles[i]], g)
			}
		}
	}
	return order, table, nil
}

// split cuts a line of the table into its trimmed cells.
func split(line string) []string {
	parts := strings.Split(line, "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}
