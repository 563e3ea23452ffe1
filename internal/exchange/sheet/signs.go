package sheet

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// XML cannot hold control characters. Workbooks write them as signs: a vertical tab is
// _x000B_, and text that looks like a sign has its first mark written as one, _x005F_.
// excelize does this in part and loses some texts on the way. So texts are given to it
// with one of Unicode's noncharacters in place of each sign, and the signs are put in
// as the workbook leaves.

// The noncharacters that stand for signs: the first for the mark of what looks like
// one, the next 32 less one for control characters by their number.
const (
	firstStandIn = '\uFDD0'
	lastStandIn  = '\uFDEF'
)

var looksLikeSign = regexp.MustCompile(`^_x[0-9a-fA-F]{4}_`)

// standIn replaces what has to be a sign. Noncharacters of the text itself become U+FFFD.
func standIn(s string) string {
	if !strings.ContainsFunc(s, control) && !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '_' && looksLikeSign.MatchString(s[i:]):
			r = firstStandIn
		case r < 0x1F && control(r):
			r += firstStandIn + 1
		case control(r) && r != 0x1F:
			r = '\uFFFD'
		case r == 0x1F:
			r = firstStandIn + 1 + '\t' // which needs none of its own
		}
		b.WriteRune(r)
	}
	return b.String()
}

// control reports whether a character cannot be written as it is.
func control(r rune) bool {
	return r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r >= firstStandIn && r <= lastStandIn || r == 0xFFFE || r == 0xFFFF
}

// sign is what a noncharacter stands for.
func sign(r rune) string {
	switch r {
	case firstStandIn:
		return "_x005F_"
	case firstStandIn + 1 + '\t':
		return "_x001F_"
	}
	return fmt.Sprintf("_x%04X_", r-firstStandIn-1)
}

// signing is the archive of a workbook on its way out.
type signing struct{ *zip.Writer }

func signed(w io.Writer) excelize.ZipWriter { return signing{zip.NewWriter(w)} }

func (s signing) Create(name string) (io.Writer, error) {
	w, err := s.Writer.Create(name)
	return &signs{out: w}, err
}

// signs puts the signs into a part. A noncharacter may be cut by the end of a write;
// what could be the beginning of one waits for the next.
type signs struct {
	out  io.Writer
	rest []byte
}

func (s *signs) Write(p []byte) (int, error) {
	b := append(s.rest, p...)
	var out bytes.Buffer
	for {
		i := bytes.Index(b, []byte{0xEF, 0xB7})
		if i < 0 || i+2 >= len(b) {
			break
		}
		out.Write(b[:i])
		if r := rune(0xFDC0) + rune(b[i+2]-0x80); r >= firstStandIn && r <= lastStandIn {
			out.WriteString(sign(r))
		} else {
			out.Write(b[i : i+3])
		}
		b = b[i+3:]
	}
	held := 0
	switch {
	case bytes.HasSuffix(b, []byte{0xEF, 0xB7}):
		held = 2
	case bytes.HasSuffix(b, []byte{0xEF}):
		held = 1
	}
	out.Write(b[:len(b)-held])
	s.rest = append([]byte(nil), b[len(b)-held:]...)
	_, err := s.out.Write(out.Bytes())
	return len(p), err
}

// unescape reads the signs.
func unescape(s string) string {
	i := strings.Index(s, "_x")
	if i < 0 {
		return s
	}
	var b strings.Builder
	for ; i >= 0; i = strings.Index(s, "_x") {
		b.WriteString(s[:i])
		s = s[i:]
		n := uint64(0xD800)
		if looksLikeSign.MatchString(s) {
			n, _ = strconv.ParseUint(s[2:6], 16, 16)
		}
		if utf16.IsSurrogate(rune(n)) {
			b.WriteString(s[:2])
			s = s[2:]
			continue
		}
		b.WriteRune(rune(n))
		s = s[7:]
	}
	b.WriteString(s)
	return b.String()
}
