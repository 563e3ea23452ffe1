package importer

import "strings"

// Unguarded takes away the one apostrophe that exports put before text which a
// spreadsheet would take for a formula (and before text that already looks so
// guarded); other text comes back as it is.
func Unguarded(text string) string {
	rest, ok := strings.CutPrefix(text, "'")
	if !ok {
		return text
	}
	for _, r := range strings.TrimLeft(rest, "'") {
		if strings.ContainsRune("=+-@\t\r\n\x00＝＋－＠", r) {
			return rest
		}
		break
	}
	return text
}
