package graph_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"steward/graph"
)

var update = flag.Bool("update", false, "write schema.graphql anew")

// TestSchemaFile keeps graph/schema.graphql equal to what the server speaks, and
// lets it grow only: what the file promises leaves it after it has stood there
// with @deprecated, so that every release announces what the next one may drop.
// go test ./graph -run TestSchemaFile -update writes the file anew under the same
// rule.
func TestSchemaFile(t *testing.T) {
	const file = "schema.graphql"
	b, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	if err == nil {
		for _, broken := range breaks(load(t, string(b)), load(t, graph.SDL())) {
			t.Errorf("%s: mark it @deprecated in one release, remove it in the next", broken)
		}
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(file, []byte(graph.SDL()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(b) != graph.SDL() {
		t.Error("schema.graphql is not current: go test ./graph -run TestSchemaFile -update")
	}
}

func load(t *testing.T, text string) *ast.Schema {
	t.Helper()
	s, err := gqlparser.LoadSchema(&ast.Source{Input: text})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// breaks lists what a client of the old schema would miss in the new one.
func breaks(old, now *ast.Schema) []string {
	var out []string
	say := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	deprecated := func(ds ast.DirectiveList) bool { return ds.ForName("deprecated") != nil }
	for name, was := range old.Types {
		is := now.Types[name]
		if is == nil || is.Kind != was.Kind {
			if !unused(old, name) {
				say("type %s is gone", name)
			}
			continue
		}
		for _, f := range was.Fields {
			g := is.Fields.ForName(f.Name)
			path := name + "." + f.Name
			if g == nil {
				if !deprecated(f.Directives) {
					say("%s is gone", path)
				}
				continue
			}
			if was.Kind == ast.InputObject {
				if !accepts(f.Type, g.Type) {
					say("%s was %s and is %s", path, f.Type, g.Type)
				}
			} else if !accepts(g.Type, f.Type) {
				say("%s was %s and is %s", path, f.Type, g.Type)
			}
			for _, a := range f.Arguments {
				if b := g.Arguments.ForName(a.Name); b == nil {
					say("%s(%s:) is gone", path, a.Name)
				} else if !accepts(a.Type, b.Type) {
					say("%s(%s:) was %s and is %s", path, a.Name, a.Type, b.Type)
				}
			}
			for _, b := range g.Arguments {
				if f.Arguments.ForName(b.Name) == nil && b.Type.NonNull && b.DefaultValue == nil {
					say("%s(%s:) is new and required", path, b.Name)
				}
			}
		}
		for _, g := range is.Fields {
			if was.Kind == ast.InputObject && was.Fields.ForName(g.Name) == nil && g.Type.NonNull && g.DefaultValue == nil {
				say("%s.%s is new and required", name, g.Name)
			}
		}
		for _, v := range was.EnumValues {
			if is.EnumValues.ForName(v.Name) == nil && !deprecated(v.Directives) {
				say("%s.%s is gone", name, v.Name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// accepts reports whether a value of type from does where to is expected.
func accepts(from, to *ast.Type) bool {
	if to.NonNull && !from.NonNull {
		return false
	}
	if (from.Elem == nil) != (to.Elem == nil) {
		return false
	}
	if from.Elem != nil {
		return accepts(from.Elem, to.Elem)
	}
	return from.NamedType == to.NamedType
}

// unused reports whether only deprecated fields lead to the type.
func unused(s *ast.Schema, name string) bool {
	for _, d := range s.Types {
		for _, f := range d.Fields {
			if f.Directives.ForName("deprecated") != nil {
				continue
			}
			if f.Type.Name() == name || slices.ContainsFunc(f.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.Name() == name }) {
				return false
			}
		}
	}
	return true
}

func TestBreaks(t *testing.T) {
	old := load(t, `type Query{a(x:Int):T b:String c:Int! d:String @deprecated l:[Int!]!} type T{x:Int @deprecated y:Int} enum E{A B} input I{a:Int b:E}`)
	for now, want := range map[string]string{
		`type Query{a(x:Int):T b:String! c:Int! l:[Int!]! n:Int} type T{y:Int} enum E{A B C} input I{a:Int b:E c:Int d:Int!=1}`: "",
		`type Query{a(x:Int):T c:Int! l:[Int!]!} type T{y:Int} enum E{A B} input I{a:Int b:E}`:                                  "Query.b is gone",
		`type Query{a:T b:String c:Int! l:[Int!]!} type T{y:Int} enum E{A B} input I{a:Int b:E}`:                                "Query.a(x:) is gone",
		`type Query{a(x:Int,y:Int!):T b:String c:Int! l:[Int!]!} type T{y:Int} enum E{A B} input I{a:Int b:E}`:                  "Query.a(y:) is new and required",
		`type Query{a(x:Int!):T b:String c:Int! l:[Int!]!} type T{y:Int} enum E{A B} input I{a:Int b:E}`:                        "Query.a(x:) was Int and is Int!",
		`type Query{a(x:Int):T b:String c:Int l:[Int]!} type T{y:Int} enum E{A B} input I{a:Int b:E}`:                           "Query.c was Int! and is Int, Query.l was [Int!]! and is [Int]!",
		`type Query{a(x:Int):T b:String c:Int! l:[Int!]!} type T{y:Int} enum E{A} input I{a:Int! b:E c:Int!}`:                   "E.B is gone, I.a was Int and is Int!, I.c is new and required",
		`type Query{b:String c:Int! l:[Int!]!} enum E{A B} input I{a:Int b:E}`:                                                  "Query.a is gone, type T is gone",
		`type Query{a(x:Int):String b:String c:Int! l:[Int!]!} type T{y:Int} enum E{A B} input I{a:Int b:E}`:                    "Query.a was T and is String",
	} {
		if got := strings.Join(breaks(old, load(t, now)), ", "); got != want {
			t.Errorf("%s\n got %q\nwant %q", now, got, want)
		}
	}
}

// TestSchemaSays: what people rely on by name is there, and hand-written fields
// say what they are.
func TestSchemaSays(t *testing.T) {
	s := load(t, graph.SDL())
	for _, path := range strings.Fields(`Query.node Query.nodes Query.viewer Query.portfolioTotals Query.budgetTotals Query.budgetGrid
		Query.portfolio Query.product Query.vendor Query.contract Query.procurement Query.portfolios Query.products Query.initiatives
		Query.components Query.teams Query.people Query.vendors Query.contracts Query.budgetPlans Query.budgetLines Query.procurements
		Query.objectives Query.keyResults Query.environments Mutation.setBudgetCells Mutation.moveProcurement Mutation.checkIn
		Mutation.undo Mutation.createVendor Mutation.updateVendor Mutation.archiveVendor Portfolio.products Product.portfolio
		Product.contracts Product.initiatives Vendor.contracts Procurement.availableActions Contract.availableActions
		Objective.availableActions Initiative.availableActions BudgetPlan.availableActions Product.availableActions`) {
		object, field, _ := strings.Cut(path, ".")
		if d := s.Types[object]; d == nil || d.Fields.ForName(field) == nil {
			t.Errorf("%s is not there", path)
		}
	}
	for _, path := range []string{"Mutation.deleteVendor", "Query.comment", "Query.roleGrants", "Query.personIdentities", "Query.integrations"} {
		object, field, _ := strings.Cut(path, ".")
		if s.Types[object].Fields.ForName(field) != nil {
			t.Errorf("%s is there", path)
		}
	}
	for _, f := range append(s.Query.Fields, s.Mutation.Fields...) {
		generated := strings.HasSuffix(f.Type.Name(), "Connection") || strings.HasPrefix(f.Name, "create") || strings.HasPrefix(f.Name, "update") || strings.HasPrefix(f.Name, "upsert") ||
			strings.HasPrefix(f.Name, "archive") || strings.HasPrefix(f.Name, "restore") || strings.HasPrefix(f.Name, "__")
		if !generated && f.Description == "" {
			t.Errorf("%s says nothing about itself", f.Name)
		}
	}
}
