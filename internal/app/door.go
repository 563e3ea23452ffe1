package app

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"

	"steward/graph"
	"steward/internal/platform/assets"
	"steward/internal/platform/auth"
	"steward/internal/platform/devidp"
	"steward/internal/platform/event"
	"steward/internal/platform/i18n"
	"steward/internal/platform/obs"
	"steward/internal/platform/scan"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
	"steward/internal/web"
)

// handler is everything the site's listener answers, outermost first: probes; then, traced, logged and counted, the
// caller's real address, the answer to a panic, the refusal of what is too much at once, and the doors once they
// are open.
func (a *App) handler() http.Handler {
	site := a.traces.Requests(obs.Requests(a.cfg.Log, a.metrics, a.recovered(proxied(a.cfg.TrustedProxy, a.shed().wrap(http.HandlerFunc(a.enter))))))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.probe(w, r) {
			site.ServeHTTP(w, r)
		}
	})
}

// shed returns the places of this server's requests.
func (a *App) shed() *shedder {
	if a.places == nil {
		a.places = newShedder(map[class]int{pages: a.cfg.MaxPages, api: a.cfg.MaxAPI, exports: a.cfg.MaxExports}, a.metrics.Register)
	}
	return a.places
}

// enter passes a request to the doors, or asks it to come back while they are shut.
func (a *App) enter(w http.ResponseWriter, r *http.Request) {
	if door := a.door.Load(); door != nil {
		(*door).ServeHTTP(w, r)
		return
	}
	w.Header().Set("Retry-After", "2")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "Steward is not ready: "+a.state.said()+".", http.StatusServiceUnavailable)
}

// recovered answers a panic that no door caught with 500 and the request's number (OP-12).
func (a *App) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { // a half-sent answer; the server ends the connection
				panic(p)
			}
			a.cfg.Log.ErrorContext(r.Context(), "panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()))
			http.Error(w, "Something went wrong here. Request "+obs.RequestID(r.Context()), http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// proxied puts the caller's own address into RemoteAddr when the connection comes from a trusted proxy: the
// last address of X-Forwarded-For that is not such a proxy itself. Nobody else's header is looked at.
func proxied(trusted []netip.Prefix, next http.Handler) http.Handler {
	if len(trusted) == 0 {
		return next
	}
	known := func(host string) bool {
		ip, err := netip.ParseAddr(host)
		for _, p := range trusted {
			if err == nil && p.Contains(ip.Unmap()) {
				return true
			}
		}
		return false
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host, port, err := net.SplitHostPort(r.RemoteAddr); err == nil && known(host) {
			list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
			for i := len(list) - 1; i >= 0; i-- {
				ip, err := netip.ParseAddr(strings.TrimSpace(list[i]))
				if err != nil {
					break // what lies further back is anybody's invention
				}
				r.RemoteAddr = net.JoinHostPort(ip.Unmap().String(), port)
				if !known(ip.String()) {
					break
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// doors builds sign-in, pages and GraphQL over the store.
func (a *App) doors() (http.Handler, error) {
	mux := http.NewServeMux()
	a.events = event.NewRecorder(a.store, a.cfg.Log, nil)
	a.work.Go(func() { a.events.Work(a.background) })
	cfg := auth.Config{BaseURL: a.base, Issuer: a.cfg.OIDCIssuer, ClientID: a.cfg.OIDCClientID, ClientSecret: a.cfg.OIDCSecret,
		Audience: a.cfg.OIDCAudience, RolesClaim: a.cfg.OIDCRolesClaim, GroupsClaim: a.cfg.OIDCGroupsClaim, Keys: a.keys,
		Fail: web.Refuse, Lang: web.Language, Log: a.cfg.Log, Events: a.events}
	if a.cfg.Demo {
		secret := rand.Text()
		provider, err := a.provider(secret)
		if err != nil {
			return nil, err
		}
		cfg.Issuer, cfg.StoredIssuer, cfg.ClientSecret = provider.Issuer(), devidp.StoredIssuer, obs.Secret(secret)
		mux.Handle(devidp.Realm+"/", provider)
	}
	signIn, err := auth.New(cfg, a.store)
	if err != nil {
		return nil, err
	}
	a.watchProvider(signIn)
	mux.Handle("/graphql", a.graphql(signIn))
	mux.Handle("GET /exports/{id}/{file}", a.program(signIn, graph.Downloads(a.store)))
	mux.Handle("/", web.New(web.Config{Store: a.store, Auth: signIn, IssuerOrigin: origin(cfg.Issuer), NoIssuer: cfg.Issuer == "",
		HTTPS: strings.HasPrefix(a.base, "https:"), Limits: web.Limits{ReadsPerMinute: a.cfg.RateReads, WritesPerSecond: a.cfg.RateWrites},
		Formats: formats(a.store), ImportMax: int64(a.cfg.ImportMegabytes) << 20,
		FreshFor: a.cfg.FreshFor, Banner: a.banner(), Demo: a.cfg.Demo, Scanner: a.scanner(), Webhooks: a.webhooks(a.store), Person: signIn.Person, Log: a.cfg.Log, Events: a.events}))
	return obs.Routed(mux), nil
}

// provider makes the development sign-in, where it may run: the command line has refused any other place
// already, a Config made by hand has not.
func (a *App) provider(secret string) (*devidp.Provider, error) {
	if !a.cfg.Demo || a.cfg.Production || a.cfg.OIDCIssuer != "" || !a.cfg.Loopback() {
		return nil, errors.New("the development sign-in runs only with --demo, on loopback, without --production and without an issuer")
	}
	return devidp.New(devidp.Config{BaseURL: a.base, People: devidp.People(), Clients: devidp.Clients(a.base, "http://"+a.Addr(), secret),
		Style: assets.URL("css/app.css")})
}

// banner is the message at the top of every page of a run that must not be mistaken for production.
func (a *App) banner() string {
	switch {
	case a.cfg.Demo:
		return "app.banner.demo"
	case a.cfg.AllowInsecure:
		return "app.banner.insecure"
	}
	return ""
}

// scanner is the virus scanner of the settings, nil for none.
func (a *App) scanner() *scan.Scanner {
	if a.cfg.Scanner.Network == "" {
		return nil
	}
	return scan.New(a.cfg.Scanner.Network, a.cfg.Scanner.Address)
}

// origin returns scheme and host of an address, "" for none.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// graphql is the API's door. Another site's form or script gets no further.
func (a *App) graphql(signIn *auth.Auth) http.Handler {
	return http.NewCrossOriginProtection().Handler(a.program(signIn, graph.New(graph.Config{Store: a.store, Log: a.cfg.Log, Events: a.events,
		Limits: graph.Limits{RatePoints: a.cfg.RatePoints}, Metrics: graph.NewMetrics(a.metrics.Register), Again: signIn.Again, Closing: a.closing.Done(), StoredOnly: a.cfg.StoredDocumentsOnly,
		Lists: web.Lists(a.store), Webhooks: a.webhooks(a.store)})))
}

// program is a door for programs with the caller in its context, if there is one.
func (a *App) program(signIn *auth.Auth, door http.Handler) http.Handler {
	strangers := newStrangers(a.cfg.RateReads)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		v, err := signIn.Authenticate(r)
		switch {
		case err == nil:
			w := *v
			w.Lang = i18n.Match(r.Header.Get("Accept-Language"), "", v.Lang)
			r = r.WithContext(i18n.With(auth.WithFresh(viewer.With(r.Context(), &w), a.cfg.FreshFor), w.Lang))
		case errs.CodeOf(err) != errs.Unauthenticated:
			a.cfg.Log.WarnContext(r.Context(), "credentials could not be checked", "error", err)
			turnedAway(w, r, http.StatusServiceUnavailable, errs.Unavailable, "error.unavailable", "5")
			return
		case !strangers.allow(r):
			turnedAway(w, r, http.StatusTooManyRequests, errs.Limit, "error.limit", "60")
			return
		}
		door.ServeHTTP(w, r)
	})
}

// turnedAway answers a request that does not come as far as GraphQL, in the form of every error there.
func turnedAway(w http.ResponseWriter, r *http.Request, status int, code errs.Code, message, wait string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Retry-After", wait)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{ // the caller may have gone
		"message":    i18n.T(web.Language(r), message),
		"extensions": map[string]any{"code": string(code), "requestId": obs.RequestID(r.Context())},
	}}})
}
