package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"steward/internal/rules/errs"
	"steward/internal/rules/money"
)

// MaxRecords bounds what one run of a format stores that must see all its records
// at once (Finisher), and with it its memory: a record takes about two kilobytes.
// Larger files are checked to their end and not stored.
const MaxRecords = 700_000

// mayForget is how many records are kept in memory. Of a larger file only their
// identities are, and it is read once more to be compared and stored in parts: see
// stream. A Finisher keeps more, unless faults have made it certain that nothing will
// be stored.
var mayForget = 50_000

// progressEvery is how many rows pass between two reports of progress.
const progressEvery = 5000

// Read reads the files of one run and stages their records, without a database.
// The report lists every fault, warning and duplicate and the totals; what is
// created or updated is not known yet. It fails with errs.Validation for settings
// the format refuses, and with the reader's error when a file cannot be opened.
func Read(ctx context.Context, f Format, files []File, o Options) (*Staged, *Report, error) {
	order, err := o.dates()
	if err != nil {
		return nil, nil, badSetting(err)
	}
	p, err := f.Open(o)
	if err != nil {
		return nil, nil, badSetting(err)
	}
	if d, ok := p.(DateWriter); ok && order == Unknown {
		order = d.Dates()
	}
	stage, rep := newStaged(p.Source(), p.Kinds()), newReport(f.Name(), files)
	for i, file := range files {
		r := reading{file: file, index: i, options: o, parser: p, stage: stage, report: rep, order: order}
		if err := r.read(ctx); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", file.Name, err)
		}
	}
	if f, ok := p.(Finisher); ok {
		f.Finish(stage)
	}
	if err := control(o, rep); err != nil {
		return nil, nil, badSetting(err)
	}
	return stage, rep, nil
}

func badSetting(err error) error {
	return errs.New(errs.Validation, "import.error.setting", "text", strings.TrimPrefix(err.Error(), "importer: ")).Wrap(err)
}

// control compares the totals a person entered with the sums of the files. A
// total names the one currency of the files; a difference is a fault.
func control(o Options, rep *Report) error {
	for _, k := range Sorted(o.Set) {
		name, ok := strings.CutPrefix(k, setTotal)
		if !ok {
			continue
		}
		want, err := money.ParseFile(o.Set[k], 1)
		if err != nil {
			return fmt.Errorf("%s: not an amount: %q", k, o.Set[k])
		}
		by := rep.Totals[name]
		if len(by) > 1 {
			return fmt.Errorf("%s: the files hold %s", k, strings.Join(Sorted(by), ", "))
		}
		var have money.Amount
		for _, a := range by {
			have = a
		}
		if have != want {
			rep.Faults = append(rep.Faults, Fault{File: rep.Files[0], Line: 1, Column: name, Value: have.String(),
				Reason: Say("import.fault.total", "have", have.String(), "want", want.String())})
		}
	}
	return nil
}

// reading is the passage of one file.
type reading struct {
	file    File
	index   int
	options Options
	parser  Parser
	stage   *Staged
	report  *Report
	order   DateOrder

	mapping *mapping
	decoded bool
	typed   bool // the cells have types, and texts are never taken for formulas
	blanks  int  // empty lines in a row, and where they began
	blankAt int
	full    func() error // looks whether a part is to be stored, after each row
}

// records is a file cut into rows of cells: next returns io.EOF after the last, place
// is the line that comes next.
type records interface {
	next() (record, error)
	place() int
}

func (r *reading) read(ctx context.Context) error {
	s, end, err := r.open()
	if s == nil || err != nil {
		return err
	}
	defer end()
	ok, err := r.header(s)
	if err == nil && ok {
		err = r.rows(ctx, s)
	}
	return r.refused(s.place(), err)
}

// open finds out what the file is and returns its records; nil when it is none that
// can be read, which is a fault by then.
func (r *reading) open() (s records, end func(), err error) {
	n, err := inspect(r.file)
	if err != nil {
		return nil, nil, err
	}
	r.stage.Hashes = append(r.stage.Hashes, n.hash)
	r.mapping = newMapping(r.parser.Columns(), r.options.renamed())
	switch {
	case n.workbook:
		s, err := r.workbook()
		return s, func() {}, err
	case n.binary != "":
		r.fault(1, Say(n.binary), Say("import.hint.save_as_csv"))
		return nil, nil, nil
	case n.size == int64(n.bom):
		r.fault(1, Say("import.fault.empty"), Message{})
		return nil, nil, nil
	}
	r.decoded = n.encoding != UTF8
	in, err := r.file.open()
	if err != nil {
		return nil, nil, err
	}
	end = func() { _ = in.Close() }
	text, err := r.text(n, in)
	if err != nil {
		end()
		return nil, nil, err
	}
	return text, end, nil
}

// text cuts a file of text into records.
func (r *reading) text(n nature, in io.Reader) (*scanner, error) {
	text, err := n.decoder(in)
	if err != nil {
		return nil, err
	}
	head := make([]byte, 256<<10)
	k, err := io.ReadFull(text, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	head = head[:k]
	comma, err := separator(r.options.Set[SetSeparator])
	if err != nil {
		return nil, badSetting(err)
	}
	if comma == 0 {
		comma = sniff(head, r.mapping.matches)
	}
	s := newScanner(io.MultiReader(bytes.NewReader(head), text), comma)
	s.cr = !n.feeds
	return s, nil
}

func separator(set string) (byte, error) {
	switch set {
	case "":
		return 0, nil
	case "tab", "\t":
		return '\t', nil
	}
	if len(set) == 1 && slices.Contains(separators, set[0]) {
		return set[0], nil
	}
	return 0, fmt.Errorf("importer: %s is one of , ; | tab, not %q", SetSeparator, set)
}

// header reads until the row that names every required column. It reports
// whether there is one; where there is none it says what the best row lacks.
func (r *reading) header(s records) (bool, error) {
	var nearest record
	var lacks []string
	best, above := -1, 0
	for range headerRows {
		rec, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, err
		}
		if rec.broken != "" {
			r.fault(rec.line, Say(rec.broken), Message{})
			return false, nil
		}
		if blankCells(rec.cells) {
			continue
		}
		missing, unknown, repeated := r.mapping.take(rec.cells)
		if len(missing) == 0 {
			if above > 0 {
				r.warn(rec.line, "", Say("import.warning.preamble", "n", above))
			}
			for _, label := range unknown {
				r.warn(rec.line, label, Say("import.warning.unknown_column"))
			}
			for _, label := range repeated {
				r.warn(rec.line, label, Say("import.warning.repeated_column"))
			}
			return true, nil
		}
		if m := r.mapping.matches(rec.cells); m > best {
			best, nearest, lacks = m, rec, missing
		}
		above++
	}
	if best < 0 {
		r.fault(1, Say("import.fault.empty"), Message{})
		return false, nil
	}
	found := make([]string, 0, len(nearest.cells))
	for _, c := range nearest.cells[:min(40, len(nearest.cells))] {
		found = append(found, shown(strings.TrimSpace(c)))
	}
	f := Fault{File: r.file.Name, Line: nearest.line, Column: strings.Join(lacks, ", "),
		Value:  shown(strings.Join(found, ", ")),
		Reason: Say("import.fault.header", "columns", strings.Join(lacks, ", ")),
		Hint:   Say("import.hint.header", "names", strings.Join(r.wanted(lacks), ", "))}
	r.report.Faults = append(r.report.Faults, f)
	return false, nil
}

// wanted lists how to name the missing columns on the command line.
func (r *reading) wanted(lacks []string) (names []string) {
	for _, c := range r.mapping.columns {
		if slices.Contains(lacks, c.Headers[0]) {
			names = append(names, setColumn+c.Name)
		}
	}
	return names
}

func (r *reading) rows(ctx context.Context, s records) error {
	first := r.report.Rows
	for {
		rec, err := s.next()
		if errors.Is(err, io.EOF) {
			r.endBlanks()
			if r.report.Rows == first {
				r.warn(s.place(), "", Say("import.warning.no_rows"))
			}
			return nil
		}
		if err != nil {
			return err
		}
		if rec.broken != "" {
			r.fault(rec.line, Say(rec.broken), Say("import.hint.quote"))
			continue
		}
		if blankCells(rec.cells) {
			if r.blanks == 0 {
				r.blankAt = rec.line
			}
			r.blanks++
			continue
		}
		r.endBlanks()
		if r.totalLine(rec.cells) {
			r.warn(rec.line, "", Say("import.warning.total_line"))
			continue
		}
		r.report.Rows++
		if r.report.Rows%progressEvery == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			r.options.tell("read", int64(r.report.Rows), 0)
		}
		if err := r.row(rec); err != nil {
			return err
		}
		if r.full != nil {
			if err := r.full(); err != nil {
				return err
			}
			continue
		}
		_, whole := r.parser.(Finisher)
		switch n := r.stage.Len(); {
		case n > mayForget && !whole:
			r.stage.forget()
			r.report.large = true
		case n > MaxRecords, n > mayForget && len(r.report.Faults) > 0 && !r.options.SkipFaults:
			r.stage.forget()
			r.report.checkedOnly = true
			r.warn(rec.line, "", Say("import.warning.checked_only"))
		}
	}
}

func (r *reading) row(rec record) error {
	row := &Row{File: r.file.Name, Line: rec.line, cells: rec.cells, file: r.index, decoded: r.decoded,
		typed: r.typed, errors: rec.errors, mapping: r.mapping, stage: r.stage, dates: r.order}
	if extra := len(rec.cells) - len(r.mapping.labels); extra > 0 && !blankCells(rec.cells[len(r.mapping.labels):]) {
		row.Fault("", Say("import.fault.too_many_cells", "n", len(rec.cells), "expected", len(r.mapping.labels)), Say("import.hint.quote"))
	} else {
		r.parser.Row(row)
	}
	if !row.Faulty() {
		if err := row.commit(r.report); err != nil {
			return err
		}
	}
	r.report.Faults = append(r.report.Faults, row.faults...)
	if !row.Faulty() {
		r.report.Warnings = append(r.report.Warnings, row.warnings...)
	}
	return nil
}

// tell reports progress to whoever asked for it.
func (o Options) tell(step string, done, total int64) {
	if o.Progress != nil {
		o.Progress(step, done, total)
	}
}
