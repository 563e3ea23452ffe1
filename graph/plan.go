package graph

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// What a request costs, in points. A point is about one record read: a
// connection costs its page times what one row of it costs. Fields that add up
// or look at many records name their price in the schema (@cost).
const (
	pointsOfMutation      = 10  // each write, beside the records it names and what its answer reads
	pointsOfIntrospection = 100 // __schema and __type
	rowsOfList            = 10  // what a list without pages is taken to hold
)

// plan is what one operation asks for.
type plan struct {
	points      int
	introspects bool
	hides       bool     // fields are asked for that the viewer may not see
	keys        []string // idempotency keys, sorted
}

// plan walks a valid operation once, with its fragments written out and equal
// fields merged as the execution will, and refuses what must not run: pages too
// large, values that the generated code trips over, filters by hidden fields,
// introspection by those who may not, a second money mutation.
func (d *door) plan(v *viewer.Viewer, oc *graphql.OperationContext) (p *plan, err error) {
	defer func() {
		if recover() != nil { // a number that no Int can hold
			p, err = nil, errs.New(errs.Validation, "error.validation")
		}
	}()
	w := &walk{door: d, viewer: v, vars: oc.Variables, plan: &plan{}, mutation: oc.Operation.Operation == ast.Mutation}
	if w.vars == nil {
		w.vars = map[string]any{}
		oc.Variables = w.vars
	}
	if len(oc.Operation.Directives) > 0 {
		return nil, errs.New(errs.Validation, "graph.directive", "name", oc.Operation.Directives[0].Name)
	}
	points, err := w.sets([]ast.SelectionSet{oc.Operation.SelectionSet}, true, 0)
	w.plan.points = max(1, points)
	if err != nil {
		return w.plan, err
	}
	slices.Sort(w.plan.keys)
	for i := 1; i < len(w.plan.keys); i++ {
		if w.plan.keys[i] == w.plan.keys[i-1] {
			return w.plan, errs.Invalid("idempotencyKey", "graph.key_twice")
		}
	}
	return w.plan, nil
}

// walk is one operation being planned.
type walk struct {
	door       *door
	viewer     *viewer.Viewer
	vars       map[string]any
	plan       *plan
	mutation   bool
	money      int  // money mutations so far
	secret     bool // one of the mutations tells a secret
	predicates int
}

// group is the selections that become one member of the answer.
type group struct {
	field *ast.Field // the first of them
	sets  []ast.SelectionSet
}

// sets prices the merged selections of one object; rows is the page when it is a
// connection.
func (w *walk) sets(sets []ast.SelectionSet, root bool, rows int) (int, error) {
	var order []string
	groups := map[string]*group{}
	for _, ss := range sets {
		if err := w.collect(ss, &order, groups); err != nil {
			return 0, err
		}
	}
	if err := w.blindCursor(groups); err != nil {
		return 0, err
	}
	total := 0
	edges := map[string]string{} // to-one edge → the name it already has
	for _, name := range order {
		g := groups[name]
		if err := faulty(g.field, edges); err != nil {
			return 0, err
		}
		n, err := w.field(g, root)
		if rows > 0 && g.field.Name == "edges" {
			n = times(rows, max(1, n))
		}
		if total = add(total, n); err != nil {
			return total, err
		}
	}
	return total, nil
}

func (w *walk) collect(ss ast.SelectionSet, order *[]string, groups map[string]*group) error {
	for _, s := range ss {
		switch s := s.(type) {
		case *ast.Field:
			if err := deferred(s.Directives); err != nil {
				return err
			}
			g := groups[s.Alias]
			if g == nil {
				g = &group{field: s}
				groups[s.Alias] = g
				*order = append(*order, s.Alias)
			}
			g.sets = append(g.sets, s.SelectionSet)
			fillPage(s, w.vars, w.door.limits.Page)
		case *ast.InlineFragment:
			if err := deferred(s.Directives); err != nil {
				return err
			}
			if err := w.collect(s.SelectionSet, order, groups); err != nil {
				return err
			}
		case *ast.FragmentSpread:
			if err := deferred(s.Directives); err != nil {
				return err
			}
			if err := w.collect(s.Definition.SelectionSet, order, groups); err != nil {
				return err
			}
		}
	}
	return nil
}

// deferred refuses answers in parts: each request gets one.
func deferred(ds ast.DirectiveList) error {
	if ds.ForName("defer") != nil {
		return errs.New(errs.Validation, "graph.directive", "name", "defer")
	}
	return nil
}

// faulty refuses what the eager loading of entgql answers wrongly: it knows the
// parts of a connection by their names, and loads a to-one edge once.
func faulty(f *ast.Field, edges map[string]string) error {
	if f.ObjectDefinition == nil {
		return nil
	}
	object := f.ObjectDefinition.Name
	if f.Alias != f.Name && (strings.HasSuffix(object, "Connection") || strings.HasSuffix(object, "Edge")) {
		return errs.New(errs.Validation, "graph.alias_part", "field", f.Name)
	}
	if f.Definition == nil || f.Definition.Type.Elem != nil || len(f.SelectionSet) == 0 || paged(f) ||
		!slices.Contains(f.ObjectDefinition.Interfaces, "Node") {
		return nil
	}
	key := object + "." + f.Name
	if had, ok := edges[key]; ok && had != f.Alias {
		return errs.New(errs.Validation, "graph.alias_edge", "field", f.Name)
	}
	edges[key] = f.Alias
	return nil
}

// blindCursor refuses to answer where a page begins or ends without its rows:
// nothing is read then, and the answer would be null.
func (w *walk) blindCursor(groups map[string]*group) error {
	p := groups["pageInfo"]
	if p == nil || groups["edges"] != nil || p.field.ObjectDefinition == nil {
		return nil
	}
	var order []string
	parts := map[string]*group{}
	for _, ss := range p.sets {
		if err := w.collect(ss, &order, parts); err != nil {
			return err
		}
	}
	for _, x := range parts {
		if strings.HasSuffix(x.field.Name, "Cursor") {
			return errs.New(errs.Validation, "graph.blind_cursor", "field", x.field.Name)
		}
	}
	return nil
}

// field prices one field with everything below it.
func (w *walk) field(g *group, root bool) (int, error) {
	f := g.field
	if strings.HasPrefix(f.Name, "__") {
		return w.meta(f)
	}
	if f.Definition == nil {
		return 0, nil
	}
	if hidden(w.viewer, f.ObjectDefinition.Name, f.Name) {
		w.plan.hides = true
	}
	args := f.ArgumentMap(w.vars)
	if err := w.arguments(f, args); err != nil {
		return 0, err
	}
	rows := 0
	if paged(f) {
		var err error
		if rows, err = pageOf(f, args, w.door.limits.MaxPage); err != nil {
			return 0, err
		}
	}
	if root && w.mutation {
		if err := w.write(f, args); err != nil {
			return 0, err
		}
	}
	connection := strings.HasSuffix(f.Definition.Type.Name(), "Connection")
	page := 0
	if connection {
		page = rows
	}
	below, err := w.sets(g.sets, false, page)
	if err != nil {
		return 0, err
	}
	t := f.Definition.Type
	switch {
	case root && w.mutation:
		return add(pointsOfMutation+named(args), below), nil
	case f.Definition.Directives.ForName("cost") != nil:
		n, _ := strconv.Atoi(f.Definition.Directives.ForName("cost").Arguments.ForName("points").Value.Raw)
		return add(n, below), nil
	case connection:
		return max(1, below), nil
	case paged(f):
		return times(rows, add(1, below)), nil
	case t.Elem != nil && w.isRecord(t.Name()):
		n := rowsOfList
		if ids, ok := args["ids"].([]any); ok {
			if n = len(ids); n > w.door.limits.MaxPage {
				return 0, errs.New(errs.Limit, "graph.page_max", "field", f.Alias, "max", w.door.limits.MaxPage)
			}
		}
		return times(n, add(1, below)), nil
	case root || w.isRecord(t.Name()) || f.Name == "totalCount":
		return add(1, below), nil
	}
	return below, nil
}

// isRecord reports whether values of the type are rows.
func (w *walk) isRecord(name string) bool {
	d := w.door.schema.Types[name]
	return d != nil && (name == "Node" || slices.Contains(d.Interfaces, "Node"))
}

// meta prices __typename and introspection, and keeps the latter to staff.
func (w *walk) meta(f *ast.Field) (int, error) {
	if f.Name == "__typename" {
		return 0, nil
	}
	if !mayIntrospect(w.viewer) {
		return 0, errs.New(errs.CodeForbidden, "graph.introspection")
	}
	w.plan.introspects = true
	return pointsOfIntrospection, nil
}

const most = math.MaxInt32

func add(a, b int) int { return min(a+b, most) }

func times(a, b int) int {
	if a > 0 && b > most/a {
		return most
	}
	return a * b
}
