package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/notification"
	"steward/ent/webhookdelivery"
	"steward/internal/area/webhook"
	"steward/internal/platform/auth"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// What is committed arrives once, signed, as a CloudEvent that names the record and nothing of its content.
func TestDelivery(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		old := w.contract("Before", w.ours)
		h, secret := w.hook("steward.contract.*")
		x := w.contract("Canary amount 4711", w.ours)
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Vendor.UpdateOne(w.vendor).SetName("Other").Exec(ctx)
		})
		w.rename(old, "Renamed")
		events := w.s.Client.OutboxEvent.Query().CountX(testkit.System())
		w.deliver()
		got := w.got.take()
		if len(got) != 2 {
			t.Fatalf("%d messages: %v", len(got), got)
		}
		slices.SortFunc(got, func(a, b message) int { return strings.Compare(a.typ(), b.typ()) })
		for i, want := range []struct {
			kind string
			id   ident.ID
		}{{"steward.contract.created.v1", x.ID}, {"steward.contract.updated.v1", old.ID}} {
			m := got[i]
			data, _ := m.Event["data"].(map[string]any)
			if m.typ() != want.kind || m.subject() != want.id.String() || data["id"] != want.id.String() || data["type"] != "Contract" || data["portfolio"] != w.ours.ID.String() {
				t.Errorf("%s", m.Raw)
			}
			if m.Event["specversion"] != "1.0" || m.Event["source"] != "https://steward.example" || m.Event["id"] != m.id() || m.Event["time"] == nil {
				t.Errorf("%s", m.Raw)
			}
			if !strings.HasPrefix(m.Header.Get("Content-Type"), "application/cloudevents+json") || strings.Contains(string(m.Raw), "4711") || len(data) != 4 {
				t.Errorf("%v %s", m.Header, m.Raw)
			}
			if !verify(secret, m.Header, m.Raw, w.now) {
				t.Error("the signature does not verify")
			}
			broken := slices.Clone(m.Raw)
			broken[len(broken)/2] ^= 1
			if verify(secret, m.Header, broken, w.now) || verify(secret, m.Header, m.Raw, w.now.Add(6*time.Minute)) {
				t.Error("a flipped byte or an old message passes")
			}
		}
		for _, d := range w.log(h.ID) {
			if d.Status != webhookdelivery.StatusDELIVERED || d.Attempts != 1 || d.StatusCode != 200 || d.EndedAt == nil {
				t.Errorf("%+v", d)
			}
		}
		w.deliver()
		if again := w.got.take(); len(again) > 0 {
			t.Errorf("sent again: %v", again)
		}
		if n := w.s.Client.OutboxEvent.Query().CountX(testkit.System()); n != events {
			t.Errorf("telling of events made %d events", n-events)
		}
	})
}

func TestKeyPairs(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		_, public := w.hookAt(webhook.Input{Name: "pair", URL: w.got.URL, Integration: w.service.ID, Ed25519: true})
		w.contract("One", w.ours)
		w.deliver()
		got := w.got.take()
		if len(got) != 1 || !strings.HasPrefix(public, "whpk_") || !verify(public, got[0].Header, got[0].Raw, w.now) {
			t.Fatalf("%s %v", public, got)
		}
		got[0].Raw[3] ^= 1
		if verify(public, got[0].Header, got[0].Raw, w.now) {
			t.Error("a flipped byte passes")
		}
	})
}

// While a secret is being changed no message is refused, whichever of the two the receiver has.
func TestRotation(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		h, before := w.hook()
		after, err := w.hooks.Rotate(as(w.ada), h.ID)
		if err != nil || after == before {
			t.Fatal(after, err)
		}
		send := func() message {
			w.contract("One", w.ours)
			w.deliver()
			got := w.got.take()
			if len(got) != 1 {
				t.Fatalf("%d messages", len(got))
			}
			return got[0]
		}
		if m := send(); !verify(before, m.Header, m.Raw, w.now) || !verify(after, m.Header, m.Raw, w.now) {
			t.Error("one of the two secrets does not verify")
		}
		w.now = w.now.Add(webhook.BothFor + time.Second)
		if m := send(); verify(before, m.Header, m.Raw, w.now) || !verify(after, m.Header, m.Raw, w.now) {
			t.Error("after a day the new secret counts alone")
		}
	})
}

// A receiver that is down gets the same message again, with the same id, when it is up; messages about
// one record arrive in their order.
func TestDownAndUp(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		h, _ := w.hook()
		w.got.answers(status(503))
		x := w.contract("One", w.ours)
		w.deliver()
		first := w.got.take()
		if len(first) != 1 || w.get(h.ID).FailingSince == nil {
			t.Fatalf("%d messages, failing since %v", len(first), w.get(h.ID).FailingSince)
		}
		w.rename(x, "Two")
		w.rename(x, "Three")
		w.deliver()
		if early := w.got.take(); len(early) > 0 {
			t.Fatalf("%d came before their time: %s", len(early), early[0].Raw)
		}
		w.now = w.now.Add(10 * time.Second)
		w.deliver()
		if again := w.got.take(); len(again) != 1 || again[0].id() != first[0].id() || string(again[0].Raw) != string(first[0].Raw) {
			t.Fatalf("the second attempt: %v", again)
		}
		w.got.answers(nil)
		w.now = w.now.Add(time.Hour)
		w.deliver()
		got := w.got.take()
		if len(got) != 3 || got[0].id() != first[0].id() || got[0].typ() != "steward.contract.created.v1" || got[1].typ() != "steward.contract.updated.v1" {
			t.Fatalf("%v", got)
		}
		if w.get(h.ID).FailingSince != nil {
			t.Error("it is still said to fail")
		}
		log := w.log(h.ID)
		if log[0].Attempts != 3 || log[0].StatusCode != 200 || log[1].Attempts != 1 {
			t.Errorf("%+v", log)
		}
		when := func(m message) time.Time {
			d := w.s.Client.WebhookDelivery.GetX(testkit.System(), ident.ID(m.id()))
			return w.s.Client.OutboxEvent.GetX(testkit.System(), d.EventID).CreatedAt
		}
		if !when(got[1]).Before(when(got[2])) {
			t.Errorf("out of order: %v", got)
		}
	})
}

// A message that is refused each time is given up after three days; one record's trouble keeps no other back.
func TestGivingUp(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		h, _ := w.hook()
		bad := w.contract("Bad", w.ours)
		w.got.answers(func(rw http.ResponseWriter, _ *http.Request, m message) {
			if m.subject() == bad.ID.String() {
				rw.WriteHeader(500)
				fmt.Fprint(rw, "no \x1b[31m<b>")
			}
		})
		w.deliver()
		good := w.contract("Good", w.ours)
		begun := w.now
		var delivered time.Duration
		for w.log(h.ID)[0].Status == webhookdelivery.StatusWAITING {
			w.now = w.now.Add(time.Minute)
			if next := w.log(h.ID)[0].NextAt; next.After(w.now) && delivered > 0 {
				w.now = next
			}
			w.deliver()
			if list := w.log(h.ID); delivered == 0 && len(list) == 2 && list[1].Status == webhookdelivery.StatusDELIVERED {
				delivered = w.now.Sub(begun)
			}
		}
		d := w.log(h.ID)[0]
		if d.Status != webhookdelivery.StatusFAILED || w.now.Sub(begun) < 72*time.Hour || w.now.Sub(begun) > 110*time.Hour || d.Answer != `no \u001b[31m<b>` {
			t.Errorf("%s after %s: %+v", d.Status, w.now.Sub(begun), d)
		}
		if delivered == 0 || delivered > 5*time.Minute {
			t.Errorf("the other record, %s, waited %s", good.ID, delivered)
		}
		if !w.get(h.ID).Active {
			t.Error("the webhook was stopped")
		}
	})
}

// 410 stops a webhook at once, five days of failure do; both are told to administrators.
func TestStopping(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		told := func() []string {
			var out []string
			for _, n := range w.s.Client.Notification.Query().Where(notification.PersonID(w.ada.ID)).Order(notification.ByCreatedAt()).AllX(testkit.System()) {
				out = append(out, n.Message+" "+n.Href)
			}
			return out
		}
		h, _ := w.hook()
		w.got.answers(status(410))
		w.contract("One", w.ours)
		w.deliver()
		w.contract("Two", w.ours)
		w.deliver()
		if got := w.got.take(); len(got) != 1 || w.get(h.ID).Active || w.get(h.ID).StoppedBecause != "gone" {
			t.Fatalf("%d messages, %+v", len(got), w.get(h.ID))
		}
		if list := told(); len(list) != 1 || list[0] != "webhook.told.gone /admin/webhooks/"+h.ID.String() {
			t.Errorf("told: %v", list)
		}
		if n := w.s.Client.ChangeEvent.Query().Where(changeevent.EntityID(h.ID), changeevent.OpEQ(changeevent.OpUPDATE)).CountX(testkit.System()); n != 1 {
			t.Errorf("%d audit rows", n)
		}

		w.got.answers(status(500))
		if err := w.hooks.Resume(as(w.ada), h.ID); err != nil {
			t.Fatal(err)
		}
		begun := w.now
		for w.get(h.ID).Active && w.now.Sub(begun) < 10*24*time.Hour {
			w.now = w.now.Add(2 * time.Hour)
			w.contract("More", w.ours)
			w.deliver()
		}
		if took := w.now.Sub(begun); took < 5*24*time.Hour || took > 6*24*time.Hour || w.get(h.ID).StoppedBecause != "failing" {
			t.Errorf("after %s: %+v", took, w.get(h.ID))
		}
		if list := told(); len(list) != 2 || !strings.HasPrefix(list[1], "webhook.told.failing") {
			t.Errorf("told: %v", list)
		}
		tried := len(w.got.take())
		if tried > 120 {
			t.Errorf("a dead receiver was asked %d times", tried)
		}
		w.got.answers(nil)
		if err := w.hooks.Resume(as(w.ada), h.ID); err != nil {
			t.Fatal(err)
		}
		w.deliver()
		if n := w.s.Client.WebhookDelivery.Query().Where(webhookdelivery.StatusEQ(webhookdelivery.StatusWAITING)).CountX(testkit.System()); n != 0 || len(w.got.take()) == 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

// WH-8: what the integration could see when it happened and cannot see now is dropped and noted; what it
// never could is not even written down.
func TestRightsNow(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		h, _ := w.hook()
		w.contract("Never theirs to hear", w.theirs)
		w.deliver()
		if n := len(w.log(h.ID)); n != 0 {
			t.Fatalf("%d messages about another portfolio", n)
		}
		dropped := func() int {
			n := 0
			for _, x := range w.s.Client.ChangeEvent.Query().Where(changeevent.EntityID(h.ID), changeevent.OpEQ(changeevent.OpEVENT)).AllX(testkit.System()) {
				if _, ok := x.Diff["dropped"]; ok {
					n++
				}
			}
			return n
		}
		limit := func(to *ent.Portfolio) {
			w.do(func(ctx context.Context, c *ent.Client) error {
				return c.Integration.UpdateOneID(w.service.ID).SetPortfolios([]string{to.ID.String()}).Exec(ctx)
			})
		}
		// lost between the event and the plan
		w.contract("One", w.ours)
		limit(w.theirs)
		w.deliver()
		if got := w.got.take(); len(got) != 0 || dropped() != 1 || w.log(h.ID)[0].Status != webhookdelivery.StatusDROPPED {
			t.Fatalf("%d sent, %d noted as dropped", len(got), dropped())
		}
		// lost between two attempts
		limit(w.ours)
		w.got.answers(status(500))
		w.contract("Two", w.ours)
		w.deliver()
		if len(w.got.take()) != 1 {
			t.Fatal("the second was not tried")
		}
		limit(w.theirs)
		w.got.answers(nil)
		w.now = w.now.Add(time.Hour)
		w.deliver()
		if got := w.got.take(); len(got) != 0 || dropped() != 2 {
			t.Fatalf("%d sent, %d noted as dropped", len(got), dropped())
		}
		// an integration that is no longer active hears nothing
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Integration.UpdateOneID(w.service.ID).SetActive(false).Exec(ctx)
		})
		w.contract("Three", w.theirs)
		w.deliver()
		if got := w.got.take(); len(got) != 0 {
			t.Fatalf("%v", got)
		}
	})
}

// A service whose rights sit on its tokens hears what its living tokens see.
func TestRightsOfTokens(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		var token *ent.ApiToken
		w.do(func(ctx context.Context, c *ent.Client) (err error) {
			if w.service, err = auth.Service(ctx, c, "scripts"); err == nil {
				_, token, err = auth.IssueToken(ctx, c, auth.TokenInput{Name: "scripts", Integration: w.service.ID, Roles: []string{"viewer"}, Portfolios: []ident.ID{w.ours.ID}})
			}
			return err
		})
		w.hook()
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Portfolio.UpdateOne(w.ours).SetName("Renamed").Exec(ctx)
		})
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Portfolio.UpdateOne(w.theirs).SetName("Hidden").Exec(ctx)
		})
		w.deliver()
		if got := w.got.take(); len(got) != 1 || got[0].subject() != w.ours.ID.String() {
			t.Fatalf("%v", got)
		}
		w.do(func(ctx context.Context, c *ent.Client) error { return auth.RevokeToken(ctx, c, token.ID) })
		w.do(func(ctx context.Context, c *ent.Client) error {
			return c.Portfolio.UpdateOneID(w.ours.ID).SetName("Again").Exec(ctx)
		})
		w.deliver()
		if got := w.got.take(); len(got) != 0 {
			t.Fatalf("%v", got)
		}
	})
}

// A worker that dies between the commit and the answer of the receiver is replaced by another, which
// sends the message again with the same id; the late result of the first is not kept.
func TestWorkerDies(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		h, _ := w.hook()
		w.contract("One", w.ours)
		arrived, release := make(chan struct{}), make(chan struct{})
		once := sync.OnceFunc(func() { close(arrived) })
		w.got.answers(func(http.ResponseWriter, *http.Request, message) { once(); <-release })
		if _, err := w.hooks.Sweep(testkit.System()); err != nil {
			t.Fatal(err)
		}
		ctx, kill := context.WithCancel(context.Background())
		var first sync.WaitGroup
		first.Go(func() { _, _ = w.runner(time.Hour).Once(ctx) })
		<-arrived
		if n, err := w.hooks.Sweep(testkit.System()); err != nil || n != 1 || w.s.Client.Job.Query().CountX(testkit.System()) != 1 {
			t.Errorf("a second job for one webhook: %d %v", n, err)
		}
		kill()
		first.Wait()
		if d := w.log(h.ID)[0]; d.Status != webhookdelivery.StatusWAITING || d.Attempts != 0 {
			t.Fatalf("%+v", d)
		}
		close(release)
		w.deliver()
		got := w.got.take()
		if len(got) != 2 || got[0].id() != got[1].id() || w.log(h.ID)[0].Status != webhookdelivery.StatusDELIVERED {
			t.Errorf("%v", got)
		}
	})
}

// A receiver that answers with a drip holds up its own webhook only (R16).
func TestSlowReceiver(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		stop, begun := make(chan struct{}), make(chan struct{})
		once := sync.OnceFunc(func() { close(begun) })
		slow := httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			once()
			for {
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
					_, _ = rw.Write([]byte("."))
					_ = http.NewResponseController(rw).Flush()
				}
			}
		}))
		t.Cleanup(slow.Close)
		w.got.roots.AddCert(slow.Certificate())
		dead, _ := w.hookAt(webhook.Input{Name: "slow", URL: slow.URL, Integration: w.service.ID})
		w.hook()
		w.contract("One", w.ours)
		ctx, end := context.WithCancel(context.Background())
		var all sync.WaitGroup
		r := w.runner(time.Hour)
		r.Parallel = 2
		if _, err := w.hooks.Sweep(testkit.System()); err != nil {
			t.Fatal(err)
		}
		all.Go(func() { r.Work(ctx) })
		for deadline := time.Now().Add(20 * time.Second); len(w.got.take()) == 0; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Error("the other webhook waits too")
				break
			}
		}
		<-begun
		if d := w.log(dead.ID); len(d) != 1 || d[0].Status != webhookdelivery.StatusWAITING {
			t.Errorf("%+v", d)
		}
		close(stop)
		end()
		all.Wait()
	})
}

// A change of very many records is one message, with how many of them the webhook may see.
func TestManyRecords(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		w.hook()
		w.do(func(ctx context.Context, c *ent.Client) error {
			for i := range 120 {
				c.Contract.Create().SetName(fmt.Sprint("C", i)).SetPortfolio(w.ours).SaveX(ctx)
				c.Contract.Create().SetName(fmt.Sprint("H", i)).SetPortfolio(w.theirs).SaveX(ctx)
			}
			return nil
		})
		w.deliver()
		got := w.got.take()
		if len(got) != 1 || got[0].typ() != webhook.Changes {
			t.Fatalf("%d messages", len(got))
		}
		data, _ := got[0].Event["data"].(map[string]any)
		if fmt.Sprint(data["changes"]) != "map[Contract.created:120]" || data["changeSet"] != got[0].subject() {
			t.Errorf("%s", got[0].Raw)
		}
	})
}

// An event whose transaction began earlier but ended later is neither lost nor overtaken.
func TestCommitOrder(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		if w.s.Dialect != dialect.Postgres { // one writer: there are no two transactions
			return
		}
		early, late := w.contract("Early", w.ours), w.contract("Late", w.ours)
		w.hook()
		ctx, slow, err := w.s.Begin(testkit.System())
		if err != nil {
			t.Fatal(err)
		}
		w.s.ClientOf(ctx).Contract.UpdateOneID(early.ID).SetName("Earlier").SaveX(ctx)
		w.rename(late, "Later")
		w.deliver()
		if got := w.got.take(); len(got) != 0 {
			t.Fatalf("told while an older transaction runs: %v", got)
		}
		if err := slow.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		w.deliver()
		var ids []string
		for _, m := range w.got.take() {
			ids = append(ids, m.subject())
		}
		if len(ids) != 2 || !slices.Contains(ids, early.ID.String()) || !slices.Contains(ids, late.ID.String()) {
			t.Errorf("%v", ids)
		}
	})
}

func TestTestAndReplay(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		h, secret := w.hook("steward.contract.created.v1")
		if err := w.hooks.Test(as(w.ada), h.ID); err != nil {
			t.Fatal(err)
		}
		x := w.contract("One", w.ours)
		w.rename(x, "Two") // not asked for
		w.deliver()
		got := w.got.take()
		if len(got) != 2 || got[0].typ() != webhook.Ping && got[1].typ() != webhook.Ping || !verify(secret, got[0].Header, got[0].Raw, w.now) {
			t.Fatalf("%v", got)
		}
		for _, d := range w.log(h.ID) {
			if d.Type != webhook.Ping {
				if err := w.hooks.Replay(as(w.ada), d.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		w.deliver()
		again := w.got.take()
		if len(again) != 1 || again[0].id() != got[0].id() && again[0].id() != got[1].id() {
			t.Errorf("%v", again)
		}
		n, err := w.hooks.ReplaySince(as(w.ada), h.ID, w.now.Add(-time.Hour))
		w.deliver()
		if n != 2 || err != nil || len(w.got.take()) != 2 {
			t.Errorf("%d %v", n, err)
		}
		if n, _ := w.hooks.ReplaySince(as(w.ada), h.ID, w.now.Add(time.Hour)); n != 0 {
			t.Errorf("%d of the future", n)
		}
		if err := w.hooks.Pause(as(w.ada), h.ID); err != nil {
			t.Fatal(err)
		}
		w.contract("Meanwhile", w.ours)
		w.deliver()
		if len(w.got.take()) != 0 || errs.CodeOf(w.hooks.Test(as(w.ada), h.ID)) != errs.State {
			t.Error("a webhook that is paused sends")
		}
		if err := w.hooks.Resume(as(w.ada), h.ID); err != nil {
			t.Fatal(err)
		}
		w.deliver()
		if len(w.got.take()) != 1 {
			t.Error("what happened meanwhile is not told")
		}
		if err := w.hooks.Archive(as(w.ada), h.ID); err != nil {
			t.Fatal(err)
		}
		w.contract("Afterwards", w.ours)
		w.deliver()
		if len(w.got.take()) != 0 || errs.CodeOf(w.hooks.Resume(as(w.ada), h.ID)) != errs.CodeNotFound {
			t.Error("a webhook that was ended lives")
		}
		names := map[string]bool{}
		for _, e := range w.s.Client.ChangeEvent.Query().Where(changeevent.EntityID(h.ID)).AllX(testkit.System()) {
			for key := range e.Diff {
				names[string(e.Op)+" "+key] = true
			}
			if e.ActorID != w.ada.ID.String() {
				t.Errorf("%+v", e)
			}
		}
		for _, want := range []string{"CREATE name", "EVENT test", "EVENT replay", "EVENT replaySince", "UPDATE active", "ARCHIVE archived_at"} {
			if !names[want] {
				t.Errorf("the record of changes lacks %q: %v", want, names)
			}
		}
	})
}

// Administrators make webhooks, auditors look at them, for others there are none (and for tokens no verbs).
func TestWhoMay(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		h, _ := w.hook()
		robot := *w.ada
		robot.TokenID = "tok_x"
		stale := *w.ada
		stale.AuthTime = time.Now().Add(-24 * time.Hour)
		verbs := map[string]func(context.Context) error{
			"create": func(ctx context.Context) error {
				_, _, err := w.hooks.Create(ctx, webhook.Input{Name: "x", URL: w.got.URL, Integration: w.service.ID})
				return err
			},
			"rotate": func(ctx context.Context) error { _, err := w.hooks.Rotate(ctx, h.ID); return err },
			"pause":  func(ctx context.Context) error { return w.hooks.Pause(ctx, h.ID) }, "resume": func(ctx context.Context) error { return w.hooks.Resume(ctx, h.ID) },
			"archive": func(ctx context.Context) error { return w.hooks.Archive(ctx, h.ID) }, "test": func(ctx context.Context) error { return w.hooks.Test(ctx, h.ID) },
			"replay": func(ctx context.Context) error { return w.hooks.Replay(ctx, h.ID) },
			"since":  func(ctx context.Context) error { _, err := w.hooks.ReplaySince(ctx, h.ID, w.now); return err },
		}
		for name, verb := range verbs {
			for _, who := range []struct {
				v    *viewer.Viewer
				want errs.Code
			}{{w.aud, errs.CodeForbidden}, {w.pia, errs.CodeNotFound}} {
				if err := verb(as(who.v)); errs.CodeOf(err) != who.want {
					t.Errorf("%s by %s: %v", name, who.v.Name, err)
				}
			}
			if err := verb(as(&robot)); err == nil {
				t.Errorf("%s with a token", name)
			}
		}
		for _, name := range []string{"create", "rotate"} {
			if err := verbs[name](as(&stale)); err == nil {
				t.Errorf("%s without a recent proof", name)
			}
		}
		if list, err := w.hooks.List(as(w.aud)); err != nil || len(list) != 1 {
			t.Errorf("%v %v", list, err)
		}
		if _, err := w.hooks.List(as(w.pia)); errs.CodeOf(err) != errs.CodeNotFound {
			t.Error(err)
		}
		if _, err := w.hooks.Log(as(w.pia), h.ID, "", 10); errs.CodeOf(err) != errs.CodeNotFound {
			t.Error(err)
		}
	})
}

func TestInput(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		good := webhook.Input{Name: "x", URL: w.got.URL, Integration: w.service.ID}
		for field, in := range map[string]func(webhook.Input) webhook.Input{
			"name":        func(i webhook.Input) webhook.Input { i.Name = " "; return i },
			"url":         func(i webhook.Input) webhook.Input { i.URL = "ftp://x"; return i },
			"types":       func(i webhook.Input) webhook.Input { i.Types = []string{"steward.novel.*"}; return i },
			"integration": func(i webhook.Input) webhook.Input { i.Integration = "int_x"; return i },
		} {
			_, _, err := w.hooks.Create(as(w.ada), in(good))
			if errs.CodeOf(err) != errs.Validation || errs.As(err).Fields[0].Path != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		if n := w.s.Client.Webhook.Query().CountX(testkit.System()); n != 0 {
			t.Errorf("%d were made", n)
		}
	})
}

// A secret is nowhere but where it was shown: neither in any column nor, sealed, in the record of changes.
func TestSecretsStayIn(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		h, shown := w.hook()
		second, err := w.hooks.Rotate(as(w.ada), h.ID)
		if err != nil {
			t.Fatal(err)
		}
		stored := w.get(h.ID)
		for _, sealed := range [][]byte{stored.Secret, *stored.PreviousSecret} {
			if len(sealed) < 40 || strings.Contains(fmt.Sprintf("%+v", stored), string(sealed)) {
				t.Error("the row prints its secret, or none is stored")
			}
		}
		other, _ := auth.NewKeyring([]byte(strings.Repeat("x", 32)))
		if _, err := other.Open(stored.Secret, "webhook secret "+h.ID.String()); err == nil {
			t.Error("another key opens it")
		}
		if _, err := w.hooks.Keys.Open(stored.Secret, "webhook secret whk_other"); err == nil {
			t.Error("it opens in another row")
		}
		for _, e := range w.s.Client.ChangeEvent.Query().AllX(testkit.System()) {
			for key, d := range e.Diff {
				if key == "secret" || key == "previous_secret" {
					if d[0] != nil || d[1] != "•••" {
						t.Errorf("%s: %v", key, d)
					}
				}
				if text := fmt.Sprint(d); strings.Contains(text, shown[6:]) || strings.Contains(text, second[6:]) {
					t.Errorf("%s shows the secret", key)
				}
			}
		}
	})
}
