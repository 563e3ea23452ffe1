package graph

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"steward/ent"
	"steward/ent/job"
	"steward/ent/notification"
	"steward/internal/platform/feed"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

const (
	// hubEvery is how often the database is asked what is new, once for all streams.
	hubEvery = 500 * time.Millisecond
	// streamsMax bounds the streams of one process, whoever opened them.
	streamsMax = 2000
	// noteWindow is how long after it was written a notification may still be committed.
	noteWindow = time.Minute
)

// news is what the hub has found since a stream last looked.
type news struct {
	from, to feed.Place
	all      bool            // too much to name the types
	types    map[string]bool // of what changed between from and to
	job      *ent.Job
	notes    []*ent.Notification
}

// add makes one news of two, the later one last.
func (n *news) add(o news) {
	if n.to == n.from {
		n.from = o.from
	}
	n.to, n.all, n.notes = o.to, n.all || o.all, append(n.notes, o.notes...)
	if o.job != nil {
		n.job = o.job
	}
	if n.types == nil {
		n.types = map[string]bool{}
	}
	for t := range o.types {
		n.types[t] = true
	}
}

// wish is what one stream waits for.
type wish struct {
	types  []string // changes of these
	job    ident.ID
	person ident.ID // notifications of theirs
}

// listener is one stream's end of the hub.
type listener struct {
	wish
	caller string
	wake   chan struct{} // has room for one
	mu     sync.Mutex
	news   *news
}

// take returns what is new.
func (l *listener) take() news {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := *l.news
	l.news = &news{from: n.to, to: n.to}
	return n
}

func (l *listener) tell(n news) {
	l.mu.Lock()
	l.news.add(n)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// hub asks the database for all streams of the process what is new, and only while
// there are any.
type hub struct {
	store *store.Store
	log   *slog.Logger
	each  int // streams of one caller
	open  prometheus.Gauge
	mu    sync.Mutex
	all   map[*listener]bool
	of    map[string]int
	runs  bool
	at    feed.Place // of the last look
}

func newHub(s *store.Store, log *slog.Logger, each int, open prometheus.Gauge) *hub {
	return &hub{store: s, log: log, each: each, open: open, all: map[*listener]bool{}, of: map[string]int{}}
}

// join makes a stream of the caller hear of what it wishes. The error is Limit for too
// many streams.
func (h *hub) join(ctx context.Context, who string, w wish) (*listener, error) {
	now, err := feed.Now(ctx, h.store)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of[who] >= h.each || len(h.all) >= streamsMax {
		return nil, errs.New(errs.Limit, "graph.streams", "max", h.each)
	}
	if !h.runs {
		h.runs, h.at = true, now
		go h.run()
	}
	if now.Before(h.at) { // somebody has looked since
		now = h.at
	}
	l := &listener{wish: w, caller: who, wake: make(chan struct{}, 1), news: &news{from: now, to: now}}
	l.wake <- struct{}{} // what has happened before it joined is read at once
	h.all[l] = true
	h.of[who]++
	h.open.Inc()
	return l, nil
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, l)
	h.open.Dec()
	if h.of[l.caller]--; h.of[l.caller] == 0 {
		delete(h.of, l.caller)
	}
}

// run looks until nobody listens any more.
func (h *hub) run() {
	ctx := scope.Elevate(viewer.With(context.Background(), viewer.NewSystem(viewer.ViaAPI, "")))
	for failed := false; ; {
		time.Sleep(hubEvery)
		h.mu.Lock()
		list := make([]*listener, 0, len(h.all))
		for l := range h.all {
			list = append(list, l)
		}
		h.runs = len(list) > 0 // else the next one to join starts another
		h.mu.Unlock()
		if len(list) == 0 {
			return
		}
		look, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := h.look(look, list)
		cancel()
		if err != nil && !failed {
			h.log.WarnContext(ctx, "streams wait for the database", "error", err)
		}
		failed = err != nil
	}
}

// look asks once and tells everybody.
func (h *hub) look(ctx context.Context, list []*listener) error {
	now, err := feed.Now(ctx, h.store)
	if err != nil {
		return err
	}
	h.mu.Lock()
	at := h.at
	h.mu.Unlock()
	changed := news{from: at, to: now}
	if now != at {
		if changed.types, changed.all, err = feed.Kinds(ctx, h.store, at, now); err != nil {
			return err
		}
	}
	jobs, err := h.jobs(ctx, list)
	if err != nil {
		return err
	}
	notes, err := h.notes(ctx, list)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.at = now
	h.mu.Unlock()
	for _, l := range list {
		n := changed
		n.job, n.notes = jobs[l.job], notes[l.person]
		if n.from != n.to || n.job != nil || len(n.notes) > 0 {
			l.tell(n)
		}
	}
	return nil
}

// jobs reads the jobs that somebody follows.
func (h *hub) jobs(ctx context.Context, list []*listener) (map[ident.ID]*ent.Job, error) {
	var ids []ident.ID
	for _, l := range list {
		if l.job != "" {
			ids = append(ids, l.job)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := h.store.Client.Job.Query().Where(job.IDIn(ids...)).All(ctx)
	found := map[ident.ID]*ent.Job{}
	for _, x := range rows {
		found[x.ID] = x
	}
	return found, store.Known(err)
}

// notes reads what has lately been written for those who listen; a stream knows which
// of it it has had.
func (h *hub) notes(ctx context.Context, list []*listener) (map[ident.ID][]*ent.Notification, error) {
	var people []ident.ID
	for _, l := range list {
		if l.person != "" {
			people = append(people, l.person)
		}
	}
	if len(people) == 0 {
		return nil, nil
	}
	rows, err := h.store.Client.Notification.Query().Where(notification.PersonIDIn(people...), notification.CreatedAtGT(time.Now().UTC().Add(-noteWindow))).
		Order(notification.ByCreatedAt(), notification.ByID()).All(ctx)
	found := map[ident.ID][]*ent.Notification{}
	for _, x := range rows {
		found[x.PersonID] = append(found[x.PersonID], x)
	}
	return found, store.Known(err)
}
