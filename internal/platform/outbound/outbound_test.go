package outbound_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"steward/internal/platform/outbound"
	"steward/internal/rules/errs"
)

// loopback is the network that these tests allow, so that what refuses it elsewhere is the check alone.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// receiver is a real https server with an authority of its own.
func receiver(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(answer)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s, roots
}

func post(c *outbound.Client, address string) (outbound.Answer, error) {
	return c.Post(context.Background(), address, http.Header{"X-Test": {"1"}}, []byte("hello"))
}

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "142.250.1.1": true, "2606:4700::1111": true, "2a00:1450::1": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "127.8.8.8": false, "0.0.0.0": false, "10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"100.64.0.1": false, "100.127.1.1": false, "169.254.169.254": false, "192.0.0.192": false, "198.18.0.1": false, "224.0.0.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"192.0.2.1": false, "198.51.100.1": false, "203.0.113.1": false,
		"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b::808:808": false, "64:ff9b:1::1": false,
		"2002:7f00:1::": false, "2001::1": false, "2001:db8::1": false, "fc00::1": false, "fd12::1": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "ff02::1": false, "3fff::1": false,
	} {
		if got := outbound.Public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: public %v", text, got)
		}
	}
	if outbound.Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// Every way to write this machine, and a name that leads to it, is refused by the address that the
// connection would go to (WH-1). The same server answers where an operator allows it (WH-3).
func TestOwnNetworksAreRefused(t *testing.T) {
	var asked atomic.Int32
	s, roots := receiver(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	u, _ := url.Parse(s.URL)
	strict := outbound.New(outbound.Config{Roots: roots, Connect: 10 * time.Millisecond})
	someElse := outbound.New(outbound.Config{Roots: roots, Connect: 10 * time.Millisecond, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	for _, host := range []string{"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "127.0.0.1."} {
		address := "https://" + host + ":" + u.Port()
		if a, err := post(someElse, address); !errors.Is(err, outbound.Unreachable) {
			t.Errorf("%s: %v %v", address, a, err)
		}
		if a, err := post(strict, "https://"+host); !errors.Is(err, outbound.Unreachable) {
			t.Errorf("%s: %v %v", host, a, err)
		}
		if _, err := post(someElse, "http://"+host+":"+u.Port()); !errors.Is(err, outbound.Unreachable) {
			t.Errorf("http, %s: %v", host, err)
		}
	}
	if n := asked.Load(); n > 0 {
		t.Fatalf("the server was asked %d times", n)
	}
	a, err := post(outbound.New(outbound.Config{Roots: roots, Allow: loopback}), s.URL)
	if err != nil || a.Status != 200 || asked.Load() != 1 {
		t.Errorf("the allowed network: %v %v, asked %d times", a, err, asked.Load())
	}
}

// An allowed network may be called over http, and only it.
func TestPlainHTTPInsideAllowedNetworks(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		io.WriteString(w, r.Method+" "+r.Header.Get("X-Test")+" "+string(b))
	}))
	t.Cleanup(s.Close)
	c := outbound.New(outbound.Config{Allow: loopback})
	if a, err := post(c, s.URL); err != nil || string(a.Body) != "POST 1 hello" {
		t.Errorf("%s %v", a.Body, err)
	}
	if err := outbound.New(outbound.Config{}).Check(s.URL); err == nil {
		t.Error("http without an allowed network")
	}
}

// A closed port, a host that is not there, a name that is not known and an address that is not allowed
// say the same and take as long (WH-4).
func TestFailuresToConnectLookAlike(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	const wait = 300 * time.Millisecond
	c := outbound.New(outbound.Config{Allow: loopback, Connect: wait})
	for what, address := range map[string]string{"closed port": "https://" + closed, "not allowed": "https://10.255.255.1", "unknown name": "https://no-such-name.invalid", "not allowed port": "https://192.0.2.1:22"} {
		a, err := post(c, address)
		if !errors.Is(err, outbound.Unreachable) || err.Error() != "unreachable" {
			t.Errorf("%s: %v", what, err)
		}
		if a.Took < wait || a.Status != 0 {
			t.Errorf("%s: told after %s already", what, a.Took)
		}
	}
}

// A redirect to this machine is an answer like any other: nobody follows it (WH-2).
func TestRedirectsAreNotFollowed(t *testing.T) {
	var inside atomic.Int32
	secret, _ := receiver(t, func(http.ResponseWriter, *http.Request) { inside.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		s, roots := receiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, secret.URL, status) })
		a, err := post(outbound.New(outbound.Config{Roots: roots, Allow: loopback}), s.URL)
		if err != nil || a.Status != status {
			t.Errorf("%d: %v %v", status, a, err)
		}
	}
	if inside.Load() > 0 {
		t.Error("a redirect was followed")
	}
}

// No proxy of the environment stands between.
func TestNoProxy(t *testing.T) {
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(proxy.Close)
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	_, _ = post(outbound.New(outbound.Config{Allow: loopback, Connect: 10 * time.Millisecond}), "http://no-such-name.invalid")
	if asked.Load() > 0 {
		t.Error("a proxy was asked")
	}
}

// An endless answer is read as far as the limit, a dripping one until time is up (WH-9).
func TestEndlessAndSlowAnswers(t *testing.T) {
	gone := make(chan struct{})
	s, roots := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is it heard that the client has gone
		switch r.URL.Path {
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write([]byte(strings.Repeat("x", 4096))); err != nil {
					break
				}
			}
			close(gone)
		case "/drip":
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte("."))
				_ = http.NewResponseController(w).Flush()
				time.Sleep(10 * time.Millisecond)
			}
		case "/silent":
			<-r.Context().Done()
		}
	})
	c := outbound.New(outbound.Config{Roots: roots, Allow: loopback, Limit: 500 * time.Millisecond})
	for _, path := range []string{"/drip", "/silent"} {
		if _, err := post(c, s.URL+path); !errors.Is(err, outbound.Slow) {
			t.Errorf("%s: %v", path, err)
		}
	}
	a, err := post(outbound.New(outbound.Config{Roots: roots, Allow: loopback}), s.URL+"/endless")
	if err != nil || len(a.Body) != 64<<10 {
		t.Errorf("%d bytes of an endless answer, %v", len(a.Body), err)
	}
	select {
	case <-gone:
	case <-time.After(30 * time.Second):
		t.Error("the receiver still sends")
	}
}

// At most four requests are under way to one receiver.
func TestFourAtATime(t *testing.T) {
	var now, most atomic.Int32
	full, release := make(chan struct{}), make(chan struct{})
	filled := sync.OnceFunc(func() { close(full) })
	s, roots := receiver(t, func(http.ResponseWriter, *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == 4 {
			filled()
		}
		<-release
	})
	c := outbound.New(outbound.Config{Roots: roots, Allow: loopback, Limit: time.Minute})
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if _, err := post(c, s.URL); err != nil {
				t.Error(err)
			}
		})
	}
	<-full
	time.Sleep(50 * time.Millisecond) // a fifth would have come by now
	close(release)
	all.Wait()
	if most.Load() != 4 {
		t.Errorf("%d at a time", most.Load())
	}
}

// A certificate of an authority that is not believed ends it.
func TestCertificates(t *testing.T) {
	s, _ := receiver(t, func(http.ResponseWriter, *http.Request) { t.Error("it was asked") })
	s.Config.ErrorLog = nil
	if _, err := post(outbound.New(outbound.Config{Allow: loopback}), s.URL); !errors.Is(err, outbound.Certificate) {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	strict, inside := outbound.New(outbound.Config{}), outbound.New(outbound.Config{Allow: loopback})
	for address, key := range map[string]string{
		"https://example.org/hook?a=b": "", "https://example.org:8443": "", "https://example.org:443/": "",
		"http://example.org": "outbound.https", "ftp://example.org": "outbound.https", "example.org": "outbound.no_url", "https://": "outbound.no_url", "": "outbound.no_url",
		"https://example.org:22": "outbound.port", "https://u:p@example.org": "outbound.no_password", "https://example.org/#x": "outbound.no_url", "https://" + strings.Repeat("a", 2000): "outbound.no_url",
	} {
		err := strict.Check(address)
		got := ""
		if err != nil {
			got = errs.As(err).Fields[0].Key
		}
		if got != key {
			t.Errorf("%s: %q, want %q", address, got, key)
		}
	}
	if inside.Check("http://intranet:8080") != nil || inside.Check("gopher://intranet") == nil {
		t.Error("what an allowed network permits")
	}
}
