// Package container holds what runs Steward as a container; its only Go is this test, which reads the files and
// needs no container engine. check.sh runs the binary under the image's conditions.
package container

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"steward/internal/platform/config"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// pinned is an image with a version of its own, to which a digest may be added.
var pinned = regexp.MustCompile(`^[a-z0-9.-]+\.[a-z]+/[a-z0-9/_-]+:v?[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z0-9.]+)?(@sha256:[0-9a-f]{64})?$`)

// instructions returns the lines of a Containerfile, joined where they go on and without comments.
func instructions(text string) (list [][2]string) {
	text = regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.Lines(text) {
		if word, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			list = append(list, [2]string{word, strings.Join(strings.Fields(rest), " ")})
		}
	}
	return list
}

func TestContainerfile(t *testing.T) {
	args, stages := map[string]string{}, map[string]bool{}
	var last []string // the instructions of the final stage
	base, built := "", ""
	for _, i := range instructions(read(t, "Containerfile")) {
		switch i[0] {
		case "ARG":
			name, value, _ := strings.Cut(i[1], "=")
			args["${"+name+"}"] = value
		case "FROM":
			from, stage, _ := strings.Cut(i[1], " AS ")
			if image, ok := args[from]; ok {
				from = image
			}
			if from != "scratch" && !stages[from] && !pinned.MatchString(from) {
				t.Errorf("%s is not pinned to a version", from)
			}
			stages[stage], base, last = true, from, nil
			continue
		case "RUN":
			built += i[1]
		}
		last = append(last, i[0]+" "+i[1])
	}
	if base != "scratch" {
		t.Errorf("the image is based on %s, not on nothing", base)
	}
	if !strings.Contains(built, "CGO_ENABLED=0 go build -trimpath") {
		t.Error("the binary is not built static")
	}
	for _, want := range []string{"USER 65532:0", "EXPOSE 8080", `VOLUME ["/data", "/tmp"]`, `ENTRYPOINT ["/steward"]`, `CMD ["serve", "--production"]`,
		"ENV STEWARD_LISTEN=:8080 STEWARD_DATABASE=sqlite:/data/steward.db"} {
		if !slices.Contains(last, want) {
			t.Errorf("the image lacks %s: %q", want, last)
		}
	}
	for _, i := range last {
		if strings.HasPrefix(i, "RUN") || strings.HasPrefix(i, "ADD") || strings.HasPrefix(i, "COPY ") && !strings.HasPrefix(i, "COPY --from=build") {
			t.Errorf("the image takes something in from outside the build: %s", i)
		}
	}
	version := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindStringSubmatch(read(t, "../../go.mod"))
	if !strings.Contains(args["${GO_IMAGE}"], "golang:"+version[1]+".") {
		t.Errorf("built with %s, the module wants Go %s", args["${GO_IMAGE}"], version[1])
	}
	ignored := strings.Split(read(t, "Containerfile.dockerignore"), "\n")
	for _, want := range []string{".git", "var", "**/*.db", "**/*.key", "**/*.env"} {
		if !slices.Contains(ignored, want) {
			t.Errorf("%s could travel into a layer", want)
		}
	}
}

type service struct {
	Image       string
	Command     []string
	User        string
	ReadOnly    bool `yaml:"read_only"`
	Privileged  bool
	NetworkMode string   `yaml:"network_mode"`
	CapDrop     []string `yaml:"cap_drop"`
	SecurityOpt []string `yaml:"security_opt"`
	Tmpfs       []string
	Ports       []string
	Volumes     []string
	Environment map[string]string
}

// required is a value that comes from outside and without which nothing starts.
var required = regexp.MustCompile(`^\$\{[A-Z_]+:\?[^}]+\}$`)

func compose(t *testing.T) map[string]service {
	t.Helper()
	var file struct{ Services map[string]service }
	d := yaml.NewDecoder(strings.NewReader(read(t, "compose.yaml")))
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	if len(file.Services) != 3 {
		t.Fatalf("%d services", len(file.Services))
	}
	return file.Services
}

func TestComposeIsClosedAndPinned(t *testing.T) {
	for name, s := range compose(t) {
		if s.Image != "steward:local" && !pinned.MatchString(s.Image) {
			t.Errorf("%s: %s is not pinned to a version", name, s.Image)
		}
		if s.Privileged || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may become more than it is", name)
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s: port %s is open to other machines", name, p)
			}
		}
		for _, v := range s.Volumes {
			if strings.Contains(v, "docker.sock") || strings.HasPrefix(v, "/") {
				t.Errorf("%s mounts %s", name, v)
			}
		}
		for k, v := range s.Environment {
			if secret := regexp.MustCompile(`PASSWORD|SECRET|TOKEN`).MatchString(k); secret != required.MatchString(v) {
				t.Errorf("%s: %s is %q: secrets, and only they, come from .env", name, k, v)
			}
		}
	}
	s := compose(t)["steward"]
	if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Equal(s.Tmpfs, []string{"/tmp"}) || !strings.HasSuffix(s.User, ":0") {
		t.Errorf("steward does not run as the restricted profile has it: %+v", s)
	}
}

// TestKeycloakGetsWhatItsRealmNames: Keycloak takes a name that is not set as that text.
func TestKeycloakGetsWhatItsRealmNames(t *testing.T) {
	k := compose(t)["keycloak"]
	for _, m := range regexp.MustCompile(`\$\{([A-Z_]+)\}`).FindAllStringSubmatch(read(t, "../keycloak/steward-realm.json"), -1) {
		if k.Environment[m[1]] == "" {
			t.Errorf("the realm names %s, which is not set", m[1])
		}
	}
	tested := regexp.MustCompile(`KEYCLOAK_VERSION:-([0-9.]+)`).FindStringSubmatch(read(t, "../../scripts/keycloak.sh"))
	if !strings.HasSuffix(k.Image, ":"+tested[1]) {
		t.Errorf("%s is not the version that the tests use, %s", k.Image, tested[1])
	}
}

// TestStewardAcceptsItsSettings reads the service's command and environment as Steward would.
func TestStewardAcceptsItsSettings(t *testing.T) {
	s := compose(t)["steward"]
	for k, v := range s.Environment {
		if required.MatchString(v) {
			v = "k3Jd82hsk29sKd02"
		}
		if k == "STEWARD_KEY_FILE" {
			v = filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(v, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv(k, v)
	}
	cmd, err := config.Parse(s.Command, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if host, _, _ := strings.Cut(strings.TrimPrefix(cmd.Serve.BaseURL, "http://"), ":"); host != "localhost" || cmd.Serve.Listen != ":8080" {
		t.Errorf("it serves %s at %s", cmd.Serve.BaseURL, cmd.Serve.Listen)
	}
}
