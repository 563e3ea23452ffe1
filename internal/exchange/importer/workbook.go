package importer

import (
	"errors"
	"io"

	"steward/internal/exchange/sheet"
)

// workbook reads a file that is an archive, as .xlsx files are. Why it is none, or
// cannot be read to its end, is a fault like any other.
func (r *reading) workbook() (records, error) {
	in, err := r.file.open()
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(in, sheet.MaxFile+1))
	_ = in.Close()
	if err != nil {
		return nil, err
	}
	if len(content) > sheet.MaxFile {
		r.fault(1, Say("import.fault.archive_size"), Message{})
		return nil, nil
	}
	book, err := sheet.Open(content, r.options.Set[SetSheet], MaxColumns)
	if err != nil {
		return nil, r.refused(1, err)
	}
	r.typed = true
	r.decoded = true // U+FFFD is what some program put in place of what it could not write
	return &sheetRows{book: book}, nil
}

// refused turns what is wrong with a workbook into a fault.
func (r *reading) refused(line int, err error) error {
	var why *sheet.Refused
	if !errors.As(err, &why) {
		return err
	}
	hint := Message{}
	switch why.Key {
	case "import.fault.locked", "import.fault.not_workbook", "import.fault.workbook":
		hint = Say("import.hint.save_as_xlsx")
	case "import.fault.archive_size", "import.fault.archive_ratio":
		hint = Say("import.hint.split")
	}
	r.fault(line, Say(why.Key, why.Args...), hint)
	return nil
}

// sheetRows gives the rows of a sheet as records.
type sheetRows struct{ book *sheet.Reader }

func (s *sheetRows) place() int { return s.book.Row() + 1 }

func (s *sheetRows) next() (record, error) {
	rec, err := s.book.Next()
	return record{line: rec.Row, cells: rec.Cells, errors: rec.Errors}, err
}
