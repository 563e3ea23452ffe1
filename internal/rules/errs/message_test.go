package errs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// messages reads one of the two files of error messages.
func messages(t *testing.T, lang string) map[string]string {
	t.Helper()
	b, err := os.ReadFile("../../platform/i18n/locales/errors." + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Every error of these packages has a sentence in both languages that fills in the
// same values.
func TestEveryErrorHasItsMessages(t *testing.T) {
	key := regexp.MustCompile(`"(error\.[a-z_.]+)"`)
	placeholder := regexp.MustCompile(`{{\.\w+}}`)
	en, fr := messages(t, "en"), messages(t, "fr")
	used := 0
	for _, pkg := range []string{"errs", "money", "fiscal", "flow", "okr"} {
		files, _ := filepath.Glob("../" + pkg + "/*.go")
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range key.FindAllStringSubmatch(string(src), -1) {
				used++
				if en[m[1]] == "" || fr[m[1]] == "" {
					t.Errorf("%s uses %s, which has no message in both languages", file, m[1])
				}
			}
		}
	}
	if used < 20 {
		t.Errorf("only %d keys found: the search is broken", used)
	}
	if len(en) != len(fr) {
		t.Errorf("%d messages in English, %d in French", len(en), len(fr))
	}
	for k, text := range en {
		a, b := placeholder.FindAllString(text, -1), placeholder.FindAllString(fr[k], -1)
		slices.Sort(a)
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("%s fills in %v in English and %v in French", k, a, b)
		}
	}
}
