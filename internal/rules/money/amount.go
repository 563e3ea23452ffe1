// Package money holds exact amounts and rates: whole numbers of a ten-thousandth
// (Amount) and of a ten-billionth (Rate), never floating point. An amount has no
// currency of its own; the row or its parent says which, and amounts of different
// currencies are never added.
//
// Anybody may import it; it imports errs only.
package money

import (
	"math"
	"math/big"

	"steward/internal/rules/errs"
)

// Amount is a sum of money in ten-thousandths of the currency's main unit, so
// 1.00 is Amount(10000). It reaches from -922,337,203,685,477.5807 to the same
// above zero: the range is symmetrical, so that the opposite of an amount is
// always an amount.
type Amount int64

// Scale is the number of decimals an Amount keeps; One is one main unit.
const (
	Scale        = 4
	One   Amount = 10000
)

// Max and Min are the ends of what an Amount can hold.
const (
	Max Amount = math.MaxInt64
	Min Amount = -math.MaxInt64
)

func outOfRange() *errs.Error { return errs.New(errs.Validation, "error.money.range") }

// Add returns a + b; an error when the sum is out of range.
func Add(a, b Amount) (Amount, error) {
	s := a + b
	if (b > 0 && s < a) || (b < 0 && s > a) || s < Min {
		return 0, outOfRange()
	}
	return s, nil
}

// Sub returns a - b; an error when the difference is out of range.
func Sub(a, b Amount) (Amount, error) {
	if b < Min {
		return 0, outOfRange()
	}
	return Add(a, -b)
}

// Sum adds amounts exactly; only the result has to be in range, not every step on
// the way. The sum of nothing is zero.
func Sum(amounts []Amount) (Amount, error) {
	var whole big.Int // slow path only
	var sum Amount
	for i, a := range amounts {
		s, err := Add(sum, a)
		if err == nil {
			sum = s
			continue
		}
		whole.SetInt64(int64(sum))
		for _, b := range amounts[i:] {
			whole.Add(&whole, big.NewInt(int64(b)))
		}
		return fromInt(&whole)
	}
	return sum, nil
}

// MulRate returns a × r in the amount's own scale, rounded half to even (a tie
// goes to the even neighbour, so that many roundings do not drift); an error when
// the product is out of range.
func (a Amount) MulRate(r Rate) (Amount, error) {
	var p big.Int
	p.Mul(big.NewInt(int64(a)), big.NewInt(int64(r)))
	return fromInt(divHalfEven(&p, int64(RateOne)))
}

// divHalfEven returns p / d rounded to the nearest whole number, ties to even.
func divHalfEven(p *big.Int, d int64) *big.Int {
	div := big.NewInt(d)
	q, r := new(big.Int), new(big.Int)
	q.QuoRem(p, div, r)
	switch r.Abs(r).Lsh(r, 1).Cmp(div) {
	case -1:
		return q
	case 0:
		if q.Bit(0) == 0 {
			return q
		}
	}
	return q.Add(q, big.NewInt(int64(p.Sign())))
}

func fromInt(i *big.Int) (Amount, error) {
	if !i.IsInt64() || i.Int64() < int64(Min) {
		return 0, outOfRange()
	}
	return Amount(i.Int64()), nil
}

// Split shares total out in proportion to weights and loses nothing: the parts
// add up to total exactly. Parts are whole hundredths when total is, otherwise
// ten-thousandths. Each part is rounded towards zero and the units left over go,
// one each, to the parts that lost most, earlier ones first. A negative weight
// counts as zero; when no weight is positive the parts are equal. No weights, no
// parts.
func Split(total Amount, weights []int64) []Amount { return split(total, 100, weights) }

// SplitIn is Split in the currency's smallest coin (whole yen, hundredths of a
// dollar), or in ten-thousandths when total itself is finer than that.
func SplitIn(total Amount, currencyCode string, weights []int64) []Amount {
	step := int64(1)
	for range Scale - digits(currencyCode) {
		step *= 10
	}
	return split(total, step, weights)
}

func split(total Amount, step int64, weights []int64) []Amount {
	n := len(weights)
	if n == 0 {
		return nil
	}
	if int64(total)%step != 0 {
		step = 1
	}
	w := make([]*big.Int, n)
	sum := new(big.Int)
	for i, x := range weights {
		w[i] = big.NewInt(max(x, 0))
		sum.Add(sum, w[i])
	}
	if sum.Sign() == 0 {
		for i := range w {
			w[i] = big.NewInt(1)
		}
		sum.SetInt64(int64(n))
	}
	units := big.NewInt(int64(total) / step)
	parts, lost := make([]Amount, n), make([]*big.Int, n)
	left := int64(total) / step
	for i := range w {
		q, r := new(big.Int), new(big.Int)
		q.QuoRem(w[i].Mul(w[i], units), sum, r)
		parts[i], lost[i] = Amount(q.Int64()*step), r.Abs(r)
		left -= q.Int64()
	}
	sign := int64(1)
	if total < 0 {
		sign = -1
	}
	for _, i := range byLoss(lost)[:left*sign] { // fewer units are left than there are parts
		parts[i] += Amount(sign * step)
	}
	return parts
}
