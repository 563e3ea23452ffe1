// Package approval says from which amount on an approval wants a recent proof of who
// gives it (security.md, SD-3 and AN-17). The amount is a setting that administrators of
// the application change at run time. It counts in whatever currency a record has:
// nothing is converted.
//
// Areas with moves that approve call Recent, after they have looked at the right; the page
// of the settings calls Get and Save.
package approval

import (
	"context"

	"steward/ent"
	"steward/ent/setting"
	"steward/internal/platform/auth"
	"steward/internal/platform/event"
	"steward/internal/platform/scope"
	"steward/internal/platform/store"
	"steward/internal/rules/access"
	"steward/internal/rules/errs"
	"steward/internal/rules/money"
	"steward/internal/rules/viewer"
)

// Usual is the amount until somebody changes it, and Most what it can be.
const (
	Usual money.Amount = 100_000 * unit
	Most  money.Amount = 1_000_000_000 * unit
	unit               = 10_000 // of money.Scale
)

// name is that of the setting; its value holds the amount as a text.
const name = "approval.second-threshold"

func stored(ctx context.Context, c *ent.Client) (*ent.Setting, error) {
	x, err := c.Setting.Query().Where(setting.Name(name)).Only(scope.Elevate(ctx))
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return x, err
}

// amountOf reads a setting. One that makes no sense, as only somebody with the database
// could make one, counts as the usual amount.
func amountOf(x *ent.Setting) money.Amount {
	if x == nil {
		return Usual
	}
	text, _ := x.Value["amount"].(string)
	if a, err := money.Parse(text); err == nil && a >= 0 && a <= Most {
		return a
	}
	return Usual
}

// Above reports whether approving what a record commits to wants a recent proof. A
// commitment of unknown amount does.
func Above(ctx context.Context, s *store.Store, commitment *money.Amount) (bool, error) {
	x, err := stored(ctx, s.ClientOf(ctx))
	if err != nil {
		return false, store.Known(err)
	}
	return commitment == nil || *commitment > amountOf(x), nil
}

// Recent refuses an approval above the threshold by somebody who has not proved recently
// who they are. The errors are those of auth.Fresh.
func Recent(ctx context.Context, s *store.Store, commitment *money.Amount) error {
	above, err := Above(ctx, s, commitment)
	if err != nil || !above {
		return err
	}
	return auth.Fresh(ctx)
}

// Get returns the threshold and its version, for the form. The error is NotFound for
// those who do not read settings.
func Get(ctx context.Context, s *store.Store) (amount money.Amount, version int, err error) {
	if !access.May(viewer.From(ctx), "Setting", access.Read) {
		return 0, 0, errs.NotFound()
	}
	x, err := stored(ctx, s.ClientOf(ctx))
	return amountOf(x), versionOf(x), store.Known(err)
}

// versionOf grows with each change; it is 1 before the first.
func versionOf(x *ent.Setting) int {
	if x == nil {
		return 1
	}
	return x.Version + 1
}

// Save changes the threshold. Only administrators of the application may, with a recent
// proof of who they are: a higher one takes protection away. The errors are NotFound for
// others, Validation, and Conflict when somebody changed it since the version.
func Save(ctx context.Context, s *store.Store, version int, amount money.Amount) error {
	if !access.May(viewer.From(ctx), "Setting", access.Write) {
		return errs.NotFound()
	}
	if amount < 0 || amount > Most {
		return errs.Invalid("threshold", "approval.range", "most", Most)
	}
	if err := auth.Fresh(ctx); err != nil {
		return err
	}
	return store.Known(s.Tx(ctx, func(ctx context.Context, c *ent.Client) error {
		x, err := stored(ctx, c)
		if err != nil {
			return err
		}
		if versionOf(x) != version {
			return errs.New(errs.Conflict, "approval.changed")
		}
		was := amountOf(x)
		if was == amount {
			return nil
		}
		own, value := scope.Elevate(ctx), map[string]any{"amount": amount.String()}
		if x == nil {
			x, err = c.Setting.Create().SetName(name).SetValue(value).Save(own)
		} else {
			x, err = c.Setting.UpdateOne(x).SetValue(value).Save(own)
		}
		if err != nil {
			return err
		}
		change := event.Change(event.SettingChanged, store.Change{Entity: "Setting", ID: x.ID, Version: x.Version}, map[string]any{"name": x.Name})
		change.Diff["amount"] = [2]any{was, amount}
		return store.Note(ctx, change)
	}))
}
