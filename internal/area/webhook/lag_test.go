package webhook_test

import (
	"testing"
	"time"

	"steward/internal/area/webhook"
	"steward/internal/testkit"
)

// OP-8: how far webhooks are behind is seen while they are, and not of those that were stopped.
func TestLag(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		lag := func() webhook.Lag {
			t.Helper()
			x, err := w.hooks.Lag(testkit.System())
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		w.contract("Before", w.ours)
		if x := lag(); x != (webhook.Lag{}) {
			t.Errorf("without webhooks: %+v", x)
		}
		h, _ := w.hook()
		w.deliver()
		w.now = time.Now().UTC()
		if x := lag(); x != (webhook.Lag{}) {
			t.Errorf("with nothing to tell: %+v", x)
		}
		w.contract("One", w.ours)
		w.now = w.now.Add(time.Minute)
		if x := lag(); x.Outbox < 50*time.Second || x.Outbox > 2*time.Minute || x.Delivery != 0 {
			t.Errorf("an event that nobody has looked at: %+v", x)
		}
		w.got.answers(status(500))
		w.deliver()
		if x := lag(); x.Outbox != 0 || x.Delivery != 0 || x.Stopped+x.Dead != 0 {
			t.Errorf("a message that was tried: %+v", x)
		}
		w.now = w.now.Add(10 * time.Minute)
		if x := lag(); x.Delivery < 5*time.Minute || x.Delivery > 10*time.Minute || x.Failing != 10*time.Minute {
			t.Errorf("a message that is due again: %+v", x)
		}
		w.got.answers(status(410))
		w.deliver()
		if x := lag(); x != (webhook.Lag{Stopped: 1, Dead: 1}) {
			t.Errorf("a receiver that is gone: %+v", x)
		}
		w.got.answers(nil)
		if err := w.hooks.Replay(as(w.ada), w.log(h.ID)[0].ID); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Hour)
		if x := lag(); x != (webhook.Lag{Stopped: 1}) {
			t.Errorf("what waits for a webhook that was stopped is no lag: %+v", x)
		}
		if err := w.hooks.Resume(as(w.ada), h.ID); err != nil {
			t.Fatal(err)
		}
		w.deliver()
		if x := lag(); x.Stopped+x.Dead != 0 || x.Failing != 0 || x.Delivery != 0 {
			t.Errorf("resumed: %+v", x)
		}
	})
}
