// Package attachment keeps the files on records. A file is reached as the record
// it hangs on is, asked each time: whoever may read the record fetches it, whoever
// may change the record adds and removes it. What comes in is limited in size and
// number, of a listed type with the content of that type, and shown to a virus
// scanner where there is one; until that has answered it waits.
//
// The page door uses it; a job calls Rescan and Sweep. The bytes lie in
// platform/blob.
package attachment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	entattachment "steward/ent/attachment"
	"steward/ent/portfolio"
	"steward/internal/area/subject"
	"steward/internal/platform/blob"
	"steward/internal/platform/i18n"
	"steward/internal/platform/scan"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// What may be kept (UP-4). Removed files take their room until Sweep deletes them.
const (
	MaxSize      = 25 << 20 // of one file
	MaxFiles     = 100      // on one record
	MaxPortfolio = 2 << 30  // bytes of all files of a portfolio
)

// KeptFor is how long a removed file can be brought back.
const KeptFor = 30 * 24 * time.Hour

// Files are the files of a record, as far as they concern the viewer.
type Files struct {
	List     []*ent.Attachment // oldest first
	Writable bool              // the viewer may add and remove
}

// List returns the files of a record. The error is NotFound for a record the
// viewer cannot see.
func List(ctx context.Context, s *store.Store, on ident.ID) (Files, error) {
	c := s.ClientOf(ctx)
	sub, err := readable(ctx, c, on)
	if err != nil {
		return Files{}, err
	}
	list, err := c.Attachment.Query().Where(entattachment.SubjectID(on), entattachment.ArchivedAtIsNil()).
		Order(entattachment.ByCreatedAt(), entattachment.ByID()).All(scope.Elevate(ctx))
	return Files{List: list, Writable: sub.Writable(viewer.From(ctx))}, store.Known(err)
}

// readable returns the record of a file for those who may read its files.
func readable(ctx context.Context, c *ent.Client, on ident.ID) (subject.Subject, error) {
	sub, err := subject.Find(ctx, c, on)
	if err != nil {
		return sub, store.Known(err)
	}
	if !sub.Allows(viewer.From(ctx), "Attachment", access.Read) {
		return sub, errs.NotFound()
	}
	return sub, nil
}

// writable returns the record of a file for those who may change it.
func writable(ctx context.Context, c *ent.Client, on ident.ID) (subject.Subject, error) {
	sub, err := readable(ctx, c, on)
	if err == nil && !sub.Writable(viewer.From(ctx)) {
		err = errs.Forbidden()
	}
	return sub, err
}

// Add puts a file on a record. A nil scanner lets every file pass; one that does
// not answer holds the file back; one that finds something has it locked away. The
// errors are NotFound and Forbidden about the record, Validation about the name
// and the content, and Limit.
func Add(ctx context.Context, s *store.Store, scanner *scan.Scanner, on ident.ID, name string, r io.Reader) (*ent.Attachment, error) {
	sub, err := writable(ctx, s.ClientOf(ctx), on)
	if err != nil {
		return nil, err
	}
	name, kind, err := Name(name)
	if err != nil {
		return nil, err
	}
	if err := room(ctx, s.ClientOf(ctx), sub, 0); err != nil { // before anything is read
		return nil, err
	}
	file, size, err := spool(r)
	if err != nil {
		return nil, err
	}
	defer discard(file)
	if err := kind.check(file, size); err != nil {
		return nil, err
	}
	status, finding, err := examine(ctx, scanner, file)
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var id ident.ID
	if err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		if sub, err = writable(ctx, c, on); err != nil { // it may have changed while the file came
			return err
		}
		content, err := blob.Put(ctx, s, file, MaxSize)
		if err != nil {
			return err
		}
		// From here on others who add to the same place wait: last, as the bytes take longest.
		if err := lock(ctx, s, c, sub); err != nil {
			return err
		}
		if err := room(ctx, c, sub, size); err != nil {
			return err
		}
		x, err := create(ctx, c, sub, content, name, kind.media, status, finding)
		if err != nil {
			return err
		}
		id = x.ID
		return note(ctx, sub, store.OpEvent, "attachment.audit.added", name)
	}); err != nil {
		return nil, store.Known(err)
	}
	x, err := s.ClientOf(ctx).Attachment.Get(scope.Elevate(ctx), id)
	return x, store.Known(err)
}

func create(ctx context.Context, c *ent.Client, sub subject.Subject, content *ent.Blob, name, media string, status entattachment.Status, finding string) (*ent.Attachment, error) {
	w := c.Attachment.Create().SetSubjectType(sub.Entity.Name).SetSubjectID(sub.ID).SetBlobID(content.ID).SetName(name).
		SetMediaType(media).SetSize(content.Size).SetStatus(status).SetFinding(finding).SetActorName(viewer.From(ctx).Name)
	if sub.At.Portfolio != "" {
		w.SetPortfolioID(sub.At.Portfolio)
	}
	if sub.At.Product != "" {
		w.SetProductID(sub.At.Product)
	}
	if sub.At.Vendor != "" {
		w.SetVendorID(sub.At.Vendor)
	}
	return w.Save(scope.Elevate(ctx))
}

// note writes into the history of the record what happened to one of its files.
func note(ctx context.Context, sub subject.Subject, op store.Op, key, name string) error {
	return store.Note(ctx, store.Change{Op: op, Entity: sub.Entity.Name, ID: sub.ID, Version: sub.Version,
		Portfolio: sub.At.Portfolio, Product: sub.At.Product, Vendor: sub.At.Vendor, Reason: i18n.T(i18n.English, key, "name", name)})
}

// room returns a Limit error when size more bytes in one more file do not fit
// beside what is there. It is certain only under lock.
func room(ctx context.Context, c *ent.Client, sub subject.Subject, size int64) error {
	own := scope.Elevate(ctx)
	n, err := c.Attachment.Query().Where(entattachment.SubjectID(sub.ID), entattachment.ArchivedAtIsNil()).Count(own)
	if err != nil {
		return store.Known(err)
	}
	if n >= MaxFiles {
		return errs.New(errs.Limit, "attachment.too_many", "max", MaxFiles)
	}
	if sub.At.Portfolio == "" {
		return nil
	}
	var total []struct {
		Sum *int64 `json:"sum"`
	}
	if err := c.Attachment.Query().Where(entattachment.PortfolioID(sub.At.Portfolio)).
		Aggregate(ent.As(ent.Sum(entattachment.FieldSize), "sum")).Scan(own, &total); err != nil {
		return store.Known(err)
	}
	if len(total) == 1 && total[0].Sum != nil && *total[0].Sum+size > MaxPortfolio {
		return errs.New(errs.Limit, "attachment.portfolio_full")
	}
	return nil
}

// lock makes others who add files to the same portfolio wait, or to the same
// record where it lies in none.
func lock(ctx context.Context, s *store.Store, c *ent.Client, sub subject.Subject) error {
	own := scope.Elevate(ctx)
	if sub.At.Portfolio != "" {
		_, err := c.Portfolio.Query().Where(portfolio.ID(sub.At.Portfolio)).Where(s.Lock()).Only(own)
		return err
	}
	held := func(sel *sql.Selector) { sel.Where(sql.EQ(sel.C("id"), sub.ID)); s.Lock()(sel) }
	_, err := sub.Entity.List(own, c, held, func(*sql.Selector) {}, 1, 0)
	return err
}

// spool reads a file to the disk, where it can be looked at twice and where a slow
// sender keeps nobody waiting.
func spool(r io.Reader) (*os.File, int64, error) {
	file, err := os.CreateTemp("", "steward-upload-")
	if err != nil {
		return nil, 0, err
	}
	size, err := io.Copy(file, io.LimitReader(r, MaxSize+1))
	switch {
	case err != nil:
	case size > MaxSize:
		err = errs.New(errs.Limit, "blob.too_large", "megabytes", MaxSize>>20)
	case size == 0:
		err = errs.Invalid("file", "attachment.empty")
	}
	if err != nil {
		discard(file)
		return nil, 0, err
	}
	return file, size, nil
}

func discard(file *os.File) { _ = file.Close(); _ = os.Remove(file.Name()) }

// examine shows the file to the scanner and says where that leaves it.
func examine(ctx context.Context, scanner *scan.Scanner, file *os.File) (entattachment.Status, string, error) {
	if scanner == nil {
		return entattachment.StatusREADY, "", nil
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", "", err
	}
	status, finding := verdict(scanner.Scan(ctx, file))
	return status, finding, nil
}

// verdict is what an answer of the scanner means. Without an answer the file is
// held back: that it is clean is not known (UP-6).
func verdict(finding string, err error) (entattachment.Status, string) {
	switch {
	case err != nil:
		return entattachment.StatusHELD, ""
	case finding != "":
		return entattachment.StatusQUARANTINED, cut(finding, 200)
	}
	return entattachment.StatusREADY, ""
}

// Get returns a file with the record it hangs on, for those who may read the
// record now (UP-3). For all others there is no such file.
func Get(ctx context.Context, s *store.Store, id ident.ID) (*ent.Attachment, error) {
	x, err := find(ctx, s.ClientOf(ctx), id)
	if err != nil {
		return nil, err
	}
	_, err = readable(ctx, s.ClientOf(ctx), x.SubjectID)
	return x, err
}

// find returns a file that was not removed, whoever asks.
func find(ctx context.Context, c *ent.Client, id ident.ID) (*ent.Attachment, error) {
	x, err := c.Attachment.Query().Where(entattachment.ID(id), entattachment.ArchivedAtIsNil()).Only(scope.Elevate(ctx))
	return x, store.Known(err)
}

// Open returns a file with its content, for those who may read its record now.
// One that is held back or locked away is a State error.
func Open(ctx context.Context, s *store.Store, id ident.ID) (*ent.Attachment, io.ReadCloser, error) {
	x, err := Get(ctx, s, id)
	if err != nil {
		return nil, nil, err
	}
	switch x.Status {
	case entattachment.StatusREADY:
	case entattachment.StatusQUARANTINED:
		return nil, nil, errs.New(errs.State, "attachment.quarantined")
	default:
		return nil, nil, errs.New(errs.State, "attachment.held")
	}
	r, err := blob.Open(ctx, s, x.BlobID)
	return x, r, err
}

// Remove takes a file off its record; Restore brings it back within thirty days.
// Whoever may change the record may do both.
func Remove(ctx context.Context, s *store.Store, id ident.ID) (*ent.Attachment, error) {
	var x *ent.Attachment
	err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) (err error) {
		if x, err = find(ctx, c, id); err != nil {
			return err
		}
		sub, err := writable(ctx, c, x.SubjectID)
		if err != nil {
			return err
		}
		if err := c.Attachment.UpdateOneID(id).SetArchivedAt(time.Now().UTC().Truncate(time.Microsecond)).Exec(scope.Elevate(ctx)); err != nil {
			return err
		}
		return note(ctx, sub, store.OpEvent, "attachment.audit.removed", x.Name)
	})
	return x, store.Known(err)
}

// Restore takes Remove back, if there is still room.
func Restore(ctx context.Context, s *store.Store, id ident.ID) (*ent.Attachment, error) {
	var x *ent.Attachment
	err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) (err error) {
		own := scope.Elevate(ctx)
		if x, err = c.Attachment.Query().Where(entattachment.ID(id), entattachment.ArchivedAtNotNil()).Where(s.Lock()).Only(own); err != nil {
			return err
		}
		sub, err := writable(ctx, c, x.SubjectID)
		if err != nil {
			return err
		}
		if err := lock(ctx, s, c, sub); err != nil {
			return err
		}
		if err := room(ctx, c, sub, 0); err != nil { // its bytes were counted all the time
			return err
		}
		if err := c.Attachment.UpdateOneID(id).ClearArchivedAt().Exec(own); err != nil {
			return err
		}
		return note(ctx, sub, store.OpEvent, "attachment.audit.restored", x.Name)
	})
	return x, store.Known(err)
}

// Rescan shows the files that were held back to the scanner again and returns how
// many have got an answer. Where the scanner is still down it stops with
// scan.ErrDown; a file that it cannot judge stays held and the others go on. Only
// the system may call it. Without a scanner there is nobody to ask.
func Rescan(ctx context.Context, s *store.Store, scanner *scan.Scanner) (n int, err error) {
	if scanner == nil {
		return 0, nil
	}
	if !viewer.From(ctx).IsSystem() {
		return 0, errs.Forbidden()
	}
	held, err := s.ClientOf(ctx).Attachment.Query().Where(entattachment.StatusEQ(entattachment.StatusHELD)).
		Order(entattachment.ByCreatedAt(), entattachment.ByID()).All(ctx)
	if err != nil {
		return 0, store.Known(err)
	}
	var wrong error
	for _, x := range held {
		err := rescan(ctx, s, scanner, x)
		switch {
		case errors.Is(err, scan.ErrDown):
			return n, errors.Join(wrong, err)
		case err != nil:
			wrong = errors.Join(wrong, fmt.Errorf("%s: %w", x.ID, err))
		default:
			n++
		}
	}
	return n, wrong
}

func rescan(ctx context.Context, s *store.Store, scanner *scan.Scanner, x *ent.Attachment) error {
	r, err := blob.Open(ctx, s, x.BlobID)
	if err != nil {
		return err
	}
	defer r.Close()
	finding, err := scanner.Scan(ctx, r)
	if err != nil {
		return err
	}
	status, finding := verdict(finding, nil)
	return s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		// Another server may have been quicker.
		now, err := c.Attachment.Query().Where(entattachment.ID(x.ID), entattachment.StatusEQ(entattachment.StatusHELD)).Where(s.Lock()).All(ctx)
		if err != nil || len(now) == 0 {
			return err
		}
		return c.Attachment.UpdateOneID(x.ID).SetStatus(status).SetFinding(finding).Exec(ctx)
	})
}

// Sweep deletes the files that were removed before the day, with their content,
// and returns how many. A job calls it with now minus KeptFor.
func Sweep(ctx context.Context, s *store.Store, before time.Time) (n int, err error) {
	if !viewer.From(ctx).IsSystem() {
		return 0, errs.Forbidden()
	}
	old, err := s.ClientOf(ctx).Attachment.Query().Where(entattachment.ArchivedAtLT(before)).All(ctx)
	for _, x := range old {
		if err = s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			if err := blob.Remove(ctx, s, x.BlobID); err != nil {
				return err
			}
			return c.Attachment.DeleteOneID(x.ID).Where(entattachment.ArchivedAtLT(before)).Exec(ctx)
		}); err != nil {
			break
		}
		n++
	}
	return n, store.Known(err)
}
