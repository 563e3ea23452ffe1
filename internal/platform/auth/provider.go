package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// provider is what has been learned about the identity provider, on first need.
type provider struct {
	mu      sync.Mutex
	found   *discovered
	nextTry time.Time
}

// discovered is the provider's metadata.
type discovered struct {
	endpoint oauth2.Endpoint
	keys     *keySet
	endURL   string
	namesIss bool // answers to the browser carry the issuer
}

// discover returns the provider's metadata, asking for it until it has been
// had once. The error is errIdP where there is no answer and a plain one,
// naming both issuers, where the answer is another provider's.
func (a *Auth) discover(ctx context.Context) (*discovered, error) {
	p := &a.provider
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	now := a.now()
	if a.cfg.Issuer == "" || now.Before(p.nextTry) {
		return nil, errIdP
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerLimit)
	defer cancel()
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, a.cfg.HTTP), a.cfg.Issuer)
	if err != nil {
		p.nextTry = now.Add(time.Second)
		a.log.ErrorContext(ctx, "the identity provider cannot be used", "issuer", a.cfg.Issuer, "error", err)
		return nil, fmt.Errorf("%w: %w", errIdP, err)
	}
	var meta struct {
		Keys    string   `json:"jwks_uri"`
		End     string   `json:"end_session_endpoint"`
		Iss     bool     `json:"authorization_response_iss_parameter_supported"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := found.Claims(&meta); err != nil {
		return nil, fmt.Errorf("%w: %w", errIdP, err)
	}
	endpoint := found.Endpoint()
	// Said here, because finding out by trying would burn the code.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if len(meta.Methods) > 0 && !slices.Contains(meta.Methods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	p.found = &discovered{endpoint: endpoint, endURL: meta.End, namesIss: meta.Iss,
		keys: &keySet{url: meta.Keys, http: a.cfg.HTTP, every: keysEvery, now: a.cfg.Now}}
	return p.found, nil
}

func (a *Auth) oauth(d *discovered) *oauth2.Config {
	return &oauth2.Config{ClientID: a.cfg.ClientID, ClientSecret: a.cfg.ClientSecret.Reveal(), Endpoint: d.endpoint,
		RedirectURL: a.cfg.BaseURL + "/auth/callback", Scopes: []string{"openid", "profile", "email"}}
}

// verifier checks signature, issuer, audience and expiry; leeway is how long
// after its end a token still counts.
func (a *Auth) verifier(d *discovered, audience string, leeway time.Duration) *oidc.IDTokenVerifier {
	return oidc.NewVerifier(a.cfg.Issuer, d.keys, &oidc.Config{ClientID: audience,
		SupportedSigningAlgs: []string{oidc.RS256, oidc.PS256, oidc.ES256}, Now: func() time.Time { return a.cfg.Now().Add(-leeway) }})
}

// idToken is a checked ID token.
type idToken struct {
	claims
	Subject string
	Raw     string
}

// checkIDToken returns the ID token of a token answer. A sign-in has a nonce,
// which must be the one sent; a refresh has none. The error is errIdP where
// the keys cannot be had, and says what is wrong otherwise.
func (a *Auth) checkIDToken(ctx context.Context, d *discovered, answer *oauth2.Token, nonce string) (*idToken, error) {
	raw, _ := answer.Extra("id_token").(string)
	if raw == "" {
		return nil, errors.New("no ID token")
	}
	if _, _, err := d.keys.find(ctx, raw); err != nil {
		return nil, err
	}
	t, err := a.verifier(d, a.cfg.ClientID, 0).Verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	switch k, err := kindOf(raw); {
	case err != nil:
		return nil, err
	case k != kindID:
		return nil, fmt.Errorf("the %s was sent as the ID token", k)
	}
	if nonce != "" && subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(nonce)) != 1 {
		return nil, errors.New("the nonce is not the one sent")
	}
	if t.AccessTokenHash != "" {
		if err := t.VerifyAccessToken(answer.AccessToken); err != nil {
			return nil, errors.New("the access token is not the ID token's")
		}
	}
	id := &idToken{Subject: t.Subject, Raw: raw}
	if err := t.Claims(&id.claims); err != nil {
		return nil, err
	}
	switch {
	case t.Subject == "":
		return nil, errors.New("no subject")
	case t.IssuedAt.After(a.cfg.Now().Add(skew)):
		return nil, errors.New("issued in the future")
	case id.Party != "" && id.Party != a.cfg.ClientID, id.Party == "" && len(t.Audience) > 1:
		return nil, errors.New("issued to another client")
	}
	return id, nil
}

// tokens asks the token endpoint, through ask, within the limit of time.
func (a *Auth) tokens(ctx context.Context, ask func(ctx context.Context) (*oauth2.Token, error)) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, a.cfg.HTTP), answerLimit)
	defer cancel()
	return ask(ctx)
}

// refused returns the status and error code of an answer in which the token
// endpoint said no, and ok = false where it said nothing of use.
func refused(err error) (status int, code string, ok bool) {
	re, is := errors.AsType[*oauth2.RetrieveError](err)
	if !is || re.Response == nil || re.Response.StatusCode/100 != 4 || re.Response.StatusCode == http.StatusTooManyRequests {
		return 0, "", false
	}
	return re.Response.StatusCode, re.ErrorCode, true
}
