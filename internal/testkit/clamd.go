package testkit

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// EICAR is the text that every virus scanner takes for a virus and that does no harm.
var EICAR = strings.Join([]string{`X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-`, `STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`}, "")

// ClamdMax is how much of a stream the test's scanner takes.
const ClamdMax = 1 << 20

// Clamd is a scanner that speaks clamd's INSTREAM and knows one virus.
type Clamd struct {
	listener net.Listener
	work     sync.WaitGroup
}

// StartClamd serves until the test ends or Stop is called.
func StartClamd(t testing.TB, network, address string) *Clamd {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	d := &Clamd{listener: l}
	d.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.work.Go(func() { defer c.Close(); answerClamd(c) })
		}
	})
	t.Cleanup(d.Stop)
	return d
}

// Address is where it listens.
func (d *Clamd) Address() string { return d.listener.Addr().String() }

// Stop ends it; nothing listens at its address then.
func (d *Clamd) Stop() { _ = d.listener.Close(); d.work.Wait() }

func answerClamd(c net.Conn) {
	command := make([]byte, 10)
	if _, err := io.ReadFull(c, command); err != nil || string(command) != "zINSTREAM\x00" {
		_, _ = c.Write([]byte("UNKNOWN COMMAND\x00"))
		return
	}
	var file bytes.Buffer
	for {
		var n uint32
		if err := binary.Read(c, binary.BigEndian, &n); err != nil {
			return
		}
		if file.Len()+int(n) > ClamdMax {
			_, _ = c.Write([]byte("INSTREAM size limit exceeded. ERROR\x00"))
			_, _ = io.Copy(io.Discard, c) // so that the answer is not lost with the connection
			return
		}
		if n == 0 {
			break
		}
		if _, err := io.CopyN(&file, c, int64(n)); err != nil {
			return
		}
	}
	if bytes.Contains(file.Bytes(), []byte(EICAR)) {
		_, _ = c.Write([]byte("stream: Eicar-Signature FOUND\x00"))
		return
	}
	_, _ = c.Write([]byte("stream: OK\x00"))
}
