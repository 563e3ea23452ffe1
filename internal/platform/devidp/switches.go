package devidp

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// T is what Switches needs of a test. Production code has no such value, and
// so cannot make the provider misbehave.
type T interface {
	Helper()
	Cleanup(func())
}

// Switches make the provider misbehave in tests. Set them with Set.
type Switches struct {
	provider *Provider
	mu       sync.Mutex
	now      Fault
	hits     map[string]int
}

// Fault is one way of misbehaving. The zero Fault is good behaviour.
type Fault struct {
	Tamper     func(kind string, claims map[string]any) // kind "id" or "access", before signing
	Answer     func(v url.Values)                       // the parameters of the return to the application
	Down       bool                                     // connections are closed without an answer
	TokenError int                                      // the token endpoint answers this status
}

// Switches returns the switches, which go back to good behaviour when the test ends.
func (p *Provider) Switches(t T) *Switches {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.switches == nil {
		p.switches = &Switches{provider: p, hits: map[string]int{}}
	}
	s := p.switches
	t.Cleanup(func() { s.Set(Fault{}) })
	return s
}

// Set misbehaves like this from now on.
func (s *Switches) Set(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = f
}

// Hits returns how often an endpoint ("certs", "token", "logout" …) was asked.
func (s *Switches) Hits(endpoint string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[endpoint]
}

// Sign returns a token with the provider's own key, for forging bad ones.
func (s *Switches) Sign(claims map[string]any, typ string) (string, error) {
	s.provider.mu.Lock()
	defer s.provider.mu.Unlock()
	return s.provider.sign(claims, typ)
}

func (s *Switches) fault() Fault {
	if s == nil {
		return Fault{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// misbehave counts the request and reports whether a switch has answered it.
func (p *Provider) misbehave(w http.ResponseWriter, r *http.Request) bool {
	p.mu.Lock()
	s := p.switches
	p.mu.Unlock()
	if s == nil {
		return false
	}
	endpoint := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	s.mu.Lock()
	s.hits[endpoint]++
	s.mu.Unlock()
	f := s.fault()
	switch {
	case f.Down:
		panic(http.ErrAbortHandler) // net/http closes the connection and logs nothing
	case f.TokenError != 0 && endpoint == "token":
		refuse(w, f.TokenError, map[bool]string{true: "server_error", false: "invalid_grant"}[f.TokenError >= 500], "on purpose")
	default:
		return false
	}
	return true
}

// tamper changes claims before they are signed; the caller holds p.mu.
func (p *Provider) tamper(kind string, claims map[string]any) {
	if f := p.switches.fault(); f.Tamper != nil {
		f.Tamper(kind, claims)
	}
}

func (p *Provider) tamperAnswer(v url.Values) {
	p.mu.Lock()
	f := p.switches.fault()
	p.mu.Unlock()
	if f.Answer != nil {
		changed := maps.Clone(v)
		f.Answer(changed)
		clear(v)
		maps.Copy(v, changed)
	}
}
