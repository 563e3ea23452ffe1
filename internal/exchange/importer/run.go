package importer

import (
	"context"
	"errors"

	"steward/ent"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
)

// Run imports files in a format on behalf of the viewer in ctx. All files are
// read and staged before the database is asked for anything; then, with
// Options.Apply, everything is stored in one transaction, so an import that is
// interrupted leaves nothing. Without Apply nothing is written and the report
// says what would be.
//
// A report with faults and Applied false after Apply means that nothing was
// stored because of them. The error is for what is no fault of a row: settings
// the format refuses and an unknown portfolio (errs.Validation), too many rows
// (errs.Limit), a database that is busy (errs.Unavailable), a file that cannot
// be opened.
func Run(ctx context.Context, s *store.Store, f Format, files []File, o Options) (*Report, error) {
	v := viewer.From(ctx)
	if v == nil {
		return nil, store.ErrNoViewer
	}
	if o.Portfolio != "" {
		key, err := chosenPortfolio(ctx, s, o.Portfolio)
		if err != nil {
			return nil, err
		}
		o.Portfolio = key
	}
	staged, rep, err := Read(ctx, f, files, o)
	if err != nil {
		return nil, err
	}
	rep.speak(v.Lang)
	rep.mark()
	o.tell("compare", 0, int64(staged.Len()))
	defer rep.order()
	if rep.checkedOnly {
		if o.Apply && (rep.OK() || o.SkipFaults) {
			return nil, tooMany()
		}
		return rep, nil
	}
	blocked := len(rep.Faults) > 0 && !o.SkipFaults
	if rep.large {
		hashes := staged.Hashes
		staged = nil // its identities are as large as all the rest
		if o.Apply && blocked {
			return rep, nil
		}
		if err := stream(ctx, s, f, files, o, hashes, rep); err != nil {
			return nil, err
		}
		o.tell("done", int64(rep.Rows), int64(rep.Rows))
		return rep, nil
	}
	if !o.Apply || blocked {
		_, created, updated, err := prepare(ctx, s, staged, rep, false)
		if err != nil || !rehearsed(created, updated) {
			return rep, err
		}
		rep.clear() // and again, as if it were applied, to hear what the rules say
	}
	err = o.open(s)(asImport(ctx), o.Apply && !blocked, func(ctx context.Context, c *ent.Client) error {
		if err := oneAtATime(ctx, s); err != nil {
			return err
		}
		before := len(rep.Faults)
		work, created, updated, err := prepare(ctx, s, staged, rep, true)
		if err != nil {
			return err
		}
		if o.Apply && !blocked && !o.SkipFaults && len(rep.Faults) > before && !rehearsed(created, updated) {
			return errFaults
		}
		rep.Applied, rep.ChangeSet = true, store.ChangeSet(ctx)
		if err := work.apply(c, created, updated, o); err != nil {
			return err
		}
		if !o.Apply || blocked {
			return errRehearsal
		}
		return nil
	})
	if err != nil {
		rep.Applied, rep.ChangeSet = false, ""
		if !errors.Is(err, errFaults) && !errors.Is(err, errRehearsal) {
			return nil, store.Known(err)
		}
	}
	o.tell("done", int64(staged.Len()), int64(staged.Len()))
	return rep, nil
}

// open returns what opens the transaction of the rows.
func (o Options) open(s *store.Store) func(context.Context, bool, func(context.Context, *ent.Client) error) error {
	if o.Tx != nil {
		return o.Tx
	}
	return func(ctx context.Context, _ bool, fn func(context.Context, *ent.Client) error) error {
		return s.Tx(ctx, fn)
	}
}

// The transaction is rolled back because of faults, or because it was a dry run.
var (
	errFaults    = errors.New("importer: the rows have faults")
	errRehearsal = errors.New("importer: a dry run")
)

// maxRehearsed bounds the dry runs that try every row against the rules in a
// transaction that is then rolled back; larger ones are checked without.
const maxRehearsed = 5000

// rehearsed reports whether a dry run has to try the rows against the rules.
func rehearsed(sets ...map[*Kind][]*item) bool {
	n := 0
	for _, by := range sets {
		for k, items := range by {
			if k.Guarded {
				n += len(items)
			}
		}
	}
	return n > 0 && n <= maxRehearsed
}

// prepare compares and fills the report.
func prepare(ctx context.Context, s *store.Store, staged *Staged, rep *Report, lock bool) (c *comparison, created, updated map[*Kind][]*item, err error) {
	if c, err = compare(ctx, s, staged, rep, lock); err != nil {
		return nil, nil, nil, store.Known(err)
	}
	created, updated = c.sort()
	return c, created, updated, c.faults()
}

// asImport marks the audit of everything that follows as coming from an import.
// A context that is already free of row scope stays so.
func asImport(ctx context.Context) context.Context {
	v := *viewer.From(ctx)
	v.Via = viewer.ViaImport
	return viewer.With(ctx, &v)
}

// oneAtATime makes a second import of the same database wait, so that two of one
// file do not both create. SQLite has one writer at a time anyway. And it keeps
// PostgreSQL to indexes: an import asks by keys only, while nothing is known yet of
// the size of tables that it is filling, and a table is not to be read from end to
// end for each part of a file.
func oneAtATime(ctx context.Context, s *store.Store) error {
	if s.Dialect != "postgres" {
		return nil
	}
	for _, q := range []string{`SELECT pg_advisory_xact_lock(739211)`, `SET LOCAL enable_seqscan = off`} {
		if _, err := s.Raw(ctx).ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// elevated is the context for the import's own records.
func elevated(ctx context.Context) context.Context { return scope.Elevate(ctx) }
