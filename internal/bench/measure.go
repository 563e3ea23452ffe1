package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

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

// idle says how long both servers took to answer, and what memory they have before anything is asked.
func (w *world) idle() string {
	time.Sleep(2 * time.Second)
	_, ours := usage(w.product.pid)
	_, theirs := usage(w.limit.pid)
	return fmt.Sprintf("From start to the first answer %s, L %s (%.1f). Memory of an idle server %.0f MiB, L %.0f (%.1f).",
		short(w.product.started), short(w.limit.started), float64(w.product.started)/float64(w.limit.started), ours, theirs, ours/theirs)
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
