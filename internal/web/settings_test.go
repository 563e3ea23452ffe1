package web_test

import (
	"net/url"
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
		amount := p.Attr("#approvals-form input[name=threshold]", "value")
		if amount != "100,000.00" {
			t.Errorf("the threshold of approvals reads %q", amount)
		}
		approvals := func(text string) url.Values {
			return sum("version", p.Attr("#approvals-form input[name=version]", "value"), "threshold", text)
		}
		for _, v := range []*viewer.Viewer{w.pia, w.fia, w.aud} {
			w.post(v, "/admin/settings/approvals", approvals("1")).want(404)
		}
		for _, text := range []string{"", "much", "-1", "2,000,000,000"} {
			bad := w.post(w.ada, "/admin/settings/approvals", approvals(text)).want(422).page()
			if got := bad.Attr("#approvals-form input[name=threshold]", "value"); got != text || len(bad.All("#approvals-form .err")) == 0 {
				t.Errorf("%q comes back as %q", text, got)
			}
		}
		w.post(w.ada, "/admin/settings/approvals", approvals("50,000")).want(303)
		w.post(w.ada, "/admin/settings/approvals", approvals("60,000")).want(409).page().Want(".banner.bad", "Somebody changed")
		if p = w.get(w.ada, "/admin/settings").page(); p.Attr("#approvals-form input[name=threshold]", "value") != "50,000.00" {
			t.Error("the threshold was not stored")
		}
		w.lang = "fr"
		if p = w.get(w.ada, "/admin/settings").page(); !strings.HasPrefix(p.Attr("#approvals-form input[name=threshold]", "value"), "50\u00a0000,00") {
			t.Errorf("in French: %q", p.Attr("#approvals-form input[name=threshold]", "value"))
		}
		w.post(w.ada, "/admin/settings/approvals", approvals("70 000,50")).want(303)
		if body := w.get(w.ada, "/admin/settings").want(200).body; !strings.Contains(body, "Durée de conservation") || !strings.Contains(body, "D’habitude") {
			t.Error("not in French")
		}
	})
}
