package explorer_test

import (
	"context"
	"strings"
	"testing"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"steward/internal/platform/assets"
	"steward/internal/platform/i18n"
	"steward/views/explorer"
	"steward/views/layout"
)

func TestPage(t *testing.T) {
	for _, lang := range i18n.Languages() {
		var b strings.Builder
		page := layout.Page{Title: "API", Lang: lang, Wide: true, Scripts: []string{explorer.Script}}
		if err := layout.Show(page, explorer.Page("/graphql")).Render(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		doc, err := html.Parse(strings.NewReader(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		for selector, want := range map[string]int{
			"h1": 1, "style": 0, "[style]": 0, "script:not([src])": 0, "script[src='" + assets.URL(explorer.Script) + "']": 1,
			"#explorer[data-endpoint='/graphql']": 1, "[data-do=run]": 1, "[data-do=tidy]": 1, "[data-do=curl]": 1,
			"[data-x=editor]": 1, "[data-x=variables]": 1, "[data-x=result]": 1, "[data-x=docs]": 1, "[data-x=find]": 1, "[data-x=status]": 1, "[data-x=history]": 1,
			"label[for=explorer-variables]": 1,
		} {
			if got := len(cascadia.QueryAll(doc, cascadia.MustCompile(selector))); got != want {
				t.Errorf("%s: %s: %d, want %d", lang, selector, got, want)
			}
		}
	}
}

// The committed bundle fits the page, and has not grown past what one page may cost (198 KB of gzip when it was made).
func TestScriptUsesEveryPartOfThePage(t *testing.T) {
	js := string(assets.Bytes(explorer.Script))
	for _, part := range []string{"editor", "variables", "result", "docs", "find", "status", "history"} {
		if !strings.Contains(js, `"`+part+`"`) {
			t.Errorf("the bundle does not know the part %q; run make assets", part)
		}
	}
	if len(js) > 700_000 {
		t.Errorf("the bundle has %d bytes", len(js))
	}
}
