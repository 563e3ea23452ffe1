package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"os/user"
	"runtime/debug"
	"strings"
	"syscall"

	"steward/graph"
	"steward/internal/platform/config"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// Exit codes of every command.
const (
	exitOK     = 0
	exitFailed = 1 // it did not work, or it worked and found something wrong
	exitUsage  = 2 // the command line cannot be carried out
)

// errFound is the error of a command that did its work and found something wrong, which it has printed.
var errFound = errors.New("found something wrong")

// usage is an error of what was asked for rather than of carrying it out.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

// command is one run of the command line: where it writes and what it was told.
type command struct {
	*config.Command
	out, err io.Writer
}

// Run carries out a command line (without the program's name) and returns the exit code: 0 when all went
// well, 1 when it failed or found something wrong, 2 for wrong usage. Results go to stdout; progress,
// refusals and hints go to stderr. The server's log goes to stdout.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd, err := config.Parse(args, stdout)
	switch {
	case errors.Is(err, config.ErrShown):
		return exitOK
	case err != nil:
		fmt.Fprintln(stderr, "steward: "+strings.ReplaceAll(err.Error(), "\n", "\nsteward: "))
		return exitUsage
	}
	ctx, cancel := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer cancel()
	context.AfterFunc(ctx, cancel) // a second signal ends the program at once
	c := &command{Command: cmd, out: stdout, err: stderr}
	err = c.run(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFound):
		return exitFailed
	}
	fmt.Fprintln(stderr, "steward: "+describe(err))
	if errors.As(err, new(usage)) || errs.CodeOf(err) == errs.Validation {
		return exitUsage
	}
	return exitFailed
}

func (c *command) run(ctx context.Context) error {
	switch c.Name {
	case "serve":
		return c.serve(ctx)
	case "worker":
		return c.worker(ctx)
	case "migrate":
		return c.migrate(ctx)
	case "seed demo":
		return c.seedDemo(ctx)
	case "import":
		if c.Import.Undo != "" {
			return c.undoImport(ctx)
		}
		return c.importFiles(ctx)
	case "export":
		return c.export(ctx)
	case "token create":
		return c.createToken(ctx)
	case "token list":
		return c.listTokens(ctx)
	case "token revoke":
		return c.revokeToken(ctx)
	case "person export":
		return c.exportPerson(ctx)
	case "person erase":
		return c.erasePerson(ctx)
	case "audit export":
		return c.exportAudit(ctx)
	case "audit verify":
		return c.verifyAudit(ctx)
	case "keys status":
		return c.keysStatus(ctx)
	case "keys rotate":
		return c.rotateKeys(ctx)
	case "backup":
		return c.backup(ctx)
	case "restore":
		return c.restore(ctx)
	case "doctor":
		return c.doctor(ctx)
	case "schema":
		_, err := io.WriteString(c.out, graph.SDL())
		return err
	case "version":
		return c.version()
	}
	return fmt.Errorf("no command %q", c.Name)
}

// serve runs the server until it is told to stop.
func (c *command) serve(ctx context.Context) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // some percent less processor time for each request, for some tens of megabytes
	}
	level, err := obs.Level(c.LogLevel)
	if err != nil {
		return usage{err}
	}
	a, err := Start(ctx, Config{Serve: c.Command.Serve, Log: obs.NewLogger(c.out, level), Out: c.err})
	if err != nil {
		return err
	}
	return a.Wait(ctx)
}

func (c *command) version() error {
	b := obs.Build()
	if c.Command.Version.JSON {
		return c.json(b)
	}
	_, err := fmt.Fprintf(c.out, "steward %s\ncommit  %s\nbuilt   %s\ngo      %s\n", b.Version, b.Commit, b.Date, strings.TrimPrefix(b.Go, "go"))
	return err
}

// json prints one value and nothing else on stdout.
func (c *command) json(v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// asSystem returns ctx with the system as the viewer, on behalf of the operating-system user.
func asSystem(ctx context.Context) context.Context {
	name := os.Getenv("USER")
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return viewer.With(ctx, viewer.NewSystem(viewer.ViaCLI, name))
}

// database opens the database of a command, without the limits of requests. An embedded one that does not
// exist is made; any other must have been migrated.
func (c *command) database(ctx context.Context, at config.Storage) (*store.Store, error) {
	if path, ok := at.Database.SQLite(); ok {
		if info, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
			if err := folder(path); err != nil {
				return nil, err
			}
			if _, err := store.Migrate(ctx, at.Database.URL()); err != nil {
				return nil, err
			}
		}
	}
	switch done, err := store.Migrated(ctx, at.Database.URL()); {
	case err != nil:
		return nil, fmt.Errorf("the database does not answer: %w", err)
	case !done:
		return nil, errors.New("the database lacks migrations: run steward migrate")
	}
	return connect(ctx, at.Database, store.Options{Pool: 4})
}

// migrate applies or shows the migrations.
func (c *command) migrate(ctx context.Context) error {
	database := c.Command.Migrate.Database
	if path, ok := database.SQLite(); ok {
		if err := folder(path); err != nil {
			return err
		}
	}
	if !c.Command.Migrate.Status {
		n, err := store.Migrate(ctx, database.URL())
		if err == nil {
			fmt.Fprintf(c.err, "%s applied\n", count(n, "migration"))
		}
		if m := c.Command.Migrate; err == nil && m.AppRole != "" {
			err = store.GrantRoles(ctx, database.URL(), m.AppRole, m.WorkerRole)
		}
		return err
	}
	list, err := store.Migrations(ctx, database.URL())
	if err != nil {
		return err
	}
	missing := 0
	for _, m := range list {
		when := "missing"
		if m.Applied.IsZero() {
			missing++
		} else {
			when = m.Applied.UTC().Format("2006-01-02 15:04:05Z")
		}
		fmt.Fprintf(c.out, "%-20s %s\n", when, m.Name)
	}
	if missing > 0 {
		fmt.Fprintf(c.err, "%s missing: run steward migrate\n", count(missing, "migration"))
		return errFound
	}
	return nil
}

// count returns "1 row" or "2 rows".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
