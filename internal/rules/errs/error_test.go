package errs

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
)

func TestCodes(t *testing.T) {
	want := map[Code]string{
		Unauthenticated: "UNAUTHENTICATED", CodeForbidden: "FORBIDDEN", CodeNotFound: "NOT_FOUND",
		Validation: "VALIDATION", Conflict: "CONFLICT", State: "STATE", Limit: "LIMIT",
		Idempotency: "IDEMPOTENCY", Unavailable: "UNAVAILABLE", Internal: "INTERNAL",
	}
	if len(want) != 10 {
		t.Fatalf("two codes share a name: %v", want)
	}
	for c, s := range want {
		if string(c) != s {
			t.Errorf("code %q, promised %q", c, s)
		}
	}
}

func TestCodeOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Code
	}{
		{nil, ""},
		{io.EOF, Internal},
		{NotFound(), CodeNotFound},
		{Forbidden(), CodeForbidden},
		{fmt.Errorf("load product: %w", NotFound()), CodeNotFound},
		{errors.Join(io.EOF, New(Limit, "error.limit")), Limit},
		{New(State, "error.state").Wrap(NotFound()), State},
	} {
		if got := CodeOf(c.err); got != c.want {
			t.Errorf("CodeOf(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestCopiesLeaveTheOriginalAlone(t *testing.T) {
	a := Invalid("name", "error.required").With(Field{Path: "owner"}).With(Field{Path: "team"}) // room for a fourth
	b := a.With(Field{Path: "start", Key: "error.required"})
	c := a.With(Field{Path: "end", Key: "error.required"})
	if len(a.Fields) != 3 || b.Fields[3].Path != "start" || c.Fields[3].Path != "end" {
		t.Errorf("fields leaked between copies: %v %v %v", a, b, c)
	}
	_ = NotFound().Wrap(io.EOF).WithCurrent(1)
	if NotFound().Unwrap() != nil || NotFound().Current != nil {
		t.Error("a copy of NotFound changed the one and only")
	}
}

func TestWrapAndIs(t *testing.T) {
	err := fmt.Errorf("outer: %w", NotFound().Wrap(io.EOF))
	if !errors.Is(err, NotFound()) || !errors.Is(err, io.EOF) {
		t.Errorf("%v lost its identity or its cause", err)
	}
	if errors.Is(New(State, "error.a"), New(State, "error.b")) || errors.Is(err, Forbidden()) || errors.Is(Invalid("a", "x"), NotFound()) {
		t.Error("different errors look the same")
	}
}

func TestErrorLine(t *testing.T) {
	err := New(State, "error.state", "from", "DRAFT", "to", "CLOSED").
		With(Field{"cells.3.amount", "error.money.format", []any{"value", "abc"}}).Wrap(io.EOF)
	want := `STATE error.state from="DRAFT" to="CLOSED"; cells.3.amount: error.money.format value="abc": EOF`
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
}

func TestStale(t *testing.T) {
	at := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	e := Stale("Pia", at, 42)
	if e.Code != Conflict || e.Current != 42 || e.Args[1] != "Pia" || e.Args[3] != at {
		t.Errorf("stale lost who, when or current: %v", e)
	}
}

func TestAs(t *testing.T) {
	if As(nil) != nil {
		t.Error("no error became one")
	}
	if e := As(io.EOF); e.Code != Internal || !errors.Is(e, io.EOF) {
		t.Errorf("an unknown error became %v", e)
	}
	if e := As(fmt.Errorf("x: %w", NotFound())); e != NotFound() {
		t.Errorf("a known error became %v", e)
	}
}
