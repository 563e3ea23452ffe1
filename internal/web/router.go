package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"steward/internal/platform/assets"
	"steward/internal/platform/entity"
	"steward/internal/platform/obs"
	"steward/internal/rules/errs"
)

// handler is a page: it writes an answer or returns what went wrong.
type handler func(http.ResponseWriter, *http.Request) error

// generic is a page of any registry entity.
type generic func(http.ResponseWriter, *http.Request, *entity.Entity) error

// pages are the routes of people who are signed in.
func (s *site) pages() map[string]handler {
	return map[string]handler{
		"GET /{$}":                        s.home,
		"GET /me":                         s.profile,
		"GET /me/session":                 s.session,
		"GET /explorer":                   s.explorer,
		"POST /me/profile":                s.saveProfile,
		"POST /me/sessions/{id}/end":      s.endSession,
		"POST /me/tokens":                 s.createToken,
		"POST /me/tokens/{id}/revoke":     s.revokeToken,
		"POST /me/feeds":                  s.createFeed,
		"POST /me/feeds/{id}/revoke":      s.revokeFeed,
		"POST /undo/{token}":              s.undo,
		"GET /admin/audit":                s.auditPage,
		"GET /admin/audit.jsonl":          s.exportAudit,
		"GET /admin/settings":             s.settingsPage,
		"POST /admin/settings":            s.saveSettings,
		"POST /admin/settings/approvals":  s.saveThreshold,
		"GET /admin/imports":              s.importsPage,
		"GET /admin/imports/{id}":         s.importPage,
		"POST /admin/imports/{id}/undo":   s.undoImport,
		"GET /admin/jobs":                 s.jobsPage,
		"POST /admin/jobs/{id}/again":     s.runJobAgain,
		"POST /admin/jobs/{id}/give-up":   s.giveJobUp,
		"GET /admin/users":                s.usersPage,
		"GET /admin/users/{id}":           s.userPage,
		"POST /admin/users/{id}/roles":    s.grantRole,
		"POST /admin/roles/{id}/confirm":  s.confirmRole,
		"POST /admin/roles/{id}/revoke":   s.revokeRole,
		"POST /admin/users/{id}/members":  s.addMember,
		"POST /admin/members/{id}/remove": s.removeMember,
		"POST /admin/users/{id}/active":   s.setActive,
		"GET /admin/users/{id}/data.json": s.personData,
		"POST /admin/users/{id}/erase":    s.erase,
		"GET /me/data.json":               s.ownData,
		"GET /admin/integrations":         s.integrationsPage,
		"POST /admin/integrations/tokens": s.createServiceToken,
		"POST /admin/tokens/{id}/revoke":  s.revokeServiceToken,
		"POST /comments/{id}":             s.editComment,
		"GET /comments/{id}":              s.commentForm,
		"GET /attachments/{id}":           s.attachment,
		"GET /attachments/{id}/preview":   s.attachmentPreview,
		"GET /attachments/{id}/remove":    s.askToRemoveFile,
		"POST /attachments/{id}/remove":   s.removeFile,
		"POST /attachments/{id}/restore":  s.restoreFile,
		"/":                               s.nothingHere,
	}
}

// proved are the routes that want a recent proof of who it is (AN-17). Their verbs
// demand it; this list lets a form ask before it is sent, see session.
var proved = []string{
	"POST /me/tokens",
	"POST /me/feeds",
	"POST /admin/users/{id}/roles",
	"POST /admin/roles/{id}/confirm",
	"POST /admin/users/{id}/erase",
	"POST /admin/integrations/tokens",
	"POST /admin/webhooks",
	"POST /admin/webhooks/{id}/rotate",
	"POST /admin/settings/approvals",
}

// wantsProof reports whether a form that is sent to the path needs a recent proof: one of
// the list, or an approval above the second threshold.
func (s *site) wantsProof(ctx context.Context, path string) (bool, error) {
	if part := strings.Split(strings.TrimPrefix(path, "/"), "/"); len(part) == 4 && part[2] == "moves" {
		e := entity.ByPath(part[0])
		if e == nil || e.Machine == "" {
			return false, nil
		}
		row, err := s.find(ctx, e, part[1])
		if errs.CodeOf(err) == errs.CodeNotFound {
			return false, nil // the form will say so
		}
		if err != nil {
			return false, err
		}
		return s.stepWantsProof(ctx, e, row.ID, part[3])
	}
	mux := http.NewServeMux()
	for _, pattern := range proved {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	_, pattern := mux.Handler(&http.Request{Method: http.MethodPost, URL: &url.URL{Path: path}})
	return slices.Contains(proved, pattern), nil
}

// entityPages are the routes of every registry entity, below its path.
func (s *site) entityPages() map[string]generic {
	return map[string]generic{
		"GET ":                      s.list,
		"GET .csv":                  s.exportCSV,
		"GET .json":                 s.exportJSON,
		"GET .xlsx":                 s.exportXLSX,
		"GET /options":              s.options,
		"GET /new":                  s.newForm,
		"POST ":                     s.create,
		"GET /{id}":                 s.record,
		"POST /{id}":                s.update,
		"GET /{id}/edit":            s.editForm,
		"GET /{id}/history":         s.history,
		"POST /{id}/moves/{to}":     s.move,
		"POST /{id}/links/{edge}":   s.link,
		"GET /{id}/cells/{field}":   s.cell,
		"POST /{id}/cells/{field}":  s.saveCell,
		"PATCH /{id}/cells/{field}": s.saveCell,
		"POST /{id}/archive":        s.archive,
		"POST /{id}/restore":        s.restore,
		"POST /{id}/comments":       s.addComment,
		"POST /{id}/files":          s.addFiles,
		"POST /{id}/tags":           s.mark,
		"POST /bulk":                s.bulk,
	}
}

// public are the routes that need nobody to be signed in.
func (s *site) public() map[string]handler {
	return map[string]handler{
		"GET /sign-in":      s.signIn,
		"GET /feeds/{file}": s.feed,
		"POST /me/language": s.setLanguage,
		"POST /me/theme":    s.setTheme,
		"POST /me/density":  s.setDensity,
		"POST /csp-reports": s.cspReport,
	}
}

// table is every route of the site by its pattern, behind what a route passes: who
// it is, how often, and the page itself.
func (s *site) table() map[string]http.Handler {
	out := map[string]http.Handler{"GET /static/": assets.Handler()}
	add := func(pattern string, h http.Handler) {
		if out[pattern] != nil {
			panic("web: two routes for " + pattern)
		}
		out[pattern] = h
	}
	for pattern, h := range s.public() {
		add(pattern, s.open(h))
	}
	all := s.pages()
	maps.Copy(all, s.budgetPages())
	maps.Copy(all, s.webhookPages())
	maps.Copy(all, s.viewPages())
	maps.Copy(all, s.importPages())
	for _, r := range s.Config.Routes {
		all[r.Pattern] = r.Handler
	}
	for _, e := range entity.Registry() {
		for pattern, h := range s.entityPages() {
			if _, own := all[at(pattern, e)]; !own { // a page of its own stands in for the generic one
				all[at(pattern, e)] = func(w http.ResponseWriter, r *http.Request) error { return h(w, r, e) }
			}
		}
	}
	for pattern, h := range all {
		add(pattern, s.signedIn(h))
	}
	for _, r := range s.Auth.Routes() {
		if !r.Signed {
			add(r.Pattern, s.throttled(returning(r.Handler)))
		}
	}
	return out
}

// handler puts the routes behind what every request passes, outermost first:
// request id and log, recovery from panics, security headers, the cross-origin
// check.
func (s *site) handler() http.Handler {
	mux, signed := http.NewServeMux(), http.NewServeMux()
	for pattern, h := range s.table() {
		mux.Handle(pattern, h)
	}
	for _, r := range s.Auth.Routes() {
		if r.Signed {
			signed.Handle(r.Pattern, s.throttled(r.Handler))
		}
	}
	signed.Handle("/", s.sameOrigin(obs.Routed(mux)))
	site := s.recovered(s.headers(obs.Routed(signed)))
	if s.Metrics != nil {
		return obs.Requests(s.Log, s.Metrics, site)
	}
	return site
}

// returning lets the sign-in page name the page to come back to as all forms do.
func returning(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if to := q.Get("return"); r.Method == http.MethodGet && to != "" && !q.Has("to") {
			q.Set("to", local(to))
			q.Del("return")
			r = r.Clone(r.Context())
			r.URL.RawQuery = q.Encode()
		}
		h(w, r)
	}
}

// at puts an entity's path into a pattern: "GET /{id}" becomes "GET /contracts/{id}".
func at(pattern string, e *entity.Entity) string {
	for i, c := range pattern {
		if c == ' ' {
			return pattern[:i+1] + "/" + e.Path + pattern[i+1:]
		}
	}
	return pattern
}
