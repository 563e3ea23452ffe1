package web

import (
	"net/http"
	"slices"

	"steward/internal/platform/i18n"
	"steward/internal/rules/viewer"
)

// Language returns the language to speak to somebody who is not signed in: that
// of their cookie, else the best of what their browser asks for.
func Language(r *http.Request) string {
	return i18n.Match(r.Header.Get("Accept-Language"), cookie(r, "lang"), "")
}

// languageOf puts the cookie first, which the switch in the top bar and the profile
// set: what somebody just chose counts most. Then comes the profile, then the browser.
func (s *site) languageOf(r *http.Request, v *viewer.Viewer) string {
	if c := cookie(r, "lang"); slices.Contains(i18n.Languages(), c) {
		return c
	}
	return i18n.Match(r.Header.Get("Accept-Language"), "", v.Lang)
}

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *site) setLanguage(w http.ResponseWriter, r *http.Request) error {
	return s.prefer(w, r, "lang", i18n.Languages())
}

func (s *site) setTheme(w http.ResponseWriter, r *http.Request) error {
	return s.prefer(w, r, "theme", []string{"auto", "light", "dark"})
}

func (s *site) setDensity(w http.ResponseWriter, r *http.Request) error {
	return s.prefer(w, r, "density", []string{"compact", "cosy"})
}

// prefer keeps a choice in a cookie and returns to the page; any other value
// changes nothing.
func (s *site) prefer(w http.ResponseWriter, r *http.Request, name string, allowed []string) error {
	if value := r.PostFormValue(name); slices.Contains(allowed, value) {
		http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, Secure: s.HTTPS, SameSite: http.SameSiteLaxMode})
	}
	return leave(w, r, local(r.PostFormValue("return")))
}
