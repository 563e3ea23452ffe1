package importer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	"steward/ent/migrate"
	"steward/internal/platform/entity"
	"steward/internal/rules/civil"
	"steward/internal/rules/money"
)

// class is how a column is compared and sent: all named text types as text, all
// numbers as int64, so that a value from a file equals the one read back.
type class int

const (
	text    class = iota // string
	whole                // int64
	truth                // bool
	day                  // civil.Date
	instant              // time.Time
	doc                  // JSON
)

// table is an entity's table as the generated schema describes it.
type table struct {
	*entity.Entity
	columns []*schema.Column // id first
	classes []class
	at      map[string]int
	sorted  []int  // the columns in the order of their names
	amounts []bool // whether a column holds an amount, or another number of decimals
	fresh   []any  // a new row: what the schema says for columns nobody set
}

var schemas = sync.OnceValue(func() map[string]*schema.Table {
	out := map[string]*schema.Table{}
	for _, t := range migrate.Tables {
		out[t.Name] = t
	}
	return out
})

var tables sync.Map // entity name → *table

// tableOf returns the table of an entity; it panics for a name that is none,
// which is a fault of the format.
func tableOf(name string) *table {
	if t, ok := tables.Load(name); ok {
		return t.(*table)
	}
	e := entity.ByName(name)
	if e == nil {
		panic("importer: no entity " + name)
	}
	t := &table{Entity: e, columns: schemas()[e.Table].Columns, at: map[string]int{}}
	t.classes = make([]class, len(t.columns))
	for i, c := range t.columns {
		t.at[c.Name], t.classes[i] = i, classOf(c)
	}
	t.amounts, t.fresh = make([]bool, len(t.columns)), make([]any, len(t.columns))
	for i, c := range t.columns {
		f, ok := t.Field(c.Name)
		t.amounts[i] = ok && (f.Kind == "money" || f.Kind == "decimal")
		t.fresh[i] = t.stored(i, c.Default)
		t.sorted = append(t.sorted, i)
	}
	slices.SortFunc(t.sorted, func(a, b int) int { return strings.Compare(t.columns[a].Name, t.columns[b].Name) })
	tables.Store(name, t)
	return t
}

func classOf(c *schema.Column) class {
	switch {
	case c.SchemaType[dialect.Postgres] == "date":
		return day
	case c.Type == field.TypeTime:
		return instant
	case c.Type == field.TypeBool:
		return truth
	case c.Type == field.TypeJSON:
		return doc
	case c.Type.Integer():
		return whole
	}
	return text
}

// index returns the position of a column; it panics for one the table does not
// have, which is a fault of the format.
func (t *table) index(column string) int {
	i, ok := t.at[column]
	if !ok {
		panic("importer: " + t.Name + " has no column " + column)
	}
	return i
}

// has reports whether the table has a column.
func (t *table) has(column string) bool { _, ok := t.at[column]; return ok }

// names lists all columns.
func (t *table) names() []string {
	out := make([]string, len(t.columns))
	for i, c := range t.columns {
		out[i] = c.Name
	}
	return out
}

// stored turns a staged value, or one the driver read, into the column's class.
// What a column that may not be empty holds for nothing is "", 0 or false.
func (t *table) stored(i int, v any) any {
	if v == nil || v == JSON("") && t.classes[i] == doc {
		if t.columns[i].Nullable {
			return nil
		}
		return [...]any{"", int64(0), false, nil, nil, nil}[t.classes[i]]
	}
	switch t.classes[i] {
	case text:
		switch x := v.(type) {
		case string:
			return x
		case []byte:
			return string(x)
		}
		return fmt.Sprint(v)
	case whole:
		switch x := v.(type) {
		case int64:
			return x
		case int:
			return int64(x)
		case money.Amount:
			return int64(x)
		}
	case truth:
		switch x := v.(type) {
		case bool:
			return x
		case int64:
			return x != 0
		}
	case day:
		switch x := v.(type) {
		case civil.Date:
			return x
		case time.Time:
			return civil.DateOf(x)
		case string:
			d, err := civil.ParseDate(x[:min(10, len(x))])
			if err == nil {
				return d
			}
		}
	case instant:
		if x, ok := v.(time.Time); ok {
			return x.UTC()
		}
	case doc:
		switch x := v.(type) {
		case JSON:
			return sortedJSON([]byte(x))
		case string:
			return sortedJSON([]byte(x))
		case []byte:
			return sortedJSON(x)
		case []string:
			b, _ := json.Marshal(x)
			return sortedJSON(b)
		}
	}
	panic(fmt.Sprintf("importer: %s.%s does not hold %T", t.Name, t.columns[i].Name, v))
}

// sortedJSON writes JSON in the one form that equal contents share; PostgreSQL
// gives its own back. null counts as nothing.
func sortedJSON(b []byte) any {
	var v any
	if json.Unmarshal(b, &v) != nil || v == nil {
		return nil
	}
	out, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return JSON(out)
}

// shownAs turns a stored value into what the audit keeps of it: what the
// generated types would write as JSON.
func (t *table) shownAs(i int, v any) any {
	switch x := v.(type) {
	case int64:
		if t.amounts[i] {
			return money.Amount(x)
		}
	case JSON:
		return json.RawMessage(x)
	}
	return v
}

// fromAudit turns what the audit kept back into a stored value.
func (t *table) fromAudit(i int, v any) (any, error) {
	switch x := v.(type) {
	case nil:
		return t.stored(i, nil), nil
	case float64:
		return int64(x), nil
	case bool:
		return x, nil
	case string:
		switch t.classes[i] {
		case whole:
			a, err := money.Parse(x)
			return int64(a), err
		case instant:
			return time.Parse(time.RFC3339Nano, x)
		}
		return t.stored(i, x), nil
	}
	b, err := json.Marshal(v)
	return sortedJSON(b), err
}

// param turns a stored value into a driver argument.
func param(v any) any {
	switch x := v.(type) {
	case JSON:
		return string(x)
	case civil.Date:
		return x.String()
	}
	return v
}

// defaults is a new row.
func (t *table) defaults() []any { return slices.Clone(t.fresh) }

// cast is the type that PostgreSQL needs to hear for a value in a VALUES list.
func (t *table) cast(i int) string {
	return [...]string{"text", "bigint", "boolean", "date", "timestamptz", "jsonb"}[t.classes[i]]
}
