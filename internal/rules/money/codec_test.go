package money

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"
)

func TestCodecsAreLossless(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := amounts(t, "a")
		v, _ := a.Value()
		var fromDB, fromGQL, fromJS, fromPack Amount
		var gql strings.Builder
		a.MarshalGQL(&gql)
		js, _ := json.Marshal(a)
		pack, err := msgpack.Marshal(a)
		if err != nil || fromDB.Scan(v) != nil || fromGQL.UnmarshalGQL(strings.Trim(gql.String(), `"`)) != nil ||
			json.Unmarshal(js, &fromJS) != nil || msgpack.Unmarshal(pack, &fromPack) != nil {
			t.Fatalf("%s does not travel", a)
		}
		if fromDB != a || fromGQL != a || fromJS != a || fromPack != a || gql.String() != string(js) {
			t.Fatalf("%s came back as %s, %s, %s, %s", a, fromDB, fromGQL, fromJS, fromPack)
		}
		var any any // a cursor does not know the type it holds
		if msgpack.Unmarshal(pack, &any) != nil || any != int64(a) {
			t.Fatalf("a cursor of %s holds %T %v", a, any, any)
		}
		r, rate := Rate(a), Rate(0)
		js, _ = json.Marshal(r)
		if json.Unmarshal(js, &rate) != nil || rate != r {
			t.Fatalf("rate %s came back as %s", r, rate)
		}
	})
}

func TestUnmarshalGQL(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
	}{
		{"480000.00", "480000.00"}, {json.Number("12.5"), "12.50"}, {12, "12.00"}, {int32(-3), "-3.00"}, {int64(12), "12.00"},
		{int64(922337203685477), "922337203685477.00"}, {int64(922337203685478), "range"}, {int64(math.MinInt64), "range"},
		{12.5, "string"}, {nil, "string"}, {true, "string"}, {json.Number("1e3"), "format"}, {"12,500", "format"}, {"1.00001", "decimals"},
	} {
		var a Amount
		err := a.UnmarshalGQL(c.in)
		got := keyOf(err)
		if err == nil {
			got = a.String()
		}
		if got != c.want {
			t.Errorf("UnmarshalGQL(%T %v) = %s, want %s", c.in, c.in, got, c.want)
		}
	}
	var r Rate
	if err := r.UnmarshalGQL("1.05"); err != nil || r != RateOne/100*105 {
		t.Errorf("rate: %v %v", r, err)
	}
}

func TestScan(t *testing.T) {
	for _, in := range []any{int64(15000), []byte("15000"), "15000"} {
		var a Amount
		if err := a.Scan(in); err != nil || a.String() != "1.50" {
			t.Errorf("Scan(%T) = %v, %v", in, a, err)
		}
	}
	for _, in := range []any{nil, 1.5, "1.5", "99999999999999999999", int64(math.MinInt64), ""} {
		var a Amount
		if err := a.Scan(in); err == nil {
			t.Errorf("Scan(%T %v) was read as %v", in, in, a)
		}
	}
}

func TestUnmarshalJSON(t *testing.T) {
	a := One
	if err := json.Unmarshal([]byte("null"), &a); err != nil || a != One {
		t.Errorf("null changed an amount to %v, %v", a, err)
	}
	for _, in := range []string{`1.5`, `"1.5x"`, `{}`, `""`} {
		if err := json.Unmarshal([]byte(in), &a); err == nil {
			t.Errorf("%s was read as %v", in, a)
		}
	}
	if a != One {
		t.Errorf("a refused value changed the amount to %v", a)
	}
}
