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
	entupload "steward/ent/upload"
	"steward/internal/area/notify"
	"steward/internal/area/retention"
	"steward/internal/area/takeout"
	"steward/internal/exchange/upload"
	"steward/internal/platform/auth"
	"steward/internal/platform/blob"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// uploadTime is how long the sending of a file may take.
const uploadTime = 24 * time.Hour

// kinds are the jobs that Steward has.
func (a *App) kinds() []job.Kind {
	return []job.Kind{
		{Name: "clean", Every: time.Hour, Do: func(ctx context.Context, x *job.Run) error { return clean(ctx, x, time.Now().UTC()) }},
		{Name: upload.Job, Do: (&upload.Worker{Store: a.jobs, Formats: formats(a.jobs), Who: func(ctx context.Context, was *viewer.Viewer) (*viewer.Viewer, error) {
			return auth.Still(ctx, a.jobs, was)
		}}).Do},
		{Name: takeout.Kind, Do: func(ctx context.Context, x *job.Run) error { return takeout.Do(ctx, x, a.jobs) }},
		{Name: "rescan-files", Every: 5 * time.Minute, Do: a.rescanFiles},
		{Name: "watch-views", Every: 15 * time.Minute, Do: func(ctx context.Context, x *job.Run) error { return watchViews(ctx, x, a.jobs) }},
		{Name: "sweep-files", Every: 24 * time.Hour, At: 3*time.Hour + 40*time.Minute, Do: a.sweepFiles},
		{Name: "purge", Every: 24 * time.Hour, At: 3*time.Hour + 20*time.Minute, Do: func(ctx context.Context, x *job.Run) error { return purge(ctx, x, a.jobs, time.Now().UTC()) }},
		{Name: "purge-webhooks", Every: 24 * time.Hour, At: 4 * time.Hour, Do: a.purgeWebhooks},
	}
}

// clean deletes what is past its time: sessions and idempotency keys as the settings say, rights to undo that
// have run out. What was done with them stays in the audit.
func clean(ctx context.Context, x *job.Run, now time.Time) error {
	out := map[string]any{}
	return x.Done(ctx, out, func(ctx context.Context, c *ent.Client) error {
		days, err := retention.Days(ctx, c)
		if err != nil {
			return err
		}
		for what, remove := range map[string]func(context.Context) (int, error){
			"sessions":        c.Session.Delete().Where(session.ExpiresAtLT(now.AddDate(0, 0, -days[retention.Sessions]))).Exec,
			"idempotencyKeys": c.IdempotencyKey.Delete().Where(idempotencykey.CreatedAtLT(now.AddDate(0, 0, -days[retention.IdempotencyKeys]))).Exec,
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

// purge deletes what has outlived its use, as the settings say: the oldest of the record of changes, jobs that
// ended long ago, messages that were read, files whose sending broke off, and files that were sent for an import
// and neither applied nor given up.
func purge(ctx context.Context, x *job.Run, s *store.Store, now time.Time) error {
	exports, err := takeout.Purge(ctx, x, s, now) // before the jobs, which know the files
	if err != nil {
		return err
	}
	days, err := retention.Days(ctx, s.Client)
	if err != nil {
		return err
	}
	audit, err := retention.PurgeAudit(ctx, x, s, now, days[retention.Audit])
	if err != nil {
		return err
	}
	jobs, err := job.Purge(ctx, x, now, days[retention.Jobs], days[retention.FailedJobs])
	if err != nil {
		return err
	}
	uploads, err := purgeUploads(ctx, x, s, now.AddDate(0, 0, -days[retention.Uploads]))
	if err != nil {
		return err
	}
	blobs, err := purgeBlobs(ctx, x, s, now.Add(-uploadTime))
	if err != nil {
		return err
	}
	notices := 0
	if err := x.Tx(ctx, func(ctx context.Context, c *ent.Client) (err error) {
		notices, err = notify.Purge(ctx, c, now.AddDate(0, 0, -days[retention.Notifications]))
		return err
	}); err != nil {
		return err
	}
	return x.Done(ctx, map[string]any{"audit": audit, "notifications": notices, "jobs": jobs, "exports": exports, "uploads": uploads, "blobs": blobs}, nil)
}

// part is how many rows of files are looked at in one transaction.
const part = 50

// purgeUploads deletes uploads made before the time, with their content. One whose import still waits for a
// worker, or runs, is kept.
func purgeUploads(ctx context.Context, x *job.Run, s *store.Store, before time.Time) (total int, err error) {
	last := ident.ID("")
	for more := true; more; {
		err := x.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
			list, err := c.Upload.Query().Where(entupload.CreatedAtLT(before), entupload.IDGT(last)).Order(entupload.ByID()).Limit(part).All(ctx)
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
				if err := upload.Delete(ctx, s, c, u); err != nil {
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
