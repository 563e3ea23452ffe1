package auth

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"steward/ent"
	"steward/ent/person"
	"steward/ent/predicate"
	"steward/ent/session"
	"steward/internal/platform/i18n"
	"steward/internal/platform/obs"
	"steward/internal/platform/scope"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// Logout ends the session here, then sends the browser to the identity
// provider to end it there, from where it comes back to the site's first page.
func (a *Auth) Logout(w http.ResponseWriter, r *http.Request) {
	ctx := system(r.Context())
	w.Header().Set("Cache-Control", "no-store")
	hint := ""
	if c, err := r.Cookie(a.cookieName(sessionCookie)); err == nil {
		s, err := a.find(ctx, c.Value)
		switch {
		case err == nil:
			if held(s.IDToken) {
				if raw, err := a.cfg.Keys.Open(*s.IDToken, purpose(s.ID, "id")); err == nil {
					hint = string(raw)
				}
			}
			name, _ := a.store.Client.Person.Query().Where(person.ID(s.PersonID)).Select(person.FieldName).String(ctx) // whoever is gone signs out too
			who := &viewer.Viewer{Kind: viewer.Person, ID: s.PersonID, Name: name, Via: viewer.ViaPage, RequestID: obs.RequestID(ctx)}
			if err := a.endSession(scope.Elevate(viewer.With(ctx, who)), s, "signed out"); err != nil {
				a.log.ErrorContext(ctx, "sign-out failed", "error", err)
				a.fail(w, r, http.StatusServiceUnavailable, "auth.not_stored")
				return
			}
			a.log.InfoContext(ctx, "signed out", "person", s.PersonID, "session", s.ID)
		case !errors.Is(err, errNobody):
			a.log.ErrorContext(ctx, "sign-out failed", "error", err)
			a.fail(w, r, http.StatusServiceUnavailable, "auth.not_stored")
			return
		}
	}
	http.SetCookie(w, a.cookie(sessionCookie, "", 0))
	http.SetCookie(w, a.cookie(pendingCookie, "", 0))
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	d, err := a.discover(ctx)
	if err != nil || d.endURL == "" || hint == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	v := url.Values{"client_id": {a.cfg.ClientID}, "id_token_hint": {hint}, "post_logout_redirect_uri": {a.cfg.BaseURL + "/"}}
	a.leave(w, r, d.endURL+"?"+v.Encode())
}

var leavePage = template.Must(template.New("leave").Parse(`<!doctype html>
<html lang="{{.Locale}}"><head><meta charset="utf-8"><title>{{.Title}} – Steward</title><meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>{{.Title}}</h1><p><a href="{{.To}}">{{.Go}}</a></p></main></body></html>
`))

// leave sends the browser to another site after a form was posted here. Our
// policy allows forms to go to this site only, and browsers apply it to
// redirects too, so the way there is a page that moves on by itself.
func (a *Auth) leave(w http.ResponseWriter, r *http.Request, to string) {
	if u, err := url.Parse(to); err == nil && u.Scheme == a.base.Scheme && u.Host == a.base.Host {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	lang := a.cfg.Lang(r)
	w.Header().Set("Refresh", "0; url="+to)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = leavePage.Execute(w, map[string]string{"Locale": i18n.Locale(lang), "To": to,
		"Title": i18n.T(lang, "auth.signed_out"), "Go": i18n.T(lang, "auth.finish_sign_out")})
}

// BackchannelLogout is the identity provider telling us that a session has
// ended (OpenID Connect Back-Channel Logout 1.0). No cookie is involved; the
// token's signature is the proof. Whatever is wrong with it, the answer is the
// same 400.
func (a *Auth) BackchannelLogout(w http.ResponseWriter, r *http.Request) {
	ctx := system(r.Context())
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	ended, err := a.backchannel(ctx, r.PostFormValue("logout_token"))
	switch {
	case errors.Is(err, errIdP):
		w.Header().Set("Retry-After", "5")
		http.Error(w, "temporarily_unavailable", http.StatusServiceUnavailable)
	case errs.CodeOf(err) == errs.Unavailable:
		a.log.ErrorContext(ctx, "back-channel logout failed", "error", err)
		http.Error(w, "temporarily_unavailable", http.StatusServiceUnavailable)
	case err != nil:
		a.log.WarnContext(ctx, "back-channel logout refused", "reason", err.Error())
		http.Error(w, "invalid_request", http.StatusBadRequest)
	default:
		a.log.InfoContext(ctx, "back-channel logout", "sessions", ended)
		w.WriteHeader(http.StatusOK)
	}
}

// backchannel ends the sessions a logout token names and returns how many. A
// session id ends the sessions begun in that session of the provider; a
// subject alone ends all of that person's.
func (a *Auth) backchannel(ctx context.Context, raw string) (ended int, err error) {
	if raw == "" {
		return 0, errors.New("no logout token")
	}
	d, err := a.discover(ctx)
	if err != nil {
		return 0, err
	}
	if _, _, err := d.keys.find(ctx, raw); err != nil {
		return 0, err
	}
	t, err := a.verifier(d, a.cfg.ClientID, skew).VerifyLogout(ctx, raw)
	if err != nil {
		return 0, err
	}
	switch k, err := kindOf(raw); {
	case err != nil:
		return 0, err
	case k != kindLogout:
		return 0, fmt.Errorf("the %s was sent as a logout token", k)
	}
	now := a.cfg.Now()
	switch {
	case t.TokenID == "" || t.SessionID == "" && t.Subject == "":
		return 0, errors.New("no jti, or neither session nor subject")
	case t.IssuedAt.After(now.Add(skew)):
		return 0, errors.New("issued in the future")
	case t.Expiry.After(now.Add(5*time.Minute + skew)):
		return 0, errors.New("valid for too long")
	}
	which := []predicate.Session{session.Issuer(a.cfg.StoredIssuer)}
	if t.SessionID != "" {
		which = append(which, session.Sid(t.SessionID))
	}
	if t.Subject != "" {
		which = append(which, session.Subject(t.Subject))
	}
	err = a.store.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		// A token is good once on all servers. Keys are kept far longer than its five minutes.
		err := c.IdempotencyKey.Create().SetOwner("backchannel-logout").SetIdempotencyKey(hashOf(t.TokenID)).SetRequestHash(hashOf(raw)).Exec(ctx)
		if err != nil {
			return err
		}
		ended, err = a.end(ctx, c, "signed out at the provider", which...)
		return err
	})
	if errs.CodeOf(err) == errs.Conflict {
		return 0, errors.New("used before")
	}
	return ended, err
}
