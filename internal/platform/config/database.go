package config

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/lib/pq"
)

// Database is where the data is: "sqlite:PATH" or "postgres://…". Printing it hides the password.
type Database string

// URL returns the text as it was given, with its password.
func (d Database) URL() string { return string(d) }

var passwords = regexp.MustCompile(`(//[^:/@?]*:)[^@/]*@|([?&]password=)[^&]*`)

// String returns the URL with *** for its password.
func (d Database) String() string {
	return passwords.ReplaceAllStringFunc(string(d), func(m string) string {
		sub := passwords.FindStringSubmatch(m)
		if sub[1] != "" {
			return sub[1] + "***@"
		}
		return sub[2] + "***"
	})
}

// LogValue hides the password from slog.
func (d Database) LogValue() slog.Value { return slog.StringValue(d.String()) }

// SQLite returns the path of an SQLite database (":memory:" included) and true, or false for
// PostgreSQL.
func (d Database) SQLite() (path string, ok bool) { return strings.CutPrefix(string(d), "sqlite:") }

// postgres reads the URL as the driver will, PG… environment variables included.
func (d Database) postgres() (pq.Config, error) {
	if !strings.HasPrefix(string(d), "postgres://") && !strings.HasPrefix(string(d), "postgresql://") {
		return pq.Config{}, fmt.Errorf("the database %q is neither sqlite:PATH nor postgres://…", d)
	}
	cfg, err := pq.NewConfig(string(d))
	if err != nil { // the driver's message may quote the URL
		return cfg, fmt.Errorf("the database URL %s cannot be read", d)
	}
	return cfg, nil
}

// check says whether the URL can be understood at all.
func (d Database) check() error {
	if path, ok := d.SQLite(); ok {
		if path == "" {
			return fmt.Errorf("the database %q names no file: sqlite:PATH", d)
		}
		return nil
	}
	_, err := d.postgres()
	return err
}

// local reports whether every server is reached over a Unix socket.
func local(cfg pq.Config) bool {
	socket := func(host string) bool { return filepath.IsAbs(host) || strings.HasPrefix(host, "@") }
	if cfg.Hostaddr.IsValid() || !socket(cfg.Host) {
		return false
	}
	for _, m := range cfg.Multi {
		if m.Hostaddr.IsValid() || !socket(m.Host) {
			return false
		}
	}
	return true
}

var commitOff = regexp.MustCompile(`(?i)synchronous_commit\s*=\s*'?(off|false|no|0)\b`)

// unsafe lists what production refuses about a database, one sentence each.
func (d Database) unsafe() []string {
	cfg, err := d.postgres()
	if err != nil {
		return nil // SQLite, or reported by check
	}
	var bad []string
	if cfg.SSLMode != pq.SSLModeVerifyFull && !local(cfg) {
		bad = append(bad, fmt.Sprintf("the database URL must say sslmode=verify-full in production (now: %s)", cfg.SSLMode))
	}
	options := cfg.Options
	for k, v := range cfg.Runtime {
		options += " " + k + "=" + v
	}
	if commitOff.MatchString(options) {
		bad = append(bad, "the database URL turns synchronous_commit off, which loses committed changes in a crash")
	}
	return bad
}
