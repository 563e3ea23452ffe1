package money

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/bojanz/currency"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct{ amount, code, en, fr string }{
		{"1284500", "CAD", "$1,284,500.00", "1_284_500,00_$"},
		{"0", "CAD", "$0.00", "0,00_$"},
		{"-1284500.5", "CAD", "-$1,284,500.50", "-1_284_500,50_$"},
		{"0.1235", "CAD", "$0.1235", "0,1235_$"},
		{"1234.5", "USD", "US$1,234.50", "1_234,50_$_US"},
		{"1234.5", "EUR", "€1,234.50", "1_234,50_€"},
		{"1234", "JPY", "JP¥1,234", "1_234_¥"},
		{"1234.5", "JPY", "JP¥1,234.5", "1_234,5_¥"},
		{"1234.5", "BHD", "BHD_1,234.500", "1_234,500_BHD"},
		{"1234.5", "CLF", "CLF_1,234.5000", "1_234,5000_CLF"},
		{"1234.5", "???", "???_1,234.50", "1_234,50_???"},
		{"1234.5", "", "1,234.50", "1_234,50"},
		{"922337203685477.5807", "CAD", "$922,337,203,685,477.5807", "922_337_203_685_477,5807_$"},
		{"-922337203685477.5807", "CAD", "-$922,337,203,685,477.5807", "-922_337_203_685_477,5807_$"},
	} {
		a, err := Parse(c.amount)
		if err != nil {
			t.Fatal(err)
		}
		for lang, want := range map[string]string{"en": c.en, "en-CA": c.en, "fr": c.fr, "fr-CA": c.fr} {
			if got := strings.ReplaceAll(Format(a, c.code, lang), nbsp, "_"); got != want {
				t.Errorf("Format(%s, %s, %s) = %q, want %q", c.amount, c.code, lang, got, want)
			}
		}
	}
}

func TestFormatShort(t *testing.T) {
	for _, c := range []struct{ amount, code, en, fr string }{
		{"1510000", "CAD", "$1.51M", "1,51_M$"},
		{"480000", "CAD", "$480K", "480_k$"},
		{"-480000", "CAD", "-$480K", "-480_k$"},
		{"1500000", "USD", "US$1.5M", "1,5_M$_US"},
		{"1500000", "PYG", "PYG_1.5M", "1,5_M_PYG"},
		{"448247488963.42", "CAD", "$448B", "448_G$"},
		{"922337203685477.5807", "CAD", "$922,337B", "922_337_G$"},
		{"999.99", "CAD", "$999.99", "999,99_$"},
		{"0.1250", "CAD", "$0.12", "0,12_$"},
		{"999.5", "JPY", "JP¥1,000", "1_000_¥"},
		{"1000", "CAD", "$1K", "1_k$"},
		{"999499.99", "CAD", "$999K", "999_k$"},
		{"999500", "CAD", "$1M", "1_M$"},
		{"9994999", "CAD", "$9.99M", "9,99_M$"},
		{"999500000", "CAD", "$1B", "1_G$"},
		{"999499999", "CAD", "$999M", "999_M$"},
		{"9996000", "CAD", "$10M", "10_M$"},
		{"99960000", "CAD", "$100M", "100_M$"},
		{"0", "CAD", "$0.00", "0,00_$"},
	} {
		a, err := Parse(c.amount)
		if err != nil {
			t.Fatal(err)
		}
		for lang, want := range map[string]string{"en": c.en, "fr": c.fr} {
			if got := strings.ReplaceAll(FormatShort(a, c.code, lang), nbsp, "_"); got != want {
				t.Errorf("FormatShort(%s, %s, %s) = %q, want %q", c.amount, c.code, lang, got, want)
			}
		}
	}
}

// What is written by the layout is what the library writes.
func TestLayoutsAreTheLibrarys(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	for french, locale := range []string{"en-CA", "fr-CA"} {
		for hidden, display := range []currency.Display{currency.DisplaySymbol, currency.DisplayNone} {
			for _, code := range currency.GetCurrencyCodes() {
				amounts := []Amount{0, 1, -1, 10, One, -One, 999 * One, 1000 * One, -1234 * One, 9999*One + 9999, 10000 * One, 12345*One + 6700, math.MaxInt64, math.MinInt64}
				for range 20 {
					amounts = append(amounts, Amount(random.Int64()>>random.IntN(60)), -Amount(random.Int64()>>random.IntN(60)))
				}
				for _, a := range amounts {
					for digits := range Scale + 1 {
						f := currency.NewFormatter(currency.NewLocale(locale))
						f.MinDigits, f.MaxDigits, f.CurrencyDisplay = uint8(digits), Scale, display
						n, err := currency.NewAmount(a.String(), code)
						if err != nil {
							t.Fatal(err)
						}
						if got, want := layoutOf(french, hidden, code).write(a, digits), f.Format(n); got != want {
							t.Fatalf("%s %s %d digits: %q, the library writes %q", locale, code, digits, got, want)
						}
					}
				}
			}
		}
	}
}
