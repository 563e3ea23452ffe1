package importer

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/formula"
	"steward/internal/rules/money"
)

// Row is one record of a file, read by column name. What a format stages through
// it takes effect when the row is done and only if it has no fault.
type Row struct {
	File  string
	Line  int
	cells []string

	file    int
	decoded bool
	typed   bool
	errors  []int
	mapping *mapping
	stage   *Staged
	dates   DateOrder

	faults   []Fault
	warnings []Warning
	ops      []*Record
}

type mode int

const (
	asRow    mode = iota // a second one is a duplicate row
	asFirst              // mentioned by many rows; the first says how it is
	asLatest             // mentioned by many rows; the last says how it is
)

// Has reports whether the file has the column.
func (r *Row) Has(name string) bool { return r.mapping.at(name) >= 0 }

// Raw returns a cell as it is in the file; "" when the column or cell is absent.
func (r *Row) Raw(name string) string {
	if i := r.mapping.at(name); i >= 0 && i < len(r.cells) {
		return r.cells[i]
	}
	return ""
}

// Plain reports whether the texts stand as they are meant: those of a workbook, and of
// a file of rejected rows, whose guards Text takes away.
func (r *Row) Plain() bool { return r.typed || r.mapping.guarded }

// unreadable says why a cell cannot be read, or nothing.
func (r *Row) unreadable(name string) Key {
	if slices.Contains(r.errors, r.mapping.at(name)) {
		return "import.fault.cell_error"
	}
	return damaged(r.Raw(name), r.decoded)
}

// Text returns a cell without surrounding space and with line ends as LF. A cell
// with bytes that are no letters is a fault, as is one with an error in a workbook.
func (r *Row) Text(name string) string {
	raw := r.Raw(name)
	if key := r.unreadable(name); key != "" {
		hint := Say("import.hint.encoding")
		if r.typed {
			hint = Message{}
		}
		r.Fault(name, Say(key), hint)
		return ""
	}
	if strings.IndexByte(raw, '\r') >= 0 {
		raw = lineEnds.Replace(raw)
	}
	if r.mapping.guarded {
		raw = formula.Unguard(raw)
	}
	return strings.TrimSpace(raw)
}

// lineEnds turns the line ends of a cell into LF; some programs write CR CR LF.
var lineEnds = strings.NewReplacer("\r\r\n", "\n", "\r\n", "\n", "\r", "\n")

// Line1 returns a cell as one line: runs of space, line ends included, become
// one space each.
func (r *Row) Line1(name string) string { return strings.Join(strings.Fields(r.Text(name)), " ") }

// Must is Line1 of a cell that may not be empty; an empty one is a fault.
func (r *Row) Must(name string) string {
	s := r.Line1(name)
	if s == "" && r.unreadable(name) == "" {
		r.Fault(name, Say("import.fault.missing"), Message{})
	}
	return s
}

// Money returns a cell as an amount of which one in the file is unit in the
// currency (1 for dollars, 1,000,000 for millions); nil for an empty cell. What
// is no exact amount is a fault.
func (r *Row) Money(name string, unit int64) *money.Amount {
	s := r.Text(name)
	if s == "" {
		return nil
	}
	a, err := money.ParseFile(s, unit)
	if err != nil {
		r.Fault(name, Say(amountKey(err)), Say("import.hint.amount"))
		return nil
	}
	return &a
}

// amountKey says in the words of a report why a cell is no amount.
func amountKey(err error) Key {
	switch errs.As(err).Key {
	case "error.money.decimals":
		return "import.fault.decimals"
	case "error.money.range":
		return "import.fault.range"
	}
	return "import.fault.amount"
}

// Date returns a cell as a day; nil for an empty cell. What is no day of the
// calendar, or could be two, is a fault.
func (r *Row) Date(name string) *civil.Date {
	s := r.Text(name)
	if s == "" {
		return nil
	}
	d, key := ParseDate(s, r.dates)
	if key != "" {
		r.Fault(name, Say(key), Say("import.hint.date"))
		return nil
	}
	return &d
}

// ContentID returns an id for a row whose source gives it none: a hash of the
// named cells and the ordinal among the rows of this run with the same ones, so
// that identical rows are kept and the second import finds each again.
func (r *Row) ContentID(names ...string) string {
	h := sha256.New()
	for _, n := range names {
		s := r.Text(n)
		h.Write([]byte(strconv.Itoa(len(s)) + ":" + s))
	}
	sum := hex.EncodeToString(h.Sum(nil)[:16])
	r.stage.ordinals[sum]++
	return "sha256:" + sum + "." + strconv.Itoa(r.stage.ordinals[sum])
}

// Fault marks the row as one that cannot be stored. The column may be "" when
// the row as a whole is wrong.
func (r *Row) Fault(column string, reason, hint Message) {
	f := Fault{File: r.File, Line: r.Line, Reason: reason, Hint: hint}
	if column != "" {
		f.Column, f.Value = r.mapping.label(column), shown(r.Raw(column))
	}
	for _, have := range r.faults { // a cell is read more than once; it is wrong once
		if have.Column == f.Column && have.Reason.Key == f.Reason.Key {
			return
		}
	}
	r.faults = append(r.faults, f)
}

// Warn adds something to look at; the row is stored all the same.
func (r *Row) Warn(column string, reason Message) {
	w := Warning{File: r.File, Line: r.Line, Reason: reason}
	if column != "" {
		w.Column, w.Value = r.mapping.label(column), shown(r.Raw(column))
	}
	r.warnings = append(r.warnings, w)
}

// Cell is Put's helper for formats whose columns are the database's own: it notes
// how the file spells a column, for faults that are found when it is stored.
func (rec *Record) Cell(column, label string) {
	if rec.labels == nil {
		rec.labels = map[string]string{}
	}
	rec.labels[column] = label
}

// Label returns how the file spells a column of the format.
func (r *Row) Label(name string) string { return r.mapping.label(name) }

// Faulty reports whether the row has a fault so far.
func (r *Row) Faulty() bool { return len(r.faults) > 0 }

// Put stages the record this row is about. Totals are added to the report unless
// the row turns out to be a duplicate of an earlier one with the same id.
func (r *Row) Put(k *Kind, id string, v Values, totals ...Total) *Record {
	return r.add(k, id, v, asRow, totals)
}

// Mention stages a record that many rows mention and returns the reference to
// it; the first row that mentions it says how it is.
func (r *Row) Mention(k *Kind, id string, v Values) Ref {
	r.add(k, id, v, asFirst, nil)
	return Ref{k, id}
}

// MentionLatest is Mention where the last row says how the record is.
func (r *Row) MentionLatest(k *Kind, id string, v Values) Ref {
	r.add(k, id, v, asLatest, nil)
	return Ref{k, id}
}

func (r *Row) add(k *Kind, id string, v Values, m mode, totals []Total) *Record {
	rec := &Record{Kind: k, ID: id, File: r.file, Line: r.Line, Values: v.settle(), mode: m, totals: totals}
	if m == asRow {
		rec.quiet = slices.ContainsFunc(r.ops, func(o *Record) bool { return o.mode == asRow })
	}
	r.check(rec)
	r.ops = append(r.ops, rec)
	return rec
}

// check refuses texts that do not fit their column.
func (r *Row) check(rec *Record) {
	t := tableOf(rec.Kind.Entity)
	for column, v := range rec.Values {
		s, ok := v.(string)
		if !ok {
			continue
		}
		if size := t.columns[t.index(column)].Size; size > 0 && int64(len(s)) > size {
			r.wrong(column, s, Say("import.fault.long", "max", size))
		}
	}
	if t.Sourced && len(rec.ID) > 300 {
		r.wrong("external_id", rec.ID, Say("import.fault.long", "max", 300))
	}
}

// wrong is Fault for a column of the database: it names the cell it came from.
func (r *Row) wrong(column, value string, reason Message) {
	for i, cell := range r.cells {
		if i < len(r.mapping.labels) && strings.Join(strings.Fields(cell), " ") == strings.Join(strings.Fields(value), " ") {
			column = strings.TrimSpace(r.mapping.labels[i])
		}
	}
	r.faults = append(r.faults, Fault{File: r.File, Line: r.Line, Column: column, Value: shown(value), Reason: reason})
}

// commit moves what the row staged into the run. It is called for rows without
// faults only.
func (r *Row) commit(rep *Report) error {
	if r.stage.seen != nil && !r.stage.parts {
		return r.glance(rep)
	}
	for _, rec := range r.ops {
		have := r.stage.index[rec.Kind][rec.ID]
		if r.stage.parts && rec.mode == asRow && !rec.quiet {
			id := identity(rec.Kind, rec.ID)
			if _, told := r.stage.seen[id]; told && have == nil {
				if len(rec.Links) > 0 { // all else an earlier part has stored
					rec.Values, rec.Later, rec.again = Values{}, nil, true
					r.stage.add(rec)
				}
				return nil
			}
			r.stage.seen[id] = int32(rec.Line)
		}
		switch {
		case have == nil:
			r.stage.add(rec)
		case rec.mode == asLatest:
			have.Values = rec.Values
			continue
		case rec.mode == asFirst:
			continue
		default:
			d := Duplicate{File: r.File, Line: r.Line, Of: have.Line}
			if have.File != r.file {
				d.In = rep.Files[have.File]
			}
			rep.Duplicates = append(rep.Duplicates, d)
			if column := differs(have.Values, rec.Values); column != "" {
				r.Warn("", Say("import.warning.differs", "line", have.Line, "field", column))
			}
			have.link(rec.Links)
			return nil // what the rest of the row says belongs to the first one
		}
		for _, t := range rec.totals {
			if err := rep.add(t.Name, t.Currency, t.Amount); err != nil {
				return err
			}
		}
	}
	return nil
}

// glance is commit for a file that is too large to be kept: the first record of a row
// that is no mention stands for it.
func (r *Row) glance(rep *Report) error {
	for _, rec := range r.ops {
		if rec.mode != asRow {
			continue
		}
		if !rec.quiet {
			id := identity(rec.Kind, rec.ID)
			if of, ok := r.stage.seen[id]; ok {
				rep.Duplicates = append(rep.Duplicates, Duplicate{File: r.File, Line: r.Line, Of: int(of)})
				return nil
			}
			r.stage.seen[id] = int32(r.Line)
		}
		for _, t := range rec.totals {
			if err := rep.add(t.Name, t.Currency, t.Amount); err != nil {
				return err
			}
		}
	}
	return nil
}

// link adds references to the record's many-to-many edges, each once.
func (rec *Record) link(links map[string][]Ref) {
	for edge, refs := range links {
		for _, ref := range refs {
			if !slices.Contains(rec.Links[edge], ref) {
				if rec.Links == nil {
					rec.Links = map[string][]Ref{}
				}
				rec.Links[edge] = append(rec.Links[edge], ref)
			}
		}
	}
}

// differs returns a column in which two versions of a record disagree, or "".
func differs(a, b Values) string {
	for _, c := range Sorted(a) {
		if !reflect.DeepEqual(a[c], b[c]) {
			return c
		}
	}
	return ""
}
