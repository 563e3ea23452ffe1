package calendar

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// octets is the longest line of RFC 5545 without its end.
const octets = 75

// File writes dates as an iCalendar file (RFC 5545).
func File(name string, dates []Date) []byte {
	var b strings.Builder
	line := func(property, value string) { fold(&b, property+":"+value) }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//Steward//Calendar//EN")
	line("CALSCALE", "GREGORIAN")
	line("METHOD", "PUBLISH")
	line("NAME", escape(name))
	line("X-WR-CALNAME", escape(name))
	line("REFRESH-INTERVAL;VALUE=DURATION", "PT6H")
	for _, d := range dates {
		line("BEGIN", "VEVENT")
		line("UID", d.UID)
		line("DTSTAMP", d.Changed.UTC().Format("20060102T150405Z"))
		line("DTSTART;VALUE=DATE", d.On.Time().Format("20060102"))
		line("DTEND;VALUE=DATE", d.On.Time().Add(24*time.Hour).Format("20060102"))
		line("SUMMARY", escape(d.Title))
		line("TRANSP", "TRANSPARENT")
		line("END", "VEVENT")
	}
	line("END", "VCALENDAR")
	return []byte(b.String())
}

// escape makes a text a value of type TEXT. Line ends and other control characters become spaces, so that
// no text can begin a line of its own (TK-5).
func escape(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`).Replace(text)
}

// fold writes a line in pieces of at most 75 octets, cut between characters.
func fold(b *strings.Builder, line string) {
	for room := octets; len(line) > room; room = octets - 1 { // the space counts
		n := room
		for !utf8.RuneStart(line[n]) {
			n--
		}
		b.WriteString(line[:n] + "\r\n ")
		line = line[n:]
	}
	b.WriteString(line + "\r\n")
}
