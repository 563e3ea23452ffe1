// Package importer reads files into Steward: it finds encoding, separator and
// header, stages every row, lists every fault, warning and duplicate with its
// line, and then stores all good rows in one transaction or nothing at all.
//
// A format (S1's projects, any registry entity's own CSV, …) is a package of its
// own beside this one; it implements Format and names columns and records, never
// a file's bytes and never SQL. The doors (the command line in internal/app, the
// upload page in internal/web) call Run and Undo.
package importer

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
)

// File is something to import. It is opened twice: once to learn its encoding
// and its hash, once to read the records, so that memory stays flat.
type File struct {
	// Name is what reports call the file; it carries no folder.
	Name string
	open func() (io.ReadCloser, error)
}

// Path returns the file on disk. It fails late, when it is opened.
func Path(path string) File {
	return File{Name: filepath.Base(path), open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

// Bytes returns a file held in memory, such as a small upload.
func Bytes(name string, content []byte) File {
	return File{Name: name, open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

// Opened returns a file that open yields afresh each time it is called, such as
// an attachment.
func Opened(name string, open func() (io.ReadCloser, error)) File {
	return File{Name: name, open: open}
}
