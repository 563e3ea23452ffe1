package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sort"

	"steward/ent"
	entblob "steward/ent/blob"
	"steward/ent/blobchunk"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
)

// Begin makes a blob that Append fills and Finish makes whole; until then nobody can
// read it. All three join the transaction of ctx.
func Begin(ctx context.Context, s *store.Store) (id ident.ID, err error) {
	err = s.Tx(scope.Elevate(ctx), func(ctx context.Context, c *ent.Client) error {
		b, err := c.Blob.Create().Save(ctx)
		if err == nil {
			id = b.ID
		}
		return err
	})
	return id, err
}

// Append adds the part with the number seq, which counts from 0.
func Append(ctx context.Context, s *store.Store, id ident.ID, seq int, part []byte) error {
	return s.Tx(scope.Elevate(ctx), func(ctx context.Context, c *ent.Client) error {
		return c.BlobChunk.Create().SetBlobID(id).SetSeq(seq).SetData(part).Exec(ctx)
	})
}

// Finish makes the blob whole and returns it with its size and hash.
func Finish(ctx context.Context, s *store.Store, id ident.ID) (b *ent.Blob, err error) {
	err = s.Tx(scope.Elevate(ctx), func(ctx context.Context, c *ent.Client) error {
		hash, size := sha256.New(), int64(0)
		for seq := 0; ; seq++ {
			part, err := c.BlobChunk.Query().Where(blobchunk.BlobID(id), blobchunk.Seq(seq)).Only(ctx)
			if ent.IsNotFound(err) {
				break
			}
			if err != nil {
				return err
			}
			hash.Write(part.Data)
			size += int64(len(part.Data))
		}
		b, err = c.Blob.UpdateOneID(id).SetSize(size).SetSha256(hex.EncodeToString(hash.Sum(nil))).SetComplete(true).Save(ctx)
		return err
	})
	return b, err
}

// OpenAt is Open for a reader that can start anywhere, as an answer in parts needs it.
func OpenAt(ctx context.Context, s *store.Store, id ident.ID) (io.ReadSeeker, error) {
	ctx = scope.Elevate(ctx)
	b, err := s.ClientOf(ctx).Blob.Query().Where(entblob.ID(id), entblob.Complete(true)).Only(ctx)
	if err != nil {
		return nil, store.Known(err)
	}
	rows, err := s.Raw(ctx).QueryContext(ctx, "SELECT length(data) FROM blob_chunks WHERE blob_id = $1 ORDER BY seq", id.String())
	if err != nil {
		return nil, store.Known(err)
	}
	defer rows.Close()
	r := &seeker{reader: reader{ctx: ctx, store: s, blob: b}}
	for at := int64(0); rows.Next(); {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		at += n
		r.ends = append(r.ends, at)
	}
	return r, rows.Err()
}

// seeker knows where each part of the blob ends.
type seeker struct {
	reader
	ends []int64
}

// Seek goes to a byte of the blob; the part it lies in is read when it is asked for.
func (r *seeker) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.given
	case io.SeekEnd:
		offset += r.blob.Size
	}
	if offset < 0 {
		return 0, errors.New("blob: before the beginning")
	}
	r.given, r.rest = min(offset, r.blob.Size), nil
	r.seq = sort.Search(len(r.ends), func(i int) bool { return r.ends[i] > r.given })
	return r.given, nil
}

// Read gives the next bytes from where Seek has gone to.
func (r *seeker) Read(p []byte) (int, error) {
	if len(r.rest) > 0 || r.given == r.blob.Size {
		return r.reader.Read(p)
	}
	start := int64(0)
	if r.seq > 0 {
		start = r.ends[r.seq-1]
	}
	skip := r.given - start
	r.given = start
	for skip > 0 {
		n, err := r.reader.Read(make([]byte, min(skip, int64(chunkSize))))
		if err != nil {
			return 0, err
		}
		skip -= int64(n)
	}
	return r.reader.Read(p)
}
