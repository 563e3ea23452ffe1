package auth

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	pendingMax  = 5
	pendingLife = 10 * time.Minute
	pathMax     = 400 // five of them must fit a cookie
)

// pending is one sign-in that has been begun in this browser and not answered.
type pending struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`
	To       string    `json:"t"`           // where to go afterwards
	Fresh    bool      `json:"f,omitempty"` // the person must prove again who they are
	Begun    time.Time `json:"b"`
}

// cookie returns a cookie of this site: never readable by scripts, sent along
// when another site links here and not when it posts.
func (a *Auth) cookie(name, value string, life time.Duration) *http.Cookie {
	c := &http.Cookie{Name: a.cookieName(name), Value: value, Path: "/", HttpOnly: true, Secure: a.https, SameSite: http.SameSiteLaxMode}
	switch {
	case value == "":
		c.MaxAge = -1
	case life > 0:
		c.MaxAge = int(life.Seconds())
	}
	return c
}

// cookieName prefixes __Host- over https, which makes browsers insist on
// Secure, this host and this path. Over http browsers would drop such a cookie.
func (a *Auth) cookieName(name string) string {
	if a.https {
		return "__Host-" + name
	}
	return name
}

const (
	sessionCookie = "steward"
	pendingCookie = "steward-login"
)

// pendings returns the sign-ins begun in this browser in the last ten minutes,
// oldest first; a cookie that is missing, foreign or tampered with holds none.
func (a *Auth) pendings(r *http.Request) []pending {
	c, err := r.Cookie(a.cookieName(pendingCookie))
	if err != nil {
		return nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return nil
	}
	plain, err := a.cfg.Keys.Open(sealed, pendingCookie)
	if err != nil {
		return nil
	}
	var all []pending
	if json.Unmarshal(plain, &all) != nil {
		return nil
	}
	return slices.DeleteFunc(all, func(p pending) bool { return a.now().Sub(p.Begun) > pendingLife })
}

// keepPendings writes the cookie; several tabs may sign in at once, and beyond
// five the oldest falls out.
func (a *Auth) keepPendings(w http.ResponseWriter, all []pending) {
	all = all[max(0, len(all)-pendingMax):]
	if len(all) == 0 {
		http.SetCookie(w, a.cookie(pendingCookie, "", 0))
		return
	}
	plain, err := json.Marshal(all)
	if err != nil {
		return // plain texts and a time: cannot fail
	}
	http.SetCookie(w, a.cookie(pendingCookie, base64.RawURLEncoding.EncodeToString(a.cfg.Keys.Seal(plain, pendingCookie)), pendingLife))
}

// localPath returns s when it is a path of this site that may be returned to
// after signing in, and "/" otherwise.
func localPath(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil, len(s) > pathMax, u.IsAbs(), u.Host != "", u.User != nil, !strings.HasPrefix(s, "/"), strings.HasPrefix(s, "//"),
		strings.ContainsAny(s, "\\\r\n\t"), strings.HasPrefix(u.Path, "/auth/"):
		return "/"
	}
	return s
}
