package access_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"steward/internal/rules/access"
)

func schemaTypes(t *testing.T) map[string]string {
	t.Helper()
	files, _ := filepath.Glob("../../../ent/schema/*.go")
	types := map[string]string{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if ts, ok := n.(*ast.TypeSpec); ok {
				if st, ok := ts.Type.(*ast.StructType); ok && len(st.Fields.List) == 1 {
					if sel, ok := st.Fields.List[0].Type.(*ast.SelectorExpr); ok && sel.Sel.Name == "Schema" {
						types[ts.Name.Name] = string(src)
					}
				}
			}
			return true
		})
	}
	if len(types) < 40 {
		t.Fatalf("only %d types found in ent/schema", len(types))
	}
	return types
}

func TestEveryEntityHasALine(t *testing.T) {
	types := schemaTypes(t)
	for name, src := range types {
		e, ok := access.Lookup(name)
		if !ok {
			t.Errorf("%s has no line in Entities: say who may do what with it", name)
			continue
		}
		for _, c := range []string{e.Columns.Portfolio, e.Columns.Product, e.Columns.Vendor, e.Columns.Person} {
			switch {
			case c == "" || c == "id":
			case c == access.Joined:
				if !strings.Contains(src, "mixin.Via{") {
					t.Errorf("%s is joined to products, but its schema names no join table", name)
				}
			case !strings.Contains(src, `"`+c+`"`):
				t.Errorf("%s has no column %s", name, c)
			}
		}
		for column, scoped := range map[string]string{"portfolio_id": e.Columns.Portfolio, "product_id": e.Columns.Product, "vendor_id": e.Columns.Vendor} {
			carries := strings.Contains(src, `ef("`+column+`")`) || strings.Contains(src, `inherited("`+column+`"`)
			if carries && scoped == "" {
				t.Errorf("%s carries %s, but the table does not scope by it", name, column)
			}
		}
	}
	for _, name := range access.Names() {
		if _, ok := types[name]; !ok {
			t.Errorf("%s is in Entities but not in ent/schema", name)
		}
	}
	for field := range access.ProtectedFields {
		entity, column, _ := strings.Cut(field, ".")
		if !strings.Contains(types[entity], `"`+column+`"`) {
			t.Errorf("protected field %s does not exist", field)
		}
	}
}

func TestEveryEntityHasARow(t *testing.T) {
	used := map[access.Resource]bool{access.ResourceExport: true}
	for _, name := range access.Names() {
		e := access.Entities[name]
		used[e.Resource] = true
		if e.Resource == access.ResourceSystem {
			if e.Class != access.ClassSystem {
				t.Errorf("%s: only system entities have no row", name)
			}
		} else if !slices.Contains(access.Resources(), e.Resource) {
			t.Errorf("%s: no row %q in the matrix", name, e.Resource)
		}
	}
	for _, res := range access.Resources() {
		if !used[res] {
			t.Errorf("row %q is used by no entity", res)
		}
	}
}
