// Package okr holds the arithmetic of objectives and key results: progress, the
// mark expected by a date, grades and their colours. Everything is whole basis
// points (10000 is all of it), worked out exactly and rounded down, so that
// nothing looks complete before it is.
//
// Anybody may import it; it imports civil, errs and money only.
package okr

import (
	"math/big"

	"steward/internal/rules/errs"
	"steward/internal/rules/money"
)

// Whole is all of something in basis points.
const Whole = 10000

// Kind says which way a key result's number should go.
type Kind string

// The kinds. A Maintain key result keeps its number between baseline and target,
// both included.
const (
	Increase Kind = "INCREASE"
	Decrease Kind = "DECREASE"
	Maintain Kind = "MAINTAIN"
)

// Measure is what a key result measures: from where to where. The numbers are
// exact decimals of four places in whatever unit the key result names.
type Measure struct {
	Kind             Kind
	Baseline, Target money.Amount
}

// Validate returns a Validation error naming the field when the target equals the
// baseline (there would be no way to go) or lies on the wrong side of it. A
// Maintain measure may have both equal: the number has to stay exactly there.
func (m Measure) Validate() error {
	switch {
	case m.Kind != Increase && m.Kind != Decrease && m.Kind != Maintain:
		return errs.Invalid("kind", "error.okr.kind", "value", string(m.Kind))
	case m.Kind == Maintain && m.Baseline > m.Target:
		return errs.Invalid("target", "error.okr.range")
	case m.Kind != Maintain && m.Baseline == m.Target:
		return errs.Invalid("target", "error.okr.target_is_baseline")
	case m.Kind == Increase && m.Target < m.Baseline, m.Kind == Decrease && m.Target > m.Baseline:
		return errs.Invalid("target", "error.okr.direction")
	}
	return nil
}

// Progress returns how far the values of a key result's check-ins, oldest first,
// have come: 0 to Whole, and whether there is anything to score. It is false
// without a value and for a measure that Validate refuses.
//
// Increase, Decrease: (last - baseline) / (target - baseline), held between 0 and
// 1; a decrease works because both signs turn. Maintain: the share of values from
// baseline to target. (domain.md, C3.)
func (m Measure) Progress(values ...money.Amount) (bp int, scored bool) {
	if len(values) == 0 || m.Validate() != nil {
		return 0, false
	}
	if m.Kind == Maintain {
		within := 0
		for _, v := range values {
			if v >= m.Baseline && v <= m.Target {
				within++
			}
		}
		return within * Whole / len(values), true
	}
	way, gone := distance(m.Baseline, m.Target), distance(m.Baseline, values[len(values)-1])
	gone.Mul(gone, big.NewInt(Whole)).Quo(gone, way)
	switch {
	case gone.Sign() < 0:
		return 0, true
	case gone.Cmp(big.NewInt(Whole)) > 0:
		return Whole, true
	}
	return int(gone.Int64()), true
}

// distance is to - from without overflow.
func distance(from, to money.Amount) *big.Int {
	return new(big.Int).Sub(big.NewInt(int64(to)), big.NewInt(int64(from)))
}

// ValidateWeight refuses a weight outside 1 to 10.
func ValidateWeight(weight int) error {
	if weight < 1 || weight > 10 {
		return errs.Invalid("weight", "error.okr.weight")
	}
	return nil
}

// ValidateConfidence refuses a confidence outside 0 to Whole.
func ValidateConfidence(bp int) error {
	if bp < 0 || bp > Whole {
		return errs.Invalid("confidence", "error.okr.confidence")
	}
	return nil
}
