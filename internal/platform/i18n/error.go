package i18n

import (
	"context"
	"errors"
	"time"

	"steward/internal/rules/errs"
)

// FieldError is what is wrong with one input, in the reader's language.
type FieldError struct{ Path, Text string }

// Error returns what to tell the reader about err. An error that is not an
// *errs.Error says only that something went wrong: its text may hold internals.
func Error(lang string, err error) string { return errorText(lang, nil, err) }

// ErrorC is Error in the language and time zone of ctx.
func ErrorC(ctx context.Context, err error) string { return errorText(From(ctx), Zone(ctx), err) }

func errorText(lang string, zone *time.Location, err error) string {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return T(lang, "error.internal")
	}
	return text(lang, zone, e.Key, e.Args)
}

// Fields returns what is wrong with each input of a refused form, in the order
// the rules found it; nil when err is about no field.
func Fields(lang string, err error) []FieldError {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok {
		return nil
	}
	var out []FieldError
	for _, f := range e.Fields {
		out = append(out, FieldError{f.Path, T(lang, f.Key, f.Args...)})
	}
	return out
}

// FieldTexts is Fields by path, for filling the Err of form fields; the first
// message of a path wins.
func FieldTexts(lang string, err error) map[string]string {
	out := map[string]string{}
	for _, f := range Fields(lang, err) {
		if _, ok := out[f.Path]; !ok {
			out[f.Path] = f.Text
		}
	}
	return out
}
