package main

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"regexp"
	"strings"
)

// patch corrects what entgql's templates get wrong and offer no hook for. Each
// correction checks that it still finds what it corrects, so a changed template
// fails the generation instead of losing the correction.
func patch() error {
	if err := rewrite("ent/gql_pagination.go", keyset); err != nil {
		return err
	}
	if err := rewrite("ent/gql_collection.go", order); err != nil {
		return err
	}
	return rewrite("ent/gql_collection.go", liveEdges)
}

func rewrite(file string, edit func(string) (string, error)) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	s, err := edit(string(b))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	out, err := format.Source([]byte(s))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if bytes.Equal(out, b) {
		return fmt.Errorf("%s: nothing to correct: the template changed", file)
	}
	return os.WriteFile(file, out, 0o644)
}

// keyset makes pages follow an index: entgql writes an OR of ANDs that
// PostgreSQL cannot use as an index condition, a tie-breaker whose direction no
// index serves, and counts whenever pageInfo is asked for.
func keyset(s string) (string, error) {
	calls := strings.Count(s, "entgql.MultiCursorsPredicate(")
	const direction = "irection := entgql.OrderDirectionAsc"
	const counts = "if hasCollectedField(ctx, totalCountField) || hasCollectedField(ctx, pageInfoField) {"
	if calls == 0 || strings.Count(s, direction) != 3*calls || !strings.Contains(s, counts) {
		return "", fmt.Errorf("the pagination template changed: see keyset in ent/codegen/patch.go")
	}
	s = strings.ReplaceAll(s, "entgql.MultiCursorsPredicate(", "keyset.Multi(")
	s = strings.ReplaceAll(s, direction, "irection := keyset.IDDirection(len(p.order), func(i int) entgql.OrderDirection { return p.order[i].Direction })")
	s = strings.ReplaceAll(s, counts, "if hasCollectedField(ctx, totalCountField) || hasCollectedField(ctx, pageInfoField) && (ignoredEdges || first != nil && *first == 0 || last != nil && *last == 0) {")
	return strings.Replace(s, "import (\n", "import (\n\t\"steward/internal/platform/keyset\"\n", 1), nil
}

var named = regexp.MustCompile(`func\(wq \*(\w+)Query\) \{\s*\*wq = \*query\s*\}`)

// order gives plain list edges an order: without one their rows come as the
// planner likes.
func order(s string) (string, error) {
	if !named.MatchString(s) {
		return "", fmt.Errorf("the collection template changed: see order in ent/codegen/patch.go")
	}
	return named.ReplaceAllStringFunc(s, func(m string) string {
		t := named.FindStringSubmatch(m)[1]
		return "func(wq *" + t + "Query) {\n*wq = *query\nif len(wq.order) == 0 && len(wq.modifiers) == 0 {\nwq.order = append(wq.order, " + strings.ToLower(t) + ".ByID())\n}\n}"
	}), nil
}

var paged = regexp.MustCompile(`args := new(\w+)PaginateArgs\(`)

// liveEdges leaves archived rows out of nested connections, as they are left out
// of the root ones.
func liveEdges(s string) (string, error) {
	n := 0
	s = paged.ReplaceAllStringFunc(s, func(m string) string {
		t := paged.FindStringSubmatch(m)[1]
		if !archivablePackage(t) {
			return m
		}
		n++
		return "query.Where(" + strings.ToLower(t) + ".ArchivedAtIsNil())\n" + m
	})
	if n == 0 {
		return "", fmt.Errorf("the collection template changed: see liveEdges in ent/codegen/patch.go")
	}
	return s, nil
}

func archivablePackage(t string) bool {
	b, err := os.ReadFile("ent/" + strings.ToLower(t) + "/where.go")
	return err == nil && bytes.Contains(b, []byte("func ArchivedAtIsNil()"))
}
