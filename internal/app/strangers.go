package app

import (
	"net"
	"net/http"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// addressesKept is how many addresses are remembered; the least recent are forgotten.
const addressesKept = 16384

// strangers bounds how often one address is told that its credentials are none: pages
// bound each person and address themselves, GraphQL the points of who is known. Whose
// credentials are good is never held up by others behind the same address.
type strangers struct {
	each rate.Limit
	seen *lru.Cache[string, *rate.Limiter]
}

// newStrangers returns the bound of so many answers a minute; 0 is none.
func newStrangers(perMinute int) *strangers {
	seen, _ := lru.New[string, *rate.Limiter](addressesKept) // fails for a size below one only
	return &strangers{each: rate.Limit(perMinute) / 60, seen: seen}
}

// allow reports whether the address of a request may be told once more. Which address
// that is a trusted proxy has said, and nobody else.
func (s *strangers) allow(r *http.Request) bool {
	if s.each <= 0 {
		return true
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	fresh := rate.NewLimiter(s.each, max(10, int(15*s.each)))
	if have, found, _ := s.seen.PeekOrAdd(host, fresh); found {
		s.seen.Get(host) // it was asked for lately
		fresh = have
	}
	return fresh.Allow()
}
