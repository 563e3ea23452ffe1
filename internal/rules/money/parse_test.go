package money

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"steward/internal/rules/errs"
)

// keyOf returns the message key of an error, "" for none.
func keyOf(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return strings.TrimPrefix(e.Key, "error.money.")
	}
	return ""
}

type parsed struct {
	in   string
	want string // the amount, or the key of the error
}

func check(t *testing.T, name string, list []parsed, parse func(string) (Amount, error)) {
	t.Helper()
	for _, c := range list {
		a, err := parse(c.in)
		got := keyOf(err)
		if err == nil {
			got = a.String()
		}
		if got != c.want {
			t.Errorf("%s(%q) = %s, want %s", name, c.in, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	check(t, "Parse", []parsed{
		{"480000.00", "480000.00"}, {"0", "0.00"}, {"-0", "0.00"}, {"1.5", "1.50"}, {"0.0001", "0.0001"}, {"-3935.71", "-3935.71"},
		{"922337203685477.5807", "922337203685477.5807"}, {"-922337203685477.5807", "-922337203685477.5807"},
		{"922337203685477.5808", "range"}, {"-922337203685477.5808", "range"}, {"99999999999999999999", "range"},
		{"1.00001", "decimals"}, {"1.00000", "decimals"},
		{"", "format"}, {"-", "format"}, {".5", "format"}, {"5.", "format"}, {"+5", "format"}, {"1,000", "format"}, {"1e3", "format"},
		{" 1", "format"}, {"$1", "format"}, {"--1", "format"}, {"1.2.3", "format"}, {"٣", "format"}, {"0x10", "format"}, {"1_000", "format"},
		{"NaN", "format"}, {strings.Repeat("0", 65), "format"},
	}, Parse)
}

func TestParseRate(t *testing.T) {
	for in, want := range map[string]string{
		"1": "1.00", "1.0525": "1.0525", "0.0000000001": "0.0000000001", "-922337203.6854775807": "-922337203.6854775807",
		"922337203.6854775808": "range", "1.00000000001": "decimals", "5 %": "format",
	} {
		r, err := ParseRate(in)
		got := keyOf(err)
		if err == nil {
			got = r.String()
		}
		if got != want {
			t.Errorf("ParseRate(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestParseInput(t *testing.T) {
	both := []parsed{
		{"12 500,00", "12500.00"}, {"12\u00a0500,00", "12500.00"}, {"12\u202f500,00", "12500.00"}, {"12'500.00", "12500.00"}, {"12\u2019500.00", "12500.00"},
		{"12.5k", "12500.00"}, {"12.5 K", "12500.00"}, {"1.2M", "1200000.00"}, {"1.2 M$", "1200000.00"}, {"$1.2M", "1200000.00"}, {"3 G$", "3000000000.00"}, {"3 Md", "3000000000.00"}, {"1.5B", "1500000000.00"},
		{"(500)", "-500.00"}, {"($500)", "-500.00"}, {"$(500)", "-500.00"}, {"-500", "-500.00"}, {"\u2212500", "-500.00"}, {"-$500", "-500.00"}, {"$-500", "-500.00"},
		{"1,234,567", "1234567.00"}, {"1.234.567", "1234567.00"}, {"1,234,567.89", "1234567.89"}, {"1.234.567,89", "1234567.89"}, {"1,234.5", "1234.50"}, {"1.234,5", "1234.50"},
		{"0", "0.00"}, {" 7 ", "7.00"}, {"007", "7.00"}, {".5", "0.50"}, {"0.125", "0.125"}, {"1234.567", "1234.567"}, {"1.2345", "1.2345"},
		{"CAD 500", "500.00"}, {"500 CAD", "500.00"}, {"500 $ US", "500.00"}, {"US$500", "500.00"}, {"€500", "500.00"}, {"CA$500", "500.00"},
		{"1.23456", "decimals"}, {"0.0000001k", "0.0001"}, {"0.00000001k", "decimals"},
		{"", "format"}, {" ", "format"}, {"-", "format"}, {"abc", "format"}, {"5 apples", "format"}, {"$", "format"}, {"5-", "format"}, {"(5", "format"}, {"5)", "format"}, {"(-5)", "format"}, {"--5", "format"},
		{"1 23", "format"}, {"1 2345", "format"}, {"1,23,456", "format"}, {"1,234 567", "format"}, {"1.234.56", "format"}, {"5.", "format"}, {"5kk", "format"}, {"5Mk", "format"}, {"5e3", "format"}, {"=2*3", "format"}, {"10%", "format"}, {"1/2", "format"}, {"0,123,456", "format"}, {"12.5k2", "format"},
		{"1000000G", "range"}, {"1844674.4074G", "range"}, {"999 999 999 999 999 999", "range"}, {strings.Repeat("1", 65), "format"},
	}
	en := []parsed{{"12,500", "12500.00"}, {"12,500k", "12500000.00"}, {"12.500", "12.50"}, {"12,50", "ambiguous"}, {"0,500", "ambiguous"}, {"1234,567", "ambiguous"}, {"12 500,125", "ambiguous"}, {"1 234.567", "1234.567"}}
	fr := []parsed{{"12,500", "12.50"}, {"12,5k", "12500.00"}, {"12.50", "12.50"}, {"12.500", "ambiguous"}, {"1,5 M$", "1500000.00"}, {"12 500.125", "ambiguous"}, {"12 500,125", "12500.125"}, {"12 500.00", "12500.00"}, {",5", "0.50"}}
	check(t, "English", append(en, both...), func(s string) (Amount, error) { return ParseInput(s, "en") })
	check(t, "French", append(fr, both...), func(s string) (Amount, error) { return ParseInput(s, "fr") })
}

func TestParseInputFor(t *testing.T) {
	check(t, "in CAD", []parsed{
		{"500", "500.00"}, {"$500", "500.00"}, {"500 $", "500.00"}, {"500 CAD", "500.00"}, {"CA$500", "500.00"}, {"$500 CAD", "500.00"},
		{"€500", "currency"}, {"500 $ US", "currency"}, {"USD 500", "currency"}, {"$500 USD", "currency"}, {"abc", "format"},
	}, func(s string) (Amount, error) { return ParseInputFor(s, "en", "CAD") })
	if _, err := ParseInputFor("$500", "en", "EUR"); keyOf(err) != "currency" {
		t.Errorf("dollars became euros: %v", err)
	}
}

func TestNoCurrencyMarkLooksLikeAMagnitude(t *testing.T) {
	for mark := range currencyMarks() {
		for _, s := range suffixes[1:] {
			if rest, ok := strings.CutPrefix(mark, s.text); ok && (rest == "" || currencyMarks()[rest] != nil) {
				t.Errorf("%q can be read as %q and %q", mark, s.text, rest)
			}
		}
	}
}

func TestParseFile(t *testing.T) {
	check(t, "units", []parsed{
		{"$6,279,429", "6279429.00"}, {"-3,935.71", "-3935.71"}, {"-$3,935.71", "-3935.71"}, {"(3,935.71)", "-3935.71"}, {"\u2212924236", "-924236.00"}, {"£8,000", "8000.00"}, {"1 284 500.00", "1284500.00"},
		{"0.4 ($m)", "400000.00"}, {"0.4 ($ M)", "400000.00"}, {"(0.4) ($m)", "-400000.00"}, {"12 ($k)", "12000.00"}, {"1.5E+03", "1500.00"}, {"1.5e3", "1500.00"}, {" 7 ", "7.00"}, {"1.500000", "1.50"}, {".5", "0.50"}, {"451289929780.131", "451289929780.131"},
		{"2.00E-06", "decimals"}, {"20.52022672899", "decimals"},
		{"See entry for Civil Service Commission", "format"}, {"", "format"}, {"-", "format"}, {"N/A", "format"}, {"£65,000-£70,000", "format"}, {"12,50", "format"}, {"1.234,5", "format"}, {"5.", "format"}, {"12k", "format"}, {"0.4 ($x)", "format"}, {"Q2 2019", "format"}, {"1e", "format"}, {"1e5.5", "format"}, {"1e5e5", "format"}, {"2019-20", "format"},
		{"1e999999999", "range"}, {"1e30", "range"}, {"1e99999999999999999999", "format"}, {strings.Repeat("9", 40), "range"},
	}, func(s string) (Amount, error) { return ParseFile(s, 1) })
	check(t, "millions", []parsed{
		{"2.00E-06", "2.00"}, {"1.449715", "1449715.00"}, {"0.4 ($m)", "400000.00"}, {"-0.924236", "-924236.00"}, {"0.00000000001", "decimals"}, {"922337204", "range"},
	}, func(s string) (Amount, error) { return ParseFile(s, 1e6) })
	check(t, "thousands", []parsed{{"451289929.780131", "451289929780.131"}, {"1", "1000.00"}},
		func(s string) (Amount, error) { return ParseFile(s, 1000) })
	if _, err := ParseFile("1", 0); err == nil {
		t.Error("a file that counts in nothing was read")
	}
}

func TestParseReadsWhatStringWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := amounts(t, "a")
		if b, err := Parse(a.String()); err != nil || b != a {
			t.Fatalf("Parse(%s) = %v, %v", a, b, err)
		}
		if b, err := ParseFile(a.String(), 1); err != nil || b != a {
			t.Fatalf("ParseFile(%s) = %v, %v", a, b, err)
		}
		r := Rate(a)
		if b, err := ParseRate(r.String()); err != nil || b != r {
			t.Fatalf("ParseRate(%s) = %v, %v", r, b, err)
		}
	})
}

// The unit of a file multiplies exactly, whether the number is written out or in
// scientific notation.
func TestParseFileAppliesTheUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := amounts(t, "a")
		unit := rapid.SampledFrom([]int64{1, 1000, 1_000_000}).Draw(t, "unit")
		want, err := fromInt(new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(unit)))
		for _, text := range []string{a.String(), a.String() + "E0", strconv.FormatInt(int64(a), 10) + "E-4"} {
			got, gotErr := ParseFile(text, unit)
			if got != want || (gotErr == nil) != (err == nil) {
				t.Fatalf("ParseFile(%q, %d) = %v, %v; want %v, %v", text, unit, got, gotErr, want, err)
			}
		}
	})
}

func TestParseInputReadsWhatFormatWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := amounts(t, "a")
		lang := rapid.SampledFrom([]string{"en", "fr"}).Draw(t, "lang")
		code := rapid.SampledFrom([]string{"CAD", "USD", "EUR", "GBP", "JPY", "BHD", "MXN", "PYG", "CHF", "XAF", "CLF"}).Draw(t, "code")
		text := Format(a, code, lang)
		if b, err := ParseInputFor(text, lang, code); err != nil || b != a {
			t.Fatalf("%s: ParseInput(%q) = %v, %v", a, text, b, err)
		}
	})
}

func FuzzParsers(f *testing.F) {
	for _, s := range []string{"12 500,00", "(500)", "2.00E-06", "0.4 ($m)", "$ (", "1e-30", "−1.2M$ US", "((("} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, lang := range []string{"en", "fr"} {
			if a, err := ParseInput(s, lang); err == nil {
				if b, err := ParseInput(a.String(), "en"); err != nil || a != b {
					t.Errorf("%q became %v, which reads back as %v", s, a, b)
				}
			}
		}
		_, _ = ParseFile(s, 1e6)
		_, _ = Parse(s)
	})
}
