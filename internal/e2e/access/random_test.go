package access_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

// documents is how many random documents each person sends.
var documents = testkit.Soak(120)

// TestRandomDocuments is GQ-11: documents that the schema allows, put together at
// random, never break anything, whoever sends them and whatever values they hold,
// and no answer has a secret of somebody else. The seed is fixed: a document that
// fails once fails again.
func TestRandomDocuments(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		a := &author{w: w, rnd: rand.New(rand.NewPCG(11, 2026)), asked: map[string]bool{}}
		before, answered, sent := w.dump(), 0, 0
		for _, p := range w.people {
			for range documents {
				text, values := a.document()
				if _, err := gqlparser.LoadQueryWithRules(w.schema, text, nil); err != nil {
					t.Fatalf("the author wrote what is not valid: %v\n%s", err, text)
				}
				r := w.ask(p.v, text, values...)
				sent++
				if p.v == nil {
					if r.status != 401 || r.Data != nil {
						t.Errorf("nobody is answered %d: %s", r.status, r.body)
					}
					continue
				}
				if len(r.Errors) == 0 {
					answered++
				}
				broken := r.status >= 500
				for _, e := range r.Errors {
					broken = broken || !slices.Contains([]string{absent, forbidden, "VALIDATION", "CONFLICT", "STATE", "LIMIT", "IDEMPOTENCY"}, e.Extensions.Code)
				}
				if leaks := w.leaks(p.v, plain(r.body, a.said...)); broken || len(leaks) > 0 {
					t.Errorf("%s: %d, finds %v\n%s\n%q\n%.2000s", p.name, r.status, leaks, text, values, r.body)
				}
				a.keepCursors(r.Data)
			}
		}
		differ(t, "after mutations that all failed", before, w.dump())
		if answered < sent/6 {
			t.Errorf("%d of %d documents were answered without an error: the others test little", answered, sent)
		}
		if len(a.asked) < 500 {
			t.Errorf("only %d different fields were asked for", len(a.asked))
		}
		t.Logf("%d documents, %d answered without an error, %d different fields", sent, answered, len(a.asked))
	})
}

// author writes random documents that are valid by the schema.
type author struct {
	w       *world
	rnd     *rand.Rand
	asked   map[string]bool // type.field, of all documents
	cursors []string        // of answers so far

	// of the document being written
	left      int // fields that may still be asked for
	n         int // names given
	declared  []string
	values    []any // name, value pairs
	fragments []string
	said      []string // keys in the document, which its answer may say again
}

// word is a value written without quotes: that of an enum.
type word string

// chance is true once in n times.
func (a *author) chance(n int) bool { return a.rnd.IntN(n) == 0 }

func (a *author) name(prefix string) string { a.n++; return fmt.Sprint(prefix, a.n) }

// mostly is true four times in five.
func (a *author) mostly() bool { return a.rnd.IntN(5) > 0 }

func pick[T any](a *author, list ...T) T { return list[a.rnd.IntN(len(list))] }

// document returns a text and its variables. A mutation ends with a field that
// fails, so that the database stays as it is.
func (a *author) document() (string, []any) {
	a.left, a.n, a.declared, a.values, a.fragments, a.said = 60, 0, nil, nil, nil, nil
	kind, root, end := "query", a.w.schema.Query, ""
	if a.chance(4) {
		kind, root, end = "mutation", a.w.schema.Mutation, `bad: archiveTag(id: "tag_00000000000000000000000000", version: 1) {id} `
	}
	fields := slices.DeleteFunc(slices.Clone(root.Fields), func(f *ast.FieldDefinition) bool { return strings.HasPrefix(f.Name, "__") })
	var b strings.Builder
	for range 1 + a.rnd.IntN(3) {
		b.WriteString(a.field(root, pick(a, fields...), 1+a.rnd.IntN(4), true))
	}
	if kind == "query" && a.chance(20) {
		b.WriteString(pick(a, "__schema {types {name kind}} ", `__type(name: "Contract") {fields {name}} `))
	}
	vars := ""
	if len(a.declared) > 0 {
		vars = "(" + strings.Join(a.declared, ", ") + ")"
	}
	return kind + " Q" + vars + " {" + b.String() + end + "} " + strings.Join(a.fragments, " "), a.values
}

// set writes the selections of a type. Where other selections of the same object
// may stand beside it, every field gets a name of its own.
func (a *author) set(of *ast.Definition, depth int, beside bool) string {
	var b strings.Builder
	if of.Kind == ast.Interface { // Node: its own fields, and those of some of its types
		b.WriteString("id ")
		for range 1 + a.rnd.IntN(3) {
			to := pick(a, a.w.schema.PossibleTypes[of.Name]...)
			fmt.Fprintf(&b, "... on %s {%s} ", to.Name, a.set(to, depth, true))
		}
		return b.String()
	}
	// The parts of a connection keep their names, and are mostly all wanted.
	part := strings.HasSuffix(of.Name, "Connection") || strings.HasSuffix(of.Name, "Edge")
	if part {
		depth++
		beside = false
	}
	fields := slices.Clone(of.Fields)
	a.rnd.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	wanted := 1 + a.rnd.IntN(5)
	for _, f := range fields {
		leaf := a.w.leaf(f.Type)
		if wanted == 0 || !leaf && (depth <= 0 || a.left <= 0) || part && a.chance(5) {
			continue
		}
		wanted--
		b.WriteString(a.field(of, f, depth-1, beside || !part && a.chance(4)))
	}
	if b.Len() == 0 || a.chance(10) {
		b.WriteString("__typename ")
	}
	if part || depth <= 0 {
		return b.String()
	}
	switch {
	case a.chance(12):
		fmt.Fprintf(&b, "...%s%s{%s} ", pick(a, " ", " on "+of.Name+" "), a.sometimes(), a.set(of, 0, true))
	case a.chance(12):
		name := a.name("F")
		a.fragments = append(a.fragments, "fragment "+name+" on "+of.Name+" {"+a.set(of, 0, true)+"}")
		fmt.Fprintf(&b, "...%s %s", name, a.sometimes())
	}
	return b.String()
}

// field writes one field with what stands below it, under a new name if renamed.
func (a *author) field(of *ast.Definition, f *ast.FieldDefinition, depth int, renamed bool) string {
	a.left--
	a.asked[of.Name+"."+f.Name] = true
	text := f.Name + a.arguments(f) + " "
	if renamed {
		text = a.name("a") + ": " + text
	}
	text += a.sometimes()
	if !a.w.leaf(f.Type) {
		text += "{" + a.set(a.w.schema.Types[f.Type.Name()], depth, false) + "} "
	}
	return text
}

// sometimes leaves a selection out, or says that it shall stay.
func (a *author) sometimes() string {
	if !a.chance(15) {
		return ""
	}
	name, value := pick(a, "include", "skip"), a.chance(2)
	if a.chance(2) {
		return fmt.Sprintf("@%s(if: %v) ", name, value)
	}
	return fmt.Sprintf("@%s(if: %s) ", name, a.variable("Boolean!", value))
}

// arguments writes all arguments that a field needs and some that it takes.
func (a *author) arguments(f *ast.FieldDefinition) string {
	pages := pick(a, nil, nil, []string{"first"}, []string{"first"}, []string{"last"}, []string{"last"}, []string{"first", "after"}, []string{"last", "before"})
	if a.chance(30) {
		pages = []string{"first", "last", "after", "before"}
	}
	var out []string
	for _, d := range f.Arguments {
		needed := d.Type.NonNull && d.DefaultValue == nil
		switch d.Name {
		case "first", "last", "after", "before":
			if !needed && !slices.Contains(pages, d.Name) {
				continue
			}
		default:
			if !needed && !a.chance(3) {
				continue
			}
		}
		hint := d.Name
		switch d.Name { // archiveVendor and vendor say of what type theirs is
		case "id":
			hint = f.Type.Name() + "ID"
		case "key":
			hint = f.Type.Name() + "Key"
		}
		value := a.value(d.Type, hint, 0)
		text := literal(value)
		if a.chance(4) {
			text = a.variable(d.Type.String(), value)
		}
		out = append(out, d.Name+": "+text)
	}
	if len(out) == 0 {
		return ""
	}
	return "(" + strings.Join(out, ", ") + ")"
}

// variable declares one and returns its use.
func (a *author) variable(kind string, value any) string {
	name := a.name("v")
	a.declared = append(a.declared, "$"+name+": "+kind)
	a.values = append(a.values, name, value)
	return "$" + name
}

// value makes up a value of a type: often one that fits, sometimes any other. The
// hint is the name it stands under.
func (a *author) value(t *ast.Type, hint string, depth int) any {
	if !t.NonNull && a.chance(10) {
		return nil
	}
	if t.Elem != nil {
		list := []any{}
		for range a.rnd.IntN(3) {
			list = append(list, a.value(t.Elem, strings.TrimSuffix(hint, "s"), depth+1))
		}
		return list
	}
	switch d := a.w.schema.Types[t.Name()]; d.Kind {
	case ast.Enum:
		return word(pick(a, d.EnumValues...).Name)
	case ast.InputObject:
		in := map[string]any{}
		for _, f := range d.Fields {
			nested := a.w.schema.Types[f.Type.Name()].Kind == ast.InputObject
			if f.Type.NonNull && f.DefaultValue == nil || a.chance(12) && (!nested || depth < 3) {
				in[f.Name] = a.value(f.Type, f.Name, depth+1)
			}
		}
		return in
	}
	switch t.Name() {
	case "Boolean":
		return a.chance(2)
	case "Int", "Ppm":
		switch {
		case a.mostly():
			return pick(a, 1, 2, 3, 10)
		case hint == "first" || hint == "last":
			return pick(a, 0, 100, 101, -1)
		}
		return pick(a, 0, -1, 2031, 1<<31-1, 1<<40)
	case "Float":
		return pick(a, any(0.5), 0, -1.5, 1e300)
	case "ID":
		return a.id(hint)
	case "Cursor":
		return pick(a, append(a.cursors, "", "nonsense", "gqFpoXjCoXY")...)
	case "Money", "Decimal":
		if a.mostly() {
			return pick(a, "12.50", "7", "0")
		}
		return pick(a, "-3", "", "abc", "0.00001", "99999999999999999999", "1e5")
	case "Date":
		if a.mostly() {
			return pick(a, "2026-06-15", "2031-04-01")
		}
		return pick(a, "2026-02-30", "0000-00-00", "0001-01-01", "", "yesterday")
	case "Period":
		if a.mostly() {
			return "2031-04"
		}
		return pick(a, "2031-13", "2031", "")
	case "Time":
		if a.mostly() {
			return pick(a, "2026-06-15T00:00:00Z", "2026-06-15T00:00:00.123456789+14:00")
		}
		return pick(a, "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "", "yesterday")
	case "JSON":
		return pick[any](a, map[string]any{"region": "Nord", "n": []any{1, nil}}, "text", 7, []any{})
	}
	if r := a.w.first["ours/"+strings.TrimSuffix(hint, "Key")]; r != nil && a.mostly() {
		return a.key(r)
	}
	row := pick(a, a.w.rows...)
	return pick(a, "x", "", "a", a.key(row), row.e.Name, string(row.id), "Éé\u202e\U0001f600", "%_\\'\"`; --", "\x00\n\t", strings.Repeat("long ", 200))
}

func (a *author) key(r *row) string {
	a.said = append(a.said, r.key)
	return r.key
}

// id returns one of the type that the name speaks of, of either house, or any.
func (a *author) id(hint string) ident.ID {
	kind := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(hint, "add"), "remove"), "ID")
	if kind != "" {
		kind = strings.ToUpper(kind[:1]) + kind[1:]
	}
	if r := a.w.first[pick(a, "ours/", "ours/", "ours/", "theirs/")+kind]; r != nil && a.mostly() {
		return r.id
	}
	if a.mostly() {
		return pick(a, a.w.rows...).id
	}
	return pick[ident.ID](a, "ctr_00000000000000000000000000", "nonsense", "", "_", "per_\x00")
}

// literal writes a value as it stands in a document.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case word:
		return string(v)
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = literal(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		parts := make([]string, 0, len(v))
		for k, x := range v {
			parts = append(parts, k+": "+literal(x))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	}
	b, _ := json.Marshal(v) // texts, numbers and truth values
	return string(b)
}

// keepCursors remembers cursors that were answered, for documents to come.
func (a *author) keepCursors(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			x := v[name]
			if s, ok := x.(string); ok && len(a.cursors) < 40 && (name == "cursor" || strings.HasSuffix(name, "Cursor")) {
				a.cursors = append(a.cursors, s)
			}
			a.keepCursors(x)
		}
	case []any:
		for _, x := range v {
			a.keepCursors(x)
		}
	}
}
