package custom

import (
	"context"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"

	"steward/internal/platform/store"
	rules "steward/internal/rules/custom"
	"steward/internal/rules/money"
)

// Op is how a filter compares.
type Op string

// The comparisons. Is takes several values, any of which fits; Any and None take none:
// the record has a value, or has not. Ranges are of numbers and days, Contains is of
// texts, choices and links and does not mind capitals.
const (
	Is       Op = "eq"
	More     Op = "gt"
	AtLeast  Op = "gte"
	Less     Op = "lt"
	AtMost   Op = "lte"
	Contains Op = "contains"
	Any      Op = "any"
	None     Op = "none"
)

// Filter returns the condition that records of an entity meet whose field of the code
// compares so with the values, given as JSON has them or as exports write them. It fits any query of the entity:
// the list of the pages and the generated filters use it. A code that is no field, an
// operator that does not fit the kind and a value that is none are Validation errors at
// "custom.code".
func Filter(ctx context.Context, s *store.Store, entity, code string, op Op, values ...any) (func(*sql.Selector), error) {
	all, err := Seen(ctx, s, entity)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if f.Code == code {
			return f.Where(op, values...)
		}
	}
	return nil, rules.Field{Code: named(code)}.Refuse("custom.unknown")
}

// Fits reports whether the values of the kind can be compared so.
func (op Op) Fits(kind rules.Kind) bool {
	switch op {
	case Is, Any, None:
		return true
	case More, AtLeast, Less, AtMost:
		return kind == rules.Number || kind == rules.Date
	case Contains:
		return kind == rules.Text || kind == rules.Choice || kind == rules.Link
	}
	return false
}

// Where is Filter for a field that was looked up. The code comes from a definition, so
// it is an identifier; values are parameters.
func (f Field) Where(op Op, values ...any) (func(*sql.Selector), error) {
	if !op.Fits(f.Kind) || !rules.IsCode(f.Code) {
		return nil, f.Refuse("custom.operator", "op", string(op))
	}
	if op == Any || op == None {
		values = nil
	} else if len(values) == 0 || op != Is && len(values) > 1 {
		return nil, f.Refuse("custom.operator", "op", string(op))
	}
	kept := make([]any, len(values))
	for i, v := range values {
		if s, ok := v.(string); ok && op == Contains {
			if kept[i] = s; len(s) > rules.MaxLink || strings.ContainsRune(s, 0) {
				return nil, f.Refuse("custom.text")
			}
			continue
		}
		r := f.Field
		if f.Kind == rules.Choice { // a choice that is gone may still be looked for
			r.Kind = rules.Text
		}
		read := func() (any, error) { return r.Value(v) }
		if s, ok := v.(string); ok { // a yes or no too
			read = func() (any, error) { return r.Parse(s, "") }
		}
		x, err := read()
		if err != nil {
			return nil, err
		}
		if x == nil {
			return nil, f.Refuse("custom.operator", "op", string(op))
		}
		kept[i] = x
	}
	return func(sel *sql.Selector) { sel.Where(f.predicate(sel.C(column), op, kept)) }, nil
}

func (f Field) predicate(column string, op Op, values []any) *sql.Predicate {
	at := sqljson.Path(f.Code)
	switch op {
	case Any:
		return sqljson.HasKey(column, at)
	case None:
		return sql.Not(sqljson.HasKey(column, at))
	case Contains:
		return contains(column, f.Code, values[0].(string))
	case Is:
		all := make([]*sql.Predicate, len(values))
		for i, v := range values {
			all[i] = f.compare(column, " = ", v)
		}
		return sql.Or(all...)
	}
	return f.compare(column, map[Op]string{More: " > ", AtLeast: " >= ", Less: " < ", AtMost: " <= "}[op], values[0])
}

// compare compares the stored value with one in the form it is kept in. Days sort as
// texts; numbers are compared exactly on both databases.
func (f Field) compare(column, sign string, v any) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		value := sqljson.ValuePath(column, sqljson.Path(f.Code), sqljson.Unquote(true))
		postgres := b.Dialect() == dialect.Postgres
		switch x := v.(type) {
		case bool:
			b.Join(value).WriteString(sign)
			if postgres {
				b.Arg(rules.Plain(x))
			} else {
				b.Arg(x)
			}
		default:
			if f.Kind != rules.Number {
				b.Join(value).WriteString(sign).Arg(x)
				return
			}
			a, _ := money.Parse(rules.Plain(x)) // Value has made it one
			if postgres {
				b.WriteString("CASE WHEN ").Join(value).WriteString(` ~ '^-?[0-9]+\.[0-9]+$' THEN (`).Join(value).WriteString(")::numeric END").WriteString(sign)
				b.Arg(a.String()).WriteString("::numeric")
				return
			}
			// "12.50" in ten-thousandths: its digits and as many zeros as it has decimals
			// less than four
			b.WriteString("CAST(REPLACE(").Join(value).WriteString(", '.', '') || SUBSTR('0000', 1, 4 - (LENGTH(").Join(value).
				WriteString(") - INSTR(").Join(value).WriteString(", '.'))) AS INTEGER)").WriteString(sign).Arg(int64(a))
		}
	})
}

// contains is ent's ContainsFold for a value in JSON.
func contains(column, code, part string) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		value := sqljson.ValuePath(column, sqljson.Path(code), sqljson.Unquote(true))
		like := "%" + literal.Replace(strings.ToLower(part)) + "%"
		if b.Dialect() == dialect.Postgres {
			b.Join(value).WriteString(" ILIKE ").Arg(like)
			return
		}
		b.WriteString("LOWER(").Join(value).WriteString(") LIKE ").Arg(like).WriteString(` ESCAPE '\'`)
	})
}

// literal takes the meaning of the signs of LIKE away.
var literal = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
