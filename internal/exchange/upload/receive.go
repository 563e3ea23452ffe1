package upload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"steward/ent"
	"steward/internal/area/attachment"
	"steward/internal/exchange/importer"
	"steward/internal/platform/blob"
	"steward/internal/platform/i18n"
	"steward/internal/platform/scan"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// Accept are the endings of files that can be imported.
const Accept = ".csv,.tsv,.txt,.xlsx"

// Receiving takes the files of one import in, one after the other. They lie on the disk
// until Keep, so that a slow sender holds up nobody and one that breaks off leaves
// nothing in the database. Close it in the end.
type Receiving struct {
	scanner *scan.Scanner
	max     int64 // bytes of all files
	files   []received
}

type received struct {
	name string
	file *os.File
	size int64
}

// Receive begins to take files in, of max bytes together. A nil scanner lets every file
// pass.
func Receive(scanner *scan.Scanner, max int64) *Receiving {
	return &Receiving{scanner: scanner, max: max}
}

// Close deletes what is on the disk.
func (r *Receiving) Close() {
	for _, f := range r.files {
		_ = f.file.Close()
		_ = os.Remove(f.file.Name())
	}
	r.files = nil
}

// Len returns how many files came in.
func (r *Receiving) Len() int { return len(r.files) }

// Add takes a file. What is no file that can be imported is refused with Validation, one
// sentence about the field "file"; too much of it with Limit; and all of them with
// Unavailable when the scanner does not answer.
func (r *Receiving) Add(ctx context.Context, name string, from io.Reader) error {
	if len(r.files) == MaxFiles {
		return errs.New(errs.Limit, "upload.error.files", "max", MaxFiles)
	}
	name = attachment.Clean(name)
	ending := strings.ToLower(filepath.Ext(name))
	if !slices.Contains(strings.Split(Accept, ","), ending) || len(name) > 255 {
		return errs.Invalid("file", "upload.error.type")
	}
	left := r.max
	for _, f := range r.files {
		left -= f.size
	}
	file, err := os.CreateTemp("", "steward-import-")
	if err != nil {
		return roomless(err)
	}
	f := received{name: name, file: file}
	r.files = append(r.files, f)
	if f.size, err = io.Copy(file, io.LimitReader(from, left+1)); err == nil {
		switch {
		case f.size > left:
			err = errs.New(errs.Limit, "upload.error.large", "megabytes", r.max>>20)
		case f.size == 0:
			err = errs.Invalid("file", "import.fault.empty")
		default:
			err = f.check(ending == ".xlsx")
		}
	}
	if err == nil && r.scanner != nil {
		err = r.scan(ctx, f)
	}
	if err != nil {
		_ = file.Close()
		_ = os.Remove(file.Name())
		r.files = r.files[:len(r.files)-1]
		return roomless(err)
	}
	r.files[len(r.files)-1] = f
	return nil
}

// check looks whether the content is what the name says, and can be read at all.
func (f received) check(workbook bool) error {
	look, err := importer.LookAt(importer.Opened(f.name, f.open), nil, nil)
	if err != nil {
		return err
	}
	if look.Fault != nil {
		return errs.Invalid("file", look.Fault.Reason.Key, look.Fault.Reason.Args...)
	}
	if workbook != (look.Encoding == "") {
		return errs.Invalid("file", "upload.error.content")
	}
	return nil
}

func (f received) open() (io.ReadCloser, error) { return os.Open(f.file.Name()) }

// scan shows a file to the virus scanner. What nobody has looked at is not taken in: an
// import can wait (UP-6).
func (r *Receiving) scan(ctx context.Context, f received) error {
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	finding, err := r.scanner.Scan(ctx, f.file)
	switch {
	case err != nil:
		return errs.New(errs.Unavailable, "upload.error.scanner").Wrap(err)
	case finding != "":
		return errs.Invalid("file", "upload.error.infected").Wrap(&Infected{f.name, finding})
	}
	return nil
}

// Infected is why a file was refused in which the scanner found something.
type Infected struct{ Name, Finding string }

func (i *Infected) Error() string { return i.Name + ": " + i.Finding }

// Keep stores the files as an upload of the viewer, to be read as the plan says.
func (r *Receiving) Keep(ctx context.Context, s *store.Store, p Plan) (*ent.Upload, error) {
	v, ctx, err := own(ctx)
	if err != nil {
		return nil, err
	}
	if len(r.files) == 0 {
		return nil, errs.Invalid("file", "upload.error.none")
	}
	waiting, err := Waiting(ctx, s)
	if err != nil {
		return nil, err
	}
	if len(waiting) >= MaxWaiting {
		return nil, errs.New(errs.Limit, "upload.error.waiting", "max", MaxWaiting)
	}
	var u *ent.Upload
	err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		var files []File
		for _, f := range r.files {
			if _, err := f.file.Seek(0, io.SeekStart); err != nil {
				return err
			}
			b, err := blob.Put(ctx, s, f.file, r.max)
			if err != nil {
				return err
			}
			files = append(files, File{Blob: b.ID, Name: f.name, Size: f.size})
		}
		list, err := json.Marshal(files)
		if err != nil {
			return err
		}
		settings := p.settings(&ent.Upload{Settings: map[string]string{setFiles: string(list)}})
		u, err = c.Upload.Create().SetBlobID(files[0].Blob).SetName(files[0].Name).SetFormat(p.Format).SetSettings(settings).
			SetMapping(p.Mapping).SetPersonID(v.ID).Save(ctx)
		return err
	})
	if err != nil {
		return nil, roomless(err)
	}
	u, err = s.ClientOf(ctx).Upload.Get(ctx, u.ID)
	return u, store.Known(err)
}

// Look returns the beginning of the first of the files that came in.
func (r *Receiving) Look(columns []importer.Column) (*importer.Look, error) {
	f := r.files[0]
	return importer.LookAt(importer.Opened(f.name, f.open), nil, columns)
}

// NoteInfected writes into the audit that the viewer sent a file in which the scanner
// found something; the file itself is gone.
func NoteInfected(ctx context.Context, s *store.Store, found *Infected) error {
	v := viewer.From(ctx)
	return s.Tx(scope.Elevate(ctx), func(ctx context.Context, _ *ent.Client) error {
		return store.Note(ctx, store.Change{Op: store.OpEvent, Entity: "Person", ID: v.ID, Reason: i18n.T(i18n.English, "upload.audit.infected", "name", found.Name, "finding", found.Finding)})
	})
}

// roomless says in words that there is no room left.
func roomless(err error) error {
	if store.Full(err) {
		return errs.New(errs.Unavailable, "upload.error.full").Wrap(err)
	}
	return store.Known(err)
}

// hashOf keeps the shape of a header in the room there is for it.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
