package fiscal

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
)

func TestParseYear(t *testing.T) {
	for label, want := range map[string]int{
		"FY 2018-19": 2018, "2020-2021": 2020, "FY20-21": 2020, "2015-16": 2015, "2014": 2014, // the five of the data
		"FY16-17": 2016, "fy 2018-19": 2018, "FY2018-19": 2018, " 2015-16 ": 2015, "2026–27": 2026, "2019/20": 2019, "2015 - 16": 2015,
		"1999-00": 1999, "1999-2000": 1999, "FY99-00": 1999, "FY69-70": 2069, "FY70-71": 1970, "FY14": 2014, "20-21": 2020, "Exercice 2026-2027": 2026,
		"1900": 1900, "2199": 2199,
	} {
		if got, err := ParseYear(label); err != nil || got != want {
			t.Errorf("ParseYear(%q) = %d, %v; want %d", label, got, err, want)
		}
	}
	for _, label := range []string{"", "14", "2015-17", "2015-2015", "2016-15", "FY", "TBD", "Q2 2019/20", "2015-16-17", "201", "20155", "2015-6", "1899", "2200", "FY 2018-19 actual", "-2014", "2015-16\n2", "２０１４"} {
		if got, err := ParseYear(label); errs.CodeOf(err) != errs.Validation {
			t.Errorf("ParseYear(%q) = %d, %v; want an error", label, got, err)
		}
	}
}

func TestCalendar(t *testing.T) {
	april, january, october := Calendar{time.April}, Calendar{time.January}, Calendar{time.October}
	for _, c := range []struct {
		cal  Calendar
		day  string
		want int
	}{
		{april, "2026-03-31", 2025}, {april, "2026-04-01", 2026}, {april, "2027-01-15", 2026},
		{january, "2026-01-01", 2026}, {january, "2026-12-31", 2026}, {october, "2026-09-30", 2025}, {october, "2026-10-01", 2026},
		{Calendar{}, "2026-03-31", 2026}, {Calendar{13}, "2026-03-31", 2026}, {Calendar{time.December}, "2026-11-30", 2025},
	} {
		if got := c.cal.YearOf(civil.MustDate(c.day)); got != c.want {
			t.Errorf("%v: %s lies in %d, want %d", c.cal, c.day, got, c.want)
		}
	}
	for _, c := range []struct {
		cal  Calendar
		l    Length
		want string
	}{
		{april, Month, "2026-04 2026-05 2026-06 2026-07 2026-08 2026-09 2026-10 2026-11 2026-12 2027-01 2027-02 2027-03"},
		{april, Quarter, "2026-04 2026-07 2026-10 2027-01"}, {april, Year, "2026-04"}, {january, Year, "2026-01"},
		{october, Quarter, "2026-10 2027-01 2027-04 2027-07"}, {april, "WEEK", ""},
	} {
		var got []string
		for _, p := range c.cal.Periods(2026, c.l) {
			got = append(got, p.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%v %s: %v", c.cal, c.l, got)
		}
	}
	for _, c := range []struct {
		cal      Calendar
		p        civil.Period
		l        Length
		from, to string
	}{
		{april, "2026-04", Month, "2026-04-01", "2026-04-30"}, {april, "2028-02", Month, "2028-02-01", "2028-02-29"},
		{april, "2026-04", Quarter, "2026-04-01", "2026-06-30"}, {april, "2027-03", Quarter, "2027-01-01", "2027-03-31"},
		{april, "2027-01", Year, "2026-04-01", "2027-03-31"}, {january, "2026-07", Year, "2026-01-01", "2026-12-31"},
		{Calendar{time.February}, "2026-01", Quarter, "2025-11-01", "2026-01-31"},
	} {
		from, to := c.cal.Span(c.p, c.l)
		if from.String() != c.from || to.String() != c.to {
			t.Errorf("%v: %s of %s is %s to %s", c.cal, c.l, c.p, from, to)
		}
	}
	if from, to := april.Days(2026); from.String() != "2026-04-01" || to.String() != "2027-03-31" {
		t.Errorf("2026–27 runs from %s to %s", from, to)
	}
	for _, c := range []struct{ got, want string }{
		{april.Label(2026, "en"), "2026–27"}, {april.Label(2026, "fr"), "2026-2027"}, {april.Label(1999, "en"), "1999–00"},
		{january.Label(2026, "en"), "2026"}, {january.Label(2026, "fr"), "2026"},
		{april.QuarterLabel("2027-01", "en"), "Q4 2026–27"}, {april.QuarterLabel("2026-04", "fr"), "T1 2026-2027"}, {january.QuarterLabel("2026-12", "en"), "Q4 2026"},
	} {
		if c.got != c.want {
			t.Errorf("label %q, want %q", c.got, c.want)
		}
	}
}

// A year of any calendar is covered by its spans without a gap or an overlap, each
// day lies in the year that holds it, and its label reads back.
func TestSpansCoverTheYear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Calendar{time.Month(rapid.IntRange(1, 12).Draw(t, "start"))}
		year := rapid.IntRange(minYear, maxYear-1).Draw(t, "year")
		l := rapid.SampledFrom([]Length{Month, Quarter, Year}).Draw(t, "length")
		first, last := c.Days(year)
		next := first
		for _, p := range c.Periods(year, l) {
			from, to := c.Span(p, l)
			if from != next || c.YearOf(from) != year || c.YearOf(to) != year || c.Start(to.Period(), l) != p {
				t.Fatalf("%v %d %s: %s runs from %s to %s, expected from %s", c, year, l, p, from, to, next)
			}
			next = to.AddDays(1)
		}
		if next != last.AddDays(1) || c.YearOf(next) != year+1 {
			t.Fatalf("%v %d: spans end before %s, the year on %s", c, year, next, last)
		}
		for _, lang := range []string{"en", "fr"} {
			if got, err := ParseYear(c.Label(year, lang)); err != nil || got != year {
				t.Fatalf("%q reads back as %d, %v", c.Label(year, lang), got, err)
			}
		}
	})
}

func TestClosing(t *testing.T) {
	c := Closed{"2026-04": true, "2026-05": true, "2026-06": true, "2026-07": true}
	for _, x := range []struct {
		p    civil.Period
		l    Length
		open bool
	}{
		{"2026-04", Month, false}, {"2026-08", Month, true}, {"2026-04", Quarter, false}, {"2026-07", Quarter, true}, {"2026-04", Year, true},
	} {
		if c.Open(x.p, x.l) != x.open || (c.Guard(x.p, x.l) == nil) != x.open {
			t.Errorf("%s of %s open: %v", x.l, x.p, !x.open)
		}
	}
	if code := errs.CodeOf(c.Guard("2026-04", Month)); code != errs.State {
		t.Errorf("a closed period is refused with %s", code)
	}
	if !Closed(nil).Open("2026-04", Month) {
		t.Error("nothing is closed where nothing was closed")
	}
	if c.PostingMonth("2026-05") != "2026-08" || c.PostingMonth("2026-09") != "2026-09" {
		t.Error("late items go to the next open month")
	}
	if MayClose("2026-02", civil.MustDate("2026-02-28")) || !MayClose("2026-02", civil.MustDate("2026-03-01")) {
		t.Error("a month can be closed from the day after its last")
	}
}

func TestLength(t *testing.T) {
	var l Length
	for _, v := range l.Values() {
		if err := l.UnmarshalGQL(v); err != nil || l.String() != v || l.Months() == 0 {
			t.Errorf("%s: %v", v, err)
		}
	}
	for _, v := range []any{"month", "", 3, nil} {
		if l.UnmarshalGQL(v) == nil {
			t.Errorf("%v was taken as a length", v)
		}
	}
	if !slices.Equal([]int{Month.Months(), Quarter.Months(), Year.Months(), Length("WEEK").Months()}, []int{1, 3, 12, 0}) {
		t.Error("wrong number of months")
	}
}
