package obs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/otel/trace"
)

// longest is how many bytes of one value a log line keeps: a hostile header must not fill a disk.
const longest = 2000

// NewLogger returns a logger that writes one JSON object a line to w, times in UTC. Text from
// outside cannot forge a line or steer a terminal: control and direction characters are written as
// visible escapes and long values are cut. Inside a request every line carries its request_id and,
// once somebody is known, person_id (an id, never a name); where traces are on, its trace_id too.
func NewLogger(w io.Writer, level slog.Leveler) *slog.Logger {
	h := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: tame})
	return slog.New(requestHandler{h})
}

// Level turns a --log-level word into slog's level; an unknown word is an error.
func Level(word string) (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(word)); err != nil {
		return l, fmt.Errorf("log level %q is none of debug, info, warn, error", word)
	}
	return l, nil
}

// requestHandler adds the request's id and person to each record.
type requestHandler struct{ slog.Handler }

func (h requestHandler) Handle(ctx context.Context, rec slog.Record) error {
	if r := RequestFrom(ctx); r != nil {
		rec = rec.Clone()
		rec.AddAttrs(slog.String("request_id", r.ID))
		if p := r.Person(); p != "" {
			rec.AddAttrs(slog.String("person_id", p))
		}
	}
	if at := trace.SpanContextFromContext(ctx); at.HasTraceID() {
		rec = rec.Clone()
		rec.AddAttrs(slog.String("trace_id", at.TraceID().String()))
	}
	return h.Handler.Handle(ctx, rec)
}

func (h requestHandler) WithAttrs(a []slog.Attr) slog.Handler {
	return requestHandler{h.Handler.WithAttrs(a)}
}

func (h requestHandler) WithGroup(name string) slog.Handler {
	return requestHandler{h.Handler.WithGroup(name)}
}

// tame makes one attribute safe to write. The JSON encoder escapes what JSON asks for (quotes,
// newlines, bytes below 0x20); what it lets through and a terminal or a reader obeys is done here.
func tame(_ []string, a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindTime:
		a.Value = slog.TimeValue(v.Time().UTC())
	case slog.KindString:
		a.Value = slog.StringValue(Clean(v.String()))
	case slog.KindDuration:
		a.Value = slog.StringValue(v.Duration().Round(time.Microsecond).String())
	case slog.KindAny:
		switch x := v.Any().(type) {
		case error:
			a.Value = slog.StringValue(Clean(x.Error()))
		case *slog.Source, Secret:
		default:
			a.Value = slog.StringValue(Clean(fmt.Sprintf("%+v", x)))
		}
	}
	return a
}

// Clean returns s fit for a log line: control characters (newline and escape among them), the
// invisible direction marks and broken UTF-8 as visible escapes such as \u202e, and no more than
// 2,000 bytes of it, cut between characters.
func Clean(s string) string {
	if len(s) > longest {
		n := longest
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n] + fmt.Sprintf("… (%d bytes)", len(s))
	}
	bad := func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError || r == '\u2028' || r == '\u2029'
	}
	if strings.IndexFunc(s, bad) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case bad(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
