// Package obs is what an operator sees of a running Steward: one JSON log line a request, metrics
// for Prometheus, the profiles of the second listener, the request id that ties a page, a log line
// and an error together, and the Secret type that never prints itself.
//
// Everybody above the rules may import it; it knows nothing of ent, of areas or of pages.
package obs

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// hidden is what a Secret prints, however it is printed.
const hidden = "***"

// Secret is a value that must not reach a log, an error or an answer: a password, a key, a client
// secret. Every way of printing it gives "***"; only Reveal gives the text.
type Secret string

// Reveal returns the text. Call it where the secret is used and nowhere else.
func (s Secret) Reveal() string { return string(s) }

// String returns "***", or nothing for an empty secret, so that "is it set" can be seen.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format prints "***" for every verb, %x and %#v included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON hides the secret from JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalText hides the secret from every encoder that asks for text. (As a map's key it would show:
// encoding/json does not ask a string key.)
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
