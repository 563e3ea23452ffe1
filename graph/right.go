package graph

import (
	"context"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"steward/internal/platform/entity"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// mayIntrospect reports whether the viewer may read the schema here: staff and
// their tokens and integrations, never a partner. The schema is also published
// as a file.
func mayIntrospect(v *viewer.Viewer) bool {
	staff := false
	for _, r := range v.Roles {
		if r == string(access.RolePartner) {
			return false
		}
		_, known := access.ParseRole(r)
		staff = staff || known
	}
	return staff
}

// protected are the fields of rules/access under their GraphQL names: type →
// field → column.
var protected = sync.OnceValue(func() map[string]map[string]string {
	m := map[string]map[string]string{}
	for name := range access.ProtectedFields {
		object, column, _ := strings.Cut(name, ".")
		e := entity.ByName(object)
		if e == nil {
			continue
		}
		if f, ok := e.Field(column); ok {
			if m[object] == nil {
				m[object] = map[string]string{}
			}
			m[object][f.GQL] = column
		}
	}
	return m
})

// hidden reports whether the viewer may not see the field of the type.
func hidden(v *viewer.Viewer, object, field string) bool {
	column, ok := protected()[object][field]
	if field == "custom" {
		column, ok = field, true
	}
	return ok && !v.IsSystem() && access.FieldHidden(v, object, column)
}

// hide answers hidden fields with null and an error each; everything else of the
// row is answered.
func hide(oc *graphql.OperationContext, v *viewer.Viewer) {
	next := oc.ResolverMiddleware
	oc.ResolverMiddleware = func(ctx context.Context, resolve graphql.Resolver) (any, error) {
		if fc := graphql.GetFieldContext(ctx); hidden(v, fc.Object, fc.Field.Name) {
			return nil, errs.Forbidden()
		}
		return next(ctx, resolve)
	}
}

// operators are the endings that turn a field's name into a filter's.
var operators = []string{"", "NEQ", "In", "NotIn", "GT", "GTE", "LT", "LTE", "IsNil", "NotNil", "Contains", "ContainsFold"}

// member checks one key of an input object: filters are counted, and neither
// filters nor writes may touch a hidden field.
func (w *walk) member(object, key string) error {
	if of, ok := strings.CutSuffix(object, "WhereInput"); ok {
		if w.predicates++; w.predicates > predicatesMax {
			return tooLarge("graph.predicates", predicatesMax)
		}
		if key == "customField" && hidden(w.viewer, of, "custom") {
			return errs.New(errs.CodeForbidden, "graph.hidden_filter", "field", key)
		}
		for field := range protected()[of] {
			op, is := strings.CutPrefix(key, field)
			if is && isOperator(op) && hidden(w.viewer, of, field) {
				return errs.New(errs.CodeForbidden, "graph.hidden_filter", "field", field)
			}
		}
		return nil
	}
	of := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(object, "Create"), "Update"), "Input")
	if hidden(w.viewer, of, key) {
		return errs.New(errs.CodeForbidden, "graph.hidden_filter", "field", key)
	}
	return nil
}

func isOperator(s string) bool {
	for _, op := range operators {
		if s == op {
			return true
		}
	}
	return false
}

// sorted refuses to sort by a hidden field: the order would tell its values.
func (w *walk) sorted(object, value string) error {
	of, ok := strings.CutSuffix(object, "OrderField")
	if !ok {
		return nil
	}
	for field, column := range protected()[of] {
		if strings.EqualFold(column, value) && hidden(w.viewer, of, field) {
			return errs.New(errs.CodeForbidden, "graph.hidden_filter", "field", field)
		}
	}
	return nil
}

// movesMoney reports whether a mutation changes amounts: marked so in the schema,
// or a generated write of a type with amounts.
func movesMoney(f *ast.Field) bool {
	if f.Definition.Directives.ForName("money") != nil {
		return true
	}
	for _, verb := range []string{"create", "update", "upsert", "archive", "restore"} {
		if name, ok := strings.CutPrefix(f.Name, verb); ok {
			if e := entity.ByName(name); e != nil {
				for _, x := range e.Fields {
					if x.Kind == "money" {
						return true
					}
				}
			}
		}
	}
	return false
}
