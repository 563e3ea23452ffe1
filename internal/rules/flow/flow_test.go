package flow

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"steward/internal/rules/errs"
)

// expected is the moves table of the design, written out a second time: for every
// machine and state, the states that may follow and who may move there. What is
// not here must be refused. Short names: po product owner, pfm portfolio manager,
// fin finance officer, proc procurement officer, ea expense authority, exe executive.
var expected = map[string]map[string]map[string]string{
	"budget_plan": {
		"DRAFT":     {"SUBMITTED": "po pfm"},
		"SUBMITTED": {"DRAFT": "po pfm", "APPROVED": "fin", "RETURNED": "fin"},
		"RETURNED":  {"SUBMITTED": "po pfm"},
		"APPROVED":  {"REVISED": "pfm", "CLOSED": "fin"},
		"REVISED":   {"CLOSED": "fin"},
		"CLOSED":    {},
	},
	"procurement": {
		"PLANNED":        {"IN_PREPARATION": "proc pfm", "CANCELLED": "proc", "UNSUCCESSFUL": "proc"},
		"IN_PREPARATION": {"PUBLISHED": "proc pfm", "CANCELLED": "proc", "UNSUCCESSFUL": "proc"},
		"PUBLISHED":      {"EVALUATION": "proc pfm", "CANCELLED": "proc", "UNSUCCESSFUL": "proc"},
		"EVALUATION":     {"RECOMMENDED": "proc pfm po", "CANCELLED": "proc", "UNSUCCESSFUL": "proc"},
		"RECOMMENDED":    {"SIGNED_OFF": "ea", "CANCELLED": "proc", "UNSUCCESSFUL": "proc"},
		"SIGNED_OFF":     {"AWARDED": "proc", "CANCELLED": "proc", "UNSUCCESSFUL": "proc"},
		"AWARDED":        {"CONTRACTED": "proc"},
		"CONTRACTED":     {}, "CANCELLED": {}, "UNSUCCESSFUL": {},
	},
	"contract": {
		"DRAFT":        {"UNDER_REVIEW": "proc pfm"},
		"UNDER_REVIEW": {"APPROVED": "ea"},
		"APPROVED":     {"RENEWED": "proc", "SUSPENDED": "proc", "TERMINATED": "proc"},
		"ACTIVE":       {"RENEWED": "proc", "SUSPENDED": "proc", "TERMINATED": "proc"},
		"EXPIRING":     {"RENEWED": "proc", "SUSPENDED": "proc", "TERMINATED": "proc"},
		"EXPIRED":      {"RENEWED": "proc"},
		"RENEWED":      {}, "SUSPENDED": {}, "TERMINATED": {},
	},
	"objective": {
		"DRAFT":  {"ACTIVE": "po pfm"},
		"ACTIVE": {"GRADED": "po pfm", "CANCELLED": "po pfm"},
		"GRADED": {"CLOSED": "pfm"},
		"CLOSED": {}, "CANCELLED": {},
	},
	"initiative": {
		"DRAFT":     {"SUBMITTED": "po"},
		"SUBMITTED": {"SCREENED": "pfm"},
		"SCREENED":  {"RANKED": "pfm"},
		"RANKED":    {"SCHEDULED": "pfm"},
		"SCHEDULED": {"APPROVED": "exe", "DECLINED": "exe", "PARKED": "pfm"},
		"PARKED":    {"RANKED": "pfm"},
		"APPROVED":  {}, "DECLINED": {},
	},
	"product_stage": {
		"UNKNOWN":          {"IDEA": "pfm", "PROOF_OF_CONCEPT": "pfm", "PILOT": "pfm", "PRODUCTION": "pfm", "ENTERPRISE": "pfm", "RETIRING": "pfm", "RETIRED": "pfm"},
		"IDEA":             {"PROOF_OF_CONCEPT": "pfm", "RETIRING": "pfm"},
		"PROOF_OF_CONCEPT": {"IDEA": "pfm", "PILOT": "pfm", "RETIRING": "pfm"},
		"PILOT":            {"PROOF_OF_CONCEPT": "pfm", "PRODUCTION": "pfm", "RETIRING": "pfm"},
		"PRODUCTION":       {"PILOT": "pfm", "ENTERPRISE": "pfm", "RETIRING": "pfm"},
		"ENTERPRISE":       {"PRODUCTION": "pfm", "RETIRING": "pfm"},
		"RETIRING":         {"RETIRED": "pfm", "IDEA": "pfm", "PROOF_OF_CONCEPT": "pfm", "PILOT": "pfm", "PRODUCTION": "pfm", "ENTERPRISE": "pfm"},
		"RETIRED":          {},
	},
}

var short = map[string]string{
	"po": "product-owner", "pfm": "portfolio-manager", "fin": "finance-officer",
	"proc": "procurement-officer", "ea": "expense-authority", "exe": "executive",
}

// realm is every role a person can hold.
var realm = []string{
	"viewer", "contributor", "product-owner", "portfolio-manager", "finance-officer", "procurement-officer",
	"expense-authority", "vendor-manager", "service-manager", "engineer", "partner", "intake-reviewer",
	"executive", "people-lead", "auditor", "app-admin",
}

func TestEveryPairAndRole(t *testing.T) {
	if len(All()) != len(expected) {
		t.Fatalf("%d machines, expected %d", len(All()), len(expected))
	}
	for _, m := range All() {
		table := expected[m.Name]
		if len(m.States()) != len(table) {
			t.Errorf("%s has the states %v", m.Name, m.States())
		}
		for _, from := range append(m.States(), "", "NONSENSE") {
			for _, to := range append(m.States(), "", "NONSENSE") {
				who, allowed := table[from][to]
				mv, ok := m.Find(from, to)
				if ok != allowed || ok && (mv.From != from || mv.To != to) {
					t.Errorf("%s: %s → %s allowed %v, expected %v", m.Name, from, to, ok, allowed)
				}
				for _, role := range realm {
					may := slices.ContainsFunc(strings.Fields(who), func(s string) bool { return short[s] == role })
					_, err := m.Check(from, to, []string{role})
					want := errs.Code("")
					switch {
					case !allowed:
						want = errs.State
					case !may:
						want = errs.CodeForbidden
					}
					if errs.CodeOf(err) != want {
						t.Errorf("%s: %s → %s by %s: %q, expected %q", m.Name, from, to, role, errs.CodeOf(err), want)
					}
					offered := slices.ContainsFunc(m.Available(from, []string{role}), func(mv Move) bool { return mv.To == to })
					if offered != (want == "") {
						t.Errorf("%s: %s offers %s to %s: %v", m.Name, from, to, role, offered)
					}
				}
			}
		}
	}
}

func TestNobodyWithoutARoleMoves(t *testing.T) {
	for _, m := range All() {
		for _, s := range m.States() {
			if got := m.Available(s, nil); got != nil {
				t.Errorf("%s in %s offers %v to nobody", m.Name, s, got)
			}
		}
	}
}

func TestEveryStateIsReachable(t *testing.T) {
	for _, m := range All() {
		seen := map[string]bool{}
		var walk func(string)
		walk = func(s string) {
			if seen[s] {
				return
			}
			seen[s] = true
			for _, d := range m.Derived[s] {
				walk(d)
			}
			for _, mv := range m.Moves {
				if mv.From == s {
					walk(mv.To)
				}
			}
		}
		for _, s := range m.Initial {
			walk(s)
			if !m.IsInitial(s) {
				t.Errorf("%s does not start in %s", m.Name, s)
			}
		}
		for _, s := range m.States() {
			if !seen[s] {
				t.Errorf("%s never reaches %s", m.Name, s)
			}
		}
	}
}

func TestTablesAreWellFormed(t *testing.T) {
	for _, m := range All() {
		seen := map[string]bool{}
		for _, mv := range m.Moves {
			if key := mv.From + ">" + mv.To; seen[key] {
				t.Errorf("%s lists %s twice", m.Name, key)
			} else {
				seen[key] = true
			}
			if mv.From == mv.To || mv.Verb == "" || len(mv.Roles) == 0 {
				t.Errorf("%s: incomplete move %+v", m.Name, mv)
			}
			for _, r := range mv.Roles {
				if !slices.Contains(realm, r) {
					t.Errorf("%s: %s is no role", m.Name, r)
				}
			}
		}
	}
}

// TestNeeds pins what the moves with conditions take; everything else takes none.
func TestNeeds(t *testing.T) {
	want := map[string]Need{
		"budget_plan SUBMITTED>DRAFT": Submitter, "budget_plan SUBMITTED>APPROVED": SecondPerson | Person | Recent,
		"budget_plan SUBMITTED>RETURNED": SecondPerson | Note, "budget_plan APPROVED>REVISED": Note,
		"budget_plan APPROVED>CLOSED": Person, "budget_plan REVISED>CLOSED": Person,
		"procurement RECOMMENDED>SIGNED_OFF": SecondPerson | WithinLimit | Person | Recent, "procurement SIGNED_OFF>AWARDED": Person | Recent,
		"contract UNDER_REVIEW>APPROVED": SecondPerson | WithinLimit | Person | Recent,
		"objective GRADED>CLOSED":        Person, "objective ACTIVE>CANCELLED": Note,
		"initiative SCHEDULED>APPROVED": SecondPerson | Person | Recent, "initiative SCHEDULED>DECLINED": Note | Person, "initiative SCHEDULED>PARKED": Note,
		"product_stage RETIRING>RETIRED": Note | Person,
	}
	for _, s := range beforeAward {
		want["procurement "+s+">CANCELLED"] = Note
		want["procurement "+s+">UNSUCCESSFUL"] = Note | Person
	}
	for _, s := range []string{"APPROVED", "ACTIVE", "EXPIRING", "EXPIRED"} {
		want["contract "+s+">RENEWED"] = Person
		want["contract "+s+">SUSPENDED"] = Note
		want["contract "+s+">TERMINATED"] = Note | Person
	}
	for _, s := range stages {
		want["product_stage RETIRING>"+s] = Note | Previous
	}
	for _, m := range All() {
		for _, mv := range m.Moves {
			key := fmt.Sprintf("%s %s>%s", m.Name, mv.From, mv.To)
			w, listed := want[key]
			if m.Name == "product_stage" && !listed {
				w = Note
			}
			if mv.Needs != w {
				t.Errorf("%s needs %b, expected %b", key, mv.Needs, w)
			}
		}
	}
	if !(Note | Person).Has(Note) || Note.Has(Note|Person) {
		t.Error("Has must mean all of them")
	}
}

func TestCheckNamesTheMove(t *testing.T) {
	_, err := Procurement.Check("PLANNED", "AWARDED", realm)
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || !slices.Equal(e.Args, []any{"machine", "procurement", "from", "PLANNED", "to", "AWARDED"}) {
		t.Errorf("the error does not name the move: %v", err)
	}
}

func TestNamed(t *testing.T) {
	for _, name := range []string{"BudgetPlan", "Procurement", "Contract", "Objective", "Initiative", "ProductStage", "budget_plan"} {
		if _, ok := Named(name); !ok {
			t.Errorf("no machine is called %s", name)
		}
	}
	if m, ok := Named(""); ok {
		t.Errorf("%s has no name", m.Name)
	}
}

func TestStored(t *testing.T) {
	want := []string{"DRAFT", "UNDER_REVIEW", "APPROVED", "RENEWED", "SUSPENDED", "TERMINATED"}
	if got := Contract.Stored(); !slices.Equal(got, want) {
		t.Errorf("a contract is stored as %v", got)
	}
	if got := BudgetPlan.Stored(); !slices.Equal(got, BudgetPlan.States()) {
		t.Errorf("a plan is stored as %v", got)
	}
}

func TestMermaid(t *testing.T) {
	got := Contract.Mermaid()
	for _, line := range []string{
		"stateDiagram-v2\n", "[*] --> DRAFT\n", "APPROVED --> EXPIRING: by date\n",
		"UNDER_REVIEW --> APPROVED: approve (expense-authority)\n",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("the drawing lacks %q:\n%s", line, got)
		}
	}
}

// TestLabels checks that both languages name every state and verb, and nothing else.
func TestLabels(t *testing.T) {
	want := map[string]bool{}
	for _, m := range All() {
		for _, s := range m.States() {
			want[m.StateKey(s)] = true
		}
		for _, mv := range m.Moves {
			want[m.MoveKey(mv.Verb)] = true
		}
	}
	for _, lang := range []string{"en", "fr"} {
		b, err := os.ReadFile("../../platform/i18n/locales/flow." + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		labels := map[string]string{}
		if err := json.Unmarshal(b, &labels); err != nil {
			t.Fatal(err)
		}
		for key := range want {
			if labels[key] == "" {
				t.Errorf("%s has no label in %s", key, lang)
			}
		}
		for key := range labels {
			if !want[key] {
				t.Errorf("%s in %s labels nothing", key, lang)
			}
		}
	}
}
