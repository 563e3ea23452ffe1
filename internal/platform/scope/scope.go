// Package scope is the one place that decides, in SQL, which rows a viewer may
// reach. The store's interceptor and hooks, the generated edge predicates and
// the one-statement writes all call Apply; nothing else narrows rows.
//
// It fails closed: no viewer or an unknown table means no row. It knows no
// generated package, so generated code may import it.
package scope

import (
	"context"
	"sync"

	"entgo.io/ent/dialect/sql"

	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Via is a many-to-many table through which a product membership reaches rows:
// Column of the entity equals Row of Table where Product is one of the viewer's.
type Via struct{ Table, Row, Product, Column string }

// Table says how the rows of one database table are placed.
type Table struct {
	Entity string // entity name in rules/access
	// Which scope columns the table has.
	Portfolio, Product, Vendor string
	Via                        *Via
	// Subject holds the columns of a row that hangs on another record: the
	// type and id of that record. The row is reached as the record is.
	SubjectType, SubjectID string
	// Owner is the column with the person a row belongs to.
	Owner string
}

var (
	mu     sync.RWMutex
	tables = map[string]Table{}
	byName = map[string]string{} // entity name → table name
)

// Register tells the package about a table. The registry of entities does it
// once, when the program starts.
func Register(name string, t Table) {
	mu.Lock()
	defer mu.Unlock()
	tables[name] = t
	byName[t.Entity] = name
}

func lookup(name string) (Table, bool) {
	mu.RLock()
	defer mu.RUnlock()
	t, ok := tables[name]
	return t, ok
}

type elevatedKey struct{}

// Elevate returns a context in which rows are not narrowed although a person
// acts: the store's own bookkeeping (audit, counters, sign-in) runs in it. The
// viewer stays, so the audit still says who. Verbs call it only after they have
// checked the right themselves.
func Elevate(ctx context.Context) context.Context {
	return context.WithValue(ctx, elevatedKey{}, true)
}

// Lower takes Elevate back.
func Lower(ctx context.Context) context.Context {
	return context.WithValue(ctx, elevatedKey{}, false)
}

func elevated(ctx context.Context) bool { b, _ := ctx.Value(elevatedKey{}).(bool); return b }

// Unrestricted reports whether rows are not narrowed at all in ctx.
func Unrestricted(ctx context.Context) bool {
	v := viewer.From(ctx)
	return v != nil && (v.IsSystem() || elevated(ctx))
}

// Restricted reports whether rows of the table are narrowed for reading in ctx.
func Restricted(ctx context.Context, table string) bool {
	if Unrestricted(ctx) {
		return false
	}
	t, ok := lookup(table)
	return !ok || t.Entity == "" || !access.For(viewer.From(ctx), t.Entity, access.Read).All
}

// Apply narrows s to the rows its context's viewer may read.
func Apply(s *sql.Selector, table string) { ApplyFor(s, table, access.Read) }

// ApplyFor narrows s to the rows its context's viewer may touch with letter.
func ApplyFor(s *sql.Selector, table string, letter access.Letter) {
	ctx := s.Context()
	if Unrestricted(ctx) {
		return
	}
	p := Predicate(viewer.From(ctx), s.Dialect(), table, s.C, letter)
	if p == nil {
		return
	}
	if asked := s.P(); asked != nil {
		// ent writes an AND of one OR without parentheses: what was asked for is closed before it is narrowed
		s.SetP(sql.P(func(b *sql.Builder) { b.Wrap(func(b *sql.Builder) { b.Join(asked) }) }))
	}
	s.Where(p)
}

// Preds appends the read scope of table to the predicates of an edge filter.
func Preds[P ~func(*sql.Selector)](preds []P, table string) []P {
	return append(preds[:len(preds):len(preds)], func(s *sql.Selector) { Apply(s, table) })
}

// Predicate returns the condition that narrows table to what v may touch with
// letter, nil when nothing need be narrowed. column qualifies a column name.
func Predicate(v *viewer.Viewer, dialect, table string, column func(string) string, letter access.Letter) *sql.Predicate {
	t, ok := lookup(table)
	if v == nil || !ok {
		return never()
	}
	if t.SubjectType != "" {
		return subject(v, dialect, t, column, letter)
	}
	return place(access.For(v, t.Entity, letter), dialect, t, column)
}

// never is the condition that no row meets.
func never() *sql.Predicate { return sql.False() }

// place turns a reach into a condition on the table's scope columns.
func place(r access.Reach, dialect string, t Table, column func(string) string) *sql.Predicate {
	if r.All {
		return nil
	}
	var or []*sql.Predicate
	if t.Portfolio != "" && len(r.Portfolios) > 0 {
		or = append(or, sql.In(column(t.Portfolio), values(r.Portfolios)...))
	}
	if t.Product != "" && len(r.Products) > 0 {
		or = append(or, sql.In(column(t.Product), values(r.Products)...))
	}
	if t.Via != nil && len(r.Products) > 0 {
		or = append(or, via(dialect, *t.Via, column(t.Via.Column), r.Products))
	}
	if t.Vendor != "" && len(r.Vendors) > 0 {
		or = append(or, sql.In(column(t.Vendor), values(r.Vendors)...))
	}
	if t.Owner != "" && r.Person != "" {
		or = append(or, sql.EQ(column(t.Owner), r.Person))
	}
	if len(or) == 0 {
		return never()
	}
	return sql.Or(or...)
}

// via reaches rows through their join table with products.
func via(dialect string, x Via, column string, products []ident.ID) *sql.Predicate {
	b := sql.Dialect(dialect)
	j := b.Table(x.Table).As("via")
	return sql.In(column, b.Select(j.C(x.Row)).From(j).Where(sql.In(j.C(x.Product), values(products)...)))
}

// subject reaches a comment or an audit row as the record it hangs on is
// reached: one alternative for each type of record.
func subject(v *viewer.Viewer, dialect string, t Table, column func(string) string, letter access.Letter) *sql.Predicate {
	if access.For(v, t.Entity, letter).All {
		return nil
	}
	mu.RLock()
	defer mu.RUnlock()
	var or []*sql.Predicate
	var all []any
	for _, rr := range access.ByRecord(v, t.Entity, letter) {
		switch {
		case rr.Reach.All:
			all = append(all, rr.Record)
			continue
		case rr.Reach.Empty():
			continue
		}
		here := Table{Portfolio: t.Portfolio, Product: t.Product, Vendor: t.Vendor, Owner: t.Owner}
		if on := tables[byName[rr.Record]]; on.Via != nil {
			x := *on.Via
			x.Column = t.SubjectID
			here.Via = &x
		}
		or = append(or, sql.And(sql.EQ(column(t.SubjectType), rr.Record), place(rr.Reach, dialect, here, column)))
	}
	if len(all) > 0 {
		or = append(or, sql.In(column(t.SubjectType), all...))
	}
	if len(or) == 0 {
		return never()
	}
	return sql.Or(or...)
}

func values(ids []ident.ID) []any {
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = id
	}
	return out
}
