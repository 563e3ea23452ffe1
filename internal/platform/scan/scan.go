// Package scan asks a virus scanner about a file, in the protocol of clamd: the
// bytes go over a connection of their own, in pieces, and one line comes back.
//
// internal/app makes a Scanner of the command line's setting; area/attachment
// asks it.
package scan

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// piece is how many bytes go in one piece, patience how long a scanner may be
// silent, and answerMax how long its answer may be.
const (
	piece     = 64 << 10
	patience  = 30 * time.Second
	answerMax = 4 << 10
)

// ErrDown says that the scanner was not there or did not finish: the same file
// may be asked about later, and others will fare no better now. Any other error
// of Scan is about the one file.
var ErrDown = errors.New("the scanner does not answer")

// Scanner is a clamd at an address.
type Scanner struct{ network, address string }

// New returns the scanner at an address of the network "tcp" or "unix". It does
// not connect: a scanner may start after the server.
func New(network, address string) *Scanner { return &Scanner{network, address} }

// Scan sends what r gives and returns what was found in it, "" for nothing. An
// error says that it is not known whether the file is clean.
func (s *Scanner) Scan(ctx context.Context, r io.Reader) (finding string, err error) {
	dialer := net.Dialer{Timeout: patience}
	conn, err := dialer.DialContext(ctx, s.network, s.address)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrDown, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	sent := send(conn, r)
	if sent != nil && !errors.Is(sent, ErrDown) {
		return "", sent // the file could not be read
	}
	// A scanner that has had enough says why and closes, so its answer is looked
	// for even when sending failed.
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(io.LimitReader(conn, answerMax)).ReadString(0)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrDown, errors.Join(sent, err))
	}
	finding, err = answer(strings.TrimSuffix(line, "\x00"))
	if finding == "" && err == nil && sent != nil { // it cannot know what it has not got
		return "", sent
	}
	return finding, err
}

// send writes the command, each piece behind its length, and the empty piece that
// ends the file.
func send(conn net.Conn, r io.Reader) error {
	write := func(b []byte) error {
		_ = conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err := conn.Write(b); err != nil {
			return fmt.Errorf("%w: %w", ErrDown, err)
		}
		return nil
	}
	if err := write([]byte("zINSTREAM\x00")); err != nil {
		return err
	}
	part := make([]byte, 4+piece)
	for {
		n, err := io.ReadFull(r, part[4:])
		if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		binary.BigEndian.PutUint32(part, uint32(n))
		if werr := write(part[:4+n]); werr != nil {
			return werr
		}
		if n == 0 { // the piece of no length
			return nil
		}
	}
}

// answer reads "stream: OK", "stream: Eicar-Signature FOUND" or "… ERROR".
func answer(line string) (string, error) {
	_, said, _ := strings.Cut(line, ": ")
	if said == "OK" {
		return "", nil
	}
	if name, found := strings.CutSuffix(said, " FOUND"); found {
		return name, nil
	}
	return "", fmt.Errorf("the scanner says %q", line)
}
