package event_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/internal/platform/event"
	"steward/internal/platform/i18n"
	"steward/internal/platform/store"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

// Every event has its sentence in both languages, and no two share a name.
func TestCatalogue(t *testing.T) {
	seen := map[event.Name]bool{}
	for _, e := range event.Catalogue {
		if seen[e.Name] {
			t.Errorf("%s stands twice", e.Name)
		}
		seen[e.Name] = true
		for _, lang := range i18n.Languages() {
			if !i18n.Has(lang, "event."+string(e.Name)) {
				t.Errorf("%s has no sentence in %s", e.Name, lang)
			}
		}
	}
}

// AU-2: refusals are in the record of changes, and nobody fills the disk with them.
func TestRefusalsAreBound(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		r := event.NewRecorder(s, slog.New(slog.DiscardHandler), func() time.Time { return now })
		pia := viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: "per_pia", Name: "Pia", SessionID: "ses_1", Via: viewer.ViaPage})
		rows := func() []*ent.ChangeEvent {
			t.Helper()
			list, err := s.Client.ChangeEvent.Query().Where(changeevent.OpEQ(changeevent.OpEVENT)).Order(changeevent.ByID()).All(testkit.System())
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		for range 25 {
			r.Refused(pia, event.Refused, "", map[string]any{"route": "POST /x", "code": "FORBIDDEN"})
		}
		list := rows()
		if len(list) != 10 {
			t.Fatalf("%d rows of 25", len(list))
		}
		if x := list[0]; event.Of(x) != event.Refused || x.ActorID != "per_pia" || x.ActorName != "Pia" || x.EntityType != "Session" || x.EntityID != "ses_1" || x.Diff["route"][1] != "POST /x" {
			t.Errorf("%+v", x)
		}
		other := viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: "per_other", Name: "Other", SessionID: "ses_2", Via: viewer.ViaPage})
		r.Refused(other, event.Refused, "", nil)
		if len(rows()) != 11 {
			t.Error("one caller's refusals hide another's")
		}
		if n, err := r.Flush(context.Background()); n != 0 || err != nil {
			t.Errorf("told before the minute is over: %d %v", n, err)
		}
		now = now.Add(61 * time.Second)
		r.Refused(pia, event.Refused, "", nil)
		told := func(what string) string {
			for _, x := range rows() {
				if n := x.Diff[what][1]; n != nil {
					return fmt.Sprint(n)
				}
			}
			return ""
		}
		if n := told("before_uncounted"); n != "15" {
			t.Errorf("of the fifteen before, %q are told", n)
		}
		// strangers, each from an address of their own
		before := len(rows())
		for i := range 200 {
			r.Refused(context.Background(), event.CredentialsRefused, fmt.Sprintf("10.0.0.%d", i), nil)
		}
		if n := len(rows()) - before; n != 60 {
			t.Errorf("%d rows of 200 strangers", n)
		}
		now = now.Add(61 * time.Second)
		before = len(rows())
		if n, err := r.Flush(context.Background()); n != 140 || err != nil {
			t.Errorf("%d callers told, %v", n, err)
		}
		if len(rows()) != before+1 || told("uncounted") != "140" {
			t.Errorf("%d rows, %s told", len(rows())-before, told("uncounted"))
		}
		if n, _ := r.Flush(context.Background()); n != 0 {
			t.Error("told twice")
		}
	})
}
