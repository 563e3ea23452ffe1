package web_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"steward/ent"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
	"steward/internal/web"
)

func TestFeeds(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		var log bytes.Buffer
		gone := false
		c := w.config()
		c.Log = slog.New(slog.NewJSONHandler(&log, nil))
		c.Person = func(_ context.Context, id ident.ID) (*viewer.Viewer, error) {
			if id != w.pia.ID || gone {
				return nil, errs.New(errs.Unauthenticated, "auth.sign_in")
			}
			return w.pia, nil
		}
		w.h = web.New(c)
		w.pia.SessionID = "ses_test"
		p := w.get(w.pia, "/me").want(200).page()
		p.WantHouseRules()
		p.Want("#feeds .empty", "No calendar feed yet")
		w.post(w.pia, "/me/feeds", sum("name", "Phone")).want(422).page().Want("#feed-form", "at least one kind")
		w.post(w.pia, "/me/feeds", sum("name", "", "kinds", "contracts")).want(422).page().Want("#feed-form", "required")
		a := w.post(w.pia, "/me/feeds", sum("name", "Phone", "kinds", "contracts", "kinds", "cycles", "language", "fr")).want(200)
		p = a.page()
		p.WantHouseRules()
		address := p.Text("#feed-address")
		u, err := url.Parse(address)
		if err != nil || !strings.HasPrefix(u.Path, "/feeds/") || !strings.HasSuffix(u.Path, ".ics") || len(u.Path) != len("/feeds/.ics")+43 {
			t.Fatalf("the address is %q", address)
		}
		token := strings.TrimSuffix(strings.TrimPrefix(u.Path, "/feeds/"), ".ics")
		p = w.get(w.pia, "/me").want(200).page()
		p.WantNoText(token)
		p.Want("#feeds", "Phone", token[:6]+"…", "Contracts, Cycles of objectives", "never")

		// anybody with the address reads, in the feed's language
		got := w.get(nil, u.Path).want(200)
		for name, want := range map[string]string{"Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow", "X-Content-Type-Options": "nosniff"} {
			if got.Header.Get(name) != want {
				t.Errorf("%s: %q", name, got.Header.Get(name))
			}
		}
		if !strings.Contains(got.body, "Fin du contrat : Squad\r\n") || strings.Contains(got.body, "Hidden") || strings.Contains(got.body, "1284500") {
			t.Error(got.body)
		}
		w.get(w.pia, "/me").page().WantNone("#feeds .empty")
		if f := w.s.Client.CalendarFeed.Query().OnlyX(testkit.System()); f.LastUsedAt == nil {
			t.Error("nobody sees that it was read")
		}
		// with the person's rights now
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Contract.UpdateOneID(w.contract.ID).SetName("Renamed").Exec(ctx)
		})
		member := w.pia.Memberships
		w.pia.Memberships = nil
		if body := w.get(nil, u.Path).want(200).body; strings.Contains(body, "Renamed") {
			t.Error("a right that was taken away still counts")
		}
		w.pia.Memberships = member
		for _, bad := range []string{"/feeds/" + token, "/feeds/x.ics", "/feeds/.ics", "/feeds/" + token[:42] + ".ics"} {
			if a := w.get(nil, bad).want(404); a.Header.Get("X-Robots-Tag") == "" || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v", bad, a.Header)
			}
		}
		gone = true
		w.get(nil, u.Path).want(404)
		gone = false

		id := w.s.Client.CalendarFeed.Query().OnlyX(testkit.System()).ID.String()
		w.post(w.otto, "/me/feeds/"+id+"/revoke", url.Values{}).want(404)
		w.get(nil, u.Path).want(200)
		w.post(w.pia, "/me/feeds/"+id+"/revoke", url.Values{}, "Sec-Fetch-Site", "cross-site").want(403)
		w.post(w.pia, "/me/feeds/"+id+"/revoke", url.Values{}).want(303)
		w.get(nil, u.Path).want(404)
		w.get(w.pia, "/me").page().Want("#feeds .empty", "No calendar feed yet")
		if text := log.String(); strings.Contains(text, token[:7]) || !strings.Contains(text, "feed "+token[:6]) {
			t.Error("the log shows the token, or nothing of it")
		}
	})
}
