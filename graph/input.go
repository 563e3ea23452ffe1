package graph

import (
	"strconv"
	"strings"

	"entgo.io/contrib/entgql"
	"github.com/vektah/gqlparser/v2/ast"

	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// predicatesMax bounds the conditions of all filters of one request together.
const predicatesMax = 200

// valueDepth bounds inputs within inputs.
const valueDepth = 16

// keyMax is how long an idempotency key may be.
const keyMax = 200

// write checks one field of a mutation: at most one of them moves money, and an
// integration that does names a key, so that a repeat is not a second payment. An
// answer with a secret is not kept for a repetition, so it goes with no key.
func (w *walk) write(f *ast.Field, args map[string]any) error {
	key, _ := args["idempotencyKey"].(string)
	if input, ok := args["input"].(map[string]any); ok && key == "" {
		key, _ = input["idempotencyKey"].(string)
	}
	if len(key) > keyMax {
		return errs.Invalid("idempotencyKey", "error.too_long", "max", keyMax)
	}
	if key != "" {
		w.plan.keys = append(w.plan.keys, key)
	}
	w.secret = w.secret || f.Definition.Directives.ForName("secret") != nil
	if w.secret && len(w.plan.keys) > 0 {
		return errs.Invalid("idempotencyKey", "graph.key_with_secret")
	}
	if !movesMoney(f) {
		return nil
	}
	if w.money++; w.money > 1 {
		return errs.New(errs.Limit, "graph.money_once")
	}
	if key == "" && w.viewer.Kind == viewer.Integration {
		return errs.Invalid("idempotencyKey", "graph.key_required")
	}
	return nil
}

// named is how many records a write names.
func named(args map[string]any) int {
	in, _ := args["input"].(map[string]any)
	rows, _ := in["rows"].([]any)
	records, _ := in["records"].([]any)
	return len(rows) + len(records)
}

// arguments checks the values of a field's arguments.
func (w *walk) arguments(f *ast.Field, args map[string]any) error {
	for _, a := range f.Definition.Arguments {
		if v, ok := args[a.Name]; ok && v != nil {
			if err := w.value(a.Type, v, a.Name, 0); err != nil {
				return err
			}
		}
	}
	if orders, _ := args["orderBy"].([]any); len(orders) == 0 {
		return unordered(args)
	}
	return nil
}

// unordered refuses cursors of an ordered list where no order is asked for. Those
// of another order are refused where the page is read.
func unordered(args map[string]any) error {
	for _, name := range []string{"after", "before"} {
		var c entgql.Cursor[ident.ID]
		if text, ok := args[name].(string); ok && c.UnmarshalGQL(text) == nil && c.Value != nil {
			return errs.Invalid(name, "error.cursor")
		}
	}
	return nil
}

// value checks one input value of a type, and everything in it.
func (w *walk) value(t *ast.Type, v any, path string, depth int) error {
	if depth > valueDepth {
		return tooLarge("graph.value_depth", valueDepth)
	}
	if list, ok := v.([]any); ok && t.Elem != nil {
		for i, x := range list {
			if err := w.value(t.Elem, x, path+"."+strconv.Itoa(i), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	name := t.Name()
	switch v := v.(type) {
	case string:
		if name == "Cursor" {
			return cursor(v, path)
		}
		return w.sorted(name, v)
	case map[string]any:
		d := w.door.schema.Types[name]
		if d == nil || d.Kind != ast.InputObject {
			return nil // JSON
		}
		for key, x := range v {
			f := d.Fields.ForName(key)
			if f == nil {
				continue
			}
			if err := w.member(name, key); err != nil {
				return err
			}
			if err := contradicted(v, key, path); err != nil {
				return err
			}
			if err := w.value(f.Type, x, path+"."+key, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// contradicted refuses to clear a field and to set it at once: the one database
// would do the latter, the other fails.
func contradicted(input map[string]any, key, path string) error {
	field, ok := strings.CutPrefix(key, "clear")
	if !ok || input[key] != true {
		return nil
	}
	for name, x := range input {
		if x != nil && (strings.EqualFold(name, field) || strings.EqualFold(name, field+"ID")) {
			return errs.Invalid(strings.TrimPrefix(path+"."+name, "input."), "error.invalid_value")
		}
	}
	return nil
}

// cursor refuses a cursor that Steward has not made.
func cursor(text, path string) error {
	var c entgql.Cursor[ident.ID]
	if c.UnmarshalGQL(text) != nil || c.ID == "" {
		return errs.Invalid(path, "error.cursor")
	}
	return nil
}
