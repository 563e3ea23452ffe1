package budget

import (
	"context"
	"fmt"
	"slices"

	"steward/ent"
	"steward/internal/platform/store"
	"steward/internal/rules/civil"
	"steward/internal/rules/errs"
	"steward/internal/rules/ident"
	"steward/internal/rules/money"
)

// Posting is what was spent on a line in a period according to the books: the whole amount,
// not an addition. Nil says that the books have none.
type Posting struct {
	LineID ident.ID
	Period civil.Period
	Amount *money.Amount
}

// PostActualInput is a set of postings with the reason that their history shall give.
type PostActualInput struct {
	Postings []Posting
	Reason   string
}

// PostActual sets the actual amounts of cells, all or none, for imports and integrations;
// people have no way to type them. It asks for no version: the books are right, and what was
// posted before is replaced. A line's later versions, made by revising its plan, get the
// amount too, and so does the version in force while its revision is a draft. The viewer must
// be able to write the lines; a closed period or plan takes no posting, unless an import
// brings it. It returns how many cells changed. Any number of postings may be given.
func PostActual(ctx context.Context, s *store.Store, in PostActualInput) (changed int, err error) {
	targets, err := postings(in.Postings)
	if err != nil {
		return 0, err
	}
	err = s.Tx(store.Because(ctx, &in.Reason), func(ctx context.Context, _ *ent.Client) error {
		for batch := range slices.Chunk(targets, MaxCells) {
			all, err := withVersions(ctx, s, batch)
			if err != nil {
				return err
			}
			// The first look takes the locks, the one of the run then sees what others
			// wrote before it got them.
			var cells []where
			for _, t := range all {
				cells = append(cells, t.where)
			}
			if _, err := read(ctx, s, cells, true); err != nil {
				return err
			}
			j := &job{store: s, targets: all}
			if err := j.run(ctx); err != nil {
				return err
			}
			changed += j.changed
		}
		return nil
	})
	return changed, err
}

func postings(list []Posting) ([]*target, error) {
	bad := errs.New(errs.Validation, "error.validation")
	seen := map[where]bool{}
	var out []*target
	for i, p := range list {
		path := fmt.Sprintf("postings.%d", i)
		w := where{p.LineID, p.Period}
		switch _, err := civil.ParsePeriod(string(p.Period)); {
		case err != nil:
			bad = bad.With(errs.Field{Path: path + ".period", Key: "budget.period", Args: []any{"period", string(p.Period)}})
		case seen[w]:
			bad = bad.With(errs.Field{Path: path, Key: "budget.twice"})
		}
		seen[w] = true
		out = append(out, &target{where: w, path: path, version: -1, paths: [3]string{actual: path},
			set: [3]bool{actual: true}, amounts: [3]*money.Amount{actual: p.Amount}})
	}
	if len(bad.Fields) > 0 {
		return nil, bad
	}
	return out, nil
}

// withVersions adds the same postings to the other versions of the lines that take them. A
// version that is named itself keeps its own posting.
func withVersions(ctx context.Context, s *store.Store, list []*target) ([]*target, error) {
	var lines []ident.ID
	named := map[where]bool{}
	for _, t := range list {
		lines = append(lines, t.Line)
		named[t.where] = true
	}
	others, err := versionsOf(ctx, s, lines)
	if err != nil || len(others) == 0 {
		return list, err
	}
	all := slices.Clone(list)
	for _, t := range list {
		for _, line := range others[t.Line] {
			if w := (where{line, t.Period}); !named[w] {
				named[w] = true
				o := *t
				o.where = w
				all = append(all, &o)
			}
		}
	}
	return all, nil
}
