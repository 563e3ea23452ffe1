// Package job does work in the background: a job is a row that exists exactly when the change that
// asked for it does, and that one of any number of workers takes, does, and marks as done.
//
// A worker holds a job by a lease, which it renews while it works. Each taking makes the job's fence
// one larger, and whatever a job writes through Run.Tx is refused when the fence has moved on. So a
// worker that died is replaced when its lease has run out, and one that was only stopped, and wakes
// up when another has its job, can do no harm.
//
// Anybody may call Enqueue. internal/app makes the Runner and says which kinds there are; the page of
// administrators uses manage.go.
package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"entgo.io/ent/dialect"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Options say more about a job that is enqueued.
type Options struct {
	// Unique makes two jobs one: while a job of this key has not ended, Enqueue returns that one. A
	// job that is being done counts, so it may not see the change that asked again.
	Unique string
	// RunAt is when it may begin; zero is at once.
	RunAt time.Time
	// Attempts is how often it may be tried; zero is five times.
	Attempts int
	// Portfolio is where the job belongs, if anywhere.
	Portfolio ident.ID
}

const attempts = 5

// Enqueue makes a job in the transaction of ctx, or in one of its own, and returns its id. It is done
// by the system; who asked for it is kept in the row, and rights are checked by whoever enqueues or by
// the kind. The input must be an object in JSON; nil is an empty one.
func Enqueue(ctx context.Context, s *store.Store, kind string, input any, o Options) (id ident.ID, err error) {
	v := viewer.From(ctx)
	switch {
	case v == nil:
		return "", store.ErrNoViewer
	case kind == "" || len(kind) > 60 || len(o.Unique) > 200:
		return "", fmt.Errorf("job: the kind %q or the key %q is empty or too long", kind, o.Unique)
	}
	text := []byte("{}")
	if input != nil {
		if text, err = json.Marshal(input); err != nil {
			return "", fmt.Errorf("job: the input of %s: %w", kind, err)
		}
	}
	if o.Attempts == 0 {
		o.Attempts = attempts
	}
	err = s.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
		for range 3 { // the job that has the key may end between the two statements
			id = ident.New("job")
			made, err := insert(ctx, s, id, kind, string(text), o, v)
			if err != nil || made {
				return err
			}
			if id, err = holder(ctx, s, o.Unique); err != nil || id != "" {
				return err
			}
		}
		return errors.New("job: the key " + o.Unique + " is taken and free in turns")
	})
	return id, store.Known(err)
}

// insert reports false when another job has the key. It waits for a transaction that is about to take it.
func insert(ctx context.Context, s *store.Store, id ident.ID, kind, input string, o Options, v *viewer.Viewer) (bool, error) {
	now := in(s, "$1")
	args := []any{moments(0), id.String(), string(v.ID), kind, null(o.Unique), input, o.Attempts, v.Name, null(o.Portfolio.String())}
	runAt := now
	if !o.RunAt.IsZero() {
		runAt, args = "$10", append(args, o.RunAt.UTC().Truncate(time.Microsecond))
	}
	n, err := exec(ctx, s, `INSERT INTO jobs (created_at, updated_at, id, created_by, updated_by, actor_id, kind, unique_key, input, max_attempts, actor_name, portfolio_id, run_at)
		VALUES (`+now+`, `+now+`, $2, $3, $3, $3, $4, $5, $6, $7, $8, $9, `+runAt+`) ON CONFLICT (unique_key) DO NOTHING`, args...)
	return n == 1, err
}

// holder returns the job that has a unique key, "" where none has.
func holder(ctx context.Context, s *store.Store, key string) (id ident.ID, err error) {
	rows, err := s.Raw(ctx).QueryContext(ctx, "SELECT id FROM jobs WHERE unique_key = $1", key)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&id)
	}
	return id, errors.Join(err, rows.Err())
}

// in is an instant in SQL: the time of the database plus the interval of the parameter. PostgreSQL's
// own clock is asked, so that workers whose clocks differ or jump agree about leases. SQLite's is that
// of the machine on which everybody is who has the file open.
func in(s *store.Store, param string) string {
	if s.Dialect == dialect.Postgres {
		return "(statement_timestamp() + CAST(" + param + " AS interval))" // stable within a statement, so an index can be used
	}
	return "strftime('%Y-%m-%d %H:%M:%f000+00:00', 'now', " + param + ")"
}

// moments writes a duration as both databases read it.
func moments(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) + " seconds"
}

// clock returns the time of the database.
func clock(ctx context.Context, s *store.Store) (now time.Time, err error) {
	if s.Dialect != dialect.Postgres {
		return time.Now().UTC().Truncate(time.Microsecond), nil
	}
	rows, err := s.Raw(ctx).QueryContext(ctx, "SELECT statement_timestamp()")
	if err != nil {
		return now, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&now)
	}
	return now.UTC(), errors.Join(err, rows.Err())
}

// exec runs a statement in the transaction of ctx, or alone, and returns how many rows it changed.
func exec(ctx context.Context, s *store.Store, statement string, args ...any) (int64, error) {
	r, err := s.Raw(ctx).ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

func null(text string) any {
	if text == "" {
		return nil
	}
	return text
}
