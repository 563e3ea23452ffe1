package takeout_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/blobchunk"
	"steward/internal/area/takeout"
	"steward/internal/platform/blob"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func pia() context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: "per_pia", Name: "Pia", Roles: []string{"portfolio-manager"},
		Memberships: []viewer.Membership{{Scope: viewer.ScopeAll, Level: viewer.LevelManager}}, Lang: "en"})
}

// vendors makes n of them with long texts, so that a file has several parts.
func vendors(t *testing.T, s *store.Store, n int) {
	t.Helper()
	if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
		for i := range n {
			c.Vendor.Create().SetName(fmt.Sprintf("Vendor %04d", i)).SetNote(strings.Repeat("é", 900)).SaveX(ctx)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func runner(s *store.Store, do func(ctx context.Context, x *job.Run) error) *job.Runner {
	return job.New(s, job.Config{Kinds: []job.Kind{{Name: takeout.Kind, Do: do}}})
}

func content(t *testing.T, s *store.Store, id ident.ID, name string) string {
	t.Helper()
	x, err := takeout.Find(pia(), s, id)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := takeout.Open(pia(), s, x, name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// An export that is cut off goes on behind the last part it has stored: no line twice,
// none left out, and what was stored is not written again.
func TestResume(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		vendors(t, s, 700)
		x, err := takeout.Start(pia(), s, "", []string{"Vendor", "Product"})
		if err != nil {
			t.Fatal(err)
		}
		broke, parts := errors.New("the power went"), 0
		s.Client.BlobChunk.Use(func(next ent.Mutator) ent.Mutator {
			return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
				if parts++; parts == 3 {
					return nil, broke
				}
				return next.Mutate(ctx, m)
			})
		})
		if _, err := runner(s, func(ctx context.Context, r *job.Run) error { return takeout.Do(ctx, r, s) }).Once(context.Background()); err != nil {
			t.Fatal(err)
		}
		half, err := takeout.Find(pia(), s, x.ID)
		if err != nil || half.Done == 0 || half.Status != "READY" {
			t.Fatalf("half-way: %+v %v", half, err)
		}
		if n := s.Client.BlobChunk.Query().CountX(testkit.System()); n != 2 || half.Done >= 700 {
			t.Fatalf("it was cut off after %d parts and %d rows", n, half.Done)
		}
		stored := s.Client.BlobChunk.Query().Order(blobchunk.BySeq()).FirstX(testkit.System()).ID
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.Job.UpdateOneID(x.ID).SetRunAt(time.Now().Add(-time.Hour)).Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		if did, err := runner(s, func(ctx context.Context, r *job.Run) error {
			if r.Before.Done != half.Done {
				t.Errorf("goes on from %d, not from %d", r.Before.Done, half.Done)
			}
			return takeout.Do(ctx, r, s)
		}).Once(context.Background()); err != nil || !did {
			t.Fatal(did, err)
		}
		whole, err := takeout.Find(pia(), s, x.ID)
		if err != nil || whole.Status != "DONE" || whole.Done != 700 || len(whole.Files) != 2 {
			t.Fatalf("%+v %v", whole, err)
		}
		if s.Client.BlobChunk.Query().Order(blobchunk.BySeq()).FirstX(testkit.System()).ID != stored {
			t.Error("what was stored was written again")
		}
		lines := strings.Split(strings.TrimSpace(content(t, s, x.ID, "Vendor")), "\n")
		seen := map[string]bool{}
		for _, line := range lines {
			seen[line] = true
		}
		if len(lines) != 700 || len(seen) != 700 {
			t.Errorf("%d lines, %d different ones", len(lines), len(seen))
		}
		if content(t, s, x.ID, "Product") != "" {
			t.Error("products out of nothing")
		}
	})
}

// A reader starts anywhere in a file of several parts.
func TestSeek(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		var id ident.ID
		whole := ""
		if err := s.Tx(testkit.System(), func(ctx context.Context, _ *ent.Client) (err error) {
			if id, err = blob.Begin(ctx, s); err != nil {
				return err
			}
			for i, part := range []string{"first ", "the second one ", "3"} {
				whole += part
				if err := blob.Append(ctx, s, id, i, []byte(part)); err != nil {
					return err
				}
			}
			_, err = blob.Finish(ctx, s, id)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		r, err := blob.OpenAt(testkit.System(), s, id)
		if err != nil {
			t.Fatal(err)
		}
		for from := range len(whole) + 1 {
			if _, err := r.Seek(int64(from), io.SeekStart); err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(r); err != nil || string(b) != whole[from:] {
				t.Errorf("from %d: %q %v", from, b, err)
			}
		}
		if n, err := r.Seek(-1, io.SeekEnd); err != nil || n != int64(len(whole)-1) {
			t.Error(n, err)
		}
		if b, _ := io.ReadAll(r); string(b) != "3" {
			t.Errorf("the last byte: %q", b)
		}
	})
}

// Files go a week after the end, and no sooner; three exports run at a time.
func TestLimits(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		vendors(t, s, 1)
		var first *takeout.Export
		for i, name := range []string{"Vendor", "Product", "Contract", "Team"} {
			x, err := takeout.Start(pia(), s, "", []string{name})
			if i < 3 && err != nil || i == 3 && errs.CodeOf(err) != errs.Limit {
				t.Errorf("export %d: %v", i+1, err)
			}
			if i == 0 {
				first = x
			}
		}
		work := runner(s, func(ctx context.Context, r *job.Run) error { return takeout.Do(ctx, r, s) })
		for more := true; more; {
			more, _ = work.Once(context.Background())
		}
		if content(t, s, first.ID, "Vendor") == "" {
			t.Error("nothing was written")
		}
		purge := func(at time.Time) (n int) {
			t.Helper()
			if _, err := job.Enqueue(testkit.System(), s, "purge", nil, job.Options{}); err != nil {
				t.Fatal(err)
			}
			r := job.New(s, job.Config{Kinds: []job.Kind{{Name: "purge", Do: func(ctx context.Context, x *job.Run) (err error) {
				n, err = takeout.Purge(ctx, x, s, at)
				return err
			}}}})
			if _, err := r.Once(context.Background()); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := purge(time.Now().Add(takeout.KeptFor - time.Hour)); n != 0 {
			t.Errorf("%d files went early", n)
		}
		if n := purge(time.Now().Add(takeout.KeptFor + time.Hour)); n != 3 {
			t.Errorf("%d files went, want 3", n)
		}
		if n := s.Client.Blob.Query().CountX(testkit.System()) + s.Client.BlobChunk.Query().CountX(testkit.System()); n != 0 {
			t.Errorf("%d rows are left", n)
		}
		x, err := takeout.Find(pia(), s, first.ID)
		if err != nil || len(x.Files) != 0 {
			t.Errorf("afterwards: %+v %v", x, err)
		}
	})
}
