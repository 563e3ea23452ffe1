package webhook

import (
	"context"
	"errors"
	"time"

	"entgo.io/ent/dialect"

	"steward/ent"
	entwebhook "steward/ent/webhook"
	"steward/internal/platform/job"
	"steward/internal/rules/ident"
)

// Events are told in the order in which they were committed. On PostgreSQL that is the number of the
// transaction, and only events of transactions older than every one still running are taken, so that
// none can slip in behind; SQLite has one writer, and numbers its rows. This file is the SQL that says so.

// position is where a webhook stands in that order.
type position struct {
	tx int64
	id string
}

// end returns the position after all events there are.
func (s *Service) end(ctx context.Context) (tx int64, id string, err error) {
	if s.Store.Dialect == dialect.Postgres {
		tx, err = s.number(ctx, "SELECT txid_snapshot_xmin(txid_current_snapshot()) - 1")
		return tx, "~", err // after every id
	}
	tx, err = s.number(ctx, "SELECT COALESCE(MAX(rowid), 0) FROM outbox_events")
	return tx, "", err
}

func (s *Service) number(ctx context.Context, query string, args ...any) (n int64, err error) {
	rows, err := s.Store.Raw(ctx).QueryContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&n)
	}
	return n, errors.Join(err, rows.Err())
}

// next returns the ids of the events after a webhook's position, and the position after them. A
// database that was restored counts its transactions anew: a position that lies in the future begins
// again where the database is now.
func (s *Service) next(ctx context.Context, w *ent.Webhook, most int) (ids []ident.ID, at position, err error) {
	at = position{w.CursorTx, w.CursorID}
	query, args := "SELECT rowid, id FROM outbox_events WHERE rowid > $1 ORDER BY rowid LIMIT $2", []any{at.tx, most}
	if s.Store.Dialect == dialect.Postgres {
		newest, err := s.number(ctx, "SELECT txid_snapshot_xmax(txid_current_snapshot())")
		if err != nil {
			return nil, at, err
		}
		if at.tx > newest {
			at.tx, at.id, err = s.end(ctx)
			return nil, at, err
		}
		query = `SELECT tx_id, id FROM outbox_events WHERE (tx_id, id) > ($1, $2) AND tx_id < txid_snapshot_xmin(txid_current_snapshot())
			ORDER BY tx_id, id LIMIT $3`
		args = []any{at.tx, at.id, most}
	}
	rows, err := s.Store.Raw(ctx).QueryContext(ctx, query, args...)
	if err != nil {
		return nil, at, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&at.tx, &at.id); err != nil {
			return nil, at, err
		}
		ids = append(ids, ident.ID(at.id))
	}
	return ids, at, rows.Err()
}

// move keeps how far a webhook has come. It is no change that anybody should read of, and must not
// become an event itself.
func (s *Service) move(ctx context.Context, id ident.ID, to position) error {
	_, err := s.Store.Raw(ctx).ExecContext(ctx, "UPDATE webhooks SET cursor_tx = $1, cursor_id = $2 WHERE id = $3", to.tx, to.id, id.String())
	return err
}

// fails keeps since when nothing has got through to a webhook; nil: it does.
func (s *Service) fails(ctx context.Context, id ident.ID, since *time.Time) error {
	_, err := s.Store.Raw(ctx).ExecContext(ctx, "UPDATE webhooks SET failing_since = $1 WHERE id = $2", since, id.String())
	return err
}

// waiting returns the ids of a webhook's messages that have not been delivered, in the order of their events.
func (s *Service) waiting(ctx context.Context, id ident.ID, most int) (ids []ident.ID, err error) {
	order := "e.rowid"
	if s.Store.Dialect == dialect.Postgres {
		order = "e.tx_id"
	}
	query := `SELECT d.id FROM webhook_deliveries d LEFT JOIN outbox_events e ON e.id = d.event_id
		WHERE d.webhook_id = $1 AND d.status = 'WAITING' ORDER BY COALESCE(` + order + `, 0), d.event_id, d.id LIMIT $2`
	rows, err := s.Store.Raw(ctx).QueryContext(ctx, query, id.String(), most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var x ident.ID
		if err := rows.Scan(&x); err != nil {
			return nil, err
		}
		ids = append(ids, x)
	}
	return ids, rows.Err()
}

// Kind is the name of the job in which a webhook has its turn.
const Kind = "webhook"

// Sweep makes a job for each webhook that has something to tell, unless it has one, and returns how
// many have. Every server may call it, as often as it likes.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	query := `SELECT w.id FROM webhooks w WHERE w.active AND w.archived_at IS NULL AND (
		EXISTS (SELECT 1 FROM outbox_events e WHERE e.rowid > w.cursor_tx)
		OR EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.status = 'WAITING' AND d.next_at <= $1))`
	if s.Store.Dialect == dialect.Postgres {
		query = `SELECT w.id FROM webhooks w WHERE w.active AND w.archived_at IS NULL AND (
		EXISTS (SELECT 1 FROM outbox_events e WHERE (e.tx_id, e.id) > (w.cursor_tx, w.cursor_id) AND e.tx_id < txid_snapshot_xmin(txid_current_snapshot()))
		OR w.cursor_tx > txid_snapshot_xmax(txid_current_snapshot())
		OR EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.status = 'WAITING' AND d.next_at <= $1))`
	}
	rows, err := s.Store.Raw(ctx).QueryContext(ctx, query, s.now())
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var ids []ident.ID
	for rows.Next() {
		var id ident.ID
		if err := rows.Scan(&id); err != nil {
			return 0, err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	rows.Close()
	for _, id := range ids {
		if _, err := job.Enqueue(ctx, s.Store, Kind, turn{id}, job.Options{Unique: Kind + " " + id.String()}); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// Lag is how far the webhooks are behind.
type Lag struct {
	Outbox   time.Duration // how long the oldest event has waited to be looked at
	Delivery time.Duration // for how long the message that is due longest has been
	Failing  time.Duration // for how long nothing has got through to the webhook of which that is true longest
	Stopped  int           // webhooks that wait for an administrator
	Dead     int           // messages that were given up, of the last month; deadMost for more
}

// deadMost is how many messages that were given up are counted.
const deadMost = 10_000

// Lag returns how far the webhooks that are served are behind. Each of its queries follows an index.
func (s *Service) Lag(ctx context.Context) (x Lag, err error) {
	list, err := s.Store.Client.Webhook.Query().Where(entwebhook.ArchivedAtIsNil()).All(ctx)
	if err != nil {
		return x, err
	}
	now := s.now()
	var slowest *position
	for _, w := range list {
		if !w.Active {
			if w.StoppedBecause != "" {
				x.Stopped++
			}
			continue
		}
		if at := (position{w.CursorTx, w.CursorID}); slowest == nil || at.tx < slowest.tx || at.tx == slowest.tx && at.id < slowest.id {
			slowest = &at
		}
		if w.FailingSince != nil {
			x.Failing = max(x.Failing, now.Sub(*w.FailingSince))
		}
	}
	if slowest != nil {
		query, args := "SELECT created_at FROM outbox_events WHERE rowid > $1 ORDER BY rowid LIMIT 1", []any{slowest.tx}
		if s.Store.Dialect == dialect.Postgres {
			query, args = "SELECT created_at FROM outbox_events WHERE (tx_id, id) > ($1, $2) ORDER BY tx_id, id LIMIT 1", []any{slowest.tx, slowest.id}
		}
		if x.Outbox, err = s.since(ctx, now, query, args...); err != nil {
			return x, err
		}
	}
	if x.Delivery, err = s.since(ctx, now, `SELECT d.next_at FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id
		WHERE w.active AND w.archived_at IS NULL AND d.status = 'WAITING' AND d.next_at <= $1 ORDER BY d.next_at LIMIT 1`, now); err != nil {
		return x, err
	}
	dead, err := s.number(ctx, "SELECT COUNT(*) FROM (SELECT 1 FROM webhook_deliveries WHERE status = 'FAILED' LIMIT $1) AS dead", deadMost)
	x.Dead = int(dead)
	return x, err
}

// since returns how long ago the moment was that a query finds, 0 for none.
func (s *Service) since(ctx context.Context, now time.Time, query string, args ...any) (time.Duration, error) {
	rows, err := s.Store.Raw(ctx).QueryContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if !rows.Next() {
		return 0, rows.Err()
	}
	var at time.Time
	if err := rows.Scan(&at); err != nil {
		return 0, err
	}
	return max(0, now.Sub(at)), nil
}
