package money

import "strings"

// unitNotes are the units a value in a file may carry itself, as in "0.4 ($m)".
var unitNotes = map[string]int64{
	"($)": 1, "($k)": 1e3, "($000)": 1e3, "($m)": 1e6, "($mn)": 1e6, "($million)": 1e6,
	"($b)": 1e9, "($bn)": 1e9, "($billion)": 1e9,
}

// ParseFile reads an amount from an import file, times unit (1, 1000 or 1000000:
// what the file counts in), in exact decimal arithmetic:
//
//	$6,279,429   -3,935.71   (500.00)   2.00E-06   0.4 ($m)
//
// The point is the decimal sign; commas, spaces and apostrophes group thousands,
// in threes. A unit written beside the value ("0.4 ($m)" is 400,000) replaces the
// file's. Signs and codes of currencies are passed over: the file's mapping says
// what its currency is. Words, an empty text, more than four decimals once the
// unit is applied, a unit below one and values out of range are errors.
func ParseFile(s string, unit int64) (Amount, error) {
	if len(s) > maxText {
		return 0, notAmount(s)
	}
	if unit < 1 {
		return 0, outOfRange()
	}
	text := s
	if i := strings.Index(s, "($"); i > 0 && strings.ContainsAny(s[:i], digitRunes) {
		noted, ok := unitNotes[strings.ToLower(unspace(s[i:]))]
		if !ok {
			return 0, notAmount(s)
		}
		text, unit = s[:i], noted
	}
	before, number, after, ok := cut(text)
	if !ok {
		return 0, notAmount(s)
	}
	before, negative, ok := sign(before, after)
	after = strings.TrimSuffix(after, ")")
	if !ok || before != "" && currencyMarks()[before] == nil || after != "" && currencyMarks()[after] == nil {
		return 0, notAmount(s)
	}
	mantissa, exponent := number, ""
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		mantissa, exponent = number[:i], number[i:]
	}
	plain, ok := filePlain(mantissa)
	if !ok {
		return 0, notAmount(s)
	}
	if negative {
		plain = "-" + plain
	}
	return exact(plain+exponent, unit, s)
}

// filePlain removes the thousand separators of a number whose decimal sign is the point.
func filePlain(number string) (string, bool) {
	whole, decimals, point := strings.Cut(number, ".")
	whole = unifySpaces(whole)
	if !grouped(whole) || strings.Contains(whole, ".") || point && !allDigits(decimals) || whole+decimals == "" {
		return "", false
	}
	return ungroup.Replace(whole) + "." + decimals, true
}
