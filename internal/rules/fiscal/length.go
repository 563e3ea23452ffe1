package fiscal

import (
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Length is how long the spans of a plan are.
type Length string

// The lengths.
const (
	Month   Length = "MONTH"
	Quarter Length = "QUARTER"
	Year    Length = "YEAR"
)

// Months returns how many months a span has; 0 for an unknown length.
func (l Length) Months() int { return map[Length]int{Month: 1, Quarter: 3, Year: 12}[l] }

// Values returns the lengths for the database schema.
func (Length) Values() []string { return []string{string(Month), string(Quarter), string(Year)} }

// String returns the length as it is stored.
func (l Length) String() string { return string(l) }

// MarshalGQL writes the length as a GraphQL enum value.
func (l Length) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(l))) }

// UnmarshalGQL reads MONTH, QUARTER or YEAR; anything else is an error.
func (l *Length) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok || !slices.Contains(l.Values(), s) {
		return fmt.Errorf("%v is not a period length", v)
	}
	*l = Length(s)
	return nil
}
