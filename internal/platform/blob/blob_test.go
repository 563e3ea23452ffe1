package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"steward/ent"
	"steward/internal/platform/blob"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/testkit"
)

// random returns n bytes that no two seeds share.
func random(n int64, seed byte) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), n)
}

func rows(t *testing.T, s *store.Store) [2]int {
	t.Helper()
	ctx := testkit.System()
	return [2]int{s.Client.Blob.Query().CountX(ctx), s.Client.BlobChunk.Query().CountX(ctx)}
}

func TestWhatIsPutComesOut(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		for _, c := range []struct {
			size   int64
			chunks int
		}{{0, 0}, {1, 1}, {256<<10 - 1, 1}, {256 << 10, 1}, {256<<10 + 1, 2}, {700_000, 3}} {
			before := rows(t, s)
			want, _ := io.ReadAll(random(c.size, 1))
			sum := sha256.Sum256(want)
			b, err := blob.Put(ctx, s, bytes.NewReader(want), c.size) // exactly the limit passes
			if err != nil || b.Size != c.size || b.Sha256 != hex.EncodeToString(sum[:]) || !b.Complete {
				t.Fatalf("%d bytes: %+v, %v", c.size, b, err)
			}
			if after := rows(t, s); after[1]-before[1] != c.chunks {
				t.Errorf("%d bytes lie in %d chunks, not %d", c.size, after[1]-before[1], c.chunks)
			}
			r, err := blob.Open(ctx, s, b.ID)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes came out as %d, %v", c.size, len(got), err)
			}
			if err := blob.Remove(ctx, s, b.ID); err != nil || rows(t, s) != before {
				t.Errorf("removed: %v, %v rows of %v", err, rows(t, s), before)
			}
			if _, err := blob.Open(ctx, s, b.ID); errs.CodeOf(err) != errs.CodeNotFound {
				t.Errorf("a removed one opens: %v", err)
			}
		}
	})
}

// broken gives some bytes and then fails, as an upload does that is cut off.
type broken struct{ io.Reader }

var errCut = errors.New("cut off")

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = errCut
	}
	return n, err
}

func TestWhatFailsLeavesNothing(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		if _, err := blob.Put(ctx, s, random(600_001, 2), 600_000); errs.CodeOf(err) != errs.Limit {
			t.Errorf("a byte too many: %v", err)
		}
		if _, err := blob.Put(ctx, s, broken{random(600_000, 2)}, 1<<20); !errors.Is(err, errCut) {
			t.Errorf("cut off: %v", err)
		}
		var inside ident.ID
		if err := s.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
			b, err := blob.Put(ctx, s, random(600_000, 2), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			inside = b.ID
			if r, err := blob.Open(ctx, s, b.ID); err != nil {
				t.Errorf("inside its transaction: %v", err)
			} else if n, err := io.Copy(io.Discard, r); n != 600_000 || err != nil {
				t.Errorf("inside its transaction it has %d bytes, %v", n, err)
			}
			return errCut
		}); !errors.Is(err, errCut) {
			t.Error(err)
		}
		if _, err := blob.Open(ctx, s, inside); errs.CodeOf(err) != errs.CodeNotFound {
			t.Errorf("after the rollback: %v", err)
		}
		if n := rows(t, s); n != [2]int{} {
			t.Errorf("%v rows were left", n)
		}
	})
}

// A blob that lost a part says so: a cut file would be taken for the whole one.
func TestAMissingPartIsAnError(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		b, err := blob.Put(ctx, s, random(600_000, 3), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.DB.Exec("DELETE FROM blob_chunks WHERE seq = 2"); err != nil {
			t.Fatal(err)
		}
		r, err := blob.Open(ctx, s, b.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err == nil {
			t.Error("two of three parts read as the whole")
		}
	})
}

// peak is the largest heap seen while bytes flow through it.
type peak struct {
	io.Reader
	most uint64
	n    int
}

func (p *peak) Read(b []byte) (int, error) {
	if p.n++; p.n%8 == 0 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		p.most = max(p.most, m.HeapAlloc)
	}
	return p.Reader.Read(b)
}

// 25 MB go in and out with some chunks in memory, not with the file.
func TestALargeFileIsNeverInMemory(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx, size := testkit.System(), int64(25<<20)
		var start runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&start)
		in := &peak{Reader: random(size, 4)}
		b, err := blob.Put(ctx, s, in, size)
		if err != nil {
			t.Fatal(err)
		}
		r, err := blob.Open(ctx, s, b.ID)
		if err != nil {
			t.Fatal(err)
		}
		out, hash := &peak{Reader: r}, sha256.New()
		if n, err := io.CopyBuffer(struct{ io.Writer }{hash}, struct{ io.Reader }{out}, make([]byte, 128<<10)); n != size || err != nil {
			t.Fatal(n, err)
		}
		if hex.EncodeToString(hash.Sum(nil)) != b.Sha256 {
			t.Error("what came out is not what went in")
		}
		if most := max(in.most, out.most); most > start.HeapAlloc+12<<20 {
			t.Errorf("the heap grew by %d MB", (most-start.HeapAlloc)>>20)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		ctx := testkit.System()
		sums := make([]string, 6)
		var wg sync.WaitGroup
		for i := range sums {
			wg.Go(func() {
				b, err := blob.Put(ctx, s, random(600_000, byte(10+i)), 1<<20)
				if err != nil {
					t.Error(err)
					return
				}
				r, err := blob.Open(ctx, s, b.ID)
				if err != nil {
					t.Error(err)
					return
				}
				h := sha256.New()
				if _, err := io.Copy(h, r); err != nil || hex.EncodeToString(h.Sum(nil)) != b.Sha256 {
					t.Errorf("blob %d came out changed, %v", i, err)
				}
				sums[i] = b.Sha256
			})
		}
		wg.Wait()
		seen := map[string]bool{}
		for _, sum := range sums {
			if seen[sum] || sum == "" {
				t.Error("two blobs are one")
			}
			seen[sum] = true
		}
	})
}

// Nobody reaches the tables past this package.
func TestOnlyElevated(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		if _, err := blob.Put(context.Background(), s, random(1, 1), 1); !errors.Is(err, store.ErrNoViewer) {
			t.Errorf("nobody puts: %v", err)
		}
		if _, err := blob.Open(scope.Elevate(context.Background()), s, "blb_x"); !errors.Is(err, store.ErrNoViewer) {
			t.Errorf("nobody opens: %v", err)
		}
	})
}
