package money

import (
	"strconv"
	"strings"
	"sync"

	"github.com/bojanz/currency"
)

// layout is how a language writes the amounts of one currency; both group digits by three. It is read once from what the library
// writes, which takes ten times as long for each amount: a grid has thousands.
type layout struct {
	before, after string // of an amount that is not negative
	minus, behind string // of a negative one
	group, point  string
}

// layoutKey says which layout: French is 1, hidden is without the currency's sign.
type layoutKey struct {
	french, hidden int
	code           string
}

var layouts sync.Map // layoutKey → layout; only currencies that ISO 4217 knows come here

func layoutOf(french, hidden int, code string) layout {
	key := layoutKey{french, hidden, code}
	if l, ok := layouts.Load(key); ok {
		return l.(layout)
	}
	write := func(number string) (before, digits, after string) {
		n, _ := currency.NewAmount(number, code) // both are known to be right
		s := formatters[french][hidden].Format(n)
		first, last := strings.IndexAny(s, digitRunes), strings.LastIndexAny(s, digitRunes)
		return s[:first], s[first : last+1], s[last+1:]
	}
	var l layout
	var sample string
	l.before, sample, l.after = write("2345678.91")
	l.minus, _, l.behind = write("-2345678.91")
	l.group, l.point = between(sample, "2", "345"), between(sample, "678", "91")
	layouts.Store(key, l)
	return l
}

// between returns what stands in s between two of its parts.
func between(s, a, b string) string {
	s = s[strings.Index(s, a)+len(a):]
	return s[:strings.Index(s, b)]
}

// write writes an amount with at least as many decimals, and more only where it has them.
func (l layout) write(a Amount, minDigits int) string {
	before, after, n := l.before, l.after, uint64(a)
	if a < 0 {
		before, after, n = l.minus, l.behind, -n
	}
	whole := strconv.FormatUint(n/uint64(One), 10)
	decimals := strconv.FormatUint(n%uint64(One)+uint64(One), 10)[1:] // with its leading zeros
	for len(decimals) > minDigits && decimals[len(decimals)-1] == '0' {
		decimals = decimals[:len(decimals)-1]
	}
	b := make([]byte, 0, 48)
	b = append(b, before...)
	for i := range len(whole) {
		if left := len(whole) - i; i > 0 && left%3 == 0 {
			b = append(b, l.group...)
		}
		b = append(b, whole[i])
	}
	if decimals != "" {
		b = append(append(b, l.point...), decimals...)
	}
	return string(append(b, after...))
}
