package audit

import (
	"context"
	"io"

	"steward/ent"
	"steward/internal/platform/event"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// MayExport reports whether the viewer may take the whole record of changes out: who
// reads all of it and takes data out at all. A part of it could not be verified, so
// nobody gets one.
func MayExport(v *viewer.Viewer) bool {
	return v.IsSystem() || access.ForExport(v, "ChangeEvent").All
}

// Export writes the sealed record of changes to the file, signed by its head, and
// notes that it was taken out (the note itself is in the next export). The error is
// Forbidden for those who may not.
func Export(ctx context.Context, s *store.Store, to io.Writer) (store.AuditReport, error) {
	if !MayExport(viewer.From(ctx)) {
		return store.AuditReport{}, errs.Forbidden()
	}
	err := s.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
		return store.Note(ctx, event.Change(event.AuditExported, store.Change{Entity: "ChangeEvent"}, nil))
	})
	if err != nil {
		return store.AuditReport{}, err
	}
	return s.ExportAudit(ctx, to)
}
