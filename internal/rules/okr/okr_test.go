package okr

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/money"
)

func n(t *testing.T, s string) money.Amount {
	t.Helper()
	a, err := money.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestProgress(t *testing.T) {
	for _, c := range []struct {
		name         string
		kind         Kind
		base, target string
		values       []string
		want         int
		scored       bool
	}{
		{"increase, the vector", Increase, "20", "80", []string{"65"}, 7500, true},
		{"decrease, the vector", Decrease, "10", "2", []string{"4"}, 7500, true},
		{"over-achievement is held at 1", Increase, "20", "80", []string{"200"}, 10000, true},
		{"decrease beyond the target", Decrease, "10", "2", []string{"-5"}, 10000, true},
		{"going the wrong way is held at 0", Increase, "20", "80", []string{"5"}, 0, true},
		{"decrease going up", Decrease, "10", "2", []string{"11"}, 0, true},
		{"the last value counts", Increase, "0", "100", []string{"90", "10"}, 1000, true},
		{"at the target", Increase, "0", "3", []string{"3"}, 10000, true},
		{"a third is rounded down", Increase, "0", "3", []string{"1"}, 3333, true},
		{"almost all is not all", Increase, "0", "1000000", []string{"999999.9999"}, 9999, true},
		{"decimals", Increase, "99.5", "99.9", []string{"99.6"}, 2500, true},
		{"negative numbers", Increase, "-50", "50", []string{"0"}, 5000, true},
		{"no value yet", Increase, "20", "80", nil, 0, false},
		{"target is baseline", Increase, "20", "20", []string{"20"}, 0, false},
		{"wrong direction", Decrease, "2", "10", []string{"4"}, 0, false},
		{"the ends of the range", Increase, "-922337203685477.5807", "922337203685477.5807", []string{"0"}, 5000, true},
		{"maintained three times of four, bounds included", Maintain, "95", "99", []string{"95", "99", "99.0001", "97"}, 7500, true},
		{"maintained never", Maintain, "95", "99", []string{"94"}, 0, true},
		{"maintained exactly", Maintain, "0", "0", []string{"0", "1"}, 5000, true},
		{"maintained, no value", Maintain, "95", "99", nil, 0, false},
		{"unknown kind", "MILESTONE", "0", "1", []string{"1"}, 0, false},
	} {
		var values []money.Amount
		for _, v := range c.values {
			values = append(values, n(t, v))
		}
		got, scored := Measure{c.kind, n(t, c.base), n(t, c.target)}.Progress(values...)
		if got != c.want || scored != c.scored {
			t.Errorf("%s: %d, %v; want %d, %v", c.name, got, scored, c.want, c.scored)
		}
	}
}

func TestProgressStaysInRangeAndGrowsTowardsTheTarget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Custom(func(t *rapid.T) money.Amount {
			return money.Amount(rapid.Int64Range(int64(money.Min), int64(money.Max)).Draw(t, "n"))
		})
		base, target := amount.Draw(t, "base"), amount.Draw(t, "target")
		m := Measure{Increase, base, target}
		if base > target {
			m.Kind = Decrease
		}
		a, b := amount.Draw(t, "a"), amount.Draw(t, "b")
		if m.Kind == Increase == (a > b) {
			a, b = b, a // b is at least as near the target
		}
		pa, _ := m.Progress(a)
		pb, ok := m.Progress(b)
		if ok != (base != target) || pa < 0 || pb > Whole || pa > pb {
			t.Fatalf("%v: %v is %d, %v is %d", m, a, pa, b, pb)
		}
		if reached, _ := m.Progress(target); ok && reached != Whole {
			t.Fatalf("%v: the target is %d", m, reached)
		}
	})
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		m         Measure
		path, key string
	}{
		{Measure{Increase, 1, 2}, "", ""}, {Measure{Decrease, 2, 1}, "", ""}, {Measure{Maintain, 1, 2}, "", ""}, {Measure{Maintain, 1, 1}, "", ""},
		{Measure{Increase, 1, 1}, "target", "error.okr.target_is_baseline"}, {Measure{Decrease, 1, 1}, "target", "error.okr.target_is_baseline"},
		{Measure{Increase, 2, 1}, "target", "error.okr.direction"}, {Measure{Decrease, 1, 2}, "target", "error.okr.direction"},
		{Measure{Maintain, 2, 1}, "target", "error.okr.range"}, {Measure{"", 1, 2}, "kind", "error.okr.kind"},
	} {
		err := c.m.Validate()
		if c.key == "" {
			if err != nil {
				t.Errorf("%v: %v", c.m, err)
			}
			continue
		}
		e, ok := errors.AsType[*errs.Error](err)
		if !ok || e.Code != errs.Validation || e.Fields[0].Path != c.path || e.Fields[0].Key != c.key {
			t.Errorf("%v: %v, want %s at %s", c.m, err, c.key, c.path)
		}
	}
	for w, ok := range map[int]bool{0: false, 1: true, 10: true, 11: false, -1: false} {
		if (ValidateWeight(w) == nil) != ok {
			t.Errorf("weight %d", w)
		}
	}
	for bp, ok := range map[int]bool{-1: false, 0: true, 10000: true, 10001: false} {
		if (ValidateConfidence(bp) == nil) != ok {
			t.Errorf("confidence %d", bp)
		}
	}
}

func TestGrade(t *testing.T) {
	for _, c := range []struct {
		name        string
		parts       []Part
		bp, missing int
		ok          bool
		confidence  int
		said        bool
	}{
		{"by weight", []Part{{new(10000), 3}, {new(5000), 1}}, 8750, 0, true, 8750, true},
		{"equal weights, rounded down", []Part{{new(10000), 1}, {new(10000), 1}, {new(9999), 1}}, 9999, 0, true, 9999, true},
		{"an unscored one counts as 0 and is pointed out", []Part{{new(8000), 1}, {nil, 1}}, 4000, 1, true, 8000, true},
		{"nobody said anything", []Part{{nil, 1}, {nil, 2}}, 0, 2, true, 0, false},
		{"no key results", nil, 0, 0, false, 0, false},
		{"no weights", []Part{{new(8000), 0}}, 0, 0, false, 0, false},
	} {
		bp, missing, ok := Grade(c.parts)
		if bp != c.bp || missing != c.missing || ok != c.ok {
			t.Errorf("%s: grade %d, %d missing, %v", c.name, bp, missing, ok)
		}
		if got, said := Confidence(c.parts); got != c.confidence || said != c.said {
			t.Errorf("%s: confidence %d, %v", c.name, got, said)
		}
	}
}

func TestColours(t *testing.T) {
	for _, c := range []struct {
		c    Commitment
		bp   int
		want Colour
		met  bool
	}{
		{Aspirational, 10000, Green, true}, {Aspirational, 7000, Green, true}, {Aspirational, 6999, Amber, false},
		{Aspirational, 4000, Amber, false}, {Aspirational, 3999, Red, false}, {Aspirational, 0, Red, false},
		{Committed, 10000, Green, true}, {Committed, 9999, Red, false}, {Committed, 8000, Red, false}, {Committed, 0, Red, false},
	} {
		if got := ColourOf(c.c, c.bp); got != c.want || Met(c.c, c.bp) != c.met {
			t.Errorf("%s at %d: %s, met %v", c.c, c.bp, got, Met(c.c, c.bp))
		}
	}
}

func TestExpectedAndPace(t *testing.T) {
	d := civil.MustDate
	for _, c := range []struct {
		start, end, on string
		want           int
	}{
		{"2026-04-01", "2026-06-30", "2026-03-15", 0}, {"2026-04-01", "2026-06-30", "2026-04-01", 0},
		{"2026-04-01", "2026-06-30", "2026-05-16", 5000}, {"2026-04-01", "2026-06-30", "2026-06-29", 9888},
		{"2026-04-01", "2026-06-30", "2026-06-30", 10000}, {"2026-04-01", "2026-06-30", "2027-01-01", 10000},
		{"2026-04-01", "2026-04-01", "2026-03-31", 0}, {"2026-04-01", "2026-04-01", "2026-04-01", 10000}, {"2026-04-01", "2026-04-02", "2026-04-01", 0},
	} {
		if got := Expected(d(c.start), d(c.end), d(c.on)); got != c.want {
			t.Errorf("%s to %s on %s: %d, want %d", c.start, c.end, c.on, got, c.want)
		}
	}
	for _, c := range []struct {
		progress, expected int
		behind             bool
		pace               Colour
	}{
		{5000, 5000, false, Green}, {4999, 5000, false, Amber}, {3500, 5000, false, Amber}, {3499, 5000, true, Red}, {0, 1500, false, Amber}, {0, 0, false, Green},
	} {
		if Behind(c.progress, c.expected) != c.behind || Pace(c.progress, c.expected) != c.pace {
			t.Errorf("%d of %d: behind %v, %s", c.progress, c.expected, Behind(c.progress, c.expected), Pace(c.progress, c.expected))
		}
	}
}
