package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// algorithms are the signatures Steward accepts, everywhere.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256}

// errIdP says that the identity provider gave no usable answer.
var errIdP = errors.New("the identity provider does not answer")

// keySet is an oidc.KeySet that asks the provider for keys only when a token
// names one it has not seen, and then at most once per interval. A wrong
// signature under a known key causes no request, however many arrive, and an
// outage of the provider forgets no key.
type keySet struct {
	url   string
	http  *http.Client
	every time.Duration
	now   func() time.Time

	mu    sync.Mutex
	keys  map[string]jose.JSONWebKey
	tried time.Time
}

// VerifySignature returns the payload of a token signed with a published key.
func (k *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	signed, key, err := k.find(ctx, raw)
	if err != nil {
		return nil, err
	}
	return signed.Verify(key)
}

// find returns the parsed token and the key it names; the error is errIdP
// where no key has ever been had. (go-oidc hides it, so callers ask first.)
func (k *keySet) find(ctx context.Context, raw string) (*jose.JSONWebSignature, any, error) {
	signed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		return nil, nil, err
	}
	if len(signed.Signatures) != 1 {
		return nil, nil, errors.New("one signature expected")
	}
	id := signed.Signatures[0].Header.KeyID
	k.mu.Lock() // held over the fetch: one asks, the others wait for its answer
	defer k.mu.Unlock()
	if j, ok := k.keys[id]; ok {
		return signed, j.Key, nil
	}
	if now := k.now(); now.Sub(k.tried) >= k.every {
		k.tried = now
		if err := k.fetch(context.WithoutCancel(ctx)); err != nil && k.keys == nil {
			return nil, nil, fmt.Errorf("%w: %w", errIdP, err)
		}
	}
	if j, ok := k.keys[id]; ok {
		return signed, j.Key, nil
	}
	if k.keys == nil {
		return nil, nil, errIdP
	}
	return nil, nil, errors.New("unknown signing key")
}

// fetch replaces the keys by the published ones; the caller holds k.mu.
func (k *keySet) fetch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return err
	}
	resp, err := k.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("keys: %s", resp.Status)
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&set); err != nil {
		return err
	}
	keys := map[string]jose.JSONWebKey{}
	for _, b := range set.Keys {
		var j jose.JSONWebKey // kinds we do not know are passed over
		if json.Unmarshal(b, &j) == nil && j.Use != "enc" && j.IsPublic() && j.KeyID != "" {
			keys[j.KeyID] = j
		}
	}
	if len(keys) == 0 {
		return errors.New("no usable keys")
	}
	k.keys = keys
	return nil
}
