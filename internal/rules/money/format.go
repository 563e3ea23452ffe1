package money

import (
	"math/big"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bojanz/currency"
)

// nbsp is the no-break space that keeps a number and its sign on one line.
const nbsp = "\u00a0"

// formatters are made once: by language (French is 1), and whether the currency is
// hidden. They are only read afterwards.
var formatters = func() (all [2][2]*currency.Formatter) {
	for french, locale := range []string{"en-CA", "fr-CA"} {
		for hidden, display := range []currency.Display{currency.DisplaySymbol, currency.DisplayNone} {
			f := currency.NewFormatter(currency.NewLocale(locale))
			f.MinDigits, f.MaxDigits, f.CurrencyDisplay = 0, Scale, display
			all[french][hidden] = f
		}
	}
	return all
}()

// digits returns the decimals a currency is counted in, at most Scale; 2 for a
// code that ISO 4217 does not know.
func digits(code string) int {
	if d, ok := currency.GetDigits(code); ok {
		return min(int(d), Scale)
	}
	return 2
}

// Format writes an amount for people: "$1,284,500.00" in English and
// "1 284 500,00 $" with no-break spaces in French, both as in Canada. It shows
// the currency's own decimals (none for yen, three for dinar) and more only where
// the amount has them. An unknown code is written beside the number as it is.
func Format(a Amount, currencyCode, lang string) string {
	return format(a, currencyCode, lang, digits(currencyCode))
}

func format(a Amount, code, lang string, minDigits int) string {
	french := 0
	if strings.HasPrefix(lang, "fr") {
		french = 1
	}
	if code != "" && currency.IsValid(code) {
		return layoutOf(french, 0, code).write(a, minDigits)
	}
	switch s := layoutOf(french, 1, "CAD").write(a, minDigits); { // lends its digits only, its sign is hidden
	case code == "":
		return s
	case french == 1:
		return s + nbsp + code
	default:
		return code + nbsp + s
	}
}

// shortUnits are the magnitudes of FormatShort, the greatest first; billions are
// B in English and G (giga) in Canadian French.
var shortUnits = []struct {
	size   Amount
	en, fr string
}{{1e9 * One, "B", "G"}, {1e6 * One, "M", "M"}, {1e3 * One, "K", "k"}}

// FormatShort writes an amount in three significant digits for cards and charts:
// "$1.51M", "1,51 M$", "480 k$". It is rounded half to even, so it is for reading
// only. Below a thousand it is Format, rounded to the currency's own decimals.
func FormatShort(a Amount, currencyCode, lang string) string {
	if abs(a) < 1000*One {
		step := One
		for range digits(currencyCode) {
			step /= 10
		}
		return Format(roundTo(a, step), currencyCode, lang)
	}
	i := 0
	for abs(a) < shortUnits[i].size-shortUnits[i].size/2000 { // 999,500 is 1M, 999,499 is 999K
		i++
	}
	u := shortUnits[i]
	s := format(significant(a, u.size), currencyCode, lang, 0)
	end := strings.LastIndexAny(s, digitRunes) + 1
	if !strings.HasPrefix(lang, "fr") {
		return s[:end] + u.en + s[end:]
	}
	sign := strings.TrimPrefix(s[end:], nbsp)
	if r, _ := utf8.DecodeRuneInString(sign); unicode.IsLetter(r) {
		sign = nbsp + sign
	}
	return s[:end] + nbsp + u.fr + sign
}

// significant returns a / unit, rounded to three significant digits.
func significant(a, unit Amount) (q Amount) {
	for step := One / 100; step <= One; step *= 10 {
		q = roundTo(a, unit/(One/step)) / (unit / One) // a in units of unit, at scale 4
		if abs(q) < 1000*step {
			break
		}
	}
	return q
}

// roundTo rounds a to a whole number of steps, half to even.
func roundTo(a, step Amount) Amount {
	q := divHalfEven(big.NewInt(int64(a)), int64(step))
	return Amount(q.Int64()) * step
}

func abs(a Amount) Amount { return max(a, -a) }
