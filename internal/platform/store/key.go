package store

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"steward/internal/rules/errs"
)

// shortName is what a person may choose as the end of a key.
var shortName = regexp.MustCompile(`^[A-Z0-9]+(-[A-Z0-9]+)*$`)

// number gives a new row its human key: the one chosen, with the type's prefix
// in front, or the next number of the type.
func (w *writing) number() error {
	if w.entity.KeyPrefix == "" {
		return nil
	}
	raw, _ := w.m.Field("key")
	chosen, _ := raw.(string)
	if chosen != "" {
		key, err := Key(w.entity.KeyPrefix, chosen)
		if err != nil {
			return err
		}
		return w.m.SetField("key", key)
	}
	first, err := w.store.ReserveKeys(w.ctx, w.entity.KeyPrefix, 1)
	if err != nil {
		return err
	}
	return w.m.SetField("key", NumberedKey(w.entity.KeyPrefix, first))
}

// Key returns the key made of a chosen short name: "chefs" becomes PRD-CHEFS. A
// name with anything but letters, digits and single hyphens, or longer than 30
// characters, is a Validation error.
func Key(prefix, chosen string) (string, error) {
	name := strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(chosen)), prefix+"-")
	if !shortName.MatchString(name) || len(name) > 30 {
		return "", errs.Invalid("key", "error.key", "key", chosen)
	}
	return prefix + "-" + name, nil
}

// NumberedKey returns the key the system makes: PRD-000123.
func NumberedKey(prefix string, n int64) string { return fmt.Sprintf("%s-%06d", prefix, n) }

// Slug returns the part of a key that stands in addresses and group names:
// PRD-CHEFS is chefs.
func Slug(key string) string {
	_, rest, _ := strings.Cut(key, "-")
	return strings.ToLower(rest)
}

// ReserveKeys takes n consecutive numbers of a key prefix and returns the first.
// The counter's row stays locked until the transaction ends, so no number is
// given twice; one that is rolled back is given again.
func (s *Store) ReserveKeys(ctx context.Context, prefix string, n int) (int64, error) {
	if unitOf(ctx) == nil {
		return 0, ErrNoTransaction
	}
	rows, err := s.Raw(ctx).QueryContext(ctx,
		`INSERT INTO key_counters (id, next) VALUES ($1, $2)
		 ON CONFLICT (id) DO UPDATE SET next = key_counters.next + $3 RETURNING next`, prefix, int64(n)+1, int64(n))
	if err != nil {
		return 0, known(err)
	}
	defer rows.Close()
	var next int64
	if !rows.Next() {
		return 0, fmt.Errorf("store: no counter for %s: %w", prefix, rows.Err())
	}
	if err := rows.Scan(&next); err != nil {
		return 0, err
	}
	return next - int64(n), nil
}
