package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// server is a program under load.
type server struct {
	address string
	token   string        // of the caller of GraphQL; "" for the limit
	person  string        // token of who opens pages
	started time.Duration // until it answered
	pid     int
	stop    func()
}

// ask sends one request and returns the answer; anything but 200 without errors is a failure.
func (s *server) ask(ctx context.Context, client *http.Client, r request) ([]byte, error) {
	method, path, body, token := http.MethodGet, r.path, io.Reader(nil), s.token
	switch {
	case s.token != "" && r.page != "":
		path, token = r.page, s.person
	case s.token != "":
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
	if token != "" {
		q.Header.Set("Content-Type", "application/json")
		q.Header.Set("Authorization", "Bearer "+token)
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
	for range 6000 {
		r, err := http.Get("http://" + s.address + ready)
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		select {
		case <-time.After(5 * time.Millisecond):
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
