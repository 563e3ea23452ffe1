// Package sheet writes and reads .xlsx workbooks as rows of typed cells: lists and
// budgets on their way out, files to import on their way in. It knows no entity and
// no database.
//
// Writing goes through excelize's stream writer. Reading is done here, row by row
// over the parts of the archive that hold the cells, as a workbook from outside must
// neither fill the memory nor reach code that was made for trusted files.
//
// The importer reads with it; the page door writes lists and budgets with it.
package sheet

import "strconv"

// The bounds of every workbook.
const (
	MaxRows    = 1_048_576
	MaxColumns = 16_384
)

// Media is the type under which workbooks are sent.
const Media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// Address returns the name of a cell: the sixth column of row 12 is F12.
func Address(column, row int) string { return letters(column) + strconv.Itoa(row) }

// letters of a column, the first of which is 1.
func letters(column int) string {
	var b []byte
	for ; column > 0; column = (column - 1) / 26 {
		b = append([]byte{byte('A' + (column-1)%26)}, b...)
	}
	return string(b)
}

// place reads the name of a cell; ok is false for what is none.
func place(name string) (column, row int, ok bool) {
	i := 0
	for ; i < len(name) && name[i] >= 'A' && name[i] <= 'Z'; i++ {
		if column = column*26 + int(name[i]-'A') + 1; column > MaxColumns {
			return 0, 0, false
		}
	}
	row, err := strconv.Atoi(name[i:])
	return column, row, err == nil && i > 0 && row > 0 && row <= MaxRows
}
