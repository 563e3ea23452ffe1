package importer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// Encoding names how a file's bytes stand for letters.
type Encoding string

// The encodings that are recognised. ISO-8859-1 is read as windows-1252, which
// agrees with it on every letter and adds the typographic marks that files
// labelled ISO-8859-1 use in practice.
const (
	UTF8        Encoding = "UTF-8"
	UTF16LE     Encoding = "UTF-16LE"
	UTF16BE     Encoding = "UTF-16BE"
	Windows1252 Encoding = "windows-1252"
)

// nature is what one pass over the bytes tells about a file.
type nature struct {
	size     int64
	hash     string // SHA-256 of the bytes, in hex
	encoding Encoding
	bom      int  // bytes of the byte order mark
	feeds    bool // has line feeds
	binary   Key  // why the file is not text at all, or empty
	workbook bool // begins as .xlsx files do
}

// signatures of files that people upload by mistake for a CSV.
var signatures = []struct {
	magic string
	key   Key
}{
	{"PK\x05\x06", "import.fault.compressed"},
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "import.fault.locked"},
	{"%PDF-", "import.fault.binary"},
	{"\x1f\x8b", "import.fault.compressed"},
	{"BZh", "import.fault.compressed"},
	{"\xFD7zXZ\x00", "import.fault.compressed"},
	{"\x28\xB5\x2F\xFD", "import.fault.compressed"},
	{"7z\xBC\xAF", "import.fault.compressed"},
	{"Rar!", "import.fault.compressed"},
	{"\x89PNG", "import.fault.binary"},
	{"\xFF\xD8\xFF", "import.fault.binary"},
	{"GIF8", "import.fault.binary"},
}

// inspect reads a file once and says what it is.
func inspect(f File) (nature, error) {
	in, err := f.open()
	if err != nil {
		return nature{}, err
	}
	defer in.Close()
	var n nature
	var count utf8Count
	var zeros [2]int64 // NUL bytes at even and odd places: UTF-16 shows by them
	var controls int64 // other bytes that no text has
	hash := sha256.New()
	head := make([]byte, 0, 16)
	buf := make([]byte, 64<<10)
	for {
		k, err := in.Read(buf)
		chunk := buf[:k]
		_, _ = hash.Write(chunk)
		if room := cap(head) - len(head); room > 0 {
			head = append(head, chunk[:min(room, len(chunk))]...)
		}
		if n.size < 64<<10 {
			for i, b := range chunk {
				switch {
				case b == 0:
					zeros[(n.size+int64(i))%2]++
				case b < 0x20 && b != '\t' && b != '\n' && b != '\r' && b != '\f':
					controls++
				}
			}
		}
		count.add(chunk)
		n.feeds = n.feeds || bytes.IndexByte(chunk, '\n') >= 0
		n.size += int64(k)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nature{}, err
		}
	}
	count.end()
	n.hash = hex.EncodeToString(hash.Sum(nil))
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			n.binary = s.key
		}
	}
	n.workbook = bytes.HasPrefix(head, []byte("PK\x03\x04"))
	seen := min(n.size, 64<<10)
	switch {
	case bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}):
		n.encoding, n.bom = UTF8, 3
	case bytes.HasPrefix(head, []byte{0xFF, 0xFE}):
		n.encoding, n.bom = UTF16LE, 2
	case bytes.HasPrefix(head, []byte{0xFE, 0xFF}):
		n.encoding, n.bom = UTF16BE, 2
	case zeros[1] > seen/5 && zeros[0] <= seen/50:
		n.encoding = UTF16LE
	case zeros[0] > seen/5 && zeros[1] <= seen/50:
		n.encoding = UTF16BE
	case count.broken == 0 || count.letters >= count.broken:
		// Broken bytes outnumbered by good UTF-8 letters are damage, not
		// another encoding; the rows that hold them become faults.
		n.encoding = UTF8
	default:
		n.encoding = Windows1252
	}
	wide := n.encoding == UTF16LE || n.encoding == UTF16BE
	if n.binary == "" && !wide && controls+zeros[0]+zeros[1] > seen/20+mayControl {
		n.binary = "import.fault.binary"
	}
	return n, nil
}

// mayControl is how many control characters even a short text may have: a stray one is
// a fault of its row, not of the file.
const mayControl = 8

// utf8Count counts multi-byte letters and bytes that are no UTF-8, over chunks.
type utf8Count struct {
	letters, broken int64
	rest            [utf8.UTFMax]byte
	held            int
}

func (c *utf8Count) add(chunk []byte) {
	for c.held > 0 && len(chunk) > 0 {
		c.rest[c.held] = chunk[0]
		c.held, chunk = c.held+1, chunk[1:]
		if utf8.FullRune(c.rest[:c.held]) {
			whole := c.rest // take may keep a new beginning in rest
			n := c.held
			c.held = 0
			c.take(whole[:n])
		}
	}
	if c.held == 0 {
		c.take(chunk)
	}
}

// take counts whole letters and keeps the beginning of one cut by the chunk.
func (c *utf8Count) take(b []byte) {
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			b = b[1:]
			continue
		}
		if !utf8.FullRune(b) {
			c.held = copy(c.rest[:], b)
			return
		}
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			c.broken++
		} else {
			c.letters++
		}
		b = b[size:]
	}
}

func (c *utf8Count) end() { c.broken += int64(c.held); c.held = 0 }

// decoder returns the bytes of in as UTF-8. Bytes that are no letter in the
// file's encoding arrive as U+FFFD, which the row scanner marks.
func (n nature) decoder(in io.Reader) (io.Reader, error) {
	if n.bom > 0 {
		if _, err := io.CopyN(io.Discard, in, int64(n.bom)); err != nil {
			return nil, err
		}
	}
	var e encoding.Encoding
	switch n.encoding {
	case UTF16LE:
		e = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case UTF16BE:
		e = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case Windows1252:
		e = charmap.Windows1252
	default:
		return in, nil
	}
	return e.NewDecoder().Reader(in), nil
}
