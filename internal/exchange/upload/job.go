package upload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"steward/ent"
	"steward/ent/importbatch"
	entupload "steward/ent/upload"
	"steward/internal/exchange/importer"
	"steward/internal/platform/blob"
	"steward/internal/platform/job"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
)

// Job is the kind of job that checks uploads and stores them.
const Job = "import"

// attempts is how often a job is tried: a database that is busy or gone comes back.
const attempts = 3

// input is what a job is asked: for whom, and what to do with which upload.
type input struct {
	Upload ident.ID `json:"upload"`
	Apply  bool     `json:"apply,omitempty"`
	Skip   bool     `json:"skip,omitempty"`
	Roles  []string `json:"roles"`
	Lang   string   `json:"lang,omitempty"`
}

// Worker does the jobs.
type Worker struct {
	Store   *store.Store
	Formats importer.Formats
	// Who returns somebody as they are now: rights that were taken away since they
	// asked are gone. The error has the code Unauthenticated for somebody who may no
	// longer do anything.
	Who func(ctx context.Context, was *viewer.Viewer) (*viewer.Viewer, error)
}

// errCancelled is why a run ends that its person has stopped.
var errCancelled = errors.New("upload: cancelled")

// Do is one attempt. The rows, the end of the upload and the end of the job are one
// transaction behind the job's fence, so that an import happens once or not at all,
// whatever happens to the server (IM-4).
func (w *Worker) Do(ctx context.Context, x *job.Run) error {
	var in input
	if err := x.Input(&in); err != nil {
		return err
	}
	u, err := w.Store.ClientOf(ctx).Upload.Get(scope.Elevate(ctx), in.Upload)
	if err != nil && !ent.IsNotFound(err) {
		return err
	}
	if err != nil || !has(u, x.ID) { // given up or cancelled before its turn came
		return x.Done(ctx, nil, nil)
	}
	r := &run{Worker: w, job: x, upload: u, input: in}
	rep, err := r.do(ctx)
	switch {
	case errors.Is(err, errCancelled) || errors.Is(context.Cause(ctx), errCancelled):
		return x.Done(ctx, nil, nil)
	case err == nil && rep.Applied:
		return nil // with the rows
	case err == nil:
		return r.keep(ctx, rep)
	}
	if said := spoken(err); said != nil {
		return r.fail(ctx, said, func(fn func(context.Context, *ent.Client) error) error { return x.Done(ctx, nil, fn) })
	}
	if x.Attempt >= attempts && !errors.Is(err, job.ErrLost) && ctx.Err() == nil {
		gone := errs.New(errs.Internal, "upload.error.failed")
		_ = r.fail(ctx, gone, func(fn func(context.Context, *ent.Client) error) error { return x.Tx(ctx, fn) }) // the job says the rest
	}
	return err
}

// spoken returns what a person can do something about; nil for what may pass by itself,
// or is a fault of ours.
func spoken(err error) *errs.Error {
	if store.Full(err) {
		return errs.New(errs.Unavailable, "upload.error.full").Wrap(err)
	}
	e := errs.As(store.Known(err))
	switch e.Code {
	case errs.Internal, errs.Unavailable:
		return nil
	case errs.Unauthenticated:
		return errs.New(errs.CodeForbidden, "upload.error.rights")
	}
	return e
}

func has(u *ent.Upload, id ident.ID) bool { return u.JobID != nil && *u.JobID == id }

// run is one attempt at one upload.
type run struct {
	*Worker
	job    *job.Run
	upload *ent.Upload
	input  input
	live   *live
	began  time.Time
	inside atomic.Bool // the transaction with the rows is open
}

func (r *run) do(ctx context.Context) (*importer.Report, error) {
	r.began = time.Now().UTC()
	v, err := r.Who(ctx, &viewer.Viewer{Kind: viewer.Person, ID: r.upload.PersonID, Name: r.job.ActorName, Roles: r.input.Roles,
		Via: viewer.ViaImport, RequestID: r.job.ID.String(), Lang: r.input.Lang, Zone: time.UTC})
	if err != nil {
		return nil, err
	}
	if !May(v) {
		return nil, errs.New(errs.CodeForbidden, "upload.error.rights")
	}
	p := PlanOf(r.upload)
	f, ok := r.Formats.Find(p.Format)
	if !ok {
		return nil, errs.New(errs.Validation, "upload.error.format")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.live = start(r.upload.ID, r.job.ID, cancel)
	defer r.live.end()
	o := p.Options()
	o.Apply, o.SkipFaults = r.input.Apply, r.input.Skip
	o.Progress = func(step string, done, total int64) { r.progress(ctx, step, done, total) }
	o.Tx = r.tx
	rep, err := importer.Run(viewer.With(ctx, v), r.Store, f, r.files(ctx), o)
	if errors.Is(context.Cause(ctx), errCancelled) {
		return nil, errCancelled
	}
	return rep, err
}

// files are those of the upload, counted as they are read.
func (r *run) files(ctx context.Context) []importer.File {
	var out []importer.File
	for _, f := range Files(r.upload) {
		r.live.size.Add(2 * f.Size) // once for what it is, once for what it holds
		out = append(out, importer.Opened(f.Name, func() (io.ReadCloser, error) {
			in, err := blob.Open(ctx, r.Store, f.Blob)
			return counting{in, &r.live.read}, err
		}))
	}
	return out
}

type counting struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// tx opens the transaction of the rows. Where they are to stay it also ends the upload
// and the job.
func (r *run) tx(ctx context.Context, keep bool, fn func(context.Context, *ent.Client) error) error {
	r.inside.Store(true)
	defer r.inside.Store(false)
	if !keep {
		return r.job.Tx(ctx, fn)
	}
	return r.job.Done(ctx, nil, func(ctx context.Context, c *ent.Client) error {
		if err := fn(ctx, c); err != nil {
			return err
		}
		return r.applied(scope.Elevate(ctx), c)
	})
}

// applied ends the upload: its files are deleted, and it leads to the report of the
// import. One that was cancelled or given up meanwhile takes the rows back with it.
func (r *run) applied(ctx context.Context, c *ent.Client) error {
	batch, err := c.ImportBatch.Query().Where(importbatch.ChangeSet(store.ChangeSet(ctx))).OnlyID(ctx)
	if err != nil {
		return err
	}
	n, err := c.Upload.Update().Where(entupload.ID(r.upload.ID), entupload.JobID(r.job.ID)).
		AddVersion(1).SetReport(Result{Batch: batch}.row()).ClearJobID().Save(ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		return errCancelled
	}
	return empty(ctx, r.Store, r.upload)
}

// keep stores what a check found, or why nothing was applied.
func (r *run) keep(ctx context.Context, rep *importer.Report) error {
	res := Result{Took: time.Since(r.began), Applying: r.input.Apply,
		Counts: map[string]int{"faults": len(rep.Faults), "warnings": len(rep.Warnings), "duplicates": len(rep.Duplicates)}}
	all := *rep
	all.Warnings, all.Duplicates = nil, nil
	short := *rep
	short.Faults = short.Faults[:min(Shown, len(short.Faults))]
	short.Warnings = short.Warnings[:min(Shown, len(short.Warnings))]
	short.Duplicates = short.Duplicates[:min(Shown, len(short.Duplicates))]
	var err error
	if res.Report, err = short.Keep(); err != nil {
		return err
	}
	return r.done(r.job.Done(ctx, nil, func(ctx context.Context, c *ent.Client) error {
		if len(rep.Faults) > 0 {
			text, err := all.Keep()
			if err != nil {
				return err
			}
			b, err := blob.Put(ctx, r.Store, bytes.NewReader(text), 1<<40)
			if err != nil {
				return err
			}
			res.Faults = b.ID
		}
		return r.set(ctx, c, res)
	}), ctx)
}

// fail stores why nothing could be done.
func (r *run) fail(ctx context.Context, why *errs.Error, tx func(func(context.Context, *ent.Client) error) error) error {
	res := Result{Took: time.Since(r.began), Applying: r.input.Apply, Error: why.Key, Args: why.Args}
	if len(why.Fields) > 0 {
		res.Error, res.Args = why.Fields[0].Key, why.Fields[0].Args
	}
	return r.done(tx(func(ctx context.Context, c *ent.Client) error { return r.set(ctx, c, res) }), ctx)
}

// done ends the job of an upload that was cancelled in the last moment.
func (r *run) done(err error, ctx context.Context) error {
	if errors.Is(err, errCancelled) {
		return r.job.Done(ctx, nil, nil)
	}
	return err
}

func (r *run) set(ctx context.Context, c *ent.Client, res Result) error {
	if err := dropFaults(scope.Elevate(ctx), r.Store, r.upload); err != nil {
		return err
	}
	n, err := c.Upload.Update().Where(entupload.ID(r.upload.ID), entupload.JobID(r.job.ID)).AddVersion(1).SetReport(res.row()).ClearJobID().Save(scope.Elevate(ctx))
	if err == nil && n == 0 {
		err = errCancelled
	}
	return err
}

// toldEvery is how often the progress is kept, and the upload asked whether it is still
// wanted.
const toldEvery = time.Second

// progress tells whoever looks how far the run is, and stops it when its upload was
// cancelled, perhaps through another server.
func (r *run) progress(ctx context.Context, step string, done, total int64) {
	l := r.live
	l.mu.Lock()
	l.step, l.done, l.total = step, done, total
	due := time.Since(l.told) >= toldEvery
	if due {
		l.told = time.Now().UTC()
	}
	l.mu.Unlock()
	if !due {
		return
	}
	own := scope.Elevate(viewer.With(ctx, viewer.NewSystem(viewer.ViaJob, "")))
	if ok, err := r.Store.Client.Upload.Query().Where(entupload.ID(r.upload.ID), entupload.JobID(r.job.ID)).Exist(own); err == nil && !ok {
		l.cancel(errCancelled)
		return
	}
	if !r.inside.Load() { // within, the transaction has the job's row
		_ = r.job.Report(own, job.Progress{Done: int(done), Total: int(total), Mark: step}) // the next one says more
	}
}

// live is a run of this process, which its pages can follow and stop at once.
type live struct {
	upload, job ident.ID
	cancel      context.CancelCauseFunc
	size, read  atomic.Int64
	mu          sync.Mutex
	step        string
	done, total int64
	began, told time.Time
}

var running sync.Map // id of the upload → *live

func start(upload, job ident.ID, cancel context.CancelCauseFunc) *live {
	l := &live{upload: upload, job: job, cancel: cancel, began: time.Now().UTC(), step: "read"}
	running.Store(upload, l)
	return l
}

func (l *live) end() { running.CompareAndDelete(l.upload, l) }

// stop ends a run of this process.
func stop(upload ident.ID) {
	if l, ok := running.Load(upload); ok {
		l.(*live).cancel(errCancelled)
	}
}

// Result is what became of an upload.
type Result struct {
	Batch    ident.ID        `json:"batch,omitempty"`  // the import that it has become
	Report   json.RawMessage `json:"report,omitempty"` // of the last check, its lists cut to Shown
	Counts   map[string]int  `json:"counts,omitempty"` // how long the lists are
	Faults   ident.ID        `json:"faults,omitempty"` // the blob with all faults
	Took     time.Duration   `json:"took,omitempty"`
	Applying bool            `json:"applying,omitempty"` // it was to be stored, and was not
	Error    string          `json:"error,omitempty"`    // why there is no report
	Args     []any           `json:"args,omitempty"`
}

// Shown is how many faults, warnings and duplicates the page lists.
const Shown = 50

// ResultOf returns what became of an upload; the zero Result for one that was not
// checked.
func ResultOf(u *ent.Upload) (res Result) {
	text, err := json.Marshal(u.Report)
	if err == nil {
		_ = json.Unmarshal(text, &res) // row wrote it
	}
	return res
}

func (res Result) row() map[string]any {
	out := map[string]any{}
	text, err := json.Marshal(res)
	if err == nil {
		_ = json.Unmarshal(text, &out)
	}
	return out
}

// May reports whether what was checked can be applied: all of it, or what has no fault.
func (res Result) May(skip bool) bool {
	if res.Report == nil {
		return false
	}
	rep, err := importer.Kept(res.Report)
	return err == nil && (res.Counts["faults"] == 0 || skip && len(rep.Created)+len(rep.Updated)+len(rep.Unchanged) > 0)
}

// AllFaults returns every fault of the last check.
func AllFaults(ctx context.Context, s *store.Store, u *ent.Upload) ([]importer.Fault, error) {
	res := ResultOf(u)
	if res.Faults == "" {
		return nil, nil
	}
	in, err := blob.Open(ctx, s, res.Faults)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	rep, err := importer.Kept(text)
	if err != nil {
		return nil, err
	}
	return rep.Faults, nil
}

// Status is how far the job of an upload is.
type Status struct {
	Running     bool // a job has the upload, or will have it
	Failed      bool // the job is gone without a word
	Step        string
	Done, Total int64
	PerSecond   int64
	Percent     int
}

// StatusOf returns how far the job of an upload is.
func StatusOf(ctx context.Context, s *store.Store, u *ent.Upload) (Status, error) {
	if u.JobID == nil {
		return Status{}, nil
	}
	ctx = scope.Elevate(ctx)
	x, err := working(ctx, s.ClientOf(ctx), u)
	if err != nil {
		return Status{}, store.Known(err)
	}
	if x == nil {
		return Status{Failed: true}, nil
	}
	out := Status{Running: true, Step: "wait"}
	began := x.StartedAt
	if x.Status == "RUNNING" {
		out.Step = "read"
		if step, ok := x.Progress["mark"].(string); ok {
			out.Step = step
		}
		done, _ := x.Progress["done"].(float64) // JSON has made floats of them
		total, _ := x.Progress["total"].(float64)
		out.Done, out.Total = int64(done), int64(total)
	}
	if l, ok := running.Load(u.ID); ok && l.(*live).job == x.ID {
		l := l.(*live)
		l.mu.Lock()
		out.Step, out.Done, out.Total, began = l.step, l.done, l.total, &l.began
		l.mu.Unlock()
		if size := l.size.Load(); out.Step == "read" && size > 0 {
			out.Percent = int(min(100, 100*l.read.Load()/size))
		}
	}
	if out.Total > 0 {
		out.Percent = int(min(100, 100*out.Done/out.Total))
	}
	if began != nil && out.Done > 0 {
		out.PerSecond = int64(float64(out.Done) / max(0.1, time.Since(*began).Seconds()))
	}
	return out, nil
}
