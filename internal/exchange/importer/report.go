package importer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"steward/internal/rules/money"
)

// Report is what an import did or would do. Its JSON is the one the command line
// prints with --json and the upload page offers for download.
type Report struct {
	Format    string   `json:"format"`
	Files     []string `json:"files"`
	Rows      int      `json:"rows"`
	Applied   bool     `json:"applied"`
	ChangeSet string   `json:"changeSet,omitempty"`

	// Rows of each entity, by GraphQL type name; entities with none are absent.
	Created   map[string]int `json:"created"`
	Updated   map[string]int `json:"updated"`
	Unchanged map[string]int `json:"unchanged"`

	Duplicates []Duplicate `json:"duplicates"`
	Faults     []Fault     `json:"faults"`
	Warnings   []Warning   `json:"warnings"`

	// Totals are the sums of what the files hold, each row once, by name and
	// currency: money of two currencies is never added.
	Totals map[string]map[string]money.Amount `json:"totals"`

	lang string
	// checkedOnly says that the files were read and not compared with what is
	// stored.
	checkedOnly bool
	// large says that the records did not fit into memory: see stream.
	large bool

	faults   []Fault // what the files alone said: see mark
	warnings []Warning
	sums     map[string]map[string]money.Amount
}

// speak sets the language of the report's sentences.
func (r *Report) speak(lang string) { r.lang = lang }

// MarshalJSON writes the report in the language of whoever ran the import.
func (r *Report) MarshalJSON() ([]byte, error) {
	type plain Report
	return json.Marshal((*plain)(r.with(func(m Message) Message {
		if m.lang == "" {
			m.lang = r.lang
		}
		return m
	})))
}

// Fault is a row, or a file, that cannot be stored.
type Fault struct {
	File   string  `json:"file"`
	Line   int     `json:"line"`             // physical line on which the row begins
	Column string  `json:"column,omitempty"` // as the file's header spells it
	Value  string  `json:"value,omitempty"`  // cut to 100 characters
	Reason Message `json:"reason"`
	Hint   Message `json:"hint,omitzero"`
}

// Warning is something to look at in a row that is stored all the same.
type Warning struct {
	File   string  `json:"file"`
	Line   int     `json:"line"`
	Column string  `json:"column,omitempty"`
	Value  string  `json:"value,omitempty"`
	Reason Message `json:"reason"`
}

// Duplicate is a row that says again what an earlier row said; it is not stored
// and not counted.
type Duplicate struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Of   int    `json:"of"`               // the line of the earlier row
	In   string `json:"ofFile,omitempty"` // its file, where that is another one
}

func newReport(format string, files []File) *Report {
	r := &Report{Format: format, Files: make([]string, 0, len(files)),
		Created: map[string]int{}, Updated: map[string]int{}, Unchanged: map[string]int{},
		Duplicates: []Duplicate{}, Faults: []Fault{}, Warnings: []Warning{},
		Totals: map[string]map[string]money.Amount{}}
	for _, f := range files {
		r.Files = append(r.Files, f.Name)
	}
	return r
}

// mark remembers what the files alone said, before the database was asked.
func (r *Report) mark() {
	r.faults, r.warnings = slices.Clone(r.Faults), slices.Clone(r.Warnings)
	r.sums = copied(r.Totals)
}

func copied(totals map[string]map[string]money.Amount) map[string]map[string]money.Amount {
	out := maps.Clone(totals)
	for name := range out {
		out[name] = maps.Clone(out[name])
	}
	return out
}

// clear takes away what a comparison added, so that another can be made.
func (r *Report) clear() {
	r.Faults, r.Warnings = slices.Clone(r.faults), slices.Clone(r.warnings)
	r.Totals = copied(r.sums)
	r.Created, r.Updated, r.Unchanged = map[string]int{}, map[string]int{}, map[string]int{}
}

// order puts faults and warnings in the order of the files and their lines.
func (r *Report) order() {
	at := func(file string, line int) [2]int { return [2]int{slices.Index(r.Files, file), line} }
	by := func(a, b [2]int) int { return slices.Compare(a[:], b[:]) }
	slices.SortStableFunc(r.Faults, func(a, b Fault) int { return by(at(a.File, a.Line), at(b.File, b.Line)) })
	slices.SortStableFunc(r.Warnings, func(a, b Warning) int { return by(at(a.File, a.Line), at(b.File, b.Line)) })
}

// add sums amount into the total of name and currency.
func (r *Report) add(name, currency string, amount money.Amount) error {
	by := r.Totals[name]
	if by == nil {
		by = map[string]money.Amount{}
		r.Totals[name] = by
	}
	sum, err := money.Add(by[currency], amount)
	if err == nil {
		by[currency] = sum
	}
	return err
}

// In returns a copy of the report whose sentences are in lang.
func (r *Report) In(lang string) *Report {
	c := r.with(func(m Message) Message { m.lang = lang; m.keep = false; return m })
	c.lang = lang
	return c
}

// Keep returns the report as it is stored: with keys instead of sentences. A NUL that a
// file holds becomes the sign for one, as PostgreSQL stores none.
func (r *Report) Keep() (json.RawMessage, error) {
	text, err := json.Marshal(r.with(func(m Message) Message { m.keep = true; return m }))
	return bytes.ReplaceAll(text, []byte(`\u0000`), []byte(`\u2400`)), err
}

// Kept reads a stored report.
func Kept(b []byte) (*Report, error) {
	var r Report
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

func (r *Report) with(change func(Message) Message) *Report {
	c := *r
	c.Faults, c.Warnings = slices.Clone(r.Faults), slices.Clone(r.Warnings)
	for i := range c.Faults {
		c.Faults[i].Reason = change(c.Faults[i].Reason)
		if !c.Faults[i].Hint.IsZero() {
			c.Faults[i].Hint = change(c.Faults[i].Hint)
		}
	}
	for i := range c.Warnings {
		c.Warnings[i].Reason = change(c.Warnings[i].Reason)
	}
	return &c
}

// Sorted returns the keys of a map in their order.
func Sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// OK reports whether every row could be stored.
func (r *Report) OK() bool { return len(r.Faults) == 0 }
