// Package formula keeps text from becoming a formula in somebody's spreadsheet:
// exports guard it with an apostrophe, imports take exactly that one away again.
// Whoever writes or reads a file of cells uses it; it imports nothing of Steward.
package formula

import "strings"

// Guard puts an apostrophe before text that a spreadsheet would take for a
// formula, and before text that already looks so guarded, so that Unguard gives
// back what went in. Other text comes back as it is.
func Guard(text string) string {
	if starts(strings.TrimLeft(text, "'")) {
		return "'" + text
	}
	return text
}

// Unguard takes away the one apostrophe that Guard put; other text comes back as
// it is.
func Unguard(text string) string {
	if rest, ok := strings.CutPrefix(text, "'"); ok && starts(strings.TrimLeft(rest, "'")) {
		return rest
	}
	return text
}

// starts reports whether spreadsheets begin a formula with the text's first sign;
// some take the full-width forms too.
func starts(text string) bool {
	for _, r := range text {
		return strings.ContainsRune("=+-@\t\r\n\x00＝＋－＠", r)
	}
	return false
}
