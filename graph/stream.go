package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"steward/internal/platform/obs"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

const (
	// heartbeat is how often a quiet stream says that it is there, and looks whether its
	// caller still may.
	heartbeat = 15 * time.Second
	// writeWait is how long one event may take to be sent.
	writeWait = 30 * time.Second
	// checkEvery is how long an answer to "may they still" holds while events are many.
	checkEvery = time.Second
)

// stream is the part of a call that answers in events.
//
// One goroutine reads (follow), another executes and sends (events). They take turns:
// the reader writes to the call's viewer only between ready, which says that the last
// event has been executed, and the sending of the next one.
type stream struct {
	again   func() (*viewer.Viewer, error) // who asks, as of now
	from    string                         // Last-Event-ID
	open    bool                           // there will be events
	ready   chan struct{}                  // has room for one
	ids     chan string                    // of the events, in their order
	checked time.Time
	err     error // why it ended, read after it has
}

// check looks again at who asks and what they may do.
func (c *call) check(now bool) error {
	s := c.stream
	if s.again == nil || !now && time.Since(s.checked) < checkEvery {
		return nil
	}
	v, err := s.again()
	if err != nil {
		return err
	}
	fresh := *v
	fresh.RequestID, fresh.Via, fresh.Lang = c.viewer.RequestID, c.viewer.Via, c.viewer.Lang
	*c.viewer = fresh
	s.checked = time.Now().UTC()
	return nil
}

// item is one value of a stream and the id under which a client goes on after it.
type item[T any] struct {
	id    string
	value T
}

// state is what a reader does next.
type state int

const (
	idle  state = iota // wait for news
	again              // read on at once
	ended              // there will be no more
)

// follow makes a stream of what read returns each time the hub has news of what is
// wished for.
func follow[T any](ctx context.Context, r *Resolver, w wish, read func(ctx context.Context, n news) ([]item[T], state, error)) (<-chan T, error) {
	c := callOf(ctx)
	l, err := r.hub.join(ctx, caller(c.viewer), w)
	if err != nil {
		if errs.CodeOf(err) == errs.Limit {
			c.wait(http.StatusTooManyRequests, 30)
		}
		return nil, err
	}
	c.stream.open = true
	out := make(chan T)
	go func() {
		defer close(out)
		defer r.hub.leave(l)
		c.stream.err = pump(ctx, c, l, out, read)
	}()
	return out, nil
}

func pump[T any](ctx context.Context, c *call, l *listener, out chan<- T, read func(context.Context, news) ([]item[T], state, error)) (err error) {
	var waiting []item[T]
	next := idle
	for {
		select {
		case <-c.stream.ready:
		case <-ctx.Done():
			return nil
		}
		for len(waiting) == 0 && next != ended {
			var n news
			if next == idle {
				select {
				case <-ctx.Done():
					return nil
				case <-time.After(heartbeat):
					if err := c.check(true); err != nil {
						return err
					}
					continue
				case <-l.wake:
					n = l.take()
				}
			}
			if err := c.check(false); err != nil {
				return err
			}
			if waiting, next, err = read(ctx, n); err != nil {
				return err
			}
		}
		if len(waiting) == 0 {
			return nil
		}
		if err := c.check(false); err != nil {
			return err
		}
		c.stream.ids <- waiting[0].id
		select {
		case out <- waiting[0].value:
			waiting = waiting[1:]
		case <-ctx.Done():
			return nil
		}
	}
}

// sse is the transport of streams: one request, one stream ("distinct connections" of
// the protocol GraphQL over Server-Sent Events).
type sse struct{ door *door }

// Supports reports whether the request asks for events.
func (sse) Supports(r *http.Request) bool { return streams(r) }

func streams(r *http.Request) bool {
	return slices.ContainsFunc(strings.Split(r.Header.Get("Accept"), ","), func(s string) bool {
		return strings.HasPrefix(strings.TrimSpace(s), "text/event-stream")
	})
}

// Do executes the operation and sends its answers. What is wrong before the first one
// is answered like any other request.
func (t sse) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	obs.RequestFrom(ctx).SetRoute("/graphql (stream)") // hours would drown the times of answers
	c := callOf(ctx)
	var p graphql.RawParams
	body := json.NewDecoder(r.Body)
	body.UseNumber()
	if err := body.Decode(&p); err != nil {
		t.door.refuse(ctx, w, http.StatusBadRequest, errs.New(errs.Validation, "graph.not_json"))
		return
	}
	p.Headers = r.Header
	oc, list := exec.CreateOperationContext(ctx, &p)
	if list != nil {
		t.answer(w, exec.DispatchError(graphql.WithOperationContext(ctx, oc), list))
		return
	}
	responses, ctx := exec.DispatchOperation(ctx, oc)
	if oc.Operation.Operation == ast.Subscription && !c.stream.open {
		t.answer(w, responses(ctx))
		return
	}
	next := make(chan *graphql.Response)
	go t.execute(ctx, c, responses, next)
	t.send(ctx, w, c, next)
}

// execute makes one answer after the other; to a query or mutation there is one.
func (t sse) execute(ctx context.Context, c *call, responses graphql.ResponseHandler, next chan<- *graphql.Response) {
	defer close(next)
	defer func() {
		if p := recover(); p != nil {
			_ = t.door.recovered(ctx, p)
		}
	}()
	for more := true; more; more = c.stream.open {
		select {
		case c.stream.ready <- struct{}{}:
		default:
		}
		resp := responses(ctx)
		if resp == nil {
			return
		}
		select {
		case next <- resp:
		case <-ctx.Done():
			return
		}
	}
}

// answer refuses in the form of every other answer.
func (t sse) answer(w http.ResponseWriter, resp *graphql.Response) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusUnprocessableEntity)
	_ = json.NewEncoder(w).Encode(resp) // the caller may have gone
}

// send writes the answers as they come, and a sign of life while none do, until there
// are no more, the caller has gone or this server stops.
func (t sse) send(ctx context.Context, w http.ResponseWriter, c *call, next <-chan *graphql.Response) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // the connection is to stay; a recorder of tests has no deadlines
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	write := func(text []byte) bool {
		_ = control.SetWriteDeadline(time.Now().UTC().Add(writeWait))
		if _, err := w.Write(text); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for ok := write([]byte(":\n\n")); ok; {
		select {
		case <-ctx.Done():
			return
		case <-t.door.closing:
			write([]byte("event: complete\ndata:\n\n"))
			return
		case <-beat.C:
			ok = write([]byte(":\n\n"))
		case resp, more := <-next:
			if !more {
				if err := c.stream.err; err != nil {
					write(message("", &graphql.Response{Errors: gqlerror.List{t.door.present(ctx, err)}}))
				}
				write([]byte("event: complete\ndata:\n\n"))
				return
			}
			id := ""
			if c.stream.open {
				id = <-c.stream.ids
			}
			ok = write(message(id, resp))
		}
	}
}

// message writes one answer as an event.
func message(id string, resp *graphql.Response) []byte {
	var b bytes.Buffer
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	b.WriteString("event: next\ndata: ")
	_ = json.NewEncoder(&b).Encode(resp) // one line, ended by a line feed
	b.WriteString("\n")
	return b.Bytes()
}
