package money

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/vmihailenco/msgpack/v5"

	"steward/internal/rules/errs"
)

// How amounts and rates travel: as decimal strings in GraphQL and JSON, because a
// JSON number loses digits in JavaScript; as whole numbers in the database and in
// the cursors made from it.

// MarshalGQL writes the amount as a GraphQL string, "480000.00".
func (a Amount) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, `"`+a.String()+`"`) }

// UnmarshalGQL reads a decimal string, or a number written exactly (an integer or
// a json.Number). A floating-point value is refused: it may already be wrong.
func (a *Amount) UnmarshalGQL(v any) (err error) { *a, err = fromGQL[Amount](v, Scale); return err }

// MarshalJSON writes the amount as a JSON string.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(`"` + a.String() + `"`), nil }

// UnmarshalJSON reads a JSON string; null leaves the amount as it is.
func (a *Amount) UnmarshalJSON(b []byte) error { return fromJSON(a, b, Parse) }

// Value stores the amount as a whole number of ten-thousandths.
func (a Amount) Value() (driver.Value, error) { return int64(a), nil }

// Scan reads a whole number of ten-thousandths, as a number or (a sum made by
// PostgreSQL) as its digits; NULL is an error.
func (a *Amount) Scan(src any) (err error) { *a, err = fromSQL[Amount](src); return err }

// EncodeMsgpack writes the stored number, so that a cursor made from an amount
// compares with the column again.
func (a Amount) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeInt64(int64(a)) }

// DecodeMsgpack reads what EncodeMsgpack wrote.
func (a *Amount) DecodeMsgpack(d *msgpack.Decoder) error {
	n, err := d.DecodeInt64()
	*a = Amount(n)
	return err
}

// MarshalGQL writes the rate as a GraphQL string, "1.0525".
func (r Rate) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, `"`+r.String()+`"`) }

// UnmarshalGQL reads what Amount.UnmarshalGQL reads, with up to ten decimals.
func (r *Rate) UnmarshalGQL(v any) (err error) { *r, err = fromGQL[Rate](v, RateScale); return err }

// MarshalJSON writes the rate as a JSON string.
func (r Rate) MarshalJSON() ([]byte, error) { return []byte(`"` + r.String() + `"`), nil }

// UnmarshalJSON reads a JSON string; null leaves the rate as it is.
func (r *Rate) UnmarshalJSON(b []byte) error { return fromJSON(r, b, ParseRate) }

// Value stores the rate as a whole number of ten-billionths.
func (r Rate) Value() (driver.Value, error) { return int64(r), nil }

// Scan reads a whole number of ten-billionths, see Amount.Scan.
func (r *Rate) Scan(src any) (err error) { *r, err = fromSQL[Rate](src); return err }

// EncodeMsgpack writes the stored number, see Amount.EncodeMsgpack.
func (r Rate) EncodeMsgpack(e *msgpack.Encoder) error { return e.EncodeInt64(int64(r)) }

// DecodeMsgpack reads what EncodeMsgpack wrote.
func (r *Rate) DecodeMsgpack(d *msgpack.Decoder) error {
	n, err := d.DecodeInt64()
	*r = Rate(n)
	return err
}

func fromGQL[T ~int64](v any, scale int) (T, error) {
	var text string
	switch n := v.(type) {
	case string:
		text = n
	case json.Number:
		text = n.String()
	case int:
		return fromWhole[T](int64(n), scale)
	case int32:
		return fromWhole[T](int64(n), scale)
	case int64:
		return fromWhole[T](n, scale)
	default:
		return 0, errs.New(errs.Validation, "error.money.string")
	}
	i, err := parseDecimal(text, scale)
	return T(i), err
}

func fromWhole[T ~int64](n int64, scale int) (T, error) {
	one := int64(math.Pow10(scale)) // exact up to 10^22
	if n > math.MaxInt64/one || n < -(math.MaxInt64/one) {
		return 0, outOfRange()
	}
	return T(n * one), nil
}

func fromJSON[T any](to *T, b []byte, parse func(string) (T, error)) error {
	if string(b) == "null" {
		return nil
	}
	var s string
	if json.Unmarshal(b, &s) != nil {
		return errs.New(errs.Validation, "error.money.string")
	}
	v, err := parse(s)
	if err == nil {
		*to = v
	}
	return err
}

func fromSQL[T ~int64](src any) (T, error) {
	var n int64
	var err error
	switch v := src.(type) {
	case int64:
		n = v
	case []byte: // PostgreSQL answers sum(bigint) as numeric text
		n, err = strconv.ParseInt(string(v), 10, 64)
	case string:
		n, err = strconv.ParseInt(v, 10, 64)
	default:
		err = fmt.Errorf("money: cannot read an amount from %T", src)
	}
	if err == nil && n == math.MinInt64 {
		err = outOfRange()
	}
	if err != nil {
		return 0, err
	}
	return T(n), nil
}
