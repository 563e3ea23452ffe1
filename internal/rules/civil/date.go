// Package civil holds calendar values without a clock: a day and a month. They
// have no time zone; whoever turns an instant into one names the zone.
//
// Anybody may import it; it imports nothing of Steward.
package civil

import (
	"database/sql/driver"
	"fmt"
	"io"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// Date is a calendar day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day on which instant t falls in t's own zone.
func DateOf(t time.Time) Date { y, m, d := t.Date(); return Date{y, m, d} }

// ParseDate reads YYYY-MM-DD. A day that does not exist is an error.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date; write it as 2026-04-01", s)
	}
	return DateOf(t), nil
}

// MustDate is ParseDate for constants; it panics on a bad one.
func MustDate(s string) Date {
	d, err := ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Time returns midnight UTC of the day.
func (d Date) Time() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }

// IsZero reports whether d is the zero Date, which is no day at all.
func (d Date) IsZero() bool { return d == Date{} }

// String returns YYYY-MM-DD.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

// Compare returns -1, 0 or +1 as d is before, equal to or after e.
func (d Date) Compare(e Date) int { return d.Time().Compare(e.Time()) }

// Before reports whether d is earlier than e.
func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }

// After reports whether d is later than e.
func (d Date) After(e Date) bool { return d.Compare(e) > 0 }

// AddDays returns the day n days later (earlier when n is negative).
func (d Date) AddDays(n int) Date { return DateOf(d.Time().AddDate(0, 0, n)) }

// DaysUntil returns the number of days from d to e; negative when e is earlier.
func (d Date) DaysUntil(e Date) int { return int(e.Time().Sub(d.Time()).Hours() / 24) }

// AddMonths returns the same day n months later. Where that month is shorter the
// result is its last day: 31 January plus one month is 28 or 29 February.
func (d Date) AddMonths(n int) Date {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return Date{first.Year(), first.Month(), min(d.Day, last)}
}

// Period returns the month the day lies in.
func (d Date) Period() Period { return PeriodOf(d.Year, d.Month) }

// MarshalGQL writes the day as a GraphQL string.
func (d Date) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, `"`+d.String()+`"`) }

// UnmarshalGQL reads a day given as the string YYYY-MM-DD.
func (d *Date) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("a Date is a string like \"2026-04-01\"")
	}
	n, err := ParseDate(s)
	*d = n
	return err
}

// MarshalJSON writes the day as a JSON string.
func (d Date) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// UnmarshalJSON reads a JSON string YYYY-MM-DD.
func (d *Date) UnmarshalJSON(b []byte) error {
	if len(b) < 2 {
		return fmt.Errorf("civil: %q is not a date", b)
	}
	n, err := ParseDate(string(b[1 : len(b)-1]))
	*d = n
	return err
}

// Value stores the day in a date column.
func (d Date) Value() (driver.Value, error) { return d.String(), nil }

// Scan reads a date column of either database; NULL is an error.
func (d *Date) Scan(v any) (err error) {
	switch t := v.(type) {
	case time.Time:
		*d = DateOf(t)
	case string:
		*d, err = ParseDate(t[:min(len(t), 10)])
	case []byte:
		return d.Scan(string(t))
	default:
		err = fmt.Errorf("civil: cannot read a date from %T", v)
	}
	return err
}

// EncodeMsgpack keeps a date inside a GraphQL cursor readable by the database again.
func (d Date) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeString(d.String()) }
