package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"steward/ent"
	"steward/internal/platform/devidp"
	"steward/internal/platform/event"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// Login sends the browser to the identity provider. The parameter "to" is the
// path to come back to; "fresh" makes the provider ask again who this is.
func (a *Auth) Login(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if a.cfg.Issuer == "" {
		a.fail(w, r, http.StatusServiceUnavailable, "auth.no_issuer")
		return
	}
	if to := a.otherSpelling(r); to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	d, err := a.discover(r.Context())
	if err != nil {
		a.fail(w, r, http.StatusServiceUnavailable, "auth.unavailable")
		return
	}
	q := r.URL.Query()
	p := pending{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), To: localPath(q.Get("to")),
		Fresh: q.Get("fresh") != "", Begun: a.now()}
	a.keepPendings(w, append(a.pendings(r), p))
	options := []oauth2.AuthCodeOption{oidc.Nonce(p.Nonce), oauth2.S256ChallengeOption(p.Verifier), oauth2.SetAuthURLParam("ui_locales", a.cfg.Lang(r))}
	if p.Fresh {
		options = append(options, oauth2.SetAuthURLParam("max_age", "0"), oauth2.SetAuthURLParam("prompt", "login"))
	}
	http.Redirect(w, r, a.oauth(d).AuthCodeURL(p.State, options...), http.StatusSeeOther)
}

// otherSpelling returns this request at the base URL when the site on this
// machine was opened by another of its names (127.0.0.1 for localhost): a
// cookie set there would not come back with the answer.
func (a *Auth) otherSpelling(r *http.Request) string {
	name := func(host string) string { return (&url.URL{Host: host}).Hostname() }
	local := func(host string) bool { return slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, name(host)) }
	if a.https || name(r.Host) == a.base.Hostname() || !local(r.Host) || !local(a.base.Host) {
		return ""
	}
	return a.cfg.BaseURL + r.URL.RequestURI()
}

// Callback takes the identity provider's answer, checks it, and begins a session.
func (a *Auth) Callback(w http.ResponseWriter, r *http.Request) {
	ctx, q := r.Context(), r.URL.Query()
	w.Header().Set("Cache-Control", "no-store")
	all := a.pendings(r)
	i := slices.IndexFunc(all, func(p pending) bool { return p.State == q.Get("state") })
	if i < 0 || q.Get("state") == "" {
		a.refuse(r, "the sign-in was not begun in this browser, or too long ago")
		a.fail(w, r, http.StatusBadRequest, "auth.stale")
		return
	}
	begun := all[i]
	a.keepPendings(w, slices.Delete(all, i, i+1)) // good once, whatever comes of it
	d, err := a.discover(ctx)
	if err != nil {
		a.fail(w, r, http.StatusServiceUnavailable, "auth.unavailable")
		return
	}
	if iss := q.Get("iss"); iss != a.cfg.Issuer && (iss != "" || d.namesIss) {
		a.refuse(r, "the answer is another issuer's")
		a.fail(w, r, http.StatusBadRequest, "auth.stale")
		return
	}
	if q.Has("error") || q.Get("code") == "" {
		a.refuse(r, "the provider said "+first(q.Get("error"), 60))
		a.fail(w, r, http.StatusUnauthorized, "auth.refused")
		return
	}
	answer, err := a.tokens(ctx, func(ctx context.Context) (*oauth2.Token, error) {
		return a.oauth(d).Exchange(ctx, q.Get("code"), oauth2.VerifierOption(begun.Verifier))
	})
	if err != nil {
		status, code, ok := refused(err)
		if !ok {
			a.log.ErrorContext(ctx, "sign-in failed", "reason", "the token endpoint gave no answer")
			a.fail(w, r, http.StatusServiceUnavailable, "auth.unavailable")
			return
		}
		a.refuse(r, "the token endpoint said no", "status", status, "error", first(code, 60))
		a.fail(w, r, http.StatusUnauthorized, "auth.refused")
		return
	}
	id, err := a.checkIDToken(ctx, d, answer, begun.Nonce)
	if err == nil && begun.Fresh && id.AuthTime < begun.Begun.Add(-skew).Unix() {
		err = errors.New("the provider did not ask again who this is")
	}
	switch {
	case errors.Is(err, errIdP):
		a.fail(w, r, http.StatusServiceUnavailable, "auth.unavailable")
		return
	case err != nil:
		a.refuse(r, err.Error())
		a.fail(w, r, http.StatusUnauthorized, "auth.refused")
		return
	}
	a.begin(w, r, id, answer.RefreshToken, begun.To)
}

// begin makes the session of a checked sign-in and returns to where the person
// wanted to go. The session that this browser had before ends.
func (a *Auth) begin(w http.ResponseWriter, r *http.Request, id *idToken, refreshToken, to string) {
	ctx := system(r.Context())
	var (
		secret string
		s      *ent.Session
	)
	begin := func(ctx context.Context, c *ent.Client) error {
		person, err := a.enter(ctx, c, id)
		if err != nil {
			return err
		}
		if old, err := r.Cookie(a.cookieName(sessionCookie)); err == nil {
			if err := a.endByToken(ctx, c, old.Value, "signed in again"); err != nil {
				return err
			}
		}
		if secret, s, err = a.create(ctx, c, r, person, id, refreshToken); err != nil {
			return err
		}
		who := &viewer.Viewer{Kind: viewer.Person, ID: person.ID, Name: person.Name, Via: viewer.ViaPage, RequestID: obs.RequestID(ctx)}
		return store.Note(ctx, event.Change(event.SignedIn, store.Change{Entity: "Session", ID: s.ID, By: who}, nil))
	}
	err := a.store.Tx(ctx, begin)
	if errs.CodeOf(err) == errs.Conflict { // two browsers made the same new person at once: now there is one
		err = a.store.Tx(ctx, begin)
	}
	switch {
	case errors.Is(err, errInactive):
		a.refuse(r, "the person is not active", "subject", first(id.Subject, 60))
		a.fail(w, r, http.StatusForbidden, "auth.inactive")
		return
	case err != nil:
		a.log.ErrorContext(r.Context(), "sign-in failed", "reason", "the session could not be stored", "error", err)
		a.fail(w, r, http.StatusServiceUnavailable, "auth.not_stored")
		return
	}
	a.log.InfoContext(r.Context(), "signed in", "person", s.PersonID, "session", s.ID)
	http.SetCookie(w, a.cookie(sessionCookie, secret, 0))
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// refuse logs why a sign-in was refused; people are told only that it was.
func (a *Auth) refuse(r *http.Request, reason string, more ...any) {
	a.log.WarnContext(r.Context(), "sign-in refused", append([]any{"reason", reason}, more...)...)
	a.cfg.Events.Refused(r.Context(), event.SignInRefused, address(r), map[string]any{"why": reason})
}

// first returns at most n bytes of a text that somebody else chose.
func first(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// Development reports whether people are picked from a list instead of signing
// in, which every page says in a banner.
func (a *Auth) Development() bool { return a.cfg.StoredIssuer == devidp.StoredIssuer }
