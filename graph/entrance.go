package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"steward/internal/platform/event"
	"steward/internal/platform/obs"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// call is what is known of one request on its way through the door.
type call struct {
	id      string // of the request, in every error
	viewer  *viewer.Viewer
	header  http.Header // of the answer
	status  int         // of the answer, 0 for the usual one
	asked   int         // points
	left    int         // points
	plan    *plan       // nil until the operation has passed every check
	writes  bool        // the operation is a mutation
	refused sync.Map    // field of the schema → code, of what the caller was not allowed to do
	loaders sync.Map    // see action.go
	stream  *stream     // nil for an answer in one piece

	kind     string       // of the operation, once it is known
	document string       // name of the stored one, if it is one
	outcome  atomic.Int32 // see fault
}

type callKey struct{}

func callOf(ctx context.Context) *call { c, _ := ctx.Value(callKey{}).(*call); return c }

// ServeHTTP checks the request from the outside in: who asks (401), the method
// (405), the size (413), the media type (415), that it is one JSON object (400).
// gqlgen then parses it; see MutateOperationParameters and the ones after it. A
// body is never repeated in an answer.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{id: obs.RequestID(r.Context()), header: w.Header(), left: d.limits.Points}
	if c.id == "" {
		c.id = ident.New("req").String()
	}
	ctx := context.WithValue(r.Context(), callKey{}, c)
	v := viewer.From(ctx)
	if v == nil {
		w.Header().Set("WWW-Authenticate", "Bearer")
		d.refuse(ctx, w, http.StatusUnauthorized, errs.New(errs.Unauthenticated, "error.unauthenticated"))
		return
	}
	mine := *v
	mine.RequestID = c.id
	if mine.Via == viewer.ViaPage {
		mine.Via = viewer.ViaAPI
	}
	c.viewer = &mine
	ctx = viewer.With(ctx, &mine)
	if d.meter.points > 0 {
		c.left, _ = d.meter.charge(&mine, 0)
		d.tellRate(c)
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		d.refuse(ctx, w, http.StatusMethodNotAllowed, errs.New(errs.Validation, "graph.method"))
		return
	}
	if r.ContentLength > d.limits.Body {
		d.refuse(ctx, w, http.StatusRequestEntityTooLarge, tooLarge("graph.body", int(d.limits.Body>>10)))
		return
	}
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" || r.Header.Get("Upgrade") != "" {
		d.refuse(ctx, w, http.StatusUnsupportedMediaType, errs.New(errs.Validation, "graph.media_type"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, d.limits.Body))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			d.refuse(ctx, w, http.StatusRequestEntityTooLarge, tooLarge("graph.body", int(d.limits.Body>>10)))
			return
		}
		d.refuse(ctx, w, http.StatusBadRequest, errs.New(errs.Validation, "graph.not_json"))
		return
	}
	if body, err = d.readable(ctx, body); err != nil {
		status := http.StatusBadRequest
		if errs.CodeOf(err) == errs.CodeForbidden {
			status = http.StatusForbidden
		}
		d.refuse(ctx, w, status, err)
		return
	}
	if streams(r) {
		c.stream = &stream{from: r.Header.Get("Last-Event-ID"), ready: make(chan struct{}, 1), ids: make(chan string, 1)}
		if d.again != nil {
			c.stream.again = func() (*viewer.Viewer, error) { return d.again(r) }
		}
	}
	begun := time.Now().UTC()
	ctx, span := obs.Step(ctx, "graphql")
	r = r.WithContext(ctx)
	r.Body = io.NopCloser(bytes.NewReader(body))
	defer func() { d.metrics.count(c, time.Since(begun), span) }()
	d.next.ServeHTTP(&answer{ResponseWriter: w, call: c}, r)
	c.refused.Range(func(field, code any) bool { // one row is enough
		d.events.Refused(ctx, event.Refused, "", map[string]any{"route": "POST /graphql", "field": field, "code": code})
		return false
	})
}

// readable returns the body with the stored document that it may name, or why it is
// not one GraphQL request.
func (d *door) readable(ctx context.Context, body []byte) ([]byte, error) {
	if first := bytes.TrimLeft(body, " \t\r\n"); len(first) > 0 && first[0] == '[' {
		return nil, errs.New(errs.Validation, "graph.batch")
	}
	if !json.Valid(body) {
		return nil, errs.New(errs.Validation, "graph.not_json")
	}
	var q request
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber() // no digit of a variable is lost on the way
	if in.Decode(&q) != nil {
		return nil, errs.New(errs.Validation, "graph.not_json")
	}
	named := q.Query == ""
	if err := d.document(ctx, &q); err != nil || !named {
		return body, err
	}
	return q.body()
}

// refuse answers a request that is not executed.
func (d *door) refuse(ctx context.Context, w http.ResponseWriter, status int, err error) {
	c := callOf(ctx)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	resp := graphql.Response{Errors: gqlerror.List{d.present(ctx, err)}}
	if c.viewer != nil {
		resp.Extensions = map[string]any{"cost": cost{c.asked, c.left}}
	}
	_ = json.NewEncoder(w).Encode(resp) // the caller may have gone
}

// answer lets the checks choose the status after gqlgen has begun to write.
type answer struct {
	http.ResponseWriter
	call    *call
	started bool
}

func (a *answer) WriteHeader(status int) {
	if a.started {
		return
	}
	a.started = true
	if a.call.status != 0 {
		status = a.call.status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if !a.started {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController find what sends events and keeps deadlines.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// tellRate says what is left of a minute's points, and when all of them are there again.
func (d *door) tellRate(c *call) {
	all := d.meter.points
	c.header.Set("RateLimit-Limit", strconv.Itoa(all))
	c.header.Set("RateLimit-Remaining", strconv.Itoa(c.left))
	c.header.Set("RateLimit-Reset", strconv.Itoa((max(0, all-c.left)*60+all-1)/all))
}

// wait tells the caller when to come back.
func (c *call) wait(status, seconds int) {
	c.status = status
	c.header.Set("Retry-After", strconv.Itoa(max(1, seconds)))
}
