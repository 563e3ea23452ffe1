package web

import (
	"net/http"
	"net/url"
	"strings"

	"steward/internal/platform/i18n"
	"steward/views/layout"
	"steward/views/ui"
)

// flashCookie carries one message over a redirect.
const flashCookie = "flash"

// flash says on the next page what was done, with the way to take it back. The
// cookie holds the id of a message, never its words.
func (s *site) flash(w http.ResponseWriter, key, undo string) {
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Value: url.QueryEscape(key) + "." + undo, Path: "/", MaxAge: 60, HttpOnly: true, Secure: s.HTTPS, SameSite: http.SameSiteLaxMode})
}

// takeFlash puts the message onto the page and forgets it.
func (s *site) takeFlash(w http.ResponseWriter, r *http.Request, p *layout.Page) {
	value := cookie(r, flashCookie)
	if value == "" || fragment(r) {
		return
	}
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.HTTPS, SameSite: http.SameSiteLaxMode})
	i := strings.LastIndex(value, ".")
	if i < 0 {
		return
	}
	key, err := url.QueryUnescape(value[:i])
	if err != nil || !strings.HasPrefix(key, "entity.") || !i18n.Has(p.Lang, key) {
		return
	}
	toast := ui.ToastProps{Text: i18n.T(p.Lang, key), Tone: ui.OK}
	if token := value[i+1:]; token != "" {
		toast.Undo = undoPath(token)
	}
	p.Flash = append(p.Flash, toast)
}

// undoPath is what takes a change back: its undo token, or a removed file behind "~".
func undoPath(token string) string {
	if file, ok := strings.CutPrefix(token, "~"); ok {
		return "/attachments/" + url.PathEscape(file) + "/restore"
	}
	return "/undo/" + url.PathEscape(token)
}
