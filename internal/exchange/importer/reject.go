package importer

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"

	"steward/internal/rules/formula"
)

// The columns that a file of rejected rows has before those of the rows themselves. They
// are read over when the file comes back, and tell that its texts are guarded.
const (
	rejectedLine   = "steward: line"
	rejectedReason = "steward: reason"
)

// rejected reports whether a label is one of the columns that Reject adds.
func rejected(label string) bool {
	f := fold(label)
	return f == fold(rejectedLine) || f == fold(rejectedReason)
}

// Reject writes the rows that have faults as CSV: as they are in the files, behind the
// line each begins on and what is wrong with it in a language, so that they can be
// corrected and sent again. Faults come in the order of the files and their lines, as
// in a report. Text that a spreadsheet would take for a formula is guarded.
func Reject(ctx context.Context, w io.Writer, f Format, files []File, o Options, faults []Fault, lang string) error {
	p, err := f.Open(o)
	if err != nil {
		return badSetting(err)
	}
	out := csv.NewWriter(w)
	headed := false
	for i, file := range files {
		var own []Fault
		for _, x := range faults {
			if x.File == file.Name {
				own = append(own, x)
			}
		}
		r := reading{file: file, index: i, options: o, parser: p, stage: newStaged(p.Source(), nil), report: newReport("", files)}
		if err := r.reject(ctx, out, own, &headed, lang); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func (r *reading) reject(ctx context.Context, out *csv.Writer, faults []Fault, headed *bool, lang string) error {
	s, end, err := r.open()
	if err != nil {
		return err
	}
	ok := false
	if s != nil {
		defer end()
		if ok, err = r.header(s); err != nil {
			if err = r.refused(s.place(), err); err != nil {
				return err
			}
		}
	}
	if !*headed {
		*headed = true
		if err := out.Write(append([]string{rejectedLine, rejectedReason}, guarded(r.mapping.labels)...)); err != nil {
			return err
		}
	}
	for n := 0; ok && len(faults) > 0; n++ {
		rec, err := s.next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				break
			}
			if err = r.refused(s.place(), err); err != nil {
				return err
			}
			break
		}
		if n%progressEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		var why []string
		for len(faults) > 0 && faults[0].Line <= rec.line {
			why = append(why, faults[0].sentence(lang))
			faults = faults[1:]
		}
		if why != nil {
			if err := out.Write(append([]string{strconv.Itoa(rec.line), formula.Guard(strings.Join(why, "; "))}, guarded(rec.cells)...)); err != nil {
				return err
			}
		}
	}
	for _, x := range faults { // of the file as a whole
		if err := out.Write([]string{strconv.Itoa(x.Line), formula.Guard(x.sentence(lang))}); err != nil {
			return err
		}
	}
	return nil
}

// sentence is what is wrong, with the column and what to do about it.
func (f Fault) sentence(lang string) string {
	text := f.Reason.In(lang)
	if f.Column != "" {
		text = f.Column + ": " + text
	}
	if !f.Hint.IsZero() {
		text += " (" + f.Hint.In(lang) + ")"
	}
	return text
}

// guarded returns cells that no spreadsheet takes for formulas. Numbers stay numbers.
func guarded(cells []string) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		if _, err := strconv.ParseFloat(c, 64); err == nil {
			out[i] = c
			continue
		}
		out[i] = formula.Guard(strings.ToValidUTF8(c, "\uFFFD"))
	}
	return out
}
