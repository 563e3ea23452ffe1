package graph_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"steward/graph"
	"steward/internal/testkit"
)

var sent = regexp.MustCompile(`(?s)-d '(\{.*?\})'`)

// TestHandbook: every request that the pages for integrators show is one the server
// takes, with the variables it shows.
func TestHandbook(t *testing.T) {
	s, err := gqlparser.LoadSchema(&ast.Source{Input: graph.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	pages, _ := filepath.Glob("../docs/integrate/*.md")
	n := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range sent.FindAllStringSubmatch(string(text), -1) {
			var body struct {
				Query, DocumentID string
				Variables         map[string]any
			}
			if err := json.Unmarshal([]byte(m[1]), &body); err != nil {
				t.Errorf("%s: %v in %s", page, err, m[1])
				continue
			}
			if body.DocumentID != "" {
				continue
			}
			n++
			doc, errs := gqlparser.LoadQueryWithRules(s, body.Query, nil)
			if errs != nil {
				t.Errorf("%s: %v in %s", page, errs, body.Query)
				continue
			}
			for name := range body.Variables {
				if doc.Operations[0].VariableDefinitions.ForName(name) == nil {
					t.Errorf("%s: the variable %s is not in %s", page, name, body.Query)
				}
			}
		}
	}
	if n < 7 {
		t.Errorf("only %d requests were found in %s", n, strings.Join(pages, " "))
	}
}

// TestHandbookHash: the hash that the page on stored documents shows is that of the
// document it stores.
func TestHandbookHash(t *testing.T) {
	w := newWorld(t, testkit.OpenURL(t, testkit.SQLiteURL(t)), graph.Limits{})
	text, err := os.ReadFile("../docs/integrate/stored-documents.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range sent.FindAllStringSubmatch(string(text), -1) {
		w.send(w.bot(), m[1]).fine(t)
	}
}
