// Package portfolio holds what belongs to a portfolio as a whole: finding one by the name in
// addresses, and its money at a glance.
//
// The doors and the other areas call it. Amounts of different currencies are never added.
package portfolio

import (
	"context"
	"strings"

	"steward/ent"
	entportfolio "steward/ent/portfolio"
	"steward/internal/platform/store"
)

// keyPrefix starts the key of every portfolio.
const keyPrefix = "PF"

// ByKey returns the portfolio with a key (PF-CHEFS) or the slug made of it (chefs), archived
// ones included; errs.NotFound when the viewer has no such portfolio.
func ByKey(ctx context.Context, s *store.Store, keyOrSlug string) (*ent.Portfolio, error) {
	p, err := s.ClientOf(ctx).Portfolio.Query().Where(entportfolio.Key(Key(keyOrSlug))).Only(ctx)
	return p, store.Known(err)
}

// Key returns the key that a key or a slug stands for.
func Key(keyOrSlug string) string {
	key := strings.ToUpper(strings.TrimSpace(keyOrSlug))
	if !strings.HasPrefix(key, keyPrefix+"-") {
		key = keyPrefix + "-" + key
	}
	return key
}
