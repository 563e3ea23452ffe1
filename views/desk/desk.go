package desk

import (
	"context"
	"strconv"

	"steward/internal/platform/i18n"
)

func itoa(n int) string { return strconv.Itoa(n) }

func activeLabel(ctx context.Context, u User) string {
	if u.Active {
		return i18n.C(ctx, "desk.deactivate")
	}
	return i18n.C(ctx, "desk.reactivate")
}

// notYet is what the switch makes of the person.
func notYet(u User) string { return strconv.FormatBool(!u.Active) }
