// Package outbound is the one way out: every request that Steward sends to an address which somebody
// typed into it leaves through a Client. It looks at the address that a connection really goes to, so
// that no name, redirect or spelling of an address leads into the operator's own networks.
//
// internal/app makes the Client; areas that call other systems are given it. A test in internal/lint
// sees to it that nobody else dials.
package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"syscall"
	"time"

	"steward/internal/rules/errs"
)

// Limits of one request (WH-9).
const (
	answerTime   = 15 * time.Second // from the first byte sent to the last one read
	answerBytes  = 64 << 10         // read of an answer
	perReceiver  = 4                // requests under way to one host and port
	connectTime  = 3 * time.Second  // for a connection; and for every failure to get one, see Config
	headerBytes  = 64 << 10
	idleTime     = 30 * time.Second
	longestValue = 2000 // of an address
)

// Fault is why there was no answer, in one word; the messages are "outbound.<fault>".
type Fault string

// The faults. Unreachable is one for an address that is not allowed, a host that is not there, a name
// that is not known and a port that is closed, so that nobody can map a network with it (WH-4).
const (
	Unreachable Fault = "unreachable"
	Slow        Fault = "slow"
	Certificate Fault = "certificate"
	Broken      Fault = "broken"
)

// Error returns the word.
func (f Fault) Error() string { return string(f) }

// Config is what an operator may change.
type Config struct {
	// Allow are internal networks that may be called all the same, over http too and at any port.
	Allow []netip.Prefix
	// Roots are the authorities believed; nil are those of the machine.
	Roots *x509.CertPool
	// Connect is how long connecting may take, and how long every failure to connect does; zero is three
	// seconds.
	Connect time.Duration
	// Limit is how long a request may take; zero is 15 seconds.
	Limit time.Duration
}

// Client sends requests to addresses that somebody typed. It follows no redirects, uses no proxy and
// keeps no cookies.
type Client struct {
	Config
	secure, plain *http.Transport

	mu    sync.Mutex
	slots map[string]chan struct{} // by host and port
}

// New returns a client.
func New(c Config) *Client {
	if c.Connect == 0 {
		c.Connect = connectTime
	}
	if c.Limit == 0 {
		c.Limit = answerTime
	}
	x := &Client{Config: c, slots: map[string]chan struct{}{}}
	x.secure = x.transport(func(to netip.AddrPort) bool {
		return x.allowed(to.Addr()) || Public(to.Addr()) && (to.Port() == 443 || to.Port() == 8443)
	})
	x.plain = x.transport(func(to netip.AddrPort) bool { return x.allowed(to.Addr()) })
	return x
}

// transport connects only to addresses that may be called, whatever name led there.
func (c *Client) transport(may func(netip.AddrPort) bool) *http.Transport {
	dialer := net.Dialer{Timeout: c.Connect, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !may(netip.AddrPortFrom(to.Addr().Unmap().WithZone(""), to.Port())) {
			return Unreachable
		}
		return nil
	}}
	return &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, Unreachable
			}
			return conn, nil
		},
		TLSClientConfig:        &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    c.Limit,
		DisableCompression:     true, // what is read is what was sent
		MaxResponseHeaderBytes: headerBytes,
		MaxIdleConnsPerHost:    perReceiver,
		IdleConnTimeout:        idleTime,
		ForceAttemptHTTP2:      true,
	}
}

// allowed reports whether an operator has named a network in which the address lies.
func (c *Client) allowed(to netip.Addr) bool {
	return slices.ContainsFunc(c.Allow, func(p netip.Prefix) bool { return p.Contains(to) })
}

// Check says what is wrong with an address as it was typed, as the error of the field "url"; nil for one
// that may be tried. It asks nobody: whether the address can be reached is found out by calling it.
func (c *Client) Check(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || len(address) > longestValue:
		return errs.Invalid("url", "outbound.no_url")
	case u.User != nil:
		return errs.Invalid("url", "outbound.no_password")
	case u.Fragment != "":
		return errs.Invalid("url", "outbound.no_url")
	case u.Scheme == "http" && len(c.Allow) > 0: // an internal network; another one is refused when it is called
		return nil
	case u.Scheme != "https":
		return errs.Invalid("url", "outbound.https")
	case len(c.Allow) == 0 && !slices.Contains([]string{"", "443", "8443"}, u.Port()):
		return errs.Invalid("url", "outbound.port")
	}
	return nil
}

// Answer is what came back.
type Answer struct {
	Status int
	Body   []byte // at most 64 KB of it
	Took   time.Duration
}

// Post sends a body to the address. The error is a Fault, or that of ctx; an answer of any status is
// none. Headers of the answer are not kept.
func (c *Client) Post(ctx context.Context, address string, header http.Header, body []byte) (a Answer, err error) {
	if c.Check(address) != nil {
		return a, Unreachable
	}
	r, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return a, Unreachable
	}
	r.Header = header.Clone()
	leave, err := c.enter(ctx, r.URL.Host)
	if err != nil {
		return a, err
	}
	defer leave()
	start := time.Now()
	a, err = c.send(ctx, r)
	if errors.Is(err, Unreachable) {
		rest(ctx, c.Connect-time.Since(start))
	}
	a.Took = time.Since(start)
	if ctx.Err() != nil {
		return a, ctx.Err()
	}
	return a, err
}

// send makes the request within the limit of time.
func (c *Client) send(ctx context.Context, r *http.Request) (a Answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.Limit)
	defer cancel()
	transport := c.secure
	if r.URL.Scheme == "http" {
		transport = c.plain
	}
	got, err := transport.RoundTrip(r.WithContext(ctx)) // a transport follows no redirects
	if err != nil {
		return a, faultOf(ctx, err)
	}
	defer got.Body.Close()
	a.Status = got.StatusCode
	if a.Body, err = io.ReadAll(io.LimitReader(got.Body, answerBytes)); err != nil {
		return a, faultOf(ctx, err)
	}
	return a, nil
}

// faultOf sorts out why there is no answer.
func faultOf(ctx context.Context, err error) error {
	var untrusted *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	switch {
	case errors.Is(err, Unreachable):
		return Unreachable
	case errors.As(err, &untrusted), errors.As(err, &header):
		return Certificate
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		return Slow
	}
	return Broken
}

// enter waits for one of the receiver's places.
func (c *Client) enter(ctx context.Context, host string) (leave func(), err error) {
	c.mu.Lock()
	slot := c.slots[host]
	if slot == nil {
		slot = make(chan struct{}, perReceiver)
		c.slots[host] = slot
	}
	c.mu.Unlock()
	select {
	case slot <- struct{}{}:
		return func() { <-slot }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// rest waits for d or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
