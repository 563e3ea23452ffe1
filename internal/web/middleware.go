package web

import (
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"steward/internal/platform/auth"
	"steward/internal/platform/i18n"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// recovered answers a panic with the page for faults of ours. What the panic said
// is for the log.
func (s *site) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch p := recover(); {
			case p == nil:
			case p == http.ErrAbortHandler: // a half-sent answer; the server ends the connection
				panic(p)
			default:
				s.Log.ErrorContext(r.Context(), "panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()))
				s.fail(w, r, errs.New(errs.Internal, "error.internal"))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// policy is the content security policy: everything from this site, nothing
// inline. Chromium follows forms across redirects, so signing out names the issuer.
func (s *site) policy() string {
	forms := "'self'"
	if s.IssuerOrigin != "" {
		forms += " " + s.IssuerOrigin
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
		"connect-src 'self'; manifest-src 'self'; form-action " + forms + "; " +
		"frame-ancestors 'none'; base-uri 'none'; object-src 'none'; report-to csp; report-uri /csp-reports"
}

// headers sends what every answer carries. Pages hold data of one person and are
// kept nowhere; the static files say otherwise themselves.
func (s *site) headers(next http.Handler) http.Handler {
	policy := s.policy()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Reporting-Endpoints", `csp="/csp-reports"`)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		if s.HTTPS {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		if !strings.HasPrefix(r.URL.Path, "/static/") {
			h.Set("Cache-Control", "no-store")
			h.Set("Vary", "HX-Request, HX-Target, Accept-Language, Cookie")
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses writes that another site makes with a person's cookie.
func (s *site) sameOrigin(next http.Handler) http.Handler {
	check := http.NewCrossOriginProtection()
	check.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r.WithContext(i18n.With(r.Context(), Language(r))), errs.New(errs.CodeForbidden, "web.cross_origin"))
	}))
	return check.Handler(next)
}

// signedIn runs a page for somebody who is signed in, within the limits.
func (s *site) signedIn(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := s.Auth.Authenticate(r)
		if err == nil && v.Kind != viewer.Person {
			err = errs.New(errs.CodeForbidden, "web.people_only")
		}
		if err != nil {
			s.fail(w, r.WithContext(i18n.With(r.Context(), Language(r))), err)
			return
		}
		reader := *v
		reader.Lang = s.languageOf(r, v)
		ctx := auth.WithFresh(viewer.With(r.Context(), &reader), s.FreshFor)
		r = r.WithContext(withStore(i18n.WithZone(i18n.With(ctx, reader.Lang), v.Zone), s.store))
		if err = s.limiters.allow(r, v.ID.String()); err == nil {
			err = h(w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// open runs a page for anybody, within the limits of their address.
func (s *site) open(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(i18n.With(r.Context(), Language(r)))
		err := s.limiters.allow(r, address(r))
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// throttled runs a handler of the sign-in within the limits of the address.
func (s *site) throttled(h http.HandlerFunc) http.Handler {
	return s.open(func(w http.ResponseWriter, r *http.Request) error { h(w, r); return nil })
}

// address is the network address of the caller without its port. A proxy's header
// is not looked at; the listener resolves it for trusted proxies.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// limiters remember how often each caller has asked. The least recent callers are
// forgotten, so that strange addresses cannot fill the memory.
type limiters struct {
	mu            sync.Mutex
	limits        Limits
	reads, writes *lru.Cache[string, *rate.Limiter]
	now           func() time.Time
}

func newLimiters(l Limits, now func() time.Time) *limiters {
	reads, _ := lru.New[string, *rate.Limiter](16384) // only a size below 1 fails
	writes, _ := lru.New[string, *rate.Limiter](16384)
	return &limiters{limits: l, reads: reads, writes: writes, now: now}
}

// allow returns a Limit error when the caller asks too often. A burst of a
// quarter minute of reads, or two seconds of writes, is let through.
func (l *limiters) allow(r *http.Request, who string) error {
	cache, every, burst := l.reads, rate.Limit(l.limits.ReadsPerMinute)/60, max(10, l.limits.ReadsPerMinute/4)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		cache, every, burst = l.writes, rate.Limit(l.limits.WritesPerSecond), 2*l.limits.WritesPerSecond
	}
	if every <= 0 {
		return nil
	}
	l.mu.Lock()
	limiter, ok := cache.Get(who)
	if !ok {
		limiter = rate.NewLimiter(every, burst)
		cache.Add(who, limiter)
	}
	l.mu.Unlock()
	if !limiter.AllowN(l.now(), 1) {
		return errs.New(errs.Limit, "error.limit")
	}
	return nil
}
