package app

import (
	"errors"
	"strings"

	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/errs"
)

// describe returns what went wrong for somebody at a terminal: the message of one of Steward's errors with its
// fields, and the cause of one that people on pages are not told.
func describe(err error) string {
	var e *errs.Error
	if !errors.As(store.Known(err), &e) {
		return err.Error()
	}
	text := i18n.Error(i18n.English, e)
	for _, f := range i18n.Fields(i18n.English, e) {
		text += "\n  " + f.Path + ": " + f.Text
	}
	if e.Code == errs.Internal || e.Code == errs.Unavailable {
		if cause := errors.Unwrap(e); cause != nil {
			text += " (" + strings.ReplaceAll(cause.Error(), "\n", " ") + ")"
		}
	}
	return text
}
