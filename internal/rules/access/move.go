package access

import (
	"slices"

	"steward/internal/rules/viewer"
)

// ForMove returns the rows of an entity on which the viewer may make a move that
// rules/flow reserves to the roles. The reach is that of the very role that makes
// the move: a finance officer who also owns a product hands in that product's plan
// and no other, though finance reaches them all. A move takes the strongest letter the matrix
// gives the role, so it is not for contributors where the role submits or decides,
// and not for tokens where it decides. What else a move needs is in rules/flow.
func ForMove(v *viewer.Viewer, entity string, roles []string) Reach {
	e, ok := Entities[entity]
	if !ok {
		return Reach{}
	}
	if v.IsSystem() {
		return Reach{All: true}
	}
	var r Reach
	for _, name := range roles {
		if l, ok := moveLetter(Role(name), e.Resource); ok {
			r = r.union(narrowed(v, entity, l, func(role Role) bool { return string(role) == name }))
		}
	}
	return r
}

// moveLetter returns the strongest letter, short of managing settings, that a role
// has on a resource; false when it only reads.
func moveLetter(role Role, res Resource) (Letter, bool) {
	for _, l := range slices.Backward([]Letter{Write, Submit, Approve, Execute}) {
		if slices.ContainsFunc(Grants(role, res), func(g Grant) bool { return g.Allows(l) }) {
			return l, true
		}
	}
	return 0, false
}
