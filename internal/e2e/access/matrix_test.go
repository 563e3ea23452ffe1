package access_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"steward/internal/platform/entity"
	"steward/internal/rules/access"
	"steward/internal/rules/viewer"
)

// Outcomes as the API says them.
const (
	fine      = "OK"
	forbidden = "FORBIDDEN"
	absent    = "NOT_FOUND"
)

// expected is what a write of a row with the letter must answer: rows that cannot
// be read do not exist, rows that can be read but not touched are forbidden.
func expected(v *viewer.Viewer, r *row, l access.Letter) string {
	switch name := r.e.Name; {
	case !access.May(v, name, l) && access.May(v, name, access.Read):
		return forbidden
	case access.For(v, name, l).Includes(r.place):
		return fine
	case sees(v, r):
		return forbidden
	}
	return absent
}

// input fills the required fields of a new row in a house, and its product and
// portfolio so that it lies where the house is. The row says where that is.
func (w *world) input(house string, e *entity.Entity) (map[string]any, *row, []*row) {
	in, at, refs := map[string]any{}, &row{e: e, house: house}, []*row{}
	type_ := w.schema.Types["Create"+e.Name+"Input"]
	for i := range e.Fields {
		f := &e.Fields[i]
		field := type_.Fields.ForName(f.GQL)
		place := f.Name == "product_id" || f.Name == "portfolio_id"
		if field == nil || !field.Type.NonNull && !place {
			continue
		}
		switch f.Kind {
		case "ref":
			to := w.first[house+"/"+f.Ref]
			in[f.GQL] = to.id
			refs = append(refs, to)
			switch f.Name {
			case "portfolio_id":
				at.place.Portfolio = to.id
			case "product_id":
				at.place.Product = to.id
			case "vendor_id":
				at.place.Vendor = to.id
			}
			if e.Parent == f.Ref {
				for _, column := range e.Inherit {
					switch column {
					case "portfolio_id":
						at.place.Portfolio = to.place.Portfolio
					case "product_id":
						at.place.Product = to.place.Product
					case "vendor_id":
						at.place.Vendor = to.place.Vendor
					}
				}
			}
		case "int":
			in[f.GQL] = 2040
		case "date":
			in[f.GQL] = "2026-06-15"
			if d := days[f.Name]; d != "" {
				in[f.GQL] = d
			}
		case "period":
			in[f.GQL] = "2040-04"
		case "decimal", "money":
			in[f.GQL] = "7"
		case "enum":
			in[f.GQL] = f.Options[0]
		default:
			in[f.GQL] = "newone"
			if v := fixed[e.Name+"."+f.Name]; v != "" {
				in[f.GQL] = v
			}
		}
	}
	return in, at, refs
}

// creation is what creating must answer.
func creation(v *viewer.Viewer, at *row, refs []*row) string {
	name := at.e.Name
	if !access.May(v, name, access.Write) && !(name == "Portfolio" && access.May(v, name, access.Manage)) {
		if access.May(v, name, access.Read) {
			return forbidden
		}
		return absent
	}
	for _, r := range refs {
		if !sees(v, r) {
			return absent
		}
	}
	if access.For(v, name, access.Write).Includes(at.place) || name == "Portfolio" && access.May(v, name, access.Manage) {
		return fine
	}
	return forbidden
}

// try runs one write. When it succeeds it is taken back by a second field that
// fails: a mutation is one transaction.
func (w *world) try(v *viewer.Viewer, field, vars, args string, values ...any) string {
	w.t.Helper()
	sub := ""
	if !w.leaf(w.schema.Mutation.Fields.ForName(field).Type) {
		sub = "{__typename}"
	}
	doc := fmt.Sprintf(`mutation(%s) {it: %s(%s) %s bad: archiveTag(id: "tag_00000000000000000000000000", version: 1) {id}}`, vars, field, args, sub)
	if vars == "" {
		doc = strings.Replace(doc, "()", "", 1)
	}
	if args == "" {
		doc = strings.Replace(doc, "()", "", 1)
	}
	a := w.ask(v, doc, values...)
	if v == nil {
		if a.status != 401 {
			w.t.Errorf("nobody, %s: %d", field, a.status)
		}
		return absent
	}
	if a.code("bad") == fine {
		w.t.Fatalf("%s was not taken back: %s", field, a.body)
	}
	return a.code("it")
}

// fresh returns an idempotency key: integrations need one for money.
func (w *world) fresh() string { w.n++; return fmt.Sprintf("key-%d", w.n) }

// TestMatrix (AZ-1, AZ-11): for every entity and everybody, reading, creating,
// changing and archiving in both houses answer exactly as the permission table
// says; and after all of it, with every write refused or taken back, not one row
// of the database differs.
func TestMatrix(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		lists := w.listNames()
		before := w.dump()
		for _, p := range w.people {
			for _, e := range entity.Registry() {
				w.reading(p, e, lists[e.Name])
				for house := range strings.FieldsSeq(houses) {
					w.writing(p, w.first[house+"/"+e.Name])
				}
			}
			if after := w.dump(); differ(t, "after what "+p.name+" tried", before, after) {
				before = after
			}
		}
		if w.granted < 300 {
			t.Errorf("only %d writes were granted", w.granted)
		}
	})
}

// listNames are the root fields that list the rows of each type.
func (w *world) listNames() map[string]string {
	out := map[string]string{}
	for _, f := range w.schema.Query.Fields {
		if of, ok := strings.CutSuffix(f.Type.Name(), "Connection"); ok {
			out[of] = f.Name
		}
	}
	return out
}

func (w *world) reading(p who, e *entity.Entity, list string) {
	t := w.t
	a := w.ask(p.v, fmt.Sprintf("{%s(first: 100) {totalCount edges {node {id}}}}", list))
	if p.v == nil {
		if a.status != 401 {
			t.Errorf("nobody lists %s: %d", e.Plural, a.status)
		}
		return
	}
	for _, r := range w.rows {
		if r.e != e {
			continue
		}
		if has, want := strings.Contains(a.body, r.id.String()), sees(p.v, r); has != want {
			t.Errorf("%s, list of %s: the one of %s is there: %v, want %v (%.200s)", p.name, e.Plural, r.house, has, want, a.body)
		}
		got, want := w.ask(p.v, fmt.Sprintf("{node(id: %q) {id}}", r.id)).code("node"), absent
		if sees(p.v, r) {
			want = fine
		}
		if got != want {
			t.Errorf("%s, node of the %s of %s: %s, want %s", p.name, e.Name, r.house, got, want)
		}
	}
}

func (w *world) writing(p who, r *row) {
	t, e := w.t, r.e
	check := func(verb, got, want string) {
		if p.v == nil {
			want = absent
		}
		if got == fine {
			w.granted++
		}
		if got != want {
			t.Errorf("%s, %s %s in %s: %s, want %s", p.name, verb, e.Name, r.house, got, want)
		}
	}
	if w.mutation("create" + e.Name) {
		in, at, refs := w.input(r.house, e)
		got := w.try(p.v, "create"+e.Name, "$in: Create"+e.Name+"Input!, $k: String", "input: $in, idempotencyKey: $k", "in", in, "k", w.fresh())
		check("create", got, creation(p.v, at, refs))
		if w.mutation("upsert" + e.Name) {
			in, at, refs := w.input(r.house, e)
			got := w.try(p.v, "upsert"+e.Name, "$in: Create"+e.Name+"Input!, $x: String!, $k: String", `source: "elsewhere", externalId: $x, input: $in, idempotencyKey: $k`, "in", in, "x", w.fresh(), "k", w.fresh())
			check("upsert", got, creation(p.v, at, refs))
		}
	}
	version, _ := e.Value(w.read(r), "version").(int)
	if w.mutation("update" + e.Name) {
		in := map[string]any{}
		for _, f := range e.Fields {
			if f.Updatable && (f.Kind == "line" || f.Kind == "text") && w.schema.Types["Update"+e.Name+"Input"].Fields.ForName(f.GQL) != nil {
				in[f.GQL] = "changed"
				break
			}
		}
		got := w.try(p.v, "update"+e.Name, "$id: ID!, $v: Int!, $in: Update"+e.Name+"Input!, $k: String", "id: $id, version: $v, input: $in, idempotencyKey: $k",
			"id", r.id, "v", version, "in", in, "k", w.fresh())
		check("update", got, expected(p.v, r, access.Write))
	}
	if w.mutation("archive" + e.Name) {
		got := w.try(p.v, "archive"+e.Name, "$id: ID!, $v: Int!, $k: String", "id: $id, version: $v, idempotencyKey: $k", "id", r.id, "v", version, "k", w.fresh())
		check("archive", got, expected(p.v, r, access.Write))
	}
	if w.mutation("restore" + e.Name) {
		got := w.try(p.v, "restore"+e.Name, "$id: ID!, $v: Int!, $k: String", "id: $id, version: $v, idempotencyKey: $k", "id", r.id, "v", version, "k", w.fresh())
		check("restore", got, expected(p.v, r, access.Write))
	}
}

func (w *world) mutation(name string) bool {
	return w.schema.Mutation.Fields.ForName(name) != nil
}

// generated reports whether a mutation is one that every entity has.
func generated(f *ast.FieldDefinition) bool {
	return slices.ContainsFunc([]string{"create", "update", "upsert", "archive", "restore"}, func(verb string) bool {
		name, ok := strings.CutPrefix(f.Name, verb)
		return ok && entity.ByName(name) != nil
	})
}
