// Package web is the page door: it turns requests of browsers into calls of the
// areas and their answers into pages and fragments. router.go shows every route;
// everything that goes wrong ends in fail.go.
//
// Only internal/app uses it: web.New is given the store and the sign-in and is an
// http.Handler. It knows nothing of GraphQL.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"steward/internal/area/webhook"
	"steward/internal/exchange/importer"
	"steward/internal/platform/auth"
	"steward/internal/platform/event"
	"steward/internal/platform/obs"
	"steward/internal/platform/scan"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Auth is what the pages need of the sign-in; *auth.Auth is one.
type Auth interface {
	// Authenticate returns who makes the request. The error has the code
	// Unauthenticated where nobody is signed in.
	Authenticate(r *http.Request) (*viewer.Viewer, error)
	// Routes are the handlers of signing in and out.
	Routes() []auth.Route
}

// Limits are how often one person, or one address nobody has signed in from, may
// ask; 0 is no limit.
type Limits struct {
	ReadsPerMinute  int
	WritesPerSecond int
}

// Config is what the page door is made of.
type Config struct {
	Store *store.Store
	Auth  Auth
	// IssuerOrigin is "https://id.example.org" when signing out leads there; the
	// content security policy lets forms go to it.
	IssuerOrigin string
	// NoIssuer: nobody can sign in, and the sign-in page says so.
	NoIssuer bool
	// Demo: the identity provider is the built-in list of people, so there is no
	// need for a page that only leads there.
	Demo bool
	// HTTPS: the site is reached over https; cookies are Secure and browsers are
	// told to stay on it.
	HTTPS  bool
	Limits Limits
	// FreshFor is how recently somebody must have proved who they are to hand out
	// rights; 0 is auth.DefaultFresh.
	FreshFor time.Duration
	// Scanner looks at files that come in; nil lets all of them pass.
	Scanner *scan.Scanner
	// Formats are those of files that can be imported; ImportMax is how many bytes the
	// files of one import may have, 0 for 256 MB.
	Formats   importer.Formats
	ImportMax int64
	// Banner is shown on every page, for runs that must not be mistaken for
	// production; it is a message id, empty for none.
	Banner string
	// Person returns the viewer of a person as they are now, Unauthenticated for one who is not active;
	// calendar feeds are read with it. Nil: there are none.
	Person func(ctx context.Context, id ident.ID) (*viewer.Viewer, error)
	// Webhooks are those of the page of administrators; nil: there is no such page.
	Webhooks *webhook.Service
	Log      *slog.Logger
	// Events writes what is refused to the record of changes. Nil: one of its own.
	Events *event.Recorder
	// Metrics makes the site log and count its requests itself. Leave it nil where
	// the caller wraps all doors in obs.Requests.
	Metrics *obs.Metrics
	// Routes are further handlers for signed-in people, such as a page of another
	// package.
	Routes []Route
	Now    func() time.Time
}

// Route is a handler to mount among the pages. It runs with the viewer and the
// language in its context and returns what went wrong.
type Route struct {
	Pattern string // method and path of http.ServeMux
	Handler func(http.ResponseWriter, *http.Request) error
}

// site is the running page door.
type site struct {
	Config
	store    *store.Store
	limiters *limiters
}

// New returns the page door. It panics for routes that contradict one another,
// which is a fault of the program.
func New(c Config) http.Handler {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Events == nil {
		c.Events = event.NewRecorder(c.Store, c.Log, c.Now)
	}
	s := &site{Config: c, store: c.Store, limiters: newLimiters(c.Limits, c.Now)}
	return s.handler()
}
