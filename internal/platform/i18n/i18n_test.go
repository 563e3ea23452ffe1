package i18n

import (
	"context"
	"errors"
	"testing"
	"time"

	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/money"
)

func TestT(t *testing.T) {
	for _, c := range []struct{ lang, key, want string }{
		{"en", "ui.save", "Save"}, {"fr", "ui.save", "Enregistrer"}, {"fr-CA", "ui.save", "Enregistrer"},
		{"de", "ui.save", "Save"}, {"", "ui.save", "Save"},
	} {
		if got := T(c.lang, c.key); got != c.want {
			t.Errorf("T(%q, %q) = %q, want %q", c.lang, c.key, got, c.want)
		}
	}
}

// French treats zero as singular, English does not; the count is grouped.
func TestPlural(t *testing.T) {
	for _, c := range []struct {
		lang string
		n    int
		want string
	}{
		{"en", 0, "Not saved: 0 entries need a change"}, {"en", 1, "Not saved: 1 entry needs a change"}, {"en", 1200, "Not saved: 1,200 entries need a change"},
		{"fr", 0, "Non enregistré : 0 champ à corriger"}, {"fr", 1, "Non enregistré : 1 champ à corriger"}, {"fr", 1200, "Non enregistré : 1\u00a0200 champs à corriger"},
	} {
		if got := T(c.lang, "ui.form.problems", "n", c.n); got != c.want {
			t.Errorf("%s %d: %q, want %q", c.lang, c.n, got, c.want)
		}
	}
}

func TestMissingKeyPanicsInTests(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a key without a message is not noticed")
		}
	}()
	T("en", "no.such.key")
}

func TestMatch(t *testing.T) {
	for _, c := range []struct{ accept, cookie, user, want string }{
		{"", "", "", "en"},
		{"fr-CA,fr;q=0.9,en;q=0.8", "", "", "fr"},
		{"fr", "", "", "fr"},
		{"fr-FR", "", "", "fr"},
		{"en-GB,fr;q=0.5", "", "", "en"},
		{"de", "", "", "en"},
		{"de,fr;q=0.2", "", "", "fr"},
		{"en", "fr", "", "fr"},
		{"fr", "en", "", "en"},
		{"en", "en", "fr", "fr"},
		{"fr", "xx", "../", "fr"},
		{"\x00;;q=,", "", "", "en"},
	} {
		if got := Match(c.accept, c.cookie, c.user); got != c.want {
			t.Errorf("Match(%q, %q, %q) = %q, want %q", c.accept, c.cookie, c.user, got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	first, friday := civil.MustDate("2027-01-01"), civil.MustDate("2026-12-18")
	zone, err := time.LoadLocation("America/Vancouver")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 12, 19, 1, 5, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{Date("en", friday), "18\u00a0Dec 2026"}, {Date("fr", friday), "18\u00a0déc. 2026"}, {Date("fr", first), "1er\u00a0janv. 2027"},
		{Date("en", civil.Date{}), ""}, {DateShort("en", first), "1\u00a0Jan"},
		{DateLong("en", friday), "Friday 18 December 2026"}, {DateLong("fr", first), "vendredi 1er janvier 2027"},
		{Period("en", "2026-04"), "April 2026"}, {Period("fr", "2026-04"), "avril 2026"}, {Period("en", "nonsense"), ""},
		{PeriodShort("fr", "2026-07"), "juill. 2026"}, {MonthShort("en", "2026-04"), "Apr"}, {MonthShort("en", ""), ""},
		{Time("en", at, nil), "19\u00a0Dec 2026, 01:05"}, {Time("en", at, zone), "18\u00a0Dec 2026, 17:05"}, {Time("fr", at, zone), "18\u00a0déc. 2026 à 17\u00a0h\u00a005"},
		{Time("en", time.Time{}, zone), ""},
		{Ago("en", at, at.Add(59*time.Second)), "just now"}, {Ago("en", at, at.Add(-time.Hour)), "just now"},
		{Ago("en", at, at.Add(time.Hour-1)), "59 min ago"}, {Ago("fr", at, at.Add(47*time.Hour)), "hier"},
		{Ago("en", at, at.Add(29*24*time.Hour)), "29 days ago"}, {Ago("en", at, at.Add(30*24*time.Hour)), "19\u00a0Dec 2026"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Number("en", 1284500.5, 1), "1,284,500.5"}, {Number("fr", 1284500.5, 1), "1\u00a0284\u00a0500,5"},
		{Number("en", 0.125, 2), "0.12"}, {Number("en", -3, 0), "-3"}, {Number("en", zero()/zero(), 0), "–"},
		{Int("fr", 1240), "1\u00a0240"}, {Percent("en", 0.99984, 3), "99.984\u202f%"}, {Percent("fr", 0.568, 1), "56,8\u202f%"},
		{Bytes("en", 999), "999\u00a0B"}, {Bytes("fr", 12_340), "12\u00a0ko"}, {Bytes("en", 2_500_000), "2.5\u00a0MB"}, {Bytes("en", 12e12), "12,000.0\u00a0GB"},
		{Money("en", 1284500*money.One, "CAD"), "$1,284,500.00"}, {Money("fr", 1284500*money.One, "CAD"), "1\u00a0284\u00a0500,00\u00a0$"},
		{MoneyShort("fr", 1510000*money.One, "CAD"), "1,51\u00a0M$"}, {Year(2026), "2026"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func zero() float64 { return 0 }

func TestErrors(t *testing.T) {
	e := errs.Invalid("end", "error.required").With(errs.Field{Path: "end", Key: "error.forbidden"}).With(errs.Field{Path: "value", Key: "error.money.format", Args: []any{"value", "12x"}})
	if got := Error("fr", e); got != T("fr", "error.validation") {
		t.Errorf("Error = %q", got)
	}
	if got := Error("en", errors.New("pq: duplicate key")); got != T("en", "error.internal") {
		t.Errorf("internals are shown: %q", got)
	}
	fields := Fields("en", e)
	if len(fields) != 3 || fields[2] != (FieldError{"value", T("en", "error.money.format", "value", "12x")}) {
		t.Errorf("Fields = %v", fields)
	}
	if got := FieldTexts("en", e); got["end"] != T("en", "error.required") || len(got) != 2 {
		t.Errorf("FieldTexts = %v", got)
	}
	if Fields("en", errors.New("x")) != nil || len(FieldTexts("en", nil)) != 0 {
		t.Error("fields are made up")
	}
}

func TestContext(t *testing.T) {
	ctx := context.Background()
	if From(ctx) != English || Zone(ctx) != time.UTC {
		t.Error("defaults differ")
	}
	zone := time.FixedZone("here", -8*3600)
	ctx = WithZone(With(ctx, "fr-CA"), zone)
	if From(ctx) != French || C(ctx, "ui.close") != "Fermer" {
		t.Error("the language is lost")
	}
	at := time.Date(2026, 5, 1, 3, 0, 0, 0, time.UTC)
	e := errs.New(errs.Conflict, "ui.conflict.text", "who", "Mei Chen", "when", at)
	want := "Mei Chen a modifié cet élément, 30\u00a0avr. 2026 à 19\u00a0h\u00a000. Rien n’est perdu : choisissez ce qui reste."
	if got := ErrorC(ctx, e); got != want {
		t.Errorf("ErrorC = %q, want %q", got, want)
	}
}
