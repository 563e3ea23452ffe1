package auth_test

import (
	"testing"
	"time"

	"steward/internal/platform/devidp"
	"steward/internal/platform/store"
	"steward/internal/testkit"
)

// OP-8: what the sign-in learns about the identity provider in passing can be watched.
func TestProviderIsWatched(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s)
		if asked, up, last := w.auth.Provider(); asked || up || !last.IsZero() {
			t.Errorf("before anybody has asked: %v %v %s", asked, up, last)
		}
		b := w.browser()
		b.enter("pia.portfolio")
		asked, up, last := w.auth.Provider()
		if !asked || !up || last.Unix() != w.now().Unix() {
			t.Errorf("after a sign-in: %v %v %s, it is %s", asked, up, last, w.now())
		}
		w.advance(6 * time.Minute) // the session is looked at again
		w.faults.Set(devidp.Fault{Down: true})
		b.me()
		if asked, up, then := w.auth.Provider(); !asked || up || !then.Equal(last) {
			t.Errorf("while it is away: %v %v %s", asked, up, then)
		}
		w.advance(time.Minute)
		w.faults.Set(devidp.Fault{TokenError: 503})
		b.me()
		if _, up, _ := w.auth.Provider(); up {
			t.Error("503 counts as an answer")
		}
		w.advance(time.Minute)
		w.faults.Set(devidp.Fault{})
		b.me()
		if _, up, then := w.auth.Provider(); !up || !then.After(last) {
			t.Errorf("once it is back: %v %s", up, then)
		}
	})
}
