// Package auth is sign-in: the OpenID Connect client, Steward's own sessions,
// API tokens and access tokens of integrations, and the viewer that each of
// them makes. It knows people by the identity provider's issuer and subject,
// never by e-mail.
//
// internal/app mounts its routes; internal/web and graph call Authenticate;
// the people pages and the command line call EndSessions, Deactivate and
// IssueToken inside their own transaction. Nothing here logs a token.
package auth

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2"

	"steward/internal/platform/event"
	"steward/internal/platform/i18n"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Times that are part of what Steward promises (security.md 2.1 and 2.2).
const (
	DefaultIdle     = 30 * time.Minute // without a request, a session ends
	DefaultAbsolute = 10 * time.Hour   // however busy, a session ends
	// ConfirmedFor is how long the identity provider's last word is good enough for an approval.
	ConfirmedFor = 60 * time.Minute

	recheckEvery = 5 * time.Minute  // the provider is asked again about a session
	retryEvery   = 15 * time.Second // after it gave no answer
	seenEvery    = time.Minute      // how often "last seen" is written
	keysEvery    = 10 * time.Second // how often keys may be asked for
	answerLimit  = 2 * time.Second  // how long the provider may take
	skew         = 30 * time.Second // how far clocks may differ
	bearerMax    = 16 << 10         // longest access token looked at
)

// Config says which identity provider people sign in with, and how.
type Config struct {
	BaseURL string // address of this site, without a trailing slash; https decides the cookies

	Issuer       string // empty: nobody can sign in, API tokens work
	StoredIssuer string // what identities record; empty: Issuer. Only the development sign-in sets it
	ClientID     string
	ClientSecret obs.Secret
	Audience     string // that access tokens for the API must name
	RolesClaim   string // path of the roles, such as realm_access.roles
	GroupsClaim  string // path of the groups that become memberships; empty: granted in Steward only

	Idle, Absolute time.Duration // zero: the defaults

	Keys *Keyring
	// Fail shows an error page with the status. Nil: one line of text.
	Fail func(w http.ResponseWriter, r *http.Request, status int, err *errs.Error)
	// Lang is the language to ask the provider's pages for. Nil: the browser's.
	Lang func(r *http.Request) string
	Log  *slog.Logger
	// Events writes what is refused to the record of changes. Nil: one of its own.
	Events *event.Recorder
	HTTP   *http.Client // nil: one that gives up after 2 s and follows no redirect
	Now    func() time.Time
}

// Auth is the sign-in of one running server. Several servers may share a
// database: everything that must be the same everywhere is stored there.
type Auth struct {
	cfg      Config
	store    *store.Store
	log      *slog.Logger
	base     *url.URL
	https    bool
	provider provider
	contact  contact
	attempts *lru.Cache[ident.ID, *attempt] // by session
	unknown  sync.Map                       // role names logged once
}

// New returns the sign-in over a migrated store. It fails for a base URL
// without a host or a missing keyring; it asks the identity provider nothing,
// so that a dead provider stops nobody from starting.
func New(cfg Config, s *store.Store) (*Auth, error) {
	base, err := url.Parse(strings.TrimSuffix(cfg.BaseURL, "/"))
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("sign-in: base URL %q has no host", cfg.BaseURL)
	}
	if cfg.Keys == nil {
		return nil, fmt.Errorf("sign-in: no encryption key")
	}
	cfg.BaseURL = base.String()
	if cfg.StoredIssuer == "" {
		cfg.StoredIssuer = cfg.Issuer
	}
	if cfg.Idle == 0 {
		cfg.Idle = DefaultIdle
	}
	if cfg.Absolute == 0 {
		cfg.Absolute = DefaultAbsolute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Events == nil {
		cfg.Events = event.NewRecorder(s, cfg.Log, cfg.Now)
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{Timeout: answerLimit, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	if cfg.Lang == nil {
		cfg.Lang = func(r *http.Request) string { return i18n.Match(r.Header.Get("Accept-Language"), "", "") }
	}
	a := &Auth{cfg: cfg, store: s, log: cfg.Log, base: base, https: base.Scheme == "https"}
	a.contact = contact{next: cmp.Or(cfg.HTTP.Transport, http.DefaultTransport), now: cfg.Now}
	watched := *cfg.HTTP
	watched.Transport = &a.contact
	a.cfg.HTTP = &watched
	if a.cfg.Fail == nil {
		a.cfg.Fail = func(w http.ResponseWriter, r *http.Request, status int, err *errs.Error) {
			http.Error(w, i18n.T(a.cfg.Lang(r), err.Key, err.Args...), status)
		}
	}
	a.attempts, err = lru.New[ident.ID, *attempt](8192)
	return a, err
}

// Route is one handler to mount. Pattern is a method and a path of http.ServeMux.
type Route struct {
	Pattern string
	Handler http.HandlerFunc
	// Signed routes prove themselves by a signed token and must be outside the
	// cross-origin check; all others inside.
	Signed bool
}

// Routes returns the handlers of sign-in.
func (a *Auth) Routes() []Route {
	return []Route{
		{Pattern: "GET /auth/login", Handler: a.Login},
		{Pattern: "GET /auth/callback", Handler: a.Callback},
		{Pattern: "POST /auth/logout", Handler: a.Logout},
		{Pattern: "POST /auth/backchannel-logout", Handler: a.BackchannelLogout, Signed: true},
	}
}

// LoginURL returns where to send somebody who must sign in first and then come
// back to a path of this site.
func LoginURL(to string) string {
	if to = localPath(to); to == "/" {
		return "/auth/login"
	}
	return "/auth/login?" + url.Values{"to": {to}}.Encode()
}

// FreshLoginURL is LoginURL for something that needs a recent proof of who the
// person is; the provider asks again even where it knows them.
func FreshLoginURL(to string) string {
	return "/auth/login?" + url.Values{"to": {localPath(to)}, "fresh": {"1"}}.Encode()
}

// now is the time as stored: UTC, to the microsecond that PostgreSQL keeps.
func (a *Auth) now() time.Time { return a.cfg.Now().UTC().Truncate(time.Microsecond) }

// system returns ctx with the system as the viewer, for what must be read or
// written before anybody is known.
func system(ctx context.Context) context.Context {
	v := viewer.NewSystem(viewer.ViaPage, "")
	v.RequestID = obs.RequestID(ctx)
	return viewer.With(ctx, v)
}

// fail shows an error; the answer is never stored by anybody.
func (a *Auth) fail(w http.ResponseWriter, r *http.Request, status int, key string) {
	w.Header().Set("Cache-Control", "no-store")
	code := errs.Unauthenticated
	switch status {
	case http.StatusBadRequest:
		code = errs.Validation
	case http.StatusServiceUnavailable:
		code = errs.Unavailable
		w.Header().Set("Retry-After", "5")
	case http.StatusInternalServerError:
		code = errs.Internal
	}
	a.cfg.Fail(w, r, status, errs.New(code, key))
}

// address returns the network address of the caller without its port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}
