package term

import (
	"testing"

	"pgregory.net/rapid"

	"steward/internal/rules/civil"
)

func day(s string) *civil.Date {
	if s == "" {
		return nil
	}
	return new(civil.MustDate(s))
}

func text(d *civil.Date) string {
	if d == nil {
		return ""
	}
	return d.String()
}

func TestLastDay(t *testing.T) {
	for _, c := range []struct {
		start  string
		months int
		want   string
	}{
		{"2018-09-27", 36, "2021-09-26"},
		{"2024-01-31", 1, "2024-02-29"}, {"2023-01-31", 1, "2023-02-28"}, {"2023-01-30", 1, "2023-02-28"}, {"2023-01-29", 1, "2023-02-28"}, {"2023-01-28", 1, "2023-02-27"},
		{"2024-01-30", 1, "2024-02-29"}, {"2024-01-29", 1, "2024-02-28"},
		{"2026-05-31", 1, "2026-06-30"}, {"2026-05-31", 2, "2026-07-30"}, {"2026-04-01", 12, "2027-03-31"}, {"2026-01-01", 1, "2026-01-31"},
		{"2024-02-29", 12, "2025-02-28"}, {"2024-02-29", 48, "2028-02-28"}, {"2023-03-01", 12, "2024-02-29"},
	} {
		if got := LastDay(civil.MustDate(c.start), c.months); got.String() != c.want {
			t.Errorf("%d months from %s end on %s, want %s", c.months, c.start, got, c.want)
		}
	}
}

func TestOn(t *testing.T) {
	for _, c := range []struct {
		name                  string
		terms                 Terms
		today                 string
		end, notice, decision string
	}{
		{"the published vector", Terms{Start: day("2018-09-27"), InitialMonths: new(36), NoticeMonths: 3, LeadDays: 21}, "2019-01-01", "2021-09-26", "2021-06-27", "2021-06-06"},
		{"the same, long over", Terms{Start: day("2018-09-27"), InitialMonths: new(36), NoticeMonths: 3, LeadDays: 21, Renewal: Express, RenewalMonths: new(12)}, "2024-01-01", "2021-09-26", "2021-06-27", "2021-06-06"},
		{"no notice is needed", Terms{Start: day("2026-04-01"), InitialMonths: new(12), LeadDays: 30}, "2026-05-01", "2027-03-31", "2027-03-31", "2027-03-01"},
		{"a stated end wins", Terms{Start: day("2026-04-01"), InitialMonths: new(12), End: day("2026-12-15")}, "2026-05-01", "2026-12-15", "2026-12-15", "2026-12-15"},
		{"only an end is known", Terms{End: day("2026-12-31"), NoticeMonths: 1, LeadDays: 30}, "2026-05-01", "2026-12-31", "2026-12-01", "2026-11-01"},
		{"an end before the start is kept as stated", Terms{Start: day("2026-04-01"), End: day("2026-01-31"), NoticeMonths: 1}, "2026-05-01", "2026-01-31", "2026-01-01", "2026-01-01"},
		{"notice in a shorter month", Terms{End: day("2026-05-30"), NoticeMonths: 3}, "2026-01-01", "2026-05-30", "2026-02-28", "2026-02-28"},
		{"nothing is known", Terms{NoticeMonths: 3, LeadDays: 30, Renewal: Tacit, RenewalMonths: new(12)}, "2026-05-01", "", "", ""},
		{"no length", Terms{Start: day("2026-04-01")}, "2026-05-01", "", "", ""},
		{"length of 0 is open-ended", Terms{Start: day("2026-04-01"), InitialMonths: new(0)}, "2026-05-01", "", "", ""},
		{"no start", Terms{InitialMonths: new(12)}, "2026-05-01", "", "", ""},
		{"tacit, in its first term", Terms{Start: day("2020-04-01"), InitialMonths: new(24), Renewal: Tacit, RenewalMonths: new(12), NoticeMonths: 3, LeadDays: 30}, "2022-03-30", "2022-03-31", "2022-01-01", "2021-12-02"},
		{"tacit, on the last day it has gone on", Terms{Start: day("2020-04-01"), InitialMonths: new(24), Renewal: Tacit, RenewalMonths: new(12)}, "2022-03-31", "2023-03-31", "2023-03-31", "2023-03-31"},
		{"tacit, years later", Terms{Start: day("2020-04-01"), InitialMonths: new(24), Renewal: Tacit, RenewalMonths: new(12)}, "2026-05-01", "2027-03-31", "2027-03-31", "2027-03-31"},
		{"tacit without a renewal length", Terms{End: day("2022-03-31"), Renewal: Tacit}, "2026-05-01", "2022-03-31", "2022-03-31", "2022-03-31"},
		{"tacit with a renewal length of 0", Terms{End: day("2022-03-31"), Renewal: Tacit, RenewalMonths: new(0)}, "2026-05-01", "2022-03-31", "2022-03-31", "2022-03-31"},
		{"tacit at month ends, counted from the start", Terms{Start: day("2024-01-31"), InitialMonths: new(1), Renewal: Tacit, RenewalMonths: new(1)}, "2024-03-01", "2024-03-30", "2024-03-30", "2024-03-30"},
		{"tacit from a stated month end", Terms{End: day("2023-02-28"), Renewal: Tacit, RenewalMonths: new(12)}, "2023-03-01", "2024-02-29", "2024-02-29", "2024-02-29"},
		{"express does not go on by itself", Terms{End: day("2022-03-31"), Renewal: Express, RenewalMonths: new(12)}, "2026-05-01", "2022-03-31", "2022-03-31", "2022-03-31"},
	} {
		d := c.terms.On(civil.MustDate(c.today))
		if text(d.End) != c.end || text(d.NoticeBy) != c.notice || text(d.DecideBy) != c.decision {
			t.Errorf("%s: end %s, notice by %s, decide by %s; want %s, %s, %s", c.name, text(d.End), text(d.NoticeBy), text(d.DecideBy), c.end, c.notice, c.decision)
		}
	}
}

// The current end of a tacit contract is the first in its row of ends that lies
// after today, found here by walking the row from the beginning.
func TestTacitRenewal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := civil.MustDate("2000-01-01").AddDays(rapid.IntRange(0, 10000).Draw(t, "start"))
		first, step := rapid.IntRange(1, 60).Draw(t, "first"), rapid.IntRange(1, 60).Draw(t, "step")
		today := start.AddDays(rapid.IntRange(-1000, 20000).Draw(t, "today"))
		terms := Terms{Start: &start, InitialMonths: &first, Renewal: Tacit, RenewalMonths: &step}
		months := first
		for !LastDay(start, months).After(today) {
			months += step
		}
		if got, _ := terms.CurrentEnd(today); got != LastDay(start, months) {
			t.Fatalf("from %s, %d and %d months: on %s the end is %s, want %s", start, first, step, today, got, LastDay(start, months))
		}
		end := LastDay(start, first)
		terms = Terms{End: &end, Renewal: Tacit, RenewalMonths: &step}
		want := end
		for k := 1; !want.After(today); k++ {
			want = LastDay(end.AddDays(1), k*step)
		}
		if got, _ := terms.CurrentEnd(today); got != want {
			t.Fatalf("from end %s, %d months: on %s the end is %s, want %s", end, step, today, got, want)
		}
	})
}

func TestState(t *testing.T) {
	terms := Terms{Start: day("2026-04-01"), InitialMonths: new(12), NoticeMonths: 3, LeadDays: 30} // decide by 2026-12-02
	tacit := terms
	tacit.Renewal, tacit.RenewalMonths = Tacit, new(12)
	for _, c := range []struct {
		name          string
		terms         Terms
		stored, today string
		want          string
	}{
		{"not begun", terms, "APPROVED", "2026-03-31", "APPROVED"}, {"first day", terms, "APPROVED", "2026-04-01", "ACTIVE"},
		{"day before deciding", terms, "APPROVED", "2026-12-01", "ACTIVE"}, {"time to decide", terms, "APPROVED", "2026-12-02", "EXPIRING"},
		{"last day", terms, "APPROVED", "2027-03-31", "EXPIRING"}, {"over", terms, "APPROVED", "2027-04-01", "EXPIRED"},
		{"tacit goes on", tacit, "APPROVED", "2027-04-01", "ACTIVE"}, {"tacit never expires", tacit, "APPROVED", "2040-01-01", "EXPIRING"},
		{"no dates", Terms{}, "APPROVED", "2026-04-01", "ACTIVE"}, {"no start, over", Terms{End: day("2020-01-01")}, "APPROVED", "2026-04-01", "EXPIRED"},
		{"other states stay", terms, "SUSPENDED", "2030-01-01", "SUSPENDED"}, {"draft", terms, "DRAFT", "2026-05-01", "DRAFT"},
	} {
		if got := c.terms.State(c.stored, civil.MustDate(c.today)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
