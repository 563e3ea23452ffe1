// Package webhook tells other systems what has changed: administrators name an address, and messages
// about records that an integration may see go there, signed, at least once and for each record in the
// order of its changes. A message says what changed, never to what; whoever wants that asks with rights
// of their own.
//
// The page door calls the verbs. internal/app makes the Service and runs Sweep as a loop and Turn as a
// kind of job, so that of any number of servers one at a time speaks to a receiver.
package webhook

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/integration"
	entwebhook "steward/ent/webhook"
	"steward/ent/webhookdelivery"
	"steward/internal/platform/auth"
	"steward/internal/platform/outbound"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// BothFor is how long the secret before a rotation signs too.
const BothFor = 24 * time.Hour

const (
	secretBytes = 32
	replayMost  = 10_000
)

// Service is the webhooks of one installation.
type Service struct {
	Store *store.Store
	Keys  *auth.Keyring
	Out   *outbound.Client
	// Source is the address of this site, which every message names as where it comes from.
	Source string
	Now    func() time.Time // nil: time.Now
}

func (s *Service) now() time.Time {
	if s.Now != nil {
		return s.Now().UTC().Truncate(time.Microsecond)
	}
	return time.Now().UTC().Truncate(time.Microsecond)
}

// Input is a new webhook.
type Input struct {
	Name, URL   string
	Types       []string // patterns of event types; empty is all
	Integration ident.ID // with whose rights it hears
	Ed25519     bool     // sign with a key pair instead of a shared secret
}

// Create makes a webhook that hears what happens from now on. It returns the secret with which a
// receiver checks the signatures, or the public key, which cannot be had again. Administrators only,
// with a recent proof of who they are.
func (s *Service) Create(ctx context.Context, in Input) (shown string, w *ent.Webhook, err error) {
	in.Name, in.URL = strings.TrimSpace(in.Name), strings.TrimSpace(in.URL)
	if err := s.allowed(ctx, access.Write); err != nil {
		return "", nil, err
	}
	if err := s.check(in); err != nil {
		return "", nil, err
	}
	if err := auth.Fresh(ctx); err != nil {
		return "", nil, err
	}
	err = s.Store.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		ctx = scope.Elevate(ctx)
		known, err := c.Integration.Query().Where(integration.ID(in.Integration), integration.Active(true), integration.ArchivedAtIsNil()).Exist(ctx)
		if err != nil {
			return err
		}
		if !known {
			return errs.Invalid("integration", "webhook.no_integration")
		}
		tx, id, err := s.end(ctx)
		if err != nil {
			return err
		}
		key := ident.New("whk")
		secret, visible := s.secret(in.Ed25519)
		shown = visible
		q := c.Webhook.Create().SetID(key).SetName(in.Name).SetURL(in.URL).SetTypes(in.Types).SetIntegrationID(in.Integration).
			SetSecret(s.Keys.Seal(secret, purpose(key))).SetCursorTx(tx).SetCursorID(id).SetCustom(map[string]any{"source": s.Source})
		if in.Ed25519 {
			q.SetScheme(entwebhook.SchemeED25519)
		}
		w, err = q.Save(ctx)
		return err
	})
	if err != nil {
		return "", nil, store.Known(err)
	}
	return shown, w, nil
}

// check says what is wrong with a new webhook.
func (s *Service) check(in Input) error {
	switch {
	case in.Name == "":
		return errs.Invalid("name", "error.required")
	case len([]rune(in.Name)) > 120:
		return errs.Invalid("name", "error.too_long", "max", 120)
	case len(in.Types) > 50:
		return errs.Invalid("types", "webhook.bad_type", "type", in.Types[50])
	}
	for _, p := range in.Types {
		if !slices.ContainsFunc(Types(), func(t Type) bool { return matches(p, t.Name) }) {
			return errs.Invalid("types", "webhook.bad_type", "type", p)
		}
	}
	return s.Out.Check(in.URL)
}

// secret makes what signs, and what the receiver is given to check signatures with.
func (s *Service) secret(pair bool) (secret []byte, shown string) {
	secret = make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	if pair {
		public, _ := ed25519.NewKeyFromSeed(secret).Public().(ed25519.PublicKey)
		return secret, "whpk_" + base64.StdEncoding.EncodeToString(public)
	}
	return secret, "whsec_" + base64.StdEncoding.EncodeToString(secret)
}

// purpose binds a sealed secret to its webhook.
func purpose(id ident.ID) string { return "webhook secret " + id.String() }

// Rotate gives a webhook a new secret and returns it; the one before signs too for a day, so that no
// message is refused while the receiver is told. Administrators only, with a recent proof.
func (s *Service) Rotate(ctx context.Context, id ident.ID) (shown string, err error) {
	if err := s.allowed(ctx, access.Write); err != nil {
		return "", err
	}
	if err := auth.Fresh(ctx); err != nil {
		return "", err
	}
	err = s.change(ctx, id, func(ctx context.Context, c *ent.Client, w *ent.Webhook) error {
		secret, visible := s.secret(w.Scheme == entwebhook.SchemeED25519)
		shown = visible
		return c.Webhook.UpdateOne(w).SetPreviousSecret(w.Secret).SetPreviousSecretUntil(s.now().Add(BothFor)).
			SetSecret(s.Keys.Seal(secret, purpose(id))).Exec(ctx)
	})
	return shown, err
}

// Pause keeps messages back; what happens meanwhile is told after Resume.
func (s *Service) Pause(ctx context.Context, id ident.ID) error {
	return s.change(ctx, id, func(ctx context.Context, c *ent.Client, w *ent.Webhook) error {
		return c.Webhook.UpdateOne(w).SetActive(false).SetStoppedBecause("").Exec(ctx)
	})
}

// Resume lets messages go out again, whatever stopped them.
func (s *Service) Resume(ctx context.Context, id ident.ID) error {
	return s.change(ctx, id, func(ctx context.Context, c *ent.Client, w *ent.Webhook) error {
		if err := c.Webhook.UpdateOne(w).SetActive(true).SetStoppedBecause("").ClearFailingSince().Exec(ctx); err != nil {
			return err
		}
		return c.WebhookDelivery.Update().Where(webhookdelivery.WebhookID(id), webhookdelivery.StatusEQ(webhookdelivery.StatusWAITING)).SetNextAt(s.now()).Exec(ctx)
	})
}

// Archive ends a webhook for good. Its log stays for a month.
func (s *Service) Archive(ctx context.Context, id ident.ID) error {
	return s.change(ctx, id, func(ctx context.Context, c *ent.Client, w *ent.Webhook) error {
		return c.Webhook.UpdateOne(w).SetActive(false).SetArchivedAt(s.now()).Exec(ctx)
	})
}

// Test sends a message that says nothing; its outcome is in the log.
func (s *Service) Test(ctx context.Context, id ident.ID) error {
	return s.change(ctx, id, func(ctx context.Context, c *ent.Client, w *ent.Webhook) error {
		if !w.Active {
			return errs.New(errs.State, "webhook.not_active")
		}
		if err := c.WebhookDelivery.Create().SetWebhookID(id).SetEventID(id).SetType(Ping).SetSubjectID(id.String()).SetNextAt(s.now()).Exec(ctx); err != nil {
			return err
		}
		return note(ctx, w, "test", nil)
	})
}

// Replay sends one message again, with the same id.
func (s *Service) Replay(ctx context.Context, delivery ident.ID) error {
	if err := s.allowed(ctx, access.Write); err != nil {
		return err
	}
	d, err := s.Store.ClientOf(ctx).WebhookDelivery.Get(scope.Elevate(ctx), delivery)
	if err != nil {
		return store.Known(err)
	}
	return s.change(ctx, d.WebhookID, func(ctx context.Context, c *ent.Client, w *ent.Webhook) error {
		if err := s.again(ctx, c, webhookdelivery.ID(delivery)); err != nil {
			return err
		}
		if err := c.WebhookDelivery.Update().Where(webhookdelivery.WebhookID(w.ID), webhookdelivery.SubjectID(d.SubjectID),
			webhookdelivery.StatusEQ(webhookdelivery.StatusWAITING)).SetNextAt(s.now()).Exec(ctx); err != nil {
			return err
		}
		return note(ctx, w, "replay", delivery)
	})
}

// ReplaySince sends all messages made since a time again, with the same ids, and returns how many that
// are: at most the newest 10,000.
func (s *Service) ReplaySince(ctx context.Context, id ident.ID, since time.Time) (n int, err error) {
	err = s.change(ctx, id, func(ctx context.Context, c *ent.Client, w *ent.Webhook) error {
		ids, err := c.WebhookDelivery.Query().Where(webhookdelivery.WebhookID(id), webhookdelivery.CreatedAtGTE(since.UTC())).
			Order(webhookdelivery.ByCreatedAt(sql.OrderDesc())).Limit(replayMost).IDs(ctx)
		if err != nil {
			return err
		}
		n = len(ids)
		for batch := range slices.Chunk(ids, 500) {
			if err := s.again(ctx, c, webhookdelivery.IDIn(batch...)); err != nil {
				return err
			}
		}
		if err := c.WebhookDelivery.Update().Where(webhookdelivery.WebhookID(id), webhookdelivery.StatusEQ(webhookdelivery.StatusWAITING)).SetNextAt(s.now()).Exec(ctx); err != nil {
			return err
		}
		return note(ctx, w, "replaySince", since.UTC())
	})
	return n, err
}

// again makes messages wait anew, with all their attempts.
func (s *Service) again(ctx context.Context, c *ent.Client, which func(*sql.Selector)) error {
	return c.WebhookDelivery.Update().Where(which).SetStatus(webhookdelivery.StatusWAITING).SetAttempts(0).SetNextAt(s.now()).ClearEndedAt().Exec(ctx)
}

// note puts into the record of changes what changes no row of it.
func note(ctx context.Context, w *ent.Webhook, what string, about any) error {
	return store.Note(ctx, store.Change{Op: store.OpEvent, Entity: "Webhook", ID: w.ID, Version: w.Version, Diff: map[string][2]any{what: {nil, cmp.Or[any](about, true)}}})
}

// change runs a verb on a webhook that has not been archived.
func (s *Service) change(ctx context.Context, id ident.ID, do func(context.Context, *ent.Client, *ent.Webhook) error) error {
	if err := s.allowed(ctx, access.Write); err != nil {
		return err
	}
	return store.Known(s.Store.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		ctx = scope.Elevate(ctx)
		w, err := c.Webhook.Query().Where(entwebhook.ID(id), entwebhook.ArchivedAtIsNil()).Where(s.Store.Lock()).Only(ctx)
		if err != nil {
			return err
		}
		return do(ctx, c, w)
	}))
}

// allowed asks the permission table: those who may not even look find nothing here.
func (s *Service) allowed(ctx context.Context, l access.Letter) error {
	v := viewer.From(ctx)
	switch {
	case v.IsSystem() || access.May(v, "Webhook", l) && (l == access.Read || !access.Bounded(v)):
		return nil
	case access.May(v, "Webhook", access.Read):
		return errs.Forbidden()
	}
	return errs.NotFound()
}

// List returns the webhooks by name, those that have been archived left out.
func (s *Service) List(ctx context.Context) ([]*ent.Webhook, error) {
	if err := s.allowed(ctx, access.Read); err != nil {
		return nil, err
	}
	list, err := s.Store.ClientOf(ctx).Webhook.Query().Where(entwebhook.ArchivedAtIsNil()).Order(entwebhook.ByName(), entwebhook.ByID()).All(scope.Elevate(ctx))
	return list, store.Known(err)
}

// Get returns one webhook.
func (s *Service) Get(ctx context.Context, id ident.ID) (*ent.Webhook, error) {
	if err := s.allowed(ctx, access.Read); err != nil {
		return nil, err
	}
	w, err := s.Store.ClientOf(ctx).Webhook.Query().Where(entwebhook.ID(id), entwebhook.ArchivedAtIsNil()).Only(scope.Elevate(ctx))
	return w, store.Known(err)
}

// Log returns the messages of a webhook, newest first, from the one after another on (empty: the first).
func (s *Service) Log(ctx context.Context, id, after ident.ID, limit int) ([]*ent.WebhookDelivery, error) {
	if err := s.allowed(ctx, access.Read); err != nil {
		return nil, err
	}
	q := s.Store.ClientOf(ctx).WebhookDelivery.Query().Where(webhookdelivery.WebhookID(id))
	if after != "" {
		q.Where(webhookdelivery.IDLT(after))
	}
	list, err := q.Order(webhookdelivery.ByID(sql.OrderDesc())).Limit(limit).All(scope.Elevate(ctx))
	return list, store.Known(err)
}
