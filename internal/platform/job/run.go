package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
)

// ErrLost is what a write of a job is refused with when the job is another worker's by now, or has
// ended. There is nothing to do but stop.
var ErrLost = errors.New("job: it is no longer this worker's")

// errDrain is why the context of a job ends when its worker is told to stop.
var errDrain = errors.New("job: the worker stops")

// permanent is a failure that another attempt cannot mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error after which the job is not tried again.
func Permanent(err error) error { return permanent{err} }

// Progress is how far a job has come. It outlives the attempt: the next one finds it in Run.Before.
type Progress struct {
	Done  int    `json:"done"`
	Total int    `json:"total"`
	Mark  string `json:"mark,omitempty"` // where the next attempt goes on
}

// Run is one attempt at a job. Its context ends when the lease is lost or the worker stops; the kind
// returns soon after that. An attempt may follow one that got half-way, so a kind either goes on from
// Before, or writes what may be written twice, or writes once, through Done.
type Run struct {
	ID        ident.ID
	Kind      string
	Attempt   int // 1 for the first
	Before    Progress
	ActorID   string // who asked for it
	ActorName string

	input   []byte
	most    int // attempts
	fence   int64
	store   *store.Store
	lease   time.Duration
	writing sync.Mutex // held by a Tx, which keeps the lease by its lock on the row
	ended   atomic.Bool
}

// Input decodes what the job was enqueued with. A failure is permanent.
func (x *Run) Input(into any) error {
	if err := json.Unmarshal(x.input, into); err != nil {
		return Permanent(fmt.Errorf("the input of %s: %w", x.Kind, err))
	}
	return nil
}

// Tx is store.Tx for what the job writes. It holds the job's row from its first statement to its last,
// and writes nothing when the job is no longer this worker's: the error is ErrLost.
func (x *Run) Tx(ctx context.Context, fn func(ctx context.Context, c *ent.Client) error) error {
	begun := time.Now()
	return x.write(ctx, fn, func(ctx context.Context) error {
		if time.Since(begun) < x.lease/3 {
			return nil
		}
		return x.renew(ctx) // else the lease might be over as soon as the row is free
	})
}

// Done writes fn, which may be nil, and marks the job as done in one transaction: what fn writes is
// written once, whatever happens to the worker. The kind returns nil after it. Not inside Tx.
func (x *Run) Done(ctx context.Context, output map[string]any, fn func(ctx context.Context, c *ent.Client) error) error {
	err := x.write(ctx, fn, func(ctx context.Context) error { return x.finish(ctx, output) })
	if err == nil {
		x.ended.Store(true)
	}
	return err
}

type writingKey struct{}

func (x *Run) write(ctx context.Context, fn func(context.Context, *ent.Client) error, last func(context.Context) error) error {
	if ctx.Value(writingKey{}) == x { // inside another Tx of this job
		return x.store.Tx(ctx, fn)
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	return x.store.Tx(context.WithValue(ctx, writingKey{}, x), func(ctx context.Context, c *ent.Client) error {
		if err := x.hold(ctx); err != nil {
			return err
		}
		if fn != nil {
			if err := fn(ctx, c); err != nil {
				return err
			}
		}
		return last(ctx)
	})
}

// hold checks the fence and locks the row, so that nobody else can take the job before this
// transaction ends. A worker that is stopped in the middle of one would keep the lock, and with it the
// job, for as long as it is stopped: PostgreSQL ends such a transaction after five leases.
func (x *Run) hold(ctx context.Context) error {
	if x.store.Dialect == dialect.Postgres {
		limit := strconv.FormatInt(5*x.lease.Milliseconds(), 10)
		if _, err := exec(ctx, x.store, "SELECT set_config('idle_in_transaction_session_timeout', $1, true)", limit); err != nil {
			return err
		}
	}
	return x.renew(ctx)
}

// set changes the job's row if it is still this worker's. Parameters of the change are $1 and so on, in
// that order: SQLite numbers them as they appear.
func (x *Run) set(ctx context.Context, change string, args ...any) error {
	id, fence := "$"+strconv.Itoa(len(args)+1), "$"+strconv.Itoa(len(args)+2)
	statement := "UPDATE jobs SET " + change + " WHERE id = " + id + " AND fence = " + fence + " AND status = 'RUNNING'"
	changed, err := exec(ctx, x.store, statement, append(args, x.ID.String(), x.fence)...)
	if err == nil && changed == 0 {
		return ErrLost
	}
	return err
}

func (x *Run) renew(ctx context.Context) error {
	return x.set(ctx, "lease_until = "+in(x.store, "$1"), moments(x.lease))
}

// Report keeps how far the job has come: at once, or with the transaction of ctx.
func (x *Run) Report(ctx context.Context, p Progress) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return x.set(ctx, "progress = $1", string(text))
}

// finish marks the job as done.
func (x *Run) finish(ctx context.Context, output map[string]any) error {
	text, err := json.Marshal(output)
	if err != nil {
		return fmt.Errorf("the output of %s: %w", x.Kind, err)
	}
	now := in(x.store, "$1")
	return x.set(ctx, "status = 'DONE', unique_key = NULL, lease_until = NULL, ended_at = "+now+", updated_at = "+now+", output = $2, error = ''",
		moments(0), string(text))
}

// longestError is how much of an error is kept.
const longestError = 2000

// fail notes why the attempt failed, and when there will be another.
func (x *Run) fail(ctx context.Context, why error, after time.Duration) error {
	text := cut(why.Error(), longestError)
	return x.set(ctx, "status = 'READY', worker = '', lease_until = NULL, run_at = "+in(x.store, "$1")+", error = $2", moments(after), text)
}

// die ends the job for want of hope.
func (x *Run) die(ctx context.Context, why error) error {
	now := in(x.store, "$1")
	return x.set(ctx, "status = 'DEAD', unique_key = NULL, lease_until = NULL, ended_at = "+now+", updated_at = "+now+", error = $2",
		moments(0), cut(why.Error(), longestError))
}

// handOver lets another worker go on at once; this attempt does not count.
func (x *Run) handOver(ctx context.Context) error {
	return x.set(ctx, "status = 'READY', worker = '', lease_until = NULL, attempts = attempts - 1, run_at = "+in(x.store, "$1"), moments(0))
}

// cut shortens a text to n bytes, between characters.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xC0 == 0x80 {
		n--
	}
	return text[:n] + "…"
}
