package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// published are secrets that stand in files everybody can read.
var published = []string{"steward-web-dev-secret", "int-demo-dev-secret", "changeme", "change-me", "secret", "password", "steward", "admin"}

// loopback reports whether an address given to --listen reaches this machine only.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// Loopback reports whether the site is reachable from this machine only.
func (s *Serve) Loopback() bool { return loopback(s.Listen) }

// Profiles reports whether the second listener may offer /debug/pprof/: only on loopback, since a
// profile shows memory and command line.
func (s *Serve) Profiles() bool { return loopback(s.OpsListen) }

// unsafe lists every setting that the server must not start with, one sentence each (OP-1).
func (s *Serve) unsafe() (bad []string) {
	refuse := func(wrong bool, sentence string, args ...any) {
		if wrong {
			bad = append(bad, fmt.Sprintf(sentence, args...))
		}
	}
	bad = append(badListen("--listen", s.Listen), badListen("--ops-listen", s.OpsListen)...)
	if len(bad) > 0 {
		return bad
	}
	_, port, _ := net.SplitHostPort(s.Listen)
	refuse(s.OpsListen == s.Listen && port != "0", "--ops-listen must differ from --listen: metrics do not belong on the site")
	refuse(s.Replicas < 1, "--replicas is 1 or more")
	refuse(s.RateWrites < 0 || s.RateReads < 0 || s.RatePoints < 0, "a rate limit is 0 (none) or more")
	refuse(s.MaxPages < 0 || s.MaxAPI < 0 || s.MaxExports < 0, "a limit of requests at a time is 0 (none) or more")
	refuse(s.FreshFor < 0 || s.FreshFor > 0 && s.FreshFor < 30*time.Second, "--fresh-for is 30s or more: a form takes its time to fill in")
	refuse(s.DrainWait != nil && *s.DrainWait < 0, "--drain-wait is not negative")

	_, sqlite := s.Database.SQLite()
	refuse(sqlite && s.Replicas > 1, "SQLite serves one server only: use PostgreSQL for %d replicas", s.Replicas)
	bad = append(bad, s.Storage.unsafe()...)

	refuse(s.Demo && s.Production, "--demo lets everybody sign in as anybody and never runs with --production")
	refuse(s.Demo && s.OIDCIssuer != "", "--demo has a sign-in of its own and never runs with --oidc-issuer")
	refuse(s.Demo && !s.Loopback(), "--demo lets everybody sign in as anybody and runs on loopback only, not on %s", s.Listen)
	refuse(s.Production && s.AllowInsecure, "--allow-insecure and --production exclude one another")
	if !s.Production && !s.AllowInsecure {
		refuse(!s.Loopback(), "--listen %s reaches other machines: that needs --production (or, for a trial, --allow-insecure)", s.Listen)
		refuse(s.OpsListen != "" && !loopback(s.OpsListen), "--ops-listen %s reaches other machines: that needs --production (or, for a trial, --allow-insecure)", s.OpsListen)
	}
	bad = append(bad, s.badBase()...)
	if s.OIDCIssuer != "" {
		bad = append(bad, s.badIssuer()...)
	}
	for _, p := range s.TrustedProxy {
		refuse(p.Bits() == 0, "--trusted-proxy %s believes everybody: name the proxy's own network", p)
	}
	bad = append(bad, badAllow(s.WebhookAllow)...)
	if !s.Production {
		return bad
	}
	refuse(s.OIDCIssuer == "", "production needs --oidc-issuer: without it nobody can sign in")
	refuse(!s.Loopback() && len(s.TrustedProxy) == 0, "--listen %s is plain http: name the TLS proxy in front of it with --trusted-proxy", s.Listen)
	return append(bad, s.Storage.unsafeInProduction()...)
}

// unsafe lists every setting that a worker must not start with, one sentence each. It shows nothing to
// anybody but its metrics; its database and its key are the server's.
func (w *Worker) unsafe() (bad []string) {
	if bad = badListen("--ops-listen", w.OpsListen); len(bad) > 0 {
		return bad
	}
	bad = w.Storage.unsafe()
	bad = append(bad, badAllow(w.WebhookAllow)...)
	if w.Parallel < 1 {
		bad = append(bad, "--parallel is 1 or more")
	}
	if w.Production {
		return append(bad, w.Storage.unsafeInProduction()...)
	}
	if w.OpsListen != "" && !loopback(w.OpsListen) {
		bad = append(bad, fmt.Sprintf("--ops-listen %s reaches other machines: that needs --production", w.OpsListen))
	}
	return bad
}

// badAllow says which networks are too large to be one that an operator knows.
func badAllow(list []netip.Prefix) (bad []string) {
	for _, p := range list {
		if p.Bits() == 0 {
			bad = append(bad, fmt.Sprintf("--webhook-allow %s allows every address: name the internal network", p))
		}
	}
	return bad
}

// badListen says what is wrong with an address to listen on; only --ops-listen may be empty.
func badListen(flag, value string) []string {
	if value == "" && flag == "--ops-listen" {
		return nil
	}
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return []string{fmt.Sprintf("%s %q is not HOST:PORT", flag, value)}
	}
	return nil
}

// unsafe lists what is wrong with the key that belongs to the database.
func (s *Storage) unsafe() (bad []string) {
	refuse := func(wrong bool, sentence string, args ...any) {
		if wrong {
			bad = append(bad, fmt.Sprintf(sentence, args...))
		}
	}
	_, sqlite := s.Database.SQLite()
	if !sqlite {
		refuse(s.KeyFile == "", "PostgreSQL needs --key-file: the key that encrypts stored secrets must not lie in the database")
	}
	if s.KeyFile != "" {
		info, err := os.Stat(s.KeyFile)
		switch {
		case err == nil:
			refuse(!info.Mode().IsRegular(), "the key file %s is not a file", s.KeyFile)
			refuse(info.Mode().Perm()&0o007 != 0, "every user of this machine can open the key file %s: chmod 600", s.KeyFile)
		default:
			refuse(!sqlite, "the key file %s cannot be read", s.KeyFile)
		}
	}
	return bad
}

// unsafeInProduction lists what production refuses about the database and how it was named.
func (s *Storage) unsafeInProduction() (bad []string) {
	if path, _ := s.Database.SQLite(); strings.HasPrefix(path, ":memory:") {
		bad = append(bad, "a database in memory is lost at every stop")
	}
	if cfg, err := s.Database.postgres(); err == nil && s.databaseFlag && cfg.Password != "" && s.Database.String() != s.Database.URL() {
		bad = append(bad, "the database password is on the command line, where every user of this machine can read it: use STEWARD_DATABASE or STEWARD_DATABASE_FILE")
	}
	return append(bad, s.Database.unsafe()...)
}

// badBase lists what is wrong with the address that people type.
func (s *Serve) badBase() []string {
	if s.BaseURL == "" {
		if s.Production {
			return []string{"production needs --base-url, the https address that people type"}
		}
		return nil
	}
	u, err := url.Parse(s.BaseURL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return []string{fmt.Sprintf("--base-url %q is not an http or https address", s.BaseURL)}
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "":
		return []string{fmt.Sprintf("--base-url %q is scheme and host only", s.BaseURL)}
	case u.Scheme == "http" && s.Production:
		return []string{fmt.Sprintf("--base-url %s must be https in production", s.BaseURL)}
	case u.Scheme == "http" && !s.AllowInsecure && !loopback(net.JoinHostPort(u.Hostname(), "80")):
		return []string{fmt.Sprintf("--base-url %s is plain http to another machine: that needs https (or, for a trial, --allow-insecure)", s.BaseURL)}
	}
	return nil
}

// badIssuer lists what is wrong with the identity provider's settings.
func (s *Serve) badIssuer() (bad []string) {
	u, err := url.Parse(s.OIDCIssuer)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		bad = append(bad, fmt.Sprintf("--oidc-issuer %q is not an issuer's address", s.OIDCIssuer))
	case u.Scheme == "http" && s.Production:
		bad = append(bad, fmt.Sprintf("--oidc-issuer %s must be https in production", s.OIDCIssuer))
	case u.Scheme == "http" && !s.AllowInsecure && !loopback(net.JoinHostPort(u.Hostname(), "80")):
		bad = append(bad, fmt.Sprintf("--oidc-issuer %s is plain http to another machine: that needs https (or, for a trial, --allow-insecure)", s.OIDCIssuer))
	}
	text := s.OIDCSecret.Reveal()
	switch {
	case text == "":
		bad = append(bad, "--oidc-issuer needs STEWARD_OIDC_CLIENT_SECRET or STEWARD_OIDC_CLIENT_SECRET_FILE")
	case strings.Contains(text, "${"):
		// Keycloak imports a placeholder that nobody filled in as the secret itself
		bad = append(bad, "STEWARD_OIDC_CLIENT_SECRET is a placeholder that nobody filled in")
	case s.Production && (len(text) < 16 || slices.Contains(published, strings.ToLower(text))):
		bad = append(bad, "STEWARD_OIDC_CLIENT_SECRET is a published or short secret: production needs 16 characters of its own")
	}
	for _, f := range [][2]string{{"--oidc-client-id", s.OIDCClientID}, {"--oidc-audience", s.OIDCAudience},
		{"--oidc-roles-claim", s.OIDCRolesClaim}, {"--oidc-groups-claim", s.OIDCGroupsClaim}} {
		if strings.TrimSpace(f[1]) == "" {
			bad = append(bad, f[0]+" is empty")
		}
	}
	return bad
}
