package app

import (
	"context"
	"errors"
	"time"

	"steward/internal/area/attachment"
	"steward/internal/platform/job"
	"steward/internal/platform/scan"
)

// rescanFiles shows the files that wait for the virus scanner to it again. A scanner that is still down is no
// fault of the job: it comes round again.
func (a *App) rescanFiles(ctx context.Context, x *job.Run) error {
	n, err := attachment.Rescan(ctx, a.jobs, a.scanner())
	if errors.Is(err, scan.ErrDown) {
		a.cfg.Log.WarnContext(ctx, "files wait for the virus scanner", "error", err)
		err = nil
	}
	if err != nil {
		return err
	}
	return x.Done(ctx, map[string]any{"files": n}, nil)
}

// sweepFiles deletes the files that were removed from their records so long ago that nobody brings them back.
func (a *App) sweepFiles(ctx context.Context, x *job.Run) error {
	n, err := attachment.Sweep(ctx, a.jobs, time.Now().UTC().Add(-attachment.KeptFor))
	if err != nil {
		return err
	}
	return x.Done(ctx, map[string]any{"files": n}, nil)
}
