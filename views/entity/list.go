package entity

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func sorted(v url.Values) []string { return slices.Sorted(maps.Keys(v)) }

// leads reports whether name is one of names, or starts with one that ends in a dot.
func leads(name string, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return n == name || strings.HasSuffix(n, ".") && strings.HasPrefix(name, n)
	})
}

func choiceID(f Filter, i int) string {
	return "ff-" + dashed(f.Field.Name) + "-" + strconv.Itoa(i)
}

// dashed makes the name of a column one that the id of an element may have.
func dashed(name string) string { return strings.ReplaceAll(name, ".", "-") }

func itoa(n int) string { return strconv.Itoa(n) }
