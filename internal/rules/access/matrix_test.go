package access_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"steward/internal/rules/access"
	"steward/internal/rules/viewer"
)

var update = flag.Bool("update", false, "write testdata/matrix.txt anew")

func full(role access.Role) *viewer.Viewer {
	return as(role, portfolio(viewer.LevelManager), product(viewer.LevelOwner), vendor(viewer.LevelPartner))
}

func spell(r access.Reach) string {
	s := ""
	add := func(on bool, c string) {
		if on {
			s += c
		}
	}
	add(r.All, "*")
	add(slices.Contains(r.Portfolios, ownPortfolio), "P")
	add(slices.Contains(r.Portfolios, home), "H")
	add(len(r.Products) > 0, "T")
	add(len(r.Vendors) > 0, "V")
	add(r.Person != "", "S")
	return s
}

func TestMatrix(t *testing.T) {
	var b strings.Builder
	b.WriteString("# What each role reaches, by entity and letter, with a membership of every kind.\n" +
		"# * everything, P own portfolio, T own product, H the product's portfolio, V own vendor, S own rows.\n" +
		"# Letters that are absent reach nothing. go test ./internal/rules/access -update writes it anew.\n")
	for _, name := range access.Names() {
		e := access.Entities[name]
		fmt.Fprintf(&b, "\n%s (%s)\n", name, e.Class)
		for _, role := range access.Roles {
			v, line := full(role), ""
			for _, l := range access.Letters {
				if s := spell(access.For(v, name, l)); s != "" {
					line += fmt.Sprintf(" %s:%s", l, s)
				}
			}
			if e.Class == access.ClassRecord {
				for _, rec := range []string{"Portfolio", "BudgetLine", "Contract", "Vendor"} {
					for _, l := range access.Letters {
						if s := spell(access.ForRecord(v, name, rec, l)); s != "" {
							line += fmt.Sprintf(" %s/%s:%s", rec, l, s)
						}
					}
				}
			}
			if s := spell(access.ForExport(v, name)); s != "" {
				line += " export:" + s
			}
			for _, f := range []string{"value", "ceiling", "price"} {
				if _, ok := access.ProtectedFields[name+"."+f]; ok && access.FieldHidden(v, name, f) {
					line += " no-" + f
				}
			}
			b.WriteString(strings.TrimRight(fmt.Sprintf("  %-20s%s", role, line), " ") + "\n")
		}
	}
	file := filepath.Join("testdata", "matrix.txt")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, old := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(old)) {
		if i >= len(got) || i >= len(old) || got[i] != old[i] {
			t.Fatalf("rights differ from %s, line %d:\n got %q\nwant %q", file, i+1, at(got, i), at(old, i))
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}
