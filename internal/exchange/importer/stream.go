package importer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
)

// partRecords is how many records of a large file are stored at once. As many again are
// read meanwhile.
var partRecords = 10_000

// parts is what the parts of a large file have in common: what was counted already, and
// where the rows lie.
type parts struct {
	counted map[[16]byte]bool // records that many rows mention
	places  map[ident.ID]bool
}

// first returns 1 for an item that no earlier part has counted, else 0.
func (p *parts) first(it *item) int {
	if p == nil {
		return 1
	}
	if at := it.place().Portfolio; at != "" && it.blocked.IsZero() {
		p.places[at] = true
	}
	if it.record.again {
		return 0
	}
	if it.record.mode != asRow {
		id := identity(it.record.Kind, it.record.ID)
		if p.counted[id] {
			return 0
		}
		p.counted[id] = true
	}
	return 1
}

// only returns the one portfolio in which all rows lie, or "".
func (p *parts) only() ident.ID {
	if len(p.places) != 1 {
		return ""
	}
	for id := range p.places {
		return id
	}
	return ""
}

// stream compares a file that does not fit into memory, and with Options.Apply stores
// it, part by part in one transaction. The file was read once already, so its own
// faults, warnings and totals are in the report; here come those of the database.
func stream(ctx context.Context, s *store.Store, f Format, files []File, o Options, hashes []string, rep *Report) error {
	if !o.Apply {
		return (&streaming{store: s, format: f, files: files, options: o, hashes: hashes, report: rep}).read(ctx, nil)
	}
	before := len(rep.Faults)
	err := o.open(s)(asImport(ctx), true, func(ctx context.Context, c *ent.Client) error {
		if err := oneAtATime(ctx, s); err != nil {
			return err
		}
		rep.Applied, rep.ChangeSet = true, store.ChangeSet(ctx)
		x := &streaming{store: s, format: f, files: files, options: o, hashes: hashes, report: rep, plans: map[string]bool{}}
		if err := x.read(ctx, c); err != nil {
			return err
		}
		if len(rep.Faults) > before && !o.SkipFaults {
			return errFaults
		}
		if err := heldPlans(ctx, s, x.plans); err != nil {
			return err
		}
		return x.last.keep(c)
	})
	if err != nil {
		rep.Applied, rep.ChangeSet = false, ""
		if !errors.Is(err, errFaults) {
			return store.Known(err)
		}
	}
	return nil
}

// streaming is the second passage of a large file.
type streaming struct {
	store   *store.Store
	format  Format
	files   []File
	options Options
	hashes  []string
	report  *Report
	plans   map[string]bool // whose totals follow in the end
	last    *comparison
	parts   parts
}

// read goes through the files once more; without a client it only compares. While one part is
// compared and stored the next one is read already.
func (x *streaming) read(ctx context.Context, client *ent.Client) error {
	p, err := x.format.Open(x.options)
	if err != nil {
		return badSetting(err)
	}
	order, err := x.options.dates()
	if err != nil {
		return badSetting(err)
	}
	if d, ok := p.(DateWriter); ok && order == Unknown {
		order = d.Dates()
	}
	x.parts = parts{counted: map[[16]byte]bool{}, places: map[ident.ID]bool{}}
	stage := newStaged(p.Source(), p.Kinds())
	stage.seen, stage.parts = map[[16]byte]int32{}, true
	ahead, stop := context.WithCancel(ctx)
	ready, ended := make(chan part), make(chan error, 1)
	go func() { // only here are stage and parser touched until the end
		defer close(ready)
		defer func() {
			if fault := recover(); fault != nil { // of a format; whoever runs the import is told, not the whole program ended
				ended <- fmt.Errorf("importer: %v\n%s", fault, debug.Stack())
			}
		}()
		ended <- x.ahead(ahead, p, order, stage, ready)
	}()
	for one := range ready {
		if err == nil {
			if err = x.part(ctx, client, one); err != nil {
				stop()
			}
		}
	}
	stop()
	if read := <-ended; err == nil {
		err = read
	}
	if err != nil {
		return err
	}
	x.last.staged = stage
	return nil
}

// part is what was read of a large file to be stored at once, and how many rows were read by then.
type part struct {
	staged *Staged
	rows   int
}

// ahead reads the files and hands over each part, at least one.
func (x *streaming) ahead(ctx context.Context, p Parser, order DateOrder, stage *Staged, ready chan<- part) error {
	scratch := newReport(x.format.Name(), x.files) // what the first passage has said already
	quiet := x.options
	quiet.Progress = nil
	hand := func() error {
		one := *stage // its records; those that come are put into new lists
		stage.drop()
		scratch.Faults, scratch.Warnings, scratch.Duplicates = nil, nil, nil
		select {
		case ready <- part{&one, scratch.Rows}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for i, file := range x.files {
		r := reading{file: file, index: i, options: quiet, parser: p, stage: stage, report: scratch, order: order}
		r.full = func() error {
			if stage.Len() < partRecords {
				return nil
			}
			return hand()
		}
		if err := r.read(ctx); err != nil {
			return err
		}
	}
	if !slices.Equal(stage.Hashes, x.hashes) {
		return errors.New("importer: the files changed while they were read")
	}
	return hand()
}

// part compares what is staged and stores it.
func (x *streaming) part(ctx context.Context, client *ent.Client, one part) error {
	c, err := compare(ctx, x.store, one.staged, x.report, client != nil)
	if err != nil {
		return store.Known(err)
	}
	c.parts, x.last = &x.parts, c
	created, updated := c.sort()
	if err := c.faults(); err != nil {
		return err
	}
	if client != nil {
		quiet := x.options
		quiet.Progress = nil
		if err := c.write(client, created, updated, quiet); err != nil {
			return err
		}
		lines, plans := c.touched(created, updated)
		for id := range plans {
			x.plans[id] = true
		}
		if err := heldLines(ctx, x.store, lines, x.plans); err != nil {
			return err
		}
	}
	c.items, c.found, c.names, c.staged = nil, nil, nil, nil
	step := "compare"
	if client != nil {
		step = "write"
	}
	x.options.tell(step, int64(one.rows), int64(x.report.Rows))
	return ctx.Err()
}

// tooMany is the answer to a file whose format must see all of it at once.
func tooMany() error { return errs.New(errs.Limit, "import.error.too_many", "n", MaxRecords) }
