package money

import "math"

// Rate is a factor or a unit price in ten-billionths: 1.05 is Rate(10500000000).
// It reaches from -922,337,203.6854775807 to the same above zero. Percentages,
// exchange rates and prices per unit are Rates; what is owed is an Amount.
type Rate int64

// RateScale is the number of decimals a Rate keeps; RateOne is the factor one.
const (
	RateScale      = 10
	RateOne   Rate = 10_000_000_000
)

// RateMax and RateMin are the ends of what a Rate can hold.
const (
	RateMax Rate = math.MaxInt64
	RateMin Rate = -math.MaxInt64
)

// ParseRate reads an exact decimal such as "1.0525": a sign, digits and at most
// ten decimals. More decimals, any other spelling and values out of range are
// errors.
func ParseRate(s string) (Rate, error) {
	v, err := parseDecimal(s, RateScale)
	return Rate(v), err
}

// String returns the exact decimal with at least two decimals.
func (r Rate) String() string { return decimalString(int64(r), RateScale) }
