package flow

import "slices"

// The roles that make moves, by their realm names.
const (
	productOwner       = "product-owner"
	portfolioManager   = "portfolio-manager"
	financeOfficer     = "finance-officer"
	procurementOfficer = "procurement-officer"
	expenseAuthority   = "expense-authority"
	executive          = "executive"
)

func by(roles ...string) []string { return roles }

// each repeats one move for several states it may start from.
func each(from []string, m Move) []Move {
	var out []Move
	for _, f := range from {
		m.From = f
		out = append(out, m)
	}
	return out
}

// All returns every machine.
func All() []Machine {
	return []Machine{BudgetPlan, Procurement, Contract, Objective, Initiative, ProductStage}
}

// BudgetPlan is the life of one version of a plan. Revising makes a new version,
// which starts in DRAFT; the old one stays as REVISED.
var BudgetPlan = Machine{Name: "budget_plan", Initial: []string{"DRAFT"}, Moves: []Move{
	{"DRAFT", "SUBMITTED", "submit", by(productOwner, portfolioManager), 0},
	{"SUBMITTED", "DRAFT", "recall", by(productOwner, portfolioManager), Submitter},
	{"SUBMITTED", "APPROVED", "approve", by(financeOfficer), SecondPerson | Person | Recent},
	{"SUBMITTED", "RETURNED", "return", by(financeOfficer), SecondPerson | Note},
	// A returned plan can be edited, so it can also be handed in again.
	{"RETURNED", "SUBMITTED", "submit", by(productOwner, portfolioManager), 0},
	{"APPROVED", "REVISED", "revise", by(portfolioManager), Note},
	{"APPROVED", "CLOSED", "close", by(financeOfficer), Person},
	{"REVISED", "CLOSED", "close", by(financeOfficer), Person},
}}

// Procurement is the life of a procurement file, from the need to the contract.
var Procurement = Machine{Name: "procurement", Initial: []string{"PLANNED"}, Moves: slices.Concat(
	[]Move{
		{"PLANNED", "IN_PREPARATION", "prepare", by(procurementOfficer, portfolioManager), 0},
		{"IN_PREPARATION", "PUBLISHED", "publish", by(procurementOfficer, portfolioManager), 0},
		{"PUBLISHED", "EVALUATION", "evaluate", by(procurementOfficer, portfolioManager), 0},
		{"EVALUATION", "RECOMMENDED", "recommend", by(procurementOfficer, portfolioManager, productOwner), 0},
		{"RECOMMENDED", "SIGNED_OFF", "sign_off", by(expenseAuthority), SecondPerson | WithinLimit | Person | Recent},
		{"SIGNED_OFF", "AWARDED", "award", by(procurementOfficer), Person | Recent},
		{"AWARDED", "CONTRACTED", "contract", by(procurementOfficer), 0},
	},
	each(beforeAward, Move{To: "CANCELLED", Verb: "cancel", Roles: by(procurementOfficer), Needs: Note}),
	each(beforeAward, Move{To: "UNSUCCESSFUL", Verb: "close_unsuccessful", Roles: by(procurementOfficer), Needs: Note | Person}),
)}

var beforeAward = []string{"PLANNED", "IN_PREPARATION", "PUBLISHED", "EVALUATION", "RECOMMENDED", "SIGNED_OFF"}

// Contract is the life of a contract. ACTIVE, EXPIRING and EXPIRED are not stored
// by any move: an APPROVED contract is read as one of them by its dates. The moves
// out are listed for the stored state and for those read off it, so that the table
// answers for either; a contract that has run out is not suspended or terminated.
var Contract = Machine{
	Name: "contract", Initial: []string{"DRAFT"},
	Derived: map[string][]string{"APPROVED": {"ACTIVE", "EXPIRING", "EXPIRED"}},
	Moves: slices.Concat(
		[]Move{
			{"DRAFT", "UNDER_REVIEW", "submit", by(procurementOfficer, portfolioManager), 0},
			{"UNDER_REVIEW", "APPROVED", "approve", by(expenseAuthority), SecondPerson | WithinLimit | Person | Recent},
		},
		each([]string{"APPROVED", "ACTIVE", "EXPIRING", "EXPIRED"}, Move{To: "RENEWED", Verb: "renew", Roles: by(procurementOfficer), Needs: Person}),
		each([]string{"APPROVED", "ACTIVE", "EXPIRING"}, Move{To: "SUSPENDED", Verb: "suspend", Roles: by(procurementOfficer), Needs: Note}),
		each([]string{"APPROVED", "ACTIVE", "EXPIRING"}, Move{To: "TERMINATED", Verb: "terminate", Roles: by(procurementOfficer), Needs: Note | Person}),
	),
}

// Objective is the life of an objective within its cycle. Its owner acts as product
// owner, or as portfolio manager for an objective of the whole portfolio.
var Objective = Machine{Name: "objective", Initial: []string{"DRAFT"}, Moves: []Move{
	{"DRAFT", "ACTIVE", "activate", by(productOwner, portfolioManager), 0},
	{"ACTIVE", "GRADED", "grade", by(productOwner, portfolioManager), 0},
	{"GRADED", "CLOSED", "close", by(portfolioManager), Person},
	{"ACTIVE", "CANCELLED", "cancel", by(productOwner, portfolioManager), Note},
}}

// Initiative is the way of a proposed piece of work through ranking to a decision.
// A parked one comes back into the ranking.
var Initiative = Machine{Name: "initiative", Initial: []string{"DRAFT"}, Moves: []Move{
	{"DRAFT", "SUBMITTED", "submit", by(productOwner), 0},
	{"SUBMITTED", "SCREENED", "screen", by(portfolioManager), 0},
	{"SCREENED", "RANKED", "rank", by(portfolioManager), 0},
	{"RANKED", "SCHEDULED", "schedule", by(portfolioManager), 0},
	{"SCHEDULED", "APPROVED", "approve", by(executive), SecondPerson | Person | Recent},
	{"SCHEDULED", "DECLINED", "decline", by(executive), Note | Person},
	{"SCHEDULED", "PARKED", "park", by(portfolioManager), Note},
	{"PARKED", "RANKED", "rank", by(portfolioManager), 0},
}}

// stages is a product's journey in order.
var stages = []string{"IDEA", "PROOF_OF_CONCEPT", "PILOT", "PRODUCTION", "ENTERPRISE"}

// ProductStage is the journey of a product: one step on or back at a time, out of
// service from anywhere, and back from RETIRING to where it was. UNKNOWN is what an
// import leaves when the source does not say; the portfolio manager puts it right.
// Every move takes a reason.
var ProductStage = Machine{Name: "product_stage", Initial: []string{"IDEA", "UNKNOWN"}, Moves: productMoves()}

func productMoves() []Move {
	m := Move{Roles: by(portfolioManager), Needs: Note}
	to := func(from, to, verb string, more Need) Move {
		m := m
		m.From, m.To, m.Verb, m.Needs = from, to, verb, m.Needs|more
		return m
	}
	var out []Move
	for i, s := range stages {
		if i+1 < len(stages) {
			out = append(out, to(s, stages[i+1], "advance", 0))
		}
		if i > 0 {
			out = append(out, to(s, stages[i-1], "step_back", 0))
		}
		out = append(out, to(s, "RETIRING", "retire", 0))
	}
	out = append(out, to("RETIRING", "RETIRED", "finish_retiring", Person))
	for _, s := range stages {
		out = append(out, to("RETIRING", s, "keep", Previous))
	}
	for _, s := range append(slices.Clone(stages), "RETIRING", "RETIRED") {
		out = append(out, to("UNKNOWN", s, "classify", 0))
	}
	return out
}
