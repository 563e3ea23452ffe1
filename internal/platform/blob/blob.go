// Package blob keeps the content of files in the database, in chunks, so that
// every replica reaches them and one backup holds everything. It knows bytes
// only: the caller has checked who may write and read them, and the rows that
// point at a blob say what it is.
//
// Areas and exchange use it. A reader that may be slow, such as an upload, is
// read to a file first: on SQLite a transaction under way holds up every writer.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"steward/ent"
	entblob "steward/ent/blob"
	"steward/ent/blobchunk"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// chunkSize is how much of a blob one row holds, and so how much of it is in
// memory at once.
const chunkSize = 256 << 10

// Put stores what r gives as a new blob. More than max bytes are refused with
// Limit, and nothing is kept. It joins the transaction of ctx, or makes its own.
func Put(ctx context.Context, s *store.Store, r io.Reader, max int64) (*ent.Blob, error) {
	ctx = scope.Elevate(ctx)
	var id ident.ID
	if err := s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		b, err := c.Blob.Create().Save(ctx)
		if err != nil {
			return err
		}
		id = b.ID
		size, sum, err := chunks(ctx, c, id, r, max)
		if err != nil {
			return err
		}
		return c.Blob.UpdateOneID(id).SetSize(size).SetSha256(sum).SetComplete(true).Exec(ctx)
	}); err != nil {
		return nil, store.Known(err)
	}
	b, err := s.ClientOf(ctx).Blob.Get(ctx, id) // read anew, so that it does not hang on a transaction that has ended
	return b, store.Known(err)
}

// chunks writes the chunks of a blob and returns their size and SHA-256.
func chunks(ctx context.Context, c *ent.Client, id ident.ID, r io.Reader, max int64) (int64, string, error) {
	part, hash, size := make([]byte, chunkSize), sha256.New(), int64(0)
	for seq := 0; ; seq++ {
		n, err := io.ReadFull(r, part)
		if size += int64(n); size > max {
			return 0, "", errs.New(errs.Limit, "blob.too_large", "megabytes", max>>20)
		}
		if n > 0 {
			hash.Write(part[:n])
			if err := c.BlobChunk.Create().SetBlobID(id).SetSeq(seq).SetData(part[:n]).Exec(ctx); err != nil {
				return 0, "", err
			}
		}
		switch {
		case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF):
			return size, hex.EncodeToString(hash.Sum(nil)), nil
		case err != nil:
			return 0, "", err
		}
	}
}

// Open returns the content of a blob, read from the database as it is asked for.
// The error is NotFound for one that is not there or not complete.
func Open(ctx context.Context, s *store.Store, id ident.ID) (io.ReadCloser, error) {
	ctx = scope.Elevate(ctx)
	b, err := s.ClientOf(ctx).Blob.Query().Where(entblob.ID(id), entblob.Complete(true)).Only(ctx)
	if err != nil {
		return nil, store.Known(err)
	}
	return &reader{ctx: ctx, store: s, blob: b}, nil
}

// reader gives one chunk after the other.
type reader struct {
	ctx   context.Context
	store *store.Store
	blob  *ent.Blob
	rest  []byte // of the chunk that is being read
	seq   int    // of the next chunk
	given int64
}

// Read gives the next bytes. A blob that has lost a part is an error, never a
// shorter file.
func (r *reader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.given == r.blob.Size {
			return 0, io.EOF
		}
		chunk, err := r.store.ClientOf(r.ctx).BlobChunk.Query().Where(blobchunk.BlobID(r.blob.ID), blobchunk.Seq(r.seq)).Only(r.ctx)
		if err != nil {
			return 0, fmt.Errorf("blob %s, part %d: %w", r.blob.ID, r.seq, err)
		}
		r.rest = chunk.Data
		r.seq++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	r.given += int64(n)
	return n, nil
}

// Close has nothing to give back: every part is a query of its own.
func (r *reader) Close() error { return nil }

// Remove deletes a blob with its chunks; one that is not there is no error.
func Remove(ctx context.Context, s *store.Store, id ident.ID) error {
	return s.Tx(scope.Elevate(ctx), func(ctx context.Context, c *ent.Client) error {
		if _, err := c.BlobChunk.Delete().Where(blobchunk.BlobID(id)).Exec(ctx); err != nil {
			return err
		}
		_, err := c.Blob.Delete().Where(entblob.ID(id)).Exec(ctx)
		return err
	})
}
