package web_test

import (
	"strings"
	"testing"

	"steward/internal/rules/viewer"
)

// PV-3 by hand: people take out what is kept about them, administrators also erase.
func TestPersonPages(t *testing.T) {
	each(t, func(w *world) {
		user := "/admin/users/" + w.vic.ID.String()
		if body := w.get(w.vic, "/me/data.json").want(200).body; !strings.Contains(body, "vic@example.org") || !strings.Contains(body, `"persons"`) {
			t.Errorf("%.300s", body)
		}
		for _, v := range []*viewer.Viewer{w.pia, w.fia, w.aud, w.pat} {
			if a := w.get(v, user+"/data.json"); a.StatusCode != 403 && a.StatusCode != 404 {
				t.Errorf("%s gets the data of Vic: %d", v.Name, a.StatusCode)
			}
			if a := w.post(v, user+"/erase", sum("reason", "x")); a.StatusCode != 403 && a.StatusCode != 404 {
				t.Errorf("%s erases Vic: %d", v.Name, a.StatusCode)
			}
		}
		hana := w.person("Hana", "people-lead")
		w.get(hana, user+"/data.json").want(200)
		w.post(hana, user+"/erase", sum("reason", "x")).want(403)
		p := w.get(w.ada, user).want(200).page()
		p.WantHouseRules()
		p.Want(".pagehead a", "Export data")
		p.Want("#erase form button", "Erase")
		w.get(w.ada, user+"/data.json").want(200)
		w.post(w.ada, user+"/erase", sum("reason", "")).want(422).page().Want(".banner.bad")
		w.post(w.ada, "/admin/users/"+w.ada.ID.String()+"/erase", sum("reason", "me")).want(403)
		w.post(w.ada, user+"/erase", sum("reason", "asked for it")).want(303)
		p = w.get(w.ada, user).want(200).page()
		p.Want("h1", "Erased person")
		p.Want(".badge", "Inactive")
		if body := w.get(w.ada, "/admin/audit?entity=Person").want(200).body; strings.Contains(body, "vic@example.org") || !strings.Contains(body, "erased a person") {
			t.Error("the record of changes does not say it, or says too much")
		}
	})
}
