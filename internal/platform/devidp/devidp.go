// Package devidp is an OpenID Connect provider for development: it lists the
// demo people on a sign-in page and speaks enough of the protocol, with
// Keycloak's paths and claims, for the real sign-in code to run unchanged
// against it. It keeps everything in memory, asks for no password and refuses
// any address that is not loopback.
//
// Only internal/app mounts it, and only for --demo, which platform/config allows
// on loopback, without an issuer and outside production; tests use its Switches
// to make it misbehave.
package devidp

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// Realm is the path below the base URL that this provider serves; its
	// protocol issuer is the base URL followed by it.
	Realm = "/realms/steward"
	// StoredIssuer is what a person's identity records as its issuer, whatever
	// port the provider runs on, so that another port makes no second Pia.
	StoredIssuer = "steward-dev"

	openid = Realm + "/protocol/openid-connect/"
)

// Client is an application that may ask this provider for tokens.
type Client struct {
	ID, Secret        string
	RedirectURIs      []string // compared exactly
	PostLogoutURIs    []string // compared exactly
	BackchannelLogout string   // URL told when a session ends; empty for none
	Audience          string   // "aud" of its access tokens; empty for none
	ServiceAccount    *Person  // who client credentials act as; nil forbids them
}

// Config says where the provider runs and who may use it.
type Config struct {
	BaseURL string // of the server it is mounted in, without a trailing slash
	People  []Person
	Clients []Client
	Style   string           // URL of the style sheet for the sign-in page
	Now     func() time.Time // nil: time.Now
	HTTP    *http.Client     // for back-channel logout; nil: a client that gives up after 2 s
}

// Lifetimes, as in deploy/keycloak/steward-realm.json.
const (
	codeLife    = time.Minute
	accessLife  = 5 * time.Minute
	refreshLife = 30 * time.Minute
	sessionLife = 10 * time.Hour
	logoutLife  = 2 * time.Minute
)

// Provider is the running provider. Its zero value is not usable; see New.
type Provider struct {
	cfg    Config
	issuer string
	mux    *http.ServeMux

	mu       sync.Mutex
	keys     []signingKey // the first signs; all are published
	people   []Person
	codes    map[string]*grant // by code, kept after use so that a replay is seen
	refresh  map[string]*grant // by refresh token, kept after use so that reuse is seen
	switches *Switches
}

// grant is what a code or a refresh token stands for.
type grant struct {
	client, redirect, nonce, challenge, scope string
	username, sid                             string
	authTime, expires                         time.Time
	used                                      bool
}

// New returns a provider for the base URL. It fails when the base URL is not a
// loopback address, because nothing here asks for a password.
func New(cfg Config) (*Provider, error) {
	cfg.BaseURL = strings.TrimSuffix(cfg.BaseURL, "/")
	u, err := url.Parse(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("development sign-in: base URL %q: %w", cfg.BaseURL, err)
	}
	if !loopback(u.Hostname()) {
		return nil, fmt.Errorf("development sign-in: %q is not a loopback address; set --oidc-issuer to use a real identity provider", cfg.BaseURL)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{Timeout: 2 * time.Second}
	}
	p := &Provider{cfg: cfg, issuer: cfg.BaseURL + Realm, people: append([]Person(nil), cfg.People...),
		codes: map[string]*grant{}, refresh: map[string]*grant{}}
	if err := p.RotateKeys(); err != nil {
		return nil, err
	}
	p.mux = http.NewServeMux()
	p.mux.HandleFunc("GET "+Realm+"/.well-known/openid-configuration", p.discovery)
	p.mux.HandleFunc("GET "+openid+"certs", p.certs)
	p.mux.HandleFunc("GET "+openid+"auth", p.showPeople)
	p.mux.HandleFunc("POST "+openid+"auth", p.pickPerson)
	p.mux.HandleFunc("POST "+openid+"token", p.token)
	p.mux.HandleFunc("GET "+openid+"logout", p.logout)
	return p, nil
}

// Issuer returns the protocol issuer: the base URL followed by Realm.
func (p *Provider) Issuer() string { return p.issuer }

// ServeHTTP answers everything below Realm; mount it at Realm + "/".
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.misbehave(w, r) {
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	p.mux.ServeHTTP(w, r)
}

// loopback reports whether a host name is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	base := p.cfg.BaseURL + openid
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": p.issuer, "authorization_endpoint": base + "auth", "token_endpoint": base + "token",
		"jwks_uri": base + "certs", "end_session_endpoint": base + "logout",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"RS256"},
		"code_challenge_methods_supported":               []string{"S256"},
		"grant_types_supported":                          []string{"authorization_code", "refresh_token", "client_credentials"},
		"token_endpoint_auth_methods_supported":          []string{"client_secret_basic", "client_secret_post"},
		"backchannel_logout_supported":                   true,
		"backchannel_logout_session_supported":           true,
		"authorization_response_iss_parameter_supported": true,
		"ui_locales_supported":                           []string{"en", "fr"},
	})
}

func (p *Provider) client(id string) *Client {
	for i := range p.cfg.Clients {
		if p.cfg.Clients[i].ID == id {
			return &p.cfg.Clients[i]
		}
	}
	return nil
}

// person returns the demo person of that username; the caller holds p.mu.
func (p *Provider) person(username string) *Person {
	for i := range p.people {
		if p.people[i].Username == username {
			return &p.people[i]
		}
	}
	return nil
}

// prune forgets what has expired; the caller holds p.mu.
func (p *Provider) prune() {
	now := p.cfg.Now()
	for _, m := range []map[string]*grant{p.codes, p.refresh} {
		for k, g := range m {
			if now.After(g.expires) {
				delete(m, k)
			}
		}
	}
}
