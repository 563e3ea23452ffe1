package portfolio

import (
	"context"

	"steward/internal/platform/i18n"
	"steward/internal/rules/money"
)

// short is an amount for a line of a table; empty when there is none.
func short(ctx context.Context, a *money.Amount, currency string) string {
	if a == nil {
		return ""
	}
	return i18n.MoneyShort(i18n.From(ctx), *a, currency)
}

// full is an amount to the cent; empty when there is none.
func full(ctx context.Context, a *money.Amount, currency string) string {
	if a == nil {
		return ""
	}
	return i18n.Money(i18n.From(ctx), *a, currency)
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// units is an amount as a length, for drawing only.
func units(a *money.Amount) float64 {
	if a == nil {
		return 0
	}
	return float64(*a) / float64(money.One)
}
