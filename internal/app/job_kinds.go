package app

import (
	"context"
	"time"

	"steward/ent"
	entblob "steward/ent/blob"
	"steward/ent/idempotencykey"
	entjob "steward/ent/job"
	"steward/ent/session"
	"steward/ent/undoentry"
	"steward/ent/upload"
	"steward/internal/platform/blob"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
)

// How long what has ended is kept. Idempotency keys: security.md DA-4.
const (
	keyDays     = 30
	sessionDays = 30
	uploadTime  = 24 * time.Hour
)

// kinds are the jobs that Steward has.
func (a *App) kinds() []job.Kind {
	return []job.Kind{
		{Name: "clean", Every: time.Hour, Do: func(ctx context.Context, x *job.Run) error { return clean(ctx, x, time.Now().UTC()) }},
		{Name: "rescan-files", Every: 5 * time.Minute, Do: a.rescanFiles},
		{Name: "sweep-files", Every: 24 * time.Hour, At: 3*time.Hour + 40*time.Minute, Do: a.sweepFiles},
		{Name: "purge", Every: 24 * time.Hour, At: 3*time.Hour + 20*time.Minute, Do: func(ctx context.Context, x *job.Run) error { return purge(ctx, x, a.jobs, time.Now().UTC()) }},
	}
}

// clean deletes what is past its time: sessions a month after their end, idempotency keys after thirty days,
// rights to undo that have run out. What was done with them stays in the audit.
func clean(ctx context.Context, x *job.Run, now time.Time) error {
	out := map[string]any{}
	return x.Done(ctx, out, func(ctx context.Context, c *ent.Client) error {
		for what, remove := range map[string]func(context.Context) (int, error){
			"sessions":        c.Session.Delete().Where(session.ExpiresAtLT(now.AddDate(0, 0, -sessionDays))).Exec,
			"idempotencyKeys": c.IdempotencyKey.Delete().Where(idempotencykey.CreatedAtLT(now.AddDate(0, 0, -keyDays))).Exec,
			"rightsToUndo":    c.UndoEntry.Delete().Where(undoentry.ExpiresAtLT(now)).Exec,
		} {
			n, err := remove(ctx)
			if err != nil {
				return err
			}
			out[what] = n
		}
		return nil
	})
}

// purge deletes what has outlived its use: jobs that ended long ago, files whose sending broke off, and files
// that were sent for an import a day ago and neither applied nor given up.
func purge(ctx context.Context, x *job.Run, s *store.Store, now time.Time) error {
	jobs, err := job.Purge(ctx, x, now)
	if err != nil {
		return err
	}
	uploads, err := purgeUploads(ctx, x, s, now.Add(-uploadTime))
	if err != nil {
		return err
	}
	blobs, err := purgeBlobs(ctx, x, s, now.Add(-uploadTime))
	if err != nil {
		return err
	}
	return x.Done(ctx, map[string]any{"jobs": jobs, "uploads": uploads, "blobs": blobs}, nil)
}

// part is how many rows of files are looked at in one transaction.
const part = 50

// purgeUploads deletes uploads made before the time, with their content. One whose import still waits for a
// worker, or runs, is kept.
func purgeUploads(ctx context.Context, x *job.Run, s *store.Store, before time.Time) (total int, err error) {
	last := ident.ID("")
	for more := true; more; {
		err := x.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			list, err := c.Upload.Query().Where(upload.CreatedAtLT(before), upload.IDGT(last)).Order(upload.ByID()).Limit(part).All(ctx)
			if err != nil {
				return err
			}
			more = len(list) == part
			for _, u := range list {
				last = u.ID
				if u.JobID != nil {
					waits, err := c.Job.Query().Where(entjob.ID(*u.JobID), entjob.StatusIn(entjob.StatusREADY, entjob.StatusRUNNING)).Exist(ctx)
					if err != nil {
						return err
					}
					if waits {
						continue
					}
				}
				if err := c.Upload.DeleteOne(u).Exec(ctx); err != nil {
					return err
				}
				if err := blob.Remove(ctx, s, u.BlobID); err != nil {
					return err
				}
				total++
			}
			return nil
		})
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// purgeBlobs deletes content that was begun before the time and never became whole.
func purgeBlobs(ctx context.Context, x *job.Run, s *store.Store, before time.Time) (total int, err error) {
	for n := part; n == part; total += n {
		err := x.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			ids, err := c.Blob.Query().Where(entblob.Complete(false), entblob.CreatedAtLT(before)).Limit(part).IDs(ctx)
			if err != nil {
				return err
			}
			n = len(ids)
			for _, id := range ids {
				if err := blob.Remove(ctx, s, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
