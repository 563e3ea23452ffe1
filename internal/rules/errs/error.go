// Package errs holds the one error type of Steward: a code for machines, the id
// of a sentence for people, and the cause for the log. Rules and areas make
// these errors; one place in each door (web, graph, command line) shows them.
//
// Anybody may import it; it imports nothing of Steward.
package errs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Code is what went wrong in one word a program can act on. The values are the
// ones GraphQL promises in extensions.code.
type Code string

// The codes. Two carry the prefix because the plain names are the errors
// themselves: NotFound() and Forbidden().
const (
	Unauthenticated Code = "UNAUTHENTICATED" // nobody is signed in
	CodeForbidden   Code = "FORBIDDEN"       // signed in, the row is visible, the right is missing
	CodeNotFound    Code = "NOT_FOUND"       // no such thing, or not one the caller may see
	Validation      Code = "VALIDATION"      // a value is wrong; Fields says which
	Conflict        Code = "CONFLICT"        // somebody changed it since; Current says to what
	State           Code = "STATE"           // the move is not in the table
	Limit           Code = "LIMIT"           // too much at once or too often
	Idempotency     Code = "IDEMPOTENCY"     // the key was used for something else
	Unavailable     Code = "UNAVAILABLE"     // try again later
	Internal        Code = "INTERNAL"        // a fault of ours; the log has the cause
)

// Field is one wrong value: where it stands in the input ("cells.3.amount") and
// the message about it.
type Field struct {
	Path string
	Key  string
	Args []any
}

// Error is an error people and programs can act on. Key is an i18n message id;
// Args are alternating name and value pairs for its template. Current holds what
// is stored now when the code is Conflict. Values are never changed once made:
// With, WithCurrent and Wrap return copies.
type Error struct {
	Code    Code
	Key     string
	Args    []any
	Fields  []Field
	Current any

	cause error
}

// New makes an error of the code with the message key and its name, value pairs.
func New(code Code, key string, args ...any) *Error {
	return &Error{Code: code, Key: key, Args: args}
}

// Invalid makes a Validation error about the one value at path.
func Invalid(path, key string, args ...any) *Error {
	return New(Validation, "error.validation").With(Field{Path: path, Key: key, Args: args})
}

// With returns a copy that also names the field f.
func (e *Error) With(f Field) *Error {
	c := *e
	c.Fields = append(slices.Clip(e.Fields), f)
	return &c
}

// WithCurrent returns a copy that carries what is stored now.
func (e *Error) WithCurrent(current any) *Error { c := *e; c.Current = current; return &c }

// Wrap returns a copy caused by err, which is for the log and errors.Is only and
// is never shown to people.
func (e *Error) Wrap(err error) *Error { c := *e; c.cause = err; return &c }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is an *Error of the same code and key, so that
// errors.Is(err, errs.NotFound()) holds for wrapped copies too.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Key == e.Key
}

// Error returns code, key, arguments, fields and cause in one line for the log.
// People are shown the message of Key instead.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code) + " " + e.Key)
	pairs(&b, e.Args)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s: %s", f.Path, f.Key)
		pairs(&b, f.Args)
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	return b.String()
}

func pairs(b *strings.Builder, args []any) {
	for i := 0; i+1 < len(args); i += 2 {
		fmt.Fprintf(b, " %v=%q", args[i], fmt.Sprint(args[i+1]))
	}
}

// CodeOf returns the code of the first *Error in err's chain, Internal for any
// other error and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// As returns the first *Error in err's chain; any other error comes back wrapped
// as Internal, so a door always has a message to show. It returns nil for nil.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return New(Internal, "error.internal").Wrap(err)
}

var (
	notFound  = New(CodeNotFound, "error.not_found")
	forbidden = New(CodeForbidden, "error.forbidden")
)

// NotFound returns the one and only not-found error. It has no arguments on
// purpose: what does not exist and what the caller may not see must look the
// same, whatever its type.
func NotFound() *Error { return notFound }

// Forbidden returns the error for a visible row and a missing right.
func Forbidden() *Error { return forbidden }

// Stale returns the Conflict for a row that who changed at when; current is what
// is stored now and is handed to the caller. Its Args are "who" and "when" (a
// time.Time, for the door to write in the reader's zone).
func Stale(who string, when time.Time, current any) *Error {
	return New(Conflict, "error.stale", "who", who, "when", when).WithCurrent(current)
}
