package move_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	_ "steward/internal/area/contract"
	_ "steward/internal/area/initiative"
	"steward/internal/area/move"
	_ "steward/internal/area/okr"
	_ "steward/internal/area/procurement"
	_ "steward/internal/area/product"
	"steward/internal/platform/entity"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/flow"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func today() civil.Date { return civil.DateOf(time.Now().UTC()) }

var entities = []string{"Procurement", "Contract", "Objective", "Initiative", "Product"}

func machine(name string) flow.Machine {
	m, _ := flow.Named(entity.ByName(name).Machine)
	return m
}

// Every move of every machine with every role: the roles of the table make it, all
// others are refused and nothing at all changes.
func TestEveryMoveByEveryRole(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		for _, name := range entities {
			for _, mv := range machine(name).Moves {
				id := w.make(name, mv.From, w.ours, w.product)
				for _, role := range access.Roles {
					product := w.product
					v := who("mover", []string{string(role)}, w.everywhere()...)
					if name == "Product" {
						v.Memberships = append(v.Memberships, viewer.Membership{Scope: viewer.ScopeProduct, ID: id, Level: viewer.LevelOwner, PortfolioID: w.ours.ID})
					}
					before, counted := w.row(name, id), w.events()
					in := move.Input{Entity: name, ID: id, To: mv.To, Version: 1, Note: "because"}
					offered, oerr := move.Actions(as(v), s, name, id)
					err := move.Do(as(v), s, in)
					if slices.Contains(mv.Roles, string(role)) {
						if err != nil || oerr != nil || !slices.ContainsFunc(offered, same(mv)) {
							t.Errorf("%s %s→%s by %s: %v; offered %v, %v", name, mv.From, mv.To, role, err, offered, oerr)
							continue
						}
						after := w.row(name, id)
						if got := stateOf(name, after); got != mv.To || entity.ByName(name).Value(after, "version") != 2 {
							t.Errorf("%s %s→%s by %s left it %s", name, mv.From, mv.To, role, got)
						}
						if last := s.LastChange(testkit.System(), id); last == nil || last.Reason != "because" || last.ActorID != string(v.ID) {
							t.Errorf("%s %s→%s: the audit says %+v", name, mv.From, mv.To, last)
						}
						id = w.make(name, mv.From, w.ours, product)
						continue
					}
					if code := errs.CodeOf(err); code != errs.CodeForbidden && code != errs.CodeNotFound {
						t.Errorf("%s %s→%s by %s: %v", name, mv.From, mv.To, role, err)
					}
					if slices.ContainsFunc(offered, same(mv)) {
						t.Errorf("%s %s→%s is offered to %s", name, mv.From, mv.To, role)
					}
					if !reflect.DeepEqual(before, w.row(name, id)) || counted != w.events() {
						t.Errorf("%s %s→%s, refused to %s, left something behind", name, mv.From, mv.To, role)
					}
				}
			}
		}
	})
}

// What the table does not have is no move, not even for a holder of every role.
func TestNothingOutsideTheTable(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		var roles []string
		for _, r := range access.Roles {
			roles = append(roles, string(r))
		}
		ctx := as(who("all", roles, w.everywhere()...))
		for _, name := range entities {
			m := machine(name)
			for _, from := range m.States() {
				id := w.make(name, from, w.ours, w.product)
				for _, to := range append(m.States(), "", "NONSENSE") {
					if _, ok := m.Find(from, to); ok {
						continue
					}
					err := move.Do(ctx, s, move.Input{Entity: name, ID: id, To: to, Version: 1, Note: "because"})
					if errs.CodeOf(err) != errs.State {
						t.Errorf("%s %s→%q: %v", name, from, to, err)
					}
				}
			}
		}
	})
}

// A role reaches only the rows of its memberships: elsewhere they are absent, and
// with a membership of another kind than the role counts in, forbidden.
func TestRowsOutOfReach(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		for _, name := range entities {
			for _, mv := range machine(name).Moves {
				if mv.From != machine(name).Initial[0] {
					continue
				}
				foreign, own := w.make(name, mv.From, w.theirs, nil), w.make(name, mv.From, w.ours, nil)
				for _, role := range mv.Roles {
					in := move.Input{Entity: name, ID: foreign, To: mv.To, Version: 1, Note: "because"}
					err := move.Do(as(who("mover", []string{role}, w.portfolio(viewer.LevelManager), w.owner())), s, in)
					want := errs.CodeNotFound
					if access.For(who("mover", []string{role}), name, access.Read).All {
						want = "" // their role reaches everything, the move included
					}
					if errs.CodeOf(err) != want {
						t.Errorf("%s of another portfolio, %s by %s: %v", name, mv.Verb, role, err)
					}
					if role == string(access.RoleProductOwner) {
						// As a manager of the portfolio a product owner reads the row and is no owner of it.
						in.ID = own
						err = move.Do(as(who("mover", []string{role, "viewer", "contributor"}, w.portfolio(viewer.LevelManager), w.owner())), s, in)
						if errs.CodeOf(err) != errs.CodeForbidden && errs.CodeOf(err) != errs.CodeNotFound {
							t.Errorf("%s without product, %s by its owner: %v", name, mv.Verb, err)
						}
					}
				}
			}
			random := move.Input{Entity: name, ID: w.ours.ID + "X", To: "DRAFT", Version: 1}
			if err := move.Do(as(who("any", []string{"portfolio-manager"}, w.everywhere()...)), s, random); errs.CodeOf(err) != errs.CodeNotFound {
				t.Errorf("%s that does not exist: %v", name, err)
			}
		}
	})
}

func same(mv flow.Move) func(flow.Move) bool {
	return func(x flow.Move) bool { return x.From == mv.From && x.To == mv.To }
}

func stateOf(name string, r entity.Row) string {
	field := "status"
	if name == "Product" {
		field = "stage"
	}
	x, _ := entity.ByName(name).Value(r, field).(string)
	return x
}
