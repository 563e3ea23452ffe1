// Package move takes records from one state to the next: it is the one verb behind
// procurement.Move, contract.Move, okr.Move, initiative.Move and product.MoveStage.
// rules/flow says which moves there are, rules/access who may make them; this
// package brings the two together with the record, its version and its history.
//
// The areas register what their own moves do besides. The doors (web, graph) call
// Do and Load for any entity whose area has done so.
package move

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"steward/ent"
	"steward/internal/area/approval"
	"steward/internal/platform/entity"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/ident"
)

// noteMax is how long a note may be: the audit keeps no more.
const noteMax = 2000

// Input asks for one move.
type Input struct {
	Entity  string // may be left empty with the verb of an area
	ID      ident.ID
	To      string
	Version int    // of the record as the caller saw it
	Note    string // why; some moves need it
	// Contract is the one a procurement ended in, for the move to CONTRACTED only.
	Contract ident.ID
}

// Verb is what an area adds to the moves of its entity.
type Verb struct {
	// Field holds the state.
	Field string
	// Apply refuses a move that lacks what the area demands, or sets further columns
	// of the record in the same write. It runs as the viewer, after the right to move
	// has been checked and before anything is written. Nil: nothing more.
	Apply func(ctx context.Context, c *ent.Client, r Record, step flow.Move, in Input, m ent.Mutation) error
}

var verbs = map[string]Verb{}

// Register adds the verb of an entity. Areas call it from init, once; a second verb
// for the same entity is a fault of the program.
func Register(name string, v Verb) {
	if _, twice := verbs[name]; twice {
		panic("move: two verbs for " + name)
	}
	verbs[name] = v
}

// Do makes one move in a transaction (joining one that is open) and keeps the note
// as the reason in the audit. A refused move leaves nothing behind. The errors, in
// the order they are looked for:
//
//   - NotFound: no such record, or one the viewer cannot see
//   - Validation naming "version" or "note"
//   - Conflict (errs.Stale): somebody changed the record since Version
//   - State: archived, or no such move out of the present state
//   - Forbidden: not this role or not these rows; an integration, token or job
//     where a person must act; the same person where a second one must; a
//     commitment above the person's limit
//   - what auth.Fresh says of an approval above the second threshold (area/approval)
//   - what the area's own Apply says
func Do(ctx context.Context, s *store.Store, in Input) error {
	verb, ok := verbs[in.Entity]
	if !ok {
		return fmt.Errorf("move: no area has registered a verb for %q", in.Entity)
	}
	in.Note = strings.TrimSpace(in.Note)
	return s.Tx(store.Because(ctx, &in.Note), func(ctx context.Context, c *ent.Client) error {
		found, err := load(ctx, s, in.Entity, true, in.ID)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errs.NotFound()
		}
		r := found[0]
		step, err := r.check(ctx, s, in)
		if err != nil {
			return err
		}
		e := entity.ByName(in.Entity)
		w := e.Edit(c, r.ID, in.Version)
		f, _ := e.Field(verb.Field)
		to, err := f.Enum(step.To)
		if err != nil {
			return err
		}
		if err := w.Mutation.SetField(verb.Field, to); err != nil {
			return err
		}
		if verb.Apply != nil {
			if err := verb.Apply(ctx, c, r, step, in, w.Mutation); err != nil {
				return err
			}
		}
		// The right has been checked against the move's own roles, which need not have
		// any right to edit the record.
		_, err = w.Save(store.Moving(scope.Elevate(store.Because(ctx, &in.Note))))
		return s.Stale(ctx, in.Entity, r.ID, err)
	})
}

// check finds the move and says why it may not be made.
func (r Record) check(ctx context.Context, s *store.Store, in Input) (flow.Move, error) {
	switch {
	case in.Version < 1:
		return flow.Move{}, errs.Invalid("version", "error.required")
	case utf8.RuneCountInString(in.Note) > noteMax:
		return flow.Move{}, errs.Invalid("note", "error.too_long", "max", noteMax)
	case in.Version != r.Version:
		return flow.Move{}, s.Stale(ctx, r.Entity, r.ID, errs.NotFound())
	case r.Archived:
		return flow.Move{}, errs.New(errs.State, "move.archived")
	}
	step, ok := r.Machine.Find(r.State, in.To)
	if !ok {
		return flow.Move{}, errs.New(errs.State, "error.state", "machine", r.Machine.Name, "from", r.State, "to", in.To)
	}
	if err := r.refusal(step); err != nil {
		return flow.Move{}, err
	}
	if step.Needs.Has(flow.Note) && in.Note == "" {
		return flow.Move{}, errs.Invalid("note", "error.reason_required")
	}
	if step.Needs.Has(flow.Recent) {
		return step, approval.Recent(ctx, s, r.commitment().amount)
	}
	return step, nil
}

// WantsProof reports whether the viewer could make the move to a state, were it not long
// since they proved who they are. A form asks before it is sent.
func WantsProof(ctx context.Context, s *store.Store, name string, id ident.ID, to string) (bool, error) {
	found, err := Load(ctx, s, name, id)
	if err != nil || len(found) == 0 {
		return false, err
	}
	r := found[0]
	step, ok := r.Machine.Find(r.State, to)
	if !ok || !step.Needs.Has(flow.Recent) || r.refusal(step) != nil {
		return false, nil
	}
	return approval.Above(ctx, s, r.commitment().amount)
}
