package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// server is a program under load.
type server struct {
	address string
	token   string
	pid     int
	stop    func()
}

// world is what is measured: both servers and the database under them.
type world struct {
	db       *sql.DB
	product  *server
	limit    *server
	postgres int // process of the postmaster
	settings settings
}

// line is what came out for one workload. Times are medians over the rounds.
type line struct {
	name            string
	cpu, rate       float64 // ratios to the limit
	product, ceil   sample
	memory, ceilMem float64 // MiB
}

// sample is one measurement of one server.
type sample struct {
	rate     float64       // requests a second
	cpu      time.Duration // of server and database for a request
	p50, p99 time.Duration
	memory   float64
}

// measure checks that both servers give the same answer and then loads them in turns.
func (w *world) measure(ctx context.Context, l workload) (line, error) {
	requests, err := l.requests(ctx, w)
	if err != nil {
		return line{}, err
	}
	if l.values > 0 { // two writes are never the same
		if err := w.same(ctx, l, requests[len(requests)/2]); err != nil {
			return line{}, err
		}
	}
	var ours, theirs []sample
	for _, s := range []*server{w.limit, w.product} { // plans, caches and pools are warm in every measurement
		if _, err := w.load(ctx, s, requests, time.Second); err != nil {
			return line{}, err
		}
	}
	for round := range w.settings.rounds {
		order := []*server{w.limit, w.product}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, s := range order {
			got, err := w.load(ctx, s, requests, time.Duration(w.settings.seconds)*time.Second)
			if err != nil {
				return line{}, err
			}
			if s == w.product {
				ours = append(ours, got)
			} else {
				theirs = append(theirs, got)
			}
		}
	}
	a, b := median(ours), median(theirs)
	return line{name: l.name, product: a, ceil: b, cpu: float64(a.cpu) / float64(b.cpu), rate: a.rate / b.rate, memory: a.memory, ceilMem: b.memory}, nil
}

// median takes each figure's own median.
func median(all []sample) sample {
	mid := func(of func(sample) float64) float64 {
		list := make([]float64, len(all))
		for i, s := range all {
			list[i] = of(s)
		}
		slices.Sort(list)
		return list[len(list)/2]
	}
	duration := func(of func(sample) time.Duration) time.Duration {
		return time.Duration(mid(func(s sample) float64 { return float64(of(s)) }))
	}
	return sample{rate: mid(func(s sample) float64 { return s.rate }), memory: mid(func(s sample) float64 { return s.memory }),
		cpu: duration(func(s sample) time.Duration { return s.cpu }), p50: duration(func(s sample) time.Duration { return s.p50 }), p99: duration(func(s sample) time.Duration { return s.p99 })}
}

// load asks a server for some time from all connections and returns what that took.
func (w *world) load(ctx context.Context, s *server, requests []request, long time.Duration) (sample, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: w.settings.clients}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	cpu, _ := usage(s.pid)
	db, _ := usage(w.postgres)
	began := time.Now()
	var next atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	var all sync.WaitGroup
	for range w.settings.clients {
		all.Go(func() {
			var own []time.Duration
			for time.Since(began) < long && ctx.Err() == nil {
				r := requests[int(next.Add(1))%len(requests)]
				start := time.Now()
				_, err := s.ask(ctx, client, r)
				own = append(own, time.Since(start))
				if err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					return
				}
			}
			mu.Lock()
			took = append(took, own...)
			mu.Unlock()
		})
	}
	all.Wait()
	span := time.Since(began)
	if failed != nil || len(took) == 0 {
		return sample{}, fmt.Errorf("%s: %w", s.address, failed)
	}
	cpu2, memory := usage(s.pid)
	db2, _ := usage(w.postgres)
	slices.Sort(took)
	n := len(took)
	return sample{rate: float64(n) / span.Seconds(), cpu: (cpu2 - cpu + db2 - db) / time.Duration(n), p50: took[n/2], p99: took[n*99/100], memory: memory}, nil
}

// ask sends one request and returns the answer; anything but 200 without errors is a failure.
func (s *server) ask(ctx context.Context, client *http.Client, r request) ([]byte, error) {
	method, path, body := http.MethodGet, r.path, io.Reader(nil)
	if s.token != "" {
		document := r.document
		if r.fresh != nil {
			document = r.fresh()
		}
		method, path, body = http.MethodPost, "/graphql", bytes.NewReader(document)
	}
	q, err := http.NewRequestWithContext(ctx, method, "http://"+s.address+path, body)
	if err != nil {
		return nil, err
	}
	if s.token != "" {
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := client.Do(q)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode != http.StatusOK || bytes.Contains(b, []byte(`"errors":[`))) {
		err = fmt.Errorf("%d %.300s", answer.StatusCode, b)
	}
	return b, err
}

// same compares the values of both answers; names and nesting differ.
func (w *world) same(ctx context.Context, l workload, r request) error {
	var got [2][]string
	for i, s := range []*server{w.limit, w.product} {
		b, err := s.ask(ctx, http.DefaultClient, r)
		if err != nil {
			return err
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("%w in %.300s", err, b)
		}
		got[i] = leaves(v, nil)
		slices.Sort(got[i])
	}
	if !slices.Equal(got[0], got[1]) {
		return fmt.Errorf("the answers differ:\nlimit   %.600s\nproduct %.600s", strings.Join(got[0], " "), strings.Join(got[1], " "))
	}
	if len(got[0]) < l.values {
		return fmt.Errorf("an answer has %d values only", len(got[0]))
	}
	return nil
}

// leaves collects the values of an answer, without what only GraphQL has.
func leaves(v any, out []string) []string {
	switch x := v.(type) {
	case map[string]any:
		for name, y := range x {
			if name != "extensions" {
				out = leaves(y, out)
			}
		}
	case []any:
		for _, y := range x {
			out = leaves(y, out)
		}
	default:
		out = append(out, fmt.Sprint(x))
	}
	return out
}

// usage is the processor time of a process with its children, ended ones too, and its own memory in MiB.
func usage(pid int) (cpu time.Duration, memory float64) {
	var ticks, pages int64
	for _, p := range family(pid) {
		f := fields(p)
		if len(f) < 22 {
			continue
		}
		for _, i := range []int{11, 12, 13, 14} {
			n, _ := strconv.ParseInt(f[i], 10, 64)
			ticks += n
		}
		if p == pid {
			pages, _ = strconv.ParseInt(f[21], 10, 64)
		}
	}
	const tick = 10 * time.Millisecond // of every Linux that Go runs on
	return time.Duration(ticks) * tick, float64(pages) * float64(os.Getpagesize()) / (1 << 20)
}

// fields are those of /proc/PID/stat after the name.
func fields(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
}

func family(pid int) []int {
	children := map[int][]int{}
	list, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range list {
		p, _ := strconv.Atoi(filepath.Base(dir))
		if f := fields(p); len(f) > 1 {
			parent, _ := strconv.Atoi(f[1])
			children[parent] = append(children[parent], p)
		}
	}
	out := []int{pid}
	for i := 0; i < len(out); i++ {
		out = append(out, children[out[i]]...)
	}
	return out
}

// postmasterOf returns the process that all connections descend from; the database is on this machine.
func postmasterOf(ctx context.Context, db *sql.DB) (int, error) {
	var backend int
	if err := db.QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		return 0, err
	}
	f := fields(backend)
	if len(f) < 2 {
		return 0, fmt.Errorf("the database does not run on this machine")
	}
	return strconv.Atoi(f[1])
}

// startProduct starts Steward with everything on: sign-in by token, scope, limits, audit, metrics, sealing.
func startProduct(ctx context.Context, s settings, token string) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	metrics, err := freeAddress()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, s.program, "serve", "--listen", address, "--ops-listen", metrics, "--rate-reads=0", "--rate-writes=0", "--rate-points=0")
	c.Env = append(os.Environ(), "STEWARD_DATABASE="+s.database)
	return begin(ctx, c, &server{address: address, token: token}, "/readyz")
}

func startLimit(ctx context.Context, s settings) (*server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, self, "limit", address)
	c.Env = append(os.Environ(), "STEWARD_BENCH_DATABASE="+s.database)
	return begin(ctx, c, &server{address: address}, "/ready")
}

// begin starts a program and waits until it answers.
func begin(ctx context.Context, c *exec.Cmd, s *server, ready string) (*server, error) {
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		return nil, err
	}
	s.pid = c.Process.Pid
	s.stop = func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
	}
	for range 300 {
		r, err := http.Get("http://" + s.address + ready)
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	s.stop()
	return nil, fmt.Errorf("%s does not become ready", c.Path)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// table writes the figures as Markdown.
func table(lines []line) string {
	var b strings.Builder
	b.WriteString("| workload | CPU ÷ L | req/s ÷ L | CPU a request | L | p50 | p99 | L p99 | memory, MiB | L |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, l := range lines {
		fmt.Fprintf(&b, "| %s | %.2f | %.2f | %s | %s | %s | %s | %s | %.0f | %.0f |\n", l.name, l.cpu, l.rate, short(l.product.cpu), short(l.ceil.cpu),
			short(l.product.p50), short(l.product.p99), short(l.ceil.p99), l.memory, l.ceilMem)
	}
	return b.String()
}

func short(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
