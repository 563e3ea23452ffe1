package devidp

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/go-jose/go-jose/v4"
)

type signingKey struct {
	id  string
	key *rsa.PrivateKey
}

// RotateKeys makes a new signing key. The one before it stays published, so
// that tokens signed with it still verify; older ones are forgotten.
func (p *Provider) RotateKeys() error {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("development sign-in: new signing key: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append([]signingKey{{id: rand.Text(), key: k}}, p.keys...)
	p.keys = p.keys[:min(len(p.keys), 2)]
	return nil
}

// PublicKey returns the key that verifies what is signed now.
func (p *Provider) PublicKey() crypto.PublicKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[0].key.Public()
}

func (p *Provider) certs(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	var set jose.JSONWebKeySet
	for _, k := range p.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.key.Public(), KeyID: k.id, Algorithm: "RS256", Use: "sig"})
	}
	p.mu.Unlock()
	writeJSON(w, http.StatusOK, set)
}

// sign returns the claims as a token with the header type typ; the caller holds p.mu.
func (p *Provider) sign(claims map[string]any, typ string) (string, error) {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: p.keys[0].key},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", p.keys[0].id))
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed, err := s.Sign(body)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// verify returns the payload of a token this provider signed, or nil.
func (p *Provider) verify(token string) []byte {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.keys {
		if body, err := signed.Verify(k.key.Public()); err == nil {
			return body
		}
	}
	return nil
}
