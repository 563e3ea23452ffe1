package config

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"steward/internal/platform/obs"
)

// ErrShown is what Parse returns after it printed the help that was asked for: exit 0.
var ErrShown = errors.New("help was shown")

// UsageError is a command line that cannot be carried out. Each problem is one sentence.
type UsageError struct{ Problems []string }

// Error returns the problems, one a line.
func (e *UsageError) Error() string { return strings.Join(e.Problems, "\n") }

// ExitCode is 2, as for every wrong usage.
func (e *UsageError) ExitCode() int { return 2 }

const about = `Steward keeps portfolios, products, budgets, contracts and procurements.

Every flag has an environment variable: --database is STEWARD_DATABASE. Secrets come from the environment or, with _FILE added to the name, from a file.`

// Parse reads a command line (without the program's name) and the environment. It returns ErrShown
// after printing help to out, and a *UsageError for anything that cannot or must not be carried out.
func Parse(args []string, out io.Writer) (cmd *Command, err error) {
	cmd = &Command{}
	type shown struct{}
	defer func() { // kong leaves by Exit when it has shown the help
		if r := recover(); r == (shown{}) {
			cmd, err = nil, ErrShown
		} else if r != nil {
			panic(r)
		}
	}()
	parser, err := kong.New(cmd, kong.Name("steward"), kong.Description(about), kong.DefaultEnvars("STEWARD"),
		kong.Writers(out, out), kong.Exit(func(int) { panic(shown{}) }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		return nil, &UsageError{[]string{err.Error()}}
	}
	var names []string
	for _, p := range ctx.Path {
		if p.Command != nil {
			names = append(names, p.Command.Name)
		}
	}
	cmd.Name = strings.Join(names, " ")
	if problems := cmd.settle(args); len(problems) > 0 {
		return nil, &UsageError{problems}
	}
	return cmd, nil
}

// storage returns where the chosen command keeps its data, nil when it needs none.
func (c *Command) storage() *Storage {
	switch c.Name {
	case "serve":
		return &c.Serve.Storage
	case "worker":
		return &c.Worker.Storage
	case "migrate":
		return &c.Migrate.Storage
	case "seed demo":
		return &c.Seed.Demo.Storage
	case "import":
		return &c.Import.Storage
	case "export":
		return &c.Export.Storage
	case "token create":
		return &c.Token.Create.Storage
	case "token list":
		return &c.Token.List.Storage
	case "token revoke":
		return &c.Token.Revoke.Storage
	case "audit verify":
		return &c.Audit.Verify.Storage
	case "audit export":
		return &c.Audit.Export.Storage
	case "person export":
		return &c.Person.Export.Storage
	case "person erase":
		return &c.Person.Erase.Storage
	case "keys status":
		return &c.Keys.Status.Storage
	case "keys rotate":
		return &c.Keys.Rotate.Storage
	case "backup":
		return &c.Backup.Storage
	case "restore":
		return &c.Restore.Storage
	case "doctor":
		return &c.Doctor.Storage
	}
	return nil
}

// settle fills in what comes from files or from other settings and lists every problem.
func (c *Command) settle(args []string) (bad []string) {
	if s := c.storage(); s != nil {
		for _, a := range args {
			s.databaseFlag = s.databaseFlag || a == "--database" || strings.HasPrefix(a, "--database=")
		}
		url, err := fromFile("STEWARD_DATABASE")
		switch {
		case err != nil:
			bad = append(bad, err.Error())
		case url != "" && (s.databaseFlag || os.Getenv("STEWARD_DATABASE") != ""):
			bad = append(bad, "the database is given twice: by STEWARD_DATABASE_FILE and by --database or STEWARD_DATABASE")
		case url != "":
			s.Database = Database(url)
		}
		if err := s.Database.check(); err != nil {
			bad = append(bad, err.Error())
		}
	}
	switch c.Name {
	case "serve":
		return append(bad, c.Serve.settle()...)
	case "worker":
		return append(append(bad, c.Worker.Tracing.settle()...), c.Worker.unsafe()...)
	case "doctor": // it tells what is wrong instead of refusing to
		c.Doctor.Problems = append(bad, c.Doctor.Serve.settle()...)
		return nil
	case "migrate":
		if m := c.Migrate; (m.AppRole == "") != (m.WorkerRole == "") {
			bad = append(bad, "--app-role and --worker-role belong together")
		}
	case "import":
		return append(bad, c.Import.problems()...)
	case "token create":
		if d := c.Token.Create.Days; d < 1 || d > 90 {
			bad = append(bad, fmt.Sprintf("--days is 1 to 90, not %d", d))
		}
	}
	return bad
}

func (s *Serve) settle() (bad []string) {
	secret, err := secret("STEWARD_OIDC_CLIENT_SECRET")
	if err != nil {
		bad = append(bad, err.Error())
	}
	s.OIDCSecret = obs.Secret(secret)
	bad = append(bad, s.Tracing.settle()...)
	if s.BaseURL == "" && !s.Production {
		// port 0 is the kernel's choice: the server completes the address once it listens
		if _, port, err := net.SplitHostPort(s.Listen); err == nil && port != "0" {
			s.BaseURL = "http://localhost:" + port
		}
	}
	s.BaseURL = strings.TrimSuffix(s.BaseURL, "/")
	return append(bad, s.unsafe()...)
}

func (i *Import) problems() (bad []string) {
	if i.Undo != "" {
		if i.Format != "" || i.Apply || i.SkipFaults {
			bad = append(bad, "--undo stands alone: it takes no format, no file, no --apply")
		}
		return bad
	}
	switch {
	case i.Format == "":
		bad = append(bad, "import needs a format and at least one file: steward import FORMAT FILE…")
	case len(i.Files) == 0:
		bad = append(bad, fmt.Sprintf("import %s needs at least one file", i.Format))
	}
	if i.SkipFaults && !i.Apply {
		bad = append(bad, "--skip-faults only means something with --apply")
	}
	for _, f := range i.Files {
		if info, err := os.Stat(f); err != nil {
			bad = append(bad, fmt.Sprintf("the file %s cannot be read", f))
		} else if info.IsDir() {
			bad = append(bad, fmt.Sprintf("%s is a folder, not a file", f))
		}
	}
	return bad
}

// fromFile returns the content of the file that NAME_FILE names, without its last line end; "" when
// the variable is not set.
func fromFile(name string) (string, error) {
	file := os.Getenv(name + "_FILE")
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE names %s, which cannot be read", name, file)
	}
	text := strings.TrimRight(string(b), "\r\n")
	if text == "" {
		return "", fmt.Errorf("%s_FILE names %s, which is empty", name, file)
	}
	return text, nil
}

// secret returns a secret from the environment or a file; both at once is an error, since nobody
// could tell which one holds.
func secret(name string) (string, error) {
	text, err := fromFile(name)
	if env := os.Getenv(name); err == nil && env != "" {
		if text != "" {
			return "", fmt.Errorf("%s and %s_FILE are both set", name, name)
		}
		return env, nil
	}
	return text, err
}
