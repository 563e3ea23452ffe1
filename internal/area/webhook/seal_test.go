package webhook_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/webhook"
	"steward/internal/platform/auth"
	"steward/internal/testkit"
)

func key(letter string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32))) + "\n"
}

// replace puts a new key file into the place of the old one, as an operator does.
func replace(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// SC-2: from one key to another under load. Two servers, each with its own view of the file, rotate
// secrets and read them all the time; none ever fails, and at the end the old key opens nothing any more.
func TestKeyRotationUnderLoad(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		file := filepath.Join(t.TempDir(), "steward.key")
		replace(t, file, key("a"))
		var hooks []*ent.Webhook
		var servers []*webhook.Service
		for range 2 {
			ring, err := auth.ReadKeyring(file)
			if err != nil {
				t.Fatal(err)
			}
			s := *w.hooks
			s.Keys = ring
			servers = append(servers, &s)
		}
		w.hooks = servers[0]
		for range 3 {
			h, _ := w.hook()
			hooks = append(hooks, h)
		}
		stop := make(chan struct{})
		var all sync.WaitGroup
		var done [2]atomic.Int32
		read := func(by *webhook.Service, h *ent.Webhook) error {
			x := w.s.Client.Webhook.GetX(testkit.System(), h.ID)
			for _, sealed := range [][]byte{x.Secret, held(x.PreviousSecret)} {
				if len(sealed) == 0 {
					continue
				}
				if _, err := by.Keys.Open(sealed, "webhook secret "+h.ID.String()); err != nil {
					return err
				}
			}
			return nil
		}
		for i, server := range servers {
			all.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					h := hooks[n%len(hooks)]
					if _, err := server.Rotate(as(w.ada), h.ID); err != nil {
						t.Errorf("server %d writes: %v", i, err)
						return
					}
					for _, h := range hooks {
						if err := read(server, h); err != nil {
							t.Errorf("server %d reads: %v", i, err)
							return
						}
					}
					done[i].Add(1)
				}
			})
		}
		ring, err := auth.ReadKeyring(file)
		if err != nil {
			t.Fatal(err)
		}
		replace(t, file, key("b")+key("a"))
		// until waits, however slow the machine is
		until := func(what string, ok func() bool) {
			t.Helper()
			for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
				if t.Failed() || time.Now().After(deadline) {
					t.Fatal(what)
				}
			}
		}
		until("a server does not take the new file", func() bool {
			ring.Seal(nil, "")
			return ring.Keys() == 2 && servers[0].Keys.Keys() == 2 && servers[1].Keys.Keys() == 2
		})
		for i := range done { // what was under way with the old key has been written
			n := done[i].Load()
			until("a server stands still", func() bool { return done[i].Load() > n+1 })
		}
		until("something is always old", func() bool {
			r, err := webhook.Reseal(testkit.System(), w.s, ring, false)
			if err != nil || r.Unreadable > 0 {
				t.Fatal(r, err)
			}
			return r.Resealed == 0
		})
		replace(t, file, key("b"))
		for i := range done {
			n := done[i].Load()
			until("a server stands still without the old key", func() bool { return done[i].Load() > n+3 })
		}
		close(stop)
		all.Wait()
		only, _ := auth.NewKeyring([]byte(strings.Repeat("b", 32)))
		old, _ := auth.NewKeyring([]byte(strings.Repeat("a", 32)))
		if r, err := webhook.Reseal(testkit.System(), w.s, only, true); err != nil || r.Unreadable > 0 || r.Seen != 6 {
			t.Errorf("with the new key alone: %+v %v", r, err)
		}
		if r, err := webhook.Reseal(testkit.System(), w.s, old, true); err != nil || r.Unreadable != r.Seen {
			t.Errorf("the old key still opens something: %+v %v", r, err)
		}
	})
}

func held(b *[]byte) []byte {
	if b == nil {
		return nil
	}
	return *b
}

// Whoever has the database and nothing else reads no secret: it stands nowhere in clear, and nothing that
// is stored opens it.
func TestDumpOpensNothing(t *testing.T) {
	each(t, func(w *world) {
		t := w.t
		h, shown := w.hook()
		secret, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(shown, "whsec_"))
		x := w.s.Client.Webhook.GetX(testkit.System(), h.ID)
		var values [][]byte
		for _, table := range []string{"webhooks", "webhook_deliveries", "change_events", "outbox_events", "integrations", "jobs", "persons", "role_grants"} {
			rows, err := w.s.DB.QueryContext(context.Background(), "SELECT * FROM "+table)
			if err != nil {
				t.Fatal(err)
			}
			columns, _ := rows.Columns()
			for rows.Next() {
				row, at := make([]any, len(columns)), make([]any, len(columns))
				for i := range row {
					at[i] = &row[i]
				}
				if err := rows.Scan(at...); err != nil {
					t.Fatal(err)
				}
				for _, v := range row {
					switch v := v.(type) {
					case []byte:
						values = append(values, v)
					case string:
						values = append(values, []byte(v))
					default:
						values = append(values, []byte(fmt.Sprint(v)))
					}
				}
			}
			rows.Close()
		}
		if len(values) < 50 {
			t.Fatalf("only %d values", len(values))
		}
		for _, v := range values {
			if strings.Contains(string(v), string(secret)) || strings.Contains(string(v), strings.TrimPrefix(shown, "whsec_")) {
				t.Error("the secret stands in clear")
			}
			decoded, _ := base64.StdEncoding.DecodeString(string(v))
			for _, k := range [][]byte{v, decoded} {
				for i := 0; i+32 <= len(k); i++ {
					ring, err := auth.NewKeyring(k[i : i+32])
					if err != nil {
						t.Fatal(err)
					}
					if _, err := ring.Open(x.Secret, "webhook secret "+h.ID.String()); err == nil {
						t.Error("a stored value opens the secret")
					}
				}
			}
		}
		if plain, err := w.hooks.Keys.Open(x.Secret, "webhook secret "+h.ID.String()); err != nil || string(plain) != string(secret) {
			t.Error("the key of the file does not", err)
		}
	})
}
