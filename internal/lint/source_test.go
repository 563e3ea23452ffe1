package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// sqlHomes are the folders and files that may hold SQL as text: the database's own machinery, and the
// set-based twin of a verb. Everything else asks through ent.
var sqlHomes = regexp.MustCompile(`^(internal/platform/|internal/bench/|internal/exchange/importer/|internal/area/[a-z]+/bulk(_[a-z]+)?\.go$|internal/testkit/|migrations/|ent/(template|codegen)/)`)

// utcHomes are the folders whose instants reach the database or a person.
var utcHomes = regexp.MustCompile(`^(internal/(area|exchange|seed|web)|graph|views|ent/(schema|mixin))/`)

var (
	sqlText  = regexp.MustCompile(`^\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|WITH\s+(RECURSIVE\s+)?\w+\s+AS\s|CREATE\s+(UNIQUE\s+)?(TABLE|INDEX|DATABASE)\s|ALTER\s+TABLE\s|DROP\s+TABLE\s)`)
	sqlPart  = regexp.MustCompile(`\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|FROM|WHERE|VALUES|SET|ORDER BY|JOIN)\b`)
	openWork = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X|HA` + `CK)\b|not (yet )?implemented|unimplemented`)
	inTempl  = regexp.MustCompile(`(?i)\shx-on|\sstyle\s*=|<style|<script(\s+type="[^"]*")?\s*>|\son[a-z]+\s*=|(href|src|action)\s*=\s*[{"\s]*javascript:|templ\.(Raw|SafeCSS|JSFuncCall)\(|^\s*(css|script)\s+\w+\(`)
)

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func anyPrefix(s string, list []string) bool {
	for _, p := range list {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// sources calls f for every hand-written file of the repository.
func sources(t *testing.T, f func(name, text string)) {
	n := 0
	err := fs.WalkDir(os.DirFS(root(t)), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			switch d.Name() {
			case ".git", "node_modules", "var", "bin", "dist", "vendor", "lint":
				return fs.SkipDir
			}
			return nil
		}
		switch filepath.Ext(name) {
		case ".go", ".templ", ".js", ".mjs", ".css", ".sh", ".graphql", ".tmpl":
		default:
			return nil
		}
		b, err := os.ReadFile(filepath.Join(root(t), name))
		if err != nil {
			return err
		}
		if strings.Contains(string(b[:min(len(b), 400)]), "DO NOT EDIT") {
			return nil
		}
		n++
		f(name, string(b))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n < 20 {
		t.Errorf("only %d files read", n)
	}
}

func TestSources(t *testing.T) {
	sources(t, func(name, text string) {
		for _, fault := range faults(name, text) {
			t.Error(fault)
		}
	})
}

// faults lists what a file says that it must not, each with its line.
func faults(name, text string) (bad []string) {
	at := func(line int, what string) { bad = append(bad, name+":"+strconv.Itoa(line)+": "+what) }
	line := 0
	for l := range strings.Lines(text) {
		line++
		if openWork.MatchString(l) {
			at(line, "unfinished work: finish it or file it, "+strings.TrimSpace(l))
		}
		if strings.HasSuffix(name, ".templ") && inTempl.MatchString(l) {
			at(line, "the content security policy blocks this, or it skips escaping: "+strings.TrimSpace(l))
		}
	}
	if !strings.HasSuffix(name, ".go") {
		return bad
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	if err != nil {
		at(1, err.Error())
		return bad
	}
	test := strings.HasSuffix(name, "_test.go")
	allowed := map[int]bool{} // lines with a reason: `//lint:sql` and why
	for _, g := range file.Comments {
		for _, c := range g.List {
			if why, ok := strings.CutPrefix(c.Text, "//lint:sql "); ok && len(why) > 10 {
				allowed[fset.Position(c.Pos()).Line] = true
			}
		}
	}
	report := func(n ast.Node, what string) {
		if l := fset.Position(n.Pos()).Line; !allowed[l] && !allowed[l-1] {
			at(l, what)
		}
	}
	utc := map[*ast.CallExpr]bool{} // time.Now() calls that .UTC() follows
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if call, ok := n.X.(*ast.CallExpr); ok && n.Sel.Name == "UTC" {
				utc[call] = true
			}
		case *ast.CallExpr:
			switch {
			case is(n, "time", "Now") && !test && utcHomes.MatchString(name) && !utc[n]:
				report(n, "time.Now() without UTC()")
			case (is(n, "fmt", "Sprintf") || is(n, "fmt", "Fprintf") || is(n, "fmt", "Appendf")) && !test && sqlPart.MatchString(literals(n.Args)):
				report(n, "SQL put together with fmt: use arguments or the builder")
			case (is(n, "t", "Skip") || is(n, "t", "Skipf") || is(n, "t", "SkipNow")) && test:
				report(n, "a skipped test proves nothing")
			}
		case *ast.BasicLit:
			if s, err := strconv.Unquote(n.Value); n.Kind == token.STRING && err == nil && !test && !sqlHomes.MatchString(name) && sqlText.MatchString(s) {
				report(n, "SQL outside the store: ask through ent")
			}
		case *ast.BinaryExpr:
			if n.Op == token.ADD && !test && sqlText.MatchString(literals([]ast.Expr{n.X})) && !constant(n) && !sqlHomes.MatchString(name) {
				report(n, "SQL put together with +: use arguments or the builder")
			}
		}
		return true
	})
	return bad
}

// is reports whether a call is pkg.fn(…).
func is(c *ast.CallExpr, pkg, fn string) bool {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != fn {
		return false
	}
	x, ok := sel.X.(*ast.Ident)
	return ok && x.Name == pkg
}

// literals joins the string literals among expressions.
func literals(list []ast.Expr) string {
	var b strings.Builder
	for _, e := range list {
		ast.Inspect(e, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				s, _ := strconv.Unquote(lit.Value)
				b.WriteString(s + " ")
			}
			return true
		})
	}
	return b.String()
}

// constant reports whether an expression is made of literals only.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.BinaryExpr:
		return constant(e.X) && constant(e.Y)
	case *ast.ParenExpr:
		return constant(e.X)
	}
	return false
}

func TestSourceRulesThemselves(t *testing.T) {
	goFile := func(body string) string { return "package x\n\nfunc f() {\n" + body + "\n}\n" }
	for name, c := range map[string]struct {
		file, text string
		want       string
	}{
		"open work":           {"a.go", "package x // TO" + "DO later\n", "unfinished"},
		"open work in script": {"a.sh", "# FIX" + "ME\n", "unfinished"},
		"handler":             {"a.templ", `<a hx-on::after-request="x">`, "policy"},
		"style":               {"a.templ", `<td style="width:3px">`, "policy"},
		"inline script":       {"a.templ", "<script>", "policy"},
		"onclick":             {"a.templ", `<button onclick="x()">`, "policy"},
		"script link":         {"a.templ", `<a href="javascript:x()">`, "policy"},
		"raw markup":          {"a.templ", `@templ.Raw(s)`, "policy"},
		"linked script":       {"a.templ", `<script src={ assets.URL("app.js") } defer></script>`, ""},
		"words with on":       {"a.templ", `<p class="season">on time</p>`, ""},
		"sql in an area":      {"internal/area/budget/cell.go", goFile(`q := "SELECT 1 FROM x"; _ = q`), "outside the store"},
		"sql in the store":    {"internal/platform/store/x.go", goFile(`q := "SELECT 1 FROM x"; _ = q`), ""},
		"sql in a bulk verb":  {"internal/area/budget/bulk.go", goFile(`q := "INSERT INTO x SELECT 1"; _ = q`), ""},
		"sql in a test":       {"internal/area/budget/cell_test.go", goFile(`q := "SELECT 1"; _ = q`), ""},
		"sql by fmt":          {"internal/platform/store/x.go", goFile(`q := fmt.Sprintf("SELECT %s FROM x", c); _ = q`), "fmt"},
		"sql by fmt, reason":  {"internal/platform/store/x.go", goFile("//lint:sql c is a column from ent's own table\nq := fmt.Sprintf(\"SELECT %s FROM x\", c); _ = q"), ""},
		"sql by plus":         {"internal/web/x.go", goFile(`q := "DELETE FROM x WHERE id = " + id; _ = q`), "outside the store"},
		"select a word":       {"internal/web/x.go", goFile(`s := "Select a portfolio"; _ = s`), ""},
		"local time":          {"internal/area/budget/x.go", goFile("n := time.Now(); _ = n"), "without UTC"},
		"universal time":      {"internal/area/budget/x.go", goFile("n := time.Now().UTC().Truncate(time.Microsecond); _ = n"), ""},
		"a duration":          {"internal/platform/obs/x.go", goFile("n := time.Now(); _ = n"), ""},
		"skip":                {"a_test.go", goFile(`t.Skip("no")`), "skipped"},
	} {
		got := strings.Join(faults(c.file, c.text), "\n")
		if c.want == "" && got != "" || c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
