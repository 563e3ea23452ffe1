package importer

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"steward/ent"
)

// Format reads one kind of file.
type Format interface {
	// Name is what people type: "itdashboard-projects".
	Name() string
	// Open starts a run. It fails for settings the format does not know.
	Open(Options) (Parser, error)
}

// Parser turns the rows of one run into records. It may keep state between rows.
type Parser interface {
	// Source names the system the external ids belong to.
	Source() string
	// Columns are what to look for in the header.
	Columns() []Column
	// Kinds lists what the rows become, each after what it refers to.
	Kinds() []*Kind
	// Row stages what one row says.
	Row(*Row)
}

// Options of one import.
type Options struct {
	// Apply stores the rows; without it the run only reports.
	Apply bool
	// SkipFaults stores the good rows although others have faults.
	SkipFaults bool
	// Portfolio is the key of the portfolio for rows whose file names none.
	Portfolio string
	// Set holds the format's own settings (currency, unit, dates, column.NAME …).
	Set map[string]string
	// Progress, when set, is told how far the run is; total is 0 while unknown.
	Progress func(step string, done, total int64)
	// Tx, when set, opens the transaction in which the rows are stored, or in which
	// they are tried and taken back; without it that is store.Tx. A job's is behind
	// its fence and ends the job with the rows.
	Tx func(ctx context.Context, keep bool, fn func(context.Context, *ent.Client) error) error
}

// The settings every format understands.
const (
	SetDates     = "dates"     // month-first or day-first
	SetSeparator = "separator" // , ; tab |
	SetSheet     = "sheet"     // of a workbook; without it the first that can be seen
	setColumn    = "column."   // column.planned=Plan cost
	setTotal     = "total."    // total.planned=50301821979.00, compared with the sum
)

// Setting returns the value of a setting, or fallback.
func (o Options) Setting(name, fallback string) string {
	if v, ok := o.Set[name]; ok {
		return v
	}
	return fallback
}

// Allow fails when a setting is neither general nor one of names.
func (o Options) Allow(names ...string) error {
	for _, k := range Sorted(o.Set) {
		if k == SetDates || k == SetSeparator || k == SetSheet || strings.HasPrefix(k, setColumn) ||
			strings.HasPrefix(k, setTotal) || slices.Contains(names, k) {
			continue
		}
		return fmt.Errorf("importer: no setting %q", k)
	}
	return nil
}

func (o Options) dates() (DateOrder, error) {
	switch v := o.Set[SetDates]; v {
	case "":
		return Unknown, nil
	case "month-first":
		return MonthFirst, nil
	case "day-first":
		return DayFirst, nil
	default:
		return 0, fmt.Errorf("importer: %s is month-first or day-first, not %q", SetDates, v)
	}
}

func (o Options) renamed() map[string]string {
	out := map[string]string{}
	for k, v := range o.Set {
		if name, ok := strings.CutPrefix(k, setColumn); ok {
			out[name] = v
		}
	}
	return out
}

// Finisher is a Parser that adds to the staged records once all rows are read.
type Finisher interface{ Finish(*Staged) }

// DateWriter is a Parser whose files write 03/04/2012 in a known order.
type DateWriter interface{ Dates() DateOrder }

// Formats is the set of formats a program offers.
type Formats []Format

// Find returns the format of a name.
func (f Formats) Find(name string) (Format, bool) {
	i := slices.IndexFunc(f, func(x Format) bool { return x.Name() == name })
	if i < 0 {
		return nil, false
	}
	return f[i], true
}

// Names lists the formats in alphabetical order.
func (f Formats) Names() []string {
	out := make([]string, len(f))
	for i, x := range f {
		out[i] = x.Name()
	}
	sort.Strings(out)
	return out
}
