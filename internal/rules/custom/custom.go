// Package custom holds the rules of the fields that an organisation adds to a kind
// of record: what a value of each kind is, how it is read from what people type and
// from JSON, and the one form it is kept in. Values are hostile until Value or Parse
// has passed them.
//
// internal/area/custom applies the rules to every write; pages, exports and imports
// read and write values through it.
package custom

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/money"
)

// Prefix stands before a field's code wherever codes and columns share one room:
// forms, addresses, exports, the audit.
const Prefix = "custom."

// Kind is what the values of a field are.
type Kind string

// The kinds, and how their values are kept in JSON.
const (
	Text   Kind = "TEXT"   // one line, a string
	Number Kind = "NUMBER" // an exact decimal, a string as money.Amount writes it
	Date   Kind = "DATE"   // a day, a string like 2026-04-01
	YesNo  Kind = "YES_NO" // a boolean
	Choice Kind = "CHOICE" // one of the choices, a string
	Link   Kind = "LINK"   // an https, http or mailto address, a string
)

// The bounds of definitions and values, in characters.
const (
	MaxText    = 500
	MaxLink    = 2000
	MaxChoice  = 100
	MaxChoices = 100
)

// floatDigits is how many digits any float64 holds exactly.
const floatDigits = 15

// Field is a definition as far as the rules need it.
type Field struct {
	Code     string
	Kind     Kind
	Choices  []string
	Required bool
	// Label is what messages call the field; without one it is the code.
	Label string
}

// Path is where the field's value stands in a form, an export or the audit.
func (f Field) Path() string { return Prefix + f.Code }

func (f Field) label() string {
	if f.Label != "" {
		return f.Label
	}
	return f.Code
}

// Refuse makes a Validation error at the field that names it.
func (f Field) Refuse(key string, args ...any) *errs.Error {
	return errs.Invalid(f.Path(), key, append([]any{"field", f.label()}, args...)...)
}

// code is an identifier that needs no quoting anywhere: JSON paths, headers, GraphQL.
var code = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// IsCode reports whether s may be the code of a field.
func IsCode(s string) bool { return code.MatchString(s) }

// CheckChoices returns the choices of a field of the kind, trimmed, or why they are
// none: a choice has at least one, each different and short; the other kinds have none.
func CheckChoices(kind Kind, choices []string) ([]string, error) {
	if kind != Choice {
		if len(choices) > 0 {
			return nil, errs.Invalid("choices", "custom.choices_only")
		}
		return nil, nil
	}
	if len(choices) == 0 {
		return nil, errs.Invalid("choices", "custom.choices_needed")
	}
	if len(choices) > MaxChoices {
		return nil, errs.Invalid("choices", "custom.choices_many", "max", MaxChoices)
	}
	var out []string
	for _, c := range choices {
		c = strings.TrimSpace(c)
		if c == "" || unprintable(c) || strings.ContainsAny(c, ",;") || utf8.RuneCountInString(c) > MaxChoice || slices.Contains(out, c) {
			return nil, errs.Invalid("choices", "custom.choice_bad", "value", clip(c), "max", MaxChoice)
		}
		out = append(out, c)
	}
	return out, nil
}

// Value checks a value as JSON has it and returns it in the form it is kept in; nil is
// no value. The error is Validation at the field's path.
func (f Field) Value(v any) (any, error) {
	if s, ok := v.(string); ok && f.Kind != YesNo {
		return f.Parse(s, "")
	}
	switch x := v.(type) {
	case nil:
		return nil, nil
	case bool:
		if f.Kind == YesNo {
			return x, nil
		}
	case string: // of a yes or no: only the JSON values are meant
		if strings.TrimSpace(x) == "" {
			return nil, nil
		}
	case json.Number:
		if f.Kind == Number {
			return f.Parse(x.String(), "")
		}
	case float64:
		// what has more digits than a float holds exactly was rounded on its way: it is
		// sent as text
		if s := strconv.FormatFloat(x, 'f', -1, 64); f.Kind == Number && len(strings.TrimLeft(s, "-0.")) <= floatDigits+1 {
			return f.Parse(s, "")
		}
	case int, int64, int32:
		if f.Kind == Number {
			return f.Parse(fmt.Sprint(x), "")
		}
	}
	return nil, f.wrong(fmt.Sprint(v))
}

// Parse reads what a person typed in a language, or with lang "" the exact form of
// exports and the API, and returns the value as it is kept; empty text is nil.
func (f Field) Parse(text, lang string) (any, error) {
	s := strings.TrimSpace(text)
	if s == "" {
		return nil, nil
	}
	if unprintable(s) {
		return nil, f.Refuse("custom.unprintable")
	}
	switch f.Kind {
	case Text:
		if utf8.RuneCountInString(s) > MaxText {
			return nil, f.Refuse("custom.long", "max", MaxText)
		}
		return s, nil
	case Number:
		read := money.Parse
		if lang != "" {
			read = func(s string) (money.Amount, error) { return money.ParseInput(s, lang) }
		}
		a, err := read(s)
		if err != nil {
			return nil, f.wrong(s)
		}
		return a.String(), nil
	case Date:
		d, err := civil.ParseDate(s)
		if err != nil || d.Year < 1 {
			return nil, f.wrong(s)
		}
		return d.String(), nil
	case YesNo:
		switch strings.ToLower(s) {
		case "true", "1", "on", "yes", "oui", "vrai":
			return true, nil
		case "false", "0", "off", "no", "non", "faux":
			return false, nil
		}
	case Choice:
		if slices.Contains(f.Choices, s) {
			return s, nil
		}
	case Link:
		if len(s) > MaxLink {
			return nil, f.Refuse("custom.long", "max", MaxLink)
		}
		if SafeLink(s) {
			return s, nil
		}
	}
	return nil, f.wrong(s)
}

// wrong says what the field takes.
func (f Field) wrong(value string) *errs.Error {
	value = clip(value)
	switch f.Kind {
	case Number:
		return f.Refuse("custom.number", "value", value)
	case Date:
		return f.Refuse("custom.date", "value", value)
	case YesNo:
		return f.Refuse("custom.yes_no", "value", value)
	case Choice:
		return f.Refuse("custom.choice", "value", value, "options", clip(strings.Join(f.Choices, ", ")))
	case Link:
		return f.Refuse("custom.link", "value", value)
	}
	return f.Refuse("custom.text")
}

// SafeLink reports whether an address may be the target of a link: https or http with
// a host and nobody's name before it, or mailto with one address.
func SafeLink(address string) bool {
	if strings.ContainsFunc(address, func(r rune) bool { return unicode.IsSpace(r) || unicode.In(r, unicode.Cf) || r == '\\' }) || unprintable(address) {
		return false
	}
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	switch u.Scheme {
	case "https", "http":
		return u.Hostname() != "" && u.User == nil && u.Opaque == ""
	case "mailto":
		to, err := url.PathUnescape(u.Opaque)
		a, wrong := mail.ParseAddress(to)
		return err == nil && wrong == nil && a.Address == to
	}
	return false
}

// Typed turns a kept value into what it stands for: a money.Amount, a civil.Date, a
// bool or a string. What no longer fits the kind is shown as the text it is.
func (f Field) Typed(v any) any {
	s, text := v.(string)
	switch {
	case v == nil:
		return nil
	case f.Kind == Number && text:
		if a, err := money.Parse(s); err == nil {
			return a
		}
	case f.Kind == Date && text:
		if d, err := civil.ParseDate(s); err == nil {
			return d
		}
	case f.Kind == YesNo && !text:
		if b, ok := v.(bool); ok {
			return b
		}
	}
	return Plain(v)
}

// Plain writes a kept value in the plain form that Parse with lang "" reads back;
// nothing is "".
func Plain(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	}
	return fmt.Sprint(v)
}

// unprintable reports whether a text holds what no field takes: broken encoding,
// control characters, other line ends, and marks that turn the direction of reading
// and so can show something else than is stored.
func unprintable(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	})
}

func clip(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return s
}
