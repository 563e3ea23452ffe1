package web_test

import (
	"strings"
	"testing"

	"steward/internal/area/retention"
	"steward/internal/rules/viewer"
)

// PV-4: the page of the settings, for administrators of the application.
func TestSettingsPage(t *testing.T) {
	each(t, func(w *world) {
		for _, v := range []*viewer.Viewer{w.pia, w.otto, w.fia, w.aud, w.vic, w.pat} {
			w.get(v, "/admin/settings").want(404)
			w.post(v, "/admin/settings", sum("version", "1", "sessions", "5")).want(404)
		}
		p := w.get(w.ada, "/admin/settings").want(200).page()
		p.WantHouseRules()
		if got := p.Attr("#keep-audit", "value"); got != "2557" {
			t.Errorf("the record of changes is kept %s days", got)
		}
		form := sum("version", p.Attr("#retention-form input[name=version]", "value"))
		for _, c := range retention.Classes {
			form.Set(c.Name, p.Attr("#keep-"+c.Name, "value"))
		}
		form.Set("sessions", "many")
		form.Set("audit", "3")
		p = w.post(w.ada, "/admin/settings", form).want(422).page()
		p.WantHouseRules()
		p.WantCount(".banner.bad li", 1) // text first: it has no number that could be judged
		if got := p.Attr("#keep-sessions", "value"); got != "many" {
			t.Errorf("what was typed is gone: %s", got)
		}
		form.Set("sessions", "12")
		w.post(w.ada, "/admin/settings", form).want(422).page().Want(".banner.bad", "36")
		form.Set("audit", "400")
		w.post(w.ada, "/admin/settings", form).want(303)
		w.post(w.ada, "/admin/settings", form).want(409).page().Want(".banner.bad", "Somebody changed")
		p = w.get(w.ada, "/admin/settings").want(200).page()
		if got := p.Attr("#keep-audit", "value") + " " + p.Attr("#keep-sessions", "value"); got != "400 12" {
			t.Errorf("stored: %s", got)
		}
		w.lang = "fr"
		if body := w.get(w.ada, "/admin/settings").want(200).body; !strings.Contains(body, "Durée de conservation") || !strings.Contains(body, "D’habitude") {
			t.Error("not in French")
		}
	})
}
