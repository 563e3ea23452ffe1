//go:build e2e

package keycloak

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/personidentity"
	"steward/ent/session"
	"steward/internal/platform/auth"
	"steward/internal/platform/devidp"
	"steward/internal/rules/viewer"
)

// Everybody of the realm signs in and has the roles the file says.
func TestEverybodySignsIn(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		for _, p := range devidp.People() {
			v := s.browser().enter(p.Username)
			if row, err := s.store.Client.Person.Get(s.sys(), v.ID); err != nil || row.Email != p.Email() {
				t.Errorf("%s: e-mail %v %v", p.Username, row, err)
			}
			if v.Name != p.Name() || !slices.Equal(v.Roles, p.Roles) && len(v.Roles)+len(p.Roles) > 0 || time.Since(v.AuthTime) > time.Minute {
				t.Errorf("%s: %+v", p.Username, v)
			}
		}
		if a := s.browser().login("/auth/login", "pia.portfolio", "not the password"); !strings.HasPrefix(a.Request.URL.String(), issuer) {
			t.Errorf("a wrong password led to %s", a.Request.URL)
		}
	})
}

// Groups become memberships, and those of nothing known are listed.
func TestGroupsBecomeMemberships(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		var pf *ent.Portfolio
		s.tx(func(ctx context.Context, c *ent.Client) (err error) {
			pf, err = c.Portfolio.Create().SetName("Common Components").SetKey("PF-COMMON-COMPONENTS").Save(ctx)
			return err
		})
		v := s.browser().enter("pia.portfolio")
		want := viewer.Membership{Scope: viewer.ScopePortfolio, ID: pf.ID, Level: viewer.LevelManager}
		if len(v.Memberships) != 1 || v.Memberships[0] != want {
			t.Errorf("%+v", v.Memberships)
		}
		otto := s.browser().enter("otto.owner")
		i, err := s.store.Client.PersonIdentity.Query().Where(personidentity.PersonID(otto.ID)).Only(s.sys())
		s.must(err)
		if len(otto.Memberships) != 0 || !slices.Equal(i.UnmatchedGroups, []string{"/products/chefs/owner"}) || i.Issuer != issuer {
			t.Errorf("%+v", i)
		}
	})
}

// The recheck takes over a role granted at Keycloak, again and again (each
// refresh rotates the token), and ends a session that Keycloak has ended.
func TestRecheck(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		b := s.browser()
		v := b.enter("pia.portfolio")
		id := s.account("pia.portfolio")["id"].(string)
		var role map[string]any
		s.keycloak("GET", "/roles/executive", nil, &role)
		s.keycloak("POST", "/users/"+id+"/role-mappings/realm", []any{role}, nil)
		t.Cleanup(func() { s.keycloak("DELETE", "/users/"+id+"/role-mappings/realm", []any{role}, nil) })
		for range 3 {
			s.due(v)
			if now := b.me(); now == nil || !now.Has("executive") || !now.Has("portfolio-manager") {
				t.Fatalf("after the recheck: %+v", now)
			}
		}
		sess, err := s.store.Client.Session.Get(s.sys(), v.SessionID)
		s.must(err)
		if time.Since(sess.IdpCheckedAt) > time.Minute {
			t.Error("the recheck is not recorded")
		}
		s.keycloak("DELETE", "/sessions/"+sess.Sid, nil, nil)
		s.due(v)
		if b.me() != nil {
			t.Error("a session that Keycloak has ended lives")
		}
	})
}

// Many requests at once when the recheck is due must not use a refresh token
// twice, for Keycloak would end the session.
func TestParallelRequestsKeepTheSession(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		b := s.browser()
		v := b.enter("sam.service")
		for range 2 {
			s.due(v)
			done := make(chan int, 20)
			for range cap(done) {
				go func() {
					resp, err := b.Get(baseURL + "/me")
					if err != nil {
						done <- 0
						return
					}
					resp.Body.Close()
					done <- resp.StatusCode
				}()
			}
			for range cap(done) {
				if code := <-done; code != 200 {
					t.Errorf("answered %d", code)
				}
			}
		}
		s.due(v)
		if b.me() == nil {
			t.Error("our own refreshes signed the person out")
		}
	})
}

// Signing out here signs out at Keycloak: the form is asked for again.
func TestSignOut(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		b := s.browser()
		b.enter("fia.finance")
		if a := b.get("/auth/login?to=/me"); a.StatusCode != 200 || a.Request.URL.Path != "/me" {
			t.Fatalf("signed in at Keycloak, and yet at %s", a.Request.URL)
		}
		out := b.post("/auth/logout", nil)
		to, ok := strings.CutPrefix(out.Header.Get("Refresh"), "0; url=")
		if !ok || !strings.HasPrefix(to, issuer) || out.Header.Get("Clear-Site-Data") == "" {
			t.Fatalf("%d %v", out.StatusCode, out.Header)
		}
		if back := b.get(to); back.Request.URL.String() != baseURL+"/" {
			t.Errorf("came back to %s (%d): %.300s", back.Request.URL, back.StatusCode, back.body)
		}
		if b.me() != nil {
			t.Error("still signed in")
		}
		if a := b.get("/auth/login?to=/me"); !strings.HasPrefix(a.Request.URL.String(), issuer) {
			t.Errorf("Keycloak still knows the browser: %s", a.Request.URL)
		}
	})
}

// Ending somebody's sessions in Keycloak's console reaches Steward at once.
func TestBackchannelLogout(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		one, two, other := s.browser(), s.browser(), s.browser()
		one.enter("fia.finance")
		two.enter("fia.finance")
		other.enter("vera.vendor")
		s.keycloak("POST", "/users/"+s.account("fia.finance")["id"].(string)+"/logout", nil, nil)
		deadline := time.Now().Add(5 * time.Second)
		for one.me() != nil || two.me() != nil {
			if time.Now().After(deadline) {
				t.Fatal("Keycloak's message ended nothing")
			}
			time.Sleep(50 * time.Millisecond)
		}
		if other.me() == nil {
			t.Error("somebody else was signed out")
		}
		if !strings.Contains(s.log.String(), "back-channel logout") || strings.Contains(s.log.String(), "back-channel logout refused") {
			t.Error("not by the back channel")
		}
	})
}

// A new signing key is taken without a restart, and what the old one signed stays good.
func TestKeyRotation(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		b := s.browser()
		v := b.enter("max.executive")
		var realm map[string]any
		s.keycloak("GET", "", nil, &realm)
		head := s.keycloak("POST", "/components", map[string]any{"name": "rotated", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
			"parentId": realm["id"], "config": map[string][]string{"priority": {"200"}, "enabled": {"true"}, "active": {"true"}, "algorithm": {"RS256"}, "keySize": {"2048"}}}, nil)
		place := head.Get("Location")
		t.Cleanup(func() { s.keycloak("DELETE", "/components/"+place[strings.LastIndex(place, "/")+1:], nil, nil) })
		deadline := time.Now().Add(20 * time.Second) // keys are asked for at most every ten seconds
		for {
			a := s.browser().login("/auth/login?to=/me", "max.executive", password)
			if a.StatusCode == 200 && a.Request.URL.Path == "/me" {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the new key is not taken: %d", a.StatusCode)
			}
			time.Sleep(time.Second)
		}
		s.due(v)
		if b.me() == nil {
			t.Error("the session from before the rotation ended")
		}
	})
}

// A disabled account cannot sign in, and its session ends with the next recheck for good.
func TestDisabledPerson(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		b := s.browser()
		v := b.enter("otto.owner")
		account := s.account("otto.owner")
		enable := func(on bool) {
			account["enabled"] = on
			s.keycloak("PUT", "/users/"+account["id"].(string), account, nil)
		}
		t.Cleanup(func() { enable(true) })
		enable(false)
		if a := s.browser().login("/auth/login", "otto.owner", password); !strings.HasPrefix(a.Request.URL.String(), issuer) {
			t.Errorf("signed in while disabled: %s", a.Request.URL)
		}
		s.due(v)
		if b.me() != nil {
			t.Error("the session lives")
		}
		enable(true)
		if b.me() != nil {
			t.Error("enabling the account revived the session")
		}
		s.browser().enter("otto.owner")
	})
}

// What needs a recent proof makes Keycloak ask for the password again.
func TestFreshSignIn(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		b := s.browser()
		before := b.enter("eva.expense")
		s.tx(func(ctx context.Context, c *ent.Client) error { // as eleven minutes of waiting would
			return c.Session.Update().Where(session.ID(before.SessionID)).SetAuthTime(time.Now().Add(-11 * time.Minute)).Exec(ctx)
		})
		if err := auth.Fresh(viewer.With(s.sys(), b.me())); !errors.Is(err, auth.ErrNotFresh) {
			t.Errorf("an old session: %v", err)
		}
		time.Sleep(1100 * time.Millisecond) // auth_time counts seconds
		page := b.get(auth.FreshLoginURL("/me"))
		action, fields := form(page.body)
		if !strings.HasPrefix(page.Request.URL.String(), issuer) || action == "" {
			t.Fatalf("not asked again: %s", page.Request.URL)
		}
		fields.Set("username", "eva.expense")
		fields.Set("password", password)
		if after := b.viewerOf(b.post(action, fields)); !after.AuthTime.After(before.AuthTime) || after.SessionID == before.SessionID {
			t.Errorf("proved at %s, before %s", after.AuthTime, before.AuthTime)
		} else if err := auth.Fresh(viewer.With(s.sys(), after)); err != nil {
			t.Error(err)
		}
	})
}

// An integration signs in with client credentials; its row decides what that is worth.
func TestClientCredentials(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		status, token := s.token("int-demo", service)
		if status != 200 {
			t.Fatalf("Keycloak answers %d", status)
		}
		if a := s.bearer(token); a.StatusCode != 401 {
			t.Errorf("a client without a row: %d", a.StatusCode)
		}
		s.tx(func(ctx context.Context, c *ent.Client) error {
			return c.Integration.Create().SetName("Demo").SetClientID("int-demo").SetRoles([]string{"contributor"}).SetPortfolios([]string{auth.AllPortfolios}).Exec(ctx)
		})
		v := &viewer.Viewer{}
		if a := s.bearer(token); a.StatusCode != 200 || json.Unmarshal([]byte(a.body), v) != nil || v.Kind != viewer.Integration || !slices.Equal(v.Roles, []string{"contributor"}) {
			t.Errorf("%d %+v", a.StatusCode, v)
		}
		if status, _ := s.token("int-demo", "wrong"); status != 401 {
			t.Errorf("wrong secret: %d", status)
		}
		if status, _ := s.token("steward-web", secret); status == 200 {
			t.Error("the site's client gets client credentials")
		}
	})
}

// Keycloak itself refuses a sign-in without PKCE and a foreign return address.
func TestKeycloakIsStrict(t *testing.T) {
	onBoth(t, func(t *testing.T, s *site) {
		b := s.browser()
		page := b.get("/auth/login")
		q := page.Request.URL.Query()
		for name, change := range map[string]func(url.Values){"no PKCE": func(q url.Values) { q.Del("code_challenge"); q.Del("code_challenge_method") },
			"plain PKCE": func(q url.Values) { q.Set("code_challenge_method", "plain") }, "foreign address": func(q url.Values) { q.Set("redirect_uri", "https://evil.example/") },
			"longer address": func(q url.Values) { q.Set("redirect_uri", baseURL+"/auth/callback/x") }} {
			c := url.Values{}
			for k, v := range q {
				c[k] = slices.Clone(v)
			}
			change(c)
			u := *page.Request.URL
			u.RawQuery = c.Encode()
			if a := s.browser().get(u.String()); strings.Contains(a.body, `id="kc-form-login"`) {
				t.Errorf("%s: the sign-in form is shown", name)
			}
		}
	})
}
