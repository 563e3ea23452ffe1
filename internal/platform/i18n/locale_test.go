package i18n

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// read returns the messages of all locale files of a language, plural forms joined.
func read(t *testing.T, lang string) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, err := filepath.Glob("locales/*." + lang + ".json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no locale files: %v", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file map[string]any
		if err := json.Unmarshal(b, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for key, v := range file {
			if _, twice := out[key]; twice {
				t.Errorf("%s: %s is also in another file", name, key)
			}
			out[key] = fmt.Sprint(v)
			if forms, ok := v.(map[string]any); ok && (forms["one"] == nil || forms["other"] == nil) {
				t.Errorf("%s: %s needs the forms one and other", name, key)
			}
			if strings.TrimSpace(out[key]) == "" {
				t.Errorf("%s: %s is empty", name, key)
			}
		}
	}
	return out
}

var placeholder = regexp.MustCompile(`\{\{\s*\.(\w+)\s*\}\}`)

func placeholders(s string) []string {
	var out []string
	for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestBothLanguagesSayTheSameThings(t *testing.T) {
	en, fr := read(t, English), read(t, French)
	for key, text := range en {
		other, ok := fr[key]
		if !ok {
			t.Errorf("%s has no French", key)
		} else if a, b := placeholders(text), placeholders(other); !slices.Equal(a, b) {
			t.Errorf("%s fills %v in English and %v in French", key, a, b)
		}
	}
	for key := range fr {
		if _, ok := en[key]; !ok {
			t.Errorf("%s has no English", key)
		}
	}
}

// sources returns the hand-written and generated Go and templ files of the module,
// without tests and without what templ makes of its files.
func sources(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	root := filepath.Join("..", "..", "..")
	for _, dir := range []string{"cmd", "graph", "internal", "views"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			ext := filepath.Ext(path)
			if d.IsDir() || ext != ".go" && ext != ".templ" || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "_templ.go") {
				return nil
			}
			b, err := os.ReadFile(path)
			out[path] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

var (
	literal = regexp.MustCompile(`"([a-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\.?)"`)
	// asked finds keys where they are looked up or handed to an error.
	asked = regexp.MustCompile(`(?:i18n\.(?:T|Has)\([^,()]+(?:\([^()]*\))?, |(?:i18n\.C|\bt)\(ctx, |errs\.New\([^,]+, |errs\.Invalid\([^,]+, |\bKey: )"([a-z][\w-]*(?:\.[\w-]+)+)"`)
)

// A key that is looked up has a message, and a message is looked up: by its whole
// key, or by a start that ends in a dot ("role." + name).
func TestKeysAreUsedAndUsedKeysExist(t *testing.T) {
	en := read(t, English)
	used, starts := map[string]bool{}, map[string]bool{}
	for path, text := range sources(t) {
		for _, m := range literal.FindAllStringSubmatch(text, -1) {
			if strings.HasSuffix(m[1], ".") {
				starts[m[1]] = true
			} else {
				used[m[1]] = true
			}
		}
		for _, m := range asked.FindAllStringSubmatch(text, -1) {
			if _, ok := en[m[1]]; !ok {
				t.Errorf("%s asks for %q, which has no message", path, m[1])
			}
		}
	}
	var unused []string
	for key := range en {
		if !used[key] && !startsUsed(key, starts) {
			unused = append(unused, key)
		}
	}
	slices.Sort(unused)
	if len(unused) > 0 {
		t.Errorf("%d messages are never looked up: %s", len(unused), strings.Join(unused, ", "))
	}
}

func startsUsed(key string, starts map[string]bool) bool {
	for i, r := range key {
		if r == '.' && starts[key[:i+1]] {
			return true
		}
	}
	return false
}

// The table of the test above must see what the code does.
func TestKeyPatterns(t *testing.T) {
	for _, src := range []string{
		`i18n.T(p.Lang, "a.b")`, `i18n.T(lang(r), "a.b", "n", 1)`, `i18n.C(ctx, "a.b")`, `{ t(ctx, "a.b") }`,
		`errs.New(errs.State, "a.b", "x", 1)`, `errs.Invalid("end", "a.b")`, `errs.Field{Path: "x", Key: "a.b"}`,
	} {
		if m := asked.FindStringSubmatch(src); m == nil || m[1] != "a.b" {
			t.Errorf("%s is not recognised", src)
		}
	}
}
