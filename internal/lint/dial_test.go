package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// callers are the files that may reach out over the network, and to whom. Everything else asks
// platform/outbound, which looks at where a connection goes (WH-1).
var callers = map[string]string{
	"internal/platform/outbound/outbound.go": "addresses that somebody typed",
	"internal/platform/auth/auth.go":         "the identity provider of the configuration",
	"internal/platform/auth/keyset.go":       "the identity provider of the configuration",
	"internal/platform/devidp/devidp.go":     "the demo's sign-in tells Steward that somebody left",
	"internal/platform/store/open.go":        "the database of the configuration",
	"internal/platform/scan/scan.go":         "the virus scanner of the configuration",
	"internal/app/doctor.go":                 "what the configuration names",
	"internal/platform/obs/trace.go":         "the collector of traces of the configuration",
}

// reaching are the names with which the standard library, and libraries that we use, open connections.
var reaching = map[string]string{
	"net/http":   "Client DefaultClient Get Head Post PostForm Transport DefaultTransport",
	"net":        "Dial DialTimeout DialTCP DialUDP DialIP DialUnix Dialer",
	"crypto/tls": "Dial DialWithDialer Dialer Client",
	"net/smtp":   "Dial SendMail NewClient",
	"net/rpc":    "Dial DialHTTP DialHTTPPath",
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp": "New NewUnstarted NewClient",
}

// dials lists what in a file opens connections.
func dials(name, text string) (out []string) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, 0)
	if err != nil {
		return nil // TestSources says so
	}
	known := map[string]string{} // the names of a package in this file
	for _, imp := range file.Imports {
		path, _ := strconv.Unquote(imp.Path.Value)
		as := path[strings.LastIndex(path, "/")+1:]
		if imp.Name != nil {
			as = imp.Name.Name
		}
		if reaching[path] != "" {
			known[as] = reaching[path]
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && fits(sel.Sel.Name, known[x.Name]) {
			out = append(out, fset.Position(n.Pos()).String()+": "+x.Name+"."+sel.Sel.Name)
		}
		return true
	})
	return out
}

func TestOneWayOut(t *testing.T) {
	seen := map[string]bool{}
	sources(t, func(name, text string) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || anyPrefix(name, []string{"internal/testkit/", "internal/bench/"}) {
			return
		}
		found := dials(name, text)
		seen[name] = len(found) > 0
		if callers[name] != "" {
			return
		}
		for _, x := range found {
			t.Errorf("%s: use platform/outbound, or say in callers whom it calls", x)
		}
	})
	for name := range callers {
		if !seen[name] {
			t.Errorf("%s calls nobody: take it out of callers", name)
		}
	}
}

func TestOneWayOutItself(t *testing.T) {
	for source, n := range map[string]int{
		"package x\nimport \"net/http\"\nvar c = http.Client{}":                                                                    1,
		"package x\nimport web \"net/http\"\nfunc f() { web.Get(\"\"); web.DefaultClient.Do(nil) }":                                2,
		"package x\nimport \"net\"\nfunc f() { net.Dial(\"\", \"\"); net.Listen(\"\", \"\") }":                                     1,
		"package x\nimport \"crypto/tls\"\nfunc f() { tls.DialWithDialer(nil, \"\", \"\", nil) }":                                  1,
		"package x\nimport \"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp\"\nvar e, _ = otlptracehttp.New(nil)": 1,
		"package x\nimport \"net/http\"\nfunc f() { http.Error(nil, \"\", 1); http.NotFoundHandler() }":                            0,
	} {
		if got := dials("x.go", source); len(got) != n {
			t.Errorf("%q: %v", source, got)
		}
	}
}
