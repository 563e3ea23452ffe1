package entity

import (
	"encoding/json"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bojanz/currency"

	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// Parse turns what a person typed or a file holds into the value a mutation
// takes. lang decides how amounts are read ("" reads the plain form of exports).
// Empty text is nil: the caller clears the field or leaves it to its default. A
// value that cannot be stored is a Validation error at the field's name.
func (f *Field) Parse(text, lang string) (any, error) {
	s := strings.TrimSpace(text)
	if f.Kind == "text" {
		s = strings.ReplaceAll(strings.TrimRight(text, " \r\n\t"), "\r\n", "\n")
	}
	if s == "" {
		return nil, nil
	}
	wrong := func(key string, args ...any) error {
		return errs.Invalid(f.Name, key, append([]any{"value", clip(s)}, args...)...)
	}
	if strings.ContainsRune(s, 0) {
		return nil, wrong("error.control_character")
	}
	if f.Size > 0 && len(s) > f.Size {
		return nil, wrong("error.too_long", "max", f.Size)
	}
	switch f.Kind {
	case "enum":
		v, err := f.Enum(strings.ToUpper(strings.ReplaceAll(s, " ", "_")))
		if err != nil {
			if v, err = f.Enum(s); err != nil {
				return nil, wrong("error.not_in_list", "options", strings.Join(f.Options, ", "))
			}
		}
		return v, nil
	case "bool":
		switch strings.ToLower(s) {
		case "true", "1", "on", "yes", "oui", "vrai":
			return true, nil
		case "false", "0", "off", "no", "non", "faux":
			return false, nil
		}
		return nil, wrong("error.not_yes_no")
	case "int", "bp":
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, wrong("error.not_whole")
		}
		return n, nil
	case "money", "decimal":
		read := money.Parse
		if lang != "" {
			read = func(s string) (money.Amount, error) { return money.ParseInput(s, lang) }
		}
		a, err := read(s)
		if err != nil {
			return nil, wrong("error.not_amount")
		}
		return a, nil
	case "date":
		d, err := civil.ParseDate(s)
		if err != nil {
			return nil, wrong("error.not_date")
		}
		return d, nil
	case "period":
		p, err := civil.ParsePeriod(s)
		if err != nil {
			return nil, wrong("error.not_period")
		}
		return p, nil
	case "time":
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return nil, wrong("error.not_time")
		}
		return t.UTC().Truncate(time.Microsecond), nil
	case "ref", "id":
		if OfID(ident.ID(s)) == nil || f.Ref != "" && OfID(ident.ID(s)).Name != f.Ref {
			return nil, wrong("error.not_record")
		}
		return ident.ID(s), nil
	case "url":
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return nil, wrong("error.not_https")
		}
		return u.String(), nil
	case "email":
		a, err := mail.ParseAddress(s)
		if err != nil || a.Address != s {
			return nil, wrong("error.not_email")
		}
		return s, nil
	case "currency":
		if s = strings.ToUpper(s); !currency.IsValid(s) {
			return nil, wrong("error.not_currency")
		}
		return s, nil
	case "zone":
		if _, err := time.LoadLocation(s); err != nil || s == "Local" {
			return nil, wrong("error.not_zone")
		}
		return s, nil
	case "strings":
		var out []string
		for _, x := range strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == ',' || r == ';' }) {
			if x = strings.TrimSpace(x); x != "" {
				out = append(out, x)
			}
		}
		return out, nil
	case "line":
		if strings.ContainsAny(s, "\n\r") {
			return nil, wrong("error.one_line")
		}
		return s, nil
	}
	return s, nil
}

func clip(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return s
}

// FromJSON turns a value as the audit keeps it back into the one a mutation takes.
func (f *Field) FromJSON(v any) (any, error) {
	switch x := v.(type) {
	case nil:
		return f.zero(), nil
	case string:
		if f.Kind == "line" || f.Kind == "text" || f.Kind == "hidden" || f.Kind == "url" || f.Kind == "email" {
			return x, nil
		}
		return f.Parse(x, "")
	case float64:
		return int(x), nil
	case bool:
		return x, nil
	case []any:
		out := make([]string, len(x))
		for i := range x {
			out[i] = fmt.Sprint(x[i])
		}
		return out, nil
	}
	return v, nil
}

// zero is what a field that cannot be empty holds when there is nothing.
func (f *Field) zero() any {
	switch f.Kind {
	case "bool":
		return false
	case "int", "bp":
		return 0
	case "money", "decimal":
		return money.Amount(0)
	}
	return ""
}

// Text writes a value in the plain, language-independent form of exports, which
// Parse with lang "" reads back; absent values are empty.
func Text(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case time.Time:
		return x.UTC().Format(time.RFC3339)
	case []string:
		return strings.Join(x, "; ")
	case map[string]any, map[string]string:
		if b, err := json.Marshal(x); err == nil && string(b) != "null" {
			return string(b)
		}
		return ""
	}
	return fmt.Sprint(v)
}
