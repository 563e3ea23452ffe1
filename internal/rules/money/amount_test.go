package money

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"steward/internal/rules/errs"
)

func amounts(t *rapid.T, label string) Amount {
	return Amount(rapid.Int64Range(int64(Min), int64(Max)).Draw(t, label))
}

func TestArithmeticRefusesOverflow(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func() (Amount, error)
		want Amount
		ok   bool
	}{
		{"add", func() (Amount, error) { return Add(One, 2*One) }, 3 * One, true},
		{"add to the end", func() (Amount, error) { return Add(Max-1, 1) }, Max, true},
		{"add beyond", func() (Amount, error) { return Add(Max, 1) }, 0, false},
		{"add below", func() (Amount, error) { return Add(Min, -1) }, 0, false},
		{"add far below", func() (Amount, error) { return Add(Min, Min) }, 0, false},
		{"sub", func() (Amount, error) { return Sub(One, 3*One) }, -2 * One, true},
		{"sub beyond", func() (Amount, error) { return Sub(Max, -1) }, 0, false},
		{"sub what is no amount", func() (Amount, error) { return Sub(0, math.MinInt64) }, 0, false},
		{"sum of nothing", func() (Amount, error) { return Sum(nil) }, 0, true},
		{"sum that overflows on the way only", func() (Amount, error) { return Sum([]Amount{Max, Max, Min, -1}) }, Max - 1, true},
		{"sum beyond", func() (Amount, error) { return Sum([]Amount{Max, Max, Min, 1}) }, 0, false},
		{"rate", func() (Amount, error) { return Amount(180 * One).MulRate(RateOne * 105 / 100) }, 189 * One, true},
		{"rate, tie to even below", func() (Amount, error) { return Amount(5).MulRate(RateOne / 2) }, 2, true},
		{"rate, tie to even above", func() (Amount, error) { return Amount(7).MulRate(RateOne / 2) }, 4, true},
		{"rate, negative tie", func() (Amount, error) { return Amount(-5).MulRate(RateOne / 2) }, -2, true},
		{"rate, negative tie up", func() (Amount, error) { return Amount(-7).MulRate(RateOne / 2) }, -4, true},
		{"rate, just above a tie", func() (Amount, error) { return Amount(1).MulRate(RateOne/2 + 1) }, 1, true},
		{"rate beyond", func() (Amount, error) { return Max.MulRate(RateOne + 1) }, 0, false},
	} {
		got, err := c.f()
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%s: %v, %v; want %v, ok %v", c.name, got, err, c.want, c.ok)
		}
		if err != nil && errs.CodeOf(err) != errs.Validation {
			t.Errorf("%s: code %s", c.name, errs.CodeOf(err))
		}
	}
}

func TestSumIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Amount { return amounts(t, "a") })).Draw(t, "list")
		want := new(big.Int)
		for _, a := range list {
			want.Add(want, big.NewInt(int64(a)))
		}
		fits := want.IsInt64() && want.Int64() >= int64(Min)
		got, err := Sum(list)
		if (err == nil) != fits || err == nil && int64(got) != want.Int64() {
			t.Fatalf("Sum(%v) = %v, %v; exactly %v", list, got, err, want)
		}
	})
}

func TestSplit(t *testing.T) {
	cents := func(n ...Amount) []Amount {
		for i := range n {
			n[i] *= 100
		}
		return n
	}
	for _, c := range []struct {
		name    string
		total   Amount
		weights []int64
		want    []Amount
	}{
		{"nobody", 100 * One, nil, nil},
		{"thirds in cents, the first pays", 100 * One, []int64{1, 1, 1}, cents(3334, 3333, 3333)},
		{"negative thirds", -100 * One, []int64{1, 1, 1}, cents(-3334, -3333, -3333)},
		{"finer than cents", 100*One + 1, []int64{1, 1, 1}, []Amount{333334, 333334, 333333}},
		{"who lost most is paid first", 10 * 100, []int64{1, 1, 5}, cents(2, 1, 7)},
		{"zero weight gets nothing", 10 * One, []int64{0, 1}, cents(0, 1000)},
		{"no weight is even", 12 * One, []int64{0, 0, 0}, cents(400, 400, 400)},
		{"negative weight is zero", 12 * One, []int64{-5, 1, 2}, cents(0, 400, 800)},
		{"nothing", 0, []int64{1, 2}, cents(0, 0)},
		{"greatest", Max, []int64{math.MaxInt64, math.MaxInt64}, []Amount{Max/2 + 1, Max / 2}},
	} {
		if got := Split(c.total, c.weights); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if got := SplitIn(100*One, "JPY", []int64{1, 1, 1}); !slices.Equal(got, []Amount{34 * One, 33 * One, 33 * One}) {
		t.Errorf("yen came in parts of a yen: %v", got)
	}
	if got := SplitIn(One, "BHD", []int64{1, 1, 1}); !slices.Equal(got, []Amount{3340, 3330, 3330}) {
		t.Errorf("dinar have three decimals: %v", got)
	}
}

func TestSplitLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := amounts(t, "total")
		weights := rapid.SliceOfN(rapid.Int64(), 1, 40).Draw(t, "weights")
		for _, parts := range [][]Amount{Split(total, weights), SplitIn(total, "JPY", weights)} {
			if got, err := Sum(parts); err != nil || got != total || len(parts) != len(weights) {
				t.Fatalf("parts of %v: %v, together %v (%v)", total, parts, got, err)
			}
			for _, p := range parts {
				if p != 0 && p < 0 != (total < 0) {
					t.Fatalf("a part of %v has the other sign: %v", total, parts)
				}
			}
		}
	})
}
