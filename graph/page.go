package graph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"steward/internal/rules/errs"
)

// pageVariable marks the variable that stands for the page size of a field that
// names none or names it by variables. No document can name it: names have no
// colon. Behind the mark come the names of the variables for first and last.
const pageVariable = "page:"

// writePages marks every field that takes a page size and may lack one, in every
// depth, so that fillPage can give it the default: a connection without a size
// would load everything.
func writePages(ss ast.SelectionSet) {
	for _, s := range ss {
		switch s := s.(type) {
		case *ast.Field:
			if paged(s) {
				writePage(s)
			}
			wrapLists(s)
			writePages(s.SelectionSet)
		case *ast.InlineFragment:
			writePages(s.SelectionSet)
		}
	}
}

// paged reports whether the field takes a page size.
func paged(f *ast.Field) bool {
	return f.Definition != nil && f.Definition.Arguments.ForName("first") != nil
}

func writePage(f *ast.Field) {
	first, last := pageSize(f, "first"), pageSize(f, "last")
	variable := func(v *ast.Value) string {
		if v != nil && v.Kind == ast.Variable {
			return v.Raw
		}
		return ""
	}
	if (first == nil || variable(first) != "") && (last == nil || variable(last) != "") {
		setArgument(f, "first", &ast.Value{Raw: pageVariable + variable(first) + ":" + variable(last), Kind: ast.Variable, Position: f.Position})
	}
}

// pageSize returns the value of a page argument, nil when it is absent or null.
func pageSize(f *ast.Field, name string) *ast.Value {
	if a := f.Arguments.ForName(name); a != nil && a.Value.Kind != ast.NullValue {
		return a.Value
	}
	return nil
}

func setArgument(f *ast.Field, name string, v *ast.Value) {
	if a := f.Arguments.ForName(name); a != nil {
		a.Value = v
		return
	}
	f.Arguments = append(f.Arguments, &ast.Argument{Name: name, Value: v, Position: f.Position})
}

// wrapLists writes [x] where a document says x for a list, as the specification
// allows: the eager loading of nested connections only understands lists.
func wrapLists(f *ast.Field) {
	if f.Definition == nil {
		return
	}
	for _, a := range f.Arguments {
		d := f.Definition.Arguments.ForName(a.Name)
		if d == nil || d.Type.Elem == nil {
			continue
		}
		switch a.Value.Kind {
		case ast.ListValue, ast.Variable, ast.NullValue:
		default:
			inner := *a.Value
			a.Value = &ast.Value{Kind: ast.ListValue, Children: ast.ChildValueList{{Value: &inner, Position: a.Position}},
				Position: a.Position, ExpectedType: d.Type}
		}
	}
}

// fillPage gives the marked page variable of the field its value for this
// request: first, or the default when first and last are both null.
func fillPage(f *ast.Field, vars map[string]any, page int) {
	a := f.Arguments.ForName("first")
	if a == nil || a.Value.Kind != ast.Variable || !strings.HasPrefix(a.Value.Raw, pageVariable) {
		return
	}
	first, last, _ := strings.Cut(strings.TrimPrefix(a.Value.Raw, pageVariable), ":")
	if v := vars[first]; first != "" && v != nil {
		vars[a.Value.Raw] = v
	} else if last == "" || vars[last] == nil {
		vars[a.Value.Raw] = int64(page)
	}
}

// pageOf returns how many rows the field asks for at most. Too many is Limit;
// directions that contradict each other are Validation.
func pageOf(f *ast.Field, args map[string]any, most int) (int, error) {
	first, last := args["first"], args["last"]
	n := 0
	for _, x := range []struct {
		name  string
		value any
	}{{"first", first}, {"last", last}} {
		if x.value == nil {
			continue
		}
		i, ok := integer(x.value)
		switch {
		case !ok || i < 0:
			return 0, errs.New(errs.Validation, "graph.page_size", "field", f.Alias, "max", most).With(errs.Field{Path: x.name, Key: "error.invalid_value"})
		case i > most:
			return 0, errs.New(errs.Limit, "graph.page_max", "field", f.Alias, "max", most).With(errs.Field{Path: x.name, Key: "graph.page_over", Args: []any{"max", most}})
		}
		n = max(n, i)
	}
	contradiction := func(path, key string) error {
		return errs.New(errs.Validation, "graph.page_direction", "field", f.Alias).With(errs.Field{Path: path, Key: key})
	}
	switch {
	case first != nil && last != nil:
		return 0, contradiction("last", "graph.first_or_last")
	case args["after"] != nil && first == nil:
		return 0, contradiction("after", "graph.after_first")
	case args["before"] != nil && last == nil:
		return 0, contradiction("before", "graph.before_last")
	}
	return n, nil
}

// integer reads a coerced Int, whichever type the parser gave it.
func integer(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	case float64:
		return int(v), v == float64(int(v))
	case interface{ Int64() (int64, error) }:
		n, err := v.Int64()
		return int(n), err == nil
	}
	return 0, false
}
