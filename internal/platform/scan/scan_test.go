package scan_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"steward/internal/platform/scan"
	"steward/internal/testkit"
)

func TestScan(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(t.TempDir(), "clamd.sock")
		}
		d := testkit.StartClamd(t, network, address)
		s := scan.New(network, d.Address())
		for _, c := range []struct {
			name, content, finding string
			fails                  bool
		}{
			{"nothing", "", "", false},
			{"a clean text", "hello", "", false},
			{"a clean file of several pieces", strings.Repeat("clean ", 50_000), "", false},
			{"the test virus", testkit.EICAR, "Eicar-Signature", false},
			{"the test virus across two pieces", strings.Repeat(" ", 64<<10-30) + testkit.EICAR, "Eicar-Signature", false},
			{"more than the scanner takes", strings.Repeat("x", testkit.ClamdMax+1), "", true},
		} {
			finding, err := s.Scan(context.Background(), strings.NewReader(c.content))
			if finding != c.finding || (err != nil) != c.fails || errors.Is(err, scan.ErrDown) {
				t.Errorf("%s, %s: %q, %v", network, c.name, finding, err)
			}
		}
		d.Stop()
		if _, err := s.Scan(context.Background(), strings.NewReader("x")); !errors.Is(err, scan.ErrDown) {
			t.Errorf("%s, a stopped scanner: %v", network, err)
		}
	}
}

var errDisk = errors.New("disk")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errDisk }

// An answer that is cut off, or that comes before the file, is no answer.
func TestHalfAnswersAreNone(t *testing.T) {
	for what, say := range map[string]string{"silence": "", "no end": "stream: OK", "no end of a finding": "stream: X FOUND"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(say))
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = new(bytes.Buffer).ReadFrom(c)
			_ = c.Close()
		}()
		if finding, err := scan.New("tcp", l.Addr().String()).Scan(context.Background(), strings.NewReader("x")); !errors.Is(err, scan.ErrDown) || finding != "" {
			t.Errorf("%s: %q, %v", what, finding, err)
		}
		l.Close()
	}
	d := testkit.StartClamd(t, "tcp", "127.0.0.1:0")
	if _, err := scan.New("tcp", d.Address()).Scan(context.Background(), broken{}); !errors.Is(err, errDisk) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}
