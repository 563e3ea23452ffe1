package ui_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/a-h/templ/parser/v2"
	"github.com/a-h/templ/parser/v2/visitor"
)

// The house rules for every template of the product, this package's own included.

// texts are attributes that people read or hear.
var texts = []string{"aria-label", "aria-description", "aria-roledescription", "title", "placeholder", "alt", "label"}

// urls are attributes that make a browser fetch, send or run something. templ
// cleans addresses only in some of them, so they take paths of the program only:
// no value of a record may stand there.
var urls = regexp.MustCompile(`^(src|srcset|formaction|action|data|poster|background|ping|xlink:href|hx-(get|post|put|patch|delete|action|query))$`)

// recordText finds an expression that puts a stored address into an attribute.
var recordText = regexp.MustCompile(`(?i)\.(url|website|link|homepage|address)\b`)

var filter = regexp.MustCompile(`\[[^\]]*\]`)

// brand is the only text that is the same in every language.
var brand = []string{"Steward", "· Steward"}

// inspect returns what a template does that the house rules forbid.
func inspect(template string) ([]string, error) {
	file, err := parser.ParseString(template)
	if err != nil {
		return nil, err
	}
	var found []string
	say := func(what, value string) { found = append(found, what+": "+strings.TrimSpace(value)) }
	v := visitor.New()
	v.Text = func(n *parser.Text) error {
		if readable(n.Value) {
			say("text that is no message key", n.Value)
		}
		return nil
	}
	v.ConstantAttribute = func(n *parser.ConstantAttribute) error {
		name := n.Key.String()
		switch {
		case slices.Contains(texts, name) && readable(n.Value):
			say("attribute "+name+" that is no message key", n.Value)
		case forbidden(name):
			say("forbidden attribute", name)
		case name == "hx-trigger" && filter.MatchString(n.Value):
			say("trigger filter", n.Value)
		case strings.Contains(strings.ToLower(n.Value), "javascript:") || strings.HasPrefix(n.Value, "js:"):
			say("script in an attribute", n.Value)
		}
		return nil
	}
	v.ExpressionAttribute = func(n *parser.ExpressionAttribute) error {
		name := n.Key.String()
		switch {
		case forbidden(name):
			say("forbidden attribute", name)
		case (urls.MatchString(name) || name == "href") && recordText.MatchString(n.Expression.Value) && strings.Contains(n.Expression.Value, "ent."):
			say("stored address outside SafeLink", n.Expression.Value)
		}
		return nil
	}
	v.ScriptElement = func(n *parser.ScriptElement) error {
		if len(n.Contents) > 0 {
			say("inline script", "<script>")
		}
		return nil
	}
	v.RawElement = func(n *parser.RawElement) error { say("inline "+n.Name, "<"+n.Name+">"); return nil }
	v.CSSTemplate = func(n *parser.CSSTemplate) error { say("css template", n.Expression.Value); return nil }
	v.ScriptTemplate = func(n *parser.ScriptTemplate) error { say("script template", n.Name.Value); return nil }
	v.TemplElementExpression = withRaw(v.TemplElementExpression, say)
	return found, file.Visit(v)
}

// withRaw also refuses HTML that is written unescaped.
func withRaw(next func(*parser.TemplElementExpression) error, say func(what, value string)) func(*parser.TemplElementExpression) error {
	return func(n *parser.TemplElementExpression) error {
		if strings.HasPrefix(n.Expression.Value, "templ.Raw") {
			say("unescaped HTML", n.Expression.Value)
		}
		return next(n)
	}
}

func forbidden(name string) bool {
	return name == "style" || strings.HasPrefix(name, "on") || strings.HasPrefix(name, "hx-on") || strings.HasPrefix(name, "hx-vals")
}

func readable(s string) bool {
	s = strings.TrimSpace(s)
	return !slices.Contains(brand, s) && strings.ContainsFunc(s, unicode.IsLetter)
}

func TestTemplatesKeepTheHouseRules(t *testing.T) {
	seen := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".templ" {
			return err
		}
		seen++
		file, err := parser.Parse(path)
		if err != nil {
			return err
		}
		var b strings.Builder
		if err := file.Write(&b); err != nil {
			return err
		}
		found, err := inspect(b.String())
		for _, f := range found {
			t.Errorf("%s: %s", path, f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 10 {
		t.Errorf("only %d templates were seen", seen)
	}
}

func TestRulesAreNoticed(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`<p>Hello</p>`, "text that is no message key"},
		{`<p title="Hello"></p>`, "attribute title that is no message key"},
		{`<p style="color:red"></p>`, "forbidden attribute"},
		{`<p style={ s }></p>`, "forbidden attribute"},
		{`<p onclick="x()"></p>`, "forbidden attribute"},
		{`<p hx-on:click="x()"></p>`, "forbidden attribute"},
		{`<p hx-vals={ s }></p>`, "forbidden attribute"},
		{`<p hx-trigger="click[ctrlKey]"></p>`, "trigger filter"},
		{`<a href="javascript:x()"></a>`, "script in an attribute"},
		{`<a href={ templ.SafeURL(ent.Vendor.Website) }></a>`, "stored address"},
		{`<script>x()</script>`, "inline script"},
		{`<style>p{}</style>`, "inline style"},
		{`@templ.Raw(s)`, "unescaped HTML"},
		{`<p>{ s } (–) 3 %</p>`, ""},
		{`<script src={ s } defer></script>`, ""},
		{`<p aria-label={ s } hx-trigger="every 2s">·</p>`, ""},
	} {
		found, err := inspect("package x\n\ntempl x(s string) {\n\t" + c.body + "\n}\n")
		if err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		got := strings.Join(found, "; ")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: found %q, want %q", c.body, got, c.want)
		}
	}
	if _, err := inspect("package x\n\ntempl ("); err == nil {
		t.Error(errors.New("a broken template passes"))
	}
}
