package auth

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

// contact watches what the identity provider answers, whatever it is asked for.
type contact struct {
	next http.RoundTripper
	now  func() time.Time
	up   atomic.Pointer[bool] // nil until it has been asked
	last atomic.Int64         // when it last answered, 0 for never
}

// RoundTrip asks, and notes whether there was an answer. One that the provider's proxy gives in its place is
// none; what the asker has given up says nothing.
func (c *contact) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := c.next.RoundTrip(r)
	if errors.Is(err, context.Canceled) {
		return answer, err
	}
	up := err == nil && answer.StatusCode < 500
	if c.up.Store(&up); up {
		c.last.Store(c.now().Unix())
	}
	return answer, err
}

// Provider reports whether the identity provider answered when it was last asked, and when it last did.
// Asked is false until somebody has had a reason to ask.
func (a *Auth) Provider() (asked, up bool, last time.Time) {
	if x := a.contact.up.Load(); x != nil {
		asked, up = true, *x
	}
	if n := a.contact.last.Load(); n > 0 {
		last = time.Unix(n, 0).UTC()
	}
	return asked, up, last
}
