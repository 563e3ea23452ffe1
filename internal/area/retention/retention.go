// Package retention says how long things are kept once they have served their
// purpose (security.md, PV-4). Each class is a setting that administrators of the
// application change at run time; the jobs "clean" and "purge" follow it.
//
// internal/app asks Days; the page of the settings calls List and Save.
package retention

import (
	"context"
	"time"

	"steward/ent"
	"steward/ent/setting"
	"steward/internal/platform/event"
	"steward/internal/platform/job"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/viewer"
)

// Class is a kind of thing with the days that it is kept, at least and at most.
type Class struct {
	Name              string
	Days, Least, Most int
}

// The classes.
const (
	Sessions        = "sessions"
	IdempotencyKeys = "idempotency-keys"
	Jobs            = "jobs"
	FailedJobs      = "failed-jobs"
	Notifications   = "notifications"
	Uploads         = "uploads"
	Audit           = "audit"
)

// Classes lists them in the order of the page. Do not change it.
var Classes = []Class{
	{Audit, 7*365 + 2, 365, 100 * 365},
	{Sessions, 30, 1, 365},
	{Notifications, 90, 1, 3650},
	{Jobs, 7, 1, 365},
	{FailedJobs, 90, 1, 3650},
	{Uploads, 1, 1, 30},
	{IdempotencyKeys, 30, 1, 365}, // a caller may send the same again that long
}

// settingOf is the name of a class's setting.
func settingOf(class string) string { return "retention." + class }

// stored returns the settings there are, by class.
func stored(ctx context.Context, c *ent.Client) (map[string]*ent.Setting, error) {
	rows, err := c.Setting.Query().Where(setting.NameHasPrefix(settingOf(""))).All(scope.Elevate(ctx))
	out := map[string]*ent.Setting{}
	for _, x := range rows {
		out[x.Name[len(settingOf("")):]] = x
	}
	return out, err
}

// Days returns how many days each class is kept. A setting that makes no sense, as
// only somebody with the database could make one, counts as the default.
func Days(ctx context.Context, c *ent.Client) (map[string]int, error) {
	rows, err := stored(ctx, c)
	out := map[string]int{}
	for _, class := range Classes {
		out[class.Name] = class.Days
		if x := rows[class.Name]; x != nil {
			if n, ok := x.Value["days"].(float64); ok && int(n) >= class.Least && int(n) <= class.Most {
				out[class.Name] = int(n)
			}
		}
	}
	return out, err
}

// List returns the days of each class and the version of them all together, for the
// form. The error is NotFound for those who do not read settings.
func List(ctx context.Context, s *store.Store) (days map[string]int, version int, err error) {
	if !access.May(viewer.From(ctx), "Setting", access.Read) {
		return nil, 0, errs.NotFound()
	}
	c := s.ClientOf(ctx)
	if days, err = Days(ctx, c); err != nil {
		return nil, 0, store.Known(err)
	}
	version, err = versionOf(ctx, c)
	return days, version, store.Known(err)
}

// versionOf rises with every change of any class.
func versionOf(ctx context.Context, c *ent.Client) (int, error) {
	rows, err := stored(ctx, c)
	version := 1
	for _, x := range rows {
		version += x.Version
	}
	return version, err
}

// Save changes how long classes are kept; those that days lacks stay as they are.
// Only administrators of the application may. The errors are NotFound for others,
// Validation naming the class, and Conflict when somebody changed a class since the
// version.
func Save(ctx context.Context, s *store.Store, version int, days map[string]int) error {
	if !access.May(viewer.From(ctx), "Setting", access.Write) {
		return errs.NotFound()
	}
	var wrong *errs.Error
	for _, class := range Classes {
		if n, ok := days[class.Name]; ok && (n < class.Least || n > class.Most) {
			e := errs.Invalid(class.Name, "retention.range", "least", class.Least, "most", class.Most)
			if wrong == nil {
				wrong = e
			} else {
				wrong = wrong.With(e.Fields[0])
			}
		}
	}
	if wrong != nil {
		return wrong
	}
	return store.Known(s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		now, err := versionOf(ctx, c)
		if err != nil {
			return err
		}
		if now != version {
			return errs.New(errs.Conflict, "retention.changed")
		}
		rows, err := stored(ctx, c)
		if err != nil {
			return err
		}
		was, err := Days(ctx, c)
		own := scope.Elevate(ctx)
		for _, class := range Classes {
			n, sent := days[class.Name]
			if err != nil || !sent || n == was[class.Name] {
				continue
			}
			value := map[string]any{"days": n}
			x := rows[class.Name]
			if x != nil {
				x, err = c.Setting.UpdateOne(x).SetValue(value).Save(own)
			} else {
				x, err = c.Setting.Create().SetName(settingOf(class.Name)).SetValue(value).Save(own)
			}
			if err != nil {
				return err
			}
			change := event.Change(event.SettingChanged, store.Change{Entity: "Setting", ID: x.ID, Version: x.Version}, map[string]any{"name": x.Name})
			change.Diff["days"] = [2]any{was[class.Name], n}
			if err := store.Note(ctx, change); err != nil {
				return err
			}
		}
		return err
	}))
}

// auditPart is how many rows of the record of changes are deleted in one transaction.
const auditPart = 5000

// PurgeAudit deletes the rows of the record of changes that have been kept long
// enough, a part in each transaction of the job x; each says in the record where
// the chain begins from then on, so that it goes on to verify.
func PurgeAudit(ctx context.Context, x *job.Run, s *store.Store, now time.Time, days int) (total int, err error) {
	for n := auditPart; n == auditPart; total += n {
		err := x.Tx(ctx, func(ctx context.Context, _ *ent.Client) error {
			var about map[string]any
			var err error
			if n, about, err = s.PurgeAudit(ctx, now.AddDate(0, 0, -days), auditPart); err != nil || n == 0 {
				return err
			}
			return store.Note(ctx, event.Change(event.Purged, store.Change{Entity: "Setting"}, about))
		})
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
