package app_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/internal/area/webhook"
	"steward/internal/platform/auth"
	"steward/internal/platform/outbound"
	"steward/internal/testkit"
)

// A server tells a webhook of what is stored, through the network that --webhook-allow names, and the key
// of its secret is changed while it runs.
func TestServerTellsWebhooks(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		heard := make(chan string, 10)
		receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.Header.Get("Webhook-Signature") }))
		t.Cleanup(receiver.Close)
		file := filepath.Join(t.TempDir(), "keys")
		write := func(letters string) {
			t.Helper()
			text := ""
			for _, l := range strings.Split(letters, "") {
				text += base64.StdEncoding.EncodeToString([]byte(strings.Repeat(l, 32))) + "\n"
			}
			if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(file+".new", file); err != nil {
				t.Fatal(err)
			}
		}
		write("a")
		a := start(t, database, "--key-file", file, "--webhook-allow", "127.0.0.0/8")
		ring, err := auth.ReadKeyring(file)
		if err != nil {
			t.Fatal(err)
		}
		hooks := &webhook.Service{Store: a.Store(), Keys: ring, Out: outbound.New(outbound.Config{}), Source: a.URL()}
		var service *ent.Integration
		if err := a.Store().Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			service = c.Integration.Create().SetName("warehouse").SetRoles([]string{"viewer"}).SetPortfolios([]string{auth.AllPortfolios}).SaveX(ctx)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, _, err := hooks.Create(testkit.System(), webhook.Input{Name: "x", URL: receiver.URL, Integration: service.ID}); err == nil {
			t.Error("http without an allowed network")
		}
		hooks.Out = outbound.New(outbound.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
		if _, _, err := hooks.Create(testkit.System(), webhook.Input{Name: "x", URL: receiver.URL, Integration: service.ID}); err != nil {
			t.Fatal(err)
		}
		tell := func(name string) {
			t.Helper()
			if err := a.Store().Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error { return c.Vendor.Create().SetName(name).Exec(ctx) }); err != nil {
				t.Fatal(err)
			}
			select {
			case signature := <-heard:
				if !strings.HasPrefix(signature, "v1,") {
					t.Errorf("%q", signature)
				}
			case <-time.After(time.Minute):
				t.Fatal("nothing is told")
			}
		}
		tell("One")

		keys := []string{"--database", database, "--key-file", file}
		if out := must(t, append([]string{"keys", "status"}, keys...)...); !strings.Contains(out, "keys           1\nsecrets        1\nby the first   1\n") {
			t.Error(out)
		}
		write("ba")
		if out := must(t, append([]string{"keys", "status"}, keys...)...); !strings.Contains(out, "keys           2\n") || !strings.Contains(out, "by older ones  1\n") {
			t.Error(out)
		}
		if out := must(t, append([]string{"keys", "rotate"}, keys...)...); out != "1 secret of 1 encrypted anew with the first of 2 keys\n" {
			t.Error(out)
		}
		write("b")
		tell("Two")
		write("c")
		for _, verb := range []string{"status", "rotate"} {
			if code, _, said := run(t, append([]string{"keys", verb}, keys...)...); code != 1 || !strings.Contains(said, "no key of the file opens 1 secret") {
				t.Errorf("keys %s: %d %s", verb, code, said)
			}
		}
	})
}
