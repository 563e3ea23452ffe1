package graph

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"steward/internal/rules/errs"
)

// Document bounds the text of a document. Validation takes time in the square of
// a set of fields, and fragments that use each other twice double with each
// level, so these are counted first, visiting every fragment once.
type Document struct {
	Tokens     int // words and signs
	Depth      int // fields within fields
	Fields     int // with every fragment written out
	SetSize    int // selections between two braces
	SameField  int // uses of one field between two braces
	Fragments  int
	Directives int // on one selection
	Operations int
}

// size is what a selection set comes to with its fragments written out.
type size struct{ fields, depth int }

// check parses the text and counts. Errors have the code Limit, or Validation
// for a text that is no document.
func (l Document) check(text string) error {
	d, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, l.Tokens)
	if err != nil {
		if strings.Contains(err.Error(), "token limit") {
			return tooLarge("graph.tokens", l.Tokens)
		}
		return invalidDocument(err)
	}
	if len(d.Operations) > l.Operations {
		return tooLarge("graph.operations", l.Operations)
	}
	if len(d.Fragments) > l.Fragments {
		return tooLarge("graph.fragments", l.Fragments)
	}
	w := counting{l: l, frag: map[string]*ast.FragmentDefinition{}, done: map[string]size{}, open: map[string]bool{}}
	for _, f := range d.Fragments {
		w.frag[f.Name] = f
	}
	for _, f := range d.Fragments { // unused ones are validated too
		if _, err := w.fragment(f.Name); err != nil {
			return err
		}
	}
	for _, o := range d.Operations {
		if len(o.Directives) > l.Directives {
			return tooLarge("graph.directives", l.Directives)
		}
		if _, err := w.set(o.SelectionSet); err != nil {
			return err
		}
	}
	return nil
}

func tooLarge(key string, most int) *errs.Error { return errs.New(errs.Limit, key, "max", most) }

// invalidDocument says what is wrong with a document in the parser's words,
// which name only what stands in the document.
func invalidDocument(err error) *errs.Error {
	text := err.Error()
	if g, ok := err.(*gqlerror.Error); ok {
		text = g.Message
	}
	return errs.New(errs.Validation, "graph.document", "detail", text)
}

type counting struct {
	l    Document
	frag map[string]*ast.FragmentDefinition
	done map[string]size
	open map[string]bool
}

func (w *counting) fragment(name string) (size, error) {
	if s, ok := w.done[name]; ok {
		return s, nil
	}
	f := w.frag[name]
	if f == nil {
		return size{}, nil // the validator names it
	}
	if w.open[name] {
		return size{}, errs.New(errs.Validation, "graph.cycle", "name", name)
	}
	w.open[name] = true
	s, err := w.set(f.SelectionSet)
	w.open[name] = false
	w.done[name] = s
	return s, err
}

func (w *counting) set(ss ast.SelectionSet) (t size, err error) {
	if len(ss) > w.l.SetSize {
		return t, tooLarge("graph.set", w.l.SetSize)
	}
	same := map[string]int{}
	for _, x := range ss {
		var s size
		var dirs ast.DirectiveList
		switch x := x.(type) {
		case *ast.Field:
			dirs = x.Directives
			if same[x.Name]++; same[x.Name] > w.l.SameField {
				return t, tooLarge("graph.same_field", w.l.SameField)
			}
			s, err = w.set(x.SelectionSet)
			s.fields, s.depth = s.fields+1, s.depth+1
		case *ast.InlineFragment:
			dirs = x.Directives
			s, err = w.set(x.SelectionSet)
		case *ast.FragmentSpread:
			dirs = x.Directives
			s, err = w.fragment(x.Name)
		}
		if err != nil {
			return t, err
		}
		if len(dirs) > w.l.Directives {
			return t, tooLarge("graph.directives", w.l.Directives)
		}
		t.fields = min(t.fields+s.fields, w.l.Fields+1)
		t.depth = max(t.depth, s.depth)
		if t.fields > w.l.Fields {
			return t, tooLarge("graph.fields", w.l.Fields)
		}
		if t.depth > w.l.Depth {
			return t, tooLarge("graph.depth", w.l.Depth)
		}
	}
	return t, nil
}

// documents keeps parsed documents. A document passes through Add once, after
// validation and before it is shared, so that is where the places of page
// sizes are marked in it.
type documents struct {
	graphql.Cache[*ast.QueryDocument]
}

func newDocuments(l Limits) *documents {
	return &documents{lru.New[*ast.QueryDocument](l.Cache)}
}

// Add marks the places of page sizes in the document and keeps it.
func (c *documents) Add(ctx context.Context, text string, doc *ast.QueryDocument) {
	for _, o := range doc.Operations {
		writePages(o.SelectionSet)
	}
	for _, f := range doc.Fragments {
		writePages(f.SelectionSet)
	}
	c.Cache.Add(ctx, text, doc)
}
