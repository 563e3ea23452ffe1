package webhook_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"steward/ent"
	entjob "steward/ent/job"
	entwebhook "steward/ent/webhook"
	"steward/ent/webhookdelivery"
	"steward/internal/area/webhook"
	"steward/internal/platform/auth"
	"steward/internal/platform/job"
	"steward/internal/platform/outbound"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// world is webhooks over a real database, with a real https receiver that has an authority of its own.
type world struct {
	t     *testing.T
	s     *store.Store
	hooks *webhook.Service
	now   time.Time

	ours, theirs *ent.Portfolio
	vendor       *ent.Vendor
	service      *ent.Integration // reads contracts of ours
	ada, aud     *viewer.Viewer
	pia          *viewer.Viewer
	got          *receiver
}

// each runs a test in a fresh world on both databases.
func each(t *testing.T, f func(*world)) {
	t.Helper()
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := &world{t: t, s: s, now: time.Now().UTC(), got: newReceiver(t)}
		keys, err := auth.NewKeyring([]byte(strings.Repeat("k", 32)))
		if err != nil {
			t.Fatal(err)
		}
		w.hooks = &webhook.Service{Store: s, Keys: keys, Source: "https://steward.example", Now: func() time.Time { return w.now },
			Out: outbound.New(outbound.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Roots: w.got.roots, Connect: 10 * time.Millisecond, Limit: 30 * time.Second})}
		w.do(func(ctx context.Context, c *ent.Client) error {
			w.ours = c.Portfolio.Create().SetName("Ours").SetKey("OUR").SaveX(ctx)
			w.theirs = c.Portfolio.Create().SetName("Theirs").SetKey("THR").SaveX(ctx)
			w.vendor = c.Vendor.Create().SetName("OptIT").SaveX(ctx)
			w.service = c.Integration.Create().SetName("warehouse").SetRoles([]string{"portfolio-manager"}).SetPortfolios([]string{w.ours.ID.String()}).SaveX(ctx)
			return nil
		})
		w.ada, w.aud, w.pia = w.person("Ada", "app-admin"), w.person("Aud", "auditor"), w.person("Pia", "portfolio-manager")
		f(w)
	})
}

func (w *world) do(f func(context.Context, *ent.Client) error) {
	w.t.Helper()
	if err := w.s.Tx(testkit.System(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) person(name, role string) *viewer.Viewer {
	var p *ent.Person
	w.do(func(ctx context.Context, c *ent.Client) error {
		p = c.Person.Create().SetName(name).SaveX(ctx)
		return c.RoleGrant.Create().SetPersonID(p.ID).SetRole(role).SetReason("test").Exec(ctx)
	})
	return &viewer.Viewer{Kind: viewer.Person, ID: p.ID, Name: name, Roles: []string{role}, Via: viewer.ViaPage, Lang: "en", Zone: time.UTC, AuthTime: time.Now(), SessionID: "ses_test"}
}

// as is the context of somebody.
func as(v *viewer.Viewer) context.Context { return viewer.With(context.Background(), v) }

// hook makes a webhook at the receiver and returns it with what is shown once.
func (w *world) hook(types ...string) (*ent.Webhook, string) {
	w.t.Helper()
	return w.hookAt(webhook.Input{Name: "warehouse", URL: w.got.URL + "/hook", Types: types, Integration: w.service.ID})
}

func (w *world) hookAt(in webhook.Input) (*ent.Webhook, string) {
	w.t.Helper()
	shown, h, err := w.hooks.Create(as(w.ada), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return h, shown
}

// contract makes a contract of a portfolio.
func (w *world) contract(name string, in *ent.Portfolio) *ent.Contract {
	w.t.Helper()
	var x *ent.Contract
	w.do(func(ctx context.Context, c *ent.Client) (err error) {
		x, err = c.Contract.Create().SetName(name).SetPortfolio(in).SetVendor(w.vendor).Save(ctx)
		return err
	})
	return x
}

func (w *world) rename(x *ent.Contract, name string) {
	w.t.Helper()
	w.do(func(ctx context.Context, c *ent.Client) error {
		return c.Contract.UpdateOneID(x.ID).SetName(name).Exec(ctx)
	})
}

// runner is a worker that gives webhooks their turn.
func (w *world) runner(lease time.Duration) *job.Runner {
	return job.New(w.s, job.Config{Kinds: []job.Kind{{Name: webhook.Kind, Do: w.hooks.Turn}}, Lease: lease, Poll: 20 * time.Millisecond, Grace: 50 * time.Millisecond, Worker: "here"})
}

// deliver lets everything happen that is due.
func (w *world) deliver() {
	w.t.Helper()
	for range 50 {
		if _, err := w.hooks.Sweep(testkit.System()); err != nil {
			w.t.Fatal(err)
		}
		worked, err := w.runner(time.Hour).Once(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		if !worked {
			return
		}
		for _, x := range w.s.Client.Job.Query().Where(entjob.ErrorNEQ("")).AllX(testkit.System()) {
			w.t.Fatalf("the job says %s", x.Error)
		}
	}
	w.t.Fatal("there is no end to it")
}

func (w *world) log(id ident.ID) []*ent.WebhookDelivery {
	return w.s.Client.WebhookDelivery.Query().Where(webhookdelivery.WebhookID(id)).Order(webhookdelivery.ByCreatedAt(), webhookdelivery.ByID()).AllX(testkit.System())
}

func (w *world) get(id ident.ID) *ent.Webhook {
	return w.s.Client.Webhook.Query().Where(entwebhook.ID(id)).OnlyX(testkit.System())
}

// message is one request as it arrived.
type message struct {
	Path   string
	Header http.Header
	Raw    []byte
	Event  map[string]any
}

func (m message) typ() string     { s, _ := m.Event["type"].(string); return s }
func (m message) subject() string { s, _ := m.Event["subject"].(string); return s }
func (m message) id() string      { return m.Header.Get("webhook-id") }

// receiver is what webhooks call.
type receiver struct {
	*httptest.Server
	roots *x509.CertPool

	mu     sync.Mutex
	list   []message
	answer func(http.ResponseWriter, *http.Request, message)
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{roots: x509.NewCertPool()}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		raw, _ := io.ReadAll(req.Body)
		m := message{Path: req.URL.Path, Header: req.Header, Raw: raw}
		_ = json.Unmarshal(raw, &m.Event)
		r.mu.Lock()
		r.list = append(r.list, m)
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(rw, req, m)
		}
	}))
	r.roots.AddCert(r.Certificate())
	t.Cleanup(r.Close)
	return r
}

// answers says how the receiver answers from now on; nil is 200.
func (r *receiver) answers(f func(http.ResponseWriter, *http.Request, message)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

func status(code int) func(http.ResponseWriter, *http.Request, message) {
	return func(rw http.ResponseWriter, _ *http.Request, _ message) { rw.WriteHeader(code) }
}

// take returns what has arrived since the last call.
func (r *receiver) take() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.list
	r.list = nil
	return out
}

// verify is a verifier of Standard Webhooks written from its text alone: the secret as it was shown, the
// three headers, the body, and five minutes of tolerance.
func verify(shown string, h http.Header, body []byte, now time.Time) bool {
	at, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if err != nil || now.Sub(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return false
	}
	content := h.Get("webhook-id") + "." + h.Get("webhook-timestamp") + "." + string(body)
	kind, key, _ := strings.Cut(shown, "_")
	secret, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(secret) < 24 || len(secret) > 64 {
		return false
	}
	for s := range strings.FieldsSeq(h.Get("webhook-signature")) {
		version, text, _ := strings.Cut(s, ",")
		signature, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			continue
		}
		switch {
		case kind == "whsec" && version == "v1":
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(content))
			if hmac.Equal(mac.Sum(nil), signature) {
				return true
			}
		case kind == "whpk" && version == "v1a":
			if ed25519.Verify(secret, []byte(content), signature) {
				return true
			}
		}
	}
	return false
}
