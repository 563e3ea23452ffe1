package app_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"steward/ent"
	"steward/ent/webhookdelivery"
	"steward/internal/app"
	"steward/internal/area/webhook"
	"steward/internal/platform/auth"
	"steward/internal/platform/outbound"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

// hooking makes webhooks of a running server.
type hooking struct {
	t       *testing.T
	a       *app.App
	service ident.ID
	hooks   *webhook.Service
}

// hooks prepares webhooks for addresses in the networks.
func hooks(t *testing.T, a *app.App, allow ...netip.Prefix) *hooking {
	t.Helper()
	keys, err := auth.NewKeyring([]byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	h := &hooking{t: t, a: a, hooks: &webhook.Service{Store: a.Store(), Keys: keys, Out: outbound.New(outbound.Config{Allow: allow}), Source: a.URL()}}
	h.tx(func(ctx context.Context, c *ent.Client) {
		h.service = c.Integration.Create().SetName(ident.New("int").String()).SetRoles([]string{"viewer"}).SetPortfolios([]string{auth.AllPortfolios}).SaveX(ctx).ID
	})
	return h
}

func (h *hooking) tx(f func(ctx context.Context, c *ent.Client)) {
	h.t.Helper()
	if err := h.a.Store().Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error { f(ctx, c); return nil }); err != nil {
		h.t.Fatal(err)
	}
}

// make makes a webhook that hears of vendors.
func (h *hooking) make(address string) ident.ID {
	h.t.Helper()
	_, w, err := h.hooks.Create(testkit.System(), webhook.Input{Name: address, URL: address, Types: []string{"steward.vendor.*"}, Integration: h.service})
	if err != nil {
		h.t.Fatal(err)
	}
	return w.ID
}

// until waits for something that must come; the time is for slow machines.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came: %s", what)
		}
	}
}

var loopback = netip.MustParsePrefix("127.0.0.0/8")

// crowd is many receivers, each at an address of its own. While it is dead it takes what is
// sent and says nothing.
type crowd struct {
	port       string
	open, most atomic.Int64
	revive     chan struct{}
	mu         sync.Mutex
	heard      map[string]bool
}

func newCrowd(t *testing.T) *crowd {
	l, err := net.Listen("tcp", "0.0.0.0:0") //nolint:gosec // every loopback address is one receiver
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	c := &crowd{port: port, revive: make(chan struct{}), heard: map[string]bool{}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(conn)
		}
	}()
	return c
}

func (c *crowd) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		n := c.open.Add(1)
		for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
		}
		_, _ = io.Copy(io.Discard, r.Body)
		<-c.revive
		c.mu.Lock()
		c.heard[r.Host] = true
		c.mu.Unlock()
		c.open.Add(-1)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}

// R16: a hundred receivers that hang hold six connections and no page: while they do, every
// page is answered, and what they take is bounded. Control: they do hang, and each hears
// what happened once it answers.
func TestAHundredDeadReceivers(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		const receivers, atATime, pages = 100, 6, 200
		a := start(t, database, "--demo", "--webhook-allow", loopback.String())
		pia, _ := enter(t, a, "pia.portfolio")
		h, dead := hooks(t, a, loopback), newCrowd(t)
		for i := range receivers {
			h.make(fmt.Sprintf("http://127.0.1.%d:%s/", i+1, dead.port))
		}
		before := runtime.NumGoroutine()
		h.tx(func(ctx context.Context, c *ent.Client) { c.Vendor.Create().SetName("News").ExecX(ctx) })
		until(t, "as many receivers hang as are served at a time", func() bool { return dead.open.Load() >= atATime })
		answered := [2]atomic.Int64{}
		var all sync.WaitGroup
		for worker := range 4 {
			all.Go(func() {
				for i := range pages / 4 {
					path := []string{"/vendors", "/contracts", "/", "/products"}[(worker+i)%4]
					r, err := pia.Get(a.URL() + path)
					if err != nil {
						t.Errorf("%s: %v", path, err)
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					_ = r.Body.Close()
					if r.StatusCode != http.StatusOK {
						t.Errorf("%s: %d", path, r.StatusCode)
					}
					answered[0].Add(1)
				}
			})
		}
		all.Wait()
		if n := answered[0].Load(); n != pages || dead.open.Load() == 0 {
			t.Errorf("%d pages were answered while %d receivers hung", n, dead.open.Load())
		}
		if most := dead.most.Load(); most > atATime {
			t.Errorf("%d connections to receivers at a time", most)
		}
		if more := runtime.NumGoroutine() - before; more > receivers {
			t.Errorf("%d goroutines more for %d receivers", more, receivers)
		}
		close(dead.revive)
		until(t, "each receiver hears of it", func() bool {
			dead.mu.Lock()
			defer dead.mu.Unlock()
			return len(dead.heard) == receivers
		})
	})
}

// turning is a name server that answers for one name: with an address that goes nowhere in
// the public internet first, and from then on with one of this machine.
type turning struct {
	net.PacketConn
	name     dnsmessage.Name
	inside   [4]byte
	four     atomic.Int64 // questions about the name
	six      atomic.Int64
	rebounds atomic.Int64 // answers with the address of this machine
}

func newTurning(t *testing.T, name string, inside [4]byte) *turning {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	n := &turning{PacketConn: conn, name: dnsmessage.MustNewName(name + "."), inside: inside}
	go n.serve()
	return n
}

func (n *turning) serve() {
	buf := make([]byte, 1500)
	for {
		size, from, err := n.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:size]) != nil || len(m.Questions) != 1 {
			continue
		}
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		m.RCode = dnsmessage.RCodeNameError
		if q := m.Questions[0]; strings.EqualFold(q.Name.String(), n.name.String()) {
			m.RCode = dnsmessage.RCodeSuccess
			head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET} // no time to live: asked anew each time
			switch {
			case q.Type == dnsmessage.TypeAAAA && n.six.Add(1) == 1:
				m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AAAAResource{AAAA: [16]byte{0x2a, 0, 0xff, 0xff, 15: 1}}}}
			case q.Type == dnsmessage.TypeA && n.four.Add(1) > 1:
				n.rebounds.Add(1)
				m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: n.inside}}}
			}
		}
		if out, err := m.Pack(); err == nil {
			_, _ = n.WriteTo(out, from)
		}
	}
}

// WH-1: a name that leads to the public internet when it is looked up first and into this
// machine afterwards brings no message in: what counts is the address that is connected to.
// Control: where the operator allows that network, it does.
func TestANameThatTurnsInwards(t *testing.T) {
	const name = "hooks.rebind.test"
	both(t, func(t *testing.T, database string) {
		server := newTurning(t, name, [4]byte{127, 0, 2, 1})
		usual := net.DefaultResolver
		net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "udp", server.LocalAddr().String())
		}}
		t.Cleanup(func() { net.DefaultResolver = usual })
		inside, port := listenInside(t)
		knocks := atomic.Int64{}
		go func() {
			for {
				conn, err := inside.Accept()
				if err != nil {
					return
				}
				knocks.Add(1)
				_ = conn.Close()
			}
		}()
		a := start(t, database)
		h := hooks(t, a)
		id := h.make("https://" + name + ":" + port + "/")
		h.tx(func(ctx context.Context, c *ent.Client) { c.Vendor.Create().SetName("News").ExecX(ctx) })
		until(t, "it is tried where the name leads inwards", func() bool {
			d := a.Store().Client.WebhookDelivery.Query().Where(webhookdelivery.WebhookID(id)).AllX(testkit.System())
			return len(d) == 1 && d[0].Attempts >= 2 && server.rebounds.Load() > 0
		})
		d := a.Store().Client.WebhookDelivery.Query().Where(webhookdelivery.WebhookID(id)).OnlyX(testkit.System())
		if knocks.Load() != 0 || d.StatusCode != 0 || d.Status == webhookdelivery.StatusDELIVERED {
			t.Errorf("%d connections came in; %+v", knocks.Load(), d)
		}
		if err := a.Stop(context.Background()); err != nil {
			t.Error(err)
		}

		open := start(t, database, "--webhook-allow", loopback.String())
		allowed := hooks(t, open, loopback)
		allowed.make("http://" + name + ":" + port + "/")
		allowed.tx(func(ctx context.Context, c *ent.Client) { c.Vendor.Create().SetName("More").ExecX(ctx) })
		until(t, "the operator's own network is reached", func() bool { return knocks.Load() > 0 })
	})
}

// listenInside listens on this machine at a port that webhooks may call.
func listenInside(t *testing.T) (l net.Listener, port string) {
	t.Helper()
	for _, port := range []string{"8443", "443"} {
		if l, err := net.Listen("tcp", "127.0.2.1:"+port); err == nil {
			t.Cleanup(func() { _ = l.Close() })
			return l, port
		}
	}
	t.Fatal("neither 8443 nor 443 is free at 127.0.2.1")
	return nil, ""
}

// R17: with four places for the API held by writers that wait, the rest is refused at once;
// when the peak is over the server serves by itself, first request first. Control: without
// places to run out of nobody is refused.
func TestOverloadPasses(t *testing.T) {
	both(t, func(t *testing.T, database string) {
		const places = 4
		for _, limited := range []bool{true, false} {
			limit := "--max-api=0"
			if limited {
				limit = fmt.Sprintf("--max-api=%d", places)
			}
			a := start(t, database, limit)
			key := token(t, database, "portfolio-manager")
			client := &http.Client{Timeout: time.Minute}
			status := func() int {
				code, _, err := ask(client, a.Addr(), key, `{vendors(first:1){totalCount}}`, nil)
				if err != nil {
					t.Fatal(err)
				}
				return code
			}
			if code := status(); code != http.StatusOK {
				t.Fatalf("before: %d", code)
			}
			hold, held := make(chan struct{}), make(chan struct{})
			var peak sync.WaitGroup
			peak.Go(func() { // a writer nobody gets past
				_ = a.Store().Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
					c.Vendor.Create().SetName("Held").ExecX(ctx)
					if _, err := a.Store().Raw(ctx).ExecContext(ctx, `UPDATE key_counters SET next = next`); err != nil {
						t.Error(err)
					}
					close(held)
					<-hold
					return nil
				})
			})
			<-held
			refused, done := atomic.Int64{}, atomic.Int64{}
			for range 10 * places {
				peak.Go(func() {
					code, said, err := ask(client, a.Addr(), key, `mutation{createVendor(input:{name:"Peak"}){id}}`, nil)
					switch {
					case err != nil:
						t.Error(err)
					case code == http.StatusServiceUnavailable:
						refused.Add(1)
					case code == http.StatusOK:
						done.Add(1)
					default:
						t.Errorf("%d %s", code, said)
					}
				})
			}
			if limited {
				until(t, "all but those with a place are refused", func() bool { return refused.Load() == 9*places })
				if code, _ := get(t, a, "/sign-in"); code != http.StatusOK {
					t.Errorf("a page at the peak: %d", code)
				}
			}
			close(hold)
			peak.Wait()
			if !limited && refused.Load() > 0 || done.Load() == 0 {
				t.Errorf("limited %v: %d refused, %d done", limited, refused.Load(), done.Load())
			}
			for range 3 * places {
				if code := status(); code != http.StatusOK {
					t.Errorf("limited %v: %d after the peak", limited, code)
				}
			}
			if err := a.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
}
