package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"steward/internal/area/budget"
	"steward/internal/area/contract"
	"steward/internal/area/custom"
	"steward/internal/area/okr"
	"steward/internal/area/tag"
	"steward/internal/area/view"
	"steward/internal/platform/auth"
	"steward/internal/platform/config"
	"steward/internal/platform/store"
	"steward/internal/seed"
)

// keyring reads the encryption key. The embedded database gets one beside it when there is none; any other
// must be given one, because a key that lies with the data protects nothing.
func keyring(at *config.Storage) (*auth.Keyring, error) {
	file := keyFile(at)
	if _, sqlite := at.Database.SQLite(); !sqlite {
		return auth.ReadKeyring(file)
	}
	if err := folder(file); err != nil {
		return nil, err
	}
	return auth.MakeKeyring(file)
}

// keyFile returns the path of the encryption key, "" where PostgreSQL was given none.
func keyFile(at *config.Storage) string {
	path, sqlite := at.Database.SQLite()
	if at.KeyFile == "" && sqlite {
		return filepath.Join(filepath.Dir(path), "steward.key")
	}
	return at.KeyFile
}

// folder makes the folder that a file of ours goes into.
func folder(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("the folder of %s cannot be made: %w", file, err)
	}
	return nil
}

// connect opens a migrated database and installs the areas' rules on it.
func connect(ctx context.Context, database config.Database, o store.Options) (*store.Store, error) {
	s, err := store.Open(ctx, database.URL(), o)
	if err != nil {
		return nil, err
	}
	budget.Install(s)
	contract.Install(s)
	okr.Install(s)
	custom.Install(s, custom.Fresh)
	tag.Install(s)
	view.Install(s)
	return s, nil
}

// open makes the server ready: database, demo, doors, jobs.
func (a *App) open(ctx context.Context) (err error) {
	if err = a.prepare(ctx, a.cfg.MigrateFirst()); err != nil {
		return err
	}
	a.state.migrated.Store(true)
	if a.store, err = connect(ctx, a.cfg.Database, store.RequestOptions); err != nil {
		return err
	}
	a.metrics.Pool("requests", a.store.DB)
	a.watchWaits()
	if err = a.openJobs(ctx, parallelJobs); err != nil {
		return err
	}
	if a.cfg.Demo {
		if err = a.fill(ctx); err != nil {
			return err
		}
	}
	door, err := a.doors()
	if err != nil {
		return err
	}
	if !a.cfg.NoJobs {
		a.runJobs(ctx, parallelJobs)
	}
	a.state.say("ready")
	a.door.Store(&door)
	close(a.ready)
	a.announce()
	return nil
}

// prepare waits for the database and for its migrations, or applies them where that is this process's task.
func (a *App) prepare(ctx context.Context, migrate bool) error {
	path, sqlite := a.cfg.Database.SQLite()
	if sqlite && !strings.HasPrefix(path, ":memory:") {
		if err := folder(path); err != nil {
			return err
		}
	}
	told := ""
	tell := func(text string, err error) {
		if text += ": " + fmt.Sprint(err); text != told {
			told = text
			a.cfg.Log.Warn(text)
		}
	}
	for {
		if migrate {
			a.state.say("migrating the database")
			n, err := store.Migrate(ctx, a.cfg.Database.URL())
			if err == nil {
				if n > 0 {
					a.cfg.Log.Info("migrated", "applied", n)
				}
				return nil
			}
			if sqlite || reachable(ctx, a.cfg.Database) {
				return err
			}
			tell("the database does not answer", err)
		} else {
			done, err := store.Migrated(ctx, a.cfg.Database.URL())
			switch {
			case err != nil:
				a.state.say("the database does not answer")
				tell("the database does not answer", err)
			case done:
				return nil
			default:
				a.state.say("the database lacks migrations: run steward migrate")
				tell("not ready", errors.New("the database lacks migrations: run steward migrate, or serve with --migrate"))
			}
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// reachable reports whether the database answers at all.
func reachable(ctx context.Context, database config.Database) bool {
	s, err := store.Open(ctx, database.URL(), store.Options{Pool: 1})
	if err != nil {
		return false
	}
	_ = s.Close()
	return true
}

// fill seeds an empty database. Its connections have no limits, as those of requests do.
func (a *App) fill(ctx context.Context) error {
	a.state.say("filling the demo")
	s, err := connect(ctx, a.cfg.Database, store.Options{Pool: 2})
	if err != nil {
		return err
	}
	defer s.Close()
	empty, err := seed.Empty(ctx, s)
	if err != nil || !empty {
		return err
	}
	start := time.Now()
	figures, err := seed.Demo(ctx, s, a.cfg.Now(), func(step string) { a.cfg.Log.Debug("seeding", "step", step) })
	if errors.Is(err, seed.ErrNotEmpty) { // another server was quicker
		return nil
	}
	if err == nil {
		a.cfg.Log.Info("seeded the demo", "records", total(figures), "took", time.Since(start).Round(time.Millisecond).String())
	}
	return err
}

func total(f seed.Figures) (n int) {
	for _, x := range f {
		n += x
	}
	return n
}

// announce tells whoever started the server where it is and who to be.
func (a *App) announce() {
	a.cfg.Log.Info("serving", "address", a.Addr(), "url", a.base, "demo", a.cfg.Demo, "production", a.cfg.Production)
	fmt.Fprintf(a.cfg.Out, "\nSteward is ready: %s\n", a.base)
	switch {
	case a.cfg.Demo:
		fmt.Fprintf(a.cfg.Out, "Sign in as Pia Portfolio, who manages the portfolio Common Components, or as anybody else on the list. Stop with Ctrl-C.\n\n")
	case a.cfg.OIDCIssuer == "":
		fmt.Fprintf(a.cfg.Out, "No identity provider is configured (--oidc-issuer): API tokens work, nobody can sign in.\n\n")
	}
	if a.cfg.AllowInsecure {
		a.cfg.Log.Warn("running without --production where other machines can reach it: for trials only")
		fmt.Fprintf(a.cfg.Out, "Warning: this server runs without --production where other machines can reach it.\n\n")
	}
}
