package sheet

import (
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bojanz/currency"
	"github.com/xuri/excelize/v2"

	"steward/internal/platform/i18n"
	"steward/internal/rules/civil"
	"steward/internal/rules/money"
)

// Cell is a value with the way it is shown. The zero Cell is empty.
type Cell struct {
	value any // what excelize writes; nil is an empty cell
	look
}

// look is what cells have in common; each is one style of the workbook.
type look struct {
	format             string
	bold, grey, locked bool
}

// Text is a cell that holds words, whatever they begin with.
func Text(s string) Cell {
	if s == "" {
		return Cell{}
	}
	return Cell{value: standIn(s)}
}

// Int is a cell that holds a whole number.
func Int(n int) Cell { return Cell{value: n, look: look{format: "0"}} }

// Bool is a cell that holds true or false.
func Bool(b bool) Cell { return Cell{value: b} }

// Percent is a cell that holds hundredths of a percent as a percentage.
func Percent(points int) Cell {
	return Cell{value: float64(points) / 10_000, look: look{format: "0.##%"}}
}

// Date is a cell that holds a day. Days that spreadsheets cannot count, which begin
// in March 1900, are text.
func Date(d civil.Date) Cell {
	days := int(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Sub(epoch) / (24 * time.Hour))
	if d.Year < 1901 || d.Year > 9999 {
		return Text(d.String())
	}
	return Cell{value: days, look: look{format: "yyyy-mm-dd"}}
}

// Time is a cell that holds an instant as the clock of the zone shows it.
func Time(t time.Time, zone *time.Location) Cell {
	at := t.In(zone)
	wall := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
	return Cell{value: float64(wall.Unix()-epoch.Unix()) / 86_400, look: look{format: "yyyy-mm-dd hh:mm:ss"}}
}

// epoch is the day before the first that spreadsheets count, as they count from 1900-03-01 on.
var epoch = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)

// exactDigits is how many digits of a number a spreadsheet keeps.
const exactDigits = 15

// Amount is a cell that holds money, shown with its currency where the language puts
// it. An amount of more than 15 digits is text, as a spreadsheet would round it.
func Amount(a money.Amount, code, lang string) Cell {
	digits := uint8(2)
	if d, ok := currency.GetDigits(code); ok {
		digits = d
	}
	format := "#,##0"
	if n := max(int(digits), decimals(a)); n > 0 {
		format += "." + strings.Repeat("0", n)
	}
	switch {
	case !currency.IsValid(code):
	case lang == i18n.French:
		format += `\ [$` + code + `]`
	default:
		format = `[$` + code + `]\ ` + format
	}
	return number(a, format)
}

// Number is a cell that holds an exact number that is no money.
func Number(a money.Amount) Cell {
	format := "#,##0"
	if n := decimals(a); n > 0 {
		format += "." + strings.Repeat("0", n)
	}
	return number(a, format)
}

func number(a money.Amount, format string) Cell {
	if digits(a) > exactDigits {
		return Cell{value: a.String()}
	}
	v, _ := strconv.ParseFloat(a.String(), 64) // of up to 15 digits it is written with those very digits
	return Cell{value: v, look: look{format: format}}
}

// digits returns how many digits an amount needs.
func digits(a money.Amount) (n int) {
	u := uint64(a)
	if a < 0 {
		u = -u
	}
	for ; u > 0 && u%10 == 0; u /= 10 {
		continue
	}
	for ; u > 0; u /= 10 {
		n++
	}
	return n
}

// decimals returns how many decimals an amount needs.
func decimals(a money.Amount) int {
	n := 4
	for ; n > 0 && a%10 == 0; n-- {
		a /= 10
	}
	return n
}

// Bold returns the cell in bold.
func (c Cell) Bold() Cell { c.bold = true; return c }

// Grey returns the cell on a grey ground, as one that is not to be changed.
func (c Cell) Grey() Cell { c.grey = true; return c }

// Locked returns the cell as one that a protected sheet lets nobody change.
func (c Cell) Locked() Cell { c.locked = true; return c }

// Column says how a column of a page looks.
type Column struct {
	Title  string
	Width  float64 // in characters; 0 is by the title
	Hidden bool
}

// Book is a workbook that is being written. Close it when done.
type Book struct {
	file   *excelize.File
	styles map[look]int
	pages  []*Page
}

// NewBook begins a workbook.
func NewBook() *Book {
	f := excelize.NewFile()
	f.SetZipWriter(signed)
	return &Book{file: f, styles: map[look]int{}}
}

// Close removes what writing left on disk.
func (b *Book) Close() error { return b.file.Close() }

// Options of a page.
type Options struct {
	Filter    bool // the header offers filters
	Protected bool // only cells that are not Locked can be changed; without a password
	Freeze    int  // columns that stay in sight, counted from the left
}

// Page is one sheet of a workbook, written from its first row to its last.
type Page struct {
	book    *Book
	name    string
	out     *excelize.StreamWriter
	columns int
	row     int
	options Options
}

// Page adds a sheet whose first row, bold and always in sight, names its columns.
func (b *Book) Page(name string, columns []Column, o Options) (*Page, error) {
	name = b.free(name)
	var err error
	if len(b.pages) == 0 {
		err = b.file.SetSheetName(b.file.GetSheetName(0), name)
	} else {
		_, err = b.file.NewSheet(name)
	}
	if err != nil {
		return nil, err
	}
	out, err := b.file.NewStreamWriter(name)
	if err != nil {
		return nil, err
	}
	p := &Page{book: b, name: name, out: out, columns: len(columns), options: o}
	b.pages = append(b.pages, p)
	corner := Address(o.Freeze+1, 2)
	pane := "bottomLeft"
	if o.Freeze > 0 {
		pane = "bottomRight"
	}
	if err := out.SetPanes(&excelize.Panes{Freeze: true, XSplit: o.Freeze, YSplit: 1, TopLeftCell: corner, ActivePane: pane}); err != nil {
		return nil, err
	}
	head := make([]Cell, len(columns))
	for i, c := range columns {
		width := c.Width
		if width == 0 {
			width = min(40, max(10, float64(utf8.RuneCountInString(c.Title))+4))
		}
		if err := out.SetColWidth(i+1, i+1, width); err != nil {
			return nil, err
		}
		if c.Hidden {
			if err := out.SetColVisible(i+1, i+1, false); err != nil {
				return nil, err
			}
		}
		head[i] = Text(c.Title).Bold().Locked()
	}
	return p, p.Row(head...)
}

// free makes a name that a sheet may have and no other has.
func (b *Book) free(name string) string {
	name = strings.Trim(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`[]:*?/\`, r) || control(r) {
			return ' '
		}
		return r
	}, name), "' ")
	if r := []rune(name); len(r) > 25 {
		name = strings.TrimRight(string(r[:25]), "' ")
	}
	if name == "" {
		name = "1"
	}
	for _, p := range b.pages {
		if strings.EqualFold(p.name, name) {
			return b.free(name + " 2")
		}
	}
	return name
}

// Row writes the next row.
func (p *Page) Row(cells ...Cell) error {
	p.row++
	line := make([]any, len(cells))
	for i, c := range cells {
		style, err := p.book.style(c.look)
		if err != nil {
			return err
		}
		if c.value != nil || style != 0 {
			line[i] = excelize.Cell{StyleID: style, Value: c.value}
		}
	}
	return p.out.SetRow(Address(1, p.row), line)
}

// style returns the workbook's number of a look.
func (b *Book) style(l look) (int, error) {
	if l == (look{locked: true}) || l == (look{}) && !b.protects() {
		return 0, nil
	}
	if id, ok := b.styles[l]; ok {
		return id, nil
	}
	s := &excelize.Style{Protection: &excelize.Protection{Locked: l.locked}}
	if l.format != "" {
		s.CustomNumFmt = &l.format
	}
	if l.bold {
		s.Font = &excelize.Font{Bold: true}
	}
	if l.grey {
		s.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E7E6E6"}}
	}
	id, err := b.file.NewStyle(s)
	b.styles[l] = id
	return id, err
}

func (b *Book) protects() bool {
	for _, p := range b.pages {
		if p.options.Protected {
			return true
		}
	}
	return false
}

// Send ends the workbook and writes it.
func (b *Book) Send(w io.Writer) error {
	for _, p := range b.pages {
		if err := p.end(); err != nil {
			return err
		}
	}
	return b.file.Write(w)
}

func (p *Page) end() error {
	f := p.book.file
	if p.options.Filter && p.columns > 0 {
		if err := f.AutoFilter(p.name, "A1:"+Address(p.columns, max(p.row, 2)), nil); err != nil {
			return err
		}
	}
	if p.options.Protected {
		err := f.ProtectSheet(p.name, &excelize.SheetProtectionOptions{SelectLockedCells: true, SelectUnlockedCells: true, FormatColumns: true})
		if err != nil {
			return err
		}
	}
	return p.out.Flush()
}
