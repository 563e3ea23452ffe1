package web

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"steward/internal/platform/auth"
	"steward/internal/platform/event"
	"steward/internal/platform/i18n"
	"steward/internal/platform/obs"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/views/entity"
	"steward/views/layout"
)

// statuses say how each code is answered.
var statuses = map[errs.Code]int{
	errs.Unauthenticated: http.StatusUnauthorized, errs.CodeForbidden: http.StatusForbidden, errs.CodeNotFound: http.StatusNotFound,
	errs.Validation: http.StatusUnprocessableEntity, errs.Conflict: http.StatusConflict, errs.State: http.StatusConflict,
	errs.Limit: http.StatusTooManyRequests, errs.Idempotency: http.StatusConflict, errs.Unavailable: http.StatusServiceUnavailable,
	errs.Internal: http.StatusInternalServerError,
}

// fail is the one place that turns an error into an answer: sign-in for those who
// are not, else a page (or a fragment for htmx) with the message of the error, the
// status of its code and the number of the request. Only faults of ours are logged,
// and only the log has their cause.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := errs.As(store.Known(err))
	status := statuses[e.Code]
	switch e.Code {
	case errs.Unauthenticated:
		if errors.Is(e, auth.ErrNotFresh) {
			s.askToProve(w, r)
		} else {
			s.askToSignIn(w, r)
		}
		return
	case errs.CodeForbidden, errs.CodeNotFound:
		s.refusal(r, e.Code)
	case errs.Limit:
		w.Header().Set("Retry-After", "10")
	case errs.Unavailable:
		w.Header().Set("Retry-After", "5")
		s.Log.WarnContext(r.Context(), "unavailable", "error", e.Error())
	case errs.Internal:
		s.Log.ErrorContext(r.Context(), "fault", "error", e.Error())
	}
	lang := i18n.From(r.Context())
	text := i18n.Error(lang, e)
	for _, f := range i18n.Fields(lang, e) {
		text += " " + f.Text
	}
	if fragment(r) {
		s.render(w, r, status, entity.Refusal(text, obs.RequestID(r.Context())))
		return
	}
	page := layout.ErrorPage(layout.Failure{Status: status, Text: text, RequestID: obs.RequestID(r.Context()), Back: back(r)})
	p := s.frame(r, i18n.T(lang, "web.failed"))
	if viewer.From(r.Context()) == nil {
		s.render(w, r, status, layout.Bare(p, page))
		return
	}
	s.render(w, r, status, layout.Show(p, page))
}

// askToSignIn leads to the sign-in page and from there back. A fragment must not
// swallow that page, so htmx is told to leave.
func (s *site) askToSignIn(w http.ResponseWriter, r *http.Request) {
	to := r.URL.RequestURI()
	if fragment(r) || r.Method != http.MethodGet {
		to = back(r)
	}
	target := "/sign-in"
	if cookie(r, "steward")+cookie(r, "__Host-steward") != "" {
		target += "?" + url.Values{"expired": {"1"}, "return": {to}}.Encode()
	} else if to != "/" {
		target += "?" + url.Values{"return": {to}}.Encode()
	}
	if fragment(r) {
		w.Header().Set("HX-Redirect", target)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// recordID is the form of ids; anything else in an address may be somebody's text.
var recordID = regexp.MustCompile(`^[a-z]{3}_[0-9A-HJKMNP-TV-Z]{26}$`)

// refusal notes in the record of changes what somebody was not allowed to do: what
// is forbidden, and writes to what is not there for them.
func (s *site) refusal(r *http.Request, code errs.Code) {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if code == errs.CodeNotFound && (reads || viewer.From(r.Context()) == nil) {
		return
	}
	about := map[string]any{"route": obs.RequestFrom(r.Context()).Route(), "code": string(code)}
	if id := ident.ID(r.PathValue("id")); recordID.MatchString(id.String()) {
		about["record"] = id
	}
	s.Events.Refused(r.Context(), event.Refused, address(r), about)
}

// askToProve leads to the provider, which asks again who this is, and from there
// back to the page with the form.
func (s *site) askToProve(w http.ResponseWriter, r *http.Request) {
	target := auth.FreshLoginURL(back(r))
	if fragment(r) {
		w.Header().Set("HX-Redirect", target)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// Refuse shows an error of the sign-in as a page; internal/app hands it to the
// sign-in, which is made before the site.
func Refuse(w http.ResponseWriter, r *http.Request, status int, e *errs.Error) {
	lang := Language(r)
	s := &site{}
	p := layout.Page{Title: i18n.T(lang, "web.failed"), Lang: lang, Path: "/"}
	s.render(w, r, status, layout.Bare(p, layout.ErrorPage(layout.Failure{Status: status, Text: i18n.Error(lang, e), RequestID: obs.RequestID(r.Context()), Back: "/sign-in"})))
}

// fragment reports whether htmx or a script of ours asks and wants a part of a page.
func fragment(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// targets reports whether htmx will put the answer into the element with the id.
func targets(r *http.Request, id string) bool {
	t := r.Header.Get("HX-Target")
	return fragment(r) && (t == id || strings.HasSuffix(t, "#"+id))
}

// back is the page of this site that the request came from, the start without one.
func back(r *http.Request) string {
	for _, from := range []string{r.Header.Get("HX-Current-URL"), r.Referer()} {
		if u, err := url.Parse(from); err == nil && u.Host == r.Host && strings.HasPrefix(u.Path, "/") && u.RequestURI() != r.URL.RequestURI() {
			return local(u.RequestURI())
		}
	}
	return "/"
}

// local returns a path of this site, "/" for anything that could lead elsewhere.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}
