package auth_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"steward/ent"
	"steward/internal/platform/auth"
	"steward/internal/platform/devidp"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// register makes the Integration row of int-demo.
func (w *world) register(portfolios ...string) *ent.Integration {
	var row *ent.Integration
	w.tx(func(ctx context.Context, c *ent.Client) (err error) {
		row, err = c.Integration.Create().SetName("Demo").SetClientID("int-demo").SetRoles([]string{"contributor", "executive"}).SetPortfolios(portfolios).Save(ctx)
		return err
	})
	return row
}

func (w *world) whoami(a answer) *viewer.Viewer {
	w.Helper()
	v := &viewer.Viewer{}
	if a.StatusCode != 200 || json.Unmarshal([]byte(a.body), v) != nil {
		w.Fatalf("%d %s", a.StatusCode, a.body)
	}
	return v
}

// AN-8, AN-9, AN-11: which access tokens the API takes.
func TestAccessTokens(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ids := w.seed()
		row := w.register(ids["PF"].String())
		good := w.clientToken("int-demo", "int-demo-dev-secret")
		v := w.whoami(w.bearer(good))
		if v.Kind != viewer.Integration || v.ID != row.ID || !reflect.DeepEqual(v.Roles, []string{"contributor"}) || len(v.Memberships) != 1 || v.Memberships[0].ID != ids["PF"] {
			t.Errorf("%+v", v)
		}
		now := w.now().Unix()
		base := map[string]any{"iss": w.idp.Issuer(), "aud": "steward-api", "azp": "int-demo", "sub": "x", "iat": now, "exp": now + 60, "typ": "Bearer"}
		make := func(change map[string]any) string { return w.sign(with(base, change), "at+jwt") }
		foreign, err := rsa.GenerateKey(rand.Reader, 2048)
		w.must(err)
		head, _ := base64.RawURLEncoding.DecodeString(strings.Split(good, ".")[0])
		var h struct{ Kid string }
		w.must(json.Unmarshal(head, &h))
		forge := func(alg jose.SignatureAlgorithm, key any) string {
			s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", h.Kid))
			w.must(err)
			b, _ := json.Marshal(base)
			o, err := s.Sign(b)
			w.must(err)
			out, _ := o.CompactSerialize()
			return out
		}
		public, err := x509.MarshalPKIXPublicKey(w.idp.PublicKey())
		w.must(err)
		var portal map[string]any // AN-11: the access token of somebody signed in to the site
		w.faults.Set(devidp.Fault{Tamper: func(kind string, m map[string]any) {
			if kind == "access" {
				portal = with(m, nil)
			}
		}})
		w.browser().enter("pia.portfolio")
		w.faults.Set(devidp.Fault{})
		for name, token := range map[string]string{
			"portal user's": w.sign(portal, "at+jwt"),
			"id token":      w.sign(with(base, map[string]any{"typ": "ID"}), "JWT"), "logout token": w.sign(with(base, map[string]any{"typ": "Logout"}), "logout+jwt"),
			"refresh type": w.sign(with(base, map[string]any{"typ": "Refresh"}), "JWT"), "no type": w.sign(with(base, map[string]any{"typ": nil}), "JWT"),
			"other audience": w.clientToken("int-elsewhere", "e"), "no audience": make(map[string]any{"aud": nil}),
			"azp without a row": w.clientToken("int-rogue", "r"), "no azp": make(map[string]any{"azp": nil}), "azp of the site": make(map[string]any{"azp": "steward-web"}),
			"expired 40 s": make(map[string]any{"exp": now - 40}), "iat in the future": make(map[string]any{"iat": now + 300}), "other issuer": make(map[string]any{"iss": "https://evil.example"}),
			"alg none": "eyJhbGciOiJub25lIn0." + strings.Split(good, ".")[1] + ".", "hs256 with the public key": forge(jose.HS256, public),
			"foreign key": forge(jose.RS256, foreign), "tampered": good[:len(good)-6] + "AAAAAA", "empty": "", "17 KB": make(map[string]any{"x": strings.Repeat("x", 17<<10)}),
		} {
			if a := w.bearer(token); a.StatusCode != 401 {
				t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
			}
		}
		for name, token := range map[string]string{"20 s past its end": make(map[string]any{"exp": now - 20}), "iat 20 s ahead": make(map[string]any{"iat": now + 20}),
			"several audiences": make(map[string]any{"aud": []string{"account", "steward-api"}}), "older form": w.sign(base, "JWT")} {
			if a := w.bearer(token); a.StatusCode != 200 {
				t.Errorf("%s: %d", name, a.StatusCode)
			}
		}
		// the row decides: inactive, past its end, archived
		for name, change := range map[string]func(u *ent.IntegrationUpdateOne) *ent.IntegrationUpdateOne{
			"inactive": func(u *ent.IntegrationUpdateOne) *ent.IntegrationUpdateOne { return u.SetActive(false) },
			"past its end": func(u *ent.IntegrationUpdateOne) *ent.IntegrationUpdateOne {
				return u.SetActive(true).SetExpiresAt(w.now().Add(-time.Second))
			},
			"archived": func(u *ent.IntegrationUpdateOne) *ent.IntegrationUpdateOne {
				return u.SetActive(true).ClearExpiresAt().SetArchivedAt(w.now())
			},
		} {
			w.tx(func(ctx context.Context, c *ent.Client) error {
				return change(c.Integration.UpdateOneID(row.ID)).Exec(ctx)
			})
			if a := w.bearer(good); a.StatusCode != 401 {
				t.Errorf("%s: %d", name, a.StatusCode)
			}
		}
		w.tx(func(ctx context.Context, c *ent.Client) error {
			return c.Integration.UpdateOneID(row.ID).ClearArchivedAt().ClearExpiresAt().SetActive(true).SetRoles(nil).Exec(ctx)
		})
		if v := w.whoami(w.bearer(good)); len(v.Roles) != 0 {
			t.Errorf("roles the row does not allow: %v", v.Roles)
		}
	})
}

// AN-12: keys rotate without a restart, and forged tokens cause no request.
func TestKeyRotationAndForgedTokens(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.register(auth.AllPortfolios)
		old := w.clientToken("int-demo", "int-demo-dev-secret")
		w.whoami(w.bearer(old))
		certs := w.faults.Hits("certs")
		for i := range 300 {
			if a := w.bearer(old[:len(old)-6] + text("%06d", i)); a.StatusCode != 401 {
				t.Fatalf("forged: %d", a.StatusCode)
			}
		}
		if n := w.faults.Hits("certs") - certs; n != 0 {
			t.Errorf("%d key requests for 300 forged tokens", n)
		}
		w.advance(11 * time.Second)
		w.must(w.idp.RotateKeys())
		fresh := w.clientToken("int-demo", "int-demo-dev-secret")
		for name, token := range map[string]string{"new": fresh, "old": old} {
			if a := w.bearer(token); a.StatusCode != 200 {
				t.Errorf("token of the %s key: %d", name, a.StatusCode)
			}
		}
		unknown := func(i int) string {
			return base64.RawURLEncoding.EncodeToString([]byte(text(`{"alg":"RS256","kid":"k%d"}`, i))) + strings.TrimLeft(fresh, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
		}
		certs = w.faults.Hits("certs")
		for i := range 100 {
			w.bearer(unknown(i))
			w.advance(50 * time.Millisecond)
		}
		if n := w.faults.Hits("certs") - certs; n > 1 {
			t.Errorf("%d key requests for 100 unknown keys", n)
		}
		w.faults.Set(devidp.Fault{Down: true})
		if a := w.bearer(fresh); a.StatusCode != 200 {
			t.Errorf("known key, provider down: %d", a.StatusCode)
		}
	})
}

// A provider that has never answered is 503, not 401: the caller should come again.
func TestAccessTokenWithoutAProvider(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.register(auth.AllPortfolios)
		token := w.clientToken("int-demo", "int-demo-dev-secret")
		w.faults.Set(devidp.Fault{Down: true})
		if a := w.bearer(token); a.StatusCode != 503 {
			t.Errorf("%d", a.StatusCode)
		}
	})
}

// issue makes a token as the system.
func (w *world) issue(in auth.TokenInput) (secret string, row *ent.ApiToken) {
	w.Helper()
	w.tx(func(ctx context.Context, c *ent.Client) (err error) {
		secret, row, err = auth.IssueToken(ctx, c, in)
		return err
	})
	return secret, row
}

// TK-1: the form of tokens, what is stored, and their end.
func TestAPITokens(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ids := w.seed()
		v := w.browser().enter("pia.portfolio")
		in := auth.TokenInput{Name: "nightly", Person: v.ID, Roles: []string{"portfolio-manager"}, Portfolios: idents(ids["PF"])}
		secret, row := w.issue(in)
		if !strings.HasPrefix(secret, "stw_") || len(secret) != 4+43+6 || !strings.HasPrefix(secret, row.Hint) || len(row.Hint) > 10 {
			t.Errorf("%d characters, hint %s", len(secret), row.Hint)
		}
		got := w.whoami(w.bearer(secret))
		if got.ID != v.ID || got.TokenID != row.ID || got.Via != viewer.ViaAPI || got.SessionID != "" || !got.Has("portfolio-manager") {
			t.Errorf("%+v", got)
		}
		stored := reflect.ValueOf(*row)
		for i := range stored.NumField() {
			if stored.Type().Field(i).IsExported() {
				if x := text("%v", stored.Field(i).Interface()); x == secret || w.bearer(x).StatusCode != 401 || w.bearer("stw_"+x).StatusCode != 401 {
					t.Errorf("%s works as a token", stored.Type().Field(i).Name)
				}
			}
		}
		w.store.Statements.Reset()
		wrong := secret[:len(secret)-1] + map[bool]string{true: "A", false: "B"}[secret[len(secret)-1] != 'A']
		if w.bearer(wrong).StatusCode != 401 || w.store.Statements.N() != 0 {
			t.Errorf("a wrong checksum asked the database %d times", w.store.Statements.N())
		}
		again, err := w.store.Client.ApiToken.Get(w.sys(), row.ID)
		w.must(err)
		if again.LastUsedAt == nil {
			t.Error("not marked as used")
		}
		w.advance(89 * 24 * time.Hour)
		if w.bearer(secret).StatusCode != 200 {
			t.Error("ended before 90 days")
		}
		w.advance(25 * time.Hour)
		if w.bearer(secret).StatusCode != 401 {
			t.Error("lives after 90 days")
		}
		revoked, row := w.issue(in)
		w.clock.Store(time.Now().UnixNano())
		w.tx(func(ctx context.Context, c *ent.Client) error { return auth.RevokeToken(ctx, c, row.ID) })
		if w.bearer(revoked).StatusCode != 401 {
			t.Error("revoked, and works")
		}
		for name, bad := range map[string]auth.TokenInput{
			"91 days": {Person: v.ID, Roles: in.Roles, AllPortfolios: true, Days: 91}, "no owner": {Roles: in.Roles, AllPortfolios: true},
			"no role": {Person: v.ID, AllPortfolios: true}, "unknown role": {Person: v.ID, Roles: []string{"root"}, AllPortfolios: true}, "no portfolio": {Person: v.ID, Roles: in.Roles},
		} {
			err := w.store.Tx(w.sys(), func(ctx context.Context, c *ent.Client) error { _, _, err := auth.IssueToken(ctx, c, bad); return err })
			if errs.CodeOf(err) != errs.Validation {
				t.Errorf("%s: %v", name, err)
			}
		}
		other := w.browser().enter("otto.owner")
		as := func(v *viewer.Viewer) error {
			return w.store.Tx(viewer.With(context.Background(), v), func(ctx context.Context, c *ent.Client) error {
				_, _, err := auth.IssueToken(ctx, c, in)
				return err
			})
		}
		if err := as(other); errs.CodeOf(err) != errs.CodeForbidden {
			t.Errorf("Otto makes a token of Pia's: %v", err)
		}
		w.must(as(v))
		if err := as(got); errs.CodeOf(err) != errs.CodeForbidden {
			t.Errorf("a token makes a token: %v", err)
		}
		if err := w.store.Tx(viewer.With(context.Background(), other), func(ctx context.Context, c *ent.Client) error { return auth.RevokeToken(ctx, c, row.ID) }); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("Otto revokes Pia's: %v", err)
		}
	})
}

// TK-2: a token in the address is refused even when it is right, and so is one in a cookie.
func TestTokensInOtherPlaces(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		v := w.browser().enter("pia.portfolio")
		secret, _ := w.issue(auth.TokenInput{Person: v.ID, Roles: []string{"viewer"}, AllPortfolios: true})
		for _, q := range []string{"access_token=" + secret, "token=" + secret, "access_token=x"} {
			r, _ := http.NewRequest("GET", w.site.URL+"/me?"+q, nil)
			r.Header.Set("Authorization", "Bearer "+secret)
			if a := w.browser().stay().do(r); a.StatusCode != 401 {
				t.Errorf("%.12s: %d", q, a.StatusCode)
			}
		}
		if w.with(secret).me() != nil {
			t.Error("works as a cookie")
		}
		r, _ := http.NewRequest("GET", w.site.URL+"/me", nil)
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("x:"+secret)))
		if a := w.browser().stay().do(r); a.StatusCode != 401 {
			t.Errorf("as a password: %d", a.StatusCode)
		}
		if !w.logged("a token in the address") {
			t.Error("no warning")
		}
	})
}

// TK-3: a token never has more than its owner has now, and only where it was made for.
func TestTokensNeverExceedTheirOwner(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ids := w.seed()
		b := w.browser()
		w.idp.Change("pia.portfolio", func(p *devidp.Person) {
			p.Roles = []string{"portfolio-manager", "finance-officer"}
			p.Groups = []string{"/portfolios/common-components/manager", "/portfolios/elsewhere/manager", "/products/chefs/owner", "/vendors/optit/partner"}
		})
		pia := b.enter("pia.portfolio")
		secret, _ := w.issue(auth.TokenInput{Person: pia.ID, Roles: []string{"portfolio-manager", "finance-officer", "app-admin"}, Portfolios: idents(ids["PF"])})
		v := w.whoami(w.bearer(secret))
		if v.Has("app-admin") || len(v.Roles) != 2 {
			t.Errorf("roles %v", v.Roles)
		}
		same(t, v.Memberships, []viewer.Membership{
			{Scope: viewer.ScopePortfolio, ID: ids["PF"], Level: viewer.LevelManager},
			{Scope: viewer.ScopeProduct, ID: ids["CHEFS"], Level: viewer.LevelOwner, PortfolioID: ids["PF"]},
			{Scope: viewer.ScopePortfolio, ID: ids["PF"], Level: access.LevelBound},
		})
		// the finance officer reads every budget; through this token only one portfolio's
		if r := access.For(v, "BudgetPlan", access.Read); r.All || r.Includes(access.Row{Portfolio: ids["FAR"]}) || !r.Includes(access.Row{Portfolio: ids["PF"]}) {
			t.Errorf("reach %+v", r)
		}
		if access.May(v, "BudgetPlan", access.Approve) {
			t.Error("a token approves")
		}
		ctx := viewer.With(context.Background(), v)
		if err := w.auth.Confirmed(ctx); errs.CodeOf(err) != errs.CodeForbidden {
			t.Errorf("approval by token: %v", err)
		}
		w.idp.Change("pia.portfolio", func(p *devidp.Person) {
			p.Roles, p.Groups = []string{"viewer"}, []string{"/portfolios/elsewhere/manager"}
		})
		w.advance(6 * time.Minute)
		b.me() // the recheck learns of it
		v = w.whoami(w.bearer(secret))
		if len(v.Roles) != 0 {
			t.Errorf("roles after the owner lost them: %v", v.Roles)
		}
		if r := access.For(v, "Initiative", access.Read); !r.Empty() {
			t.Errorf("reach after the owner lost it: %+v", r)
		}
	})
}

// Services made on the command line: the token says what, the row may narrow it.
func TestServiceTokens(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ids := w.seed()
		var one, two *ent.Integration
		w.tx(func(ctx context.Context, c *ent.Client) (err error) {
			if one, err = auth.Service(ctx, c, "reports"); err != nil {
				return err
			}
			two, err = auth.Service(ctx, c, " reports ")
			return err
		})
		if one.ID != two.ID {
			t.Error("the same name made two services")
		}
		everywhere, _ := w.issue(auth.TokenInput{Integration: one.ID, Roles: []string{"portfolio-manager"}, AllPortfolios: true})
		narrow, _ := w.issue(auth.TokenInput{Integration: one.ID, Roles: []string{"portfolio-manager", "viewer"}, Portfolios: idents(ids["PF"], ids["FAR"])})
		reach := func(secret, entity string) access.Reach {
			return access.For(w.whoami(w.bearer(secret)), entity, access.Write)
		}
		if r := reach(everywhere, "Initiative"); !r.All {
			t.Errorf("everywhere: %+v", r)
		}
		if r := reach(everywhere, "Vendor"); !r.All {
			t.Errorf("a portfolio manager's service may not write vendors: %+v", r)
		}
		if r := reach(narrow, "Initiative"); !slices.Equal(r.Portfolios, slices.Sorted(slices.Values(idents(ids["PF"], ids["FAR"])))) {
			t.Errorf("narrow: %+v", r)
		}
		w.tx(func(ctx context.Context, c *ent.Client) error {
			return c.Integration.UpdateOneID(one.ID).SetPortfolios([]string{ids["FAR"].String()}).SetRoles([]string{"viewer"}).Exec(ctx)
		})
		for _, s := range []string{everywhere, narrow} {
			v := w.whoami(w.bearer(s))
			if v.Has("portfolio-manager") || len(v.Memberships) != 1 || v.Memberships[0].ID != ids["FAR"] {
				t.Errorf("%+v", v)
			}
		}
		w.tx(func(ctx context.Context, c *ent.Client) error {
			return c.Integration.UpdateOneID(one.ID).SetActive(false).Exec(ctx)
		})
		if w.bearer(narrow).StatusCode != 401 {
			t.Error("an inactive service answers")
		}
		err := w.store.Tx(w.sys(), func(ctx context.Context, c *ent.Client) error { _, err := auth.Service(ctx, c, "reports"); return err })
		if errs.CodeOf(err) != errs.Validation {
			t.Errorf("a token for an ended service: %v", err)
		}
	})
}

func TestTokenFormat(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		s := auth.NewAPIToken()
		if !auth.WellFormed(s) || seen[s] {
			t.Fatal(s)
		}
		seen[s] = true
		for _, bad := range []string{s[:len(s)-1], s + "0", strings.ToUpper(s), strings.Replace(s, "stw_", "stx_", 1), s[:10] + "!" + s[11:]} {
			if bad != s && auth.WellFormed(bad) {
				t.Fatal(bad)
			}
		}
	}
}

func TestKeyring(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "steward.key")
	one, err := auth.MakeKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	sealed := one.Seal([]byte("secret"), "a")
	if bytes.Contains(sealed, []byte("secret")) || bytes.Equal(sealed, one.Seal([]byte("secret"), "a")) {
		t.Error("not encrypted, or always the same")
	}
	again, err := auth.MakeKeyring(path) // keeps the file
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Open(sealed, "a"); err != nil || string(plain) != "secret" {
		t.Errorf("%s %v", plain, err)
	}
	if _, err := again.Open(sealed, "b"); err == nil {
		t.Error("opened for another purpose")
	}
	old, _ := os.ReadFile(path)
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	if err := os.WriteFile(path, append([]byte(key+"\n"), old...), 0o600); err != nil {
		t.Fatal(err)
	}
	rotated, err := auth.ReadKeyring(path)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := rotated.Open(sealed, "a"); err != nil || string(plain) != "secret" {
		t.Errorf("after rotation: %s %v", plain, err)
	}
	first, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(string(old)))
	alone, err := auth.NewKeyring(first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alone.Open(rotated.Seal([]byte("x"), "a"), "a"); err == nil {
		t.Error("the new key does not encrypt")
	}
	for name, content := range map[string]string{"empty": "\n", "short": "AAAA\n", "text": "a password\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := auth.ReadKeyring(path); err == nil {
			t.Errorf("%s was taken as a key", name)
		}
	}
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.ReadKeyring(path); err == nil {
		t.Error("a key that everybody can read was taken")
	}
	if _, err := auth.ReadKeyring(filepath.Join(dir, "none")); err == nil {
		t.Error("a missing key was taken")
	}
}
