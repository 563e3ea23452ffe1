// Package keyset builds the cursor condition of a page so that an index can
// serve it: (a, id) > ($1, $2) instead of a > $1 OR (a = $1 AND id > $2). Only
// the generated ent code calls it (see ent/codegen/patch.go).
package keyset

import (
	"slices"

	"entgo.io/contrib/entgql"
	"entgo.io/ent/dialect/sql"

	"steward/internal/rules/errs"
)

// IDDirection is the direction of the id that breaks ties: the one of the last
// order term, so that one index serves both ways. n is the number of terms.
func IDDirection(n int, dir func(int) entgql.OrderDirection) entgql.OrderDirection {
	if n == 0 {
		return entgql.OrderDirectionAsc
	}
	return dir(n - 1)
}

// Multi returns the conditions for the rows behind after and before. The
// direction in opts is already turned round for last, so before goes with last
// and after with first only (the guard of package graph sees to it). Terms of
// mixed direction have no row value, so they fall back to entgql's form. A
// cursor of another order is a Validation error.
func Multi[T any](after, before *entgql.Cursor[T], opts *entgql.MultiCursorsOptions) ([]func(*sql.Selector), error) {
	for _, c := range []*entgql.Cursor[T]{after, before} {
		if c == nil {
			continue
		}
		if vals, ok := c.Value.([]any); len(opts.Fields) > 0 && (!ok || len(vals) != len(opts.Fields)) {
			return nil, errs.Invalid("after", "error.cursor")
		}
	}
	if len(opts.Fields) == 0 || slices.Contains(opts.Fields, opts.FieldID) {
		return entgql.MultiCursorsPredicate(after, before, opts)
	}
	// The generated code says DESC for every page from the end; the id follows the
	// last term, as it does in the ORDER BY.
	opts.DirectionID = opts.Directions[len(opts.Directions)-1]
	for _, d := range opts.Directions {
		if d != opts.DirectionID {
			return entgql.MultiCursorsPredicate(after, before, opts)
		}
	}
	var out []func(*sql.Selector)
	for _, c := range []*entgql.Cursor[T]{after, before} {
		if c == nil {
			continue
		}
		vals := append(slices.Clone(c.Value.([]any)), any(c.ID))
		greater := opts.DirectionID == entgql.OrderDirectionAsc
		out = append(out, func(s *sql.Selector) {
			cols := make([]string, 0, len(opts.Fields)+1)
			for _, f := range append(slices.Clone(opts.Fields), opts.FieldID) {
				cols = append(cols, s.C(f))
			}
			if greater {
				s.Where(sql.CompositeGT(cols, vals...))
			} else {
				s.Where(sql.CompositeLT(cols, vals...))
			}
		})
	}
	return out, nil
}
