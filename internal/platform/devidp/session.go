package devidp

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// logout is sign-out begun by the application: the hint names the session, and
// the browser returns only to a registered address.
func (p *Provider) logout(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var hint struct{ Sub, Sid, Azp, Typ string }
	if body := p.verify(q.Get("id_token_hint")); body == nil || json.Unmarshal(body, &hint) != nil || hint.Sid == "" || hint.Typ != "ID" {
		http.Error(w, "Missing parameters: id_token_hint", http.StatusBadRequest)
		return
	}
	c := p.client(hint.Azp)
	to := q.Get("post_logout_redirect_uri")
	if c == nil || to != "" && !slices.Contains(c.PostLogoutURIs, to) {
		http.Error(w, "Invalid redirect uri", http.StatusBadRequest)
		return
	}
	// An application that cannot be told ends its session at its next recheck.
	_ = p.EndSession(r.Context(), hint.Sub, hint.Sid)
	if to == "" {
		_, _ = fmt.Fprintln(w, "You are logged out")
		return
	}
	if s := q.Get("state"); s != "" {
		to += "?" + url.Values{"state": {s}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// LogoutToken returns a back-channel logout token for the client, as it is
// sent when the session ends. An empty sid means all sessions of the subject.
func (p *Provider) LogoutToken(clientID, sub, sid string) (string, error) {
	now := p.cfg.Now()
	claims := map[string]any{"iss": p.issuer, "aud": clientID, "sub": sub, "iat": now.Unix(), "exp": now.Add(logoutLife).Unix(),
		"jti": rand.Text(), "typ": "Logout", "events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
	if sid != "" {
		claims["sid"] = sid
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sign(claims, "logout+jwt")
}

// EndSession ends a session and tells every client that wants to know. The
// error says which client could not be told; the session is over all the same.
func (p *Provider) EndSession(ctx context.Context, sub, sid string) error {
	p.EndQuietly(sid)
	var failed error
	for _, c := range p.cfg.Clients {
		if c.BackchannelLogout == "" {
			continue
		}
		if err := p.tell(ctx, c, sub, sid); err != nil {
			failed = errors.Join(failed, fmt.Errorf("back-channel logout at %s: %w", c.ID, err))
		}
	}
	return failed
}

// EndQuietly ends a session without telling any client, as Keycloak does when
// a person is disabled or a token is revoked.
func (p *Provider) EndQuietly(sid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(sid)
}

func (p *Provider) tell(ctx context.Context, c Client, sub, sid string) error {
	token, err := p.LogoutToken(c.ID, sub, sid)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackchannelLogout, strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := p.cfg.HTTP.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}
