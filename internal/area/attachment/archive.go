package attachment

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"strings"

	"steward/internal/platform/bound"
	"steward/internal/rules/errs"
)

// mainPart is the part that makes an archive a document of the type, and the type
// that its table of contents states for it: one with macros states another.
var mainPart = map[string][2]string{
	"XLSX": {"xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"},
	"DOCX": {"word/document.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"},
}

const contents = "[Content_Types].xml"

// office checks a document that is an archive: one archive from the first byte to
// the last, within the limits when it is unpacked, and holding what its type holds.
func (k Kind) office(c content) error {
	if !plainArchive(c) || c.another(k) {
		return k.differs()
	}
	archive, err := zip.NewReader(c.file, c.size)
	if err != nil {
		return k.differs()
	}
	tooMuch := errs.Invalid("file", "attachment.archive", "entries", bound.Parts, "megabytes", bound.Content>>20)
	if len(archive.File) > bound.Parts {
		return tooMuch
	}
	unpacked, found := int64(0), map[string]bool{}
	var types bytes.Buffer
	for _, f := range archive.File {
		if f.Mode()&fs.ModeSymlink != 0 || f.Flags&1 != 0 || strings.Contains(f.Name, "..") || strings.Contains(f.Name, "vbaProject") {
			return k.differs()
		}
		var to io.Writer = io.Discard
		limit := bound.Content - unpacked
		if f.Name == contents {
			to, limit = &types, min(limit, bound.Small)
		}
		if packed := int64(f.CompressedSize64); packed*bound.Ratio < limit {
			limit = min(limit, max(bound.Small, packed*bound.Ratio))
		}
		n, err := unpack(f, to, limit)
		if err != nil {
			return k.differs()
		}
		if unpacked += n; n > limit || unpacked > max(bound.Small, bound.Ratio*c.size) {
			return tooMuch
		}
		found[f.Name] = true
	}
	main := mainPart[k.name]
	if !found[main[0]] || !bytes.Contains(types.Bytes(), []byte(`"`+main[1]+`"`)) {
		return k.differs()
	}
	return nil
}

// unpack reads an entry, at most one byte more than the limit: what the archive
// says about its sizes is not believed.
func unpack(f *zip.File, to io.Writer, limit int64) (int64, error) {
	r, err := f.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(to, io.LimitReader(r, limit+1))
}

// endSize is the size of the record at the end of an archive, entrySize about
// what one entry of its directory takes at most.
const (
	endSize   = 22
	entrySize = 512
)

// plainArchive reports whether the file is one archive, with nothing before, after
// or between, and a directory that is not too long to be read into memory.
func plainArchive(c content) bool {
	if len(c.tail) < endSize || !bytes.HasPrefix(c.head, []byte("PK\x03\x04")) {
		return false
	}
	end := c.tail[len(c.tail)-endSize:]
	directory, start := int64(binary.LittleEndian.Uint32(end[12:])), int64(binary.LittleEndian.Uint32(end[16:]))
	return bytes.HasPrefix(end, []byte("PK\x05\x06")) && start+directory == c.size-endSize && directory <= bound.Parts*entrySize
}
