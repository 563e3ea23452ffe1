package access_test

import (
	"context"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"steward/ent"
	"steward/internal/platform/entity"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

var byHand = regexp.MustCompile(`^(Add|Remove|Clear)([A-Z]\w*)$`)

// TestInverseEdges (AZ-9): an edge is written from the side that owns its key and
// from nowhere else, not even by the system, for writing it from its other side
// would pass by every check of the record it changes.
func TestInverseEdges(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		before := w.dump()
		pm := viewer.With(context.Background(), w.of(access.RolePortfolioManager).v)
		for _, e := range entity.Registry() {
			inverse := map[string]bool{}
			for _, x := range e.Edges {
				if x.Kind == entity.Back || x.Kind == entity.Linked {
					inverse[x.Name] = false
				}
			}
			r := w.first["ours/"+e.Name]
			kind := reflect.TypeOf(e.Edit(w.s.Client, r.id, 0).Mutation)
			for i := range kind.NumMethod() {
				method := kind.Method(i)
				if !byHand.MatchString(method.Name) || strings.HasSuffix(method.Name, "Field") || strings.HasSuffix(method.Name, "Edge") {
					continue
				}
				for ctxName, ctx := range map[string]context.Context{"the system": testkit.System(), "the manager": pm} {
					var name string
					err := w.s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
						change := e.Edit(c, r.id, 0)
						m := reflect.ValueOf(change.Mutation).MethodByName(method.Name)
						switch {
						case m.Type().IsVariadic() && m.Type().In(0) == reflect.TypeFor[[]ident.ID]():
							m.Call([]reflect.Value{reflect.ValueOf(r.id)})
						case m.Type().NumIn() == 0:
							m.Call(nil)
						default:
							return nil
						}
						touched := slices.Concat(change.Mutation.AddedEdges(), change.Mutation.RemovedEdges(), change.Mutation.ClearedEdges())
						for _, x := range touched {
							if _, ok := inverse[x]; ok {
								name = x
							}
						}
						if name == "" {
							return nil
						}
						_, err := change.Save(ctx)
						return err
					})
					if name == "" {
						continue
					}
					inverse[name] = true
					if err == nil {
						t.Errorf("%s writes %s.%s by %s", ctxName, e.Name, name, method.Name)
					} else if ctxName == "the system" && !strings.Contains(err.Error(), "other side") { // nothing else stops the system
						t.Errorf("%s.%s by %s was refused for another reason: %v", e.Name, name, method.Name, err)
					}
				}
			}
			for name, tried := range inverse {
				if !tried {
					t.Errorf("%s.%s was not tried", e.Name, name)
				}
			}
			for _, kind := range []string{"Create", "Update"} {
				if in := w.schema.Types[kind+e.Name+"Input"]; in != nil {
					for _, f := range in.Fields {
						for _, x := range e.Edges {
							stem := strings.ReplaceAll(strings.ToLower(strings.TrimSuffix(x.Name, "s")), "_", "")
							low := strings.ToLower(f.Name)
							if (x.Kind == entity.Back || x.Kind == entity.Linked) && slices.Contains([]string{stem + "ids", "add" + stem + "ids", "remove" + stem + "ids", "clear" + stem + "s"}, low) {
								if owns(e, stem) {
									continue
								}
								t.Errorf("%s.%s writes the edge %s", in.Name, f.Name, x.Name)
							}
						}
					}
				}
			}
		}
		differ(t, "after all that was refused", before, w.dump())
	})
}

// owns reports whether an edge of the same name belongs to the type itself.
func owns(e *entity.Entity, stem string) bool {
	return slices.ContainsFunc(e.Edges, func(x entity.Edge) bool {
		return (x.Kind == entity.Own || x.Kind == entity.Link) && strings.ReplaceAll(strings.ToLower(strings.TrimSuffix(x.Name, "s")), "_", "") == stem
	})
}

// TestIdsInInputs (AZ-10, AZ-11): every id in the input of a create or an update is
// looked up as the caller: one of a hidden record, one that never was and one of
// another type are all refused, and nothing changes.
func TestIdsInInputs(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		before := w.dump()
		hidden := 0
		for _, role := range []access.Role{access.RolePortfolioManager, access.RoleProductOwner, access.RoleContributor, access.RoleProcurementOfficer, access.RoleFinanceOfficer} {
			p := w.of(role)
			for _, e := range entity.Registry() {
				r := w.first["ours/"+e.Name]
				for _, verb := range []string{"create", "update"} {
					in := w.schema.Types[strings.ToUpper(verb[:1])+verb[1:]+e.Name+"Input"]
					if in == nil || !w.mutation(verb+e.Name) || !access.May(p.v, e.Name, access.Write) {
						continue
					}
					base, at, refs := map[string]any{}, r, []*row(nil)
					if verb == "create" {
						base, at, refs = w.input("ours", e)
						if creation(p.v, at, refs) != fine {
							continue
						}
					} else if expected(p.v, r, access.Write) != fine {
						continue
					}
					for _, f := range in.Fields {
						if f.Type.Name() != "ID" {
							continue
						}
						to := w.target(e, f.Name)
						if to == nil {
							t.Errorf("%s.%s: what does it point at?", in.Name, f.Name)
							continue
						}
						tries := map[string]ident.ID{"random": ident.New(to.Prefix), "another type": w.first["ours/"+map[bool]string{true: "Vendor", false: "Tag"}[to.Name == "Tag"]].id}
						if far := w.first["theirs/"+to.Name]; !sees(p.v, far) {
							tries["hidden"] = far.id
							hidden++
						}
						codes := map[string]string{}
						for what, id := range tries {
							with := map[string]any{}
							for k, v := range base {
								with[k] = v
							}
							with[f.Name] = id
							if f.Type.Elem != nil {
								with[f.Name] = []any{id}
							}
							var got string
							if verb == "create" {
								got = w.try(p.v, "create"+e.Name, "$in: "+in.Name+"!, $k: String", "input: $in, idempotencyKey: $k", "in", with, "k", w.fresh())
							} else {
								got = w.try(p.v, "update"+e.Name, "$id: ID!, $v: Int!, $in: "+in.Name+"!, $k: String", "id: $id, version: $v, input: $in, idempotencyKey: $k", "id", r.id, "v", w.version(r), "in", with, "k", w.fresh())
							}
							codes[what] = got
							if got == fine || got == "INTERNAL" {
								t.Errorf("%s, %s %s with %s of a %s: %s", p.name, verb, e.Name, f.Name, what, got)
							}
						}
						if codes["hidden"] != "" && codes["hidden"] != codes["random"] {
							t.Errorf("%s, %s %s with %s: hidden %s, random %s", p.name, verb, e.Name, f.Name, codes["hidden"], codes["random"])
						}
					}
				}
			}
		}
		if hidden < 20 {
			t.Errorf("only %d hidden ids were tried", hidden)
		}
		differ(t, "after all that was refused", before, w.dump())
	})
}

// target is the type that an id of an input points at.
func (w *world) target(e *entity.Entity, name string) *entity.Entity {
	for _, f := range e.Fields {
		if f.GQL == name {
			return entity.ByName(f.Ref)
		}
	}
	bare := strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(name, "add"), "remove"), "IDs"))
	for _, x := range e.Edges {
		one := strings.ReplaceAll(x.Name, "_", "")
		if one == bare || strings.TrimSuffix(one, "s") == bare || strings.TrimSuffix(one, "ies")+"y" == bare {
			return entity.ByName(x.To)
		}
	}
	return nil
}
