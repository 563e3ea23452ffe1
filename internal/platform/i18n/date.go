package i18n

import (
	"fmt"
	"time"

	"steward/internal/rules/civil"
)

// x/text has no date formats. These follow the Canadian habit: day before month,
// French ordinal only for the first, hours written "14 h 05" in French.
var (
	months = map[string][13]string{
		English: {"", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		French:  {"", "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	}
	monthsShort = map[string][13]string{
		English: {"", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		French:  {"", "janv.", "févr.", "mars", "avr.", "mai", "juin", "juill.", "août", "sept.", "oct.", "nov.", "déc."},
	}
	weekdays = map[string][7]string{
		English: {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		French:  {"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
	}
)

const nbsp = "\u00a0"

func dayOf(lang string, day int) string {
	if lang == French && day == 1 {
		return "1er"
	}
	return fmt.Sprint(day)
}

// Date returns "18 Dec 2026" or "18 déc. 2026"; empty for the zero date.
func Date(lang string, d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s %d", DateShort(lang, d), d.Year)
}

// DateShort returns the day without its year, "18 Dec" or "18 déc.", for days of
// the running year; empty for the zero date.
func DateShort(lang string, d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	lang = pick(lang)
	return dayOf(lang, d.Day) + nbsp + monthsShort[lang][d.Month]
}

// DateLong returns "Friday 18 December 2026" or "vendredi 18 décembre 2026"; empty
// for the zero date.
func DateLong(lang string, d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	lang = pick(lang)
	return fmt.Sprintf("%s %s %s %d", weekdays[lang][d.Time().Weekday()], dayOf(lang, d.Day), months[lang][d.Month], d.Year)
}

// Period returns "April 2026" or "avril 2026"; empty when p is malformed.
func Period(lang string, p civil.Period) string {
	d := p.First()
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s %d", months[pick(lang)][d.Month], d.Year)
}

// PeriodShort returns "Apr 2026" or "avr. 2026"; empty when p is malformed.
func PeriodShort(lang string, p civil.Period) string {
	d := p.First()
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s %d", monthsShort[pick(lang)][d.Month], d.Year)
}

// MonthShort returns the month alone, "Apr" or "avr.", for column heads under a
// year; empty when p is malformed.
func MonthShort(lang string, p civil.Period) string { return monthsShort[pick(lang)][p.First().Month] }

// Time returns the instant on the wall clock of zone, "18 Dec 2026, 14:05" or
// "18 déc. 2026 à 14 h 05". A nil zone is UTC; the zero time is empty.
func Time(lang string, t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	if zone == nil {
		zone = time.UTC
	}
	t, lang = t.In(zone), pick(lang)
	if lang == French {
		return fmt.Sprintf("%s à %d%sh%s%02d", Date(lang, civil.DateOf(t)), t.Hour(), nbsp, nbsp, t.Minute())
	}
	return fmt.Sprintf("%s, %02d:%02d", Date(lang, civil.DateOf(t)), t.Hour(), t.Minute())
}

// Ago returns how long before now the instant was: "just now", "5 min ago",
// "3 h ago", "2 days ago", and from 30 days on the date. Each is rounded down; an
// instant after now counts as just now.
func Ago(lang string, t, now time.Time) string {
	switch d := now.Sub(t); {
	case t.IsZero():
		return ""
	case d < time.Minute:
		return T(lang, "ui.ago.now")
	case d < time.Hour:
		return T(lang, "ui.ago.minutes", "n", int(d/time.Minute))
	case d < 24*time.Hour:
		return T(lang, "ui.ago.hours", "n", int(d/time.Hour))
	case d < 30*24*time.Hour:
		return T(lang, "ui.ago.days", "n", int(d/(24*time.Hour)))
	}
	return Date(lang, civil.DateOf(t))
}
