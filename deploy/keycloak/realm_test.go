// Package keycloak holds the realm file that a Keycloak imports for Steward;
// its only Go is this test, which reads the file and needs no server.
package keycloak

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"steward/internal/platform/devidp"
	"steward/internal/rules/access"
)

type client struct {
	ClientID, Secret                                  string
	PublicClient, BearerOnly, FullScopeAllowed        bool
	StandardFlowEnabled, ImplicitFlowEnabled          bool
	DirectAccessGrantsEnabled, ServiceAccountsEnabled bool
	FrontchannelLogout                                bool
	RedirectUris, WebOrigins                          []string
	Attributes                                        map[string]string
	DefaultClientScopes, OptionalClientScopes         []string
	ProtocolMappers                                   []mapper
}

type mapper struct {
	Name, ProtocolMapper string
	Config               map[string]string
}

type user struct {
	Username, FirstName, LastName, Email, ServiceAccountClientID string
	Enabled                                                      bool
	RealmRoles, Groups                                           []string
	Credentials                                                  []struct{ Value string }
}

type realm struct {
	Realm, SslRequired, DefaultSignatureAlgorithm                  string
	RegistrationAllowed, BruteForceProtected, RevokeRefreshToken   bool
	ResetPasswordAllowed, EventsEnabled, AdminEventsEnabled        bool
	RefreshTokenMaxReuse, AccessTokenLifespan, AccessCodeLifespan  int
	SsoSessionIdleTimeout, SsoSessionMaxLifespan, EventsExpiration int
	Roles                                                          struct {
		Realm []struct {
			Name       string
			Composite  bool
			Composites json.RawMessage
		}
	}
	Groups        []group
	Clients       []client
	ScopeMappings []struct {
		Client string
		Roles  []string
	}
	Users []user
}

type group struct {
	Name      string
	SubGroups []group
}

func read(t *testing.T) (realm, map[string]json.RawMessage, string) {
	t.Helper()
	b, err := os.ReadFile("steward-realm.json")
	if err != nil {
		t.Fatal(err)
	}
	var r realm
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	keys := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &keys); err != nil {
		t.Fatal(err)
	}
	return r, keys, string(b)
}

func (r realm) client(t *testing.T, id string) client {
	t.Helper()
	i := slices.IndexFunc(r.Clients, func(c client) bool { return c.ClientID == id })
	if i < 0 {
		t.Fatalf("no client %s", id)
	}
	return r.Clients[i]
}

func (c client) mapper(kind string) []mapper {
	return slices.DeleteFunc(slices.Clone(c.ProtocolMappers), func(m mapper) bool { return m.ProtocolMapper != kind })
}

// With any clientScopes of its own a realm gets none of the built-in ones, and
// tokens without roles.
func TestRealmLeavesBuiltInScopesAlone(t *testing.T) {
	_, keys, _ := read(t)
	for _, k := range []string{"clientScopes", "defaultDefaultClientScopes", "defaultOptionalClientScopes"} {
		if _, ok := keys[k]; ok {
			t.Errorf("the realm declares %s", k)
		}
	}
}

func TestRealmSettings(t *testing.T) {
	r, _, _ := read(t)
	if r.Realm != "steward" || r.SslRequired != "external" || r.DefaultSignatureAlgorithm != "RS256" || r.RegistrationAllowed || r.ResetPasswordAllowed ||
		!r.BruteForceProtected || !r.RevokeRefreshToken || r.RefreshTokenMaxReuse != 0 || r.AccessTokenLifespan != 300 || r.AccessCodeLifespan != 60 ||
		r.SsoSessionIdleTimeout != 1800 || r.SsoSessionMaxLifespan != 36000 || !r.EventsEnabled || !r.AdminEventsEnabled || r.EventsExpiration != 90*24*3600 {
		t.Errorf("realm settings: %+v", r)
	}
}

func TestClientsAllowOneFlowAndExactAddresses(t *testing.T) {
	r, _, _ := read(t)
	for _, c := range r.Clients {
		flows := 0
		for _, on := range []bool{c.StandardFlowEnabled, c.ServiceAccountsEnabled} {
			if on {
				flows++
			}
		}
		switch {
		case c.ImplicitFlowEnabled || c.DirectAccessGrantsEnabled || c.FullScopeAllowed || c.PublicClient:
			t.Errorf("%s: implicit flow, password grant, full scope or public", c.ClientID)
		case c.BearerOnly && flows != 0, !c.BearerOnly && flows != 1:
			t.Errorf("%s: %d flows", c.ClientID, flows)
		case c.Attributes["oauth2.device.authorization.grant.enabled"] == "true" || c.Attributes["oidc.ciba.grant.enabled"] == "true":
			t.Errorf("%s: device or CIBA grant", c.ClientID)
		}
		for _, u := range slices.Concat(c.RedirectUris, c.WebOrigins, []string{c.Attributes["post.logout.redirect.uris"]}) {
			if strings.ContainsAny(u, "*+") {
				t.Errorf("%s: wildcard %s", c.ClientID, u)
			}
		}
	}
}

func TestSiteClient(t *testing.T) {
	r, _, _ := read(t)
	c := r.client(t, "steward-web")
	want := map[string]string{"pkce.code.challenge.method": "S256", "backchannel.logout.url": "${STEWARD_INTERNAL_URL}/auth/backchannel-logout",
		"backchannel.logout.session.required": "true", "backchannel.logout.revoke.offline.tokens": "false", "post.logout.redirect.uris": "${STEWARD_BASE_URL}/"}
	for k, v := range want {
		if c.Attributes[k] != v {
			t.Errorf("%s = %q, want %q", k, c.Attributes[k], v)
		}
	}
	if !slices.Equal(c.RedirectUris, []string{"${STEWARD_BASE_URL}/auth/callback"}) || len(c.WebOrigins) != 0 || c.FrontchannelLogout || !c.StandardFlowEnabled {
		t.Errorf("%+v", c)
	}
	roles, groups := c.mapper("oidc-usermodel-realm-role-mapper"), c.mapper("oidc-group-membership-mapper")
	if len(roles) != 1 || roles[0].Config["claim.name"] != "realm_access.roles" || roles[0].Config["multivalued"] != "true" || roles[0].Config["id.token.claim"] != "true" ||
		roles[0].Config["access.token.claim"] != "false" {
		t.Errorf("role mapper: %+v", roles)
	}
	if len(groups) != 1 || groups[0].Config["claim.name"] != "groups" || groups[0].Config["full.path"] != "true" || groups[0].Config["id.token.claim"] != "true" {
		t.Errorf("group mapper: %+v", groups)
	}
	// what the site asks for must be there, or Keycloak answers invalid_scope
	for _, scope := range []string{"profile", "email"} {
		if !slices.Contains(c.DefaultClientScopes, scope) {
			t.Errorf("scope %s is missing", scope)
		}
	}
	// With its own id as the audience its access tokens would pass as ID tokens.
	if len(c.mapper("oidc-audience-mapper")) != 0 {
		t.Error("steward-web has an audience mapper")
	}
}

func TestIntegrationClients(t *testing.T) {
	r, _, _ := read(t)
	if api := r.client(t, "steward-api"); !api.BearerOnly {
		t.Error("steward-api is more than an audience")
	}
	n := 0
	for _, c := range r.Clients {
		if !strings.HasPrefix(c.ClientID, "int-") {
			continue
		}
		n++
		m := c.mapper("oidc-audience-mapper")
		if len(m) != 1 || m[0].Config["included.client.audience"] != "steward-api" || m[0].Config["access.token.claim"] != "true" || m[0].Config["id.token.claim"] != "false" {
			t.Errorf("%s: audience mapper %+v", c.ClientID, m)
		}
		if !c.ServiceAccountsEnabled || len(c.RedirectUris) != 0 || c.Attributes["client_credentials.use_refresh_token"] != "false" {
			t.Errorf("%s: %+v", c.ClientID, c)
		}
	}
	if n == 0 {
		t.Error("no integration")
	}
}

func TestRolesAreTheAccessTables(t *testing.T) {
	r, _, _ := read(t)
	var have []string
	for _, x := range r.Roles.Realm {
		if x.Composite || len(x.Composites) > 0 {
			t.Errorf("%s is composite", x.Name)
		}
		have = append(have, x.Name)
	}
	want := make([]string, len(access.Roles))
	for i, x := range access.Roles {
		want[i] = string(x)
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("realm %v\ntable %v", have, want)
	}
	for _, m := range r.ScopeMappings {
		for _, role := range m.Roles {
			if !slices.Contains(have, role) {
				t.Errorf("%s may see %s, which is no role", m.Client, role)
			}
		}
		if m.Client == "steward-web" && len(m.Roles) != len(want) {
			t.Error("steward-web does not see every role")
		}
	}
}

// The people of the realm and of the development sign-in are the same, so that
// a test or a manual fits both.
func TestDemoPeople(t *testing.T) {
	r, _, _ := read(t)
	paths := map[string]bool{}
	var walk func(prefix string, gs []group)
	walk = func(prefix string, gs []group) {
		for _, g := range gs {
			paths[prefix+"/"+g.Name] = true
			walk(prefix+"/"+g.Name, g.SubGroups)
		}
	}
	walk("", r.Groups)
	var people []user
	for _, u := range r.Users {
		if u.ServiceAccountClientID != "" {
			if c := r.client(t, u.ServiceAccountClientID); !c.ServiceAccountsEnabled || u.Username != "service-account-"+c.ClientID {
				t.Errorf("service account %s", u.Username)
			}
			continue
		}
		people = append(people, u)
		if u.FirstName == "" || u.LastName == "" || u.Email == "" || !u.Enabled {
			t.Errorf("%s lacks a name or an address, which Keycloak would ask for at sign-in", u.Username)
		}
		for _, g := range u.Groups {
			if !paths[g] {
				t.Errorf("%s is in %s, which does not exist", u.Username, g)
			}
		}
	}
	want := devidp.People()
	if len(people) != len(want) {
		t.Fatalf("%d people, the development sign-in has %d", len(people), len(want))
	}
	for i, w := range want {
		p := people[i]
		if p.Username != w.Username || p.FirstName != w.GivenName || p.LastName != w.FamilyName || p.Email != w.Email() ||
			!slices.Equal(p.RealmRoles, w.Roles) || !slices.Equal(p.Groups, w.Groups) {
			t.Errorf("%+v\nis not the development sign-in's %+v", p, w)
		}
	}
}

func TestNoSecretIsWrittenDown(t *testing.T) {
	r, _, text := read(t)
	placeholder := regexp.MustCompile(`^\$\{STEWARD_[A-Z_]+\}$`)
	for _, c := range r.Clients {
		if c.Secret != "" && !placeholder.MatchString(c.Secret) {
			t.Errorf("%s: a literal secret", c.ClientID)
		}
	}
	for _, u := range r.Users {
		for _, c := range u.Credentials {
			if !placeholder.MatchString(c.Value) {
				t.Errorf("%s: a literal password", u.Username)
			}
		}
	}
	for _, k := range []string{"privateKey", "certificate", "BEGIN "} {
		if strings.Contains(text, k) {
			t.Errorf("the file holds %q", k)
		}
	}
	// a default would be used in silence where the variable is forgotten
	if regexp.MustCompile(`\$\{[A-Z_]+:`).MatchString(text) {
		t.Error("a placeholder has a default")
	}
}
