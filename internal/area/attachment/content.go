package attachment

import (
	"bytes"
	"encoding/binary"
	"image"
	_ "image/jpeg" // the pictures that are looked into
	_ "image/png"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"steward/internal/rules/errs"
)

// Types are the endings that may come in, as people read them (UP-1).
const Types = "PDF, PNG, JPG, WebP, XLSX, DOCX, CSV, TXT, MD"

// Accept is the same list for a file input.
const Accept = ".pdf,.png,.jpg,.jpeg,.webp,.xlsx,.docx,.csv,.txt,.md"

// Kind is a type of file: what it is called and how its content is known.
type Kind struct {
	name  string // as people read it
	media string
	is    func(content) bool
}

var kinds = map[string]Kind{
	".pdf":  {"PDF", "application/pdf", isPDF},
	".png":  {"PNG", "image/png", isPNG},
	".jpg":  {"JPG", "image/jpeg", isJPEG},
	".jpeg": {"JPG", "image/jpeg", isJPEG},
	".webp": {"WebP", "image/webp", isWebP},
	".xlsx": {"XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", nil},
	".docx": {"DOCX", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", nil},
	".csv":  {"CSV", "text/csv", isText},
	".txt":  {"TXT", "text/plain", isText},
	".md":   {"MD", "text/markdown", isText},
}

// Picture reports whether a browser may show files of the media type as an image.
func Picture(media string) bool { return strings.HasPrefix(media, "image/") }

// headSize is how much of the beginning is looked at: readers of PDF look for its
// mark that far in. tailSize is how far before its end an archive may be marked.
const (
	headSize = 1024
	tailSize = endSize + 64<<10
)

// content is a file on the disk with its two ends, where types are recognised.
type content struct {
	file       *os.File
	size       int64
	head, tail []byte
}

// check refuses a file that is not what its ending says, or that is something else
// as well (UP-1), and archives that unpack to too much (UP-5).
func (k Kind) check(file *os.File, size int64) error {
	c := content{file: file, size: size}
	var err error
	if c.head, err = part(file, 0, min(size, headSize)); err != nil {
		return err
	}
	if c.tail, err = part(file, max(0, size-tailSize), min(size, tailSize)); err != nil {
		return err
	}
	if k.is == nil {
		return k.office(c)
	}
	if !k.is(c) || c.another(k) {
		return k.differs()
	}
	return nil
}

func (k Kind) differs() error { return errs.Invalid("file", "attachment.content", "type", k.name) }

func part(file *os.File, from, n int64) ([]byte, error) {
	b := make([]byte, n)
	_, err := file.ReadAt(b, from)
	if err == io.EOF {
		err = nil
	}
	return b, err
}

// another reports whether the file would also pass for something else: a PDF, an
// archive that ends here, or a page.
func (c content) another(k Kind) bool {
	if k.name != "PDF" && bytes.Contains(c.head, []byte("%PDF-")) {
		return true
	}
	if k.is != nil && bytes.Contains(c.tail, []byte("PK\x05\x06")) {
		return true
	}
	if k.media[:5] == "text/" {
		return page(c.head)
	}
	low := bytes.ToLower(c.head)
	for _, mark := range []string{"<!doctype", "<html", "<script", "<svg"} {
		if bytes.Contains(low, []byte(mark)) {
			return true
		}
	}
	return false
}

func isPDF(c content) bool { return bytes.HasPrefix(c.head, []byte("%PDF-")) }

func isPNG(c content) bool {
	return c.picture("png") && bytes.HasSuffix(c.tail, []byte("\x00\x00\x00\x00IEND\xaeB`\x82"))
}

func isJPEG(c content) bool { return c.picture("jpeg") }

// picture reports whether the file is an image of the format that a browser can
// draw without running out of memory.
func (c content) picture(format string) bool {
	config, found, err := image.DecodeConfig(io.NewSectionReader(c.file, 0, c.size))
	return err == nil && found == format && config.Width*config.Height <= 100_000_000
}

// isWebP compares the size that a WebP states with the file's.
func isWebP(c content) bool {
	return len(c.head) >= 16 && string(c.head[:4]) == "RIFF" && string(c.head[8:15]) == "WEBPVP8" &&
		int64(binary.LittleEndian.Uint32(c.head[4:8]))+8 == c.size
}

// isText reports whether the whole file is text: UTF-8 or an eight-bit encoding
// without control characters, or UTF-16 behind its mark, as spreadsheets write it.
func isText(c content) bool {
	if bytes.HasPrefix(c.head, []byte("\xff\xfe")) || bytes.HasPrefix(c.head, []byte("\xfe\xff")) {
		return c.size%2 == 0
	}
	b, r := make([]byte, 64<<10), io.NewSectionReader(c.file, 0, c.size)
	for {
		n, err := r.Read(b)
		for _, x := range b[:n] {
			if x < ' ' && x != '\t' && x != '\n' && x != '\r' && x != '\f' || x == 0x7f {
				return false
			}
		}
		if err != nil {
			return err == io.EOF
		}
	}
}

// page reports whether a text begins as HTML, SVG, another XML or a script of a
// web server does, whatever comments stand before.
func page(head []byte) bool {
	text := strings.ToLower(readable16(head))
	for {
		text = strings.TrimLeft(text, " \t\r\n\f\ufeff")
		rest, comment := strings.CutPrefix(text, "<!--")
		if !comment {
			break
		}
		_, after, closed := strings.Cut(rest, "-->")
		if !closed {
			return true // nothing but a comment as far as one sees
		}
		text = after
	}
	for _, mark := range []string{"<!doctype", "<html", "<head", "<body", "<script", "<svg", "<iframe", "<?"} {
		if strings.HasPrefix(text, mark) {
			return true
		}
	}
	return false
}

// readable16 drops the zero bytes and the mark of UTF-16, which is enough to see
// how it begins.
func readable16(head []byte) string {
	if utf8.Valid(head) {
		return string(head)
	}
	return string(bytes.ReplaceAll(bytes.TrimLeft(head, "\xff\xfe"), []byte{0}, nil))
}
