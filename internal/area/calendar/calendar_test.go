package calendar_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/internal/area/calendar"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// unfold reads a file back as RFC 5545 says, refusing lines that are too long or end wrongly.
func unfold(t *testing.T, file []byte) []string {
	t.Helper()
	text, whole := strings.CutSuffix(string(file), "\r\n")
	if !whole || !utf8.ValidString(text) {
		t.Fatalf("%q", file)
	}
	var out []string
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") || !utf8.ValidString(line) {
			t.Errorf("%d octets: %q", len(line), line)
		}
		if rest, ok := strings.CutPrefix(line, " "); ok {
			out[len(out)-1] += rest
			continue
		}
		out = append(out, line)
	}
	return out
}

func TestFile(t *testing.T) {
	long := strings.Repeat("é", 200)
	file := calendar.File("Mine, and \\ours;\r\nX-EVIL:1", []calendar.Date{
		{UID: "ctr_1-end_on@steward", On: civil.MustDate("2026-02-28"), Title: "Squad\r\nATTENDEE:mailto:x@example.org", Changed: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		{UID: "ctr_2-end_on@steward", On: civil.MustDate("2026-12-31"), Title: long + "\u2028\x00END:VEVENT"},
	})
	lines := unfold(t, file)
	all := strings.Join(lines, "\n") + "\n"
	for _, want := range []string{
		"BEGIN:VCALENDAR\nVERSION:2.0\n", "\nNAME:Mine\\, and \\\\ours\\;  X-EVIL:1\n",
		"\nUID:ctr_1-end_on@steward\nDTSTAMP:20260102T030405Z\nDTSTART;VALUE=DATE:20260228\nDTEND;VALUE=DATE:20260301\nSUMMARY:Squad  ATTENDEE:mailto:x@example.org\n",
		"\nDTEND;VALUE=DATE:20270101\nSUMMARY:" + long + "  END:VEVENT\n",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
	known := map[string]bool{}
	for p := range strings.FieldsSeq("BEGIN VERSION PRODID CALSCALE METHOD NAME X-WR-CALNAME REFRESH-INTERVAL UID DTSTAMP DTSTART DTEND SUMMARY TRANSP END") {
		known[p] = true
	}
	ends := 0
	for _, line := range lines {
		property, _, _ := strings.Cut(line, ":")
		property, _, _ = strings.Cut(property, ";")
		if !known[property] {
			t.Errorf("a text began a line of its own: %q", line)
		}
		if line == "END:VEVENT" {
			ends++
		}
	}
	if ends != 2 {
		t.Errorf("%d events end", ends)
	}
}

type world struct {
	s            *store.Store
	ours, theirs *ent.Portfolio
	pia, bob     *viewer.Viewer
}

func each(t *testing.T, f func(*testing.T, *world)) {
	t.Helper()
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		w := &world{s: s}
		w.do(t, func(ctx context.Context, c *ent.Client) error {
			w.ours = c.Portfolio.Create().SetName("Ours").SetKey("OUR").SaveX(ctx)
			w.theirs = c.Portfolio.Create().SetName("Theirs").SetKey("THR").SaveX(ctx)
			for of, name := range map[**viewer.Viewer]string{&w.pia: "Pia", &w.bob: "Bob"} {
				p := c.Person.Create().SetName(name).SaveX(ctx)
				*of = &viewer.Viewer{Kind: viewer.Person, ID: p.ID, Name: name, Roles: []string{"portfolio-manager"}, SessionID: "ses_x", AuthTime: time.Now(), Via: viewer.ViaPage, Lang: "en", Zone: time.UTC,
					Memberships: []viewer.Membership{{Scope: viewer.ScopePortfolio, ID: w.ours.ID, Level: viewer.LevelManager}}}
			}
			return nil
		})
		f(t, w)
	})
}

func (w *world) do(t *testing.T, f func(context.Context, *ent.Client) error) {
	t.Helper()
	if err := w.s.Tx(testkit.System(), f); err != nil {
		t.Fatal(err)
	}
}

func as(v *viewer.Viewer) context.Context { return viewer.With(context.Background(), v) }

// Every date that a record has is there, in the feed's language, of the reader's own portfolios only.
func TestDates(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		day := civil.MustDate
		w.do(t, func(ctx context.Context, c *ent.Client) error {
			c.Contract.Create().SetName("Squad").SetPortfolio(w.ours).SetEndOn(day("2026-12-31")).SetNoticeByOn(day("2026-09-30")).SetDecideByOn(day("2026-08-31")).SaveX(ctx)
			c.Contract.Create().SetName("Hidden").SetPortfolio(w.theirs).SetEndOn(day("2026-12-31")).SaveX(ctx)
			c.Contract.Create().SetName("Long over").SetPortfolio(w.ours).SetEndOn(day("2020-12-31")).SaveX(ctx)
			c.Contract.Create().SetName("Archived").SetPortfolio(w.ours).SetEndOn(day("2026-12-31")).SetArchivedAt(time.Now().UTC()).SaveX(ctx)
			c.Procurement.Create().SetName("Tender").SetPortfolio(w.ours).SetPublishPlannedOn(day("2026-10-01")).SetAwardPlannedOn(day("2026-11-01")).SaveX(ctx)
			c.Cycle.Create().SetName("Autumn").SetNameFr("Automne").SetStartOn(day("2026-09-01")).SetEndOn(day("2026-12-15")).SetGradingEndsOn(day("2027-01-10")).SaveX(ctx)
			c.Initiative.Create().SetName("Move").SetPortfolio(w.ours).SetStartOn(day("2026-09-15")).SetPlannedEndOn(day("2027-03-01")).SetProjectedEndOn(day("2027-04-01")).SaveX(ctx)
			return nil
		})
		read := func(v *viewer.Viewer, lang string, kinds ...string) string {
			t.Helper()
			list, err := calendar.Dates(as(v), w.s, kinds, lang, day("2026-09-10"))
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, d := range list {
				if !strings.HasSuffix(d.UID, "@steward") || d.Changed.IsZero() {
					t.Errorf("%+v", d)
				}
				out = append(out, d.On.String()+" "+d.Title)
			}
			return strings.Join(out, "\n")
		}
		if got, want := read(w.pia, "en", calendar.Kinds...), `2026-08-31 Decide about renewal: Squad
2026-09-15 Starts: Move
2026-09-30 Last day to give notice: Squad
2026-10-01 Publication planned: Tender
2026-11-01 Award planned: Tender
2026-12-15 Cycle ends: Autumn
2026-12-31 Contract ends: Squad
2027-01-10 Grading ends: Autumn
2027-03-01 Planned end: Move
2027-04-01 Expected end: Move`; got != want {
			t.Errorf("%s", got)
		}
		if got := read(w.pia, "fr", "cycles"); got != "2026-12-15 Fin du cycle : Automne\n2027-01-10 Fin de l’évaluation : Automne" {
			t.Error(got)
		}
		nobody := *w.pia
		nobody.Roles, nobody.Memberships = nil, nil
		if got := read(&nobody, "en", calendar.Kinds...); got != "" {
			t.Errorf("without a role: %s", got)
		}
		again, _ := calendar.Dates(as(w.pia), w.s, calendar.Kinds, "fr", day("2026-09-11"))
		first, _ := calendar.Dates(as(w.pia), w.s, calendar.Kinds, "en", day("2026-09-10"))
		for i := range first {
			if first[i].UID != again[i].UID {
				t.Error("a UID is not stable")
			}
		}
	})
}

// A token opens its own feed until it is revoked; only its hash is stored, and its first six characters.
func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		token, f, err := calendar.Create(as(w.pia), w.s, calendar.Input{Name: "Mine", Kinds: []string{"contracts"}, Language: "fr"})
		if err != nil || len(token) != 43 || f.Hint != token[:6] || f.Language != "fr" {
			t.Fatal(token, f, err)
		}
		other, _, err := calendar.Create(as(w.pia), w.s, calendar.Input{Name: "Other", Kinds: []string{"cycles"}})
		if err != nil {
			t.Fatal(err)
		}
		found, err := calendar.Find(testkit.System(), w.s, token)
		if err != nil || found.ID != f.ID || found.Kinds[0] != "contracts" {
			t.Fatal(found, err)
		}
		if x := w.s.Client.CalendarFeed.GetX(testkit.System(), f.ID); x.LastUsedAt == nil {
			t.Error("nobody sees that it was read")
		}
		if strings.Contains(fmt.Sprintf("%+v", found), token) || found.TokenHash == token {
			t.Error("the token is stored")
		}
		for _, bad := range []string{"", token[:42], token + "A", strings.ToUpper(token), found.TokenHash, f.Hint, f.ID.String()} {
			if _, err := calendar.Find(testkit.System(), w.s, bad); errs.CodeOf(err) != errs.CodeNotFound {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if _, err := calendar.Find(as(w.pia), w.s, token); errs.CodeOf(err) != errs.CodeNotFound {
			t.Error("a person looked a token up", err)
		}
		if err := calendar.Revoke(as(w.bob), w.s, f.ID); errs.CodeOf(err) != errs.CodeNotFound {
			t.Error("somebody else revoked it", err)
		}
		if list, _ := calendar.List(as(w.bob), w.s); len(list) != 0 {
			t.Error("somebody else sees it")
		}
		if err := calendar.Revoke(as(w.pia), w.s, f.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := calendar.Find(testkit.System(), w.s, token); errs.CodeOf(err) != errs.CodeNotFound {
			t.Error("a revoked feed opens", err)
		}
		if err := calendar.Revoke(as(w.pia), w.s, f.ID); errs.CodeOf(err) != errs.CodeNotFound {
			t.Error(err)
		}
		if x, err := calendar.Find(testkit.System(), w.s, other); err != nil || x.Kinds[0] != "cycles" {
			t.Error("the other feed", x, err)
		}
		for _, e := range w.s.Client.ChangeEvent.Query().Where(changeevent.EntityType("CalendarFeed")).AllX(testkit.System()) {
			if text := fmt.Sprint(e.Diff); strings.Contains(text, token) || strings.Contains(text, found.TokenHash) || e.ActorID != w.pia.ID.String() {
				t.Errorf("%s %s", e.ActorID, text)
			}
		}
		if n := w.s.Client.ChangeEvent.Query().Where(changeevent.EntityID(f.ID)).CountX(testkit.System()); n != 2 {
			t.Errorf("%d audit rows of making and revoking", n)
		}
	})
}

func TestCreateRefuses(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		good := calendar.Input{Name: "x", Kinds: []string{"contracts"}}
		robot, stale := *w.pia, *w.pia
		robot.TokenID = ident.ID("tok_1")
		stale.AuthTime = time.Now().Add(-time.Hour * 24)
		for _, v := range []*viewer.Viewer{&robot, &stale} {
			if _, _, err := calendar.Create(as(v), w.s, good); err == nil {
				t.Errorf("%+v made a feed", v)
			}
		}
		for _, in := range []calendar.Input{{Name: " ", Kinds: good.Kinds}, {Name: "x"}, {Name: "x", Kinds: []string{"salaries"}}} {
			if _, _, err := calendar.Create(as(w.pia), w.s, in); errs.CodeOf(err) != errs.Validation {
				t.Errorf("%+v: %v", in, err)
			}
		}
		for range 20 {
			if _, _, err := calendar.Create(as(w.pia), w.s, good); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := calendar.Create(as(w.pia), w.s, good); errs.CodeOf(err) != errs.Validation {
			t.Error("a twenty-first feed", err)
		}
	})
}
