// Package flow holds the life of everything that has one: which state may follow
// which, by which verb, who may do it and what it takes. It is data only. Guards,
// buttons, GraphQL's availableActions and the drawings in the documentation all
// read these tables; the work that a move entails stays in the areas.
//
// Anybody may import it; it imports errs only.
package flow

import (
	"fmt"
	"slices"
	"strings"

	"steward/internal/rules/errs"
)

// Need is what a move takes besides the role; several are joined with |.
type Need uint8

// The needs. The area that performs the move checks them.
const (
	Note         Need = 1 << iota // a reason in words, kept in the history
	SecondPerson                  // not whoever submitted or requested it
	Submitter                     // only whoever submitted it
	WithinLimit                   // the whole commitment is within the person's approval limit
	Previous                      // only back to the state it was in before
	Person                        // a person signed in, never an integration, token, import or job
	Recent                        // signed in recently, where the whole commitment is above the second threshold
)

// Has reports whether n includes all of x.
func (n Need) Has(x Need) bool { return n&x == x }

// Move is one permitted step. Roles are realm role names; a holder of any one may
// make the move, on rows within the reach of that role (rules/access).
type Move struct {
	From, To string
	Verb     string // lower case, the last part of the label key "move.<machine>.<verb>"
	Roles    []string
	Needs    Need
}

// By reports whether one of roles may make the move.
func (m Move) By(roles []string) bool {
	return slices.ContainsFunc(m.Roles, func(r string) bool { return slices.Contains(roles, r) })
}

// Machine is the life of one kind of thing. What is imported stands outside it:
// its state is taken as published, and only moves made here obey the table.
type Machine struct {
	Name    string   // as in label keys: "state.<name>.<STATE>"
	Initial []string // the states a new row may have
	Moves   []Move
	// Derived lists states that nobody moves to: they are read off the dates of a
	// row in the key's state (an APPROVED contract whose term runs is ACTIVE).
	Derived map[string][]string
}

// Named returns the machine with a name, either its own ("budget_plan") or the one
// the entity schemas use ("BudgetPlan"); false when there is none.
func Named(name string) (Machine, bool) {
	for _, m := range All() {
		if m.Name == name || strings.EqualFold(strings.ReplaceAll(m.Name, "_", ""), name) {
			return m, true
		}
	}
	return Machine{}, false
}

// Stored returns the states a row can hold: States without the derived ones.
func (m Machine) Stored() []string {
	return slices.DeleteFunc(m.States(), func(s string) bool {
		for _, d := range m.Derived {
			if slices.Contains(d, s) {
				return true
			}
		}
		return false
	})
}

// States returns every state once, in the order of the table.
func (m Machine) States() []string {
	var all []string
	add := func(states ...string) {
		for _, s := range states {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	add(m.Initial...)
	for _, mv := range m.Moves {
		add(mv.From)
		add(m.Derived[mv.From]...)
		add(mv.To)
	}
	return all
}

// Find returns the move between two states; false when the table has none.
func (m Machine) Find(from, to string) (Move, bool) {
	i := slices.IndexFunc(m.Moves, func(mv Move) bool { return mv.From == from && mv.To == to })
	if i < 0 {
		return Move{}, false
	}
	return m.Moves[i], true
}

// Available returns the moves out of from that one of roles may make, in the
// order of the table. Reach and needs are not looked at.
func (m Machine) Available(from string, roles []string) []Move {
	var out []Move
	for _, mv := range m.Moves {
		if mv.From == from && mv.By(roles) {
			out = append(out, mv)
		}
	}
	return out
}

// Check returns the move, or the error to show: errs.State when the table has no
// such move, errs.Forbidden when none of roles may make it.
func (m Machine) Check(from, to string, roles []string) (Move, error) {
	mv, ok := m.Find(from, to)
	switch {
	case !ok:
		return Move{}, errs.New(errs.State, "error.state", "machine", m.Name, "from", from, "to", to)
	case !mv.By(roles):
		return Move{}, errs.Forbidden()
	}
	return mv, nil
}

// IsInitial reports whether a new row may start in state.
func (m Machine) IsInitial(state string) bool { return slices.Contains(m.Initial, state) }

// StateKey returns the message id of a state's label.
func (m Machine) StateKey(state string) string { return "state." + m.Name + "." + state }

// MoveKey returns the message id of a verb's label.
func (m Machine) MoveKey(verb string) string { return "move." + m.Name + "." + verb }

// Mermaid draws the machine as a Mermaid state diagram for the documentation.
// Derived states hang on the stored one by an arrow labelled "by date".
func (m Machine) Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, s := range m.Initial {
		fmt.Fprintf(&b, "  [*] --> %s\n", s)
	}
	for _, from := range m.States() {
		for _, d := range m.Derived[from] {
			fmt.Fprintf(&b, "  %s --> %s: by date\n", from, d)
		}
	}
	for _, mv := range m.Moves {
		fmt.Fprintf(&b, "  %s --> %s: %s (%s)\n", mv.From, mv.To, mv.Verb, strings.Join(mv.Roles, ", "))
	}
	return b.String()
}
