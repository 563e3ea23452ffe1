package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"steward/ent/changeevent"
	"steward/ent/vendor"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

// lines collects what a program prints.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// wait returns the output once it holds text.
func (l *lines) wait(t *testing.T, text string) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if s := l.String(); strings.Contains(s, text) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("the program does not say %s:\n%s", text, l)
		}
	}
}

var servingAt = regexp.MustCompile(`"msg":"serving","address":"([^"]+)"`)

// kills is how often each database's server is killed.
var kills = testkit.Soak(20)

// TestKilledServerLosesNothing (SEC-R1) kills a writing server again and again. What it had acknowledged is all
// there, every record has its audit row and every audit row its record, the chain holds, and the next server
// waits for nothing before it serves.
func TestKilledServerLosesNothing(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		secret := token(t, database, "portfolio-manager")
		line := flags(t, database)
		told := map[string]string{} // acknowledged: id → name
		var slowest time.Duration
		for round := range kills {
			out := &lines{}
			begun := time.Now()
			c := program(t, out, line...)
			address := servingAt.FindStringSubmatch(out.wait(t, `"msg":"serving"`))[1]
			slowest = max(slowest, time.Since(begun))
			var wg sync.WaitGroup
			var mu sync.Mutex
			for writer := range 4 {
				wg.Go(func() {
					client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}}
					defer client.CloseIdleConnections()
					for n := 0; ; n++ {
						name := fmt.Sprintf("Vendor %d-%d-%d", round, writer, n)
						status, data, err := ask(client, address, secret, `mutation($name: String!) { createVendor(input: {name: $name}) { id } }`, map[string]string{"name": name})
						if err != nil { // the server is gone
							return
						}
						var made struct{ CreateVendor struct{ ID string } }
						if status != http.StatusOK || json.Unmarshal([]byte(data), &made) != nil || made.CreateVendor.ID == "" {
							continue // told that it did not work
						}
						mu.Lock()
						told[made.CreateVendor.ID] = name
						mu.Unlock()
					}
				})
			}
			time.Sleep(time.Duration(30+rand.IntN(250)) * time.Millisecond)
			_ = c.Process.Kill()
			_ = c.Wait()
			wg.Wait()
		}
		if len(told) < kills {
			t.Fatalf("only %d writes were acknowledged: the test does not test much", len(told))
		}
		if slowest > 10*time.Second {
			t.Errorf("a server took %s to serve after a kill", slowest)
		}
		s, ctx := testkit.OpenURL(t, database), testkit.System()
		there := map[string]bool{}
		for _, v := range s.Client.Vendor.Query().Select(vendor.FieldID, vendor.FieldName).AllX(ctx) {
			there[string(v.ID)] = true
			if name, ok := told[string(v.ID)]; ok && v.Name != name {
				t.Errorf("%s is %q, acknowledged as %q", v.ID, v.Name, name)
			}
		}
		for id, name := range told {
			if !there[id] {
				t.Errorf("%s (%s) was acknowledged and is lost", name, id)
			}
		}
		audited := map[ident.ID]int{}
		for _, e := range s.Client.ChangeEvent.Query().Where(changeevent.EntityType("Vendor")).AllX(ctx) {
			audited[e.EntityID]++
			if !there[string(e.EntityID)] {
				t.Errorf("the audit has %s, the table has not", e.EntityID)
			}
		}
		for id := range there {
			if audited[ident.ID(id)] != 1 {
				t.Errorf("%s has %d audit rows", id, audited[ident.ID(id)])
			}
		}
		code, said, errs := run(t, "audit", "verify", "--database", database)
		if code != 0 {
			t.Errorf("audit verify: %d %s%s", code, said, errs)
		}
		t.Logf("%d kills, %d acknowledged writes, %d stored, slowest start %s\n%s", kills, len(told), len(there), slowest.Round(time.Millisecond), said)
	})
}
