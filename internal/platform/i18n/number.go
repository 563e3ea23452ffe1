package i18n

import (
	"math"
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"steward/internal/rules/money"
)

var printers = map[string]*message.Printer{
	English: message.NewPrinter(language.MustParse("en-CA")),
	French:  message.NewPrinter(language.MustParse("fr-CA")),
}

// Number returns v with exactly the given number of decimals, rounded half to
// even, grouped as the language does: "1,284,500.5", "1 284 500,5" (with
// no-break spaces). NaN and infinities are written "–".
func Number(lang string, v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return printers[pick(lang)].Sprint(number.Decimal(v, number.Scale(decimals)))
}

// Int returns a whole number grouped as the language does.
func Int(lang string, n int) string { return printers[pick(lang)].Sprint(number.Decimal(n)) }

// Percent returns a share written in percent: 0.568 with one decimal is "56.8 %" in
// both languages, as the interface guide asks, with a narrow no-break space.
func Percent(lang string, share float64, decimals int) string {
	return Number(lang, share*100, decimals) + "\u202f%"
}

// Bytes returns a size with its unit in steps of 1,000, one decimal from 1 MB on.
func Bytes(lang string, n int64) string {
	units := map[string][4]string{English: {"B", "KB", "MB", "GB"}, French: {"o", "ko", "Mo", "Go"}}[pick(lang)]
	v, u := float64(n), 0
	for v >= 1000 && u < 3 {
		v, u = v/1000, u+1
	}
	return Number(lang, v, max(0, min(1, u-1))) + nbsp + units[u]
}

// Money returns an amount in full, "$1,284,500.00" or "1 284 500,00 $".
func Money(lang string, a money.Amount, currency string) string {
	return minus(money.Format(a, currency, pick(lang)))
}

// MoneyShort returns an amount for headlines, "$1.51M" or "1,51 M$".
func MoneyShort(lang string, a money.Amount, currency string) string {
	return minus(money.FormatShort(a, currency, pick(lang)))
}

// minus writes the sign of a negative amount as print does, as wide as a plus; what
// people type may have either.
func minus(s string) string { return strings.Replace(s, "-", "−", 1) }

// Year returns a plain year; years are never grouped.
func Year(y int) string { return strconv.Itoa(y) }
