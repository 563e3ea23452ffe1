package web

import (
	"net/http"

	"steward/internal/platform/auth"
	"steward/internal/platform/i18n"
	"steward/views/layout"
)

// signIn is the page for those who are not signed in; others are sent on.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	to := local(q.Get("return"))
	if _, err := s.Auth.Authenticate(r); err == nil {
		return leave(w, r, to)
	}
	if s.Demo && q.Get("out") != "1" {
		return leave(w, r, auth.LoginURL(to))
	}
	p := s.frame(r, i18n.C(r.Context(), "layout.signin.button"))
	s.render(w, r, http.StatusOK, layout.Bare(p, layout.SignIn(layout.SignInProps{
		Return: to, NoIssuer: s.NoIssuer, Expired: q.Get("expired") == "1", SignedOut: q.Get("out") == "1",
	})))
	return nil
}

// session answers whether somebody is signed in, and recently enough for the form
// that is sent to the path "for". A form that is answered with a page asks before it
// is sent, so that what was typed can be kept (static/js/app.js).
func (s *site) session(w http.ResponseWriter, r *http.Request) error {
	wants, err := s.wantsProof(r.Context(), r.URL.Query().Get("for"))
	if err != nil {
		return err
	}
	if wants {
		if err := auth.Fresh(r.Context()); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
