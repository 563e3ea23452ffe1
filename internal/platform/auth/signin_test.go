package auth_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/membership"
	"steward/ent/person"
	"steward/ent/personidentity"
	"steward/internal/platform/auth"
	"steward/internal/platform/devidp"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// AN-1: state, nonce and verifier are fresh, bound to the browser and good once.
func TestSignInIsFreshAndBoundToTheBrowser(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser().stay()
		start := func(b *browser) url.Values {
			a := b.get("/auth/login?to=/me")
			u, err := url.Parse(a.Header.Get("Location"))
			if a.StatusCode != 303 || err != nil {
				t.Fatalf("%d %v", a.StatusCode, err)
			}
			return u.Query()
		}
		first, second := start(b), start(b)
		for _, k := range []string{"state", "nonce", "code_challenge"} {
			if first.Get(k) == "" || first.Get(k) == second.Get(k) {
				t.Errorf("%s is missing or repeated", k)
			}
		}
		if first.Get("code_challenge_method") != "S256" || first.Get("response_type") != "code" || first.Get("redirect_uri") != w.site.URL+"/auth/callback" {
			t.Errorf("request %v", first)
		}
		state := first.Get("state")
		for name, q := range map[string]url.Values{
			"unknown state": {"code": {"x"}, "state": {"zzz"}, "iss": {w.idp.Issuer()}}, "no state": {"code": {"x"}},
		} {
			if a := b.get("/auth/callback?" + q.Encode()); a.StatusCode != 400 {
				t.Errorf("%s: %d", name, a.StatusCode)
			}
		}
		// login CSRF: the attacker's state in the victim's browser
		if a := w.browser().stay().get("/auth/callback?" + url.Values{"code": {"x"}, "state": {state}, "iss": {w.idp.Issuer()}}.Encode()); a.StatusCode != 400 {
			t.Errorf("state of another browser: %d", a.StatusCode)
		}
		var callback string
		b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			if r.URL.Path == "/auth/callback" {
				callback = r.URL.String()
			}
			return nil
		}
		form := second
		form.Set("login", "pia.portfolio")
		if a := b.post(w.idp.Issuer()+"/protocol/openid-connect/auth", form); a.StatusCode != 200 {
			t.Fatalf("sign-in: %d %s", a.StatusCode, a.body)
		}
		if a := b.stay().get(callback); a.StatusCode != 400 {
			t.Errorf("replayed state: %d", a.StatusCode)
		}
		late := w.browser()
		q := start(late.stay())
		w.advance(11 * time.Minute)
		q.Set("login", "pia.portfolio")
		if a := late.follow().post(w.idp.Issuer()+"/protocol/openid-connect/auth", q); a.StatusCode != 400 {
			t.Errorf("sign-in that took 11 minutes: %d", a.StatusCode)
		}
		many := w.browser().stay()
		oldest := start(many)
		for range 5 {
			start(many)
		}
		oldest.Set("login", "pia.portfolio")
		if a := many.follow().post(w.idp.Issuer()+"/protocol/openid-connect/auth", oldest); a.StatusCode != 400 {
			t.Errorf("the sixth-last sign-in of a browser: %d", a.StatusCode)
		}
	})
}

// AN-2: answers and metadata of another issuer are refused.
func TestAnotherIssuerIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for name, change := range map[string]func(url.Values){
			"other issuer": func(v url.Values) { v.Set("iss", "https://evil.example") }, "no issuer": func(v url.Values) { v.Del("iss") }} {
			w.faults.Set(devidp.Fault{Answer: change})
			if a := w.browser().signIn("pia.portfolio"); a.StatusCode != 400 {
				t.Errorf("%s: %d", name, a.StatusCode)
			}
		}
		w.faults.Set(devidp.Fault{Answer: func(v url.Values) { v.Del("code"); v.Set("error", "access_denied") }})
		if a := w.browser().signIn("pia.portfolio"); a.StatusCode != 401 {
			t.Errorf("error of the provider: %d", a.StatusCode)
		}
		w.faults.Set(devidp.Fault{})
		wrong := w.newAuth(w.site.URL, func(c *auth.Config) { c.Issuer += "/" })
		srv := w.app(wrong)
		rec := newRecorder()
		r, _ := http.NewRequest("GET", "/auth/login", nil)
		srv.ServeHTTP(rec, r)
		if rec.status != 503 || !w.logged("cannot be used", w.idp.Issuer()+`\"`, w.idp.Issuer()+`/\"`) {
			t.Errorf("metadata of another issuer: %d\n%s", rec.status, w.logs)
		}
	})
}

// AN-3, AN-9, AN-10: what is wrong with an ID token ends the sign-in.
func TestBadIDTokensAreRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		now := func() int64 { return w.now().Unix() }
		for name, change := range map[string]func(m map[string]any){
			"other nonce": func(m map[string]any) { m["nonce"] = "x" }, "no nonce": func(m map[string]any) { delete(m, "nonce") },
			"access token": func(m map[string]any) { m["typ"] = "Bearer" }, "logout token": func(m map[string]any) { m["typ"] = "Logout" },
			"refresh token": func(m map[string]any) { m["typ"] = "Refresh" },
			"other azp":     func(m map[string]any) { m["azp"] = "int-demo" },
			"two audiences, other azp": func(m map[string]any) {
				m["aud"], m["azp"] = []string{"steward-web", "int-demo"}, "int-demo"
			},
			"two audiences, no azp": func(m map[string]any) { m["aud"] = []string{"steward-web", "int-demo"}; delete(m, "azp") },
			"other audience":        func(m map[string]any) { m["aud"] = "int-demo" },
			"other issuer":          func(m map[string]any) { m["iss"] = "https://evil.example" },
			"expired":               func(m map[string]any) { m["exp"] = now() - 5 },
			"issued in the future":  func(m map[string]any) { m["iat"] = now() + 300 },
			"other access token":    func(m map[string]any) { m["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" },
			"no subject":            func(m map[string]any) { m["sub"] = "" },
		} {
			w.faults.Set(devidp.Fault{Tamper: func(kind string, m map[string]any) {
				if kind == "id" {
					change(m)
				}
			}})
			b := w.browser()
			if a := b.signIn("pia.portfolio"); a.StatusCode != 401 || b.cookie() != "" {
				t.Errorf("%s: %d", name, a.StatusCode)
			}
		}
		for name, change := range map[string]func(m map[string]any){
			"honest": func(map[string]any) {}, "two audiences, our azp": func(m map[string]any) { m["aud"] = []string{"steward-web", "int-demo"} },
			"no typ, as other providers": func(m map[string]any) { delete(m, "typ") }} {
			w.faults.Set(devidp.Fault{Tamper: func(kind string, m map[string]any) {
				if kind == "id" {
					change(m)
				}
			}})
			if a := w.browser().signIn("pia.portfolio"); a.StatusCode != 200 {
				t.Errorf("%s: %d %s", name, a.StatusCode, w.logs)
			}
		}
	})
}

// AN-4: the way back is a path of this site.
func TestReturnAddresses(t *testing.T) {
	for in, want := range map[string]string{"//evil.example": "/", "https://evil.example": "/", `/\evil`: "/", "/\\/evil": "/", "https:evil": "/", "javascript:alert(1)": "/",
		"/x\r\nSet-Cookie: a=b": "/", "/\t/evil": "/", "": "/", "budgets": "/", "/auth/logout": "/", "/auth/login?to=/": "/", "/budgets?x=1#y": "/budgets?x=1#y", "/" + strings.Repeat("x", 500): "/"} {
		got := auth.LoginURL(in)
		u, err := url.Parse(got)
		if err != nil || u.Path != "/auth/login" || want == "/" && u.RawQuery != "" || want != "/" && u.Query().Get("to") != want {
			t.Errorf("%q -> %s", in, got)
		}
	}
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		page := b.get("/auth/login?to=" + url.QueryEscape("//evil.example/me"))
		form := url.Values{"login": {"pia.portfolio"}}
		for _, m := range field.FindAllStringSubmatch(page.body, -1) {
			form.Set(m[1], m[2])
		}
		form.Set("redirect_uri", w.site.URL+"/auth/callback")
		form.Set("scope", "openid profile email")
		if a := b.post(page.Request.URL.String(), form); a.Request.URL.String() != w.site.URL+"/" {
			t.Errorf("came back to %s", a.Request.URL)
		}
	})
}

// AN-5: one refusal for a no of the token endpoint, 503 for no answer.
func TestTokenEndpointFailures(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for status, want := range map[int]int{400: 401, 401: 401, 403: 401, 429: 503, 500: 503, 503: 503} {
			w.faults.Set(devidp.Fault{TokenError: status})
			a := w.browser().signIn("pia.portfolio")
			if a.StatusCode != want || want == 503 && a.Header.Get("Retry-After") == "" || strings.Contains(a.body, "on purpose") {
				t.Errorf("token endpoint %d: %d %s", status, a.StatusCode, a.body)
			}
		}
		w.faults.Set(devidp.Fault{})
		b := w.browser()
		page := b.get("/auth/login")
		form := url.Values{"login": {"pia.portfolio"}}
		for _, m := range field.FindAllStringSubmatch(page.body, -1) {
			form.Set(m[1], strings.ReplaceAll(m[2], "&#43;", "+"))
		}
		b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			w.faults.Set(devidp.Fault{Down: true}) // the provider goes away with the code on its way
			return nil
		}
		if a := b.post(page.Request.URL.String(), form); a.StatusCode != 503 {
			t.Errorf("no answer: %d", a.StatusCode)
		}
	})
}

// AN-6: issuer and subject are the person; the e-mail address is nobody.
func TestSameEmailIsAnotherPerson(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		pia := w.browser().enter("pia.portfolio")
		w.tx(func(ctx context.Context, c *ent.Client) error { // something only Pia has
			return c.RoleGrant.Create().SetPersonID(pia.ID).SetRole("auditor").SetReason("test").Exec(ctx)
		})
		w.faults.Set(devidp.Fault{Tamper: func(_ string, m map[string]any) {
			m["sub"] = "somebody-else"
			delete(m, "realm_access")
		}})
		thief := w.browser().enter("pia.portfolio")
		if thief.ID == pia.ID || len(thief.Roles) != 0 {
			t.Errorf("took over %s with roles %v", thief.ID, thief.Roles)
		}
		people, err := w.store.Client.Person.Query().Where(person.Email("pia.portfolio@steward.example")).All(w.sys())
		w.must(err)
		if len(people) != 2 {
			t.Errorf("%d people with the address", len(people))
		}
		w.faults.Set(devidp.Fault{Tamper: func(_ string, m map[string]any) { m["name"], m["email"] = "Pia Married", "new@steward.example" }})
		if again := w.browser().enter("pia.portfolio"); again.ID != pia.ID || again.Name != "Pia Married" || !again.Has("auditor") {
			t.Errorf("after a new name: %+v", again)
		}
		i, err := w.store.Client.PersonIdentity.Query().Where(personidentity.PersonID(pia.ID)).Only(w.sys())
		w.must(err)
		if i.Issuer != devidp.StoredIssuer || i.Subject != "pia.portfolio" {
			t.Errorf("identity %s %s", i.Issuer, i.Subject)
		}
	})
}

// AN-7: roles come from the configured claim, unknown ones are ignored, and nobody has one by default.
func TestRolesFromClaims(t *testing.T) {
	many := make([]any, 5000)
	for i := range many {
		many[i] = text("other-app-role-%d", i)
	}
	many[4999] = "viewer"
	for name, c := range map[string]struct {
		path   string
		claims map[string]any
		want   []string
	}{
		"realm roles":      {"realm_access.roles", map[string]any{"realm_access": map[string]any{"roles": []any{"executive", "auditor", "auditor"}}}, []string{"auditor", "executive"}},
		"client roles":     {"resource_access.steward-web.roles", map[string]any{"resource_access": map[string]any{"steward-web": map[string]any{"roles": []any{"viewer"}}}}, []string{"viewer"}},
		"client with dots": {"resource_access.steward.example.com.roles", map[string]any{"resource_access": map[string]any{"steward.example.com": map[string]any{"roles": []any{"viewer"}}}}, []string{"viewer"}},
		"flat":             {"roles", map[string]any{"roles": []any{"viewer"}}, []string{"viewer"}},
		"flat with a dot":  {"https://idp.example/roles", map[string]any{"https://idp.example/roles": []any{"viewer"}}, []string{"viewer"}},
		"unknown":          {"roles", map[string]any{"roles": []any{"offline_access", "VIEWER", "viewer ", "viewer"}}, []string{"viewer"}},
		"missing":          {"roles", nil, nil},
		"null":             {"roles", map[string]any{"roles": nil}, nil},
		"a text":           {"roles", map[string]any{"roles": "app-admin"}, nil},
		"numbers":          {"roles", map[string]any{"roles": []any{"viewer", 7}}, nil},
		"an object":        {"roles", map[string]any{"roles": map[string]any{"app-admin": true}}, nil},
		"five thousand":    {"roles", map[string]any{"roles": many}, []string{"viewer"}},
		"another path":     {"realm_access.roles", map[string]any{"realm_access": "app-admin", "roles": []any{"app-admin"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := auth.RolesOf(c.path, c.claims); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// Groups become memberships, those of nothing known are listed, those granted in Steward stay.
func TestGroupsBecomeMemberships(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ids := w.seed()
		set := func(groups ...string) {
			w.idp.Change("pia.portfolio", func(p *devidp.Person) { p.Groups = groups })
		}
		set("/portfolios/common-components/manager", "/products/chefs/owner", "/vendors/optit/partner", "/teams/platform/contributor",
			"/products/nothing/owner", "/portfolios/common-components", "/products/CHEFS/owner", "/everything/x/manager", "/products/chefs/owner/extra")
		b := w.browser()
		v := b.enter("pia.portfolio")
		want := []viewer.Membership{
			{Scope: viewer.ScopePortfolio, ID: ids["PF"], Level: viewer.LevelManager},
			{Scope: viewer.ScopeProduct, ID: ids["CHEFS"], Level: viewer.LevelOwner, PortfolioID: ids["PF"]},
			{Scope: viewer.ScopeProduct, ID: ids["OPS"], Level: viewer.LevelContributor, PortfolioID: ids["PF"]}, // the team's
			{Scope: viewer.ScopeTeam, ID: ids["TEAM"], Level: viewer.LevelContributor},
			{Scope: viewer.ScopeVendor, ID: ids["VENDOR"], Level: viewer.LevelPartner},
		}
		same(t, v.Memberships, want)
		identity, err := w.store.Client.PersonIdentity.Query().Where(personidentity.PersonID(v.ID)).Only(w.sys())
		w.must(err)
		if !slices.Equal(identity.UnmatchedGroups, []string{"/products/nothing/owner"}) {
			t.Errorf("unmatched %v", identity.UnmatchedGroups)
		}
		p, err := w.store.Client.Person.Get(w.sys(), v.ID)
		w.must(err)
		if p.VendorID == nil || *p.VendorID != ids["VENDOR"] {
			t.Error("a partner whose vendor is not recorded")
		}
		w.tx(func(ctx context.Context, c *ent.Client) error {
			return c.Membership.Create().SetPersonID(v.ID).SetScope(membership.ScopePRODUCT).SetScopeID(ids["CHEFS"]).SetLevel(membership.LevelVIEWER).Exec(ctx)
		})
		rows := func() int {
			n, err := w.store.Client.Membership.Query().Where(membership.PersonID(v.ID)).Count(w.sys())
			w.must(err)
			return n
		}
		before := rows()
		w.advance(6 * time.Minute)
		b.me()
		if rows() != before {
			t.Error("a recheck that changed nothing wrote memberships")
		}
		set("/portfolios/common-components/viewer")
		w.advance(6 * time.Minute)
		same(t, b.me().Memberships, []viewer.Membership{
			{Scope: viewer.ScopePortfolio, ID: ids["PF"], Level: viewer.LevelViewer},
			{Scope: viewer.ScopeProduct, ID: ids["CHEFS"], Level: viewer.LevelViewer, PortfolioID: ids["PF"]}, // granted here
		})
		if nora := w.browser().enter("nora.norole"); len(nora.Roles)+len(nora.Memberships) != 0 {
			t.Errorf("Nora has %v %v", nora.Roles, nora.Memberships)
		}
	})
}

func same(t *testing.T, got, want []viewer.Membership) {
	t.Helper()
	less := func(a, b viewer.Membership) int { return strings.Compare(text("%v", a), text("%v", b)) }
	slices.SortFunc(got, less)
	slices.SortFunc(want, less)
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// seed makes a portfolio with two products, one of them a team's, and a vendor.
func (w *world) seed() map[string]ident.ID {
	ids := map[string]ident.ID{}
	w.tx(func(ctx context.Context, c *ent.Client) error {
		pf, err := c.Portfolio.Create().SetName("Common Components").SetKey("PF-COMMON-COMPONENTS").Save(ctx)
		if err != nil {
			return err
		}
		tm, err := c.Team.Create().SetName("Platform").SetKey("TM-PLATFORM").Save(ctx)
		if err != nil {
			return err
		}
		chefs, err := c.Product.Create().SetName("CHEFS").SetKey("PRD-CHEFS").SetPortfolioID(pf.ID).Save(ctx)
		if err != nil {
			return err
		}
		ops, err := c.Product.Create().SetName("Ops").SetKey("PRD-OPS").SetPortfolioID(pf.ID).SetTeamID(tm.ID).Save(ctx)
		if err != nil {
			return err
		}
		vn, err := c.Vendor.Create().SetName("OptIT").SetKey("VN-OPTIT").Save(ctx)
		if err != nil {
			return err
		}
		far, err := c.Portfolio.Create().SetName("Elsewhere").SetKey("PF-ELSEWHERE").Save(ctx)
		if err != nil {
			return err
		}
		ids = map[string]ident.ID{"PF": pf.ID, "TEAM": tm.ID, "CHEFS": chefs.ID, "OPS": ops.ID, "VENDOR": vn.ID, "FAR": far.ID}
		return nil
	})
	return ids
}

// recorder is the least of a ResponseWriter.
type recorder struct {
	header http.Header
	status int
}

func newRecorder() *recorder                    { return &recorder{http.Header{}, 200} }
func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return len(b), nil }
func (r *recorder) WriteHeader(s int)           { r.status = s }
