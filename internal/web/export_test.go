package web

import (
	"maps"
	"slices"
)

// Patterns are the routes of a site, for tests that walk all of them.
func Patterns(c Config) []string {
	s := &site{Config: c, store: c.Store, limiters: newLimiters(c.Limits, c.Now)}
	return slices.Sorted(maps.Keys(s.table()))
}
