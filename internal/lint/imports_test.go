package lint

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// rooms says, for each folder of the module, which others its packages may import ("x" is x and all
// below it, "x." is x alone). The longest folder that fits a package counts. Tests are not bound by it.
//
//	rules ← ent/mixin, ent/schema ← ent ← internal/platform ← internal/area ← {graph, views, web, exchange} ← app ← cmd
var rooms = map[string]string{
	"internal/rules":    "internal/rules",
	"ent/mixin":         "internal/rules ent/mixin",
	"ent/schema":        "internal/rules ent/mixin ent/schema.",
	"ent":               "internal/rules ent internal/platform/scope internal/platform/keyset",
	"ent/registry":      "internal/rules ent internal/platform/scope internal/platform/entity",
	"ent/codegen":       "internal/rules ent",
	"static":            "",
	"deploy":            "",
	"migrations":        "internal/platform migrations ent internal/rules",
	"internal/platform": "internal/rules ent internal/platform static migrations",
	// what generated code calls lies below it
	"internal/platform/scope":  "internal/rules",
	"internal/platform/keyset": "internal/rules",
	"internal/platform/entity": "internal/rules ent internal/platform/scope",
	"internal/area":            "internal/rules ent internal/platform", // and its neighbours below
	"internal/exchange":        "internal/rules ent internal/platform internal/area internal/exchange",
	"graph":                    "internal/rules ent internal/platform internal/area graph",
	"views/ui":                 "internal/rules internal/platform/i18n internal/platform/assets views/ui",
	"views":                    "internal/rules ent internal/platform/i18n internal/platform/assets internal/platform/entity internal/area views",
	"internal/web":             "internal/rules ent internal/platform internal/area internal/exchange views internal/web static",
	"internal/seed":            "internal/rules ent internal/platform internal/area",
	"internal/app":             "internal graph ent views static migrations",
	"cmd":                      "internal/app internal/platform/config internal/platform/obs",
	"internal/testkit":         "internal ent graph views static migrations",
	"internal/e2e":             "internal ent graph views",
	"internal/bench":           "",
	"internal/lint":            "",
}

// neighbours says which areas an area may call; a change that travels the other way is an event.
var neighbours = map[string]string{
	"approval": "", "move": "approval", "people": "move", "initiative": "move portfolio", "portfolio": "", "product": "portfolio move",
	"contract": "product portfolio move", "budget": "approval contract product portfolio", "procurement": "budget contract product portfolio move",
	"invoice": "procurement budget contract product portfolio", "value": "invoice procurement budget contract product portfolio",
	"okr": "product portfolio move", "intake": "product portfolio", "delivery": "product portfolio", "service": "product portfolio",
	"partner": "product portfolio", "oncall": "product portfolio", "continuity": "product portfolio",
	"custom": "", "subject": "", "comment": "subject", "attachment": "subject", "tag": "", "bulk": "tag", "view": "", "notify": "", "webhook": "notify", "takeout": "",
	"report": "*", "inbox": "*",
}

// pure are the only modules outside the standard library that rules may use.
var pure = []string{"github.com/vmihailenco/msgpack/", "github.com/oklog/ulid/", "github.com/bojanz/currency", "golang.org/x/text/"}

func fits(pkg, list string) bool {
	for p := range strings.FieldsSeq(list) {
		alone, exact := strings.CutSuffix(p, ".")
		if pkg == alone || !exact && strings.HasPrefix(pkg, alone+"/") {
			return true
		}
	}
	return false
}

// mayImport returns why pkg must not import other (both without "steward/"), or "".
func mayImport(pkg, other string) string {
	room := ""
	for r := range rooms {
		if len(r) > len(room) && fits(pkg, r) {
			room = r
		}
	}
	if room == "" {
		return "has no room: add it to rooms, or move it"
	}
	if fits(other, "internal/testkit internal/lint internal/e2e") && room != "internal/testkit" && room != "internal/e2e" {
		return "imports what is for tests: " + other
	}
	area, inside := strings.CutPrefix(pkg, "internal/area/")
	if far, ok := strings.CutPrefix(other, "internal/area/"); inside && ok {
		own, _, _ := strings.Cut(area, "/")
		far, _, _ = strings.Cut(far, "/")
		allowed, known := neighbours[own]
		switch {
		case !known:
			return fmt.Sprintf("is an area without a line in neighbours, and imports area %s", far)
		case own != far && allowed != "*" && !strings.Contains(" "+allowed+" ", " "+far+" "):
			return fmt.Sprintf("imports area %s, which lies the other way: use an event", far)
		}
		return ""
	}
	if !fits(other, rooms[room]) {
		return fmt.Sprintf("imports %s, but %s may import only: %s", other, room, rooms[room])
	}
	return ""
}

func TestImportDirection(t *testing.T) {
	list := exec.Command("go", "list", "-e", "-f", `{{.ImportPath}}|{{join .Imports " "}}`, "./...")
	list.Dir = root(t)
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := 0
	for line := range strings.Lines(string(out)) {
		path, imports, _ := strings.Cut(strings.TrimSpace(line), "|")
		pkg := strings.TrimPrefix(path, "steward/")
		packages++
		for imp := range strings.FieldsSeq(imports) {
			other, ours := strings.CutPrefix(imp, "steward/")
			if why := ""; ours {
				if why = mayImport(pkg, other); why != "" {
					t.Errorf("%s %s", pkg, why)
				}
			} else if fits(pkg, "internal/rules") && strings.Contains(strings.Split(imp, "/")[0], ".") && !anyPrefix(imp, pure) {
				t.Errorf("%s imports %s: rules are pure", pkg, imp)
			} else if fits(pkg, "internal/rules") && (imp == "database/sql" || strings.HasPrefix(imp, "net/http")) {
				t.Errorf("%s imports %s: rules know no database and no HTTP", pkg, imp)
			}
		}
	}
	if packages < 5 {
		t.Errorf("only %d packages listed", packages)
	}
}

func TestImportRuleItself(t *testing.T) {
	for _, c := range []struct {
		pkg, other string
		ok         bool
	}{
		{"internal/rules/money", "internal/rules/errs", true}, {"internal/rules/money", "ent", false},
		{"ent/schema", "ent/mixin", true}, {"ent/schema", "ent", false}, {"ent/schema", "ent/product", false}, {"ent", "ent/schema", true},
		{"internal/platform/store", "ent", true}, {"internal/platform/store", "internal/area/budget", false},
		{"internal/area/budget", "internal/area/contract", true}, {"internal/area/contract", "internal/area/budget", false},
		{"internal/area/report", "internal/area/budget", true}, {"internal/area/okr", "internal/area/budget", false},
		{"internal/area/budget", "internal/platform/store", true}, {"internal/area/budget", "views/budget", false},
		{"internal/area/novel", "internal/area/budget", false},
		{"graph", "internal/web", false}, {"internal/web", "graph", false}, {"internal/web", "views/budget", true},
		{"views/budget", "internal/platform/store", false}, {"views/budget", "ent", true}, {"views/ui", "ent", false},
		{"internal/exchange/ical", "internal/area/okr", true}, {"internal/exchange/ical", "internal/web", false},
		{"cmd/steward", "internal/app", true}, {"cmd/steward", "ent", false}, {"internal/app", "internal/web", true},
		{"internal/app", "internal/testkit", false}, {"internal/testkit", "internal/platform/store", true}, {"odds/ends", "ent", false},
	} {
		if got := mayImport(c.pkg, c.other); (got == "") != c.ok {
			t.Errorf("%s → %s: %q", c.pkg, c.other, got)
		}
	}
}
