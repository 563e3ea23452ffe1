package okr

import "steward/internal/rules/civil"

// Commitment says what an objective promises.
type Commitment string

// A Committed objective is a promise: anything short of all of it is a miss. An
// Aspirational one is a stretch: 0.7 is good.
const (
	Committed    Commitment = "COMMITTED"
	Aspirational Commitment = "ASPIRATIONAL"
)

// Colour is a verdict at a glance; pages always say it in words too.
type Colour string

// The colours.
const (
	Green Colour = "GREEN"
	Amber Colour = "AMBER"
	Red   Colour = "RED"
)

// The thresholds in basis points. Good and Fair are those of Measure What Matters
// (0.7 and 0.4); Slack is Steward's own: how far behind the expected mark progress
// may lie before it counts as behind.
const (
	Good  = 7000
	Fair  = 4000
	Slack = 1500
)

// Part is one key result's share of its objective: a value in basis points (its
// progress, or the confidence in it), nil when there is none yet, and its weight.
type Part struct {
	Value  *int
	Weight int
}

// Grade returns the objective's score, the mean of the parts' values by weight
// (domain.md, C3), and how many parts have no value: those count as 0 and are to
// be pointed out. There is no grade (false) without parts or without weights.
func Grade(parts []Part) (bp, missing int, ok bool) {
	sum, weights := 0, 0
	for _, p := range parts {
		weights += p.Weight
		if p.Value == nil {
			missing++
			continue
		}
		sum += p.Weight * *p.Value
	}
	if weights <= 0 {
		return 0, missing, false
	}
	return sum / weights, missing, true
}

// Confidence returns the mean confidence by weight over the parts that have one,
// and false when none has: nobody having said anything is not a confidence of 0.
func Confidence(parts []Part) (bp int, ok bool) {
	var said []Part
	for _, p := range parts {
		if p.Value != nil {
			said = append(said, p)
		}
	}
	bp, _, ok = Grade(said)
	return bp, ok
}

// Met reports whether a final grade keeps what the objective promised: all of it
// when committed, Good when aspirational.
func Met(c Commitment, bp int) bool {
	if c == Committed {
		return bp >= Whole
	}
	return bp >= Good
}

// ColourOf returns the colour of a final grade. Aspirational: green from Good,
// amber from Fair, red below. Committed: green for all of it, red for a miss.
func ColourOf(c Commitment, bp int) Colour {
	switch {
	case Met(c, bp):
		return Green
	case c != Committed && bp >= Fair:
		return Amber
	}
	return Red
}

// Expected returns the mark progress should have reached on a day: the share of
// the cycle that has gone by, 0 on its first day and before, Whole on its last and
// after. A cycle of one day expects everything on that day.
func Expected(start, end, on civil.Date) int {
	length, gone := start.DaysUntil(end), start.DaysUntil(on)
	switch {
	case gone >= length && gone >= 0:
		return Whole
	case gone <= 0:
		return 0
	}
	return gone * Whole / length
}

// Behind reports whether progress lies more than Slack below the expected mark.
func Behind(progress, expected int) bool { return progress < expected-Slack }

// Pace returns the colour of progress while the cycle runs: green up to the
// expected mark, amber within Slack of it, red when behind. It is the same for
// committed and aspirational objectives, because nothing is missed yet.
func Pace(progress, expected int) Colour {
	switch {
	case Behind(progress, expected):
		return Red
	case progress < expected:
		return Amber
	}
	return Green
}
