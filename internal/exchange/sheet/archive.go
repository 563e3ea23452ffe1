package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"steward/internal/platform/bound"
)

// MaxFile is how many bytes a workbook from outside may have as it comes; package
// bound says how far it may unpack.
const MaxFile = 100 << 20

// Refused is why a workbook, or the rest of one, is not read: the key of a message and
// its arguments.
type Refused struct {
	Key  string
	Args []any
}

func (r *Refused) Error() string { return "sheet: " + r.Key + fmt.Sprint(r.Args...) }

func refuse(key string, args ...any) error { return &Refused{Key: key, Args: args} }

var errBroken = refuse("import.fault.workbook")

// archive is the parts of a workbook, unpacked no further than the bounds.
type archive struct {
	parts map[string]*zip.File
	left  int64 // bytes that may still be unpacked
}

// packed are the first bytes of files that are archives themselves.
var packed = []string{"PK\x03\x04", "\x1f\x8b", "7z\xBC\xAF", "Rar!", "\xFD7zXZ", "BZh", "\xD0\xCF\x11\xE0"}

// unpack looks over the archive before anything of it is read.
func unpack(content []byte) (*archive, error) {
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, refuse("import.fault.archive")
	}
	if len(z.File) > bound.Parts {
		return nil, refuse("import.fault.archive_parts", "max", bound.Parts)
	}
	a := &archive{parts: map[string]*zip.File{}, left: bound.Content}
	var size uint64
	for _, f := range z.File {
		if f.UncompressedSize64 > bound.Content {
			return nil, refuse("import.fault.archive_size")
		}
		size += f.UncompressedSize64
		name := strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(f.Name, `\`, "/")), "/")
		switch {
		case f.Flags&1 != 0:
			return nil, refuse("import.fault.locked")
		case f.Mode()&fs.ModeType != 0 && !f.FileInfo().IsDir(), a.parts[name] != nil:
			return nil, errBroken
		}
		a.parts[name] = f
	}
	switch {
	case size > bound.Content:
		return nil, refuse("import.fault.archive_size")
	case size > bound.Small && size/bound.Ratio > uint64(len(content)):
		return nil, refuse("import.fault.archive_ratio")
	}
	for _, f := range z.File {
		head, err := a.head(f)
		if err != nil {
			return nil, errBroken
		}
		for _, sign := range packed {
			if strings.HasPrefix(head, sign) {
				return nil, refuse("import.fault.archive_nested", "name", shorten(f.Name))
			}
		}
	}
	return a, nil
}

func shorten(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if r := []rune(s); len(r) > 100 {
		return string(r[:100])
	}
	return s
}

// head returns the first bytes of a part.
func (a *archive) head(f *zip.File) (string, error) {
	in, err := f.Open()
	if err != nil {
		return "", err
	}
	defer in.Close()
	b := make([]byte, 8)
	n, err := io.ReadFull(in, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return string(b[:n]), err
}

// open reads a part; ok is false when there is none.
func (a *archive) open(name string) (in io.ReadCloser, ok bool, err error) {
	f := a.parts[name]
	if f == nil {
		return nil, false, nil
	}
	if in, err = f.Open(); err != nil {
		return nil, false, errBroken
	}
	return &metered{in, a}, true, nil
}

// metered counts what is really unpacked, whatever the archive says of itself.
type metered struct {
	io.ReadCloser
	archive *archive
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	if m.archive.left -= int64(n); m.archive.left < 0 {
		return 0, refuse("import.fault.archive_size")
	}
	return n, err
}
