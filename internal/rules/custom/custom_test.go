package custom

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/money"
)

var (
	text   = Field{Code: "note", Kind: Text, Label: "Note"}
	number = Field{Code: "size", Kind: Number}
	date   = Field{Code: "day", Kind: Date}
	yesNo  = Field{Code: "open", Kind: YesNo}
	choice = Field{Code: "class", Kind: Choice, Choices: []string{"Public", "Protected A"}}
	link   = Field{Code: "site", Kind: Link}
)

// key is the message of a refusal at the field's own path, "" for none.
func key(t *testing.T, f Field, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *errs.Error
	if !errors.As(err, &e) || e.Code != errs.Validation || len(e.Fields) != 1 || e.Fields[0].Path != "custom."+f.Code {
		t.Fatalf("%v is no refusal at the field", err)
	}
	return e.Fields[0].Key
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		f          Field
		text, lang string
		want       any
		key        string
	}{
		{text, "  Été <b>  ", "en", "Été <b>", ""},
		{text, " \t", "en", nil, ""},
		{text, strings.Repeat("é", MaxText), "en", strings.Repeat("é", MaxText), ""},
		{text, strings.Repeat("é", MaxText+1), "en", nil, "custom.long"},
		{text, "a\nb", "en", nil, "custom.unprintable"},
		{text, "a\x00b", "en", nil, "custom.unprintable"},
		{text, "a\u2028b", "en", nil, "custom.unprintable"},
		{text, "a\u202eb", "en", nil, "custom.unprintable"},
		{text, "a\xffb", "en", nil, "custom.unprintable"},
		{number, "12,500.25", "en", "12500.25", ""},
		{number, "12\u202f500,25", "fr", "12500.25", ""},
		{number, "1,5", "fr", "1.50", ""},
		{number, "12.500", "fr", nil, "custom.number"},
		{number, "-0.0001", "", "-0.0001", ""},
		{number, "922337203685477.5807", "", "922337203685477.5807", ""},
		{number, "1.00001", "en", nil, "custom.number"},
		{number, "12,500", "", nil, "custom.number"},
		{number, "1e3", "", nil, "custom.number"},
		{number, "99999999999999999999", "", nil, "custom.number"},
		{number, "many", "fr", nil, "custom.number"},
		{date, "2024-02-29", "en", "2024-02-29", ""},
		{date, "2023-02-29", "en", nil, "custom.date"},
		{date, "0000-01-01", "en", nil, "custom.date"},
		{date, "1/2/2026", "en", nil, "custom.date"},
		{yesNo, "Oui", "fr", true, ""},
		{yesNo, "no", "en", false, ""},
		{yesNo, "perhaps", "en", nil, "custom.yes_no"},
		{choice, "Protected A", "en", "Protected A", ""},
		{choice, "protected a", "en", nil, "custom.choice"},
		{choice, "' OR 1=1 --", "en", nil, "custom.choice"},
		{link, "https://example.org/a?b=c#d", "en", "https://example.org/a?b=c#d", ""},
		{link, "http://example.org", "en", "http://example.org", ""},
		{link, "mailto:ann@example.org", "en", "mailto:ann@example.org", ""},
		{link, "javascript:alert(1)", "en", nil, "custom.link"},
		{link, "JaVaScRiPt://example.org/%0aalert(1)", "en", nil, "custom.link"},
		{link, "data:text/html,x", "en", nil, "custom.link"},
		{link, "//example.org", "en", nil, "custom.link"},
		{link, "https:example.org", "en", nil, "custom.link"},
		{link, "https://", "en", nil, "custom.link"},
		{link, "https://bank.example@evil.example/", "en", nil, "custom.link"},
		{link, `https://bank.example\@evil.example/`, "en", nil, "custom.link"},
		{link, "https://exa mple.org", "en", nil, "custom.link"},
		{link, "https://exam\u200bple.org", "en", nil, "custom.link"},
		{link, "mailto:", "en", nil, "custom.link"},
		{link, "mailto:Ann <ann@example.org>", "en", nil, "custom.link"},
		{link, "mailto:a@example.org,b@example.org", "en", nil, "custom.link"},
		{link, "https://example.org/" + strings.Repeat("a", MaxLink), "en", nil, "custom.long"},
	} {
		got, err := c.f.Parse(c.text, c.lang)
		if k := key(t, c.f, err); got != c.want || k != c.key {
			t.Errorf("%s %.40q (%s): %v %q, want %v %q", c.f.Kind, c.text, c.lang, got, k, c.want, c.key)
		}
	}
}

func TestValue(t *testing.T) {
	for _, c := range []struct {
		f    Field
		v    any
		want any
		key  string
	}{
		{text, nil, nil, ""}, {text, "", nil, ""}, {text, "x", "x", ""}, {text, 1.0, nil, "custom.text"}, {text, true, nil, "custom.text"},
		{text, map[string]any{"a": 1}, nil, "custom.text"}, {text, []any{"a"}, nil, "custom.text"},
		{number, "12.5", "12.50", ""}, {number, json.Number("12.5"), "12.50", ""}, {number, json.Number("1e3"), nil, "custom.number"},
		{number, 0.1, "0.10", ""}, {number, 1e21, nil, "custom.number"}, {number, 12345678901.2345, "12345678901.2345", ""}, {number, 123456789012345.6, nil, "custom.number"}, {number, -0.0001, "-0.0001", ""}, {number, math.NaN(), nil, "custom.number"}, {number, math.Inf(1), nil, "custom.number"},
		{number, int64(math.MaxInt32), "2147483647.00", ""}, {number, 7, "7.00", ""}, {number, true, nil, "custom.number"}, {number, "1,5", nil, "custom.number"},
		{date, "2026-04-01", "2026-04-01", ""}, {date, 20260401, nil, "custom.date"},
		{yesNo, false, false, ""}, {yesNo, true, true, ""}, {yesNo, "", nil, ""}, {yesNo, "true", nil, "custom.yes_no"}, {yesNo, 1.0, nil, "custom.yes_no"},
		{choice, "Public", "Public", ""}, {choice, "Secret", nil, "custom.choice"}, {choice, 1.0, nil, "custom.choice"},
		{link, "javascript:alert(1)", nil, "custom.link"}, {link, false, nil, "custom.link"},
	} {
		got, err := c.f.Value(c.v)
		if k := key(t, c.f, err); got != c.want || k != c.key {
			t.Errorf("%s %#v: %v %q, want %v %q", c.f.Kind, c.v, got, k, c.want, c.key)
		}
		if again, err := c.f.Value(got); err != nil || again != got {
			t.Errorf("%s: %v is kept, and read as %v, %v", c.f.Kind, got, again, err)
		}
	}
}

func TestTyped(t *testing.T) {
	for _, c := range []struct {
		f    Field
		v    any
		want any
	}{
		{number, "12.50", money.Amount(125000)}, {number, "twelve", "twelve"}, {date, "2026-04-01", civil.MustDate("2026-04-01")},
		{date, "soon", "soon"}, {yesNo, true, true}, {yesNo, "x", "x"}, {choice, "Gone", "Gone"}, {text, 3.0, "3"}, {text, nil, nil},
	} {
		if got := c.f.Typed(c.v); got != c.want {
			t.Errorf("%s %v: %v", c.f.Kind, c.v, got)
		}
	}
}

func TestRefusalNamesTheField(t *testing.T) {
	_, err := text.Value(5.0)
	if got := errs.As(err).Fields[0].Args; got[0] != "field" || got[1] != "Note" {
		t.Errorf("%v", got)
	}
	_, err = number.Value("x")
	if got := errs.As(err).Fields[0].Args; got[1] != "size" {
		t.Errorf("%v", got)
	}
}

func TestCodes(t *testing.T) {
	for s, want := range map[string]bool{
		"a": true, "data_class": true, "x1": true, strings.Repeat("a", 40): true, strings.Repeat("a", 41): false,
		"": false, "Data": false, "1a": false, "_a": false, "a-b": false, "a.b": false, "a'b": false, `a"b`: false, "a b": false, "é": false, "a\n": false,
	} {
		if IsCode(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func TestChoices(t *testing.T) {
	for _, c := range []struct {
		kind Kind
		in   []string
		ok   bool
	}{
		{Choice, []string{" A ", "B"}, true}, {Choice, nil, false}, {Choice, []string{"A", "A"}, false}, {Choice, []string{"A", " "}, false},
		{Choice, []string{"A,B"}, false}, {Choice, []string{"A\n"}, true}, {Choice, []string{"A\nB"}, false}, {Choice, []string{strings.Repeat("a", 101)}, false},
		{Choice, make([]string, 101), false}, {Text, nil, true}, {Text, []string{"A"}, false},
	} {
		out, err := CheckChoices(c.kind, c.in)
		if (err == nil) != c.ok {
			t.Errorf("%s %.20q: %v", c.kind, c.in, err)
		}
		if c.ok && len(out) > 0 && out[0] != "A" {
			t.Errorf("%q is not trimmed", out)
		}
	}
}
