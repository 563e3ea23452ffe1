package retention_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"steward/ent"
	"steward/ent/changeevent"
	"steward/ent/setting"
	"steward/internal/area/retention"
	"steward/internal/platform/event"
	"steward/internal/platform/i18n"
	"steward/internal/platform/job"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
	"steward/internal/testkit"
)

func as(role access.Role) context.Context {
	return viewer.With(context.Background(), &viewer.Viewer{Kind: viewer.Person, ID: "per_x", Name: string(role), Roles: []string{string(role)}, Via: viewer.ViaPage, Lang: "en",
		Memberships: []viewer.Membership{{Scope: viewer.ScopeAll, Level: viewer.LevelManager}}})
}

// PV-4: administrators of the application say how long things are kept, nobody else
// reads or changes it.
func TestSettings(t *testing.T) {
	for _, c := range retention.Classes {
		for _, lang := range i18n.Languages() {
			if !i18n.Has(lang, "retention."+c.Name) || c.Days < c.Least || c.Days > c.Most {
				t.Errorf("%+v", c)
			}
		}
	}
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		admin := as(access.RoleAppAdmin)
		days, version, err := retention.List(admin, s)
		if err != nil || days[retention.Audit] != 2557 || days[retention.Sessions] != 30 || version != 1 {
			t.Fatal(days, version, err)
		}
		for _, role := range access.Roles {
			if role == access.RoleAppAdmin {
				continue
			}
			if _, _, err := retention.List(as(role), s); errs.CodeOf(err) != errs.CodeNotFound {
				t.Errorf("%s reads them: %v", role, err)
			}
			if err := retention.Save(as(role), s, 1, map[string]int{retention.Sessions: 5}); errs.CodeOf(err) != errs.CodeNotFound {
				t.Errorf("%s changes them: %v", role, err)
			}
		}
		err = retention.Save(admin, s, 1, map[string]int{retention.Sessions: 0, retention.Audit: 10, retention.Jobs: 9})
		if e := errs.As(err); errs.CodeOf(err) != errs.Validation || len(e.Fields) != 2 {
			t.Errorf("what makes no sense: %v", err)
		}
		save := func(version int, days map[string]int) error { return retention.Save(admin, s, version, days) }
		if err := save(1, map[string]int{retention.Sessions: 12, retention.Jobs: 7}); err != nil {
			t.Fatal(err)
		}
		if err := save(1, map[string]int{retention.Sessions: 13}); errs.CodeOf(err) != errs.Conflict {
			t.Errorf("an old form: %v", err)
		}
		days, version, err = retention.List(admin, s)
		if err != nil || days[retention.Sessions] != 12 || days[retention.Jobs] != 7 || version != 2 {
			t.Error(days, version, err)
		}
		if err := save(2, map[string]int{retention.Sessions: 14}); err != nil {
			t.Fatal(err)
		}
		rows, err := s.Client.Setting.Query().All(testkit.System())
		if err != nil || len(rows) != 1 || rows[0].Name != "retention.sessions" {
			t.Error(rows, err)
		}
		told := ""
		events, err := s.Client.ChangeEvent.Query().Where(changeevent.OpEQ(changeevent.OpEVENT), changeevent.EntityID(rows[0].ID)).Order(changeevent.ByAt()).All(testkit.System())
		for _, x := range events {
			told += fmt.Sprint(event.Of(x), x.ActorName, x.Diff["days"], x.Diff["name"][1])
		}
		if err != nil || told != "setting-changedapp-admin[30 12]retention.sessionssetting-changedapp-admin[12 14]retention.sessions" {
			t.Errorf("the record says %s, %v", told, err)
		}
		// what only somebody with the database could have written
		if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
			return c.Setting.UpdateOneID(rows[0].ID).SetValue(map[string]any{"days": -1}).Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		if days, err := retention.Days(testkit.System(), s.Client); err != nil || days[retention.Sessions] != 30 {
			t.Error(days, err)
		}
		if n, err := s.Client.Setting.Query().Where(setting.Name("retention.jobs")).Count(testkit.System()); err != nil || n != 0 {
			t.Error("a class that was not changed has a setting")
		}
	})
}

// PV-4: the record of changes is kept as long as the setting says, by the clock of
// the job, and verifies afterwards.
func TestPurgeAudit(t *testing.T) {
	testkit.Databases(t, func(t *testing.T, s *store.Store) {
		for i := range 5 {
			if err := s.Tx(testkit.System(), func(ctx context.Context, c *ent.Client) error {
				return c.Vendor.Create().SetName(fmt.Sprint("V", i)).Exec(ctx)
			}); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := s.Seal(t.Context()); err != nil || n != 5 {
			t.Fatal(n, err)
		}
		total := -1
		run := func(now time.Time) {
			t.Helper()
			if _, err := job.Enqueue(testkit.System(), s, "purge", nil, job.Options{}); err != nil {
				t.Fatal(err)
			}
			kind := job.Kind{Name: "purge", Do: func(ctx context.Context, x *job.Run) (err error) {
				if total, err = retention.PurgeAudit(ctx, x, s, now, 365); err != nil {
					return err
				}
				return x.Done(ctx, nil, nil)
			}}
			if _, err := job.New(s, job.Config{Kinds: []job.Kind{kind}}).Once(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		run(time.Now().AddDate(0, 0, 364))
		if total != 0 {
			t.Errorf("%d rows deleted a day early", total)
		}
		run(time.Now().AddDate(0, 0, 366))
		if total != 4 { // the newest seal stays
			t.Errorf("%d rows deleted", total)
		}
		for range 2 {
			r, err := s.VerifyAudit(t.Context(), "")
			if err != nil || r.Broken != "" || r.Purged != 4 {
				t.Errorf("%+v %v", r, err)
			}
			if _, err := s.Seal(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
