package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"steward/ent"
	entwebhook "steward/ent/webhook"
	"steward/internal/rules/ident"
)

// headers are those of Standard Webhooks: the message's id, the time of this attempt, and a signature
// over both and the body with each secret that counts.
func (s *Service) headers(w *ent.Webhook, id ident.ID, at time.Time, body []byte) (http.Header, error) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	signed := []byte(id.String() + "." + stamp + "." + string(body))
	sealed := [][]byte{w.Secret}
	if w.PreviousSecret != nil && w.PreviousSecretUntil != nil && at.Before(*w.PreviousSecretUntil) {
		sealed = append(sealed, *w.PreviousSecret)
	}
	var signatures []string
	for _, x := range sealed {
		secret, err := s.Keys.Open(x, purpose(w.ID))
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, sign(w.Scheme, secret, signed))
	}
	h := http.Header{}
	h.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	h.Set("User-Agent", "Steward")
	h.Set("Webhook-Id", id.String())
	h.Set("Webhook-Timestamp", stamp)
	h.Set("Webhook-Signature", strings.Join(signatures, " "))
	return h, nil
}

func sign(scheme entwebhook.Scheme, secret, signed []byte) string {
	if scheme == entwebhook.SchemeED25519 {
		return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(ed25519.NewKeyFromSeed(secret), signed))
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(signed)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
