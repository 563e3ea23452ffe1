package devidp

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// token is the token endpoint. Refusals have Keycloak's codes and texts, as
// far as the application could tell them apart.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "unreadable form")
		return
	}
	id, secret, basic := r.BasicAuth()
	if basic { // RFC 6749 2.3.1: both are form-encoded before they are joined
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	c := p.client(id)
	if c == nil || subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) != 1 {
		refuse(w, http.StatusUnauthorized, "unauthorized_client", "Invalid client or Invalid client credentials")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prune()
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		p.redeem(w, c, r.PostForm)
	case "refresh_token":
		p.renew(w, c, r.PostForm.Get("refresh_token"))
	case "client_credentials":
		if c.ServiceAccount == nil {
			refuse(w, http.StatusUnauthorized, "unauthorized_client", "Client not enabled to retrieve service account")
			return
		}
		p.issue(w, c, c.ServiceAccount, &grant{client: c.ID, scope: r.PostForm.Get("scope"), authTime: p.cfg.Now()})
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type")
	}
}

// redeem changes a code into tokens. A code is good once, for a minute, for
// the client, address and verifier it was made for; a failed try burns it, and
// a second use ends the session of the first.
func (p *Provider) redeem(w http.ResponseWriter, c *Client, form url.Values) {
	g := p.codes[form.Get("code")]
	if g == nil {
		refuse(w, http.StatusBadRequest, "invalid_grant", "Code not valid")
		return
	}
	if g.used {
		p.forget(g.sid)
		refuse(w, http.StatusBadRequest, "invalid_grant", "Code already used")
		return
	}
	g.used = true
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case g.client != c.ID || g.redirect != form.Get("redirect_uri"):
		refuse(w, http.StatusBadRequest, "invalid_grant", "Incorrect redirect_uri")
	case base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge:
		refuse(w, http.StatusBadRequest, "invalid_grant", "PKCE verification failed")
	default:
		p.issueTo(w, c, g)
	}
}

// renew changes a refresh token into new tokens. Each is good once; using an
// old one again ends the session, because one of the two holders is a thief.
func (p *Provider) renew(w http.ResponseWriter, c *Client, token string) {
	g := p.refresh[token]
	switch {
	case g == nil || g.client != c.ID:
		refuse(w, http.StatusBadRequest, "invalid_grant", "Token is not active")
	case g.used:
		p.forget(g.sid)
		refuse(w, http.StatusBadRequest, "invalid_grant", "Maximum allowed refresh token reuse exceeded")
	case !p.enabled(g): // not used up: after re-enabling the same token works again, as in Keycloak
		refuse(w, http.StatusBadRequest, "invalid_grant", "User disabled")
	default:
		g.used = true
		next := *g
		next.nonce = "" // Keycloak's refreshed ID tokens carry no nonce
		p.issueTo(w, c, &next)
	}
}

func (p *Provider) enabled(g *grant) bool {
	person := p.person(g.username)
	return person != nil && !person.Disabled
}

// forget ends a session's refresh tokens; the caller holds p.mu.
func (p *Provider) forget(sid string) {
	for k, g := range p.refresh {
		if g.sid == sid {
			delete(p.refresh, k)
		}
	}
}

func (p *Provider) issueTo(w http.ResponseWriter, c *Client, g *grant) {
	if !p.enabled(g) {
		refuse(w, http.StatusBadRequest, "invalid_grant", "User disabled")
		return
	}
	p.issue(w, c, p.person(g.username), g)
}

// issue writes the answer of the token endpoint; the caller holds p.mu.
func (p *Provider) issue(w http.ResponseWriter, c *Client, who *Person, g *grant) {
	now := p.cfg.Now()
	common := map[string]any{"iss": p.issuer, "sub": who.Username, "iat": now.Unix(), "exp": now.Add(accessLife).Unix(), "azp": c.ID}
	if len(who.Roles) > 0 { // Keycloak leaves the claim out for people without a role
		common["realm_access"] = map[string]any{"roles": who.Roles}
	}
	if len(who.Groups) > 0 {
		common["groups"] = who.Groups
	}
	access := maps.Clone(common)
	maps.Copy(access, map[string]any{"typ": "Bearer", "scope": g.scope, "jti": rand.Text()})
	if c.Audience != "" {
		access["aud"] = c.Audience
	}
	if g.sid != "" {
		access["sid"], access["auth_time"] = g.sid, g.authTime.Unix()
	}
	p.tamper("access", access)
	accessToken, err := p.sign(access, "at+jwt")
	if err != nil {
		refuse(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	answer := map[string]any{"access_token": accessToken, "token_type": "Bearer", "expires_in": int(accessLife.Seconds()), "scope": g.scope}
	if g.sid != "" {
		sum := sha256.Sum256([]byte(accessToken))
		maps.Copy(common, map[string]any{"typ": "ID", "aud": c.ID, "jti": rand.Text(), "sid": g.sid, "auth_time": g.authTime.Unix(), "acr": "1",
			"at_hash": base64.RawURLEncoding.EncodeToString(sum[:16]), "name": who.Name(), "given_name": who.GivenName, "family_name": who.FamilyName,
			"preferred_username": who.Username, "email": who.Email(), "email_verified": true})
		if g.nonce != "" {
			common["nonce"] = g.nonce
		}
		p.tamper("id", common)
		if answer["id_token"], err = p.sign(common, "JWT"); err != nil {
			refuse(w, http.StatusInternalServerError, "server_error", err.Error())
			return
		}
		next := *g
		next.used, next.expires = false, earlier(now.Add(refreshLife), g.authTime.Add(sessionLife))
		refreshToken := rand.Text()
		p.refresh[refreshToken] = &next
		answer["refresh_token"] = refreshToken
	}
	writeJSON(w, http.StatusOK, answer)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone: nobody to tell
}

func refuse(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": text})
}
