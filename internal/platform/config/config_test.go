package config

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"steward/internal/platform/obs"
)

// quiet removes the variables of the machine that runs the test.
func quiet(t *testing.T) {
	for _, e := range os.Environ() {
		name, _, _ := strings.Cut(e, "=")
		if strings.HasPrefix(name, "STEWARD_") || strings.HasPrefix(name, "PG") || strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "") // so that it is put back
			_ = os.Unsetenv(name)
		}
	}
}

// parse reads a line of words.
func parse(line string) (*Command, error) { return Parse(strings.Fields(line), io.Discard) }

// keyFile makes a key file with the given rights.
func keyFile(t *testing.T, mode os.FileMode) string {
	name := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(name, []byte("0123456789abcdef"), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
	return name
}

const good = "postgres://steward@db/steward?sslmode=verify-full"

// safe is a production command line that starts; each case of the table spoils one thing.
func safe(t *testing.T) map[string]string {
	return map[string]string{
		"--production": "true", "--listen": "0.0.0.0:8080", "--trusted-proxy": "10.1.0.0/16", "--base-url": "https://steward.example",
		"--oidc-issuer": "https://id.example/realms/steward", "--database": good, "--key-file": keyFile(t, 0o600), "--replicas": "3",
	}
}

func TestUnsafeConfigurationIsRefused(t *testing.T) {
	quiet(t)
	const ownSecret = "k3Jd82hsk29sKd02"
	drop := "\x00"
	cases := map[string]struct {
		flags  map[string]string
		env    map[string]string
		refuse string // part of the one sentence; "" is accepted
	}{
		"all is well": {},
		// the database
		"sslmode missing":         {flags: map[string]string{"--database": "postgres://steward@db/steward"}, refuse: "sslmode=verify-full"},
		"sslmode require":         {flags: map[string]string{"--database": "postgres://steward@db/steward?sslmode=require"}, refuse: "sslmode=verify-full"},
		"sslmode disable":         {flags: map[string]string{"--database": "postgres://steward@db/steward?sslmode=disable"}, refuse: "sslmode=verify-full"},
		"sslmode from PGSSLMODE":  {flags: map[string]string{"--database": "postgres://steward@db/steward"}, env: map[string]string{"PGSSLMODE": "verify-full"}},
		"several hosts":           {flags: map[string]string{"--database": "postgres://steward@a:5432,b:5432/steward?sslmode=verify-full&target_session_attrs=read-write"}},
		"several hosts, weak":     {flags: map[string]string{"--database": "postgres://steward@a:5432,b:5432/steward?sslmode=verify-ca"}, refuse: "sslmode=verify-full"},
		"unix socket":             {flags: map[string]string{"--database": "postgres://steward@/steward?host=/run/postgresql"}},
		"commit off":              {flags: map[string]string{"--database": good + "&synchronous_commit=off"}, refuse: "synchronous_commit off"},
		"commit off by options":   {flags: map[string]string{"--database": good + "&options=-c%20synchronous_commit%3Doff"}, refuse: "synchronous_commit off"},
		"commit remote_apply":     {flags: map[string]string{"--database": good + "&synchronous_commit=remote_apply"}},
		"password by flag":        {flags: map[string]string{"--database": "postgres://steward:pw@db/steward?sslmode=verify-full"}, refuse: "password is on the command line"},
		"password by environment": {flags: map[string]string{"--database": drop}, env: map[string]string{"STEWARD_DATABASE": "postgres://steward:pw@db/steward?sslmode=verify-full"}},
		"unknown database":        {flags: map[string]string{"--database": "mysql://db"}, refuse: "neither sqlite:PATH nor postgres"},
		"sqlite without a path":   {flags: map[string]string{"--database": "sqlite:", "--replicas": "1"}, refuse: "names no file"},
		"sqlite and replicas":     {flags: map[string]string{"--database": "sqlite:x.db", "--replicas": "2"}, refuse: "SQLite serves one server only"},
		"sqlite and one server":   {flags: map[string]string{"--database": "sqlite:x.db", "--replicas": "1"}},
		"in memory":               {flags: map[string]string{"--database": "sqlite::memory:", "--replicas": "1"}, refuse: "lost at every stop"},
		"no replicas":             {flags: map[string]string{"--replicas": "0"}, refuse: "1 or more"},
		"no key file":             {flags: map[string]string{"--key-file": drop}, refuse: "PostgreSQL needs --key-file"},
		"key file missing":        {flags: map[string]string{"--key-file": "/nowhere/key"}, refuse: "cannot be read"},
		"key file open to all":    {flags: map[string]string{"--key-file": keyFile(t, 0o644)}, refuse: "every user of this machine"},
		"key file is a folder":    {flags: map[string]string{"--key-file": t.TempDir()}, refuse: "is not a file\nevery user"},
		"commit off, no issuer":   {flags: map[string]string{"--database": good + "&synchronous_commit=0", "--oidc-issuer": drop}, refuse: "nobody can sign in\nthe database URL turns synchronous_commit off"},
		// addresses
		"no base URL":              {flags: map[string]string{"--base-url": drop}, refuse: "needs --base-url"},
		"http base URL":            {flags: map[string]string{"--base-url": "http://steward.example"}, refuse: "must be https"},
		"base URL with a path":     {flags: map[string]string{"--base-url": "https://steward.example/x"}, refuse: "scheme and host only"},
		"base URL with a password": {flags: map[string]string{"--base-url": "https://a:b@steward.example"}, refuse: "scheme and host only"},
		"base URL of another kind": {flags: map[string]string{"--base-url": "ftp://steward.example"}, refuse: "not an http or https address"},
		"listen without a port":    {flags: map[string]string{"--listen": "0.0.0.0"}, refuse: "not HOST:PORT"},
		"no proxy":                 {flags: map[string]string{"--trusted-proxy": drop}, refuse: "--trusted-proxy"},
		"no proxy on loopback":     {flags: map[string]string{"--trusted-proxy": drop, "--listen": "127.0.0.1:8080"}},
		"everybody is the proxy":   {flags: map[string]string{"--trusted-proxy": "0.0.0.0/0"}, refuse: "believes everybody"},
		"one port for both":        {flags: map[string]string{"--ops-listen": "0.0.0.0:8080"}, refuse: "must differ"},
		"metrics for the cluster":  {flags: map[string]string{"--ops-listen": "0.0.0.0:9090"}},
		// sign-in
		"no issuer":             {flags: map[string]string{"--oidc-issuer": drop}, refuse: "needs --oidc-issuer"},
		"http issuer":           {flags: map[string]string{"--oidc-issuer": "http://id.example/realms/steward"}, refuse: "must be https"},
		"issuer is no address":  {flags: map[string]string{"--oidc-issuer": "keycloak"}, refuse: "not an issuer's address"},
		"no secret":             {env: map[string]string{"STEWARD_OIDC_CLIENT_SECRET": drop}, refuse: "needs STEWARD_OIDC_CLIENT_SECRET"},
		"published secret":      {env: map[string]string{"STEWARD_OIDC_CLIENT_SECRET": "steward-web-dev-secret"}, refuse: "published or short"},
		"short secret":          {env: map[string]string{"STEWARD_OIDC_CLIENT_SECRET": "s3cret"}, refuse: "published or short"},
		"placeholder":           {env: map[string]string{"STEWARD_OIDC_CLIENT_SECRET": "${STEWARD_OIDC_CLIENT_SECRET}"}, refuse: "placeholder"},
		"secret given twice":    {env: map[string]string{"STEWARD_OIDC_CLIENT_SECRET_FILE": keyFile(t, 0o600)}, refuse: "are both set\n--oidc-issuer needs"},
		"secret from a file":    {env: map[string]string{"STEWARD_OIDC_CLIENT_SECRET": drop, "STEWARD_OIDC_CLIENT_SECRET_FILE": keyFile(t, 0o600)}},
		"secret file missing":   {env: map[string]string{"STEWARD_OIDC_CLIENT_SECRET": drop, "STEWARD_OIDC_CLIENT_SECRET_FILE": "/nowhere"}, refuse: "cannot be read\n--oidc-issuer needs"},
		"empty roles claim":     {flags: map[string]string{"--oidc-roles-claim": " "}, refuse: "--oidc-roles-claim is empty"},
		"demo in production":    {flags: map[string]string{"--demo": "true", "--listen": "127.0.0.1:8080", "--oidc-issuer": drop}, refuse: "never runs with --production\nproduction needs --oidc-issuer"},
		"insecure production":   {flags: map[string]string{"--allow-insecure": "true"}, refuse: "exclude one another"},
		"negative rate":         {flags: map[string]string{"--rate-writes": "-1"}, refuse: "a rate limit is 0"},
		"negative drain":        {flags: map[string]string{"--drain-wait": "-1s"}, refuse: "not negative"},
		"trial: demo":           {flags: trial("--demo=true")},
		"trial: demo outside":   {flags: trial("--demo=true", "--listen=:8080", "--allow-insecure=true"), refuse: "runs on loopback only"},
		"trial: demo, issuer":   {flags: trial("--demo=true", "--oidc-issuer=http://127.0.0.1:1/realms/x"), refuse: "never runs with --oidc-issuer"},
		"trial: outside":        {flags: trial("--listen=:8080"), refuse: "needs --production"},
		"trial: outside, meant": {flags: trial("--listen=:8080", "--allow-insecure=true")},
		"trial: metrics out":    {flags: trial("--ops-listen=:9090"), refuse: "--ops-listen :9090 reaches other machines"},
		"trial: far base URL":   {flags: trial("--base-url=http://steward.example"), refuse: "plain http to another machine"},
		"trial: far issuer":     {flags: trial("--oidc-issuer=http://id.example/realms/x"), refuse: "plain http to another machine"},
		"trial: near issuer":    {flags: trial("--oidc-issuer=http://127.0.0.1:18080/realms/steward")},
		"trial: no metrics":     {flags: trial("--ops-listen=")},
		"trial: IPv6":           {flags: trial("--listen=[::1]:8080")},
		"trial: postgres":       {flags: trial("--database=postgres://u:p@127.0.0.1/x?sslmode=disable", "--key-file="+keyFile(t, 0o600))},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			flags := c.flags
			if !strings.HasPrefix(name, "trial") {
				flags = safe(t)
				for k, v := range c.flags {
					flags[k] = v
				}
			}
			env := map[string]string{"STEWARD_OIDC_CLIENT_SECRET": ownSecret}
			for k, v := range c.env {
				env[k] = v
			}
			for k, v := range env {
				if v != drop {
					t.Setenv(k, v)
				}
			}
			args := []string{"serve"}
			for k, v := range flags {
				if v != drop {
					args = append(args, k+"="+v)
				}
			}
			_, err := Parse(args, io.Discard)
			if c.refuse == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			var usage *UsageError
			if !errors.As(err, &usage) || usage.ExitCode() != 2 {
				t.Fatalf("got %v, want a refusal with exit code 2", err)
			}
			if !strings.Contains(err.Error(), c.refuse) {
				t.Errorf("got %q, want %q", err, c.refuse)
			}
			if want := strings.Count(c.refuse, "\n") + 1; len(usage.Problems) != want {
				t.Errorf("%d sentences, want %d: %q", len(usage.Problems), want, usage.Problems)
			}
			if strings.Contains(err.Error(), ownSecret) || strings.Contains(err.Error(), ":pw@") {
				t.Errorf("the message shows a secret: %q", err)
			}
		})
	}
}

// trial is a command line without production.
func trial(flags ...string) map[string]string {
	m := map[string]string{}
	for _, f := range flags {
		k, v, _ := strings.Cut(f, "=")
		m[k] = v
	}
	return m
}

func TestDefaults(t *testing.T) {
	quiet(t)
	c, err := parse("serve")
	if err != nil {
		t.Fatal(err)
	}
	s := c.Serve
	if s.Listen != "127.0.0.1:8080" || s.OpsListen != "127.0.0.1:9090" || s.BaseURL != "http://localhost:8080" || s.Database != "sqlite:var/steward.db" ||
		s.Drain() != 0 || !s.MigrateFirst() || !s.Loopback() || !s.Profiles() || s.OIDCClientID != "steward-web" || s.OIDCAudience != "steward-api" ||
		s.OIDCRolesClaim != "realm_access.roles" || s.OIDCGroupsClaim != "groups" || s.RateWrites != 20 || s.RateReads != 600 || s.RatePoints != 50000 || c.LogLevel != "info" {
		t.Errorf("%+v", s)
	}
	if c, err = parse("serve --listen 127.0.0.1:0 --drain-wait 3s --base-url http://localhost:7/"); err != nil || c.Serve.Drain() != 3*time.Second || c.Serve.BaseURL != "http://localhost:7" {
		t.Errorf("%+v %v", c, err)
	}
	if d := (&Serve{Production: true}).Drain(); d != 5*time.Second {
		t.Errorf("production drains for %s", d)
	}
	if (&Serve{Storage: Storage{Database: good}}).MigrateFirst() {
		t.Error("PostgreSQL waits for steward migrate")
	}
}

func TestCommands(t *testing.T) {
	quiet(t)
	file := keyFile(t, 0o600)
	for line, name := range map[string]string{
		"serve --demo": "serve", "migrate --status": "migrate", "seed demo": "seed demo", "schema": "schema", "version --json": "version", "audit verify": "audit verify",
		"backup /srv/backups": "backup", "restore /srv/a.dump --verify": "restore", "doctor --production --json --backups /srv": "doctor",
		"import csv " + file + " --apply --skip-faults --set unit=1000 --set type=Vendor --portfolio PF-1 --json": "import", "import --undo chs_1": "import",
		"token create --service sync --role engineer --role auditor --portfolio * --days 7": "token create",
		"token create --person a@b.example --role viewer --portfolio PF-000001":             "token create",
		"token list": "token list", "token revoke tok_1": "token revoke",
	} {
		if c, err := parse(line); err != nil || c.Name != name {
			t.Errorf("%s: %v %v", line, c, err)
		}
	}
	for line, want := range map[string]string{
		"":                                      "expected one of",
		"fly":                                   "unexpected argument fly",
		"serve --wings":                         "unknown flag --wings",
		"seed":                                  "expected \"demo\"",
		"import":                                "needs a format",
		"import csv":                            "needs at least one file",
		"import csv /nowhere":                   "cannot be read",
		"import csv /":                          "is a folder",
		"import csv " + file + " --skip-faults": "only means something with --apply",
		"import --undo chs_1 --apply":           "stands alone",
		"token create --role viewer --portfolio *":                             "missing flags",
		"token create --service a --person b@c.example --role x --portfolio *": "can't be used together",
		"token create --service a --portfolio *":                               "--role",
		"token create --service a --role viewer":                               "--portfolio",
		"token create --service a --role viewer --portfolio * --days 91":       "1 to 90",
		"backup":                            "<dest>",
		"restore --verify":                  "<src>",
		"token revoke":                      "<id>",
		"migrate --database=oracle:x":       "neither sqlite:PATH",
		"serve --trusted-proxy=10.0.0.1/99": "trusted-proxy",
		"serve --log-level=loud":            "log-level",
	} {
		_, err := parse(line)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", line, err, want)
		}
	}
	c, err := parse("import csv " + file + " --set unit=1000 --set note=a;b=c,d")
	if err != nil || !reflect.DeepEqual(c.Import.Set, map[string]string{"unit": "1000", "note": "a;b=c,d"}) {
		t.Errorf("%v %v", c, err)
	}
}

func TestEnvironmentAndFiles(t *testing.T) {
	quiet(t)
	t.Setenv("STEWARD_LISTEN", "127.0.0.1:7777")
	t.Setenv("STEWARD_TRUSTED_PROXY", "10.0.0.0/8,192.168.0.0/16")
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte("sqlite:elsewhere.db\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("STEWARD_DATABASE_FILE", file)
	c, err := parse("serve")
	if err != nil || c.Serve.Listen != "127.0.0.1:7777" || len(c.Serve.TrustedProxy) != 2 || c.Serve.Database != "sqlite:elsewhere.db" {
		t.Fatalf("%+v %v", c, err)
	}
	if c, err = parse("serve --listen 127.0.0.1:1"); err != nil || c.Serve.Listen != "127.0.0.1:1" {
		t.Errorf("a flag wins over the environment: %+v %v", c, err)
	}
	if _, err = parse("serve --database sqlite:x.db"); err == nil || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("got %v", err)
	}
}

func TestDatabaseHidesItsPassword(t *testing.T) {
	for in, want := range map[Database]string{
		"postgres://u:p%40ss@db:5432/x?sslmode=verify-full": "postgres://u:***@db:5432/x?sslmode=verify-full",
		"postgres://u:p@a:1,b:2/x":                          "postgres://u:***@a:1,b:2/x",
		"postgres://db/x?user=u&password=p&sslmode=disable": "postgres://db/x?user=u&password=***&sslmode=disable",
		"postgres://u@db/x":                                 "postgres://u@db/x",
		"sqlite:var/steward.db":                             "sqlite:var/steward.db",
	} {
		if in.String() != want || in.LogValue().String() != want {
			t.Errorf("%s prints %s", in.URL(), in)
		}
	}
}

func TestHelp(t *testing.T) {
	quiet(t)
	for line, want := range map[string]string{"--help": "STEWARD_DATABASE", "serve --help": "--oidc-issuer", "token create --help": "--service"} {
		var out strings.Builder
		if _, err := Parse(strings.Fields(line), &out); !errors.Is(err, ErrShown) || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v\n%s", line, err, out.String())
		}
	}
}

// TestDoctorTakesWhatServeRefuses: an unsafe configuration is the doctor's finding, not the end of it.
func TestDoctorTakesWhatServeRefuses(t *testing.T) {
	quiet(t)
	c, err := parse("doctor --listen :8080 --database oracle:x --oidc-issuer http://id.example/realms/x")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"neither sqlite:PATH", "--listen :8080 reaches other machines", "plain http to another machine", "needs STEWARD_OIDC_CLIENT_SECRET"} {
		if !strings.Contains(strings.Join(c.Doctor.Problems, "\n"), want) {
			t.Errorf("no %q in %q", want, c.Doctor.Problems)
		}
	}
	if c, err = parse("doctor"); err != nil || len(c.Doctor.Problems) != 0 {
		t.Errorf("%v %q", err, c.Doctor.Problems)
	}
}

// TestHandbookListsEveryFlag keeps docs/operate/configure.md complete: every flag of every command
// with its environment variable, and the secrets that have no flag.
func TestHandbookListsEveryFlag(t *testing.T) {
	b, err := os.ReadFile("../../../docs/operate/configure.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	parser, err := kong.New(&Command{}, kong.DefaultEnvars("STEWARD"))
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	var walk func(*kong.Node)
	walk = func(n *kong.Node) {
		for _, f := range n.Flags {
			if f.Name == "help" {
				continue
			}
			seen++
			for _, want := range append([]string{"--" + f.Name}, f.Envs...) {
				if !strings.Contains(page, "`"+want) {
					t.Errorf("docs/operate/configure.md lacks %s", want)
				}
			}
			if len(f.Envs) == 0 {
				t.Errorf("--%s has no environment variable", f.Name)
			}
			if f.Default != "" && !strings.Contains(page, "`"+f.Default+"`") {
				t.Errorf("docs/operate/configure.md lacks the default %s of --%s", f.Default, f.Name)
			}
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(parser.Model.Node)
	for _, want := range []string{"STEWARD_OIDC_CLIENT_SECRET", "STEWARD_OIDC_CLIENT_SECRET_FILE", "STEWARD_DATABASE_FILE", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS_FILE"} {
		if !strings.Contains(page, "`"+want+"`") {
			t.Errorf("docs/operate/configure.md lacks %s", want)
		}
	}
	if seen < 40 {
		t.Errorf("only %d flags found", seen)
	}
}

// SC-1: every user of a machine reads the command lines of its processes, so no flag takes a secret. Where
// one could be part of a value, production refuses it there: see "password by flag".
func TestNoFlagTakesASecret(t *testing.T) {
	parser, err := kong.New(&Command{}, kong.DefaultEnvars("STEWARD"))
	if err != nil {
		t.Fatal(err)
	}
	telling := regexp.MustCompile(`(?i)secret|password|passphrase|credential|token|api-?key|headers`)
	files := map[string]bool{"key-file": true} // names a file
	seen := 0
	var walk func(*kong.Node)
	walk = func(n *kong.Node) {
		for _, f := range append(n.Flags, values(n)...) {
			seen++
			if f.Target.Type() == reflect.TypeFor[obs.Secret]() {
				t.Errorf("%s: --%s is an obs.Secret", n.Path(), f.Name)
			}
			if telling.MatchString(f.Name) && !files[f.Name] {
				t.Errorf("%s: --%s sounds like a secret: read it from the environment or a file, see secret", n.Path(), f.Name)
			}
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(parser.Model.Node)
	if seen < 40 {
		t.Errorf("only %d flags found", seen)
	}
}

// values are the positional arguments of a command.
func values(n *kong.Node) (out []*kong.Flag) {
	for _, p := range n.Positional {
		out = append(out, &kong.Flag{Value: p})
	}
	return out
}

func TestTracing(t *testing.T) {
	quiet(t)
	file := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(file, []byte("authorization=Basic%20eDp5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := parse("serve")
	if err != nil || c.Serve.OTLPEndpoint != "" || c.Serve.TraceRatio != 0.1 {
		t.Errorf("traces are not off by default: %+v %v", c, err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example/otlp")
	t.Setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS_FILE", file)
	for _, command := range []string{"serve", "worker"} {
		c, err := parse(command)
		if err != nil {
			t.Fatal(err)
		}
		x := c.Serve.Tracing
		if command == "worker" {
			x = c.Worker.Tracing
		}
		if x.OTLPEndpoint != "https://collector.example/otlp" || x.TraceRatio != 0.5 || x.OTLPHeaders.Reveal() != "authorization=Basic%20eDp5" {
			t.Errorf("%s: %+v", command, x)
		}
		for line, refuse := range map[string]string{
			"--otlp-endpoint http://localhost:4318":          "",
			"--otlp-endpoint http://collector:4318":          "plain http to another machine",
			"--otlp-endpoint collector:4318":                 "not an http or https address",
			"--otlp-endpoint https://u:p@collector.example":  "scheme, host and path only",
			"--otlp-endpoint https://collector.example/?k=1": "scheme, host and path only",
			"--trace-ratio 1.5":                              "0 to 1",
			"--trace-ratio 0":                                "",
		} {
			_, err := parse(command + " " + line)
			if refuse == "" && err != nil || refuse != "" && (err == nil || !strings.Contains(err.Error(), refuse)) {
				t.Errorf("%s %s: %v, want %q", command, line, err, refuse)
			}
			if err != nil && strings.Contains(err.Error(), "u:p") {
				t.Errorf("the message shows a password: %v", err)
			}
		}
	}
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS_FILE", "")
	if _, err := parse("serve --otlp-endpoint http://collector:4318"); err != nil {
		t.Errorf("http without anything secret: %v", err)
	}
	t.Setenv("STEWARD_TRACE_RATIO", "0.25")
	if c, err := parse("serve"); err != nil || c.Serve.TraceRatio != 0.25 {
		t.Errorf("Steward's own name counts first: %+v %v", c, err)
	}
}
