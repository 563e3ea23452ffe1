package money

import (
	"cmp"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"steward/internal/rules/errs"
)

// maxText bounds what the parsers look at: nothing longer is an amount.
const maxText = 64

func notAmount(s string) *errs.Error {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return errs.New(errs.Validation, "error.money.format", "value", s)
}

func tooFine(s string, scale int) *errs.Error {
	return errs.New(errs.Validation, "error.money.decimals", "value", s, "max", scale)
}

// Parse reads the exact form that String writes and that the API and the
// database speak: an optional minus, digits, and at most four decimals after a
// point. More decimals are refused even when they are zeros; so are signs, group
// separators, currency marks, exponents and values out of range.
func Parse(s string) (Amount, error) {
	v, err := parseDecimal(s, Scale)
	return Amount(v), err
}

// parseDecimal reads -?digits[.digits] with at most scale decimals into a whole
// number of 10^-scale.
func parseDecimal(s string, scale int) (int64, error) {
	body, negative := strings.CutPrefix(s, "-")
	whole, decimals, point := strings.Cut(body, ".")
	if len(s) > maxText || !allDigits(whole) || point && !allDigits(decimals) {
		return 0, notAmount(s)
	}
	if len(decimals) > scale {
		return 0, tooFine(s, scale)
	}
	n, err := strconv.ParseInt(whole+decimals+strings.Repeat("0", scale-len(decimals)), 10, 64)
	if err != nil {
		return 0, outOfRange()
	}
	if negative {
		n = -n
	}
	return n, nil
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// String returns the exact decimal with a point and at least two decimals:
// "480000.00", "0.0001".
func (a Amount) String() string { return decimalString(int64(a), Scale) }

func decimalString(v int64, scale int) string {
	sign, u := "", uint64(v)
	if v < 0 {
		sign, u = "-", -u
	}
	s := strconv.FormatUint(u, 10)
	if len(s) <= scale {
		s = strings.Repeat("0", scale+1-len(s)) + s
	}
	whole, decimals := s[:len(s)-scale], s[len(s)-scale:]
	for len(decimals) > 2 && decimals[len(decimals)-1] == '0' {
		decimals = decimals[:len(decimals)-1]
	}
	return sign + whole + "." + decimals
}

// exact turns a decimal text ([-]digits[.digits][E[-]n], already cleaned) times
// factor into an Amount, in exact arithmetic; original is what an error quotes.
func exact(text string, factor int64, original string) (Amount, error) {
	mantissa, exponent, scientific := strings.Cut(strings.ToUpper(text), "E")
	whole, decimals, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	if whole+decimals == "" || whole != "" && !allDigits(whole) || decimals != "" && !allDigits(decimals) {
		return 0, notAmount(original)
	}
	if !scientific && len(whole)+Scale < 19 && len(decimals) <= Scale { // nearly always: no big numbers needed
		n, _ := strconv.ParseInt(whole+decimals+"0000"[len(decimals):], 10, 64)
		if hi, lo := bits.Mul64(uint64(n), uint64(factor)); hi == 0 && lo <= uint64(Max) {
			if text[0] == '-' {
				return -Amount(lo), nil
			}
			return Amount(lo), nil
		}
		return 0, outOfRange()
	}
	if scientific {
		n, err := strconv.Atoi(exponent)
		if err != nil {
			return 0, notAmount(original)
		}
		if n > 30 || n < -30 { // also keeps SetString from building huge numbers
			return 0, outOfRange()
		}
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, notAmount(original)
	}
	r.Mul(r, new(big.Rat).SetInt64(factor))
	r.Mul(r, new(big.Rat).SetInt64(int64(One)))
	if !r.IsInt() {
		return 0, tooFine(original, Scale)
	}
	return fromInt(r.Num())
}

// byLoss returns the positions of lost, the greatest first, ties in order.
func byLoss(lost []*big.Int) []int {
	order := make([]int, len(lost))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lost[b].Cmp(lost[a]), 0) })
	return order
}
