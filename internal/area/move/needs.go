package move

import (
	"slices"

	"steward/internal/platform/entity"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// refusal returns why the viewer may not make the move on this record, nil when
// they may. The note is not looked at: it comes with the request.
func (r Record) refusal(mv flow.Move) error {
	v := r.viewer
	if v == nil {
		return errs.Forbidden()
	}
	reach := access.ForMove(v, r.Entity, mv.Roles)
	switch {
	case !slices.ContainsFunc(r.places, reach.Includes):
		return errs.Forbidden()
	case mv.Needs.Has(flow.Person) && (v.Kind != viewer.Person || access.Bounded(v)):
		return errs.New(errs.CodeForbidden, "error.person_only")
	case mv.Needs.Has(flow.Submitter) && !v.IsSystem() && r.submitter() != string(v.ID):
		return errs.New(errs.CodeForbidden, "error.submitter_only")
	case mv.Needs.Has(flow.SecondPerson) && !v.IsSystem() && slices.Contains(r.first(), string(v.ID)):
		return errs.New(errs.CodeForbidden, "error.second_person")
	case mv.Needs.Has(flow.Previous) && !r.cameFrom(mv.To):
		return errs.New(errs.State, "move.previous_only")
	case mv.Needs.Has(flow.WithinLimit):
		return r.limit.refusal()
	}
	return nil
}

// submitter returns who made the last move into the present state.
func (r Record) submitter() string {
	if x := r.text("submitted_by"); x != "" {
		return x
	}
	for _, p := range slices.Backward(r.past) {
		if p.to == r.Stored {
			return p.actor
		}
	}
	return ""
}

// first returns the people to whom nobody else's decision may fall: whoever made
// the record, asked for it, or took it a step on the way to the decision. A
// decision taken earlier (returning a plan, say) does not bar from the next one.
func (r Record) first() []string {
	out := []string{r.text("created_by"), r.text("requester_id"), r.text("submitted_by")}
	for _, p := range r.past {
		if mv, ok := r.Machine.Find(p.from, p.to); !ok || !mv.Needs.Has(flow.SecondPerson) {
			out = append(out, p.actor)
		}
	}
	return slices.DeleteFunc(out, func(id string) bool { return id == "" })
}

// cameFrom reports whether the record was in the state before the present one.
// Where nobody knows, because an import found it here, any state is right.
func (r Record) cameFrom(state string) bool {
	for _, p := range slices.Backward(r.past) {
		if p.to == r.Stored {
			return p.from == state || p.from == "UNKNOWN"
		}
	}
	return true
}

// text returns a column of the record as text, "" when it has none or it is empty.
func (r Record) text(field string) string {
	switch x := entity.ByName(r.Entity).Value(r.Row, field).(type) {
	case string:
		return x
	case ident.ID:
		return string(x)
	}
	return ""
}
