package attachment

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"steward/internal/rules/errs"
)

// nameMax is the longest name in characters, its ending included.
const nameMax = 200

// Clean returns a given name as it may be shown: paths, control characters and
// marks that turn the writing direction or are not seen at all are taken out (UP-2).
func Clean(given string) string {
	name := strings.ToValidUTF8(given, "\uFFFD")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, name)
	return strings.Trim(strings.Join(strings.Fields(name), " "), ". ")
}

// Name returns a file's name as it is kept, clean and short enough, and the type
// its ending says. The error is Validation where there is no name, or an ending
// that is not on the list.
func Name(given string) (string, Kind, error) {
	name := Clean(given)
	ending := path.Ext(name)
	kind, ok := kinds[strings.ToLower(ending)]
	base := strings.TrimRight(strings.TrimSuffix(name, ending), ". ")
	if !ok || base == "" {
		return "", Kind{}, errs.Invalid("file", "attachment.type", "types", Types)
	}
	if max := nameMax - utf8.RuneCountInString(ending); utf8.RuneCountInString(base) > max {
		base = cut(base, max)
	}
	return base + ending, kind, nil
}

// cut returns the first n characters of a text.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
