package lint

import (
	"bytes"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shapes are what secrets look like wherever they stand. Only a text with one of the begins is looked through.
var shapes = []struct {
	what, begins string
	shape        *regexp.Regexp
}{
	{"a private key", "PRIVATE KEY|AGE-SECRET-KEY|PuTTY-User", regexp.MustCompile(`-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY|AGE-SECRET-KEY-1[0-9A-Z]{20,}|PuTTY-User-Key-File-\d`)},
	{"a webhook's secret", "whsec_", regexp.MustCompile(`whsec_[A-Za-z0-9+/=_-]{16,}`)},
	{"a cloud's key", "AKIA|ASIA|AIza|ya29.", regexp.MustCompile(`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}\b|\bya29\.[0-9A-Za-z_-]{20,}`)},
	{"a forge's token", "ghp_|gho_|ghu_|ghs_|ghr_|github_pat_|glpat-|npm_|pypi-|dckr_pat_", regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{50,}|\bglpat-[A-Za-z0-9_-]{20,}|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[A-Za-z0-9_-]{50,}|\bdckr_pat_[A-Za-z0-9_-]{20,}`)},
	{"a service's token", "xox|k_live_|sk-|SG.", regexp.MustCompile(`\bxox[abeprs]-[A-Za-z0-9-]{10,}|\b[sr]k_live_[0-9A-Za-z]{20,}|\bsk-[A-Za-z0-9_-]{32,}|\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}`)},
	{"a signed token", "eyJ", regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{16,}`)},
}

// tell are the names that sound secret, of which one stands in a line that is looked at.
const tell = `passw|passphrase|secret|token|api_key|apikey|api-key|private_key|privatekey|credential`

// said is a value given to a name that sounds secret, in quotes or, in files of settings, without.
var (
	said  = regexp.MustCompile("(?i)(?:" + tell + ")[\\w.-]*[\"'`]?[\\])]?(?:\\s+string)?\\s*(?::=|=>|=|:|,)\\s*[\"'`]([^\"'`\\s]{12,})[\"'`]")
	plain = regexp.MustCompile(`(?i)^\s*(?:export\s+|-\s+)?[\w.-]*(?:` + tell + `)[\w.-]*\s*[:=]\s*([^\s"'#]{12,})\s*$`)
	login = regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^/\s:@"'$<{}]+:([^/\s:@"'$<{}*]{8,})@`)
)

// settings are the files in which values stand without quotes.
var settings = regexp.MustCompile(`(?:\.(?:ya?ml|env|conf|ini|toml|properties|service|sh)|file)$`)

// excused are what looks like a secret and is none, by file and text, each with the reason.
var excused = map[string]string{
	`deploy/systemd/unit_test.go: k3Jd82hsk29sKd02\n`:           "drawn for the tests of the settings, which look at how long and how known a secret is",
	`internal/app/doctor_test.go: k3Jd82hsk29sKd02`:             "the same",
	`internal/platform/config/config_test.go: k3Jd82hsk29sKd02`: "the same",
	`internal/e2e/keycloak/world_test.go: Steward-Demo-2026`:    "the published password of the demo's people in a Keycloak that the tests start",
}

// random reports whether a value looks as if a machine had drawn it: letters and digits, and so many
// different ones that it is no word.
func random(value string) bool {
	if !strings.ContainsAny(value, "0123456789") || !regexp.MustCompile(`[A-Za-z]`).MatchString(value) || strings.ContainsAny(value, "${}()<>%*") {
		return false
	}
	counts, bits := map[rune]float64{}, 0.0
	n := 0.0
	for _, r := range value {
		counts[r]++
		n++
	}
	for _, c := range counts {
		bits -= c / n * math.Log2(c/n)
	}
	return bits >= 3.2
}

// secrets lists what in a file looks like a secret: what it is, and its text.
func secrets(name, text, prefix string) (found [][2]string) {
	for _, s := range shapes {
		if !hasAny(text, s.begins) {
			continue
		}
		for _, m := range s.shape.FindAllString(text, -1) {
			found = append(found, [2]string{s.what, m})
		}
	}
	if strings.Contains(text, prefix) {
		for _, m := range regexp.MustCompile(regexp.QuoteMeta(prefix)+`[0-9A-Za-z_-]{30,}`).FindAllString(text, -1) {
			found = append(found, [2]string{"a token of Steward", m})
		}
	}
	var values [][]string
	for line := range strings.Lines(text) {
		if strings.Contains(line, "://") && strings.Contains(line, "@") {
			values = append(values, login.FindAllStringSubmatch(line, -1)...)
		}
		if !strings.ContainsAny(line, "0123456789") || !hasAny(strings.ToLower(line), tell) {
			continue
		}
		values = append(values, said.FindAllStringSubmatch(line, -1)...)
		if settings.MatchString(name) {
			values = append(values, plain.FindAllStringSubmatch(line, -1)...)
		}
	}
	for _, m := range values {
		if random(m[1]) {
			found = append(found, [2]string{"a value of a secret's name", m[1]})
		}
	}
	return found
}

// hasAny reports whether a text has one of the parts, which stand between bars.
func hasAny(text, parts string) bool {
	for p := range strings.SplitSeq(parts, "|") {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// tracked calls f for every text that git keeps or would; where there is no git, for every text there is.
func tracked(t *testing.T, f func(name, text string)) {
	t.Helper()
	var names []string
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root(t)
	if out, err := list.Output(); err == nil {
		names = strings.Split(strings.Trim(string(out), "\x00"), "\x00")
	} else if err := fs.WalkDir(os.DirFS(root(t)), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.Contains(" .git node_modules var bin dist ", " "+d.Name()+" "):
			return fs.SkipDir
		case d.Type().IsRegular():
			names = append(names, name)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(root(t), name))
		if os.IsNotExist(err) { // being deleted, or a folder of another repository
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(b[:min(len(b), 8000)], 0) >= 0 { // a picture, a font
			continue
		}
		n++
		f(name, string(b))
	}
	if n < 500 {
		t.Errorf("only %d files read", n)
	}
}

// tokenPrefix is what every token of Steward begins with.
func tokenPrefix(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), "internal/platform/auth/secret.go"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`TokenPrefix = "(\w+)"`).FindSubmatch(b)
	if m == nil {
		t.Fatal("no TokenPrefix in internal/platform/auth/secret.go")
	}
	return string(m[1])
}

// SC-1: no secret lies in the repository. One that was committed once is no secret any more, whatever is done
// about it later.
func TestNoSecretInTheRepository(t *testing.T) {
	prefix, used := tokenPrefix(t), map[string]bool{}
	tracked(t, func(name, text string) {
		for _, x := range secrets(name, text, prefix) {
			key := name + ": " + x[1]
			if excused[key] != "" {
				used[key] = true
				continue
			}
			t.Errorf("%s holds what looks like %s: %q. If it is none, say why in excused", name, x[0], x[1])
		}
	})
	for key := range excused {
		if !used[key] {
			t.Errorf("nothing needs the excuse for %s: take it out of excused", key)
		}
	}
}

func TestSecretScanItself(t *testing.T) {
	const drawn = "k3Jd82hs" + "k29sKd02"
	long := strings.Repeat("aB3dE", 8)
	for what, c := range map[string]struct {
		file, text string
		found      bool
	}{
		"a key":                 {"x.pem", "-----BEGIN EC " + "PRIVATE KEY-----", true},
		"a key of OpenSSH":      {"x.go", "`-----BEGIN OPENSSH " + "PRIVATE KEY-----`", true},
		"a certificate":         {"x.pem", "-----BEGIN CERTIFICATE-----", false},
		"a webhook's secret":    {"x.md", "whsec_" + long, true},
		"its prefix":            {"x.md", `secret: "whsec_…"`, false},
		"a token":               {"x.mjs", "pre_" + long, true},
		"a forge's token":       {"x.yml", "ghp_" + long, true},
		"a cloud's key":         {"x.go", "AKIA" + "ABCDEFGHIJKLMNOP", true},
		"a signed token":        {"x.go", "eyJ" + long[:12] + ".eyJ" + long[:12] + "." + long, true},
		"a constant":            {"x.go", `const clientSecret = "` + drawn + `"`, true},
		"a short declaration":   {"x.go", `password := "` + drawn + `"`, true},
		"JSON":                  {"x.json", `"api_key": "` + drawn + `"`, true},
		"a map":                 {"x.go", `map[string]string{"DB_PASSWORD": "` + drawn + `"}`, true},
		"setting a variable":    {"x.go", `t.Setenv("OIDC_SECRET", "` + drawn + `")`, true},
		"an environment file":   {"x.env", "STEWARD_SECRET=" + drawn, true},
		"a shell script":        {"x.sh", "export TOKEN=" + drawn, true},
		"a unit":                {"x.yaml", "  password: " + drawn, true},
		"an address":            {"x.md", "postgres://steward:" + drawn + "@db/x", true},
		"a sentence":            {"x.json", `"desk.secret": "Copy the token now, it is shown once"`, false},
		"a word":                {"x.go", `token := "stw_nobody"`, false},
		"a message's name":      {"x.go", `"secret": "webhook.secret_shown"`, false},
		"a placeholder":         {"x.yaml", "password: ${DATABASE_PASSWORD:?set}", false},
		"a variable":            {"x.sh", `TOKEN="$(cat /run/token1234567)"`, false},
		"a call":                {"x.go", `secret := strings.Repeat("k", 32)`, false},
		"no secret's name":      {"x.go", `id := "` + drawn + `"`, false},
		"an address, no secret": {"x.md", "postgres://u:p@127.0.0.1/x", false},
	} {
		if got := secrets(c.file, c.text, "pre_"); len(got) > 0 != c.found {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// inHistory finds the names of secrets in instructions whose text stays in an image's history.
var inHistory = regexp.MustCompile(`(?im)^\s*(?:ARG|ENV|LABEL|RUN|CMD|ENTRYPOINT)\b.*(?:passw(?:or)?d|secret|token|api_?key|private_?key|credential).*$`)

// mounted is how a build may have a secret: it lies in no layer and in no history.
var mounted = regexp.MustCompile(`--mount=type=secret,\S+`)

// SC-1: building the image takes no secret, so its history, which everybody reads who has the image, holds none.
func TestNoSecretInTheImage(t *testing.T) {
	n := 0
	tracked(t, func(name, text string) {
		base := strings.ToLower(filepath.Base(name))
		if !strings.HasSuffix(base, "containerfile") && !strings.HasSuffix(base, "dockerfile") {
			return
		}
		n++
		for _, line := range historyFaults(text) {
			t.Errorf("%s: %s", name, line)
		}
	})
	if n == 0 {
		t.Error("no Containerfile found")
	}
	for text, bad := range map[string]bool{
		"FROM scratch\nARG VERSION=1\nENV STEWARD_LISTEN=:8080":             false,
		"FROM scratch\nARG NPM_TOKEN":                                       true,
		"FROM scratch\nENV STEWARD_OIDC_CLIENT_SECRET=x":                    true,
		"FROM scratch\nRUN go build \\\n  -ldflags \"-X a.password=${P}\"":  true,
		"FROM scratch\nRUN --mount=type=secret,id=token,target=/run/x make": false,
		"# secrets come from a file\nFROM scratch\nCMD [\"serve\"]":         false,
		"FROM scratch\nCOPY steward.key /":                                  true,
		"FROM scratch\nCOPY --from=build /out/steward /steward":             false,
	} {
		if got := historyFaults(text); len(got) > 0 != bad {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// carried are files of secrets that an image would hold.
var carried = regexp.MustCompile(`(?im)^\s*(?:COPY|ADD)\b.*(?:\.key|\.pem|\.env|\.p12|_rsa|\.netrc|\.npmrc)\b.*$`)

func historyFaults(text string) []string {
	text = regexp.MustCompile(`\\\r?\n`).ReplaceAllString(text, " ")
	text = mounted.ReplaceAllString(text, "")
	return append(inHistory.FindAllString(text, -1), carried.FindAllString(text, -1)...)
}
