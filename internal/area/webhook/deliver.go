package webhook

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"

	"steward/ent"
	"steward/ent/apitoken"
	"steward/ent/changeevent"
	"steward/ent/outboxevent"
	"steward/ent/personidentity"
	"steward/ent/rolegrant"
	entwebhook "steward/ent/webhook"
	"steward/ent/webhookdelivery"
	"steward/internal/area/notify"
	"steward/internal/platform/auth"
	"steward/internal/platform/job"
	"steward/internal/platform/obs"
	"steward/internal/platform/outbound"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// pauses are how long a message waits after each attempt that failed: three days in all, to which a
// fifth at most is added by chance. After the last one it is given up.
var pauses = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour,
	6 * time.Hour, 8 * time.Hour, 8 * time.Hour, 8 * time.Hour, 8 * time.Hour, 8 * time.Hour, 8 * time.Hour, 8 * time.Hour, 8 * time.Hour}

const (
	giveUpAfter = 5 * 24 * time.Hour // of failure, a webhook is stopped
	keptFor     = 30 * 24 * time.Hour
	planMost    = 100 // events looked at in one transaction
	waitingMost = 500 // messages looked at for one to send
	sendMost    = 50  // messages in one go
	together    = 4   // at a time
	rounds      = 20  // in one turn; others want theirs too
	shortest    = 5 * time.Second
	longest     = 4 * time.Hour
	answerShown = 500
)

// Why a webhook was stopped; the messages are "webhook.stopped.<why>".
const (
	gone    = "gone"
	failing = "failing"
)

// turn is the input of the job.
type turn struct {
	Webhook ident.ID `json:"webhook"`
}

// Turn is the job: it writes down what the webhook is to be told, and sends what is due. The lease of
// the job makes it the only one who does so; whatever it notes is refused once the lease is lost.
func (s *Service) Turn(ctx context.Context, x *job.Run) error {
	var in turn
	if err := x.Input(&in); err != nil {
		return err
	}
	for range rounds {
		planned, err := s.plan(ctx, x, in.Webhook)
		if err != nil {
			return err
		}
		sent, err := s.send(ctx, x, in.Webhook)
		if err != nil {
			return err
		}
		if planned+sent == 0 {
			return nil
		}
	}
	return nil
}

// plan writes a message for each record that the next events are about, as far as the webhook wants
// and may hear of it, and moves on behind them, both or neither. It returns how many events it took.
func (s *Service) plan(ctx context.Context, x *job.Run, id ident.ID) (n int, err error) {
	err = x.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		w, err := c.Webhook.Query().Where(entwebhook.ID(id), entwebhook.Active(true), entwebhook.ArchivedAtIsNil()).Only(ctx)
		if ent.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		ids, to, err := s.next(ctx, w, planMost)
		if err != nil {
			return err
		}
		if n = len(ids); n > 0 {
			if err := s.planEvents(ctx, c, w, ids); err != nil {
				return err
			}
		}
		if to == (position{w.CursorTx, w.CursorID}) {
			return nil
		}
		return s.move(ctx, id, to)
	})
	return n, err
}

func (s *Service) planEvents(ctx context.Context, c *ent.Client, w *ent.Webhook, ids []ident.ID) error {
	events, err := c.OutboxEvent.Query().Where(outboxevent.IDIn(ids...)).All(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(events, func(a, b *ent.OutboxEvent) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	rights, err := auth.Rights(ctx, c, w.IntegrationID)
	if err != nil {
		return err
	}
	changed, err := rightsChanged(ctx, c, w.IntegrationID)
	if err != nil {
		return err
	}
	held, err := s.held(ctx, c, w)
	if err != nil {
		return err
	}
	for _, e := range events {
		messages, err := messagesOf(ctx, c, w, e.ChangeSet)
		if err != nil {
			return err
		}
		for _, m := range messages {
			may, err := s.mayHear(ctx, c, w, rights, m)
			if err != nil {
				return err
			}
			if !may && changed.Before(e.CreatedAt) {
				continue // it never was for this webhook
			}
			q := c.WebhookDelivery.Create().SetWebhookID(w.ID).SetEventID(e.ID).SetType(m.Type).SetSubjectID(m.Subject.String()).SetNextAt(held(m.Subject.String()))
			if !may {
				q.SetStatus(webhookdelivery.StatusDROPPED).SetEndedAt(s.now())
				if err := note(ctx, w, "dropped", m.Type+" "+m.Subject.String()); err != nil {
					return err
				}
			}
			if err := q.Exec(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayHear reports whether the webhook's integration may see now what a message is about.
func (s *Service) mayHear(ctx context.Context, c *ent.Client, w *ent.Webhook, rights []*viewer.Viewer, m message) (bool, error) {
	if m.Type != Changes {
		return visible(ctx, c, rights, m)
	}
	seen, err := counts(ctx, c, w, rights, m.Subject.String())
	for _, n := range seen {
		if n > 0 {
			return true, nil
		}
	}
	return false, err
}

// rightsChanged returns when the rights of an integration were last changed: what happened before that
// and cannot be seen any more was perhaps the webhook's to hear, and is noted as dropped.
func rightsChanged(ctx context.Context, c *ent.Client, id ident.ID) (time.Time, error) {
	ids, err := c.ApiToken.Query().Where(apitoken.IntegrationID(id)).IDs(ctx)
	if err != nil {
		return time.Time{}, err
	}
	last, err := c.ChangeEvent.Query().Where(changeevent.EntityIDIn(append(ids, id)...)).Order(changeevent.ByID(sql.OrderDesc())).First(ctx)
	if ent.IsNotFound(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	return last.At, nil
}

// held returns when a new message may go: not before an older one about the same record, nor, while
// nothing gets through, before the next attempt of any.
func (s *Service) held(ctx context.Context, c *ent.Client, w *ent.Webhook) (func(subject string) time.Time, error) {
	now := s.now()
	list, err := c.WebhookDelivery.Query().Where(webhookdelivery.WebhookID(w.ID), webhookdelivery.StatusEQ(webhookdelivery.StatusWAITING), webhookdelivery.NextAtGT(now)).
		Select(webhookdelivery.FieldSubjectID, webhookdelivery.FieldNextAt).Order(webhookdelivery.ByNextAt()).All(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string]time.Time{}
	for _, d := range list {
		of[d.SubjectID] = d.NextAt // the latest
	}
	return func(subject string) time.Time {
		switch {
		case of[subject].After(now):
			return of[subject]
		case w.FailingSince != nil && len(list) > 0:
			return list[0].NextAt
		}
		return now
	}, nil
}

// send tries the messages that are due and returns how many it tried.
func (s *Service) send(ctx context.Context, x *job.Run, id ident.ID) (int, error) {
	c := s.Store.Client
	w, err := c.Webhook.Query().Where(entwebhook.ID(id), entwebhook.Active(true), entwebhook.ArchivedAtIsNil()).Only(ctx)
	if ent.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	list, err := s.due(ctx, w)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	rights, err := auth.Rights(ctx, c, w.IntegrationID)
	if err != nil {
		return 0, err
	}
	var all sync.WaitGroup
	places := make(chan struct{}, together)
	failed := make([]error, len(list))
	for i, d := range list {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			failed[i] = s.deliver(ctx, x, w, rights, d)
		})
	}
	all.Wait()
	return len(list), errors.Join(failed...)
}

// due returns the messages to send now: the oldest of each record. While nothing gets through it is one
// message, the one that has waited longest for its turn: a dead receiver costs one request each time.
func (s *Service) due(ctx context.Context, w *ent.Webhook) ([]*ent.WebhookDelivery, error) {
	ids, err := s.waiting(ctx, w.ID, waitingMost)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.Client.WebhookDelivery.Query().Where(webhookdelivery.IDIn(ids...)).All(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[ident.ID]*ent.WebhookDelivery{}
	for _, d := range rows {
		byID[d.ID] = d
	}
	now := s.now()
	var out []*ent.WebhookDelivery
	seen := map[string]bool{}
	for _, id := range ids {
		d := byID[id]
		if d == nil || seen[d.SubjectID] {
			continue
		}
		seen[d.SubjectID] = true
		if !d.NextAt.After(now) && len(out) < sendMost {
			out = append(out, d)
		}
	}
	if w.FailingSince != nil && len(out) > 1 {
		return []*ent.WebhookDelivery{slices.MinFunc(out, func(a, b *ent.WebhookDelivery) int { return a.NextAt.Compare(b.NextAt) })}, nil
	}
	return out, nil
}

// deliver makes one attempt at one message and notes how it came out.
func (s *Service) deliver(ctx context.Context, x *job.Run, w *ent.Webhook, rights []*viewer.Viewer, d *ent.WebhookDelivery) error {
	text, since, may, err := s.compose(ctx, w, rights, d)
	if err != nil {
		return err
	}
	if !may {
		return x.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			if err := c.WebhookDelivery.Update().Where(webhookdelivery.ID(d.ID)).SetStatus(webhookdelivery.StatusDROPPED).SetEndedAt(s.now()).Exec(ctx); err != nil {
				return err
			}
			return note(ctx, w, "dropped", d.Type+" "+d.SubjectID)
		})
	}
	header, err := s.headers(w, d.ID, s.now(), text)
	if err != nil {
		return fmt.Errorf("the secret of %s: %w", w.ID, err)
	}
	answer, err := s.call(ctx, w, since, header, text)
	if ctx.Err() != nil {
		return ctx.Err() // stopped in the middle: it is sent again, with the same id
	}
	said := first(string(answer.Body), answerShown)
	if err != nil {
		said = err.Error()
	}
	return x.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		q := c.WebhookDelivery.Update().Where(webhookdelivery.ID(d.ID)).AddAttempts(1).SetStatusCode(answer.Status).
			SetAnswer(first(obs.Clean(said), answerShown)).SetMillis(int(answer.Took.Milliseconds()))
		if err == nil && answer.Status/100 == 2 {
			if err := q.SetStatus(webhookdelivery.StatusDELIVERED).SetEndedAt(s.now()).Exec(ctx); err != nil || w.FailingSince == nil {
				return err
			}
			return s.fails(ctx, w.ID, nil)
		}
		return s.failed(ctx, c, q, w.ID, d, answer.Status)
	})
}

// call sends a message, as a step of the trace in which what it tells was done.
func (s *Service) call(ctx context.Context, w *ent.Webhook, since string, header http.Header, text []byte) (outbound.Answer, error) {
	ctx, span := obs.Calling(ctx, "webhook", since, header)
	span.Set("steward.webhook.id", w.ID.String())
	answer, err := s.Out.Post(ctx, w.URL, header, text)
	span.Answered(answer.Status)
	span.End(err)
	return answer, err
}

// failed notes an attempt that failed: when the next one is, that the message is given up, or that the
// webhook is stopped.
func (s *Service) failed(ctx context.Context, c *ent.Client, q *ent.WebhookDeliveryUpdate, id ident.ID, d *ent.WebhookDelivery, status int) error {
	w, err := c.Webhook.Get(ctx, id) // another attempt may have failed or got through meanwhile
	if err != nil {
		return err
	}
	now := s.now()
	next := now
	if status == http.StatusGone || d.Attempts >= len(pauses) {
		q.SetStatus(webhookdelivery.StatusFAILED).SetEndedAt(now)
	} else {
		next = now.Add(random(pauses[d.Attempts]))
		q.SetNextAt(next)
	}
	if err := q.Exec(ctx); err != nil {
		return err
	}
	waits := func(until time.Time, more ...func(*sql.Selector)) error {
		u := c.WebhookDelivery.Update().Where(webhookdelivery.WebhookID(id), webhookdelivery.StatusEQ(webhookdelivery.StatusWAITING), webhookdelivery.NextAtLT(until))
		for _, p := range more {
			u.Where(p)
		}
		return u.SetNextAt(until).Exec(ctx)
	}
	if err := waits(next, webhookdelivery.SubjectID(d.SubjectID)); err != nil {
		return err
	}
	switch {
	case status == http.StatusGone:
		return s.stop(ctx, c, w, gone)
	case w.FailingSince == nil:
		return s.fails(ctx, id, &now)
	case now.Sub(*w.FailingSince) >= giveUpAfter:
		return s.stop(ctx, c, w, failing)
	}
	return waits(now.Add(random(min(max(now.Sub(*w.FailingSince)/2, shortest), longest))))
}

// stop ends the sending until an administrator resumes it, and tells those.
func (s *Service) stop(ctx context.Context, c *ent.Client, w *ent.Webhook, why string) error {
	if !w.Active {
		return nil
	}
	if err := c.Webhook.UpdateOne(w).SetActive(false).SetStoppedBecause(why).Exec(ctx); err != nil {
		return err
	}
	admins, err := administrators(ctx, c, s.now())
	if err != nil {
		return err
	}
	for _, person := range admins {
		if err := notify.Tell(ctx, s.Store, person, "webhook.told."+why, map[string]any{"name": w.Name}, "/admin/webhooks/"+w.ID.String(), ""); err != nil {
			return err
		}
	}
	return nil
}

// administrators are the people who look after webhooks.
func administrators(ctx context.Context, c *ent.Client, now time.Time) ([]ident.ID, error) {
	role := string(access.RoleAppAdmin)
	granted, err := c.RoleGrant.Query().Where(rolegrant.Role(role), rolegrant.ArchivedAtIsNil(), rolegrant.Or(rolegrant.UntilIsNil(), rolegrant.UntilGT(now))).All(ctx)
	if err != nil {
		return nil, err
	}
	known, err := c.PersonIdentity.Query().Where(func(sel *sql.Selector) { sel.Where(sqljson.ValueContains(personidentity.FieldRoles, role)) }).All(ctx)
	if err != nil {
		return nil, err
	}
	var out []ident.ID
	for _, g := range granted {
		out = append(out, g.PersonID)
	}
	for _, i := range known {
		out = append(out, i.PersonID)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// compose writes the body of a message, and reports false when the webhook may no longer hear it. It is
// the same at every attempt. Since is the trace of the change it tells, if there is one.
func (s *Service) compose(ctx context.Context, w *ent.Webhook, rights []*viewer.Viewer, d *ent.WebhookDelivery) (text []byte, since string, may bool, err error) {
	c := s.Store.Client
	if d.Type == Ping {
		text, err = body(w, d, d.CreatedAt, map[string]any{})
		return text, "", true, err
	}
	event, err := c.OutboxEvent.Get(ctx, d.EventID)
	if ent.IsNotFound(err) {
		return nil, "", false, nil // past its keeping
	}
	if err != nil {
		return nil, "", false, err
	}
	since, _ = event.Payload[store.TraceOf].(string)
	data := map[string]any{"changeSet": event.ChangeSet}
	if d.Type == Changes {
		seen, err := counts(ctx, c, w, rights, event.ChangeSet)
		if err != nil {
			return nil, "", false, err
		}
		for key, n := range seen {
			if n == 0 {
				delete(seen, key)
			}
		}
		data["changes"] = seen
		text, err = body(w, d, event.CreatedAt, data)
		return text, since, len(seen) > 0, err
	}
	row, err := c.ChangeEvent.Query().Where(changeevent.ChangeSet(event.ChangeSet), changeevent.EntityID(ident.ID(d.SubjectID)), changeevent.OpNEQ(changeevent.OpEVENT)).
		Order(changeevent.ByID(sql.OrderDesc())).First(ctx)
	if ent.IsNotFound(err) {
		return nil, "", false, nil
	}
	if err != nil {
		return nil, "", false, err
	}
	may, err = visible(ctx, c, rights, message{Subject: row.EntityID, Entity: row.EntityType, op: row.Op, place: placeOf(row)})
	if err != nil || !may {
		return nil, "", false, err
	}
	data["type"], data["id"] = row.EntityType, row.EntityID
	if row.PortfolioID != nil {
		data["portfolio"] = *row.PortfolioID
	}
	text, err = body(w, d, event.CreatedAt, data)
	return text, since, true, err
}

// Purge deletes messages that are a month old, a part in each transaction of the job, and returns how many.
func (s *Service) Purge(ctx context.Context, x *job.Run) (total int, err error) {
	before := s.now().Add(-keptFor)
	for n := waitingMost; n == waitingMost; total += n {
		if err := x.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			ids, err := c.WebhookDelivery.Query().Where(webhookdelivery.CreatedAtLT(before)).Limit(waitingMost).IDs(ctx)
			if err == nil {
				n, err = c.WebhookDelivery.Delete().Where(webhookdelivery.IDIn(ids...)).Exec(ctx)
			}
			return err
		}); err != nil {
			return total, err
		}
	}
	return total, nil
}

// random makes a pause longer by a fifth at most, so that what failed together does not come back together.
func random(d time.Duration) time.Duration { return d + rand.N(d/5+1) }

// first cuts a text to n bytes, between characters.
func first(text string, n int) string { return strings.ToValidUTF8(text[:min(len(text), n)], "") }
