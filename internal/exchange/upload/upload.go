// Package upload keeps the files that somebody is about to import: what was sent,
// how it is to be read, what the last check found, and the job that checks or stores
// it. An upload is its sender's alone; for everybody else there is none. It outlives
// sessions and servers, and is gone when it is given up or a day after it was sent.
//
// The page door uses it; internal/app runs its job and deletes what is old. Files
// themselves are read by exchange/importer and its formats.
package upload

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"strings"

	"entgo.io/ent/dialect/sql"

	"steward/ent"
	"steward/ent/headermapping"
	entjob "steward/ent/job"
	entupload "steward/ent/upload"
	"steward/internal/exchange/importer"
	"steward/internal/platform/blob"
	"steward/internal/platform/job"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// What a person may send (UP-4).
const (
	MaxFiles   = 10 // of one import
	MaxWaiting = 5  // uploads of one person that are neither applied nor given up
)

// Settings of an upload that are not the format's.
const (
	setFiles     = ".files"
	setPortfolio = ".portfolio"
)

// File is one of the files of an upload.
type File struct {
	Blob ident.ID `json:"blob"`
	Name string   `json:"name"`
	Size int64    `json:"size"`
}

// Files returns what was sent, in that order.
func Files(u *ent.Upload) (out []File) {
	_ = json.Unmarshal([]byte(u.Settings[setFiles]), &out) // Keep wrote it
	return out
}

// Sources returns the files as the importer reads them.
func Sources(ctx context.Context, s *store.Store, u *ent.Upload) []importer.File {
	var out []importer.File
	for _, f := range Files(u) {
		out = append(out, importer.Opened(f.Name, func() (io.ReadCloser, error) { return blob.Open(ctx, s, f.Blob) }))
	}
	return out
}

// Plan is how an upload is to be read.
type Plan struct {
	Format    string
	Settings  map[string]string // the format's
	Portfolio string            // key of the portfolio for all rows, empty where the file says
	Mapping   map[string]string // column of the format → header of the file, "" for none
}

// PlanOf returns how an upload is to be read.
func PlanOf(u *ent.Upload) Plan {
	p := Plan{Format: u.Format, Settings: map[string]string{}, Portfolio: u.Settings[setPortfolio], Mapping: maps.Clone(u.Mapping)}
	for k, v := range u.Settings {
		if !strings.HasPrefix(k, ".") {
			p.Settings[k] = v
		}
	}
	return p
}

// Options returns the options of a run.
func (p Plan) Options() importer.Options {
	set := maps.Clone(p.Settings)
	if set == nil {
		set = map[string]string{}
	}
	for column, label := range p.Mapping {
		set[importer.SetColumn(column)] = label
	}
	return importer.Options{Set: set, Portfolio: p.Portfolio}
}

// settings are those of a plan as the row keeps them, beside the files.
func (p Plan) settings(u *ent.Upload) map[string]string {
	out := map[string]string{setFiles: u.Settings[setFiles], setPortfolio: p.Portfolio}
	maps.Copy(out, p.Settings)
	return out
}

// May reports whether somebody may import files.
func May(v *viewer.Viewer) bool {
	return v != nil && v.Kind == viewer.Person && access.May(v, "ImportBatch", access.Write)
}

// own returns the sender of uploads, and the context for their rows.
func own(ctx context.Context) (*viewer.Viewer, context.Context, error) {
	v := viewer.From(ctx)
	if !May(v) {
		return nil, nil, errs.NotFound()
	}
	return v, scope.Elevate(ctx), nil
}

// Get returns an upload of the viewer. The error is NotFound for those of others, and
// for those who may not import.
func Get(ctx context.Context, s *store.Store, id ident.ID) (*ent.Upload, error) {
	v, ctx, err := own(ctx)
	if err != nil {
		return nil, err
	}
	u, err := s.ClientOf(ctx).Upload.Query().Where(entupload.ID(id), entupload.PersonID(v.ID)).Only(ctx)
	return u, store.Known(err)
}

// Waiting lists the uploads of the viewer that are neither applied nor given up,
// newest first.
func Waiting(ctx context.Context, s *store.Store) ([]*ent.Upload, error) {
	v, ctx, err := own(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.ClientOf(ctx).Upload.Query().Where(entupload.PersonID(v.ID)).Order(entupload.ByCreatedAt(sql.OrderDesc()), entupload.ByID()).All(ctx)
	if err != nil {
		return nil, store.Known(err)
	}
	var out []*ent.Upload
	for _, u := range all {
		if ResultOf(u).Batch == "" {
			out = append(out, u)
		}
	}
	return out, nil
}

// change runs fn on an upload of the viewer that nobody else changes meanwhile. The
// errors are Conflict when it is no longer the version the person saw, and State while
// a job has it.
func change(ctx context.Context, s *store.Store, id ident.ID, version int, fn func(ctx context.Context, c *ent.Client, u *ent.Upload) error) error {
	v, ctx, err := own(ctx)
	if err != nil {
		return err
	}
	return store.Known(s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		u, err := c.Upload.Query().Where(entupload.ID(id), entupload.PersonID(v.ID)).Where(s.Lock()).Only(ctx)
		switch {
		case err != nil:
			return err
		case u.Version != version:
			return errs.New(errs.Conflict, "upload.error.changed")
		case ResultOf(u).Batch != "":
			return errs.New(errs.State, "upload.error.applied")
		}
		busy, err := working(ctx, c, u)
		if err != nil {
			return err
		}
		if busy != nil {
			return errs.New(errs.State, "upload.error.running")
		}
		return fn(ctx, c, u)
	}))
}

// working returns the job that has an upload, nil when none has.
func working(ctx context.Context, c *ent.Client, u *ent.Upload) (*ent.Job, error) {
	if u.JobID == nil {
		return nil, nil
	}
	x, err := c.Job.Query().Where(entjob.ID(*u.JobID), entjob.StatusIn(entjob.StatusREADY, entjob.StatusRUNNING)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return x, err
}

// Save keeps how an upload is to be read. What an earlier check found no longer holds.
func Save(ctx context.Context, s *store.Store, id ident.ID, version int, p Plan) error {
	return change(ctx, s, id, version, func(ctx context.Context, c *ent.Client, u *ent.Upload) error {
		if err := dropFaults(ctx, s, u); err != nil {
			return err
		}
		return c.Upload.UpdateOne(u).AddVersion(1).SetFormat(p.Format).SetSettings(p.settings(u)).SetMapping(p.Mapping).ClearReport().ClearJobID().Exec(ctx)
	})
}

// dropFaults deletes the rows that an earlier check rejected.
func dropFaults(ctx context.Context, s *store.Store, u *ent.Upload) error {
	if b := ResultOf(u).Faults; b != "" {
		return blob.Remove(ctx, s, b)
	}
	return nil
}

// Check keeps how an upload is to be read and has it read and compared so, without
// storing anything.
func Check(ctx context.Context, s *store.Store, id ident.ID, version int, p Plan) error {
	return change(ctx, s, id, version, func(ctx context.Context, c *ent.Client, u *ent.Upload) error {
		if err := dropFaults(ctx, s, u); err != nil {
			return err
		}
		u, err := c.Upload.UpdateOne(u).SetFormat(p.Format).SetSettings(p.settings(u)).SetMapping(p.Mapping).Save(ctx)
		if err != nil {
			return err
		}
		return begin(ctx, s, c, u, input{})
	})
}

// Apply has an upload stored as it was checked: all of its rows, or with skip those
// without faults. How its headers were read is remembered for the next file like it.
func Apply(ctx context.Context, s *store.Store, id ident.ID, version int, skip bool, shape string) error {
	return change(ctx, s, id, version, func(ctx context.Context, c *ent.Client, u *ent.Upload) error {
		if !ResultOf(u).May(skip) {
			return errs.New(errs.State, "upload.error.unchecked")
		}
		if err := remember(ctx, c, u, shape); err != nil {
			return err
		}
		return begin(ctx, s, c, u, input{Apply: true, Skip: skip})
	})
}

func begin(ctx context.Context, s *store.Store, c *ent.Client, u *ent.Upload, in input) error {
	v := viewer.From(ctx)
	in.Upload, in.Roles, in.Lang = u.ID, v.Roles, v.Lang
	id, err := job.Enqueue(ctx, s, Job, in, job.Options{Attempts: attempts})
	if err != nil {
		return err
	}
	w := c.Upload.UpdateOne(u).AddVersion(1).SetJobID(id)
	if !in.Apply {
		w.ClearReport()
	}
	return w.Exec(ctx)
}

// Cancel stops the job of an upload, which leaves nothing behind it. One that has
// ended meanwhile stays as it is.
func Cancel(ctx context.Context, s *store.Store, id ident.ID) error {
	v, ctx, err := own(ctx)
	if err != nil {
		return err
	}
	u, err := Get(ctx, s, id)
	if err != nil {
		return err
	}
	stop(u.ID) // before the row is written: on SQLite the job's transaction holds up all others
	return store.Known(s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		_, err := c.Upload.Update().Where(entupload.ID(id), entupload.PersonID(v.ID), entupload.JobIDNotNil()).AddVersion(1).ClearJobID().Save(ctx)
		return err
	}))
}

// Discard gives an upload up: the files are deleted, and a job that has it is stopped.
func Discard(ctx context.Context, s *store.Store, id ident.ID) error {
	v, ctx, err := own(ctx)
	if err != nil {
		return err
	}
	if _, err := Get(ctx, s, id); err != nil {
		return err
	}
	stop(id)
	return store.Known(s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		u, err := c.Upload.Query().Where(entupload.ID(id), entupload.PersonID(v.ID)).Where(s.Lock()).Only(ctx)
		if err != nil {
			return err
		}
		return Delete(ctx, s, c, u)
	}))
}

// Delete deletes an upload with its files, in the transaction of ctx.
func Delete(ctx context.Context, s *store.Store, c *ent.Client, u *ent.Upload) error {
	ctx = scope.Elevate(ctx)
	if err := empty(ctx, s, u); err != nil {
		return err
	}
	return c.Upload.DeleteOne(u).Exec(ctx)
}

// empty deletes what was sent, and what was rejected of it.
func empty(ctx context.Context, s *store.Store, u *ent.Upload) error {
	if err := dropFaults(ctx, s, u); err != nil {
		return err
	}
	if err := blob.Remove(ctx, s, u.BlobID); err != nil {
		return err
	}
	for _, f := range Files(u) {
		if err := blob.Remove(ctx, s, f.Blob); err != nil {
			return err
		}
	}
	return nil
}

// remember keeps how the headers of a file were read.
func remember(ctx context.Context, c *ent.Client, u *ent.Upload, shape string) error {
	if len(u.Mapping) == 0 || shape == "" {
		return nil
	}
	known := known(PlanOf(u))
	have, err := c.HeaderMapping.Query().Where(headermapping.Format(known), headermapping.Shape(hashOf(shape))).Only(ctx)
	name := viewer.From(ctx).Name
	switch {
	case ent.IsNotFound(err):
		err = c.HeaderMapping.Create().SetFormat(known).SetShape(hashOf(shape)).SetMapping(u.Mapping).SetActorName(name).Exec(ctx)
		return err
	case err != nil || maps.Equal(have.Mapping, u.Mapping):
		return err
	}
	return c.HeaderMapping.UpdateOne(have).SetMapping(u.Mapping).SetActorName(name).Exec(ctx)
}

// Remembered returns how headers of a shape were read the last time a file like it was
// applied, nil for never.
func Remembered(ctx context.Context, s *store.Store, p Plan, shape string) (map[string]string, error) {
	_, ctx, err := own(ctx)
	if err != nil {
		return nil, err
	}
	have, err := s.ClientOf(ctx).HeaderMapping.Query().Where(headermapping.Format(known(p)), headermapping.Shape(hashOf(shape))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, store.Known(err)
	}
	return have.Mapping, nil
}

// known is the format by which headers are remembered: of a csv also what its rows are.
func known(p Plan) string {
	if e := p.Settings["entity"]; e != "" {
		return p.Format + ":" + e
	}
	return p.Format
}
