package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/session"
	"steward/internal/platform/auth"
	"steward/internal/platform/devidp"
	"steward/internal/platform/scope"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// SE-1: the cookie is for this site alone, and nothing stored is worth stealing.
func TestCookieAndWhatIsStored(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		var set []string
		b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			set = append(set, r.Response.Header.Values("Set-Cookie")...)
			return nil
		}
		page := b.get("/auth/login?to=/me")
		if set = append(set, page.Header.Values("Set-Cookie")...); len(set) == 0 {
			t.Fatal("no cookie of the pending sign-in")
		}
		form := url.Values{"login": {"pia.portfolio"}}
		for _, m := range field.FindAllStringSubmatch(page.body, -1) {
			form.Set(m[1], strings.ReplaceAll(m[2], "&#43;", "+"))
		}
		v := b.viewerOf(b.post(page.Request.URL.String(), form))
		seen := false
		for _, c := range set {
			if strings.HasPrefix(c, "__Host-steward=") {
				seen = true
				if len(c) >= 200 || strings.Contains(c, "Max-Age") || strings.Contains(c, "Expires") {
					t.Errorf("too long or lasting: %s", c)
				}
			}
			for _, want := range []string{"__Host-steward", "Path=/", "HttpOnly", "Secure", "SameSite=Lax"} {
				if !strings.Contains(c, want) {
					t.Errorf("%q lacks %s", c, want)
				}
			}
			if strings.Contains(c, "Domain") {
				t.Error(c)
			}
		}
		if !seen || len(b.cookie()) != 43 {
			t.Errorf("session cookie %q", b.cookie())
		}
		// every value of the stored row, tried as a cookie
		row := reflect.ValueOf(*w.session(v))
		for i := range row.NumField() {
			f := row.Field(i)
			if !row.Type().Field(i).IsExported() {
				continue
			}
			stored := text("%v", f.Interface())
			if raw, ok := f.Interface().(*[]byte); ok && raw != nil {
				stored = string(*raw)
				if strings.Contains(stored, "eyJ") {
					t.Errorf("%s is stored in the clear", row.Type().Field(i).Name)
				}
			}
			if stored == b.cookie() {
				t.Errorf("%s holds the cookie", row.Type().Field(i).Name)
			}
			if thief := w.with(url.QueryEscape(stored)); thief.me() != nil {
				t.Errorf("%s works as a cookie", row.Type().Field(i).Name)
			}
		}
		// over http on this machine: another name, not Secure
		plain := w.newAuth("http://localhost:8080", nil)
		rec := newRecorder()
		r, _ := http.NewRequest("GET", "http://localhost:8080/auth/login", nil)
		plain.Login(rec, r)
		if c := rec.header.Get("Set-Cookie"); !strings.HasPrefix(c, "steward-login=") || strings.Contains(c, "Secure") || !strings.Contains(c, "HttpOnly") {
			t.Error(c)
		}
		// opened as 127.0.0.1: moved to the name the cookie is for
		rec = newRecorder()
		r, _ = http.NewRequest("GET", "http://127.0.0.1:8080/auth/login?to=/me", nil)
		plain.Login(rec, r)
		if to := rec.header.Get("Location"); to != "http://localhost:8080/auth/login?to=/me" {
			t.Errorf("127.0.0.1 went to %s", to)
		}
	})
}

// SE-2: signing in, and proving it again, makes a new session and ends the old.
func TestSessionChangesAtSignIn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.with(strings.Repeat("A", 43)) // planted before
		first := b.enter("pia.portfolio")
		one := b.cookie()
		if one == strings.Repeat("A", 43) {
			t.Fatal("the planted session was taken")
		}
		second := b.enter("pia.portfolio")
		if b.cookie() == one || first.SessionID == second.SessionID {
			t.Error("the session did not change")
		}
		if w.with(one).me() != nil {
			t.Error("the session before is alive")
		}
		if s := w.session(first); s.EndedAt == nil || s.EndedWhy == "" || len(*s.RefreshToken) > 0 {
			t.Errorf("tombstone %+v", s)
		}
	})
}

// SE-3: 30 minutes idle, 10 hours in all.
func TestSessionsRunOut(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		idle, busy := w.browser(), w.browser()
		idle.enter("pia.portfolio")
		w.faults.Set(devidp.Fault{Down: true}) // so that it is not the provider who ends it
		w.advance(29 * time.Minute)
		if idle.me() == nil {
			t.Error("ended after 29 minutes")
		}
		w.advance(31 * time.Minute)
		if idle.me() != nil {
			t.Error("alive after 31 minutes without a request")
		}
		w.faults.Set(devidp.Fault{})
		w.advance(time.Minute)
		begun := w.now()
		busy.enter("otto.owner")
		for w.now().Sub(begun) < 9*time.Hour+54*time.Minute {
			w.advance(27 * time.Minute)
			if busy.me() == nil {
				t.Fatalf("ended after %s of work", w.now().Sub(begun))
			}
		}
		w.faults.Set(devidp.Fault{Down: true})
		w.clock.Store(begun.Add(10*time.Hour + 6*time.Minute).UnixNano())
		if busy.me() != nil {
			t.Error("alive after 10.1 hours")
		}
	})
}

// AN-17: what needs a recent proof sends people to prove it again.
func TestFreshSignIn(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		old := b.enter("pia.portfolio")
		ctx := func(v *viewer.Viewer) context.Context { return viewer.With(context.Background(), v) }
		if err := auth.Fresh(ctx(old)); err != nil {
			t.Errorf("just signed in: %v", err)
		}
		w.tx(func(ctx context.Context, c *ent.Client) error { // eleven minutes pass
			return c.Session.Update().Where(session.ID(old.SessionID)).SetAuthTime(time.Now().Add(-11 * time.Minute)).Exec(ctx)
		})
		v := b.me()
		if err := auth.Fresh(ctx(v)); !errors.Is(err, auth.ErrNotFresh) {
			t.Errorf("proof of %s: %v", v.AuthTime, err)
		}
		if err := auth.Fresh(auth.WithFresh(ctx(v), time.Hour)); err != nil {
			t.Errorf("within an hour: %v", err)
		}
		in := auth.TokenInput{Person: v.ID, Roles: v.Roles, AllPortfolios: true}
		make := func(v *viewer.Viewer) error {
			return w.store.Tx(ctx(v), func(ctx context.Context, c *ent.Client) error { _, _, err := auth.IssueToken(ctx, c, in); return err })
		}
		if err := make(v); !errors.Is(err, auth.ErrNotFresh) {
			t.Errorf("a token from an old session: %v", err)
		}
		byToken := *old
		byToken.TokenID = "tok_1"
		byToken.AuthTime = time.Now()
		for name, v := range map[string]*viewer.Viewer{"an API token": &byToken, "no session": {Kind: viewer.Person, ID: old.ID, AuthTime: time.Now()},
			"an integration": {Kind: viewer.Integration, ID: "int_1", SessionID: "ses_1", AuthTime: time.Now()}} {
			if err := auth.Fresh(ctx(v)); errs.CodeOf(err) != errs.CodeForbidden {
				t.Errorf("%s: %v", name, err)
			}
		}
		page := b.follow().get(auth.FreshLoginURL("/me"))
		if q := page.Request.URL.Query(); q.Get("max_age") != "0" {
			t.Errorf("the provider is not asked to ask again: %v", q)
		}
		form := url.Values{"login": {"pia.portfolio"}}
		for _, m := range field.FindAllStringSubmatch(page.body, -1) {
			form.Set(m[1], m[2])
		}
		form.Set("redirect_uri", w.site.URL+"/auth/callback")
		form.Set("scope", "openid")
		w.faults.Set(devidp.Fault{Tamper: func(kind string, m map[string]any) { m["auth_time"] = v.AuthTime.Unix() }})
		if a := b.post(page.Request.URL.String(), form); a.StatusCode != 401 {
			t.Errorf("an old proof was taken for a fresh one: %d", a.StatusCode)
		}
		w.faults.Set(devidp.Fault{})
		page = b.get(auth.FreshLoginURL("/me"))
		for _, m := range field.FindAllStringSubmatch(page.body, -1) {
			if m[1] == "state" || m[1] == "nonce" || m[1] == "code_challenge" {
				form.Set(m[1], m[2])
			}
		}
		v = b.viewerOf(b.post(page.Request.URL.String(), form))
		if auth.Fresh(ctx(v)) != nil || v.SessionID == old.SessionID {
			t.Errorf("after proving it again: %s", v.AuthTime)
		}
		w.must(make(v))
		// a provider that does not say when somebody proved anything has proved nothing recently
		w.faults.Set(devidp.Fault{Tamper: func(kind string, m map[string]any) { delete(m, "auth_time") }})
		if v := w.browser().enter("otto.owner"); !errors.Is(auth.Fresh(ctx(v)), auth.ErrNotFresh) {
			t.Errorf("without auth_time: %s", v.AuthTime)
		}
	})
}

// SE-4: signing out ends the session here and at the provider.
func TestSignOut(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		v := b.enter("pia.portfolio")
		cookie := b.cookie()
		out := b.stay().post("/auth/logout", nil)
		if out.StatusCode != 200 || !strings.Contains(out.Header.Get("Clear-Site-Data"), `"storage"`) || out.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v", out.StatusCode, out.Header)
		}
		to, ok := strings.CutPrefix(out.Header.Get("Refresh"), "0; url=")
		u, err := url.Parse(to)
		if !ok || err != nil || u.Query().Get("id_token_hint") == "" || u.Query().Get("post_logout_redirect_uri") != w.site.URL+"/" || !strings.HasPrefix(to, w.idp.Issuer()) {
			t.Fatalf("sent to %q", out.Header.Get("Refresh"))
		}
		if back := b.follow().get(to); back.StatusCode != 200 || back.Request.URL.String() != w.site.URL+"/" {
			t.Errorf("came back to %s (%d)", back.Request.URL, back.StatusCode)
		}
		if b.me() != nil || w.with(cookie).me() != nil {
			t.Error("still signed in")
		}
		if s := w.session(v); s.EndedWhy != "signed out" || len(*s.IDToken) > 0 || len(*s.RefreshToken) > 0 {
			t.Errorf("%+v", s)
		}
		if a := w.browser().stay().post("/auth/logout", nil); a.StatusCode != 303 || a.Header.Get("Location") != "/" {
			t.Errorf("sign-out of nobody: %d", a.StatusCode)
		}
		if a := b.get("/auth/logout"); a.StatusCode != 405 {
			t.Errorf("GET signs out: %d", a.StatusCode)
		}
	})
}

// Another site's page cannot sign people out.
func TestCrossOriginSignOutIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.enter("pia.portfolio")
		for k, v := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			r, _ := http.NewRequest("POST", w.site.URL+"/auth/logout", nil)
			r.Header.Set(k, v)
			if a := b.do(r); a.StatusCode != 403 {
				t.Errorf("%s: %d", k, a.StatusCode)
			}
		}
		if b.me() == nil {
			t.Error("signed out by another site")
		}
	})
}

// SE-5: deactivating somebody shuts every door with the same commit.
func TestDeactivatedPersonIsOut(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ids := w.seed()
		b, second := w.browser(), w.browser()
		v := b.enter("pia.portfolio")
		second.enter("pia.portfolio")
		var secret string
		w.tx(func(ctx context.Context, c *ent.Client) (err error) {
			secret, _, err = auth.IssueToken(ctx, c, auth.TokenInput{Person: v.ID, Roles: []string{"portfolio-manager"}, Portfolios: idents(ids["PF"])})
			return err
		})
		if w.bearer(secret).StatusCode != 200 {
			t.Fatal("the token does not work")
		}
		admin := w.browser().enter("ada.admin")
		as := func(v *viewer.Viewer, f func(ctx context.Context, c *ent.Client) error) error {
			v.Kind = viewer.Person
			return w.store.Tx(viewer.With(context.Background(), v), f)
		}
		if err := as(b.me(), func(ctx context.Context, c *ent.Client) error { return auth.Deactivate(ctx, c, admin.ID) }); errs.CodeOf(err) != errs.CodeForbidden {
			t.Errorf("Pia deactivates an administrator: %v", err)
		}
		if list, err := auth.Sessions(viewer.With(context.Background(), b.me()), w.store.Client, v.ID); err != nil || len(list) != 2 {
			t.Errorf("own sessions: %d %v", len(list), err)
		}
		if list, err := auth.Sessions(viewer.With(context.Background(), w.browser().enter("otto.owner")), w.store.Client, v.ID); err != nil || len(list) != 0 {
			t.Errorf("another's sessions: %d %v", len(list), err)
		}
		w.must(as(admin, func(ctx context.Context, c *ent.Client) error { return auth.Deactivate(ctx, c, v.ID) }))
		if b.me() != nil || second.me() != nil || w.session(v).EndedWhy != "deactivated" {
			t.Error("a session lives")
		}
		if a := w.bearer(secret); a.StatusCode != 401 {
			t.Errorf("the token answers %d", a.StatusCode)
		}
		if a := w.browser().signIn("pia.portfolio"); a.StatusCode != 403 {
			t.Errorf("may sign in again: %d", a.StatusCode)
		}
		if err := as(admin, func(ctx context.Context, c *ent.Client) error { return auth.Deactivate(ctx, c, "per_nobody") }); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("nobody: %v", err)
		}
	})
}

// People end their own sessions, nobody else's.
func TestEndOwnSessions(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		one, two, other := w.browser(), w.browser(), w.browser()
		v := one.enter("pia.portfolio")
		gone := two.enter("pia.portfolio")
		otto := other.enter("otto.owner")
		end := func(by, of *viewer.Viewer) error {
			return w.store.Tx(viewer.With(context.Background(), by), func(ctx context.Context, c *ent.Client) error {
				_, err := auth.EndSessions(ctx, c, of.ID, "ended by hand", of.SessionID)
				return err
			})
		}
		if err := end(otto, gone); errs.CodeOf(err) != errs.CodeForbidden {
			t.Errorf("Otto ends Pia's session: %v", err)
		}
		w.must(end(v, gone))
		if one.me() == nil || two.me() != nil || other.me() == nil {
			t.Error("ended the wrong ones")
		}
	})
}

const event = "http://schemas.openid.net/event/backchannel-logout"

// SE-6: back-channel logout takes exactly the tokens it should.
func TestBackchannelLogout(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b, other, stranger := w.browser(), w.browser(), w.browser()
		v := b.enter("pia.portfolio")
		other.enter("pia.portfolio")
		stranger.enter("otto.owner")
		sid, now := w.session(v).Sid, w.now().Unix()
		base := map[string]any{"iss": w.idp.Issuer(), "aud": "steward-web", "sub": "pia.portfolio", "sid": sid, "iat": now, "exp": now + 60,
			"events": map[string]any{event: map[string]any{}}}
		n := 0
		token := func(change map[string]any, typ string) string {
			n++
			return w.sign(with(with(base, map[string]any{"jti": text("jti-%d", n)}), change), typ)
		}
		post := func(token string) int {
			return w.browser().post("/auth/backchannel-logout", url.Values{"logout_token": {token}}).StatusCode
		}
		access := w.clientToken("int-demo", "int-demo-dev-secret")
		for name, tok := range map[string]string{
			"header JWT without typ": token(nil, "JWT"), "typ ID": token(map[string]any{"typ": "ID"}, "JWT"), "header at+jwt": token(nil, "at+jwt"),
			"no event": token(map[string]any{"events": nil}, "logout+jwt"), "nonce": token(map[string]any{"nonce": "x"}, "logout+jwt"),
			"other audience": token(map[string]any{"aud": "int-demo"}, "logout+jwt"), "other issuer": token(map[string]any{"iss": "https://evil.example"}, "logout+jwt"),
			"expired": token(map[string]any{"exp": now - 60}, "logout+jwt"), "far expiry": token(map[string]any{"exp": now + 86400}, "logout+jwt"),
			"from the future":     token(map[string]any{"iat": now + 120}, "logout+jwt"),
			"neither sub nor sid": token(map[string]any{"sub": nil, "sid": nil}, "logout+jwt"), "no jti": token(map[string]any{"jti": nil}, "logout+jwt"),
			"access token": access, "garbage": "a.b.c", "empty": "", "huge": strings.Repeat("x", 20<<10), "tampered": token(nil, "logout+jwt") + "A",
		} {
			if code := post(tok); code != 400 {
				t.Errorf("%s: %d", name, code)
			}
		}
		if b.me() == nil || other.me() == nil {
			t.Fatal("a refused token ended a session")
		}
		good := token(nil, "logout+jwt")
		r := w.browser().post("/auth/backchannel-logout", url.Values{"logout_token": {good}})
		if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("good: %d %v", r.StatusCode, r.Header)
		}
		if code := post(good); code != 400 {
			t.Errorf("replay: %d", code)
		}
		if b.me() != nil {
			t.Error("the session lives")
		}
		if other.me() == nil {
			t.Error("another session of the person was ended by a session's logout")
		}
		if code := post(token(map[string]any{"sid": nil}, "logout+jwt")); code != 200 {
			t.Errorf("by subject: %d", code)
		}
		if other.me() != nil {
			t.Error("a session of the subject lives")
		}
		if stranger.me() == nil {
			t.Error("somebody else was signed out")
		}
		b.enter("pia.portfolio")
		older := token(map[string]any{"typ": "Logout", "sid": w.session(b.me()).Sid}, "JWT") // as older Keycloaks send it
		if code := post(older); code != 200 || b.me() != nil {
			t.Errorf("older form: %d", code)
		}
		// the provider's own message, by its own way
		v = b.enter("pia.portfolio")
		w.must(w.idp.EndSession(t.Context(), "pia.portfolio", w.session(v).Sid))
		if b.me() != nil {
			t.Error("the provider's message changed nothing")
		}
		if w.session(v).EndedWhy != "signed out at the provider" {
			t.Error(w.session(v).EndedWhy)
		}
	})
}

// SE-7: two servers, one database.
// TestClocksThatDiffer (SEC-R13): servers whose clocks are a minute and a half apart, and one whose clock jumps by
// that, share sessions all the same; each ends them once they are too old by its own.
func TestClocksThatDiffer(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ask := func(at, cookie string) int {
			r, _ := http.NewRequest("GET", at+"/me", nil)
			r.AddCookie(&http.Cookie{Name: "__Host-steward", Value: cookie})
			return w.with("").stay().do(r).StatusCode
		}
		for _, apart := range []time.Duration{90 * time.Second, -90 * time.Second} {
			w.apart.Store(int64(apart))
			b := w.browser()
			b.enter("pia.portfolio")
			for range 3 { // each looks after what the other wrote
				if code := ask(w.other.URL, b.cookie()); code != 200 {
					t.Fatalf("%s apart, the other server: %d", apart, code)
				}
				if code := ask(w.site.URL, b.cookie()); code != 200 {
					t.Fatalf("%s apart, back at the first: %d", apart, code)
				}
				w.advance(time.Minute)
			}
			w.apart.Store(0)
			if code := ask(w.other.URL, b.cookie()); code != 200 {
				t.Errorf("after the jump from %s: %d", apart, code)
			}
		}
		w.apart.Store(int64(24 * time.Hour)) // the control: a session that is too old has ended
		b := w.browser()
		b.enter("pia.portfolio")
		if code := ask(w.other.URL, b.cookie()); code == 200 {
			t.Error("a session of a day ago is still taken")
		}
	})
}

func TestServersShareSessions(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.enter("pia.portfolio")
		elsewhere := func() int {
			r, _ := http.NewRequest("GET", w.other.URL+"/me", nil)
			r.AddCookie(&http.Cookie{Name: "__Host-steward", Value: b.cookie()})
			return w.with("").stay().do(r).StatusCode
		}
		if code := elsewhere(); code != 200 {
			t.Errorf("the other server answers %d", code)
		}
		cookie := b.cookie()
		b.stay().post("/auth/logout", nil)
		r, _ := http.NewRequest("GET", w.other.URL+"/me", nil)
		r.AddCookie(&http.Cookie{Name: "__Host-steward", Value: cookie})
		if code := w.browser().stay().do(r).StatusCode; code != 303 {
			t.Errorf("after signing out the other server answers %d", code)
		}
	})
}

// SE-8: what is granted or taken away in Steward holds with the next request.
func TestGrantsHoldAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		v := b.enter("nora.norole")
		var id = v.ID
		var grant *ent.RoleGrant
		w.tx(func(ctx context.Context, c *ent.Client) (err error) {
			grant, err = c.RoleGrant.Create().SetPersonID(id).SetRole("viewer").SetReason("newcomer").SetUntil(w.now().Add(20 * time.Minute)).Save(ctx)
			return err
		})
		if !b.me().Has("viewer") {
			t.Error("granted, and not there")
		}
		w.advance(21 * time.Minute)
		if b.me().Has("viewer") {
			t.Error("past its end, and still there")
		}
		w.tx(func(ctx context.Context, c *ent.Client) error {
			_, err := c.RoleGrant.UpdateOne(grant).ClearUntil().Save(ctx)
			return err
		})
		if !b.me().Has("viewer") {
			t.Error("prolonged, and not there")
		}
		w.tx(func(ctx context.Context, c *ent.Client) error {
			return c.RoleGrant.UpdateOneID(grant.ID).SetArchivedAt(w.now()).Exec(ctx)
		})
		if b.me().Has("viewer") {
			t.Error("taken away, and still there")
		}
	})
}

// SE-10: a request that began before revives nothing when it ends.
func TestSlowRequestOverALogout(t *testing.T) {
	for name, end := range map[string]func(w *world, b *browser, v *viewer.Viewer){
		"sign-out": func(w *world, b *browser, _ *viewer.Viewer) { b.stay().post("/auth/logout", nil) },
		"back-channel": func(w *world, _ *browser, v *viewer.Viewer) {
			_ = w.idp.EndSession(w.Context(), "pia.portfolio", w.session(v).Sid)
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, w *world) {
				b := w.browser()
				v := b.enter("pia.portfolio")
				thief := w.with(b.cookie())
				w.advance(2 * time.Minute) // the slow request has a "last seen" to write
				var wg sync.WaitGroup
				wg.Go(func() { thief.get("/slow") })
				<-w.inSlow
				end(w, b, v)
				w.slow <- struct{}{}
				wg.Wait()
				if thief.me() != nil {
					t.Error("the dead session came back")
				}
				n, err := w.store.Client.Session.Update().Where(session.ID(v.SessionID), session.EndedAtIsNil()).SetLastSeenAt(w.now()).Save(scope.Elevate(w.sys()))
				if n != 0 {
					t.Errorf("%d rows, %v", n, err)
				}
			})
		})
	}
}

func TestSlowRequestOverARefresh(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.enter("pia.portfolio")
		w.advance(4 * time.Minute)
		other := w.with(b.cookie())
		var wg sync.WaitGroup
		wg.Go(func() { other.get("/slow") })
		<-w.inSlow
		w.advance(2 * time.Minute)
		before := w.faults.Hits("token")
		b.me() // refreshes and rotates
		if w.faults.Hits("token") != before+1 {
			t.Error("no refresh")
		}
		w.slow <- struct{}{}
		wg.Wait()
		w.advance(6 * time.Minute)
		if b.me() == nil {
			t.Error("the old refresh token came back over the new")
		}
	})
}

// AN-14: many requests when the recheck is due make one refresh, on all servers together.
func TestOneRefreshForManyRequests(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		v := b.enter("pia.portfolio")
		for round := range 3 {
			w.advance(6 * time.Minute)
			before := w.faults.Hits("token")
			var wg sync.WaitGroup
			var bad atomic.Int64
			for i := range 50 {
				wg.Go(func() {
					c := w.with(b.cookie()).stay()
					at := w.site.URL
					if i%2 == 1 && w.store.Dialect == "postgres" { // SQLite has one server
						at = w.other.URL
					}
					r, _ := http.NewRequest("GET", at+"/me", nil)
					r.Header.Set("Cookie", "__Host-steward="+b.cookie())
					c.Jar = nil
					if c.do(r).StatusCode != 200 {
						bad.Add(1)
					}
				})
			}
			wg.Wait()
			if n := w.faults.Hits("token") - before; n != 1 || bad.Load() != 0 {
				t.Errorf("round %d: %d refreshes, %d requests refused", round, n, bad.Load())
			}
		}
		if b.me() == nil {
			t.Error("our own refreshes signed the person out")
		}
		w.idp.Change("pia.portfolio", func(p *devidp.Person) { p.Roles = []string{"viewer"} })
		w.advance(6 * time.Minute)
		if now := b.me(); len(now.Roles) != 1 || now.Roles[0] != "viewer" {
			t.Errorf("roles after the recheck: %v", now.Roles)
		}
		w.idp.EndQuietly(w.session(v).Sid)
		w.advance(4 * time.Minute)
		if b.me() == nil {
			t.Error("signed out before anybody was asked")
		}
		w.advance(2 * time.Minute)
		if b.me() != nil {
			t.Error("a session the provider has ended lives")
		}
		if s := w.session(v); s.EndedWhy != "refused by the provider" || !w.logged("session ended", "refused the refresh", v.ID.String()) {
			t.Errorf("%q", s.EndedWhy)
		}
	})
}

// A disabled account is out for good: enabling it again revives no session.
func TestDisabledAtTheProvider(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.enter("otto.owner")
		w.idp.Change("otto.owner", func(p *devidp.Person) { p.Disabled = true })
		w.advance(6 * time.Minute)
		if b.me() != nil {
			t.Error("disabled, and still here")
		}
		w.idp.Change("otto.owner", func(p *devidp.Person) { p.Disabled = false })
		if b.me() != nil {
			t.Error("the old session came back")
		}
		b.enter("otto.owner")
	})
}

// AN-14: a refreshed ID token must be the same person's, and needs no nonce.
func TestRefreshOfAnotherSubjectEndsTheSession(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for name, change := range map[string]func(m map[string]any){"other subject": func(m map[string]any) { m["sub"] = "otto.owner" },
			"other session": func(m map[string]any) { m["sid"] = "x" }, "other audience": func(m map[string]any) { m["aud"] = "int-demo" }} {
			w.faults.Set(devidp.Fault{})
			b := w.browser()
			b.enter("pia.portfolio")
			w.faults.Set(devidp.Fault{Tamper: func(kind string, m map[string]any) {
				if kind == "id" {
					change(m)
				}
			}})
			w.advance(6 * time.Minute)
			if b.me() != nil {
				t.Errorf("%s: lives", name)
			}
		}
	})
}

// AN-13, AN-15: without the provider people go on, but approve nothing after an hour.
func TestProviderDown(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.faults.Set(devidp.Fault{Down: true})
		a := w.browser().get("/auth/login")
		if a.StatusCode != 503 || a.Header.Get("Retry-After") == "" {
			t.Fatalf("sign-in without a provider: %d", a.StatusCode)
		}
		w.faults.Set(devidp.Fault{})
		w.advance(2 * time.Second)
		b := w.browser()
		b.enter("pia.portfolio") // no restart needed
		approve := func() int { return b.stay().post("/approve", nil).StatusCode }
		if code := approve(); code != 204 {
			t.Errorf("approve: %d", code)
		}
		w.faults.Set(devidp.Fault{Down: true})
		w.advance(10 * time.Minute)
		if b.me() == nil || approve() != 204 {
			t.Error("ten minutes without the provider stop work")
		}
		w.advance(28 * time.Minute)
		b.me() // still at work
		w.advance(27 * time.Minute)
		if b.me() == nil {
			t.Error("the session died with the provider")
		}
		if code := approve(); code != 503 {
			t.Errorf("approve after 65 minutes: %d", code)
		}
		w.faults.Set(devidp.Fault{TokenError: 500})
		w.advance(time.Minute)
		if b.me() == nil || approve() != 503 {
			t.Error("a failing token endpoint is no confirmation")
		}
		w.faults.Set(devidp.Fault{TokenError: 401}) // our own secret is wrong: not the person's fault
		w.advance(time.Minute)
		if b.me() == nil || !w.logged("does not accept this client") {
			t.Error("a wrong client secret signs people out")
		}
	})
}

func TestProviderBackAgainConfirms(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.enter("pia.portfolio")
		w.faults.Set(devidp.Fault{Down: true})
		w.advance(25 * time.Minute)
		b.me()
		w.faults.Set(devidp.Fault{})
		if hits := w.faults.Hits("token"); true {
			b.me()
			if w.faults.Hits("token") != hits {
				t.Error("asked again at once after no answer")
			}
		}
		w.advance(16 * time.Second)
		v := b.me()
		if got := w.session(v).IdpCheckedAt; w.now().Sub(got) > time.Second {
			t.Errorf("not confirmed after the provider came back: %s", got)
		}
	})
}

// AN-18: what happens is logged with its reason. (That no token is logged is checked after every test.)
func TestSignInsAreLogged(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		b := w.browser()
		v := b.enter("pia.portfolio")
		b.stay().post("/auth/logout", nil)
		w.bearer("eyJhbGciOiJub25lIn0.e30.")
		w.browser().get("/auth/callback?code=x&state=y")
		for _, want := range [][]string{{"signed in", v.ID.String()}, {"signed out", v.ID.String()}, {"credentials refused"}, {"sign-in refused", "reason"}} {
			if !w.logged(want...) {
				t.Errorf("no line with %v", want)
			}
		}
	})
}
