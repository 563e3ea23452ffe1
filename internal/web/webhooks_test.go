package web_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"steward/ent"
	entwebhook "steward/ent/webhook"
	"steward/ent/webhookdelivery"
	"steward/internal/area/webhook"
	"steward/internal/platform/auth"
	"steward/internal/platform/outbound"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
	"steward/internal/web"
)

// withWebhooks gives the page door webhooks and a service on whose behalf one can hear.
func (w *world) withWebhooks() (service *ent.Integration) {
	w.t.Helper()
	keys, err := auth.NewKeyring([]byte(strings.Repeat("k", 32)))
	if err != nil {
		w.t.Fatal(err)
	}
	c := w.config()
	c.Webhooks = &webhook.Service{Store: w.s, Keys: keys, Out: outbound.New(outbound.Config{}), Source: "https://steward.example"}
	w.h = web.New(c)
	w.ada.SessionID = "ses_test"
	w.do(func(ctx context.Context, c *ent.Client) error {
		service = c.Integration.Create().SetName("Data warehouse").SetRoles([]string{"viewer"}).SetPortfolios([]string{"*"}).SaveX(ctx)
		return nil
	})
	return service
}

func TestWebhooks(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		service := w.withWebhooks()
		p := w.get(w.ada, "/admin/webhooks").want(200).page()
		p.WantHouseRules()
		p.Want("#webhooks .empty", "No webhook yet")
		p.Want("nav a[href='/admin/webhooks']", "Webhooks")
		form := sum("name", "Warehouse <b>", "url", "https://example.org/hook", "types", "steward.contract.*, *.archived.v1", "integration", service.ID.String(), "scheme", "HMAC")

		bad := sum("name", "", "url", "http://10.0.0.1/x", "types", "steward.contract.*", "integration", service.ID.String())
		w.post(w.ada, "/admin/webhooks", bad).want(422).page().Want("#webhook-form", "required")
		bad.Set("name", "x")
		p = w.post(w.ada, "/admin/webhooks", bad).want(422).page()
		p.Want("#webhook-form", "must begin with https://")
		p.WantAttr("#webhook-form input[name=url]", "value", "http://10.0.0.1/x")
		stale := *w.ada
		stale.AuthTime = stale.AuthTime.AddDate(0, 0, -1)
		w.post(&stale, "/admin/webhooks", form).want(303)
		if n := w.s.Client.Webhook.Query().CountX(testkit.System()); n != 0 {
			t.Fatalf("%d webhooks without a recent proof", n)
		}

		// the secret is on this page and on no other
		a := w.post(w.ada, "/admin/webhooks", form).want(200)
		p = a.page()
		p.WantHouseRules()
		secret := p.Text("#secret")
		if !strings.HasPrefix(secret, "whsec_") || len(secret) != len("whsec_")+44 {
			t.Fatalf("the secret is %q", secret)
		}
		h := w.s.Client.Webhook.Query().OnlyX(testkit.System())
		path := "/admin/webhooks/" + h.ID.String()
		p.Want(".pagehead", "Warehouse <b>", "https://example.org/hook", "Sends")
		p.Want("#log .empty", "No message yet")
		for _, address := range []string{path, "/admin/webhooks", "/admin/audit"} {
			w.get(w.ada, address).want(200).page().WantNoText(secret[len("whsec_"):])
		}
		w.get(w.ada, "/admin/webhooks").page().Want("#webhooks", "Warehouse <b>", "steward.contract.*, *.archived.v1", "Data warehouse", "Sends")
		other := w.post(w.ada, path+"/rotate", url.Values{}).want(200).page().Text("#secret")
		if other == secret || !strings.HasPrefix(other, "whsec_") {
			t.Errorf("the new secret is %q", other)
		}
		w.get(w.ada, path).page().Want("#facts", "Secret before also signs until")

		// the log
		w.post(w.ada, path+"/test", url.Values{}).want(303)
		var done *ent.WebhookDelivery
		w.do(func(ctx context.Context, c *ent.Client) error {
			done = c.WebhookDelivery.Create().SetWebhookID(h.ID).SetEventID("obx_1").SetType("steward.contract.updated.v1").SetSubjectID(w.contract.ID.String()).
				SetStatus(webhookdelivery.StatusDELIVERED).SetAttempts(2).SetStatusCode(204).SetMillis(37).SaveX(ctx)
			c.WebhookDelivery.Create().SetWebhookID(h.ID).SetEventID("obx_2").SetType("steward.contract.created.v1").SetSubjectID("ctr_2").SetAttempts(1).SetAnswer("unreachable").SaveX(ctx)
			c.WebhookDelivery.Create().SetWebhookID(h.ID).SetEventID("obx_3").SetType("steward.contract.created.v1").SetSubjectID("ctr_3").SetStatus(webhookdelivery.StatusFAILED).SetAttempts(17).SetStatusCode(500).SetAnswer("<script>").SaveX(ctx)
			return nil
		})
		p = w.get(w.ada, path).want(200).page()
		p.WantHouseRules()
		p.Want("#log", "steward.ping.v1", "Waiting", "The address could not be reached", "Given up", "500 <script>")
		p.Want("#"+done.ID.String(), "steward.contract.updated.v1", w.contract.ID.String(), "Delivered", "204", "37 ms", "2")
		w.post(w.ada, path+"/replay/"+done.ID.String(), url.Values{}).want(303)
		if d := w.s.Client.WebhookDelivery.GetX(testkit.System(), done.ID); d.Status != webhookdelivery.StatusWAITING || d.Attempts != 0 {
			t.Errorf("%+v", d)
		}
		w.post(w.ada, path+"/replay", sum("since", "2020-01-01")).want(303)
		if n := w.s.Client.WebhookDelivery.Query().Where(webhookdelivery.StatusEQ(webhookdelivery.StatusWAITING)).CountX(testkit.System()); n != 4 {
			t.Errorf("%d wait", n)
		}
		w.post(w.ada, path+"/replay", sum("since", "yesterday")).want(422).page().Want(".banner.bad", "not a day")
		w.post(w.ada, path+"/pause", url.Values{}).want(303)
		w.get(w.ada, path).page().Want(".pagehead", "Paused")
		w.post(w.ada, path+"/test", url.Values{}).want(409).page().Want(".banner.bad", "sends nothing at present")
		w.post(w.ada, path+"/resume", url.Values{}).want(303)
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Webhook.UpdateOneID(h.ID).SetActive(false).SetStoppedBecause("failing").Exec(ctx)
		})
		w.get(w.ada, "/admin/webhooks").page().Want("#webhooks", "five days of failure")

		// auditors look, others find nothing
		p = w.get(w.aud, path).want(200).page()
		p.WantNone("form[action^='" + path + "']")
		p.WantNone("#replay")
		w.get(w.aud, "/admin/webhooks").want(200).page().WantNone("#new-webhook")
		posts := []string{"/admin/webhooks", path + "/rotate", path + "/test", path + "/pause", path + "/resume", path + "/archive", path + "/replay", path + "/replay/" + done.ID.String()}
		for _, address := range posts {
			f := form
			if strings.HasSuffix(address, "/replay") {
				f = sum("since", "2020-01-01")
			}
			w.post(w.aud, address, f).want(403)
			for _, v := range []*viewer.Viewer{w.pia, w.otto, w.fia, w.paul, w.eva, w.vic, w.pat} {
				w.post(v, address, f).want(404)
			}
			w.post(w.ada, address, f, "Sec-Fetch-Site", "cross-site").want(403)
		}
		for _, v := range []*viewer.Viewer{w.pia, w.otto, w.pat} {
			w.get(v, "/admin/webhooks").want(404)
			w.get(v, path).want(404)
		}
		w.lang = "fr"
		w.get(w.ada, path).want(200).page().Want("#log", "En attente", "Événement")
		w.lang = "en"
		w.post(w.ada, path+"/archive", url.Values{}).want(303)
		w.get(w.ada, path).want(404)
		if h := w.s.Client.Webhook.Query().Where(entwebhook.ID(h.ID)).OnlyX(testkit.System()); h.ArchivedAt == nil {
			t.Error("it was not ended")
		}
	})
}

// Older messages are on the next page.
func TestWebhookLogGoesOn(t *testing.T) {
	each(t, func(w *world) {
		service := w.withWebhooks()
		w.post(w.ada, "/admin/webhooks", sum("name", "x", "url", "https://example.org", "integration", service.ID.String())).want(200)
		h := w.s.Client.Webhook.Query().OnlyX(testkit.System())
		w.do(func(ctx context.Context, c *ent.Client) error {
			for i := range 51 {
				c.WebhookDelivery.Create().SetID(ident.ID(fmt.Sprintf("whd_%026d", i))).SetWebhookID(h.ID).SetEventID("obx_1").SetType("steward.ping.v1").SaveX(ctx)
			}
			return nil
		})
		path := "/admin/webhooks/" + h.ID.String()
		p := w.get(w.ada, path).want(200).page()
		p.WantNone(fmt.Sprintf("#whd_%026d", 0))
		w.get(w.ada, p.Attr("#log a[href*='after=']", "href")).want(200).page().Want(fmt.Sprintf("#whd_%026d", 0), "steward.ping.v1")
	})
}
