// Package bound says how far an archive from outside may unpack (UP-5), be it an
// imported workbook or a document on a record. It knows no format: exchange/sheet and
// area/attachment read theirs and stop here, whatever the archive says of itself.
package bound

const (
	// Content is how many bytes an archive may hold, unpacked.
	Content = 100 << 20
	// Parts is how many entries it may have.
	Parts = 1_000
	// Ratio is how many times its size it may unpack to.
	Ratio = 100
	// Small is the size below which the ratio says nothing: a page of zeros packs tightly.
	Small = 1 << 20
)
